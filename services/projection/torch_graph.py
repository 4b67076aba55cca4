"""Neighbours and affinities of all heads of a layer at once, on any PyTorch device.

The formulas are those of `neighbors`, `graph` and `affinities`. Points of all heads are numbered through:
point i of head h is h · n + i.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from services.projection.graph import BISECTIONS, SMALLEST_SCALE
from services.projection.parameters import COUPLED_PERPLEXITY, NEIGHBORS_PER_PERPLEXITY
from services.projection.watch import Watch

# Entries of one block of distances: 256 MB of float32.
BLOCK_ENTRIES = 2**26


@dataclass(frozen=True)
class Edges:
    """A symmetric weighted graph over heads · n points, its edges in the order of the rows."""

    rows: Tensor  # int64 [edges]
    columns: Tensor  # int64 [edges]
    weights: Tensor  # float32 [edges]
    heads: int
    n: int

    @cached_property
    def starts(self) -> Tensor:
        """int64 [heads · n + 1]: the edges of point i are those from starts[i] to starts[i + 1]."""
        every = torch.arange(self.heads * self.n + 1, device=self.rows.device)
        return torch.searchsorted(self.rows.contiguous(), every)


def blocks(rows: int, entries_per_row: int) -> list[slice]:
    """Slices over rows, each of at most BLOCK_ENTRIES entries."""
    size = max(1, BLOCK_ENTRIES // max(1, entries_per_row))
    return [slice(begin, min(begin + size, rows)) for begin in range(0, rows, size)]


def exact_neighbors(clouds: Tensor, k: int, watch: Watch) -> tuple[Tensor, Tensor]:
    """clouds float32 [heads, n, d], centred → indices [heads, n, k] and distances, nearest first."""
    heads, n, d = clouds.shape
    half_squares = (clouds**2).sum(2)[:, None] / 2
    found, distances = [], []
    for block in blocks(n, heads * n + heads * k * d):
        watch.check()
        closeness = torch.baddbmm(half_squares, clouds[:, block], clouds.transpose(1, 2), alpha=-1)
        rows = torch.arange(block.start, block.stop, device=clouds.device)
        closeness[:, torch.arange(len(rows), device=clouds.device), rows] = torch.inf
        indices = closeness.topk(k, dim=2, largest=False).indices
        near = torch.gather(clouds, 1, indices.reshape(heads, -1, 1).expand(-1, -1, d))
        exact = (near.view(heads, -1, k, d) - clouds[:, block, None]).norm(dim=3)
        order = exact.argsort(dim=2, stable=True)
        found.append(indices.gather(2, order))
        distances.append(exact.gather(2, order))
    return torch.cat(found, 1), torch.cat(distances, 1)


def memberships(distances: Tensor) -> Tensor:
    """UMAP's smooth neighbour weights, see `graph.memberships`: [..., k] → [..., k]."""
    k = distances.shape[-1]
    target = torch.log2(torch.tensor(k + 1.0, device=distances.device))
    above_zero = torch.where(distances > 0, distances, torch.inf)
    rho = above_zero.amin(-1, keepdim=True)
    rho = torch.where(rho.isinf(), torch.zeros_like(rho), rho)
    beyond = (distances - rho).clamp(min=0)
    low, high, sigma = torch.zeros_like(rho), torch.full_like(rho, torch.inf), torch.ones_like(rho)
    for _ in range(BISECTIONS):
        too_many = torch.exp(-beyond / sigma).sum(-1, keepdim=True) > target
        high, low = torch.where(too_many, sigma, high), torch.where(too_many, low, sigma)
        sigma = torch.where(high.isinf(), 2 * low, (low + high) / 2).clamp(1e-30, 1e30)
    mean = torch.where(rho > 0, distances.sum(-1, keepdim=True) / (k + 1), distances.mean())
    return torch.exp(-beyond / torch.maximum(sigma, SMALLEST_SCALE * mean).clamp(min=1e-30))


