"""Compiled loops of services.measures.fidelity: what lies near one query or point, in any number of dimensions.

Rows are squared distances to all keys or points. In two and three dimensions they are made here from coordinates
[dims, n]; beyond, a matrix of them comes from a matrix product. Values tied at the border of "near" share the places
that are left.
"""

import numba as nb
import numpy as np

# Rows hold no NaN, and sums may be taken in any order; copies of a point keep their distance of exactly zero.
REORDER = {"reassoc", "contract", "nsz", "arcp", "nnan"}


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def squares_to(place, cloud, row):
    """Squared distances of one place [dims] to a cloud [dims, n] into row [n]."""
    row[:] = 0.0
    for d in range(cloud.shape[0]):
        here, there = place[d], cloud[d]
        for j in range(len(row)):
            row[j] += (there[j] - here) * (there[j] - here)


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def smallest(row, values, places):
    """The len(values) smallest of a row, ascending, and where they are; of equal ones the first."""
    k, n = len(values), len(row)
    values[:] = np.inf
    places[:] = -1
    for begin in range(0, n, 32):
        end = min(begin + 32, n)
        low = np.inf  # a whole run of columns is skipped when none of it can enter
        for j in range(begin, end):
            low = min(low, row[j])
        if low >= values[k - 1]:
            continue
        for j in range(begin, end):
            value = row[j]
            if value >= values[k - 1]:
                continue
            slot = k - 1
            while slot > 0 and values[slot - 1] > value:
                values[slot], places[slot] = values[slot - 1], places[slot - 1]
                slot -= 1
            values[slot], places[slot] = value, j


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def keep_smallest(row, heap):
    """The len(heap) smallest of a row as a max-heap: the largest of them first."""
    n, k = len(row), len(heap)
    heap[:] = np.inf
    for begin in range(0, n, 32):
        end = min(begin + 32, n)
        low = np.inf
        for j in range(begin, end):
            low = min(low, row[j])
        if low >= heap[0]:
            continue
        for j in range(begin, end):
            value = row[j]
            if value >= heap[0]:
                continue
            node = 0
            while True:
                child = 2 * node + 1
                if child >= k:
                    break
                if child + 1 < k and heap[child + 1] > heap[child]:
                    child += 1
                if heap[child] <= value:
                    break
                heap[node] = heap[child]
                node = child
            heap[node] = value


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def share_at(row, border, k, beyond):
    """What one value that ties with the k-th counts for; beyond: the value after the k-th."""
    if beyond > border:
        return 1.0
    less, tied = 0, 0
    for j in range(len(row)):
        less += row[j] < border
        tied += row[j] == border
    return (k - less) / tied


@nb.njit(cache=True, nogil=True, error_model="numpy")
def near_keys(
    shown, places, cloud, few, many, top, begins, best, weights, other_begins, other_best, other_weights, credits
):
    """How many of the keys that matter are near each query.

    shown: [queries, keys], or no column: then from places [queries, dims] and cloud [dims, keys]
    few ≤ many: how many keys count as near for the first and the second credit, fewer than there are
    top: [queries, t] keys of the first credit, −1 for none · best, weights: keys of the second credit and what each
    counts for, query i from begins[i]; other_…: the same of the third credit
    credits: [queries, 3], the first −1 where a query has no key in top
    """
    given = shown.shape[1] > 0
    buffer = np.empty(0 if given else cloud.shape[1])
    heap = np.empty(many + 1)
    values, at = np.empty(few + 1), np.empty(few + 1, np.int64)
    for i in range(len(credits)):
        if given:
            row = shown[i]
        else:
            row = buffer
            squares_to(places[i], cloud, row)
        keep_smallest(row, heap)
        smallest(heap, values, at)
        border = values[few - 1]
        share = share_at(row, border, few, values[few])
        found, count = 0.0, 0
        for t in top[i]:
            if t >= 0:
                count += 1
                found += 1.0 if row[t] < border else share if row[t] == border else 0.0
        credits[i, 0] = found / count if count else -1.0
        border = max(heap[1], heap[min(2, many)])
        share = share_at(row, border, many, heap[0])
        credits[i, 1] = within(row, border, share, begins[i], begins[i + 1], best, weights)
        credits[i, 2] = within(row, border, share, other_begins[i], other_begins[i + 1], other_best, other_weights)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def within(row, border, share, first, stop, best, weights):
    """What the keys best[first:stop] that are near count for together."""
    found = 0.0
    for j in range(first, stop):
        d = row[best[j]]
        found += weights[j] * (1.0 if d < border else share if d == border else 0.0)
    return found


@nb.njit(cache=True, nogil=True, error_model="numpy")
def near_points(shown, cloud, chosen, n_queries, k_mixing, true, ordered, k, found):
    """What is near each chosen point.

    shown: [chosen, points], or no column: then from cloud [dims, points]
    true, ordered: squared distances in the head's space, and each row sorted, the point itself first with −1; no row:
    neighbours are not compared
    found: [chosen, 3]: keys among the k_mixing nearest; how far the k nearest lie beyond the k-th in truth; how many
    of them do not
    """
    n = shown.shape[1] if shown.shape[1] > 0 else cloud.shape[1]
    row = np.empty(n)
    size = max(k, k_mixing) + 1
    values, at = np.empty(size), np.empty(size, np.int64)
    for i in range(len(chosen)):
        if shown.shape[1] > 0:
            row[:] = shown[i]
        else:
            squares_to(cloud[:, chosen[i]], cloud, row)
        row[chosen[i]] = np.inf
        smallest(row, values, at)
        if k_mixing > 0:
            border = values[k_mixing - 1]
            share = share_at(row, border, k_mixing, values[k_mixing])
            keys = 0.0
            for j in range(k_mixing):
                keys += values[j] < border and at[j] >= n_queries
            if values[k_mixing] > border:
                for j in range(k_mixing):
                    keys += values[j] == border and at[j] >= n_queries
            else:
                for j in range(n_queries, n):
                    keys += share * (row[j] == border)
            found[i, 0] = keys
        if len(true):
            late, kept = 0, 0
            for j in range(k):
                distance = true[i, at[j]]
                late += max(np.searchsorted(ordered[i], distance) - k, 0)
                kept += distance <= ordered[i, k]
            found[i, 1], found[i, 2] = late, kept
