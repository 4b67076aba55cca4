"""The legend of the present colouring: marker shapes, colours, ends of scales and one sentence."""

from collections.abc import Sequence

from dash import html

from components.brush import scale_bar, side_button, value_button
from components.palettes import Name, Theme, palette
from services.attributes.attribute import SIDE_STEPS, Scale
from services.attributes.registry import Attribute

_MOST_TWICE = 5  # categories; more are listed once for both sides
_SIDES = (("query", "Queries", 0), ("key", "Keys", SIDE_STEPS))


def legend(attribute: Attribute, theme: Theme, name: Name = "safe", scale: Scale | None = None) -> html.Div:
    """Legend of one attribute in one theme and palette; `scale` puts numbers to its ends."""
    colours = palette(attribute, theme, name)
    if len(attribute.categories) > _MOST_TWICE:
        rows = [_both_sides(colours, attribute)]
    else:
        rows = [
            _row(side, title, colours[start : start + SIDE_STEPS], attribute, scale) for side, title, start in _SIDES
        ]
    return html.Div([*rows, html.P(attribute.explain, className="legend-note")], className="legend")


def _both_sides(colours: Sequence[str], attribute: Attribute) -> html.Div:
    """Many categories are listed once, each with the marker of its queries and that of its keys."""
    entries = [
        value_button(
            [_marker(side, colours[start + number]) for side, _, start in _SIDES] + [label], attribute.name, number
        )
        for number, label in enumerate(attribute.categories)
    ]
    shapes = html.Span(
        ["Discs are ", side_button(0, "queries"), ", triangles are ", side_button(1, "keys"), ":"],
        className="legend-side",
    )
    return html.Div([shapes, *entries], className="legend-row legend-many")


def _row(side: str, title: str, colours: Sequence[str], attribute: Attribute, scale: Scale | None) -> html.Div:
    sequential = attribute.kind == "sequential"
    number = [name for name, _, _ in _SIDES].index(side)
    if attribute.kind == "colour":  # of the points themselves
        return html.Div([_marker(side, "currentColor"), side_button(number, title)], className="legend-row")
    marker = _marker(side, colours[SIDE_STEPS // 2]) if sequential or len(attribute.categories) < 2 else None
    return html.Div(
        [marker, side_button(number, title), *_scale(side, colours, attribute, scale)],
        className="legend-row",
    )


def _marker(side: str, colour: str) -> html.Span:
    """Discs are queries and triangles are keys, as in the picture."""
    return html.Span(className=f"legend-marker legend-marker-{side}", style={"--marker": colour})


def _scale(side: str, colours: Sequence[str], attribute: Attribute, scale: Scale | None) -> list:
    if attribute.kind == "sequential":
        low, high = (scale.text(0), scale.text(1)) if scale else (attribute.low, attribute.high)
        stops = ", ".join(colours[i] for i in [*range(0, SIDE_STEPS, 21), SIDE_STEPS - 1])
        bar = scale_bar(attribute.name, style={"background": f"linear-gradient(to right, {stops})"})
        return [html.Span(low, className="legend-end"), bar, html.Span(high, className="legend-end")]
    if len(attribute.categories) < 2:
        return []
    return [
        value_button([_marker(side, colours[number]), label], attribute.name, number)
        for number, label in enumerate(attribute.categories)
    ]
