"""All requested layouts of all heads of one layer: shares what can be shared, keeps every output sound."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from services.atlas import ProjectionRef
from services.atlas.projection_ref import DIMS
from services.numerics.linear import rotation_onto
from services.projection.parameters import ENGINES, neighbors_for
from services.projection.points import Head, LayerPoints
from services.projection.registry import START, ProjectionMethod, method_of, methods
from services.projection.watch import Progress, Watch
from services.streams import FULL, Places, StreamTokens

if TYPE_CHECKING:
    from services.projection.neighbors import Neighbors

# Fewer points than this have no neighbourhoods worth a layout: the start is shown.
FEWEST_POINTS = 5
T = TypeVar("T")
START_RADIUS = 10.0  # umap-learn's size of an initial layout
START_NOISE = 1e-4  # umap-learn's: separates equal points


def layout_layer(
    points: LayerPoints,
    refs: Sequence[ProjectionRef],
    *,
    start: Mapping[int, np.ndarray],
    seed: int,
    engine: str = "fast",
    device: str = "cpu",
    jobs: int = 1,
    progress: Progress | None = None,
    notes: list[str] | None = None,
) -> dict[ProjectionRef, np.ndarray]:
    """Lay out every head of a layer by every requested method: float32 [heads, n, dims] each.

    start[dims] is the layer's PCA layout [heads, n, dims], its axes already made consistent between heads;
    every result is turned and mirrored onto it. A head's result depends on the head and the seed alone.
    progress(done_heads, total_heads) is asked often; when it returns True, Cancelled is raised.
    Notes about single heads (vectors that are not finite, equal points) are appended to `notes`.
    Kernels use one thread and release the GIL; `jobs` threads work on that many heads at once.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    for ref in refs:
        method_of(ref.method)
    watch = Watch(progress, points.heads)
    results = {ref: np.zeros((points.heads, points.n_points, ref.dims), np.float32) for ref in refs}
    lock = threading.Lock()

    def note(text: str) -> None:
        with lock:
            if notes is not None and text not in notes:
                notes.append(text)

    def lay_out(index: int) -> None:
        head = HeadLayouts(Head(points, index, note), start, seed, engine, watch)
        for ref in refs:
            results[ref][index] = head.finished(ref)
        watch.head_done()

    if engine == "torch":
        heads = [HeadLayouts(Head(points, i, note), start, seed, engine, watch) for i in range(points.heads)]
        lay_out_together(heads, points, refs, seed, device, watch, results)
        return results
    with single_threaded_blas():
        if jobs == 1:
            for index in range(points.heads):
                lay_out(index)
        else:
            with ThreadPoolExecutor(jobs) as pool:
                list(pool.map(lay_out, range(points.heads)))
    return results


class HeadLayouts:
    """One head while it is laid out: its vectors, the common start, and what several methods share, computed once.

    Methods see distinct points only (see `Head`); `finished` gives all of them a place.
    """

    def __init__(self, head: Head, start: Mapping[int, np.ndarray], seed: int, engine: str, watch: Watch) -> None:
        self.head = head
        self.seed = seed
        self.engine = engine
        self.watch = watch
        self._start = start
        self._made: dict[str, Any] = {}

    @property
    def cloud(self) -> np.ndarray:
        """The aligned queries and keys: float32 [n, head_dim], centred, of unit size."""
        return self.head.cloud

    @cached_property
    def neighbors(self) -> "Neighbors":
        """The exact nearest neighbours of every point of the cloud."""
        from services.projection.neighbors import exact_neighbors

        return exact_neighbors(self.cloud, neighbors_for(len(self.cloud)), self.watch)

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What several layouts of the head need, made when it is first asked for."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    def fitted(self, method: ProjectionMethod, dims: int) -> np.ndarray:
        """The head as another method lays it out [n, dims], made once."""
        return self.once(f"{method.name}{dims}", lambda: method.fit(self, dims))

    def finished(self, ref: ProjectionRef, *, refine: bool = False) -> np.ndarray:
        """The layout of this head [n_points, dims], finite, centred and turned onto the start.

        refine: from where the start has the points, in place of the method's own beginning.
        """
        self.watch.check()
        plain = self.plain(ref)
        if plain is not None:
            return plain
        method = method_of(ref.method)
        return self.turned(method.refine(self, ref.dims) if refine else self.fitted(method, ref.dims))

    def plain(self, ref: ProjectionRef) -> np.ndarray | None:
        """What is shown where there is nothing to optimise: the start itself, few points, equal points."""
        if ref.method == START.name:
            return self.head.spread(START.fit(self, ref.dims))
        target = self.target(ref.dims)
        if self.head.is_one_point:
            self.head.note(f"head {self.head.index}: all vectors are equal: one point")
            return self.head.spread(np.zeros_like(target))
        if len(target) < FEWEST_POINTS:
            text = f"{len(target)} points are too few for {ref.method}: {START.label} shown"
            self.head.note(f"head {self.head.index}: {text}")
            return self.head.spread(target)
        return None

    def target(self, dims: int) -> np.ndarray:
        """The common start, onto which every layout is turned: [n, dims], finite."""
        return np.nan_to_num(self._start[dims][self.head.index][self.head.rows], posinf=0.0, neginf=0.0)

    def turned(self, layout: np.ndarray) -> np.ndarray:
        """A layout [n, dims], finite, centred and turned onto the start, for all points [n_points, dims]."""
        target = self.target(layout.shape[1])
        layout = np.nan_to_num(layout, posinf=0.0, neginf=0.0)
        layout = layout - layout.mean(axis=0, dtype=np.float64)
        return self.head.spread(layout @ rotation_onto(layout, target - target.mean(axis=0)))

    def spread_start(self, dims: int) -> np.ndarray:
        """The common start at the size that UMAP expects, equal points drawn a little apart."""
        start = self.target(dims)
        radius = np.abs(start).max(initial=0.0)
        if radius > 0:
            start = start * (START_RADIUS / radius)
        noise = np.random.default_rng(self.seed).normal(0.0, START_NOISE, start.shape)
        return (start + noise).astype(np.float32)


