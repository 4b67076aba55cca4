"""What pushes points of a map apart and what pulls them together, all heads at once; w = 1 / (1 + |y_i − y_j|²)."""

from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from services.projection.torch_graph import Edges, blocks
from services.projection.watch import Watch


@cache
def kernels() -> ModuleType | None:
    """The Triton kernels, where they compile and run; None: plain PyTorch does the same, through memory."""
    try:
        from services.projection import torch_triton

        torch_triton.pairs(torch.zeros(1, 2, 2, device="cuda"), torch.zeros(1, 2, 2, device="cuda"), None)
        torch.cuda.synchronize()
    except Exception:  # no Triton, no C compiler for its launcher, an old card: each has its own error
        return None
    return torch_triton


def pairs_of(points: Tensor, sources: Tensor, weight: Tensor | None, watch: Watch) -> tuple[Tensor, Tensor, Tensor]:
    """Of each point against sources j: Σ w [heads, points], Σ w² d and Σ weight_j w² d [heads, points, dims]."""
    watch.check()
    compiled = kernels() if points.is_cuda else None
    if compiled is not None:
        return compiled.pairs(points, sources, weight)  # type: ignore[no-any-return]
    heads, count, _ = points.shape
    source_squares = (sources**2).sum(2)[:, None]
    sums, plain, weighed = [], [], []
    for block in blocks(count, heads * sources.shape[1]):
        watch.check()
        part = points[:, block]
        squared = torch.baddbmm(source_squares, part, sources.transpose(1, 2), alpha=-2)
        w = 1 / (1 + (squared + (part**2).sum(2, keepdim=True)).clamp_(min=0))
        sums.append(w.sum(2))
        w = w.square_()
        plain.append(part * w.sum(2, keepdim=True) - w @ sources)
        if weight is not None:
            w *= weight[:, None]
            weighed.append(part * w.sum(2, keepdim=True) - w @ sources)
    joined = torch.cat(plain, 1)
    return torch.cat(sums, 1), joined, torch.cat(weighed, 1) if weighed else joined


def repulsion(y: Tensor, sources: Tensor, watch: Watch) -> tuple[Tensor, Tensor]:
    """Σ_j w_ij² (y_i − y_j) [heads, n, dims] and Σ_ij w_ij [heads], own pairs left out."""
    sums, forces, _ = pairs_of(y, sources, None, watch)
    return forces, sums.sum(1) - sources.shape[1]


def attraction(edges: Edges, y: Tensor) -> Tensor:
    """Σ_j p_ij w_ij (y_i − y_j) [heads, n, dims] over the edges of the graph."""
    flat = y.reshape(edges.heads * edges.n, y.shape[2])
    compiled = kernels() if y.is_cuda else None
    if compiled is not None:
        return compiled.edges(flat, edges.starts, edges.columns, edges.weights).view(y.shape)  # type: ignore[no-any-return]
    gap = flat[edges.rows] - flat[edges.columns]
    pull = edges.weights[:, None] * gap / (1 + (gap**2).sum(1, keepdim=True))
    return torch.zeros_like(flat).index_add_(0, edges.rows, pull).view(y.shape)
