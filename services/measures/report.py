"""What is known of each head and of its maps, gathered from the tables of an atlas: for the matrix and for one head."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from services.atlas import HEADS, Atlas
from services.atlas.schema import StreamInfo
from services.measures.fidelity import Fidelity
from services.measures.notes import Note, Usual, head_notes, usual
from services.measures.registry import BY_NAME
from services.measures.tables import SINKS_FILE, SPACES, SUFFIX, FidelityTable, map_fidelity, sinks, space_fidelity

JUDGED = ("mixing", "query_spearman", "trustworthiness")  # notes are about these


@dataclass(frozen=True)
class HeadReport:
    """One head on one map. `fidelity`, `usual` and the spaces are None until the build has measured them."""

    c: float
    scale: str
    distance: str
    query_norm: float | None
    key_norm: float | None
    fidelity: Fidelity | None
    medians: dict[str, float | None]  # of all heads on this map
    spaces: dict[str, Fidelity]  # by services.measures.tables.SPACES
    shares: dict[str, float | None]
    notes: list[Note]


def report_key(atlas: Atlas, stream: StreamInfo) -> str:
    """12 hex digits that change when more of a stream has been measured."""
    names = {f"{stream.name}/{SINKS_FILE}", HEADS}
    known = sorted(
        (name, file.sha256)
        for name, file in atlas.info.files.items()
        if name in names or (name.startswith(f"{stream.name}/") and name.endswith(SUFFIX))
    )
    return hashlib.sha256(repr(known).encode()).hexdigest()[:12]


def head_report(atlas: Atlas, stream: StreamInfo, layer: int, head: int, projection: str) -> HeadReport:
    """Everything of one head and one of its maps (for example umap2d)."""
    row = _rows(atlas, stream)[layer, head]
    table = map_fidelity(atlas, stream, projection)
    spaces = {name: found.of(layer, head) for name in SPACES if (found := space_fidelity(atlas, stream, name))}
    shares = (sinks(atlas, stream) or {}).get((layer, head), {})
    return HeadReport(
        **row,
        fidelity=table.of(layer, head) if table else None,
        medians={name: _median(values) for name, values in table.values.items()} if table else {},
        spaces=spaces,
        shares=shares,
        notes=_notes(
            max(atlas.points(stream)),
            table.of(layer, head).values if table else {},
            _usual(table) if table else {},
            row,
            shares,
        ),
    )


def report_payload(atlas: Atlas, stream: StreamInfo) -> dict[str, Any]:
    """All heads of a stream for the browser (docs/payload.md): lists in the order of cells, layer after layer."""
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    rows, taken = _rows(atlas, stream), sinks(atlas, stream) or {}
    tokens = max(atlas.points(stream))
    maps: dict[str, Any] = {}
    for projection in atlas.info.projections:
        table = map_fidelity(atlas, stream, projection.name) if projection.stream == stream.name else None
        if table is None:
            continue
        common = _usual(table)
        found = {
            cell: _notes(tokens, table.of(*cell).values, common, rows[cell], taken.get(cell, {})) for cell in cells
        }
        notes = {f"{layer}-{head}": [note.text for note in said] for (layer, head), said in found.items() if said}
        reasons = {f"{layer}-{head}": why for (layer, head), why in table.reasons.items()}
        maps[projection.name] = {"measures": _lists(table), "reasons": reasons, "notes": notes}
    spaces = {name: _lists(space) for name in SPACES if (space := space_fidelity(atlas, stream, name))}
    norms = {name: [_short(rows[cell][name]) for cell in cells] for name in ("c", "query_norm", "key_norm")}
    return {**norms, "maps": maps, "spaces": spaces}


def _lists(table: FidelityTable) -> dict[str, list[float | None]]:
    return {name: [_short(value) for value in values.ravel().tolist()] for name, values in table.values.items()}


def _short(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 4)


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def _notes(
    tokens: int,
    values: dict[str, float | None],
    common: dict[str, Usual | None],
    row: dict[str, Any],
    shares: dict[str, float | None],
) -> list[Note]:
    return head_notes(
        tokens=tokens,
        query_norm=row["query_norm"],
        key_norm=row["key_norm"],
        usual=common,
        **{name: values.get(name) for name in JUDGED},
        **shares,
    )


def _usual(table: FidelityTable) -> dict[str, Usual | None]:
    found = {name: values.ravel().tolist() for name, values in table.values.items() if name in JUDGED}
    return {name: usual(values, best=BY_NAME[name].best) for name, values in found.items()}


def _rows(atlas: Atlas, stream: StreamInfo) -> dict[tuple[int, int], dict[str, Any]]:
    return _head_rows(atlas, stream.name)


@lru_cache(maxsize=8)
def _head_rows(atlas: Atlas, stream: str) -> dict[tuple[int, int], dict[str, Any]]:
    """Columns of `heads.parquet` by (layer, head); those that an older atlas lacks are filled in."""
    heads = atlas.heads
    count = len(heads["stream"])
    made, empty = atlas.info.alignment, [None] * count
    return {
        (heads["layer"][i], heads["head"][i]): {
            "c": heads["c"][i],
            "scale": (heads.get("scale") or [made.scale] * count)[i],
            "distance": (heads.get("distance") or [made.distance] * count)[i],
            "query_norm": (heads.get("median_query_norm") or empty)[i],
            "key_norm": (heads.get("median_key_norm") or empty)[i],
        }
        for i in range(count)
        if heads["stream"][i] == stream
    }
