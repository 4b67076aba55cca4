"""The bytes that the browser reads of a probe, in the shapes of an input of the corpus (docs/payload.md)."""

from typing import Any

import numpy as np

from services.atlas import Atlas
from services.atlas.layouts import head_frames, quantise
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads.images import as_png, rolled_out_of
from services.payloads.pair import PairNumbers, numbers_of
from services.payloads.why import Row, added_for_place
from services.probe.compare import difference
from services.probe.kept import UNIT, KeptProbe


def sides(probe: KeptProbe, stream: StreamInfo) -> dict[str, Any]:
    """Text and tokens of a probe, and how many pairs of them the stream's mask shows."""

    def side(table: str) -> dict[str, Any]:
        tokens = probe.tokens(table)
        return {"first": 0, "tokens": tokens["text"], "special": [int(flag) for flag in tokens["special"]]}

    return {
        **({"image": probe.image} if probe.image else {}),
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


def image(probe: KeptProbe) -> bytes:
    """PNG of an image as the model saw it. Raises: KeyError: it is a text."""
    return as_png(probe.pixels())


def of_token(probe: KeptProbe, stream: StreamInfo, position: int, side: str) -> bytes:
    """uint16 [layers, heads, tokens]: weight × 65535 of one token in every head.

    Raises:
        IndexError: there is no such token.
    """
    weights = probe.array(stream, "attention")
    if not 0 <= position < weights.shape[2 if side == "query" else 3]:
        raise IndexError(position)
    found = weights[:, :, position] if side == "query" else weights[:, :, :, position]
    return np.ascontiguousarray(found, "<u2").tobytes()


def rolled_out(probe: KeptProbe, stream: StreamInfo, layer: int) -> bytes:
    """uint16 [tokens, tokens]: attention rollout × 65535 up to a layer."""
    weights = probe.array(stream, "attention")
    return rolled_out_of(weights[below] / UNIT for below in range(layer + 1))


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


def pair(
    probe: KeptProbe, stream: StreamInfo, place: tuple[int, int], query: int, key: int, map: ProjectionInfo | None
) -> PairNumbers:
    """Numbers of a query and a key of a probe in one head; on a map into which it was placed also their distance there.

    Raises:
        IndexError: there is no such token. KeyError: the probe was removed meanwhile.
    """
    layer, head = place
    found = row(probe, stream, layer, head, query)
    if not 0 <= key < len(found.keys):
        raise IndexError(key)
    placed = probe.places(map) if map is not None else None
    first = probe.lengths(stream)[0]
    ends = None if placed is None else (placed[layer, head, query], placed[layer, head, first + key])
    return numbers_of(probe.atlas, stream, layer, head, found, key, map, ends)


def compared(one: KeptProbe, other: KeptProbe, stream: StreamInfo) -> dict[str, Any]:
    """How differently each head attends on two probes: `distance` layer after layer, None where it is not defined."""
    found = difference(one, other, stream)
    distance = [None if np.isnan(value) else round(float(value), 4) for value in found.distance.ravel()]
    return {"distance": distance, "matched": found.matched, "queries": list(found.queries)}


def row(probe: KeptProbe, stream: StreamInfo, layer: int, head: int, query: int) -> Row:
    """One query of a probe and all its keys, as services.payloads.why reads them.

    Raises:
        IndexError: there is no such query.
        KeyError: the probe was removed meanwhile.
    """
    n_queries, n_keys = probe.lengths(stream)
    if not 0 <= query < n_queries:
        raise IndexError(query)
    flags = [probe.info["global"][table] for table in stream.tables]
    known = [None if one is None else np.asarray(one, bool) for one in flags]
    return Row(
        query=probe.array(stream, "queries")[layer, head, query].astype(np.float64),
        keys=probe.array(stream, "keys")[layer, head // stream.group].astype(np.float64),
        visible=stream.mask.visible(n_queries, n_keys, *known)[query],
        scaling=stream.scaling[layer],
        added=added_for_place(probe.atlas, stream, layer, head, query, n_keys),
        weights=probe.array(stream, "attention")[layer, head, query].astype(np.float64) / UNIT,
        norms=probe.array(stream, "value_norms")[layer, head // stream.group].astype(np.float64),
        hidden_terms=stream.additive and probe.atlas.vectors(stream).position_bias(layer, head) is None,
    )
