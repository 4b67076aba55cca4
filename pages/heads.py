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
from services.jobs import likeness
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
    State(ids.HEAD_FINDER, "state"),
    State(ids.TAB, "data"),
)
def compare(ticks: Any, data: Any, tab: Any) -> tuple[Any, int]:
    """Have all heads compared, and tell how far that is; at once where it has been done before."""
    here, state = context(), HeadsState.from_store(data)
    atlas = here.library.get(state.atlas)
    if atlas is None:
        return {"state": "none", "says": "This atlas is no longer there."}, REST
    stream = atlas.info.stream(state.stream) or atlas.info.default_stream
    if (why := head_map.why_not(atlas, stream)) is not None:
        return {"state": "none", "says": f"{why} Place heads by two measures instead."}, REST
    status = likeness.want(here.jobs, atlas, stream, here.settings.head_maps, visitor(tab))
    if status.state == "ready":
        return {"state": "ready", "says": ""}, REST
    if status.state in ("failed", "busy"):
        return {"state": "none", "says": f"Heads are not compared: {status.message}"}, REST
    says = {"state": "waits", "says": f"{status.label or 'Comparing heads'} … {round(100 * status.share)} %"}
    return says if ticks is not None else no_update, again(ticks)


mirror_in_address("heads")
open_other_atlas("heads", ids.HEADS_ATLAS, ids.HEADS_STREAM)
