"""What the page Heads reads: every measure of every head, the map of heads, and heads like one."""

import math
from typing import Any

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.measures import family_names, head_map, registry
from services.measures.likeness import like
from services.measures.measure import HeadMeasure, described


def measures(atlas: Atlas, stream: StreamInfo, space: str | None) -> dict[str, Any]:
    """All numbers of the heads themselves and on one map, in the order of cells, layer after layer.

    measures: what each is, in the registry's order · values: by measure, a number or null for each head
    reasons: by measure and reason, the cells that have no number
    """
    table = atlas.measures(stream)
    found, values, reasons = [], {}, {}
    for measure, where in _wanted(space, atlas.info.modality):
        known = table.get(measure.name, where)
        if known is None:
            continue
        found.append(described(measure) | _words(measure))
        short = np.round(known.values.ravel(), 4)
        values[measure.name] = [value if math.isfinite(value) else None for value in short.tolist()]
        why: dict[str, list[int]] = {}
        for (layer, head), reason in known.reasons.items():
            why.setdefault(reason, []).append(layer * stream.heads + head)
        if why:
            reasons[measure.name] = why
    return {"layers": stream.layers, "heads": stream.heads, "measures": found, "values": values, "reasons": reasons}


def _wanted(space: str | None, modality: str) -> list[tuple[HeadMeasure, str | None]]:
    of_heads = [(measure, None) for measure in registry.of_space(None, modality)]
    of_map = [(measure, space) for measure in registry.of_space(space, modality)] if space else []
    return [*of_heads, *of_map]


def _words(measure: HeadMeasure) -> dict[str, Any]:
    return {"sentence": measure.sentence, "group": measure.group, "listed": measure.listed}


def placed(atlas: Atlas, stream: StreamInfo, made: head_map.HeadMap, families: int) -> dict[str, Any]:
    """The map of heads and its families, named by what their members share; of another number than there is: the most.

    place: x and y of each head · family: of each head, -1 where none are told apart · names, reasons: of each family
    """
    cut = max(0, min(families, len(made.cuts) + 1) - 2)
    family = made.cuts[cut] if len(made.cuts) else np.full(len(made.places), -1)
    table = atlas.measures(stream)
    known = {measure.name: measure for measure in registry.listed(atlas.info.modality) if measure.scope == "head"}
    values = {name: found.values.ravel() for name in known if (found := table.get(name)) is not None}
    shared = [family_names.shared(values, family == number) for number in range(int(family.max(initial=-1)) + 1)]
    return {
        "x": _short(made.places[:, 0]),
        "y": _short(made.places[:, 1]),
        "shown": round(made.shown, 3),
        "rows": made.rows,
        "inputs": made.inputs,
        "landmarks": made.landmarks,
        "most": len(made.cuts) + 1 if len(made.cuts) else 0,
        "family": family.tolist(),
        "silhouette": round(float(made.silhouettes[cut]), 3) if len(made.cuts) else None,
        "names": [_name(one, known, int((family == number).sum())) for number, one in enumerate(shared)],
        "reasons": [family_names.reason(one, known) for one in shared],
    }


def _name(shared: list[family_names.Shared], known: dict[str, HeadMeasure], members: int) -> str:
    if members < family_names.FEWEST:
        return "Alone" if members == 1 else "Too few for a name"
    return family_names.name(shared, known) or "Nothing measured sets them apart"


def likes(
    atlas: Atlas, stream: StreamInfo, place: tuple[int, int], other: tuple[Atlas, StreamInfo] | None
) -> dict[str, Any]:
    """Every head by how differently it attends from one: `services.measures.likeness.like`."""
    there, its = other or (atlas, stream)
    found = like(atlas, stream, *place, other)
    return {
        "atlas": there.slug,
        "title": there.info.title,
        "stream": its.name,
        "layers": its.layers,
        "heads": its.heads,
        **({"numbers": list(its.layer_numbers)} if its.layer_numbers else {}),
        "divergence": _short(found.divergence),
        "rows": found.rows,
        "inputs": found.inputs,
    }


def _short(values: np.ndarray) -> list[float]:
    return [round(value, 5) for value in values.tolist()]
