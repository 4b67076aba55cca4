"""The page "Heads": all heads of an atlas as points and as a table; find some, see their families, compare them."""

from typing import Any

import dash
from dash import Input, Output, State, callback, html, no_update

from components import ids
from components.heads_view import heads_body
from components.polling import REST, again, asks
from components.scaling.layouts import visitor
from components.server.context import context
from components.state.heads_page import HeadsPage, HeadsState
from components.state.links import mirror_in_address, open_other_atlas
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.errors import AtlasError, NotStoredError
from services.jobs import likeness, wishes
from services.jobs.probes import DIED, PROBE, weights_wish
from services.jobs.wishes import WishStatus
from services.measures import head_map

dash.register_page(__name__, path="/heads", title="Heads · Attention Atlas", name="Heads")


def layout(**query: Any) -> html.Div:
    """The page for the URL's parameters; they come from anyone, so each is checked."""
    found = HeadsPage.open(query, context().library)
    if found is None:
        return html.Div(
            [html.H1("There is no atlas yet"), html.P("Once the first atlas is built, its heads show here.")],
            className="waiting",
        )
    return heads_body(*found)


@callback(
    Output(ids.HEAD_FINDER, "likeness"),
    asks(ids.HEADS_TICK),
    Input(ids.HEADS_TICK, "n_intervals"),
    Input(ids.HEAD_FINDER, "wanted"),
    State(ids.HEAD_FINDER, "state"),
    State(ids.TAB, "data"),
)
def compare(ticks: Any, _wanted: Any, data: Any, tab: Any) -> tuple[Any, int]:
    """Have all heads compared, and tell how far that is; at once where it has been done before."""
    here, state = context(), HeadsState.from_store(data)
    by = state.compared_by()
    atlas = here.library.get(state.atlas)
    if atlas is None:
        return {"state": "none", "says": "This atlas is no longer there.", "by": by}, REST
    stream = atlas.info.stream(state.stream) or atlas.info.default_stream
    try:
        status = _wish(atlas, stream, by, visitor(tab))
    except AtlasError as error:
        return {"state": "none", "says": f"{error} Place heads by two measures instead.", "by": by}, REST
    if status.state == "ready":
        return {"state": "ready", "says": "", "by": by}, REST
    if status.state in ("failed", "busy"):
        return {"state": "none", "says": f"Heads are not compared: {status.message}", "by": by}, REST
    label = status.label or "Comparing heads"
    says = {"state": "waits", "says": f"{label} … {round(100 * status.share)} %", "by": by}
    return says if ticks is not None else no_update, again(ticks)


def _wish(atlas: Atlas, stream: StreamInfo, by: str, visitor: str) -> WishStatus:
    """
    Raises:
        AtlasError: heads cannot be compared so; it says why.
    """
    here = context()
    if by == head_map.WEIGHTS:
        wish = weights_wish(here.settings, atlas, stream, visitor)
        return wishes.want(here.jobs, PROBE, [wish], visitor, DIED)[0]
    if (why := head_map.why_not(atlas, stream)) is not None:
        raise NotStoredError(why)
    return likeness.want(here.jobs, atlas, stream, here.settings.head_maps, visitor)


mirror_in_address("heads")
open_other_atlas("heads", ids.HEADS_ATLAS, ids.HEADS_STREAM)
