"""What the page "Scaling" shows: read from its URL and from its store, both hostile until checked."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from components.state.stores import Store, integer
from services.alignment.variants import METRICS, OWN
from services.atlas import Atlas
from services.atlas.schema import StreamInfo

SCALES = (OWN, *METRICS)


class ScalingState(Store):
    """Head, metric and ways to look; `scale` is the metric that the atlas's maps are made with."""

    atlas: str | None = Field(default=None, max_length=64)
    stream: str = Field(default="self", max_length=32)
    layer: int = Field(default=0, ge=0)
    head: int = Field(default=0, ge=0)
    metric: Literal["weighted", "scaled", "norms", "pearson"] = "scaled"
    values: Literal["grid", "best"] = "grid"
    method: Literal["pca", "umap"] = "pca"
    pairs: Literal["input", "all"] = "input"
    distance: Literal["euclidean", "cosine"] = "euclidean"
    scale: Literal["atlas", "weighted", "scaled", "norms", "pearson"] = "atlas"

    def within(self, atlas: Atlas) -> tuple["ScalingState", StreamInfo]:
        """The nearest state that the atlas has."""
        stream = atlas.info.stream(self.stream) or atlas.info.streams[0]
        layer, head = min(self.layer, stream.layers - 1), min(self.head, stream.heads - 1)
        return self.model_copy(update={"stream": stream.name, "layer": layer, "head": head}), stream


_CHOICES: dict[str, tuple[str, ...]] = {
    "metric": METRICS,
    "values": ("grid", "best"),
    "method": ("pca", "umap"),
    "pairs": ("input", "all"),
    "distance": ("euclidean", "cosine"),
    "scale": SCALES,
}


def from_scaling_query(query: Mapping[str, Any], atlas: Atlas) -> tuple[ScalingState, list[str]]:
    """Read the page's URL parameters against an atlas: the nearest valid state, a sentence for all that was dropped."""
    dropped: list[str] = []
    stream = atlas.info.stream(str(query.get("stream", ""))) or atlas.info.streams[0]
    if "stream" in query and query["stream"] != stream.name:
        dropped.append(f"There is no attention {str(query['stream'])[:32]!r} in this atlas; showing {stream.name}.")
    chosen: dict[str, Any] = {"atlas": atlas.slug, "stream": stream.name}
    for name, allowed in _CHOICES.items():
        if name not in query:
            continue
        if query[name] in allowed:
            chosen[name] = query[name]
        else:
            instead = ScalingState().to_store()[name]
            dropped.append(f"{name}={str(query[name])[:40]!r} is not one of {', '.join(allowed)}; using {instead}.")
    for name, size in (("layer", stream.layers), ("head", stream.heads)):
        if name not in query:
            continue
        number = integer(query[name])
        if number is not None and 0 <= number < size:
            chosen[name] = number
        else:
            dropped.append(f"There is no {name} {str(query[name])[:12]!r}; showing {name} 0.")
    return ScalingState(**chosen), dropped
