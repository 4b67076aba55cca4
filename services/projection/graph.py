"""Weighted graphs over the points of a head, and UMAP's and t-SNE's ways to weight them."""

from dataclasses import dataclass

import numba as nb
import numpy as np
from scipy import sparse

from services.projection.neighbors import Neighbors

BISECTIONS = 64
TOLERANCE = 1e-5
SMALLEST_SCALE = 1e-3  # umap-learn's MIN_K_DIST_SCALE: no bandwidth below this share of the mean distance


@dataclass(frozen=True)
class Graph:
    """A symmetric weighted graph in compressed rows: row i's edges are at indptr[i]:indptr[i + 1]."""

    indptr: np.ndarray  # int32 [n + 1]
    indices: np.ndarray  # int32 [edges]
    weights: np.ndarray  # float32 [edges], positive

    @classmethod
    def of(cls, matrix: sparse.csr_matrix) -> "Graph":
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return cls(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data.astype(np.float32))


def directed(neighbors: Neighbors, weights: np.ndarray) -> sparse.csr_matrix:
    """One row a point, one entry a neighbour: [n, n]."""
    n, k = neighbors.indices.shape
    indptr = np.arange(0, n * k + 1, k)
    return sparse.csr_matrix((weights.ravel(), neighbors.indices.ravel(), indptr), shape=(n, n))


def fuzzy_union(memberships: sparse.csr_matrix) -> sparse.csr_matrix:
    """Either end's edge will do: A + Aᵀ − A∘Aᵀ (McInnes et al. 2018, algorithm 1)."""
    transposed = memberships.T.tocsr()
    return memberships + transposed - memberships.multiply(transposed)


def fuzzy_graph(neighbors: Neighbors) -> Graph:
    """UMAP's fuzzy simplicial set over k neighbours."""
    return Graph.of(fuzzy_union(directed(neighbors, memberships(neighbors.distances))))


@nb.njit(nogil=True, cache=True, error_model="numpy")
def memberships(distances):
    """exp(−(d − ρ) / σ) with ρ the nearest distance above zero and σ such that a row sums to log₂(k + 1).

    McInnes et al. 2018, algorithms 3 and 2; umap-learn counts the point itself among its k + 1 neighbours.
    distances: float32 [n, k], ascending, the point itself left out → float32 [n, k].
    """
    n, k = distances.shape
    target = np.log2(k + 1.0)
    mean_of_all = distances.mean()
    strength = np.empty((n, k), np.float32)
    for i in range(n):
        rho = 0.0
        for j in range(k):
            if distances[i, j] > 0:
                rho = distances[i, j]
                break
        low, high, sigma = 0.0, np.inf, 1.0
        for _ in range(BISECTIONS):
            total = 0.0
            for j in range(k):
                beyond = distances[i, j] - rho
                total += np.exp(-beyond / sigma) if beyond > 0 else 1.0
            if abs(total - target) < TOLERANCE:
                break
            if total > target:
                high = sigma
            else:
                low = sigma
            sigma = 2 * sigma if high == np.inf else (low + high) / 2
        mean = distances[i].sum() / (k + 1) if rho > 0 else mean_of_all
        sigma = max(sigma, SMALLEST_SCALE * mean)
        for j in range(k):
            beyond = distances[i, j] - rho
            strength[i, j] = np.exp(-beyond / sigma) if beyond > 0 else 1.0
    return strength


def affinity_graph(neighbors: Neighbors, perplexity: float) -> Graph:
    """t-SNE's joint probabilities p_ij = (p_j|i + p_i|j) / 2n, which sum to one (eq. 1 and section 3.1)."""
    joint = directed(neighbors, conditional_probabilities(neighbors.distances, perplexity))
    joint = joint + joint.T
    joint.data /= joint.data.sum()
    return Graph.of(joint.tocsr())


@nb.njit(nogil=True, cache=True, error_model="numpy")
def conditional_probabilities(distances, perplexity):
    """p_j|i ∝ exp(−β_i d_ij²), β_i = 1 / 2σ_i² such that each row has the wanted perplexity.

    van der Maaten & Hinton 2008, eq. 1 and section 2: perplexity = 2^H, here exp(H) with H in nats, found by
    bisection over β. distances: float32 [n, k], ascending → float32 [n, k], rows sum to one.
    """
    n, k = distances.shape
    wanted = np.log(perplexity)
    p = np.empty((n, k), np.float32)
    beyond = np.empty(k, np.float64)
    for i in range(n):
        for j in range(k):  # subtracting the nearest cancels in p and keeps exp from underflowing
            beyond[j] = np.float64(distances[i, j]) ** 2 - np.float64(distances[i, 0]) ** 2
        low, high = 0.0, np.inf
        beta = 1.0 / max(beyond.mean(), 1e-12)
        for _ in range(BISECTIONS):
            total, weighted = 0.0, 0.0
            for j in range(k):
                e = np.exp(-beta * beyond[j])
                total += e
                weighted += e * beyond[j]
            entropy = np.log(total) + beta * weighted / total
            if abs(entropy - wanted) < TOLERANCE:
                break
            if entropy > wanted:
                low = beta
            else:
                high = beta
            beta = 2 * beta if high == np.inf else (low + high) / 2
        total = 0.0
        for j in range(k):
            p[i, j] = np.exp(-beta * beyond[j])
            total += p[i, j]
        for j in range(k):
            p[i, j] /= total
    return p
