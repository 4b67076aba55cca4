"""Descent of the coupled objective (services.projection.coupled): momentum and gains as in t-SNE.

Each step takes the repulsion from a part of the points, another every step. Places are [dims, n], dims 2 or 3, so that
the inner loops read memory in order.
"""

import numba as nb
import numpy as np

from services.projection.coupled import Coupled
from services.projection.parameters import (
    COUPLED_GROUPS,
    COUPLED_ITERATIONS,
    COUPLED_LONGEST_STEP,
    COUPLED_ORDER,
    COUPLED_ORDER_ON_QUERIES,
)
from services.projection.tsne_kernel import GAIN_DOWN, GAIN_LEAST, GAIN_UP, MOMENTUM, attraction, repulsion
from services.projection.watch import Watch

f4 = np.float32


class Forces:
    """The gradient of the objective; one object a descent, for each step uses normalisers of the last."""

    def __init__(self, problem: Coupled, dims: int, n: int) -> None:
        self.problem, self.n, self.n_queries = problem, n, problem.n_queries
        n_queries, n_keys = problem.n_queries, n - problem.n_queries
        self.attractive = np.empty((dims, n), np.float32)
        self.ordering = np.empty((dims, n), np.float32)
        # Of each query against keys, and the other way round: Σ w, Σ w² d, Σ w² d / Σ w of the source.
        self.of_queries = np.empty((1 + 2 * dims, n_queries), np.float32)
        self.of_keys = np.empty((1 + 2 * dims, n_keys), np.float32)
        self.among_queries = np.empty((dims, n_queries), np.float32)
        self.among_keys = np.empty((dims, n_keys), np.float32)
        self.normalisers: tuple[np.ndarray, np.ndarray] | None = None

    def gradient(self, places: np.ndarray, some: tuple[np.ndarray, np.ndarray], order_weight: float) -> np.ndarray:
        """float32 [dims, n]. some: which queries and which keys (counted from the first key) repel in this step."""
        problem, n_queries, n_keys = self.problem, self.n_queries, self.n - self.n_queries
        dims = len(places)
        graph, (to_keys, to_queries, same_kind), joint = problem.graph, problem.weights, problem.joint
        queries, keys = places[:, :n_queries], places[:, n_queries:]
        from_queries, from_keys = np.ascontiguousarray(queries[:, some[0]]), np.ascontiguousarray(keys[:, some[1]])
        by_queries, by_keys = f4(n_queries / len(some[0])), f4(n_keys / len(some[1]))  # what one source stands for
        if self.normalisers is None:
            across(queries, from_keys, np.zeros(len(some[1]), np.float32), self.of_queries)
            across(keys, from_queries, np.zeros(len(some[0]), np.float32), self.of_keys)
            self.normalisers = self.of_queries[0] * by_keys, self.of_keys[0] * by_queries
        of_queries, of_keys = self.of_queries, self.of_keys
        across(queries, from_keys, 1 / self.normalisers[1][some[1]], of_queries)
        across(keys, from_queries, 1 / self.normalisers[0][some[0]], of_keys)
        z_queries, z_keys = of_queries[0] * by_keys, of_keys[0] * by_queries
        self.normalisers = z_queries, z_keys
        # Each source meets itself with w = 1 once, which is no pair.
        pairs_queries = max(repulsion(queries, from_queries, self.among_queries) - len(some[0]), 1e-12)
        pairs_keys = max(repulsion(keys, from_keys, self.among_keys) - len(some[1]), 1e-12)
        total = pairs_queries * by_queries + pairs_keys * by_keys + float(z_queries.sum()) + float(z_keys.sum())
        plain, weighed = slice(1, 1 + dims), slice(1 + dims, 1 + 2 * dims)
        coupled, even = f4(1 - joint), f4(joint / total)
        a, m, kind = f4(0.5 * to_keys / n_queries), f4(0.5 * to_queries / n_keys), f4(same_kind)
        push = np.empty_like(places)
        push[:, :n_queries] = coupled * (
            a * by_keys / z_queries * of_queries[plain]
            + m * by_keys * of_queries[weighed]
            + kind / f4(pairs_queries) * self.among_queries
        ) + even * (by_keys * of_queries[plain] + by_queries * self.among_queries)
        push[:, n_queries:] = coupled * (
            a * by_queries * of_keys[weighed]
            + m * by_queries / z_keys * of_keys[plain]
            + kind / f4(pairs_keys) * self.among_keys
        ) + even * (by_queries * of_keys[plain] + by_keys * self.among_keys)
        attraction(places, graph.indptr, graph.indices, graph.weights, self.attractive)
        gradient = f4(4) * (self.attractive - push)
        if order_weight > 0:
            order = problem.order
            squared = f4(max(float(places.var(axis=1).sum()), 1e-12))
            order_force(
                places, n_queries, order.queries, order.over_keys, order.keys, order.over_some, squared,
                f4(order_weight), self.ordering,
            )  # fmt: skip
            self.ordering[:, :n_queries] *= f4(COUPLED_ORDER_ON_QUERIES)
            gradient += self.ordering
        return gradient


