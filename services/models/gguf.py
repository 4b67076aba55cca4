"""Numbers and names out of a GGUF file, as llama.cpp's community packs models: metadata, and tensors as float32.

Only the kinds of tensors that a packaged model here has. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md;
the blocks: `block_q4_1`, `block_q8_0` of ggml-common.h there.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
BLOCK = 32  # numbers that share a scale


def q4_1(raw: np.ndarray) -> np.ndarray:
    """Blocks of 32 numbers of 4 bits: w = d·q + m, with d and m as float16; the low halves of 16 bytes come first.

    Args:
        raw: uint8 [blocks × 20].

    Returns:
        float32 [blocks × 32].
    """
    blocks = raw.reshape(-1, 20)
    scales = np.ascontiguousarray(blocks[:, :4]).view("<f2").astype(np.float32)
    steps = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1).astype(np.float32)
    return (steps * scales[:, :1] + scales[:, 1:]).reshape(-1)


def q8_0(raw: np.ndarray) -> np.ndarray:
    """Blocks of 32 numbers of 8 bits: w = d·q, with d as float16.

    Args:
        raw: uint8 [blocks × 34].

    Returns:
        float32 [blocks × 32].
    """
    blocks = raw.reshape(-1, 34)
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    return (np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(np.float32) * scale).reshape(-1)


def f32(raw: np.ndarray) -> np.ndarray:
    """Numbers as they are."""
    return raw.view("<f4").astype(np.float32)


# number of the kind → how it is read, numbers in a block, bytes of a block
KINDS: dict[int, tuple[Callable[[np.ndarray], np.ndarray], int, int]] = {
    0: (f32, 1, 4),
    3: (q4_1, BLOCK, 20),
    8: (q8_0, BLOCK, 34),
}


@dataclass(frozen=True)
class GgufFile:
    """fields: the metadata · shapes: of each tensor, rows first."""

    fields: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    _places: dict[str, tuple[int, int]]
    _data: np.ndarray

    def tensors(self) -> Iterator[tuple[str, np.ndarray]]:
        """Name and float32 numbers of each tensor, one after the other. Raises: ValueError for a kind not read here."""
        for name, (kind, start) in self._places.items():
            if kind not in KINDS:
                raise ValueError(f"{name} is of the kind {kind}")
            read, numbers, size = KINDS[kind]
            shape = self.shapes[name]
            raw = self._data[start : start + int(np.prod(shape)) // numbers * size]
            yield name, read(raw).reshape(shape)


def read_gguf(data: bytes) -> GgufFile:
    """A whole file. Raises: ValueError when it is none, struct.error when it is cut short."""
    if data[:4] != b"GGUF":
        raise ValueError("no GGUF file")
    at = 4

    def number(letter: str) -> Any:
        nonlocal at
        (found,) = struct.unpack_from(f"<{letter}", data, at)
        at += struct.calcsize(f"<{letter}")
        return found

    def text() -> str:
        nonlocal at
        length = number("Q")
        at += length
        return data[at - length : at].decode()

    def value(kind: int) -> Any:
        if kind == _STRING:
            return text()
        if kind == _ARRAY:
            inner, count = number("I"), number("Q")
            return [value(inner) for _ in range(count)]
        return number(_SCALARS[kind])

    number("I")  # the version of the format
    tensors, entries = number("Q"), number("Q")
    fields = {text(): value(number("I")) for _ in range(entries)}
    shapes, offsets = {}, {}
    for _ in range(tensors):
        name = text()
        shapes[name] = tuple(number("Q") for _ in range(number("I")))[::-1]
        offsets[name] = (number("I"), number("Q"))
    step = fields.get("general.alignment", 32)
    begin = -(-at // step) * step
    places = {name: (kind, begin + offset) for name, (kind, offset) in offsets.items()}
    return GgufFile(fields, shapes, places, np.frombuffer(data, np.uint8))
