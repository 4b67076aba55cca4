"""The stage that measures heads and their maps, when they can already be seen."""

import math
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from services.atlas import arrays, open_atlas
from services.atlas.measure_table import MeasureTable, Row, part_file, read_table, table_of
from services.atlas.schema import StreamInfo
from services.errors import Cancelled
from services.measures import registry
from services.measures.estimate import Estimate
from services.measures.layer import SPACES, Layer
from services.measures.measure import HeadMeasure
from services.pipeline.journal import Journal
from services.pipeline.parallel import by_layer, forget_layers
from services.pipeline.progress import Progress, layer_counter
from services.pipeline.units import follow
from services.pipeline.workers import Workers

# Fewer points on all maps together than this are measured before a worker process has started.
WORTH_WORKERS = 200_000

Wanted = list[tuple[str, str | None]]  # measure and space, see services.atlas.measure_table


def measure_heads(folder: Path, stream: StreamInfo, journal: Journal, progress: Progress, workers: Workers) -> None:
    """Measure what there is to know of heads themselves, whatever their maps."""
    _measure(folder, stream, "measure-heads", [None], "Measuring heads", journal, progress, workers)


def measure_maps(
    folder: Path,
    stream: StreamInfo,
    journal: Journal,
    progress: Progress,
    workers: Workers,
    *,
    maps_only: bool = False,
) -> None:
    """Measure every map of a stream that is there.

    maps_only: the spaces beneath can wait.
    """
    maps = [p.name for p in open_atlas(folder).info.projections if p.stream == stream.name]
    spaces = [*maps, *(() if maps_only else SPACES)]
    _measure(folder, stream, "measure-maps", spaces, "Measuring the maps", journal, progress, workers)


def _measure(
    folder: Path,
    stream: StreamInfo,
    stage: str,
    spaces: Iterable[str | None],
    label: str,
    journal: Journal,
    progress: Progress,
    workers: Workers,
) -> None:
    """Add all numbers to the table that belong to these maps and spaces (None: to heads) and are not there yet."""
    wanted = _missing(folder, stream, spaces, journal)
    name = f"{stage}-{sha256(repr(wanted).encode()).hexdigest()[:8]}"
    forget_layers(folder, stream, stage, journal, keep=name)  # other maps have joined since, or it is done
    if not wanted:
        return
    atlas = open_atlas(folder)
    maps = {space for _, space in wanted if space is not None}
    points = sum(atlas.points(stream)) * stream.layers * stream.heads * max(len(maps), 1)
    layers = by_layer(
        folder,
        stream,
        name,
        label,
        measure_unit,
        (wanted,),
        journal,
        progress,
        workers,
        stage=stage,
        alone=points < WORTH_WORKERS,
    )
    rows = [Row(measure, space, layer, *rest) for layer, found in enumerate(layers) for measure, space, *rest in found]
    for space in dict.fromkeys(space for _, space in wanted):
        part = _free_part(stream, space or "heads", journal)
        table = table_of(row for row in rows if row.space == space)
        journal.record_file(part, arrays.write_table(folder / part, table))
    forget_layers(folder, stream, stage, journal)


def _missing(folder: Path, stream: StreamInfo, spaces: Iterable[str | None], journal: Journal) -> Wanted:
    table = read_table(folder, stream, journal.files)
    modality = open_atlas(folder).info.modality
    return [
        (measure.name, space)
        for space in spaces
        for measure in registry.of_space(space, modality)
        if measure.compute is not None and not _known(table, measure, space)
    ]


def _known(table: MeasureTable, measure: HeadMeasure, space: str | None) -> bool:
    """Whether it was measured, by a program that also kept what must stand beside it."""
    found = table.get(measure.name, space)
    return found is not None and bool(found.beside or not measure.estimated or not np.isfinite(found.values).any())


def _free_part(stream: StreamInfo, name: str, journal: Journal) -> str:
    """File of a part of the table that is not there yet: a later program measures more of the same map."""
    part, number = part_file(stream, name), 1
    while journal.has_file(part):
        number += 1
        part = part_file(stream, f"{name}-{number}")
    return part


def measure_unit(
    folder: Path, stream: StreamInfo, layer: int, counters: Path, builder: int | None, wanted: Wanted
) -> list[list[Any]]:
    """The wanted numbers of every head of a layer: [measure, space, head, value, reason] each.

    Raises:
        Cancelled: the build was stopped.
    """
    follow(builder)
    count, done = layer_counter(counters, layer), 0

    def finished(heads: int) -> None:
        nonlocal done
        done = max(done, heads)
        if count(done, stream.heads):
            raise Cancelled("Stopped.")

    spaces = [space for space in dict.fromkeys(space for _, space in wanted) if space is not None]
    known = Layer(open_atlas(folder), stream, layer, spaces, finished)
    rows: list[list[Any]] = []
    for name, space in wanted:
        compute = registry.find(name).compute
        assert compute is not None
        found = compute(known.on(space))
        rows += [[name, space, head, *_number(value)] for head, value in enumerate(found)]
        finished(0)
    finished(stream.heads)
    return rows


def _number(value: float | str | Estimate) -> tuple[Any, ...]:
    """A value, or None and why there is none; then what stands beside it."""
    if isinstance(value, str):
        return None, value
    if isinstance(value, Estimate):
        return value.value, None, value.base, value.low, value.high, value.count
    return (float(value), None) if math.isfinite(value) else (None, "not a finite number")
