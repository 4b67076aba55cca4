"""The ends of an attribute's scale in every head, for attributes that differ from head to head."""

import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo

EndsOfHead = Callable[[Atlas, StreamInfo, int, int], tuple[float, float]]  # of a layer and head

_one_at_a_time = threading.Lock()  # a browser asks for several heads at once: read the vectors once


def head_ranges(atlas: Atlas, stream: StreamInfo, ends: EndsOfHead) -> np.ndarray:
    """float32 [layers, heads, 2]: the ends of each head's scale, read once for an opened atlas."""
    with _one_at_a_time:
        return _ranges(atlas, stream.name, ends)


@lru_cache(maxsize=32)
def _ranges(atlas: Atlas, name: str, ends: EndsOfHead) -> np.ndarray:
    stream = atlas.stream(name)
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    found = np.array([ends(atlas, stream, *cell) for cell in cells], dtype=np.float32)
    return found.reshape(stream.layers, stream.heads, 2)
