"""Any address that is no page."""

import dash
from dash import dcc, html

from components.server.context import context

dash.register_page(__name__)


def layout(**_query: str) -> html.Div:
    prefix = context().settings.url_prefix
    return html.Div(
        [
            html.H1("There is no such page"),
            html.P(
                [
                    "Go to ",
                    dcc.Link("the atlas", href=prefix),
                    " or ",
                    dcc.Link("the guide", href=f"{prefix}guide"),
                    ".",
                ]
            ),
        ],
        className="waiting",
    )
