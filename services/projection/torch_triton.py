"""Forces between points as Triton kernels: a GPU keeps every pair in its registers instead of in its memory.

Triton comes with PyTorch's builds for CUDA; `services.projection.torch_forces` decides whether it can be used.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS, CHUNK = 64, 64  # points a program has, sources it holds at once
EDGES = 128  # edges of a point held at once


# Triton takes names in annotations for globals: none here but its own.
@triton.jit
def _pairs(
    points,
    sources,
    weight,
    sums,
    plain,
    weighed,
    n,
    n_sources,
    DIMS: tl.constexpr,
    WEIGHED: tl.constexpr,
    ROWS: tl.constexpr,
    CHUNK: tl.constexpr,
) -> None:
    head = tl.program_id(1)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    inside = rows < n
    at = (head * n + rows) * DIMS
    x = tl.load(points + at, mask=inside, other=0.0)
    y = tl.load(points + at + 1, mask=inside, other=0.0)
    z = tl.load(points + at + DIMS - 1, mask=inside, other=0.0)
    total = tl.zeros([ROWS], tl.float32)
    to_x, to_y, to_z = tl.zeros([ROWS], tl.float32), tl.zeros([ROWS], tl.float32), tl.zeros([ROWS], tl.float32)
    by_x, by_y, by_z = tl.zeros([ROWS], tl.float32), tl.zeros([ROWS], tl.float32), tl.zeros([ROWS], tl.float32)
    for begin in range(0, n_sources, CHUNK):
        columns = begin + tl.arange(0, CHUNK)
        there = columns < n_sources
        of = (head * n_sources + columns) * DIMS
        gap_x = x[:, None] - tl.load(sources + of, mask=there, other=0.0)[None, :]
        gap_y = y[:, None] - tl.load(sources + of + 1, mask=there, other=0.0)[None, :]
        squared = gap_x * gap_x + gap_y * gap_y
        gap_z = gap_y
        if DIMS == 3:
            gap_z = z[:, None] - tl.load(sources + of + 2, mask=there, other=0.0)[None, :]
            squared += gap_z * gap_z
        w = tl.where(there[None, :], 1.0 / (1.0 + squared), 0.0)
        total += tl.sum(w, 1)
        w = w * w
        to_x += tl.sum(w * gap_x, 1)
        to_y += tl.sum(w * gap_y, 1)
        if DIMS == 3:
            to_z += tl.sum(w * gap_z, 1)
        if WEIGHED:
            w = w * tl.load(weight + head * n_sources + columns, mask=there, other=0.0)[None, :]
            by_x += tl.sum(w * gap_x, 1)
            by_y += tl.sum(w * gap_y, 1)
            if DIMS == 3:
                by_z += tl.sum(w * gap_z, 1)
    tl.store(sums + head * n + rows, total, mask=inside)
    tl.store(plain + at, to_x, mask=inside)
    tl.store(plain + at + 1, to_y, mask=inside)
    if DIMS == 3:
        tl.store(plain + at + 2, to_z, mask=inside)
    if WEIGHED:
        tl.store(weighed + at, by_x, mask=inside)
        tl.store(weighed + at + 1, by_y, mask=inside)
        if DIMS == 3:
            tl.store(weighed + at + 2, by_z, mask=inside)


@triton.jit
def _edges(points, starts, columns, weights, force, DIMS: tl.constexpr, EDGES: tl.constexpr) -> None:
    row = tl.program_id(0).to(tl.int64)
    x = tl.load(points + row * DIMS)
    y = tl.load(points + row * DIMS + 1)
    z = tl.load(points + row * DIMS + DIMS - 1)
    to_x, to_y, to_z = tl.zeros([EDGES], tl.float32), tl.zeros([EDGES], tl.float32), tl.zeros([EDGES], tl.float32)
    first, last = tl.load(starts + row), tl.load(starts + row + 1)
    for begin in range(first, last, EDGES):
        places = begin + tl.arange(0, EDGES)
        there = places < last
        of = tl.load(columns + places, mask=there, other=0) * DIMS
        p = tl.load(weights + places, mask=there, other=0.0)
        gap_x = x - tl.load(points + of, mask=there, other=0.0)
        gap_y = y - tl.load(points + of + 1, mask=there, other=0.0)
        squared = gap_x * gap_x + gap_y * gap_y
        gap_z = gap_y
        if DIMS == 3:
            gap_z = z - tl.load(points + of + 2, mask=there, other=0.0)
            squared += gap_z * gap_z
        p = p / (1.0 + squared)
        to_x += p * gap_x
        to_y += p * gap_y
        if DIMS == 3:
            to_z += p * gap_z
    tl.store(force + row * DIMS, tl.sum(to_x, 0))
    tl.store(force + row * DIMS + 1, tl.sum(to_y, 0))
    if DIMS == 3:
        tl.store(force + row * DIMS + 2, tl.sum(to_z, 0))


def pairs(points: Tensor, sources: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """`torch_forces.pairs_of`, see there."""
    points, sources = points.contiguous(), sources.contiguous()
    heads, n, dims = points.shape
    sums, plain = points.new_empty(heads, n), torch.empty_like(points)
    weighed = torch.empty_like(points) if weight is not None else plain
    by = weight.contiguous() if weight is not None else sums
    grid = (triton.cdiv(n, ROWS), heads)
    _pairs[grid](points, sources, by, sums, plain, weighed, n, sources.shape[1], dims, weight is not None, ROWS, CHUNK)
    return sums, plain, weighed


def edges(points: Tensor, starts: Tensor, columns: Tensor, weights: Tensor) -> Tensor:
    """Σ_j p_ij w_ij (y_i − y_j) [n, dims]; edges of point i are those from starts[i] to starts[i + 1]."""
    points = points.contiguous()
    force = torch.empty_like(points)
    _edges[(len(points),)](points, starts, columns, weights, force, points.shape[1], EDGES)
    return force
