"""A probe's tokens put into the maps of an atlas, each method in its own way, and how far off that is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from services.alignment.transform import Alignment, head_alignment, points_of_layer
from services.atlas import Atlas
from services.atlas.layouts import head_frames
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.errors import ProbeError
from services.probe.kept import KeptProbe, error_file, write
from services.projection import LayerPoints, is_method, place
from services.projection.layout import single_threaded_blas
from services.streams import Places, StreamTokens

HELD_OUT = 48  # tokens of the atlas on which the error of a placement is measured
SEED = 20230504

Step = Callable[[int, int], None]  # told before each layer: how many are done, of how many; raises to stop


def place_probe(probe: KeptProbe, projection: ProjectionInfo, step: Step) -> None:
    """Place a probe into all heads of a map, and keep the places.

    Raises:
        ProbeError: the map is of a method that is not known here.
    """
    atlas, stream = probe.atlas, probe.atlas.stream(projection.stream)
    _check(projection)
    tokens = _tokens(probe, stream)
    queries, keys = (probe.array(stream, name).astype(np.float32) for name in ("queries", "keys"))
    layout = atlas.layout(projection)
    found = np.empty((stream.layers, stream.heads, sum(probe.lengths(stream)), projection.dims), np.float32)
    for layer in range(stream.layers):
        step(layer, stream.layers)
        aligned = _alignments(atlas, stream, layer)
        new = points_of_layer(queries[layer], np.repeat(keys[layer], stream.group, axis=0), aligned, tokens)
        found[layer] = _place(_points(atlas, stream, layer, aligned), new, projection, layout[layer])
    write(probe.place_file(projection), found)


def measure_errors(folder: Path, atlas: Atlas, projection: ProjectionInfo, step: Step) -> None:
    """How far off this map's way to place new tokens is: float32 [layers, heads], kept.

    Tokens of a few of the atlas's own inputs are left out and placed as if they were new. The error of a head is the
    median distance from where they lie to where they are placed, divided by the side of the head's frame; NaN where an
    atlas is too small to leave any out.
    """
    _check(projection)
    stream = atlas.stream(projection.stream)
    all_tokens = atlas.stream_tokens(stream)
    out = _held_out(all_tokens, len(atlas.inputs))
    found = np.full((stream.layers, stream.heads), np.nan, np.float32)
    if out is not None:
        mine, other = ([np.isin(side.input, out, invert=turn) for side in (all_tokens.queries, all_tokens.keys)]
                       for turn in (False, True))  # fmt: skip
        layout = atlas.layout(projection)
        sides = 2 * head_frames(atlas, stream.name, projection.name).half.reshape(found.shape)
        for layer in range(stream.layers):
            step(layer, stream.layers)
            points = _points(atlas, stream, layer, _alignments(atlas, stream, layer))
            own = np.asarray(layout[layer])
            placed = _place(_some(points, other), _some(points, mine), projection, own[:, np.concatenate(other)])
            away = np.linalg.norm(placed - own[:, np.concatenate(mine)], axis=-1)
            found[layer] = np.median(away, axis=1) / sides[layer]
    write(error_file(folder, atlas, projection), found)


def _check(projection: ProjectionInfo) -> None:
    if not is_method(projection.method):
        raise ProbeError(f"This program does not know how to place new tokens into the map {projection.method}.")


def _held_out(tokens: StreamTokens, inputs: int) -> np.ndarray | None:
    """Numbers of a few inputs with HELD_OUT queries or so, and never more than a fifth of the inputs."""
    order = np.random.default_rng(SEED).permutation(inputs)
    counts = tokens.queries.counts(inputs)[order]
    enough = int(np.searchsorted(np.cumsum(counts), HELD_OUT)) + 1
    chosen = order[: min(enough, inputs // 5)]
    return chosen if counts[: len(chosen)].any() else None


def _some(points: LayerPoints, rows: list[np.ndarray]) -> LayerPoints:
    queries, keys = rows
    return LayerPoints(
        queries=points.queries[:, queries],
        keys=points.keys[:, keys],
        aligned_queries=points.aligned_queries[:, queries],
        aligned_keys=points.aligned_keys[:, keys],
        tokens=points.tokens.some(queries, keys),
    )


def _place(points: LayerPoints, new: LayerPoints, projection: ProjectionInfo, layout: np.ndarray) -> np.ndarray:
    """float32 [heads, new queries + new keys, dims]."""
    with single_threaded_blas():
        return place(points, new, {projection.ref: layout})[projection.ref]


def _points(atlas: Atlas, stream: StreamInfo, layer: int, aligned: list[Alignment]) -> LayerPoints:
    return points_of_layer(*atlas.vectors(stream).layer(layer), aligned, atlas.stream_tokens(stream))


def _alignments(atlas: Atlas, stream: StreamInfo, layer: int) -> list[Alignment]:
    return [head_alignment(atlas, stream, layer, head) for head in range(stream.heads)]


def _tokens(probe: KeptProbe, stream: StreamInfo) -> StreamTokens:
    def places(table: str) -> Places:
        count, flags = len(probe.tokens(table)["text"]), probe.info["global"][table]
        return Places(np.zeros(count, np.int32), np.arange(count, dtype=np.int32), flags and np.asarray(flags, bool))

    return StreamTokens(stream.mask, *(places(table) for table in stream.tables))
