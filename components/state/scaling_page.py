"""Every choice that a reader shares on the page "Scaling", each declared once (components/state/declare.py)."""

from typing import Annotated, Any, Self, get_args

from pydantic import Field

from components import ids
from components.state.declare import OneOf, Parsed, Store
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


def _place(parameter: str, size: str, control: str) -> Parsed:
    """Layer or head: a number below the stream's `size`."""

    def read(link: Link, default: Any) -> Any:
        if parameter not in link:
            return default
        number = link.integer(parameter)
        if number is not None and 0 <= number < getattr(link.stream, size):
            return number
        link.drop(f"There is no {parameter} {link.shown(parameter, 12)}; showing {parameter} 0.")
        return default

    return Parsed(by=read, always=True, control=control)


class ScalingState(Store):
    """Head, metric and ways to look; `scale` is the metric that the atlas's maps are made with."""

    id = "scaling-state"
    atlas: AtlasSlug = None
    stream: StreamName = ""
    layer: Annotated[int, Field(ge=0), _place("layer", "layers", ids.SCALING_LAYER)] = 0
    head: Annotated[int, Field(ge=0), _place("head", "heads", ids.SCALING_HEAD)] = 0
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
