"""Layers as a short text, for links and stores, such as `0-3_7`: the same in components/head_scene/folds.js."""

import re

from services.atlas.schema import StreamInfo
from services.errors import SearchError

MOST_TEXT = 1000  # characters: every other one of 250 layers
_RUN = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)


def rows(text: str, stream: StreamInfo) -> list[int]:
    """Rows of the layers that a text names, as the model counts them, rising; at least one layer is left.

    Raises:
        SearchError: the text names no layers, layers that the stream has not, or all of them.
    """
    if len(text) > MOST_TEXT:
        raise SearchError(f"Layers in a link can have {MOST_TEXT:,} characters; these have {len(text):,}.")
    found: set[int] = set()
    for run in text.split("_"):
        match = _RUN.fullmatch(run)
        if match is None:
            raise SearchError(f"{run[:20]!r} is no layer; write a number, such as 3, or a run, 3-7.")
        first, last = stream.row(int(match[1])), stream.row(int(match[2] or match[1]))
        if first is None or last is None or first > last:
            raise SearchError(f"there are no layers {run[:20]}.")
        found.update(range(first, last + 1))
    if len(found) >= stream.layers:
        raise SearchError("they are all there are.")
    return sorted(found)
