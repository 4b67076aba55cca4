"""The `torch` engine: all heads of a layer at once, for a GPU; the same objectives as `fast`.

Where the compiled kernels move one point after the other, here all points of all heads move at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from services.projection.parameters import (
    CURVE_A,
    CURVE_B,
    EPOCHS,
    NEGATIVE_SAMPLES,
    groups_for,
    neighbors_for,
)
from services.projection.points import Head, LayerPoints
from services.projection.torch_forces import attraction, repulsion
from services.projection.torch_graph import (
    Edges,
    exact_neighbors,
)
from services.projection.tsne_kernel import GAIN_DOWN, GAIN_LEAST, GAIN_UP, MOMENTUM
from services.projection.umap_kernel import LARGEST_STEP, NEAREST
from services.projection.watch import Watch

T = TypeVar("T")


class TorchLayouts:
    """The layouts of several heads [heads, n, dims] at once; what methods share is computed once.

    The same points are distinct in all of them (see `Head`).
    """

    def __init__(
        self,
        points: LayerPoints,
        heads: Sequence[Head],
        starts: Mapping[int, np.ndarray],
        seed: int,
        device: str,
        watch: Watch,
    ) -> None:
        self.points, self.heads, self.starts = points, heads, starts
        self.device, self.watch = torch.device(device), watch
        self.n = len(heads[0].cloud)
        self.seed = seed
        self._made: dict[str, Any] = {}

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What several layouts need, made when it is first asked for."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    @cached_property
    def neighbors(self) -> tuple[Tensor, Tensor]:
        clouds = self.tensor(np.stack([head.cloud for head in self.heads]))
        return exact_neighbors(clouds, neighbors_for(self.n), self.watch)

    def tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)


def umap_sgd(edges: Edges, start: Tensor, seed: int, watch: Watch) -> Tensor:
    """UMAP's sampled gradient, one epoch at a time: start [heads, n, dims] → [heads, n, dims]."""
    heads, n, dims = start.shape
    epochs = EPOCHS
    y = start.reshape(heads * n, dims).clone()
    generator = torch.Generator(device=y.device).manual_seed(seed)
    head = edges.rows // n
    heaviest = torch.zeros(heads, device=y.device).scatter_reduce_(0, head, edges.weights, "amax")[head]
    drawable = edges.weights >= heaviest / epochs
    rows, columns, period = (
        edges.rows[drawable],
        edges.columns[drawable],
        (heaviest / edges.weights)[drawable],
    )
    due = period.clone()
    for epoch in range(epochs):
        watch.check()
        rate = 1.0 - epoch / epochs
        now = due <= epoch
        due = torch.where(now, due + period, due)
        i, j = rows[now], columns[now]
        gap = y[i] - y[j]
        squared = (gap**2).sum(1, keepdim=True).clamp(min=1e-12)
        power = squared ** (CURVE_B - 1)
        pull = -2 * CURVE_A * CURVE_B * power / (1 + CURVE_A * power * squared)
        step = (pull * gap).clamp(-LARGEST_STEP, LARGEST_STEP) * rate
        i_all = i.repeat_interleave(NEGATIVE_SAMPLES)
        others = torch.randint(n, i_all.shape, generator=generator, device=y.device) + (i_all // n) * n
        away = y[i_all] - y[others]
        squared = (away**2).sum(1, keepdim=True)
        power = squared.clamp(min=1e-12) ** CURVE_B
        push = 2 * CURVE_B / ((NEAREST + squared) * (1 + CURVE_A * power))
        push = (push * away).clamp(-LARGEST_STEP, LARGEST_STEP) * rate
        y.index_add_(0, i, step)
        y.index_add_(0, j, -step)
        y.index_add_(0, i_all, push)
    return y.view(heads, n, dims)


def tsne_descent(edges: Edges, start: Tensor, seed: int, watch: Watch, iterations: int) -> Tensor:
    """`tsne_kernel.tsne_descent` for all heads at once: start [heads, n, dims] → [heads, n, dims]."""
    n = start.shape[1]
    y = start.clone()
    velocity, gains = torch.zeros_like(y), torch.ones_like(y)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n)).to(y.device)
    groups = groups_for(n)
    for iteration in range(iterations):
        watch.check()
        sources = y[:, order[iteration % groups :: groups]]
        repulsive, pairs = repulsion(y, sources, watch)
        attractive = attraction(edges, y)
        gradient = 4 * (attractive - repulsive / pairs[:, None, None])
        against = (gradient > 0) != (velocity > 0)
        gains = torch.where(against, gains + float(GAIN_UP), (gains * float(GAIN_DOWN)).clamp(min=float(GAIN_LEAST)))
        velocity = MOMENTUM * velocity - n * gains * gradient
        y = y + velocity
        y = y - y.mean(1, keepdim=True)
    return y
