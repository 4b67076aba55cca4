"""The page "Scaling": which c each head takes, by which metric, and what c does to a head."""

from typing import Any

import dash
from dash import html

from components.scaling import callbacks as scaling_callbacks  # noqa: F401  (they register callbacks)
from components.scaling import layouts as scaling_umap  # noqa: F401  (they register callbacks)
from components.scaling.view import scaling_body
from components.server.context import context
from components.state.scaling import from_scaling_query
from components.state.stores import once
from services.alignment.study import scales

dash.register_page(__name__, path="/scaling", title="Scaling · Attention Atlas", name="Scaling")


def layout(**query: Any) -> html.Div:
    """The page for the URL's parameters; they come from anyone, so each is checked."""
    here = context()
    dropped: list[str] = []
    query = once(query, dropped)
    atlas = here.library.get(query.get("atlas")) or here.library.first()
    if atlas is None:
        return html.Div(
            [html.H1("There is no atlas yet"), html.P("Once the first atlas is built, its scaling study shows here.")],
            className="waiting",
        )
    state, more = from_scaling_query(query, atlas)
    dropped += more
    if "atlas" in query and query["atlas"] != atlas.slug:
        dropped.insert(0, f"There is no readable atlas {str(query['atlas'])[:64]!r}; showing {atlas.info.title}.")
    stream = atlas.stream(state.stream)
    studied = scales(atlas, stream) is not None
    return scaling_body(here.library.entries(), atlas, stream, state, dropped, here.settings.url_prefix, studied)
