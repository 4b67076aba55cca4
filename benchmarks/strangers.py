"""Strangers at a server: requests that no browser sends, and clients that never finish theirs.

    python -m benchmarks.strangers HOME [--count 15000] [--seed 1] [--slow 20]

HOME holds `atlases/`; a copy of it is served as the Dockerfile does, where no job is started. Asked for are every route
with parts from anyone, and every callback with fields, values and forms from anyone, by eight at once, bounded in
number. Told are statuses, tracebacks in the server's log, the slowest answer, and what a worker's memory grew to; then
how `/healthz` answers while so many clients send or read in drips (without a proxy, so it is the worst that can be).
Ends with 1 where there is a traceback or an answer 500.
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.load import largest, served

TEXTS = (
    *("", " ", "0", "-1", "1e308", "NaN", "None", "null", "true", "x" * 300, "x" * 70_000, "\x00", "\ud800", "\u202e"),
    *("../../../../etc/passwd", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "__proto__", "constructor"),
    *("'; drop table jobs; --", "${7*7}", "{{7*7}}", "(a+)+$", "[" * 180, "é", "\u0663", "self", "tokens", "pca2d"),
    *("umap2d", "minilm-demo", "dataset:../x", "dataset:org/none:train", "file:///etc/passwd", "p.AA~x.AA", "key"),
)
PLACES = (
    *("..", "../..", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "....//....//etc/passwd", "%00"),
    *(
        "..\\..\\etc\\passwd",
        "%252e%252e%252f",
        "..%c0%af",
        "a%00.png",
        "%ff%fe",
        "%ed%a0%80",
        "%0d%0aX-Injected:%20yes",
    ),
    *(
        "A" * 6000,
        "%",
        "%zz",
        "*",
        "~",
        "9" * 400,
        "0x10",
        "1.5",
        "-0",
        "+1",
        "con",
        "app.py",
        "atlas.json",
        "build.json",
    ),
)
NUMBERS = (-1, 0, 1, 5, 11, 12, 71, 171, 9999, 2**31, 2**63, 10**400, 1.5, 1e308, float("nan"), float("inf"))


class Stranger:
    """Draws requests: (method, path, body)."""

    def __init__(self, seed: int, rules: list[str], callbacks: dict[str, Any], slug: str, key: str) -> None:
        self.draw = random.Random(seed)
        self.rules, self.callbacks = rules, list(callbacks.items())
        self.known = {"slug": slug, "key": key, "stream": "self", "table": "tokens", "layer": "0", "head": "0"}

    def request(self) -> tuple[str, str, bytes]:
        if self.draw.random() < 0.5:
            return self._route()
        return "POST", "/_dash-update-component", self._callback()

    def _route(self) -> tuple[str, str, bytes]:
        def part(named: re.Match[str]) -> str:
            name = named[1].rsplit(":", 1)[-1]
            if self.draw.random() < 0.7 and name in self.known:
                return self.known[name]
            text = self.draw.choice((*TEXTS, *map(str, NUMBERS)))
            return self.draw.choice((self.draw.choice(PLACES), quote(text.encode("utf-8", "surrogatepass"), safe="")))

        path = re.sub(r"<([^>]+)>", part, self.draw.choice(self.rules))
        if self.draw.random() < 0.4:
            value = quote(str(self.value(2)).encode("utf-8", "surrogatepass"), safe="")[:8000]
            path += f"?{self.draw.choice(('q', 'mode', 'case', 'name', 'set', 'atlas', 'v', 'probe'))}={value}"
        method = self.draw.choices(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"), (12, 3, 2, 1, 1, 1))[0]
        return method, path, b"x" * self.draw.choice((0, 10)) if method in ("POST", "PUT") else b""

    def _callback(self) -> bytes:
        output, callback = self.draw.choice(self.callbacks)
        body = _form(output, callback, lambda: self.value(3))
        if self.draw.random() < 0.3:  # the form itself
            name = self.draw.choice(list(body))
            if self.draw.random() < 0.3:
                del body[name]
            else:
                body[name] = self.value(3)
        text = json.dumps(body).encode()
        return text[: self.draw.randrange(len(text))] if self.draw.random() < 0.02 else text

    def value(self, deep: int) -> Any:
        """Anything that JSON may hold, and what a page's stores hold."""
        kind = self.draw.randrange(9 if deep else 5)
        if kind < 2:
            return self.draw.choice(TEXTS)
        if kind < 4:
            return self.draw.choice(NUMBERS)
        if kind == 4:
            return self.draw.choice((None, True, False))
        if kind == 5:
            return [self.value(deep - 1) for _ in range(self.draw.randrange(4))]
        names = (
            "atlas",
            "stream",
            "layer",
            "head",
            "input",
            "token",
            "side",
            "q",
            "method",
            "dims",
            "id",
            "corpus",
            "x",
        )
        found = {name: self.value(deep - 1) for name in self.draw.sample(names, self.draw.randrange(5))}
        if kind == 6:
            found |= {"atlas": self.known["slug"], "stream": "self"}
        if kind == 7:
            found |= {"startRow": self.value(0), "endRow": self.value(0), "sortModel": self.value(1)}
        return found


