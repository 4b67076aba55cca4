"""What a process of the server has in memory of files: of atlases no more than a bound, however much is looked at."""

import os
from pathlib import Path

from flask import Flask, Response

from services.atlas.folder import let_go_of_arrays

MOST = 150_000_000  # bytes, of which the libraries are some 80 MB
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def bound_memory(server: Flask) -> None:
    """From now on, arrays are let go of after an answer that has left too much of them in memory."""

    @server.after_request
    def let_go(answer: Response) -> Response:
        if bytes_of_files() > MOST:
            let_go_of_arrays()
        return answer


def bytes_of_files() -> int:
    """Of all files that this process has in its memory; 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[2]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
