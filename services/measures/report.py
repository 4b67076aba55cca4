"""What is known of each head and of its maps, gathered from the tables of an atlas: for the matrix and for one head."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from services.alignment.fitting import WITHOUT_TEXT
from services.atlas import HEADS, Atlas, ProjectionRef
from services.atlas.measure_table import MeasureTable, parts_of
from services.atlas.schema import StreamInfo
from services.measures import registry
from services.measures.layer import SPACES
from services.measures.measure import HeadMeasure
from services.measures.names import UNTRAINED, Name, names_of
from services.measures.notes import Note, WorstTenth, head_notes, worst_tenth

JUDGED = ("mixing", "trustworthiness")  # notes are about these, on a map, and about the order that it is made to keep
OF_HEADS = ("query_norm", "key_norm", "sink_share", "first_share", "last_share", "even_share")  # and about these


@dataclass(frozen=True)
class HeadNumber:
    """One measure of one head: its value, or why there is none, and the median of all heads."""

    measure: HeadMeasure
    value: float | None
    reason: str | None
    median: float | None
    beside: Mapping[str, float | None] = field(default_factory=dict)  # services.atlas.measure_table.BESIDE, UNTRAINED


@dataclass(frozen=True)
class HeadReport:
    """One head on one map. A number that the build has not measured (yet) is not there."""

    c: float
    scale: str
    distance: str
    fitted: str  # which tokens centroids and principal axes are of, in words
    of_head: dict[str, HeadNumber]  # by measure
    of_map: dict[str, HeadNumber]
    spaces: dict[str, dict[str, HeadNumber]]  # by services.measures.layer.SPACES, then by measure
    notes: list[Note]
    names: list[Name]


def report_key(atlas: Atlas, stream: StreamInfo) -> str:
    """12 hex digits that change when more of a stream has been measured."""
    names = [HEADS, *parts_of(atlas.info.files, stream)]
    known = sorted((name, atlas.info.files[name].sha256) for name in names)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:12]


def head_report(atlas: Atlas, stream: StreamInfo, layer: int, head: int, projection: str) -> HeadReport:
    """Everything of one head and one of its maps (for example umap2d)."""
    table, cell = atlas.measures(stream), (layer, head)
    spaces = {space: _numbers(table, cell, space) for space in SPACES}
    return HeadReport(
        **_rows(atlas, stream.name)[cell],
        fitted=WITHOUT_TEXT[atlas.info.alignment.without],
        of_head=_numbers(table, cell, None),
        of_map=_numbers(table, cell, projection),
        spaces={space: found for space, found in spaces.items() if found},
        notes=_notes(table, max(atlas.points(stream)), projection, _worst_tenths(table, projection), cell),
        names=names_of(table, *cell),
    )


def _numbers(table: MeasureTable, cell: tuple[int, int], space: str | None) -> dict[str, HeadNumber]:
    found = {}
    for measure in registry.of_space(space):
        values = table.get(measure.name, space)
        if values is not None:
            value, reason, beside = values.of(*cell), values.reasons.get(cell), values.beside_of(*cell)
            if space is None and measure.estimated:
                beside[UNTRAINED] = table.of(measure.name, *cell, UNTRAINED)
            found[measure.name] = HeadNumber(measure, value, reason, values.median, beside)
    return found


def report_payload(atlas: Atlas, stream: StreamInfo) -> dict[str, Any]:
    """All heads of a stream for the browser (docs/payload.md): lists in the order of cells, layer after layer."""
    table, tokens = atlas.measures(stream), max(atlas.points(stream))
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    maps: dict[str, Any] = {}
    for projection in atlas.info.projections:
        found = _lists(table, projection.name) if projection.stream == stream.name else None
        if not found or not found["measures"]:
            continue
        worst = _worst_tenths(table, projection.name)
        said = {cell: _notes(table, tokens, projection.name, worst, cell) for cell in cells}
        notes = {f"{layer}-{head}": [note.text for note in notes] for (layer, head), notes in said.items() if notes}
        maps[projection.name] = {**found, "notes": notes}
    spaces = {space: _lists(table, space) for space in SPACES}
    names = {f"{layer}-{head}": [one.name for one in names_of(table, layer, head)] for layer, head in cells}
    return {
        "heads": _lists(table, None) | {"names": {cell: found for cell, found in names.items() if found}},
        "maps": maps,
        "spaces": {space: found for space, found in spaces.items() if found["measures"]},
    }


def _lists(table: MeasureTable, space: str | None) -> dict[str, Any]:
    """`measures`: by name, a number or null for each head; `reasons`: by head and name, why null.

    `beside`: by name, what stands beside the number: `base`, `low`, `high` and, where the model has been run with
    random weights, `untrained`, each a list as the number.
    """
    measures: dict[str, list[float | None]] = {}
    reasons: dict[str, dict[str, str]] = {}
    beside: dict[str, dict[str, list[float | None]]] = {}
    for measure in registry.of_space(space):
        found = table.get(measure.name, space)
        if found is None:
            continue
        measures[measure.name] = [_short(value) for value in found.values.ravel().tolist()]
        for (layer, head), why in found.reasons.items():
            reasons.setdefault(f"{layer}-{head}", {})[measure.name] = why
        if found.beside and measure.listed:
            beside[measure.name] = {
                name: [_short(value) for value in found.beside[name].ravel().tolist()]
                for name in ("base", "low", "high")
            }
            if (chance := table.get(measure.name, UNTRAINED)) is not None:
                beside[measure.name][UNTRAINED] = [_short(value) for value in chance.values.ravel().tolist()]
    return {"measures": measures, "reasons": reasons} | ({"beside": beside} if beside else {})


def _short(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _notes(
    table: MeasureTable, tokens: int, space: str, worst: Mapping[str, WorstTenth | None], cell: tuple[int, int]
) -> list[Note]:
    numbers = {name: table.of(name, *cell) for name in OF_HEADS}
    numbers |= {name: table.of(name, *cell, space) for name in _judged(space)}
    return head_notes(tokens=tokens, worst=worst, **numbers)


def _judged(space: str) -> tuple[str, ...]:
    preferred = registry.judged_by(ProjectionRef.parse(space).method).name == "preferred_near"
    return (*JUDGED, "preference_order" if preferred else "query_spearman")


def _worst_tenths(table: MeasureTable, space: str) -> dict[str, WorstTenth | None]:
    found = {name: table.get(name, space) for name in _judged(space)}
    return {
        name: worst_tenth(values.values.ravel().tolist(), best=registry.find(name).best or 0.0)
        for name, values in found.items()
        if values is not None
    }


@lru_cache(maxsize=8)
def _rows(atlas: Atlas, stream: str) -> dict[tuple[int, int], dict[str, Any]]:
    """c, scale and distance from `heads.parquet` by (layer, head)."""
    heads, made = atlas.heads, atlas.info.alignment
    count = len(heads["stream"])
    return {
        (heads["layer"][i], heads["head"][i]): {
            "c": heads["c"][i],
            "scale": (heads.get("scale") or [made.scale] * count)[i],
            "distance": (heads.get("distance") or [made.distance] * count)[i],
        }
        for i in range(count)
        if heads["stream"][i] == stream
    }
