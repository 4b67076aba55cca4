"""The Export menu in the head of the map. What its buttons do is in assets/41-export.js."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import ids


def _button(what: str, label: str, says: str) -> html.Button:
    return html.Button(
        label, className="text-button export-button", type="button", **{"data-export": what, "aria-label": says}
    )


def _line(label: str, *controls: Any) -> html.Div:
    return html.Div([html.Span(label, className="export-label"), *controls], className="export-line")


def _files(what: str, label: str) -> html.Div:
    return _line(
        label,
        _button(f"{what}.csv", "CSV", f"{label} as CSV"),
        _button(f"{what}.parquet", "Parquet", f"{label} as Parquet"),
    )


def export_menu(pictures: bool = False) -> html.Details:
    """Pictures, tables and the one-file page of the present view; pictures: the inputs are images."""
    return html.Details(
        [
            html.Summary("Export", className="text-button"),
            html.Div(
                [
                    html.H2("Picture of this view", className="export-title"),
                    html.Div(
                        [
                            dbc.Checkbox(id=ids.EXPORT_WHITE, label="White background", value=True),
                            html.Label("Size", htmlFor=ids.EXPORT_SCALE, className="export-label"),
                            dbc.Select(
                                id=ids.EXPORT_SCALE,
                                options=[{"label": f"×{n}", "value": str(n)} for n in (1, 2, 3)],
                                value="2",
                            ),
                        ],
                        className="export-line",
                    ),
                    _line(
                        "With title, legend and source",
                        _button("png", "PNG", "Picture as PNG"),
                        _button("svg", "SVG", "Picture as SVG"),
                    ),
                    *(
                        [
                            _line(
                                "The image beside it",
                                _button("image.png", "PNG", "Image as PNG"),
                                _button("image.svg", "SVG", "Image as SVG"),
                            )
                        ]
                        if pictures
                        else []
                    ),
                    html.Div(
                        [
                            html.H2("Data of this head", className="export-title"),
                            dbc.Checkbox(id=ids.EXPORT_SET, label="Only the set", value=False),
                            *(
                                _files(what, label)
                                for what, label in (
                                    ("tokens", "Tokens, all attributes"),
                                    ("coordinates", "Coordinates of the atlas's own map"),
                                    ("attention-input", "Attention, this input"),
                                    ("attention", "Attention, all inputs"),
                                )
                            ),
                            _line("What the tab Why says", _button("why.csv", "CSV", "The tab Why as CSV")),
                            html.H2("A page that opens offline", className="export-title"),
                            _line(
                                "Plotly figure of the atlas's own map",
                                _button("html", "HTML", "This head as one HTML file"),
                            ),
                        ],
                        className="export-head",
                    ),
                    html.H2("Numbers of all heads", className="export-title"),
                    _files("measures", "Every measure of every head"),
                    html.P("Open a head to take its data along.", className="export-none"),
                    html.P(id=ids.EXPORT_STATUS, className="export-status", role="status"),
                ],
                className="menu-body export-menu",
            ),
        ],
        id=ids.EXPORT,
        className="menu",
    )
