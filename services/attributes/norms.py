"""Norms of queries and keys: an attribute of a point that differs by head.

‖q‖ and ‖k‖ are of the vectors as the model dots them, before the alignment of the map, so that they are the model's
own. Two scales: NORM runs from the smallest to the largest norm of one head, queries and keys together (as in
Yeh et al. 2023), COMMON_NORM from the smallest to the largest of all heads of the stream.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.attribute import Column, Described, Place, Scale
from services.attributes.ranges import head_ranges


def head_norms(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> np.ndarray:
    """float32 [queries + keys]: ‖q‖ of each query, then ‖k‖ of each key; the vectors are read one head at a time."""
    vectors = atlas.vectors(stream)
    return np.concatenate([_norms(vectors.queries(layer, head)), _norms(vectors.keys(layer, head))])


def _norms(vectors: np.ndarray) -> np.ndarray:
    wide = np.asarray(vectors, dtype=np.float32)
    return np.sqrt(np.einsum("nd,nd->n", wide, wide))


def norm_ranges(atlas: Atlas, stream: StreamInfo) -> np.ndarray:
    """float32 [layers, heads, 2]: smallest and largest norm of each head."""
    return head_ranges(atlas, stream, _ends)


def _ends(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> tuple[float, float]:
    norms = head_norms(atlas, stream, layer, head)
    return norms.min(initial=np.inf), norms.max(initial=0)


@dataclass(frozen=True, kw_only=True)
class NormAttribute(Described):
    """The norm on each head's own scale, or, `common`, on one for all heads of the stream."""

    common: bool
    scope: Literal["token", "head"] = "head"

    def available(self, atlas: Atlas) -> str | None:
        return None

    def values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        """0 … 1 from the low to the high end of the scale; 0 where the ends are equal."""
        if place is None:
            raise KeyError(self.name)
        norms = head_norms(atlas, stream, *place)
        low, high = float(norms.min(initial=np.inf)), float(norms.max(initial=0))
        if self.common:
            low, high = _common(atlas, stream)
        return (norms - low) / (high - low) if high > low else np.zeros(len(norms), np.float32)

    def scale(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> Scale | None:
        if self.common:
            return Scale(*_common(atlas, stream))
        return Scale(*norm_ranges(atlas, stream)[place].tolist()) if place else None

    def ranges(self, atlas: Atlas, stream: StreamInfo) -> np.ndarray | None:
        return None if self.common else norm_ranges(atlas, stream)

    def column_values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        if place is None:
            raise KeyError(self.name)
        vectors = atlas.vectors(stream)
        sides = vectors.queries(*place), vectors.keys(*place)
        return np.concatenate([np.linalg.norm(np.asarray(side, dtype=np.float64), axis=1) for side in sides])


def _common(atlas: Atlas, stream: StreamInfo) -> tuple[float, float]:
    ranges = norm_ranges(atlas, stream)
    return float(ranges[..., 0].min()), float(ranges[..., 1].max())


NORM = NormAttribute(
    name="norm",
    label="Embedding norm",
    kind="sequential",
    explain="Length of the query or key vector, on each head's own scale: colours of two heads cannot be compared.",
    common=False,
    low="shortest",
    high="longest",
    choice="each head",
    choices="Scale of the norm: of each head, or common to all heads",
    sizes="Size by vector norm in a head",
    column=Column(
        "norm", "Norm", "float64", "Length of the query or key vector in this head.", 70, 86, export="norm_in_head"
    ),
)
COMMON_NORM = NormAttribute(
    name="norm_common",
    label="Embedding norm",
    kind="sequential",
    explain="Length of the query or key vector, on one scale for all heads: the same colour is the same length.",
    common=True,
    low="shortest",
    high="longest",
    family="norm",
    choice="all heads",
)
