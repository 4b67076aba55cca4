"""The page "Scaling": which c each head takes, by which metric, and what c does to a head."""

from typing import Any

import dash
from dash import html

from components.scaling import callbacks as scaling_callbacks  # noqa: F401  (they register callbacks)
from components.scaling import layouts as scaling_umap  # noqa: F401  (they register callbacks)
from components.scaling.view import scaling_body
from components.server.context import context
from components.state.scaling_page import ScalingPage

dash.register_page(__name__, path="/scaling", title="Scaling · Attention Atlas", name="Scaling")


def layout(**query: Any) -> html.Div:
    """The page for the URL's parameters; they come from anyone, so each is checked."""
    found = ScalingPage.open(query, context().library)
    if found is None:
        return html.Div(
            [html.H1("There is no atlas yet"), html.P("Once the first atlas is built, its scaling study shows here.")],
            className="waiting",
        )
    return scaling_body(*found)
