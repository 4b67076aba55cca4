"""t-SNE's layout (van der Maaten & Hinton 2008): gradient descent with momentum and gains.

The repulsive half of the gradient runs over all pairs, n² a step. Here each step takes it from a sample of
the points, a new one every step: force and normalisation share the sampling factor, which cancels.
Positions are [dims, n], so that the inner loop reads memory in order.
"""

import numba as nb
import numpy as np

from services.projection.graph import Graph
from services.projection.parameters import TSNE_SOURCES, groups_for
from services.projection.watch import Watch

f4 = np.float32
MOMENTUM = 0.8  # section 3.4
GAIN_UP, GAIN_DOWN, GAIN_LEAST = f4(0.2), f4(0.8), f4(0.01)  # Jacobs 1988; the values of the authors' code


def tsne_descent(
    graph: Graph,
    start: np.ndarray,
    seed: int,
    watch: Watch,
    iterations: int,
    exaggeration: float = 1.0,
    momentum: float = MOMENTUM,
    sources: int = TSNE_SOURCES,
) -> np.ndarray:
    """Descend the Kullback–Leibler divergence from start [n, dims]: float32 [n, dims].

    The learning rate is n / exaggeration (Belkina et al. 2019), as in openTSNE.
    """
    positions = np.ascontiguousarray(start.T, np.float32)
    n = positions.shape[1]
    rate = n / exaggeration
    velocity = np.zeros_like(positions)
    gains = np.ones_like(positions)
    attractive, repulsive = np.empty_like(positions), np.empty_like(positions)
    order = np.random.default_rng(seed).permutation(n)
    groups = groups_for(n, sources)
    for iteration in range(iterations):
        watch.check()
        sample = positions[:, order[iteration % groups :: groups]] if groups > 1 else positions
        # Each source meets itself with q = 1 once, which is no pair.
        pairs = repulsion(positions, np.ascontiguousarray(sample), repulsive) - sample.shape[1]
        attraction(positions, graph.indptr, graph.indices, graph.weights, attractive)
        descend(
            positions,
            velocity,
            gains,
            attractive,
            repulsive,
            f4(exaggeration),
            f4(1 / pairs),
            f4(rate),
            f4(momentum),
        )
        positions -= positions.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(positions.T)


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def repulsion(positions, sources, force):
    """force_i = Σ_j w_ij² (y_i − y_j) over sources j, w_ij = 1 / (1 + ‖y_i − y_j‖²); returns Σ_ij w_ij."""
    dims, n = positions.shape
    count = sources.shape[1]
    total: float = 0.0
    sx, sy, sz = sources[0], sources[1], sources[dims - 1]
    for i in range(n):
        x, y, z = positions[0, i], positions[1, i], positions[dims - 1, i]
        row, fx, fy, fz = f4(0), f4(0), f4(0), f4(0)
        if dims == 2:
            for j in range(count):
                dx, dy = x - sx[j], y - sy[j]
                w = f4(1) / (f4(1) + dx * dx + dy * dy)
                row += w
                fx += w * w * dx
                fy += w * w * dy
        else:
            for j in range(count):
                dx, dy, dz = x - sx[j], y - sy[j], z - sz[j]
                w = f4(1) / (f4(1) + dx * dx + dy * dy + dz * dz)
                row += w
                fx += w * w * dx
                fy += w * w * dy
                fz += w * w * dz
            force[2, i] = fz
        force[0, i], force[1, i] = fx, fy
        total += float(row)
    return total


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def attraction(positions, indptr, indices, p, force):
    """force_i = Σ_j p_ij w_ij (y_i − y_j) over the graph's edges."""
    dims, n = positions.shape
    for i in range(n):
        x, y, z = positions[0, i], positions[1, i], positions[dims - 1, i]
        fx, fy, fz = f4(0), f4(0), f4(0)
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            dx, dy, dz = x - positions[0, j], y - positions[1, j], z - positions[dims - 1, j]
            squared = dx * dx + dy * dy
            if dims == 3:
                squared += dz * dz
            pull = p[e] / (f4(1) + squared)
            fx += pull * dx
            fy += pull * dy
            fz += pull * dz
        force[0, i], force[1, i] = fx, fy
        if dims == 3:
            force[2, i] = fz


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def descend(positions, velocity, gains, attractive, repulsive, exaggeration, per_pair, rate, momentum):
    """One step down dC/dy_i = 4 Σ_j (p_ij − q_ij) w_ij (y_i − y_j), eq. 5, with q_ij = w_ij / Σ w."""
    dims, n = positions.shape
    for d in range(dims):
        for i in range(n):
            gradient = f4(4) * (exaggeration * attractive[d, i] - repulsive[d, i] * per_pair)
            if (gradient > 0) != (velocity[d, i] > 0):
                gains[d, i] += GAIN_UP
            else:
                gains[d, i] = max(gains[d, i] * GAIN_DOWN, GAIN_LEAST)
            velocity[d, i] = momentum * velocity[d, i] - rate * gains[d, i] * gradient
            positions[d, i] += velocity[d, i]


def kl_divergence(graph: Graph, layout: np.ndarray) -> float:
    """KL(P‖Q) = Σ p_ij log(p_ij / q_ij) (eq. 2) over the graph's edges; layout [n, dims]."""
    positions = np.ascontiguousarray(layout.T, np.float32)
    pairs = repulsion(positions, positions, np.empty_like(positions)) - positions.shape[1]
    rows = np.repeat(np.arange(len(layout)), np.diff(graph.indptr))
    gaps = layout[rows].astype(np.float64) - layout[graph.indices]
    return float((graph.weights * np.log(graph.weights * (1 + (gaps**2).sum(axis=1)) * pairs)).sum())