def _form(output: str, callback: dict[str, Any], value: Any) -> dict[str, Any]:
    """What a browser posts for a callback, with these values."""

    def of(text: str) -> dict[str, Any]:
        name, prop = text.rsplit(".", 1)
        return {"id": json.loads(name) if name.startswith("{") else name, "property": prop}

    parts = output.strip(".").split("...") if output.startswith("..") else [output]
    outputs = [of(part if part.startswith("{") else part.split("@")[0]) for part in parts]
    given = {
        kind: [of(f"{one['id']}.{one['property']}") | {"value": value()} for one in callback[kind]]
        for kind in ("inputs", "state")
    }
    changed = [f"{one['id']}.{one['property']}" for one in callback["inputs"]]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        **given,
        "changedPropIds": changed[:1],
    }


def ask(address: str, method: str, path: str, body: bytes) -> tuple[str, float]:
    """Status, or the name of what went wrong; seconds."""
    at, began = urlsplit(address), time.perf_counter()
    try:
        connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=60)
        connection.putrequest(method, path.replace(" ", "%20"), skip_accept_encoding=True)
        if body:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        status = str(connection.getresponse().status)
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no client can send that
        status = type(error).__name__
    return status, time.perf_counter() - began


def hold(address: str, clients: int, kind: str, file: str) -> Iterator[socket.socket]:
    """Connections that never end their request, or never read the answer."""
    at = urlsplit(address)
    host, sized = f"Host: {at.netloc}\r\n", "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    first = {
        "body": f"POST /_dash-update-component HTTP/1.1\r\n{host}{sized}",
        "header": f"GET / HTTP/1.1\r\n{host}X-A: ",
        "read": f"GET {file} HTTP/1.1\r\n{host}\r\n" * 3,
    }[kind].encode()
    for _ in range(clients):
        one = socket.socket()
        if kind == "read":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect((at.hostname, at.port))
        one.sendall(first)
        yield one


def health(address: str) -> str:
    began = time.perf_counter()
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=8).read()
    except OSError:
        return "no answer within 8 s"
    return f"{time.perf_counter() - began:.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slow", type=int, default=20, help="clients that never finish")
    options: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        home = Path(aside) / "home"
        shutil.copytree(options.home / "atlases", home / "atlases")
        os.environ["ATLAS_START_JOBS"] = "false"
        log = Path(aside) / "server.log"
        rules, callbacks, slug, key = _known(home)
        stranger = Stranger(options.seed, rules, callbacks, slug, key)
        asked = [stranger.request() for _ in range(options.count)]
        with log.open("wb") as out, served(home, log=out) as (address, server), ThreadPoolExecutor(8) as several:
            before, began = largest(server)[0], time.perf_counter()
            found = list(several.map(lambda one: ask(address, *one), asked))
            spent = time.perf_counter() - began
            counts = Counter(status for status, _ in found)
            slowest = max(range(len(found)), key=lambda at: found[at][1])
            text = log.read_text(errors="replace")
            failed = text.count("Traceback (most recent call last)")
            print(
                f"{len(found):,} requests in {spent:.0f} s, load {os.getloadavg()[0]:.1f}: {dict(counts.most_common())}"
            )
            print(f"tracebacks: {failed}; slowest {found[slowest][1]:.2f} s ({asked[slowest][1][:80]})")
            grown = f"{before / 2**20:.0f} → {largest(server)[0] / 2**20:.0f} MB"
            print(f"a worker's memory: {grown}; workers {len(server.children())}")
            for (method, path, body), (status, _) in zip(asked, found, strict=True):
                if status == "500":
                    print("500:", method, path[:200], body[:400])
            if failed:
                print(text[text.index("Traceback (most") :][:3000])
            script = re.search(r'src="(/scripts/[^"]+)"', urllib.request.urlopen(address).read().decode())
            for kind in ("body", "header", "read"):
                held = list(hold(address, options.slow, kind, script[1] if script else "/"))
                time.sleep(0.5)
                print(f"{options.slow} clients that drip ({kind}): /healthz {health(address)}", end="; ", flush=True)
                for one in held:
                    one.close()
                time.sleep(1)
                print(f"when they are gone: {health(address)}", flush=True)
    return 1 if failed or counts["500"] else 0


def _known(home: Path) -> tuple[list[str], dict[str, Any], str, str]:
    """Routes and callbacks of the dashboard, and the first atlas."""
    from app import create_app
    from services.atlas.library import Library
    from services.settings import Settings

    app = create_app(Settings(home=home, demo=False))
    app.server.test_client().get("/_dash-dependencies")
    atlas = Library(home / "atlases").first()
    assert atlas is not None
    rules = sorted({str(rule.rule) for rule in app.server.url_map.iter_rules()})
    return rules, {name: one for name, one in app.callback_map.items() if "callback" in one}, atlas.slug, atlas.info.key


if __name__ == "__main__":
    sys.exit(main())
