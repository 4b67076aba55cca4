"""The arrays of a capture while they grow: mapped for writing, filled input by input, read again for the check."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from services.atlas import arrays
from services.atlas.attention import ATTENTION, AttentionBlocks
from services.atlas.schema import StreamInfo
from services.atlas.vectors import KEYS, QUERIES, VALUE_NORMS, vector_shapes
from services.capture import InputCapture
from services.errors import CaptureError


class TooNarrowError(CaptureError):
    """A stream's vectors do not fit float16."""

    def __init__(self, message: str, stream: str) -> None:
        super().__init__(f"{message}: build again without --precision, or with --precision float32.")
        self.stream = stream


def open_arrays(
    folder: Path, blocks: dict[str, AttentionBlocks], precision: Mapping[str, str]
) -> tuple[dict[str, dict[str, np.memmap]], bool]:
    """Map all arrays for writing; the flag tells whether every one goes on from a stopped build."""
    maps: dict[str, dict[str, np.memmap]] = {}
    resumed = True
    for stream, of_stream in blocks.items():
        maps[stream] = {}
        for name, shape in _shapes(of_stream).items():
            dtype = {VALUE_NORMS: "float32", ATTENTION: "float16"}.get(name, precision[stream])
            maps[stream][name], old = _open_array(folder / stream / f"{name}.npy", shape, np.dtype(dtype))
            resumed = resumed and old
    return maps, resumed


def _shapes(blocks: AttentionBlocks) -> dict[str, tuple[int, ...]]:
    shapes = vector_shapes(blocks.stream, len(blocks.tokens.queries), len(blocks.tokens.keys))
    return shapes | ({} if blocks.stream.attention == "none" else {ATTENTION: (blocks.length,)})


def _open_array(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.memmap, bool]:
    """Map an array for writing; True when it is the `.part` of a stopped build and its shape fits."""
    old = arrays.resume(path, shape, dtype)
    return (arrays.create(path, shape, dtype), False) if old is None else (old, True)


class CaptureWriter:
    """Puts the capture of one input into its place in the arrays, and takes it out again."""

    def __init__(self, maps: dict[str, dict[str, np.memmap]], blocks: dict[str, AttentionBlocks]) -> None:
        self._maps, self._blocks = maps, blocks

    def write(self, index: int, item: InputCapture) -> None:
        maps, blocks = self._maps[item.stream], self._blocks[item.stream]
        stream = blocks.stream
        queries, keys = blocks.rows(index)
        _store(maps[QUERIES], (slice(None), slice(None), queries), item.queries, stream, "queries")
        _store(maps[KEYS], (slice(None), slice(None), keys), item.keys, stream, "keys")
        _store(maps[VALUE_NORMS], (slice(None), slice(None), keys), item.value_norms, stream, "value norms")
        if ATTENTION in maps and item.attention is not None:
            weights = item.attention if blocks.banded else blocks.packed(index, item.attention)
            _store(maps[ATTENTION], (blocks.slot(index),), weights, stream, "attention weights")

    def read(self, index: int, stream: StreamInfo) -> InputCapture:
        """What was written of one input, as float32."""
        maps, blocks = self._maps[stream.name], self._blocks[stream.name]
        queries, keys = blocks.rows(index)
        rows = {QUERIES: queries, KEYS: keys, VALUE_NORMS: keys}
        found = {name: np.array(maps[name][:, :, rows[name]], np.float32) for name in rows}
        weights = None
        if ATTENTION in maps:
            weights = np.array(maps[ATTENTION][blocks.slot(index)], np.float32).reshape(stream.layers, stream.heads, -1)
            weights = blocks.unpacked(index, weights)
        return InputCapture(index=index, stream=stream.name, **found, attention=weights)

    def arrays_of(self, stream: StreamInfo) -> list[str]:
        """Names of the arrays of a stream."""
        return list(self._maps[stream.name])

    def is_narrow(self, stream: StreamInfo) -> bool:
        """Whether a stream's vectors are kept in float16."""
        return self._maps[stream.name][QUERIES].dtype == np.float16

    def flush(self) -> None:
        for arrays_of_stream in self._maps.values():
            for array in arrays_of_stream.values():
                array.flush()


def _store(target: np.memmap, place: tuple, values: np.ndarray, stream: StreamInfo, name: str) -> None:
    """Write one input's numbers in the file's precision, refusing what it cannot hold.

    Raises:
        CaptureError: the model gave NaN or infinity.
        TooNarrowError: a value is too large for float16.
    """
    if not np.isfinite(values).all():
        layer, head = (int(n) for n in np.argwhere(~np.isfinite(values))[0][:2])
        raise CaptureError(
            f"The model gives {name} that are not finite numbers in {stream.name} {stream.head_name(layer, head)}: "
            "its weights are damaged, or it needs another input."
        )
    with np.errstate(over="ignore"):
        narrow = values.astype(target.dtype)
    if not np.isfinite(narrow).all():
        raise TooNarrowError(f"The {name} reach {np.abs(values).max():.0f}, too large for float16", stream.name)
    target[place] = narrow.ravel() if target.ndim == 1 else narrow
