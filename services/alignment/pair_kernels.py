"""Compiled loops over the pairs of one head. One row is one query with a run of keys side by side in memory.

The distance of a pair, from the centred Gram matrix g and numbers a of its query and b, s of its key at the present c:
Euclidean √(a + b − 2 g), cosine 1 − (g + b + a₀) · s · a₁ (the rows' a has two columns).
"""

import numba as nb
import numpy as np

# Vectors are finite: no NaN arises, and sums may be taken in any order.
REORDER = {"reassoc", "contract", "nsz", "arcp", "nnan"}


@nb.njit(cache=True, nogil=True, fastmath=REORDER)
def gram_runs(queries, keys, first, stop, offsets, gram):
    """Dot products of every query with its run of keys: gram [pairs], row i at offsets[i]."""
    for i in range(queries.shape[0]):
        for j in range(first[i], stop[i]):
            total = 0.0
            for d in range(queries.shape[1]):
                total += queries[i, d] * keys[j, d]
            gram[offsets[i] + j - first[i]] = total


@nb.njit(cache=True, nogil=True, fastmath=REORDER)
def gram_entries(queries, keys, order, first, stop, offsets, gram):
    """As `gram_runs`, where entry j of the runs is key order[j]: a key may stand there more than once."""
    for i in range(queries.shape[0]):
        for j in range(first[i], stop[i]):
            total = 0.0
            key = order[j]
            for d in range(queries.shape[1]):
                total += queries[i, d] * keys[key, d]
            gram[offsets[i] + j - first[i]] = total


# Loops below run over slices from 0: an index that could be negative would cost a test a pair and the vector units.


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def row_distances(gram, cosine, a0, a1, b, s, out):
    """Distances of one query to its run of keys; all arrays [keys of the run]."""
    if cosine:
        for j in range(len(gram)):
            out[j] = 1.0 - (gram[j] + b[j] + a0) * s[j] * a1
    else:
        for j in range(len(gram)):
            out[j] = np.sqrt(max(a0 + b[j] - 2.0 * gram[j], 0.0))


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def all_distances(gram, begins, first, stop, offsets, cosine, a, b, s, out):
    """Distances of all pairs: out [pairs], row i at offsets[i]."""
    for i in range(len(first)):
        g = gram[begins[i] : begins[i] + stop[i] - first[i]]
        bs, ss = b[first[i] : stop[i]], s[first[i] : stop[i]]
        row_distances(g, cosine, a[i, 0], a[i, 1], bs, ss, out[offsets[i] : offsets[i + 1]])


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def all_dots(gram, begins, first, stop, offsets, u, v, out):
    """g + u + v of all pairs, the dot product less a constant: out [pairs], row i at offsets[i]."""
    for i in range(len(first)):
        g, vs = gram[begins[i] : begins[i] + stop[i] - first[i]], v[first[i] : stop[i]]
        row = out[offsets[i] : offsets[i + 1]]
        for j in range(len(g)):
            row[j] = g[j] + u[i] + vs[j]


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def dot_sums(gram, begins, first, stop, u, v):
    """Σx and Σx² of the dot products of each row: [rows, 2]."""
    sums = np.zeros((len(first), 2))
    for i in range(len(first)):
        g, vs, ui = gram[begins[i] : begins[i] + stop[i] - first[i]], v[first[i] : stop[i]], u[i]
        x1 = 0.0
        x2 = 0.0
        for j in range(len(g)):
            x = g[j] + ui + vs[j]
            x1 += x
            x2 += x * x
        sums[i, 0] = x1
        sums[i, 1] = x2
    return sums


@nb.njit(cache=True, nogil=True, fastmath=REORDER, error_model="numpy")
def measure_rows(gram, begins, first, stop, cosine, a, b, s, u, v, bound, sums, near_d, near_x, near_row):
    """One pass over all pairs at one c.

    sums [rows, 3]: Σd, Σd², Σx·d of each row. Pairs with d ≤ bound are copied to near_*; returns their number,
    which may be larger than the buffers: then only the first are there.
    """
    longest = 0
    for i in range(len(first)):
        longest = max(longest, stop[i] - first[i])
    buffer = np.empty(longest)
    found = 0
    for i in range(len(first)):
        n = stop[i] - first[i]
        g, vs = gram[begins[i] : begins[i] + n], v[first[i] : stop[i]]
        row, ui = buffer[:n], u[i]
        row_distances(g, cosine, a[i, 0], a[i, 1], b[first[i] : stop[i]], s[first[i] : stop[i]], row)
        d1 = 0.0
        d2 = 0.0
        xd = 0.0
        near = 0
        for j in range(n):
            d = row[j]
            d1 += d
            d2 += d * d
            xd += d * (g[j] + ui + vs[j])
            near += d <= bound
        sums[i, 0] = d1
        sums[i, 1] = d2
        sums[i, 2] = xd
        if near == 0:
            continue
        for j in range(n):
            if row[j] <= bound:
                if found < len(near_d):
                    near_d[found] = row[j]
                    near_x[found] = g[j] + ui + vs[j]
                    near_row[found] = i
                found += 1
    return found
