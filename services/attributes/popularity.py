"""How popular a key is: what the average query gives it beyond the average key, as a logit.

popularity of k = q̄·(k − k̄) · scaling, q̄ and k̄ the means over the corpus. The preference map is made of the rest:
q·k = (q − q̄)·(k − k̄) + q̄·(k − k̄) + a constant of the query. Queries have none and stand at the popularity 0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.attribute import Described, Place, Scale
from services.attributes.ranges import head_ranges

WITHIN = (0.01, 0.99)  # the ends of a head's scale, as quantiles: a few sinks must not make all other keys equal


def key_popularity(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> np.ndarray:
    """float64 [keys]; NaN where a key is not finite."""
    vectors = atlas.vectors(stream)
    queries, keys = (
        np.asarray(side(layer, head), dtype=np.float64) for side in (vectors.queries, vectors.keys)
    )  # fmt: skip
    queries, finite = queries[np.isfinite(queries).all(axis=1)], np.isfinite(keys).all(axis=1)
    found = np.full(len(keys), np.nan)
    if len(queries) and finite.any():
        found[finite] = (keys[finite] - keys[finite].mean(axis=0)) @ queries.mean(axis=0) * stream.scaling[layer]
    return found


def popularity_ranges(atlas: Atlas, stream: StreamInfo) -> np.ndarray:
    """float32 [layers, heads, 2]: the ends of each head's scale."""
    return head_ranges(atlas, stream, _ends_of_head)


def _ends_of_head(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> tuple[float, float]:
    return _ends(key_popularity(atlas, stream, layer, head))


def _ends(popularity: np.ndarray) -> tuple[float, float]:
    known = popularity[np.isfinite(popularity)]
    low, high = np.quantile(known, WITHIN) if len(known) else (0.0, 0.0)
    return float(low), float(high)


@dataclass(frozen=True, kw_only=True)
class PopularityAttribute(Described):
    """On each head's own scale."""

    scope: Literal["token", "head"] = "head"

    def available(self, atlas: Atlas) -> str | None:
        return None

    def values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        """0 … 1 from the low to the high end of the scale, 0.5 where the ends are equal."""
        if place is None:
            raise KeyError(self.name)
        found = self.column_values(atlas, stream, place)
        low, high = _ends(found[atlas.points(stream)[0] :])
        return np.clip((found - low) / (high - low), 0, 1) if high > low else np.full(len(found), 0.5)

    def scale(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> Scale | None:
        return Scale(*popularity_ranges(atlas, stream)[place].tolist()) if place else None

    def ranges(self, atlas: Atlas, stream: StreamInfo) -> np.ndarray | None:
        return popularity_ranges(atlas, stream)

    def column_values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        if place is None:
            raise KeyError(self.name)
        popularity = key_popularity(atlas, stream, *place)
        return np.concatenate([np.zeros(atlas.points(stream)[0]), np.nan_to_num(popularity)])


POPULARITY = PopularityAttribute(
    name="popularity",
    label="Popularity of a key",
    kind="sequential",
    explain="What the average query gives a key beyond the average key, q̄·(k − k̄) in logits, on each head's own scale: "
    "+1 is e times the attention. A query has none: 0.",
    low="unpopular",
    high="popular",
)
