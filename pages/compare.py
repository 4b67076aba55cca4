"""The page "Compare": two heads of one atlas or of two, linked, and what sets them apart."""

from typing import Any

import dash
from dash import Input, Output, State, callback, html, no_update

from components import ids
from components.compare_view import compare_body
from components.polling import REST, again, asks
from components.scaling.layouts import visitor
from components.server.context import context
from components.state.compare_page import ComparePage, CompareState
from components.state.links import mirror_in_address
from services.alignment.sharing import sharing
from services.errors import AtlasError
from services.jobs import changes

dash.register_page(__name__, path="/compare", title="Compare · Attention Atlas", name="Compare")


def layout(**query: Any) -> html.Div:
    """The page for the URL's parameters; they come from anyone, so each is checked."""
    found = ComparePage.open(query, context().library)
    if found is None:
        return html.Div(
            [
                html.H1("There is no atlas yet"),
                html.P("Once the first atlas is built, its heads can be compared here."),
            ],
            className="waiting",
        )
    return compare_body(*found)


@callback(
    Output(ids.HEAD_COMPARE, "changes"),
    asks(ids.COMPARE_TICK),
    Input(ids.COMPARE_TICK, "n_intervals"),
    Input(ids.HEAD_COMPARE, "wanted"),
    State(ids.HEAD_COMPARE, "state"),
    State(ids.TAB, "data"),
    prevent_initial_call=True,
)
def compare_all(ticks: Any, wanted: Any, data: Any, tab: Any) -> tuple[Any, int]:
    """Have all heads of both streams compared, and tell how far that is."""
    if wanted is not True:
        return no_update, REST
    here, state = context(), CompareState.from_store(data)
    atlas, other = here.library.get(state.atlas), here.library.get(state.other)
    stream = atlas.info.stream(state.stream) if atlas else None
    its = other.info.stream(state.stream2) if other else None
    if atlas is None or other is None or stream is None or its is None:
        return {"state": "none", "says": "One of the atlases is no longer there."}, REST
    try:
        sharing(atlas, stream, other, its)
        for one in (atlas.attention(stream), other.attention(its)):
            one.check_kept()
    except AtlasError as error:
        return {"state": "none", "says": str(error)}, REST
    status = changes.want(here.jobs, (atlas, stream, other, its), here.settings.head_maps, visitor(tab))
    if status.state == "ready":
        return {"state": "ready", "says": ""}, REST
    if status.state in ("failed", "busy"):
        return {"state": "none", "says": f"Heads are not compared: {status.message}"}, REST
    says = f"{status.label or 'Comparing all heads'} … {round(100 * status.share)} %"
    return {"state": "waits", "says": says}, again(ticks)


mirror_in_address("compare")
