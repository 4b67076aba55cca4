"""The stages after capture: alignment of each head, PCA, and every other projection layer by layer."""

from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.alignment import align
from services.alignment.fitting import fitted_points, fitted_tokens
from services.alignment.scale_metrics import norm_ratio
from services.alignment.study import measure_name
from services.atlas import HEADS, ProjectionRef, arrays
from services.atlas.layouts import frames
from services.atlas.measure_table import HeadValues, read_table
from services.atlas.overview import densities, thumbnail_side
from services.atlas.schema import AlignmentInfo, FileInfo, ProjectionInfo, Scale, StreamInfo
from services.atlas.vectors import stored_vectors
from services.errors import BuildError
from services.models.device import device_name
from services.pipeline.journal import Journal
from services.pipeline.parallel import counted, told
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.pipeline.units import layer_points, layout_unit, stored_tokens
from services.pipeline.workers import Workers
from services.projection import START, align_axes, method_label, method_of, pca_layer, start_map

BY_STUDY = ("weighted", "scaled", "pearson")  # these scales come from the scaling study


def write_heads(
    work: Path, streams: Sequence[StreamInfo], made: AlignmentInfo, journal: Journal, progress: Progress
) -> None:
    """`heads.parquet`: how each head is aligned."""
    if journal.has_file(HEADS):
        return
    rows: list[dict] = []
    progress.stage("align", "Aligning queries and keys", sum(stream.layers for stream in streams))
    layers = 0
    for stream in streams:
        studied = _studied(work, stream, made.scale, journal)
        tokens = stored_tokens(work, stream)
        for layer in range(stream.layers):
            queries, keys = stored_vectors(work, stream).layer(layer)
            for head in range(stream.heads):
                best = studied.of(layer, head) if studied else None
                c, scale = _scale(best, made.scale, queries[head], keys[head])
                fitted = fitted_tokens(queries[head], keys[head], tokens, made.without)
                _, _, alignment = align(queries[head], keys[head], c, made.distance, fitted)
                rows.append(
                    {
                        "stream": stream.name,
                        "layer": layer,
                        "head": head,
                        "c": alignment.c,
                        "scale": scale,
                        "distance": alignment.distance,
                        "translation": alignment.translation.tolist(),
                    }
                )
            layers += 1
            progress.update(layers)
    journal.record_file(HEADS, arrays.write_table(work / HEADS, pa.Table.from_pylist(rows)))


def _studied(work: Path, stream: StreamInfo, scale: Scale, journal: Journal) -> HeadValues | None:
    """The best c of each head by a metric of the scaling study."""
    return read_table(work, stream, journal.files).get(measure_name(scale)) if scale in BY_STUDY else None


def _scale(studied: float | None, scale: Scale, queries: np.ndarray, keys: np.ndarray) -> tuple[float, Scale]:
    """c of one head and the metric it comes from: the ratio of norms, or else 1, where a metric is not defined."""
    if studied is not None:
        return studied, scale
    norms = None if scale == "none" else norm_ratio(queries, keys)
    return (1.0, "none") if norms is None else (norms, "norms")


def lay_out_pca(
    folder: Path, stream: StreamInfo, dims: int, request: BuildRequest, journal: Journal, progress: Progress
) -> None:
    """PCA of all heads at once, their axes made consistent."""
    wanted = start_map(dims)
    name = wanted.file(stream.name)
    if journal.has_file(name):
        return
    points = _points(folder, stream)
    array = arrays.create(folder / name, (stream.layers, stream.heads, points, dims), "float32")
    progress.stage(wanted.name, f"{START.label} {dims}D", stream.layers)
    without = AlignmentInfo.model_validate(journal.facts.get("alignment", {})).without
    fitted = None if without == "nothing" else np.ones((stream.layers, stream.heads, points), bool)
    for layer in range(stream.layers):
        of_layer = layer_points(folder, stream, layer)
        if fitted is not None:
            fitted[layer] = fitted_points(of_layer, without)
        array[layer] = pca_layer(of_layer, dims, fitted=None if fitted is None else fitted[layer])
        progress.update(layer + 1)
    align_axes(array, fitted)
    array.flush()
    info = arrays.publish(folder / name)
    _keep_thumbnails(folder, stream, wanted, journal)
    _record(journal, stream, wanted, request, points, info)


def missing_layouts(stream: StreamInfo, request: BuildRequest, journal: Journal) -> list[ProjectionRef]:
    """What was asked for and is not finished."""
    return [wanted for wanted in request.layouts(stream) if not journal.has_file(wanted.file(stream.name))]