def softmax_at_perplexity(gaps: Tensor, perplexity: float) -> Tensor:
    """exp(−β gap) normalised, β such that each row has the perplexity; an infinite gap is masked.

    gaps [..., k]: squared distances, or scores below the row's best.
    """
    allowed = gaps.isfinite()
    gaps = gaps - torch.where(allowed, gaps, torch.inf).amin(-1, keepdim=True).nan_to_num(0, 0, 0)
    largest = torch.where(allowed, gaps, torch.zeros_like(gaps)).amax(-1, keepdim=True)
    gaps = torch.where(allowed, gaps, 4 * largest + 1)
    wanted = torch.log(torch.tensor(perplexity, device=gaps.device))
    low, high = torch.zeros_like(largest), torch.full_like(largest, torch.inf)
    beta = 1 / gaps.mean(-1, keepdim=True).clamp(min=1e-12)
    for _ in range(BISECTIONS):
        e = torch.exp(-beta * gaps)
        total = e.sum(-1, keepdim=True)
        too_flat = torch.log(total) + beta * (e * gaps).sum(-1, keepdim=True) / total > wanted
        low, high = torch.where(too_flat, beta, low), torch.where(too_flat, high, beta)
        beta = torch.where(high.isinf(), 2 * low, (low + high) / 2).clamp(max=1e30)
    weights = torch.exp(-beta * gaps) * allowed
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)


def both_ways(rows: Tensor, columns: Tensor, weights: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The weight of each pair in its own direction and in the other: rows, columns, [edges, 2]."""
    kept = weights > 0
    rows, columns, weights = rows[kept], columns[kept], weights[kept]
    pairs, place = torch.unique(torch.cat([rows * size + columns, columns * size + rows]), return_inverse=True)
    both = torch.zeros(len(pairs), 2, device=weights.device)
    both[:, 0].index_add_(0, place[: len(rows)], weights)
    both[:, 1].index_add_(0, place[len(rows) :], weights)
    return pairs // size, pairs % size, both


def listed(indices: Tensor, n: int, row_offset: int = 0, column_offset: int = 0) -> tuple[Tensor, Tensor]:
    """Neighbour lists [heads, rows, k] as pairs of numbers of points."""
    heads, rows, k = indices.shape
    base = torch.arange(heads, device=indices.device)[:, None, None] * n
    row = torch.arange(rows, device=indices.device)[None, :, None] + row_offset
    return (base + row).expand(-1, -1, k).reshape(-1), (base + indices + column_offset).reshape(-1)


def fuzzy_edges(indices: Tensor, distances: Tensor) -> Edges:
    """UMAP's fuzzy union a + b − ab of both directions."""
    heads, n, _ = indices.shape
    rows, columns = listed(indices, n)
    rows, columns, pair = both_ways(rows, columns, memberships(distances).reshape(-1), heads * n)
    weights = pair[:, 0] + pair[:, 1] - pair[:, 0] * pair[:, 1]
    return Edges(rows, columns, weights, heads, n)


def joint_edges(rows: Tensor, columns: Tensor, weights: Tensor, heads: int, n: int) -> Edges:
    """t-SNE's symmetric affinities, which sum to one in each head."""
    rows, columns, pair = both_ways(rows, columns, weights, heads * n)
    weights = pair.sum(1)
    head = rows // n
    total = torch.zeros(heads, device=weights.device).index_add_(0, head, weights)
    return Edges(rows, columns, weights / total.clamp(min=1e-30)[head], heads, n)


def affinity_edges(indices: Tensor, distances: Tensor, perplexity: float) -> Edges:
    heads, n, _ = indices.shape
    weights = softmax_at_perplexity(distances**2, perplexity)
    return joint_edges(*listed(indices, n), weights.reshape(-1), heads, n)


def best_scores(asking: Tensor, asked: Tensor, forbidden: Tensor | None, watch: Watch) -> tuple[Tensor, Tensor]:
    """Each row's best columns and their softmax weights: [heads, rows, k] each."""
    heads, rows, _ = asking.shape
    k = min(asked.shape[1], NEIGHBORS_PER_PERPLEXITY * COUPLED_PERPLEXITY)
    found, weights = [], []
    for block in blocks(rows, heads * asked.shape[1]):
        watch.check()
        scores = asking[:, block] @ asked.transpose(1, 2)
        if forbidden is not None:
            scores.masked_fill_(forbidden[block], -torch.inf)
        best = scores.topk(k, dim=2)
        found.append(best.indices)
        perplexity = max(1.0, min(COUPLED_PERPLEXITY, k / NEIGHBORS_PER_PERPLEXITY))
        weights.append(softmax_at_perplexity(-best.values, perplexity))
    return torch.cat(found, 1), torch.cat(weights, 1)
