"""The bytes that the browser reads of a probe, in the shapes of an input of the corpus (docs/payload.md)."""

from typing import Any

import numpy as np

from services.atlas import Atlas
from services.atlas.layouts import head_frames, quantise
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.probe.compare import difference
from services.probe.kept import KeptProbe


def sides(probe: KeptProbe, stream: StreamInfo) -> dict[str, Any]:
    """Text and tokens of a probe, and how many pairs of them the stream's mask shows."""

    def side(table: str) -> dict[str, Any]:
        tokens = probe.tokens(table)
        return {"first": 0, "tokens": tokens["text"], "special": [int(flag) for flag in tokens["special"]]}

    return {
        "text": probe.text,
        "queries": side(stream.query_table),
        "keys": side(stream.key_table),
        "pairs": probe.pairs[stream.name],
    }


def attention(probe: KeptProbe, stream: StreamInfo, layer: int, head: int) -> bytes:
    """uint16 [queries, keys]: attention weight × 65535, rounded."""
    return np.ascontiguousarray(probe.array(stream, "attention")[layer, head], "<u2").tobytes()


def values(probe: KeptProbe, stream: StreamInfo, layer: int, head: int) -> bytes:
    """float32 [keys]: norm of the value vector of each key."""
    return probe.array(stream, "value_norms")[layer, head // stream.group].astype("<f4").tobytes()


def places(probe: KeptProbe, projection: ProjectionInfo, atlas: Atlas, whole: bool) -> bytes:
    """uint16 [layers × heads, queries + keys, dims]: places in the frame of each head, as the map's own points.

    Raises:
        KeyError: it has not been placed into this map.
    """
    found = probe.places(projection)
    if found is None:
        raise KeyError(projection.name)
    frame = head_frames(atlas, projection.stream, projection.name, whole)
    return quantise(found.reshape(-1, *found.shape[2:]), frame).tobytes()


def compared(one: KeptProbe, other: KeptProbe, stream: StreamInfo) -> dict[str, Any]:
    """How differently each head attends on two probes: `distance` layer after layer, None where it is not defined."""
    found = difference(one, other, stream)
    distance = [None if np.isnan(value) else round(float(value), 4) for value in found.distance.ravel()]
    return {"distance": distance, "matched": found.matched, "queries": list(found.queries)}