def coupled_descent(
    problem: Coupled,
    start: np.ndarray,
    seed: int,
    watch: Watch,
    iterations: int = COUPLED_ITERATIONS,
    groups: int = COUPLED_GROUPS,
) -> np.ndarray:
    """From start [n, dims] down the objective, whose term of order fades to nothing: float32 [n, dims]."""
    places = np.ascontiguousarray(start.T, np.float32)
    dims, n = places.shape
    n_queries = problem.n_queries
    velocity, gains = np.zeros_like(places), np.ones_like(places)
    forces = Forces(problem, dims, n)
    rng = np.random.default_rng(seed)
    turns = rng.permutation(n_queries), rng.permutation(n - n_queries)
    groups = max(1, min(groups, n_queries, n - n_queries))
    for iteration in range(iterations):
        watch.check()
        now = slice(iteration % groups, None, groups)
        some = turns[0][now], turns[1][now]
        gradient = forces.gradient(places, some, COUPLED_ORDER * (1 - iteration / iterations))
        longest = f4(COUPLED_LONGEST_STEP * np.sqrt(float(places.var(axis=1).sum())))
        step(places, velocity, gains, gradient, f4(n), f4(MOMENTUM), longest)
        places -= places.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(places.T)


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def step(places, velocity, gains, gradient, rate, momentum, longest):
    """One step down the gradient [dims, n], in place, for no point longer than `longest`."""
    for d in range(places.shape[0]):
        for i in range(places.shape[1]):
            if (gradient[d, i] > 0) != (velocity[d, i] > 0):
                gains[d, i] += GAIN_UP
            else:
                gains[d, i] = max(gains[d, i] * GAIN_DOWN, GAIN_LEAST)
            velocity[d, i] = momentum * velocity[d, i] - rate * gains[d, i] * gradient[d, i]
    for i in range(places.shape[1]):
        squared = f4(0)
        for d in range(places.shape[0]):
            squared += velocity[d, i] * velocity[d, i]
        short = longest / np.sqrt(squared) if squared > longest * longest else f4(1)
        for d in range(places.shape[0]):
            velocity[d, i] *= short
            places[d, i] += velocity[d, i]


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def across(points, sources, weight, found):
    """Of each point against sources j of the other kind: Σ w, Σ w² d (dims rows), Σ weight_j w² d (dims rows)."""
    dims, count = points.shape[0], sources.shape[1]
    sx, sy, sz = sources[0], sources[1], sources[dims - 1]
    for i in range(points.shape[1]):
        x, y, z = points[0, i], points[1, i], points[dims - 1, i]
        row, ax, ay, az, bx, by, bz = f4(0), f4(0), f4(0), f4(0), f4(0), f4(0), f4(0)
        if dims == 2:
            for j in range(count):
                dx, dy = x - sx[j], y - sy[j]
                w = f4(1) / (f4(1) + dx * dx + dy * dy)
                row += w
                w *= w
                ax += w * dx
                ay += w * dy
                w *= weight[j]
                bx += w * dx
                by += w * dy
        else:
            for j in range(count):
                dx, dy, dz = x - sx[j], y - sy[j], z - sz[j]
                w = f4(1) / (f4(1) + dx * dx + dy * dy + dz * dz)
                row += w
                w *= w
                ax += w * dx
                ay += w * dy
                az += w * dz
                w *= weight[j]
                bx += w * dx
                by += w * dy
                bz += w * dz
            found[3, i], found[6, i] = az, bz
        found[0, i], found[1, i], found[2, i], found[1 + dims, i], found[2 + dims, i] = row, ax, ay, bx, by


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def order_force(places, n_queries, some, over_keys, landmarks, over_some, squared, weight, found):
    """Gradient of weight · mean KL(R ‖ W), W ∝ s² / (s² + d²): queries feel landmark keys, keys landmark queries."""
    dims, n = places.shape
    n_keys, count = n - n_queries, len(landmarks)
    marked, keys = np.empty((3, count), np.float32), np.zeros((3, n_keys), np.float32)
    keys[:dims] = places[:, n_queries:]
    for c in range(count):
        marked[:, c] = keys[:, landmarks[c]]
    w = np.empty(max(n_keys, count), np.float32)
    fx, fy, fz = np.zeros(n_keys, np.float32), np.zeros(n_keys, np.float32), np.zeros(n_keys, np.float32)
    at = np.zeros(3, np.float32)
    scale = f4(2) * weight / (squared * f4(n_queries))
    for i in range(n_queries):
        at[:dims] = places[:, i]
        per_total = nearness(at, marked[0], marked[1], marked[2], over_some[i], squared, w)
        x, y, z = order_on_query(at, marked[0], marked[1], marked[2], over_some[i], w, per_total)
        found[0, i], found[1, i] = scale * x, scale * y
        if dims == 3:
            found[2, i] = scale * z
    scale = f4(2) * weight / (squared * f4(len(some)))
    for a in range(len(some)):
        at[:dims] = places[:, some[a]]
        per_total = nearness(at, keys[0], keys[1], keys[2], over_keys[a], squared, w)
        order_on_keys(at, keys[0], keys[1], keys[2], over_keys[a], w, per_total, scale, fx, fy, fz)
    found[0, n_queries:], found[1, n_queries:] = fx, fy
    if dims == 3:
        found[2, n_queries:] = fz


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def nearness(at, kx, ky, kz, wanted, squared, w):
    """w of a query's place to keys, 0 where wanted < 0 (hidden), and one over their sum."""
    x, y, z, total = at[0], at[1], at[2], f4(0)
    for j in range(len(kx)):
        dx, dy, dz = x - kx[j], y - ky[j], z - kz[j]
        one = squared / (squared + dx * dx + dy * dy + dz * dz)
        w[j] = one if wanted[j] >= f4(0) else f4(0)
        total += w[j]
    return f4(1) / total if total > f4(0) else f4(0)


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def order_on_query(at, kx, ky, kz, wanted, w, per_total):
    x, y, z = at[0], at[1], at[2]
    fx, fy, fz = f4(0), f4(0), f4(0)
    for j in range(len(kx)):
        force = (wanted[j] - w[j] * per_total) * w[j]
        fx += force * (x - kx[j])
        fy += force * (y - ky[j])
        fz += force * (z - kz[j])
    return fx, fy, fz


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def order_on_keys(at, kx, ky, kz, wanted, w, per_total, scale, fx, fy, fz):
    x, y, z = at[0], at[1], at[2]
    for j in range(len(kx)):
        force = scale * (w[j] * per_total - wanted[j]) * w[j]
        fx[j] += force * (x - kx[j])
        fy[j] += force * (y - ky[j])
        fz[j] += force * (z - kz[j])
