"""Every choice that a reader shares on the page "Scaling", each declared once (components/state/declare.py)."""

from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import Field

from components import ids
from components.state.declare import LayerNumber, OneOf, Parsed, Store
from components.state.link import Link
from components.state.page import AtlasSlug, PageState, StreamName
from services.alignment.comparison import Pairs
from services.alignment.scale_metrics import METRICS
from services.alignment.variants import OWN
from services.atlas import Atlas
from services.atlas.schema import Distance, StreamInfo
from services.projection import START, methods

SCALES = (OWN, *METRICS)
_METHODS = tuple(method.name for method in reversed(methods()) if method.study_space)
_NOT_ONE = "{name}={value} is not one of {allowed}; using {instead}."


def _head(link: Link, default: int) -> int:
    number = link.integer("head")
    if "head" not in link or (number is not None and 0 <= number < link.stream.heads):
        return default if number is None else number
    link.drop(f"There is no head {link.shown('head', 12)}; showing head 0.")
    return default


@dataclass(frozen=True, kw_only=True)
class Layer(LayerNumber):
    """The first of the stream where a link names none that it has."""

    def value(self, link: Link, default: Any) -> int | None:
        row = super().value(link, None)
        if row is None and self.parameter in link:
            first = link.stream.number(0)
            link.drop(f"There is no layer {link.shown('layer', 12)}; showing layer {first}.")
        return default if row is None else row


class ScalingState(Store):
    """Head, metric and ways to look; `scale` is the metric that the atlas's maps are made with."""

    id = "scaling-state"
    atlas: AtlasSlug = None
    stream: StreamName = ""
    layer: Annotated[int, Field(ge=0), Layer(always=True, control=ids.SCALING_LAYER)] = 0
    head: Annotated[int, Field(ge=0), Parsed(by=_head, always=True, control=ids.SCALING_HEAD)] = 0
    metric: Annotated[str, OneOf(values=METRICS, sentence=_NOT_ONE, control=ids.SCALING_METRIC)] = "scaled"
    values: Annotated[str, OneOf(values=("grid", "best"), sentence=_NOT_ONE, control=ids.SCALING_VALUES)] = "grid"
    method: Annotated[str, OneOf(values=_METHODS, sentence=_NOT_ONE, control=ids.SCALING_METHOD)] = START.name
    pairs: Annotated[Pairs, OneOf(values=get_args(Pairs), sentence=_NOT_ONE, control=ids.SCALING_PAIRS)] = "input"
    distance: Annotated[Distance, OneOf(values=get_args(Distance), sentence=_NOT_ONE, control=ids.SCALING_DISTANCE)] = (
        "euclidean"
    )
    scale: Annotated[str, OneOf(values=SCALES, sentence=_NOT_ONE, control=ids.SCALING_SHOW)] = OWN

    def within(self, atlas: Atlas) -> tuple[Self, StreamInfo]:
        """The nearest state that the atlas has."""
        stream = atlas.info.stream(self.stream) or atlas.info.default_stream
        layer, head = min(self.layer, stream.layers - 1), min(self.head, stream.heads - 1)
        return self.model_copy(update={"stream": stream.name, "layer": layer, "head": head}), stream


class ScalingPage(PageState):
    """All that a link to the page says."""

    path = "scaling"
    scaling: ScalingState
