"""UMAP's layout (McInnes, Healy & Melville 2018, section 3.2): sampled edges attract, random points repel.

Edges are drawn in proportion to their weights, as in umap-learn: an edge of weight w is used every w_max / w
epochs. Positions are [n, 3]; in 2D the third coordinate is zero and stays zero.
"""

import numba as nb
import numpy as np

from services.projection.graph import Graph
from services.projection.parameters import CURVE_A, CURVE_B, NEGATIVE_SAMPLES
from services.projection.watch import Watch

f4 = np.float32
A, B = f4(CURVE_A), f4(CURVE_B)
LARGEST_STEP = f4(4)  # umap-learn clips every coordinate of a gradient
NEAREST = f4(0.001)  # keeps the repulsion of equal points finite
BATCH = 256


def umap_sgd(graph: Graph, start: np.ndarray, seed: int, watch: Watch, epochs: int) -> np.ndarray:
    """Optimise a layout of the graph from start [n, dims]: float32 [n, dims]."""
    n, dims = start.shape
    positions = np.zeros((n, 3), np.float32)
    positions[:, :dims] = start
    heaviest = graph.weights.max(initial=0.0)
    # Edges too light to be drawn in this many epochs are never drawn: an infinite period.
    period = np.full(len(graph.weights), np.inf, np.float32)
    np.divide(heaviest, graph.weights, out=period, where=graph.weights >= heaviest / epochs)
    due = period.copy()
    random = np.uint64(np.random.default_rng(seed).integers(1, 2**32))
    for epoch in range(epochs):
        watch.check()
        rate = 1.0 - epoch / epochs
        random = umap_epoch(positions, graph.indptr, graph.indices, period, due, epoch, f4(rate), random)
    return positions[:, :dims].copy()


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def umap_epoch(positions, indptr, indices, period, due, epoch, rate, random):
    """One epoch over all edges, in place; returns the random state.

    Each edge that is due pulls both its ends together by the gradient of log φ, and each end of it that is a
    row is then pushed away from NEGATIVE_SAMPLES random points by the gradient of log(1 − φ).
    """
    n = positions.shape[0]
    others = np.empty((3, BATCH), np.float32)
    for i in range(n):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        drawn = 0
        for e in range(indptr[i], indptr[i + 1]):
            if due[e] > epoch:
                continue
            due[e] += period[e]
            drawn += 1
            j = indices[e]
            dx, dy, dz = x - positions[j, 0], y - positions[j, 1], z - positions[j, 2]
            squared = dx * dx + dy * dy + dz * dz
            if squared > f4(0):
                pull = attraction(squared)
                dx, dy, dz = clip(pull * dx) * rate, clip(pull * dy) * rate, clip(pull * dz) * rate
                x, y, z = x + dx, y + dy, z + dz
                positions[j, 0] -= dx
                positions[j, 1] -= dy
                positions[j, 2] -= dz
        positions[i, 0], positions[i, 1], positions[i, 2] = x, y, z
        wanted = drawn * NEGATIVE_SAMPLES
        while wanted > 0:
            count = min(wanted, BATCH)
            wanted -= count
            for r in range(count):
                random = xorshift(random)
                j = np.int64((random * np.uint64(n)) >> np.uint64(32))
                others[0, r], others[1, r], others[2, r] = positions[j, 0], positions[j, 1], positions[j, 2]
            px, py, pz = f4(0), f4(0), f4(0)
            for r in range(count):
                dx, dy, dz = x - others[0, r], y - others[1, r], z - others[2, r]
                push = repulsion(dx * dx + dy * dy + dz * dz)
                px, py, pz = px + clip(push * dx), py + clip(push * dy), pz + clip(push * dz)
            x, y, z = x + px * rate, y + py * rate, z + pz * rate
        positions[i, 0], positions[i, 1], positions[i, 2] = x, y, z
    return random


@nb.njit(inline="always", fastmath=True, error_model="numpy")
def attraction(squared):
    """−2ab d^(2(b−1)) / (1 + a d^(2b)): the gradient of log φ, φ = 1 / (1 + a d^(2b)), over (y_i − y_j)."""
    power = fast_power(squared, B - f4(1))
    return f4(-2) * A * B * power / (f4(1) + A * power * squared)


@nb.njit(inline="always", fastmath=True, error_model="numpy")
def repulsion(squared):
    """2b / ((ε + d²)(1 + a d^(2b))): the gradient of log(1 − φ) over (y_i − y_j)."""
    power = fast_power(max(squared, f4(1e-12)), B)
    return f4(2) * B / ((NEAREST + squared) * (f4(1) + A * power))


@nb.njit(inline="always", fastmath=True, error_model="numpy")
def clip(value):
    return max(-LARGEST_STEP, min(LARGEST_STEP, value))


@nb.njit(inline="always", error_model="numpy")
def xorshift(state):
    """The next of Marsaglia's 32-bit xorshift numbers (2003), held in 64 bits."""
    state = (state ^ (state << np.uint64(13))) & np.uint64(0xFFFFFFFF)
    state = state ^ (state >> np.uint64(17))
    return (state ^ (state << np.uint64(5))) & np.uint64(0xFFFFFFFF)


@nb.njit(inline="always", fastmath=True, error_model="numpy")
def fast_power(base, exponent):
    """base ** exponent for base > 0 within 1e-4 of the result, without a branch: loops over it vectorise.

    base = 2^e · m; log₂ m on [1, 2) and 2^fraction on [0, 1) by polynomials, exact at both ends.
    """
    bits = f4(base).view(np.int32)
    e = f4((bits >> np.int32(23)) - np.int32(127))
    m = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    log2 = f4(-0.41817134) + m * f4(0.044873968)
    log2 = f4(-2.8076012) + m * (f4(5.1121824) + m * (f4(-3.5720703) + m * (f4(1.6407865) + m * log2)))
    product = max(min((e + log2) * exponent, f4(120)), f4(-120))
    whole = np.floor(product)
    part = product - whole
    two_to_part = f4(0.051808903) + part * f4(0.013697664)
    two_to_part = f4(1) + part * (f4(0.69303280) + part * (f4(0.24146063) + part * two_to_part))
    return two_to_part * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
