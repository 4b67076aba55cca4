"""All heads of one stream against those of another on shared inputs: what changed head by head, and who matches whom.

Divergences are those of `services.measures.likeness`: the mean Jensen–Shannon divergence of two heads' rows, in bits.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.alignment.sharing import Sharing, sharing
from services.atlas import Atlas, arrays
from services.atlas.attention import AttentionBlocks
from services.atlas.schema import StreamInfo
from services.measures.difference import row_divergences, scaled
from services.measures.likeness import CELLS, WORK, Rows, divergences, read_rows, sample_rows
from services.numerics.bootstrap import ratio_interval

VERSION = 2  # counts up when the same attention would give other numbers
CHANGE_CELLS = 65_536  # weights of a head that head by head are looked at
_STEP = 8  # heads matched before it is told
Streams = tuple[Atlas, StreamInfo, Atlas, StreamInfo]


@dataclass(frozen=True, eq=False)
class Change:
    """change, low, high: float64 [heads] of a head and the same head of the other, with its bootstrap interval over
    inputs, NaN where there is none; None where the streams have other shapes or layers

    best, best_bits: the head of the other that attends most like it · taken, taken_bits: its own in the assignment of
    heads to heads that is best as a whole, −1 and NaN for one that is left over · typical: median of all pairs
    None (and NaN) where there are too many pairs of heads
    rows, inputs: that were compared head by head · match_rows: with all others
    """

    change: np.ndarray | None
    low: np.ndarray | None
    high: np.ndarray | None
    best: np.ndarray | None
    best_bits: np.ndarray | None
    taken: np.ndarray | None
    taken_bits: np.ndarray | None
    typical: float
    rows: int
    inputs: int
    match_rows: int


def file_of(streams: Streams, folder: Path) -> Path:
    """Where the numbers are kept once they have been made: named by what they are made from."""
    atlas, stream, other, its = streams
    text = repr((VERSION, atlas.info.key, stream.name, other.info.key, its.name))
    return folder / f"change-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


def make(streams: Streams, told: Callable[[int, int], None] = lambda done, of: None) -> Change:
    """Compare every head with the same head of the other stream, and with all others.

    told: called with (done, of) now and then

    Raises:
        NotStoredError: they share no input, or an atlas keeps no attention.
    """
    atlas, stream, other, its = streams
    found = sharing(*streams)
    blocks = atlas.attention(stream), other.attention(its)
    for one in blocks:
        one.check_kept()
    same_shape = (stream.layers, stream.heads, stream.layer_numbers) == (its.layers, its.heads, its.layer_numbers)
    work = _heads(stream) * _heads(its) * CELLS[0] <= 2 * WORK
    steps = (stream.layers if same_shape else 0) + (-(-_heads(stream) // _STEP) if work else 0)
    rows = sample_rows(blocks[0], CHANGE_CELLS, found.inputs[:, 0].tolist())
    change = low = high = None
    if same_shape:
        change, low, high = head_by_head(blocks, rows, found, lambda done: told(done, steps))
    best = best_bits = taken = taken_bits = None
    typical, match_rows = float("nan"), 0
    if work:
        some = sample_rows(blocks[0], cells_for(_heads(stream), _heads(its)), found.inputs[:, 0].tolist())
        match_rows = some.count
        between = all_with_all(
            blocks, some, found, lambda done: told(steps - -(-_heads(stream) // _STEP) + done, steps)
        )
        best, best_bits, taken, taken_bits = matched(between)
        typical = float(np.median(between))
    return Change(
        change, low, high, best, best_bits, taken, taken_bits, typical, rows.count, len(rows.of_inputs), match_rows
    )


def _heads(stream: StreamInfo) -> int:
    return stream.layers * stream.heads


def cells_for(heads: int, others: int) -> int:
    """Weights of a head to compare all heads with all others by: within WORK."""
    return int(np.clip(WORK / (heads * others), *CELLS))


def head_by_head(
    blocks: tuple[AttentionBlocks, AttentionBlocks], rows: Rows, found: Sharing, told: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean divergence [heads] of each head's rows and the same head's of the other, with the ends of its interval."""
    stream = blocks[0].stream
    partner = dict(found.inputs.tolist())
    sums = np.zeros((len(rows.of_inputs), 1, _heads(stream)))
    for layer in range(stream.layers):
        for number, (index, queries) in enumerate(rows.of_inputs):
            mine = scaled(blocks[0].of_layer(index, layer)[:, queries])
            others = scaled(blocks[1].of_layer(partner[index], layer)[:, queries])
            sums[number, 0, layer * stream.heads : (layer + 1) * stream.heads] = row_divergences(mine, others).sum(
                axis=1
            )
        told(layer + 1)
    counts = np.array([[len(queries)] for _, queries in rows.of_inputs], np.float64)
    low, high = ratio_interval(sums, counts)
    return sums[:, 0].sum(axis=0) / counts.sum(), low[0], high[0]


def all_with_all(
    blocks: tuple[AttentionBlocks, AttentionBlocks], rows: Rows, found: Sharing, told: Callable[[int], None]
) -> np.ndarray:
    """Divergences [heads, other heads]; over all keys of an input where the masks differ."""
    partner = dict(found.inputs.tolist())
    same = Rows(tuple((partner[index], queries) for index, queries in rows.of_inputs), rows.cells)
    pairs = zip(rows.of_inputs, same.of_inputs, strict=True)
    differs = any(not np.array_equal(blocks[0].visible(a)[q], blocks[1].visible(b)[q]) for (a, q), (b, _) in pairs)
    mine = read_rows(blocks[0], rows, hidden_too=differs)
    others = read_rows(blocks[1], same, hidden_too=differs)
    parts = []
    for at in range(0, len(mine), _STEP):
        parts.append(divergences(mine[at : at + _STEP], others, rows.count))
        told(at // _STEP + 1)
    return np.concatenate(parts)


def matched(between: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each head the nearest other and its own in the best assignment (Crouse 2016): see `Change`.

    between: divergences [heads, others]
    """
    from scipy.optimize import linear_sum_assignment

    every = np.arange(len(between))
    best = between.argmin(axis=1)
    taken, taken_bits = np.full(len(between), -1), np.full(len(between), np.nan)
    rows, columns = linear_sum_assignment(between)
    taken[rows], taken_bits[rows] = columns, between[rows, columns]
    return best, between[every, best], taken, taken_bits


_FACTS = ("typical", "rows", "inputs", "match_rows")
_ARRAYS = ("change", "low", "high", "best", "best_bits", "taken", "taken_bits")


def write(path: Path, made: Change) -> None:
    """Keep the numbers; see `file_of`.

    Raises:
        BuildError: the disk cannot hold them.
    """
    buffer = io.BytesIO()
    found = {name: values for name in _ARRAYS if (values := getattr(made, name)) is not None}
    np.savez(buffer, facts=np.array([getattr(made, name) for name in _FACTS], np.float64), **found)
    arrays.write_bytes(path, buffer.getvalue())


def read(path: Path) -> Change:
    """
    Raises:
        KeyError: they have not been made yet, or cannot be read: then the file is removed, and made anew when wanted.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            typical, *counts = kept["facts"].tolist()
            found = {name: kept.get(name) for name in _ARRAYS}
    except FileNotFoundError as error:
        raise KeyError(path.name) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        with suppress(OSError):
            path.unlink()
        raise KeyError(path.name) from error
    return Change(**found, typical=typical, rows=int(counts[0]), inputs=int(counts[1]), match_rows=int(counts[2]))
