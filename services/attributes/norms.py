"""Norms of queries and keys: the one attribute of a point that differs by head.

‖q‖ and ‖k‖ are of the vectors as the model dots them, before the alignment of the map, so that they are the model's
own. Two scales: `norm` runs from the smallest to the largest norm of one head, queries and keys together (as in
Yeh et al. 2023), `norm_common` from the smallest to the largest of all heads of the stream.
"""

import threading
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo

STEPS = 128  # as services.attributes.registry.SIDE_STEPS
PER_HEAD, COMMON = "norm", "norm_common"
NAMES = (PER_HEAD, COMMON)
_one_at_a_time = threading.Lock()  # a browser asks for several heads at once: read the vectors once


def head_norms(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> np.ndarray:
    """float32 [queries + keys]: ‖q‖ of each query, then ‖k‖ of each key; the vectors are read one head at a time."""
    vectors = atlas.vectors(stream)
    return np.concatenate([_norms(vectors.queries(layer, head)), _norms(vectors.keys(layer, head))])


def _norms(vectors: np.ndarray) -> np.ndarray:
    wide = np.asarray(vectors, dtype=np.float32)
    return np.sqrt(np.einsum("nd,nd->n", wide, wide))


def norm_ranges(atlas: Atlas, stream: StreamInfo) -> np.ndarray:
    """float32 [layers, heads, 2]: smallest and largest norm of each head, read once for an opened atlas."""
    with _one_at_a_time:
        return _ranges(atlas, stream.name)


@lru_cache(maxsize=16)
def _ranges(atlas: Atlas, name: str) -> np.ndarray:
    stream = atlas.stream(name)
    ranges = np.empty((stream.layers, stream.heads, 2), dtype=np.float32)
    for layer in range(stream.layers):
        for head in range(stream.heads):
            norms = head_norms(atlas, stream, layer, head)
            ranges[layer, head] = norms.min(initial=np.inf), norms.max(initial=0)
    return ranges


def norm_range(atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int) -> tuple[float, float]:
    """Ends of the scale of one head, or of all heads."""
    ranges = norm_ranges(atlas, stream)
    if name == COMMON:
        return float(ranges[..., 0].min()), float(ranges[..., 1].max())
    return float(ranges[layer, head, 0]), float(ranges[layer, head, 1])


def head_steps(atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int) -> np.ndarray:
    """uint8 [queries + keys]: 0 … 127 from the low to the high end of the scale; 0 where the ends are equal."""
    norms = head_norms(atlas, stream, layer, head)
    if name == COMMON:
        low, high = norm_range(atlas, stream, name, layer, head)
    else:
        low, high = float(norms.min(initial=np.inf)), float(norms.max(initial=0))
    if not high > low:
        return np.zeros(len(norms), dtype=np.uint8)
    return np.rint((norms - low) / (high - low) * (STEPS - 1)).clip(0, STEPS - 1).astype(np.uint8)
