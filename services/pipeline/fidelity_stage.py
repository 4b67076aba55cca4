"""The stage that measures how far maps can be believed, when they can already be seen."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.alignment import alignments
from services.atlas import HEADS, Atlas, arrays, open_atlas
from services.atlas.schema import StreamInfo
from services.errors import Cancelled
from services.measures.attended import attended_in_atlas
from services.measures.fidelity import MEASURES, READING, fidelities, head_sample
from services.measures.tables import SHARES, SINKS_FILE, SPACES, SPACES_FILE, map_file
from services.numerics.linear import lift
from services.pipeline.journal import Journal
from services.pipeline.parallel import by_layer, forget_layers
from services.pipeline.progress import Progress, layer_counter
from services.pipeline.units import follow
from services.pipeline.workers import Workers

# Fewer points on all maps together than this are measured before a worker process has started.
WORTH_WORKERS = 200_000
_CELL = {"layer": pa.int32(), "head": pa.int32()}


def measure_maps(
    folder: Path,
    stream: StreamInfo,
    journal: Journal,
    progress: Progress,
    workers: Workers,
    *,
    maps_only: bool = False,
) -> None:
    """Write the fidelity of every map of a stream that has none yet.

    maps_only: that of the spaces beneath, and how much one token takes, can wait.
    """
    atlas = open_atlas(folder)
    maps = [p.name for p in atlas.info.projections if p.stream == stream.name]
    maps = [name for name in maps if not journal.has_file(f"{stream.name}/{map_file(name)}")]
    spaces = not maps_only and not all(journal.has_file(f"{stream.name}/{name}") for name in (SPACES_FILE, SINKS_FILE))
    name = "+".join(["fidelity", *maps, *(["spaces"] if spaces else [])])
    forget_layers(folder, stream, "fidelity", journal, keep=name)  # other maps have joined since, or it is done
    if not maps and not spaces:
        return
    points = sum(atlas.points(stream)) * stream.layers * stream.heads * max(len(maps), 1)
    layers = by_layer(
        folder,
        stream,
        name,
        "Measuring the maps",
        fidelity_unit,
        (tuple(maps), spaces),
        journal,
        progress,
        workers,
        alone=points < WORTH_WORKERS,
    )
    heads = [found for layer in layers for found in layer]
    for projection in maps:
        rows = [_row(stream, index, found["maps"][projection], MEASURES) for index, found in enumerate(heads)]
        _write(folder, f"{stream.name}/{map_file(projection)}", rows, _schema(MEASURES), journal)
    if spaces:
        rows = [
            _row(stream, index, found["spaces"][space], READING) | {"space": space}
            for index, found in enumerate(heads)
            for space in SPACES
        ]
        _write(folder, f"{stream.name}/{SPACES_FILE}", rows, _schema(READING, space=pa.string()), journal)
        shares = [_cell(stream, index) | found["shares"] for index, found in enumerate(heads)]
        schema = pa.schema(_CELL | dict.fromkeys(SHARES, pa.float64()))
        _write(folder, f"{stream.name}/{SINKS_FILE}", shares, schema, journal)
    forget_layers(folder, stream, "fidelity", journal)


def fidelity_unit(
    folder: Path,
    stream: StreamInfo,
    layer: int,
    counters: Path,
    builder: int | None,
    maps: Sequence[str],
    spaces: bool,
) -> list[dict[str, Any]]:
    """Every head of a layer: {"maps": {name: {"values", "reasons"}}, "spaces": the same, "shares"}.

    Raises:
        Cancelled: the build was stopped.
    """
    follow(builder)
    count = layer_counter(counters, layer)
    atlas = open_atlas(folder)
    queries, keys = atlas.vectors(stream).layer(layer)
    known = alignments(pq.read_table(folder / HEADS).to_pydict(), stream.name)
    tokens = atlas.stream_tokens(stream)
    found = []
    for head in range(stream.heads):
        alignment = known[layer, head]
        moved = alignment.queries(queries[head]), alignment.keys(keys[head])
        attention = attended_in_atlas(atlas, stream, layer, head)
        sample = head_sample(queries[head], keys[head], *moved, tokens, attended=attention.top if attention else None)
        layouts = {name: _layout(atlas, stream, name, layer, head) for name in maps}
        clouds = {}
        if spaces:
            pairs = {
                "aligned": moved,
                "unaligned": (queries[head], keys[head]),
                "lift": lift(queries[head], keys[head]),
            }
            clouds = {name: np.concatenate(pair) for name, pair in pairs.items()}
        judged = {name: dataclasses.asdict(one) for name, one in fidelities(sample, layouts, clouds).items()}
        found.append(
            {
                "maps": {name: judged[name] for name in maps},
                "spaces": {name: judged[name] for name in clouds},
                "shares": {name: getattr(attention, name, None) for name in SHARES},
            }
        )
        if count(head + 1, stream.heads):
            raise Cancelled("Stopped.")
    return found


def _layout(atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int) -> np.ndarray:
    return np.array(atlas.array(f"{stream.name}/{name}")[layer, head])


def _cell(stream: StreamInfo, index: int) -> dict[str, Any]:
    return {"layer": index // stream.heads, "head": index % stream.heads}


def _row(stream: StreamInfo, index: int, found: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    values = {name: found["values"][name] for name in names}
    reasons = {name: reason for name, reason in found["reasons"].items() if values[name] is None}
    return _cell(stream, index) | values | {"reasons": json.dumps(reasons) if reasons else None}


def _schema(names: Sequence[str], **more: pa.DataType) -> pa.Schema:
    return pa.schema(_CELL | more | dict.fromkeys(names, pa.float64()) | {"reasons": pa.string()})


def _write(folder: Path, name: str, rows: list[dict[str, Any]], schema: pa.Schema, journal: Journal) -> None:
    journal.record_file(name, arrays.write_table(folder / name, pa.Table.from_pylist(rows, schema)))
