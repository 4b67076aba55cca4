"""Exact nearest neighbours of one head's cloud: blocked matrix products and a heap, one thread."""

from dataclasses import dataclass

import numba as nb
import numpy as np

from services.projection.watch import Watch

BLOCK = 512
# Candidates kept beyond k: the matrix product ranks with float32 rounding, the exact distances re-rank.
SPARE = 8


@dataclass(frozen=True)
class Neighbors:
    """The k nearest points of each point, itself left out, nearest first."""

    indices: np.ndarray  # int32 [n, k]
    distances: np.ndarray  # float32 [n, k]

    def first(self, k: int) -> "Neighbors":
        return Neighbors(np.ascontiguousarray(self.indices[:, :k]), np.ascontiguousarray(self.distances[:, :k]))

    def with_self(self, k: int) -> "Neighbors":
        """k columns of which the first is the point itself, as umap-learn counts."""
        n = len(self.indices)
        own = np.arange(n, dtype=np.int32)[:, None]
        return Neighbors(
            np.hstack([own, self.indices[:, : k - 1]]),
            np.hstack([np.zeros((n, 1), np.float32), self.distances[:, : k - 1]]),
        )


def exact_neighbors(cloud: np.ndarray, k: int, watch: Watch) -> Neighbors:
    """The k nearest other points of every point of cloud [n, d].

    The cloud must be centred: ‖x‖² + ‖y‖² − 2 x·y in float32 loses neighbours far from the origin.
    """
    cloud = np.ascontiguousarray(cloud, np.float32)
    n = len(cloud)
    k = min(k, n - 1)
    candidates = min(k + SPARE, n - 1)
    indices = np.empty((n, k), np.int32)
    distances = np.empty((n, k), np.float32)
    half_squares = (cloud**2).sum(axis=1) / 2
    for begin in range(0, n, BLOCK):
        watch.check()
        end = min(begin + BLOCK, n)
        # Half the squared distance, less the row's own constant: orders each row alike.
        closeness = cloud[begin:end] @ cloud.T
        np.subtract(half_squares, closeness, out=closeness)
        closeness[np.arange(end - begin), np.arange(begin, end)] = np.inf
        chosen = smallest(closeness, candidates)
        nearest_of(cloud, begin, chosen, indices[begin:end], distances[begin:end])
    return Neighbors(indices, distances)


@nb.njit(nogil=True, cache=True, error_model="numpy")
def smallest(values, k):
    """The columns of the k smallest values in each row [rows, n], in heap order: int32 [rows, k]."""
    rows, n = values.shape
    chosen = np.empty((rows, k), np.int32)
    heap = np.empty(k, np.float32)
    for row in range(rows):
        heap[:] = np.inf
        chosen[row] = -1
        index = chosen[row]
        for begin in range(0, n, 32):
            end = min(begin + 32, n)
            # A whole run of columns is skipped when none of it can enter the heap.
            low = np.float32(np.inf)
            for column in range(begin, end):
                low = min(low, values[row, column])
            if low >= heap[0]:
                continue
            for column in range(begin, end):
                if values[row, column] < heap[0]:
                    sift_down(heap, index, values[row, column], column)
    return chosen


@nb.njit(nogil=True, cache=True, inline="always")
def sift_down(heap, index, value, column):
    """Replace the largest entry, at the root of the max-heap, by value."""
    size = heap.shape[0]
    node = 0
    while True:
        child = 2 * node + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[node] = heap[child]
        index[node] = index[child]
        node = child
    heap[node] = value
    index[node] = column


@nb.njit(nogil=True, cache=True, error_model="numpy")
def nearest_of(cloud, begin, chosen, indices, distances):
    """Exact distances to the chosen candidates, nearest first, equal ones by index."""
    rows, candidates = chosen.shape
    k = indices.shape[1]
    squares = np.empty(candidates, np.float32)
    for row in range(rows):
        ordered = np.sort(chosen[row])
        for c in range(candidates):
            total = np.float32(0)
            for d in range(cloud.shape[1]):
                difference = cloud[begin + row, d] - cloud[ordered[c], d]
                total += difference * difference
            squares[c] = total
        order = np.argsort(squares, kind="mergesort")
        for j in range(k):
            indices[row, j] = ordered[order[j]]
            distances[row, j] = np.sqrt(squares[order[j]])