def lay_out_together(
    heads: list[HeadLayouts],
    points: LayerPoints,
    refs: Sequence[ProjectionRef],
    seed: int,
    device: str,
    watch: Watch,
    results: dict[ProjectionRef, np.ndarray],
) -> None:
    """All heads that have something to optimise by the `torch` engine, into `results`.

    Heads with copies at the same places are one batch.
    """
    from services.projection.torch_engine import TorchLayouts

    batches: dict[bytes, list[HeadLayouts]] = {}
    for index, head in enumerate(heads):
        plain = {ref: head.plain(ref) for ref in refs}
        for ref, layout in plain.items():
            if layout is not None:
                results[ref][index] = layout
        if any(layout is None for layout in plain.values()):
            batches.setdefault(head.head.rows.tobytes(), []).append(head)
    for batch in batches.values():
        starts = {d: np.stack([head.spread_start(d) for head in batch]) for d in {r.dims for r in refs}}
        together = TorchLayouts(points, [head.head for head in batch], starts, seed, device, watch)
        for ref in refs:
            method = method_of(ref.method)
            if method is START:
                continue
            layouts = method.fit_together(together, ref.dims)
            for place, head in enumerate(batch):
                found = head.fitted(method, ref.dims) if layouts is None else layouts[place]
                results[ref][head.head.index] = head.turned(found)
    for _ in heads:
        watch.head_done()


@lru_cache(maxsize=1)
def thread_controller() -> Callable[[], AbstractContextManager]:
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    return lambda: controller.limit(limits=1, user_api="blas")


def single_threaded_blas() -> AbstractContextManager:
    """Matrix products in one thread: parallel work is over heads and layers, and BLAS threads fight it."""
    return thread_controller()()


def warm_up() -> None:
    """Compile the kernels, or load them from numba's cache on disk: once per process."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1, 20, 4)).astype(np.float32)
    places = Places(np.arange(20, dtype=np.int32), np.zeros(20, np.int32))
    points = LayerPoints(vectors, vectors, vectors, vectors, StreamTokens(FULL, places, places))
    start = {dims: rng.normal(size=(1, 40, dims)).astype(np.float32) for dims in DIMS}
    refs = [ProjectionRef(method.name, dims) for method in methods() for dims in DIMS]
    layout_layer(points, refs, start=start, seed=0)


def place(
    points: LayerPoints, new: LayerPoints, layouts: Mapping[ProjectionRef, np.ndarray]
) -> dict[ProjectionRef, np.ndarray]:
    """Positions of new tokens in a layer's layouts: float32 [heads, new queries + new keys, dims] each.

    `points` are the tokens the layouts [heads, n, dims] were made from; `new` holds the new tokens, aligned
    with the same factor and translation. Each method does it in the way measured best for it (docs/projection.md).
    """
    return {
        ref: np.stack([place_in_head(points, new, ref, layout[head], head) for head in range(points.heads)])
        for ref, layout in layouts.items()
    }


def place_in_head(
    points: LayerPoints, new: LayerPoints, ref: ProjectionRef, layout: np.ndarray, head: int
) -> np.ndarray:
    """Positions of new tokens in one head's layout [n, dims]: float32 [new queries + new keys, dims]."""
    placed = method_of(ref.method).place(points, new, np.asarray(layout), head)
    return np.nan_to_num(placed, posinf=0.0, neginf=0.0).astype(np.float32)
