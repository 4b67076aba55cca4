"""The legend of the present colouring: marker shapes, colours, ends of scales and one sentence."""

from collections.abc import Sequence

from dash import html

from components.palettes import Theme, palette
from services.attributes import SIDE_STEPS, Attribute

_SIDES = (("query", "Queries", 0), ("key", "Keys", SIDE_STEPS))


def legend(attribute: Attribute, theme: Theme) -> html.Div:
    """Legend of one attribute in one theme."""
    colours = palette(attribute, theme)
    rows = [_row(side, title, colours[start : start + SIDE_STEPS], attribute) for side, title, start in _SIDES]
    return html.Div([*rows, html.P(attribute.explain, className="legend-note")], className="legend")


def _row(side: str, title: str, colours: Sequence[str], attribute: Attribute) -> html.Div:
    marker = html.Span(className=f"legend-marker legend-marker-{side}", style={"--marker": colours[SIDE_STEPS // 2]})
    return html.Div(
        [marker, html.Span(title, className="legend-side"), *_scale(colours, attribute)], className="legend-row"
    )


def _scale(colours: Sequence[str], attribute: Attribute) -> list:
    if attribute.kind == "sequential":
        stops = ", ".join(colours[i] for i in range(0, SIDE_STEPS, 21))
        bar = html.Span(className="legend-bar", style={"background": f"linear-gradient(to right, {stops})"})
        return [
            html.Span(attribute.low, className="legend-end"),
            bar,
            html.Span(attribute.high, className="legend-end"),
        ]
    if len(attribute.categories) < 2:
        return []
    return [
        html.Span(
            [html.Span(className="legend-swatch", style={"background": colours[number]}), label],
            className="legend-category",
        )
        for number, label in enumerate(attribute.categories)
    ]