def lay_out(
    folder: Path,
    stream: StreamInfo,
    layouts: Sequence[ProjectionRef],
    request: BuildRequest,
    journal: Journal,
    progress: Progress,
    workers: Workers,
) -> None:
    """Lay out all heads by several methods at once, a layer a unit of work, and publish the finished arrays.

    Raises:
        BuildError: the disk is full, or a worker process was killed.
        Cancelled: the build was stopped; finished layers are kept.
    """
    points = _points(folder, stream)
    done = _begin(folder, stream, layouts, request, journal, points)
    missing = {layer: [w for w in layouts if layer not in done[w]] for layer in range(stream.layers)}
    todo = {layer: wanted for layer, wanted in missing.items() if wanted}
    label = ", ".join(dict.fromkeys(method_label(wanted.method) for wanted in layouts))
    progress.stage("+".join(wanted.name for wanted in layouts), label, stream.layers * stream.heads)
    finished = {layer for layer in missing if layer not in todo}
    with counted(folder, stream, finished, progress) as counters, told(progress):
        units = (
            joblib.delayed(layout_unit)(
                folder,
                stream,
                layer,
                wanted,
                request.seed,
                request.engine,
                counters.path,
                workers.builder,
                workers.device,
            )
            for layer, wanted in todo.items()
        )
        with workers.results(units, request.engine) as results:
            for layer, notes in results:
                journal.note(f"L{stream.number(layer)} {note}" for note in notes)
                for wanted in todo[layer]:
                    done[wanted].add(layer)
                    journal.record(_unit_stage(stream, wanted, request), done[wanted])
                progress.note(f"{label}: layer {stream.number(layer)} is laid out")
                progress.check()
    device = device_name(workers.device) if request.engine == "torch" and not workers.dask else ""
    for wanted in layouts:
        info = arrays.publish(folder / wanted.file(stream.name))
        _keep_thumbnails(folder, stream, wanted, journal)
        _record(journal, stream, wanted, request, points, info, device)
        journal.forget(f"{_unit_stage(stream, wanted)}:")
    progress.end_stage()


def _begin(
    folder: Path,
    stream: StreamInfo,
    layouts: Sequence[ProjectionRef],
    request: BuildRequest,
    journal: Journal,
    points: int,
) -> dict[ProjectionRef, set[int]]:
    """Open or reserve the array of each layout; returns the layers that an earlier run has finished."""
    done: dict[ProjectionRef, set[int]] = {}
    created: list[Path] = []
    for wanted in layouts:
        path = folder / wanted.file(stream.name)
        shape = (stream.layers, stream.heads, points, wanted.dims)
        stage = _unit_stage(stream, wanted, request)
        # layers of another seed or engine would be overwritten one by one: they no longer count
        journal.forget(f"{_unit_stage(stream, wanted)}:", keep=stage)
        if arrays.resume(path, shape, "float32") is None:
            journal.forget(stage)
            try:
                arrays.create(path, shape, "float32")
            except BuildError:
                for earlier in created:
                    arrays.part_of(earlier).unlink(missing_ok=True)
                raise
            created.append(path)
        done[wanted] = journal.done(stage)
    return done


def _unit_stage(stream: StreamInfo, wanted: ProjectionRef, request: BuildRequest | None = None) -> str:
    """Under which name the journal counts the finished layers of a layout."""
    name = f"{stream.name}/{wanted.name}"
    return f"{name}:{request.engine}:{request.seed}" if request else name


def _points(folder: Path, stream: StreamInfo) -> int:
    """Queries and keys together."""
    return sum(
        pq.read_metadata(folder / f"{table}.parquet").num_rows for table in (stream.query_table, stream.key_table)
    )


def _keep_thumbnails(folder: Path, stream: StreamInfo, wanted: ProjectionRef, journal: Journal) -> None:
    """Of a map of very many heads, before the map itself is noted: it is never without them."""
    side = thumbnail_side(stream.layers * stream.heads, _points(folder, stream))
    if side is None or wanted.dims != 2:
        return
    layout = arrays.read(folder / wanted.file(stream.name))
    queries = pq.read_metadata(folder / f"{stream.query_table}.parquet").num_rows
    name = wanted.density_file(stream.name)
    made = arrays.create(folder / name, (stream.layers, stream.heads, side, side), "uint8")
    for layer in range(stream.layers):
        made[layer] = densities(layout[layer], queries, frames(layout[layer]), side)
    made.flush()
    journal.record_file(name, arrays.publish(folder / name))


def _record(
    journal: Journal,
    stream: StreamInfo,
    wanted: ProjectionRef,
    request: BuildRequest,
    points: int,
    info: FileInfo,
    device: str = "",
) -> None:
    projection = ProjectionInfo(
        method=wanted.method,
        dims=wanted.dims,
        stream=stream.name,
        seed=request.seed,
        parameters=method_of(wanted.method).parameters(wanted.dims, request.engine, points),
        device=device,
        sha256=info.sha256,
    )
    journal.record_layout(wanted.file(stream.name), info, projection.model_dump(mode="json"))
