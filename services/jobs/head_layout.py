"""Lays out one head: imported by the layout process alone, for it loads compiled kernels."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from services.alignment.head_maps import start_layout
from services.alignment.live import LiveAlignment, head_vectors, live_head
from services.alignment.variants import write_array
from services.atlas import ProjectionRef, open_atlas
from services.errors import BuildError, Cancelled
from services.jobs.layouts import LayoutArguments
from services.jobs.running import Running
from services.projection import method_of, start_map
from services.projection.layout import HeadLayouts, single_threaded_blas
from services.projection.points import Head, LayerPoints
from services.projection.watch import Watch
from services.streams import StreamTokens

MOST_KEPT = 2000  # layouts of single heads that stay in the cache


class Steps(Watch):
    """Counts the steps of one layout instead of heads; raises Cancelled when told to stop."""

    def __init__(self, told: Callable[[int], bool]) -> None:
        super().__init__(None, 1)
        self._told = told
        self._steps = 0

    def restart(self) -> None:
        self._steps = 0

    def check(self) -> None:
        self._steps += 1
        if self._told(self._steps):
            raise Cancelled("the layout was stopped")

    def head_done(self) -> None:
        pass


def make_layout(task: LayoutArguments, running: Running) -> None:
    """Write the layout's file, unless it is there.

    Raises:
        Cancelled: it was told to stop.
        AtlasError: the atlas cannot be read, or has no such head.
    """
    out = Path(task.out)
    if out.is_file():
        return
    try:
        layout = lay_out_head(task, running)
    except (ValueError, KeyError, IndexError) as error:
        raise BuildError(str(error) or type(error).__name__) from error
    write_array(out, layout)
    prune(out.parent)


def lay_out_head(task: LayoutArguments, running: Running) -> np.ndarray:
    """One head under one alignment: float32 [points, dims].

    Starts from the atlas's own map of the head, or from PCA of the vectors as aligned now (`start`: "aligned").

    Raises:
        Cancelled: it was told to stop.
    """
    atlas = open_atlas(Path(task.atlas))
    stream = atlas.stream(task.stream)
    layer, head, alignment = task.layer, task.head, LiveAlignment.parse(task.alignment)
    wanted = ProjectionRef(task.method, task.dims)
    live = live_head(atlas, stream, layer, head)
    begin = wanted if task.start == "own" else start_map(wanted.dims)
    own = start_layout(atlas, stream, layer, head, begin)
    start = live.pca(alignment, wanted.dims, own) if own is None or task.start == "aligned" else own
    method = method_of(wanted.method)
    last = [0.0]
    phase: list[Any] = ["Finding neighbours", 0.0]

    def told(steps: int) -> bool:
        if time.monotonic() - last[0] > 0.1:
            last[0] = time.monotonic()
            share = phase[1] and min(1.0, phase[1] + 0.75 * steps / max(method.iterations(len(start)), 1))
            running.report(phase[0], round(1000 * share), 1000)
        return running.stopping

    watch = Steps(told)
    notes: list[str] = []
    raw = head_vectors(atlas, stream, layer, head)
    points = _points(live.vectors(alignment), raw, atlas.stream_tokens(stream))
    layouts = HeadLayouts(Head(points, 0, notes.append), {wanted.dims: start[None]}, 0, "fast", watch)
    with single_threaded_blas():
        if method.needs == "vectors" and layouts.plain(wanted) is None:
            layouts.neighbors  # noqa: B018  (found here, so that its steps are not counted as the layout's)
        phase[:] = ["Laying out", 0.25]
        watch.restart()
        return layouts.finished(wanted, refine=True).astype(np.float32)


def _points(
    aligned: tuple[np.ndarray, np.ndarray], raw: tuple[np.ndarray, np.ndarray], tokens: StreamTokens
) -> LayerPoints:
    return LayerPoints(
        queries=raw[0][None],
        keys=raw[1][None],
        aligned_queries=aligned[0][None].astype(np.float32),
        aligned_keys=aligned[1][None].astype(np.float32),
        tokens=tokens,
    )


def prune(folder: Path) -> None:
    """Keep the newest MOST_KEPT layouts of single heads."""
    files = sorted(folder.glob("head-*.npy"), key=lambda file: -file.stat().st_mtime)
    for file in files[MOST_KEPT:]:
        file.unlink(missing_ok=True)
