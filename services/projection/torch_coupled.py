"""The coupled maps by the `torch` engine: all heads at once, the objective of services.projection.coupled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from services.projection.coupled import HIDDEN, directions, landmarks
from services.projection.parameters import (
    COUPLED_GROUPS,
    COUPLED_ITERATIONS,
    COUPLED_LONGEST_STEP,
    COUPLED_ORDER,
    COUPLED_ORDER_ON_QUERIES,
    COUPLED_PERPLEXITY,
    NEIGHBORS_PER_PERPLEXITY,
    Coupling,
)
from services.projection.torch_forces import attraction, pairs_of
from services.projection.torch_graph import (
    Edges,
    best_scores,
    exact_neighbors,
    joint_edges,
    listed,
    softmax_at_perplexity,
)
from services.projection.tsne_kernel import GAIN_DOWN, GAIN_LEAST, GAIN_UP, MOMENTUM
from services.projection.watch import Watch

if TYPE_CHECKING:
    from services.projection.torch_engine import TorchLayouts


@dataclass(frozen=True)
class CoupledHeads:
    """`coupled.Coupled` of several heads."""

    edges: Edges
    n_queries: int
    weights: tuple[float, float, float]
    joint: float
    queries: Tensor  # int64 [a]
    over_keys: Tensor  # float32 [heads, a, n_keys]
    keys: Tensor  # int64 [b]
    over_some: Tensor  # float32 [heads, n_queries, b]


def coupled_heads(layouts: "TorchLayouts", coupling: Coupling) -> CoupledHeads:
    heads = layouts.heads
    centred = [head.centred_queries for head in heads]
    chosen = centred if coupling.centred else [head.queries for head in heads]
    tensor = layouts.tensor
    parts = layouts.once(
        "centred", lambda: (tensor(np.stack(centred)), tensor(np.stack([h.centred_keys for h in heads])))
    )
    masked = heads[0].tokens.hidden()
    hidden = None if masked is None else torch.from_numpy(masked).to(layouts.device)
    raw = parts[0] if coupling.centred else tensor(np.stack(chosen))
    sides = layouts.once(
        "directions", lambda: [tensor(np.stack(side)) for side in zip(*map(directions, heads), strict=True)]
    )
    edges = coupled_edges(raw, *parts, sides, hidden, coupling, layouts.watch)
    tokens, keys = heads[0].tokens, parts[1]
    a, b = landmarks(raw.shape[1], keys.shape[1], layouts.seed)
    some = [torch.from_numpy(rows).to(layouts.device) for rows in (a, b)]
    masks = (tokens.some(a).hidden(), tokens.some(keys=b).hidden())
    unseen = [None if mask is None else torch.from_numpy(mask).to(layouts.device) for mask in masks]
    over_keys = broad_softmax(raw[:, some[0]] @ keys.transpose(1, 2), unseen[0])
    over_some = broad_softmax(raw @ keys[:, some[1]].transpose(1, 2), unseen[1])
    total = 1 + coupling.of_keys + 2 * coupling.same_kind
    return CoupledHeads(
        edges,
        raw.shape[1],
        (1 / total, coupling.of_keys / total, coupling.same_kind / total),
        coupling.joint,
        some[0],
        over_keys,
        some[1],
        over_some,
    )


def broad_softmax(scores: Tensor, hidden: Tensor | None) -> Tensor:
    """`coupled.broad_softmax` of all heads: [heads, rows, n]; hidden: bool [rows, n]."""
    if hidden is None:
        hidden = torch.zeros(scores.shape[1:], dtype=torch.bool, device=scores.device)
    count = (~hidden).sum(1).clamp(min=1)[:, None]
    centred = (scores - scores.masked_fill(hidden, 0).sum(2, keepdim=True) / count).masked_fill(hidden, 0)
    deviation = ((centred**2).sum(2, keepdim=True) / count).sqrt().clamp(min=1e-12)
    weights = (centred / deviation).masked_fill(hidden, -torch.inf).softmax(2)
    return weights.masked_fill(hidden, HIDDEN)


def coupled_edges(
    queries: Tensor,
    centred: Tensor,
    keys: Tensor,
    sides: list[Tensor],
    hidden: Tensor | None,
    coupling: Coupling,
    watch: Watch,
) -> Edges:
    """All four affinities; queries, centred: [heads, n_queries, d]; keys centred; sides: directions of both kinds."""
    heads, n_queries, _ = queries.shape
    n = n_queries + keys.shape[1]
    parts = []

    def add(indices: Tensor, weights: Tensor, row_offset: int, column_offset: int, weight: float) -> None:
        pairs = listed(indices, n, row_offset, column_offset)
        parts.append((*pairs, weights.reshape(-1) * weight / indices.shape[1]))

    add(*best_scores(queries, keys, hidden, watch), 0, n_queries, 1.0)
    add(*best_scores(keys, centred, None if hidden is None else hidden.T, watch), n_queries, 0, coupling.of_keys)
    for vectors, offset in zip(sides, (0, n_queries), strict=True):
        k = min(vectors.shape[1] - 1, NEIGHBORS_PER_PERPLEXITY * COUPLED_PERPLEXITY)
        if k < 1:
            continue
        indices, distances = exact_neighbors(vectors - vectors.mean(1, keepdim=True), k, watch)
        perplexity = max(1.0, min(COUPLED_PERPLEXITY, k / NEIGHBORS_PER_PERPLEXITY))
        add(indices, softmax_at_perplexity(distances**2, perplexity), offset, offset, coupling.same_kind)
    rows, columns, weights = (torch.cat(part) for part in zip(*parts, strict=True))
    return joint_edges(rows, columns, weights, heads, n)


def coupled_descent(problem: CoupledHeads, start: Tensor, seed: int, watch: Watch) -> Tensor:
    """`coupled_kernel.coupled_descent` for all heads at once: start [heads, n, dims] → [heads, n, dims]."""
    n, n_queries = start.shape[1], problem.n_queries
    y, velocity, gains = start.clone(), torch.zeros_like(start), torch.ones_like(start)
    rng = np.random.default_rng(seed)
    turns = [torch.from_numpy(rng.permutation(count)).to(y.device) for count in (n_queries, n - n_queries)]
    groups = max(1, min(COUPLED_GROUPS, n_queries, n - n_queries))
    for iteration in range(COUPLED_ITERATIONS):
        watch.check()
        some = [turn[iteration % groups :: groups] for turn in turns]
        slope = gradient(problem, y, some, COUPLED_ORDER * (1 - iteration / COUPLED_ITERATIONS), watch)
        against = (slope > 0) != (velocity > 0)
        gains = torch.where(against, gains + float(GAIN_UP), (gains * float(GAIN_DOWN)).clamp(min=float(GAIN_LEAST)))
        velocity = MOMENTUM * velocity - n * gains * slope
        longest = COUPLED_LONGEST_STEP * y.var(1, correction=0).sum(1).sqrt()[:, None, None]
        velocity = velocity * (longest / velocity.norm(dim=2, keepdim=True).clamp(min=1e-12)).clamp(max=1)
        y = y + velocity
        y = y - y.mean(1, keepdim=True)
    return y


def gradient(problem: CoupledHeads, y: Tensor, some: list[Tensor], order_weight: float, watch: Watch) -> Tensor:
    """`coupled_kernel.Forces.gradient` [heads, n, dims]; normalisers are those of this step on both ends of a pair."""
    n_queries, n_keys = problem.n_queries, y.shape[1] - problem.n_queries
    queries, keys = y[:, :n_queries], y[:, n_queries:]
    to_keys, to_queries, same_kind = problem.weights
    by_queries, by_keys = n_queries / len(some[0]), n_keys / len(some[1])
    from_queries, from_keys = queries[:, some[0]], keys[:, some[1]]
    z_queries = pairs_of(queries, from_keys, None, watch)[0] * by_keys
    z_keys = pairs_of(keys, from_queries, None, watch)[0] * by_queries
    _, plain_q, weighed_q = pairs_of(queries, from_keys, 1 / z_keys[:, some[1]], watch)
    _, plain_k, weighed_k = pairs_of(keys, from_queries, 1 / z_queries[:, some[0]], watch)
    sums_q, among_q, _ = pairs_of(queries, from_queries, None, watch)
    sums_k, among_k, _ = pairs_of(keys, from_keys, None, watch)
    pairs_q = (sums_q.sum(1) - len(some[0])).clamp(min=1e-12)[:, None, None]
    pairs_k = (sums_k.sum(1) - len(some[1])).clamp(min=1e-12)[:, None, None]
    total = (z_queries.sum(1) + z_keys.sum(1))[:, None, None] + pairs_q * by_queries + pairs_k * by_keys
    coupled, even = 1 - problem.joint, problem.joint / total
    a, m = 0.5 * to_keys / n_queries, 0.5 * to_queries / n_keys
    push_q = coupled * (
        a * by_keys / z_queries[..., None] * plain_q + m * by_keys * weighed_q + same_kind / pairs_q * among_q
    ) + even * (by_keys * plain_q + by_queries * among_q)
    push_k = coupled * (
        a * by_queries * weighed_k + m * by_queries / z_keys[..., None] * plain_k + same_kind / pairs_k * among_k
    ) + even * (by_queries * plain_k + by_keys * among_k)
    found = 4 * (attraction(problem.edges, y) - torch.cat([push_q, push_k], 1))
    return found + order_weight * order_gradient(problem, y) if order_weight > 0 else found


def order_gradient(problem: CoupledHeads, y: Tensor) -> Tensor:
    n_queries = problem.n_queries
    queries, keys = y[:, :n_queries], y[:, n_queries:]
    squared = y.var(1, correction=0).sum(1).clamp(min=1e-12)[:, None, None]

    def force(wanted: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        gaps = rows[:, :, None] - columns[:, None]
        w = torch.where(wanted < 0, torch.zeros_like(wanted), squared / (squared + (gaps**2).sum(3)))
        return (wanted - w / w.sum(2, keepdim=True).clamp(min=1e-30)) * w, gaps

    marked = keys[:, problem.keys]
    strength, gaps = force(problem.over_some, queries, marked)
    of_queries = 2 / (squared * n_queries) * (strength[..., None] * gaps).sum(2)
    asking = queries[:, problem.queries]
    strength, gaps = force(problem.over_keys, asking, keys)
    of_keys = -2 / (squared * asking.shape[1]) * (strength[..., None] * gaps).sum(1)
    return torch.cat([COUPLED_ORDER_ON_QUERIES * of_queries, of_keys], 1)
