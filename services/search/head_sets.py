"""A set of heads as a short text, for links and stores: the same in components/client/head_sets.js.

Either runs in the order of cells, `0.3_1.0-2.11` (layer.head, layers as the model counts them; a run may go over
layers), or, where that gets long, `b` and one bit a head in base64 for URLs.
"""

import base64
import binascii
import re
from collections.abc import Sequence

from services.atlas.schema import StreamInfo
from services.errors import SearchError

MOST_TEXT = 4000  # characters: bits of 18,000 heads
READABLE = 300  # characters up to which a text that people can read is worth more than a shorter one
_RUN = re.compile(r"(\d{1,4})\.(\d{1,4})(?:-(\d{1,4})\.(\d{1,4}))?", re.ASCII)


def cells(text: str, stream: StreamInfo) -> list[int]:
    """The cells (row of the layer × heads + head) of a set, rising.

    Raises:
        SearchError: the text is no set of heads of a stream of this size, or an empty one.
    """
    if len(text) > MOST_TEXT:
        raise SearchError(f"A set of heads in a link can have {MOST_TEXT:,} characters; this one has {len(text):,}.")
    found = _bits(text[1:], stream.layers * stream.heads) if text.startswith("b") else _runs(text, stream)
    if not found:
        raise SearchError("This set of heads is empty.")
    return sorted(found)


def _bits(text: str, count: int) -> set[int]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SearchError(f"'b{text[:20]}' is no set of heads.") from error
    found = {8 * i + bit for i, byte in enumerate(raw) for bit in range(8) if byte >> bit & 1}
    if max(found, default=0) >= count:
        raise SearchError(f"There is no head number {max(found)}: there are {count}.")
    return found


def _runs(text: str, stream: StreamInfo) -> set[int]:
    found: set[int] = set()
    for run in text.split("_"):
        match = _RUN.fullmatch(run)
        if match is None:
            raise SearchError(f"{run[:20]!r} is no head; write layer.head, such as 0.3, or a run, 0.3-1.11.")
        numbers = [int(part) for part in match.groups() if part is not None]
        ends = list(zip(numbers[::2], numbers[1::2], strict=True))
        found_ends = [_cell(stream, layer, head) for layer, head in ends]
        found.update(range(found_ends[0], found_ends[-1] + 1))
    return found


def _cell(stream: StreamInfo, layer: int, head: int) -> int:
    row = stream.row(layer)
    if row is None or head >= stream.heads:
        which = f" ({', '.join(map(str, stream.layer_numbers))})" if stream.layer_numbers else ""
        raise SearchError(
            f"There is no head L{layer} H{head}: there are {stream.layers} layers{which} of {stream.heads}."
        )
    return row * stream.heads + head


def text_of(chosen: Sequence[int], stream: StreamInfo) -> str:
    """The text of a set; empty for none and for all heads."""
    layers, heads = stream.layers, stream.heads
    sorted_cells = sorted(set(chosen))
    if not sorted_cells or len(sorted_cells) == layers * heads:
        return ""
    runs: list[list[int]] = []
    for cell in sorted_cells:
        if runs and cell == runs[-1][1] + 1:
            runs[-1][1] = cell
        else:
            runs.append([cell, cell])
    names = [[f"{stream.number(cell // heads)}.{cell % heads}" for cell in dict.fromkeys(run)] for run in runs]
    plain = "_".join("-".join(run) for run in names)
    raw = bytearray(layers * heads // 8 + 1)
    for cell in sorted_cells:
        raw[cell // 8] |= 1 << cell % 8
    bits = "b" + base64.b64encode(raw.rstrip(b"\0"), altchars=b"-_").decode().rstrip("=")
    return plain if len(plain) <= max(READABLE, len(bits)) else bits
