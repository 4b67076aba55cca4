"""All requested layouts of all heads of one layer: shares what can be shared, keeps every output sound."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from services.atlas import ProjectionRef
from services.numerics.linear import rotation_onto
from services.projection.parameters import ENGINES, neighbors_for
from services.projection.points import METHODS, Head, LayerPoints
from services.projection.watch import Progress, Watch
from services.streams import FULL, Places, StreamTokens

if TYPE_CHECKING:
    from services.projection.graph import Graph
    from services.projection.neighbors import Neighbors

# Fewer points than this have no neighbourhoods worth a layout: the start is shown.
FEWEST_POINTS = 5
START_RADIUS = 10.0  # umap-learn's size of an initial layout
START_NOISE = 1e-4  # umap-learn's: separates equal points


class Engine(Protocol):
    """What the modules `fast` and `reference` both are."""

    TSNE_STARTS_FROM_UMAP: bool

    def umap_layout(
        self, cloud: np.ndarray, neighbors: "Neighbors", start: np.ndarray, seed: int, watch: Watch
    ) -> np.ndarray: ...

    def tsne_layout(
        self, cloud: np.ndarray, neighbors: "Neighbors", start: np.ndarray, seed: int, watch: Watch
    ) -> np.ndarray: ...

    def attention_layout(self, graph: "Graph", start: np.ndarray, seed: int, watch: Watch) -> np.ndarray: ...


def layout_layer(
    points: LayerPoints,
    requests: Sequence[ProjectionRef],
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
    for request in requests:
        if request.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {request.method!r}")
    watch = Watch(progress, points.heads)
    results = {request: np.zeros((points.heads, points.n_points, request.dims), np.float32) for request in requests}
    lock = threading.Lock()

    def note(text: str) -> None:
        with lock:
            if notes is not None and text not in notes:
                notes.append(text)

    def lay_out(index: int) -> None:
        head = HeadLayouts(Head(points, index, note), start, seed, engine, watch)
        for request in requests:
            results[request][index] = head.finished(request)
        watch.head_done()

    if engine == "torch":
        heads = [HeadLayouts(Head(points, i, note), start, seed, engine, watch) for i in range(points.heads)]
        lay_out_together(heads, points, requests, seed, device, watch, results)
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
    """The layouts of one head; what several methods need is computed once."""

    def __init__(self, head: Head, start: Mapping[int, np.ndarray], seed: int, engine: str, watch: Watch) -> None:
        self.head = head
        self.seed = seed
        self.watch = watch
        self._start = start
        self._engine_name = engine
        self._umap: dict[int, np.ndarray] = {}

    @cached_property
    def engine(self) -> Engine:
        return engine_module(self._engine_name)

    @cached_property
    def neighbors(self) -> "Neighbors":
        from services.projection.neighbors import exact_neighbors

        return exact_neighbors(self.head.cloud, neighbors_for(len(self.head.cloud)), self.watch)

    def finished(self, request: ProjectionRef) -> np.ndarray:
        """The layout of this head, finite, centred and turned onto the start."""
        self.watch.check()
        plain = self.plain(request)
        if plain is not None:
            return plain
        make = {"umap": self.umap, "tsne": self.tsne, "attention": self.attention}[request.method]
        return self.turned(make(request.dims))

    def plain(self, request: ProjectionRef) -> np.ndarray | None:
        """What is shown where there is nothing to optimise: PCA itself, few points, equal points."""
        target = self.target(request.dims)
        if request.method == "pca":
            return target
        if len(target) < FEWEST_POINTS:
            text = f"{len(target)} points are too few for {request.method}: PCA shown"
            self.head.note(f"head {self.head.index}: {text}")
            return target
        if self.head.is_one_point:
            self.head.note(f"head {self.head.index}: all vectors are equal: one point")
            return np.zeros_like(target)
        return None

    def target(self, dims: int) -> np.ndarray:
        return np.nan_to_num(self._start[dims][self.head.index], posinf=0.0, neginf=0.0)

    def turned(self, layout: np.ndarray) -> np.ndarray:
        """A layout [n, dims], finite, centred and turned onto the start."""
        target = self.target(layout.shape[1])
        layout = np.nan_to_num(layout, posinf=0.0, neginf=0.0)
        layout = layout - layout.mean(axis=0, dtype=np.float64)
        return layout @ rotation_onto(layout, target - target.mean(axis=0))

    def umap(self, dims: int) -> np.ndarray:
        if dims not in self._umap:
            self._umap[dims] = self.engine.umap_layout(
                self.head.cloud, self.neighbors, self.spread_start(dims), self.seed, self.watch
            )
        return self._umap[dims]

    def tsne(self, dims: int) -> np.ndarray:
        start = self.umap(dims) if self.engine.TSNE_STARTS_FROM_UMAP else self.spread_start(dims)
        return self.engine.tsne_layout(self.head.cloud, self.neighbors, start, self.seed, self.watch)

    def attention(self, dims: int) -> np.ndarray:
        from services.projection.attention import attention_start

        start = attention_start(self.head.queries, self.head.keys, dims)
        return self.engine.attention_layout(self.attention_graph, start, self.seed, self.watch)

    @cached_property
    def attention_graph(self) -> "Graph":
        from services.projection.attention import attention_graph

        return attention_graph(self.head.queries, self.head.keys, self.watch, self.head.points.tokens)

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
    requests: Sequence[ProjectionRef],
    seed: int,
    device: str,
    watch: Watch,
    results: dict[ProjectionRef, np.ndarray],
) -> None:
    """All heads that have something to optimise, as one batch of the `torch` engine, into `results`."""
    from services.projection.torch_engine import TorchLayouts

    batch: list[HeadLayouts] = []
    for index, head in enumerate(heads):
        plain = {request: head.plain(request) for request in requests}
        for request, layout in plain.items():
            if layout is not None:
                results[request][index] = layout
        if any(layout is None for layout in plain.values()):
            batch.append(head)
    if batch:
        starts = {d: np.stack([head.spread_start(d) for head in batch]) for d in {r.dims for r in requests}}
        together = TorchLayouts(points, [head.head for head in batch], starts, seed, device, watch)
        for request in requests:
            if request.method == "pca":
                continue
            make = {"umap": together.umap, "tsne": together.tsne, "attention": together.attention}
            for head, layout in zip(batch, make[request.method](request.dims), strict=True):
                results[request][head.head.index] = head.turned(layout)
    for _ in heads:
        watch.head_done()


def engine_module(name: str) -> Engine:
    """The engine's module, imported when it is first used."""
    from services.projection import fast, reference

    return reference if name == "reference" else fast


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
    start = {dims: rng.normal(size=(1, 40, dims)).astype(np.float32) for dims in (2, 3)}
    requests = [ProjectionRef(method, dims) for method in METHODS for dims in (2, 3)]
    layout_layer(points, requests, start=start, seed=0)
