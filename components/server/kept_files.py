"""Scripts, styles and libraries: read and compressed once a process, and kept by browsers as long as they may be."""

import re
from dataclasses import dataclass

from flask import Flask, Response, request

from components.server.http import IMMUTABLE

FOLDERS = ("_dash-component-suites/", "assets/", "scripts/", "tables/")
MOST_BYTES = 64_000_000  # of all files in all their forms; what comes after is read anew each time
_FORMS = ("zstd", "br", "gzip", "deflate")
_VERSIONED = re.compile(r"\.v[0-9_]+m[0-9]+\.")  # as Dash names a file of a package


@dataclass(frozen=True)
class _Kept:
    content: bytes
    headers: tuple[tuple[str, str], ...]


def keep_files(server: Flask, prefix: str) -> None:
    """Answer what was asked for before from memory, in the same compression.

    Compressing plotly.js takes a tenth of a second, and Dash would do it for everyone who asks, even for one whose
    browser has it. To be called before compression is added: what is kept is the answer as it is sent.
    """
    folders = tuple(prefix + folder for folder in FOLDERS)
    kept: dict[tuple[str, str], _Kept] = {}
    room = MOST_BYTES

    def key() -> tuple[str, str]:
        accepted = request.headers.get("Accept-Encoding", "").lower()
        return request.path, ",".join(form for form in _FORMS if form in accepted)

    @server.before_request
    def from_memory() -> Response | None:
        found = kept.get(key()) if request.method == "GET" and request.path.startswith(folders) else None
        if found is None:
            return None
        answer = Response(found.content, headers=list(found.headers))
        answer.make_conditional(request, accept_ranges=True, complete_length=len(found.content))
        return answer

    @server.after_request
    def keep(answer: Response) -> Response:
        nonlocal room
        if request.method != "GET" or answer.status_code != 200 or not request.path.startswith(folders):
            return answer
        if _VERSIONED.search(request.path) or "v" in request.args:
            answer.headers["Cache-Control"] = IMMUTABLE
        answer.headers.setdefault("Cache-Control", "no-cache")
        if key() not in kept and "Range" not in request.headers:
            answer.direct_passthrough = False
            content = answer.get_data()
            if len(content) <= room:
                room -= len(content)
                if not answer.headers.get("ETag"):
                    answer.add_etag()
                kept[key()] = _Kept(content, tuple(answer.headers.items()))
        return answer
