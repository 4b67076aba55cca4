"""What the page Compare reads of two heads: what they share, how well their maps fit, and where their points lie."""

from typing import Any

import numpy as np
import pyarrow as pa

from services.alignment.sharing import Sharing
from services.alignment.side_by_side import Pane, SideBySide
from services.atlas.layouts import draw_order, quantise
from services.atlas.schema import StreamInfo
from services.attributes.attribute import SIDE_STEPS, Scale
from services.errors import NotStoredError
from services.measures.change import Change
from services.measures.difference import Difference

MOST_ROWS = 100  # of the ranked table; the file has all
_HIGH = 0.99  # of the values lie below the upper end of a colouring
KINDS = ("moved", "attended")


def shared(found: Sharing) -> dict[str, Any]:
    """inputs: pairs of rows, null where every input is shared under the same number; counts of what is not shared."""
    return {
        "inputs": None if found.same else found.inputs.tolist(),
        "count": len(found.inputs),
        "points": len(found.points),
        "otherwise": found.otherwise,
        "only": list(found.only),
    }


def fitted(pair: SideBySide) -> dict[str, Any]:
    """How well the second map lies on the first."""
    return {"disparity": round(pair.fit.disparity, 6), "scale": round(pair.fit.scale, 6), "points": pair.fit.points}


def positions(pair: SideBySide, second: bool, whole: bool, held: bool = False) -> bytes:
    """uint16 [points, dims] of one of the heads, in slot order, in the frame of both; held: of the first alone."""
    layout = (pair.second if second else pair.first)[None]
    return quantise(layout[:, draw_order(layout.shape[1])], pair.frame(whole, held)).tobytes()


def _rows(found: Difference, first: Pane, second: Pane) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each shared point: whether it is a key, its row in the first pane's table and in the second's."""
    queries = np.array([pane.atlas.points(pane.stream)[0] for pane in (first, second)])
    key = found.points_are_keys
    return key, *(found.sharing.points - np.where(key[:, None], queries[None], 0)).T


def ranked(found: Difference, first: Pane, second: Pane, order: str) -> dict[str, Any]:
    """The points that differ most by one of `KINDS`, the most first.

    rows: side, row and row2 (in either pane's table), text, input and position in the first, moved (sizes of the map)
    and attended (bits), null where there is none · why: of a column without numbers

    Raises:
        NotStoredError: what they are to be ordered by is not known; it says why.
    """
    values = found.of(order)
    key, row, row2 = _rows(found, first, second)
    known = np.flatnonzero(np.isfinite(values))
    best = known[np.argsort(-values[known], kind="stable")[:MOST_ROWS]]
    tables = [first.atlas.tokens(table) for table in first.stream.tables]
    rows = []
    for point in best.tolist():
        table, at = tables[int(key[point])], int(row[point])
        rows.append(
            {
                "side": "key" if key[point] else "query",
                "row": at,
                "row2": int(row2[point]),
                "text": table.text[at],
                "input": int(table.input[at]),
                "position": int(table.position[at]),
            }
            | {kind: _number(getattr(found, kind), point) for kind in KINDS}
        )
    return {
        "rows": rows,
        "of": len(known),
        "mean": {kind: _mean(getattr(found, kind)) for kind in KINDS},
        "why": {"moved": found.why_not_moved, "attended": found.why_not_attended},
    }


def _number(values: np.ndarray | None, point: int) -> float | None:
    return None if values is None or not np.isfinite(values[point]) else round(float(values[point]), 5)


def _mean(values: np.ndarray | None) -> float | None:
    """None where there is no value at all."""
    known = np.zeros(0) if values is None else values[np.isfinite(values)]
    return round(float(known.mean()), 5) if len(known) else None


def table(found: Difference, first: Pane, second: Pane) -> pa.Table:
    """Every shared point with its numbers."""
    key, row, row2 = _rows(found, first, second)
    tables = [first.atlas.tokens(name) for name in first.stream.tables]
    of_side = [(tables[int(one)], int(at)) for one, at in zip(key, row, strict=True)]
    nothing = np.full(len(row), np.nan)
    numbers = {kind: nothing if (v := getattr(found, kind)) is None else np.round(v, 6) for kind in KINDS}
    return pa.table(
        {
            "side": pa.array(["key" if one else "query" for one in key]),
            "token": pa.array([table.text[at] for table, at in of_side], pa.string()),
            "input": pa.array([int(table.input[at]) for table, at in of_side], pa.int32()),
            "position": pa.array([int(table.position[at]) for table, at in of_side], pa.int32()),
            "row_first": pa.array(row.astype(np.int32)),
            "row_second": pa.array(row2.astype(np.int32)),
            "moved": pa.array(numbers["moved"], from_pandas=True),
            "attended_bits": pa.array(numbers["attended"], from_pandas=True),
        }
    )


def scale(found: Difference, kind: str) -> Scale:
    """What the ends of a colouring by one of `KINDS` stand for: from nothing to what few points are beyond.

    Raises:
        NotStoredError: it is not known; it says why.
    """
    values = found.of(kind)
    known = values[np.isfinite(values)]
    if not len(known):
        raise NotStoredError("No query of these heads has two keys to choose between.")
    return Scale(0.0, max(float(np.quantile(known, _HIGH)), 1e-9))


def steps(found: Difference, kind: str, pane: Pane, second: bool) -> bytes:
    """uint8 [points] of a pane: palette entries, the first of each side where there is no value."""
    values, high = found.of(kind), scale(found, kind).high
    queries, keys = pane.atlas.points(pane.stream)
    placed = np.full(queries + keys, np.nan)
    placed[found.sharing.points[:, int(second)]] = values
    known = np.isfinite(placed)
    entries = np.zeros(len(placed), np.uint8)
    entries[known] = 1 + np.rint(np.clip(placed[known] / high, 0, 1) * (SIDE_STEPS - 2)).astype(np.uint8)
    entries[queries:] += SIDE_STEPS
    return entries.tobytes()


def changes(found: Change, stream: StreamInfo, its: StreamInfo) -> dict[str, Any]:
    """All heads of two streams: lists in the order of cells, layer after layer, null where there is no number.

    change, low, high: null for streams of other shapes · best, taken: cells of the other stream, null and −1 for none
    """
    lists = {
        name: None if (values := getattr(found, name)) is None else _list(values)
        for name in ("change", "low", "high", "best", "best_bits", "taken", "taken_bits")
    }
    shapes = [{"layers": one.layers, "heads": one.heads, "numbers": list(one.layer_numbers)} for one in (stream, its)]
    typical = round(found.typical, 5) if np.isfinite(found.typical) else None
    counts = {"rows": found.rows, "inputs": found.inputs, "matchRows": found.match_rows}
    return {"shapes": shapes, "typical": typical, **counts, **lists}


def _list(values: np.ndarray) -> list[float | int | None]:
    return [round(value, 5) if np.isfinite(value) else None for value in values.tolist()]
