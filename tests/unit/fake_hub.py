"""A model hub on this machine: serves folders as repositories, in the few routes that a download needs."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(models: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve `models` (id → folder); gives the address and the list of paths asked for so far.

    Nobody may have org/gated, and org/private is there for those who are logged in.
    """
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, *, body: bool) -> None:
            path = self.path.split("?")[0].removeprefix("/")
            asked.append(path)
            parts = unquote(path).removeprefix("api/models/").removeprefix("api/").removeprefix("datasets/").split("/")
            name = "/".join(parts[:2])
            if name == "org/private" and not self.headers.get("Authorization"):
                return self.refuse(404, "RepoNotFound")
            if name == "org/gated":
                return self.refuse(403, "GatedRepo")
            if name not in models:
                return self.refuse(404, "RepoNotFound")
            if "no-such" in parts:
                return self.refuse(404, "RevisionNotFound")
            files = sorted(file for file in models[name].rglob("*") if file.is_file())
            if "resolve" in parts:
                inner = parts[-3:] if path.startswith("datasets/") else parts[-1:]
                return self.send((models[name] / "/".join(inner)).read_bytes(), body)
            names = [(str(file.relative_to(models[name])), file) for file in files]
            listing: object = {
                "id": name,
                "sha": COMMIT,
                "siblings": [{"rfilename": shown, "size": file.stat().st_size} for shown, file in names],
            }
            if "tree" in parts:
                listing = [
                    {
                        "type": "file",
                        "path": shown,
                        "size": file.stat().st_size,
                        "oid": tag(file.read_bytes()),
                    }
                    for shown, file in names
                ]
            return self.send(json.dumps(listing).encode(), body)

        def send(self, content: bytes, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{tag(content)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing: tests keep their output short."""

    def tag(content: bytes) -> str:
        return hashlib.sha1(content).hexdigest()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
