"""The body of the page "Scaling": the study of c as a reader of it expects it, figure by figure."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.atlas_fields import atlas_select, stream_select
from components.catalogue import scene_colour, scene_payload
from components.choices import choice_field, field
from components.head_scene import HeadScene
from components.layers import layer_numbers, layer_options
from components.polling import poll
from components.scaling.figures import CONFIG, EXTENT, gradient
from components.server.context import context
from components.shell import model_notes, notice
from components.state.scaling_page import SCALES, ScalingPage, ScalingState
from components.words import title
from services.alignment.scale_metrics import CONSTANTS, METRIC_LABELS, METRICS
from services.alignment.study import scales
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo
from services.attributes.registry import PLAIN, Attribute, listed, why_not
from services.payloads.scene import chunk_size
from services.projection import methods

EXPLAIN = {
    "weighted": "Correlation of distance and dot product over the nearest 0.5 % of pairs, nearer pairs weighing more; "
    "the c closest to −1.",
    "scaled": "The same, times the head's share of all heads' near pairs at that c: a constant that leaves hardly any "
    "pair near counts less.",
    "norms": "c = √(median ‖k‖ / median ‖q‖): scaled queries and keys get the same median norm.",
    "pearson": "Plain correlation of distance and dot product over all pairs; the c closest to −1.",
}
_COLUMNS = 4


def scaling_body(atlas: Atlas, page: ScalingPage) -> html.Div:
    """The page for one state."""
    here, state = context(), page.scaling
    stream = atlas.stream(state.stream)
    studied, prefix = scales(atlas, stream) is not None, here.settings.url_prefix
    return html.Div(
        [
            layer_numbers(stream),
            *page.components(),
            poll(ids.SCALING_TICK, 600),
            html.Div(notice(page.dropped)),
            _intro(),
            _toolbar(here.library.entries(), atlas, stream, state, prefix, studied),
            html.Ul(model_notes(atlas.info.model.notes), className="facts scaling-facts"),
            *([] if studied else [_no_study(atlas)]),
            _best_scales(stream, studied),
            html.H2(
                id=ids.SCALING_TITLE,
                className="scaling-head-title",
                children=title(stream.number(state.layer), state.head),
            ),
            _constants(atlas, stream, state, prefix),
            html.Div([_curves(), _distances(state)], className="scaling-pair"),
        ],
        className="scaling",
    )


def _intro() -> html.Div:
    return html.Div(
        [
            html.H1("Scaling: when does near mean attended?"),
            html.P(
                "A map can show attention only if distance follows the dot product of query and key. Multiplying all "
                "queries by c and dividing all keys by c leaves every attention weight as it is, but changes the "
                "distances. This page shows which c each head takes, by four alignments to choose it, and what c does."
            ),
        ],
        className="scaling-intro",
    )


def show_options(atlas: Atlas, studied: bool) -> list[dict[str, Any]]:
    """Choices of "Scale the atlas by"."""
    own = atlas.info.alignment.scale
    built = f"{METRIC_LABELS.get(own, 'no metric, c = 1')} (as built)"
    labels = {"atlas": built, **METRIC_LABELS}
    return [
        {"label": labels[name], "value": name, "disabled": name != "atlas" and not studied}
        for name in SCALES
        if name != own
    ]


def _toolbar(
    entries: Sequence[Entry], atlas: Atlas, stream: StreamInfo, state: ScalingState, prefix: str, studied: bool
) -> html.Div:
    heads = [{"label": str(head), "value": str(head)} for head in range(stream.heads)]
    return html.Div(
        [
            atlas_select(ids.SCALING_ATLAS, entries, atlas),
            stream_select(ids.SCALING_STREAM, atlas, stream),
            _number_select(ids.SCALING_LAYER, "Layer", layer_options(stream), state.layer),
            _number_select(ids.SCALING_HEAD, "Head", heads, state.head),
            field(
                "Metric",
                dbc.Select(
                    id=ids.SCALING_METRIC,
                    options=[{"label": METRIC_LABELS[m], "value": m} for m in METRICS],
                    value=state.metric,
                ),
                ids.SCALING_METRIC,
            ),
            choice_field(
                ids.SCALING_VALUES, "Best c", {"grid": "of the constants", "best": "anywhere between"}, state.values
            ),
            html.Div(
                [
                    html.Label("Scale the atlas by", htmlFor=ids.SCALING_SHOW, className="field-label"),
                    html.Div(
                        [
                            dbc.Select(id=ids.SCALING_SHOW, options=show_options(atlas, studied), value=state.scale),
                            html.A(
                                "Open this head in the atlas", id=ids.SCALING_LINK, href=prefix, className="text-button"
                            ),
                        ],
                        className="search-row",
                    ),
                ],
                className="field",
            ),
        ],
        className="toolbar scaling-toolbar",
        role="toolbar",
        **{"aria-label": "What the page shows"},
    )


def _number_select(id: str, label: str, options: list[dict[str, Any]], value: int) -> html.Div:
    return field(label, dbc.Select(id=id, options=options, value=str(value)), id)


def _no_study(atlas: Atlas) -> html.Div:
    return html.Div(
        [
            html.P(
                f"{atlas.info.title} was built without the scaling study, so the best c of its heads is not known yet. "
                "The small maps and the distance plot below work all the same."
            ),
            html.Button("Study all heads now", id=ids.SCALING_STUDY, className="text-button", type="button"),
            html.Div(id=ids.SCALING_STUDY_NOTE, role="status"),
            poll(ids.SCALING_STUDY_TICK, 1000),
        ],
        className="scaling-empty",
    )


def _best_scales(stream: StreamInfo, studied: bool) -> html.Section:
    figures = [
        html.Figure(
            [
                html.Figcaption(
                    [
                        html.Strong(METRIC_LABELS[metric]),
                        html.Span(id=f"{ids.SCALING_IN_USE}-{metric}", className="in-use"),
                        html.P(EXPLAIN[metric]),
                    ]
                ),
                dcc.Graph(id=ids.scaling_map(metric), config=CONFIG, className="scaling-map"),
            ],
            className="scaling-figure",
        )
        for metric in METRICS
    ]
    return html.Section(
        [
            html.H2("The best c of every head"),
            html.P(
                "One row a layer, one column a head. Click a cell, or choose layer and head above, to see what c does "
                "to that head. Grey cells with a cross are not defined; hover says why.",
                className="scaling-lead",
            ),
            _colour_bar(),
            html.Div(figures, className="scaling-grid"),
        ],
        className="" if studied else "d-none",
    )


def _colour_bar() -> html.Div:
    import math

    ticks = [html.Span(f"{c:g}", style={"left": f"{50 + 50 * math.log10(c) / EXTENT:.1f}%"}) for c in CONSTANTS]
    return html.Div(
        [
            html.Span("keys grow ←", className="scaling-bar-end"),
            html.Div(
                [
                    html.Div(
                        className="scaling-bar-colours", id=ids.SCALING_BAR, style={"background": gradient("light")}
                    ),
                    html.Div(ticks, className="scaling-bar-ticks"),
                ],
                className="scaling-bar",
            ),
            html.Span("→ queries grow", className="scaling-bar-end"),
        ],
        className="scaling-bar-row",
        role="img",
        **{"aria-label": "Colours: purple for c below 1, orange for c above 1, logarithmic"},
    )


def constants_payload(atlas: Atlas, stream: StreamInfo, prefix: str) -> dict[str, Any]:
    """The scene's payload with constants in place of heads: two rows of four."""
    whole = scene_payload(atlas, stream, prefix)
    return {**whole, "gaps": [], "thumbnail": None, "layers": 2, "heads": _COLUMNS, "chunk": chunk_size(2 * _COLUMNS)}


def common_attributes(atlas: Atlas) -> list[Attribute]:
    """What the small maps can be coloured by: attributes of a token, the same in every map."""
    return [a for a in listed() if a.scope == "token" and not why_not(atlas, a)]


def _constants(atlas: Atlas, stream: StreamInfo, state: ScalingState, prefix: str) -> html.Section:
    return html.Section(
        [
            html.H3("This head at each constant"),
            html.P(
                "Queries and keys after scaling by c and translating, each map with equal axes. The framed map is the "
                "one the metric chooses; the last is the best c anywhere. Click a map to open it.",
                className="scaling-lead",
            ),
            html.Div(
                [
                    choice_field(ids.SCALING_METHOD, "Map", _methods(), state.method),
                    field(
                        "Colour by",
                        dbc.Select(
                            id=ids.SCALING_COLOUR,
                            options=[{"label": a.label, "value": a.name} for a in common_attributes(atlas)],
                            value=PLAIN.name,
                        ),
                        ids.SCALING_COLOUR,
                    ),
                    html.Div(id=ids.SCALING_CONSTANTS_NOTE, className="scaling-note", role="status"),
                ],
                className="scaling-controls",
            ),
            HeadScene(
                id=ids.SCALING_SCENE,
                className="scene scaling-scene",
                payload=constants_payload(atlas, stream, prefix),
                projection=None,
                colour=scene_colour(atlas, stream, PLAIN.name, "light"),
                labels=True,
                whole=True,
                theme="light",
            ),
        ]
    )


def _methods() -> dict[str, str]:
    """Methods that the study shows at each constant."""
    return {
        method.name: method.label + (", cosine distance" if method.study_space == "cosine" else "")
        for method in reversed(methods())
        if method.study_space
    }


def _curves() -> html.Section:
    return html.Section(
        [
            html.H3("Every metric over c"),
            html.P(
                "Markers are the constants of the study, lines go between them. Dotted: the c each metric takes.",
                className="scaling-lead",
            ),
            dcc.Graph(id=ids.SCALING_CURVES, config=CONFIG, className="scaling-chart"),
            html.Div(id=ids.SCALING_CURVES_NOTE, className="scaling-note"),
        ]
    )


def _distances(state: ScalingState) -> html.Section:
    return html.Section(
        [
            html.H3("Distance against dot product"),
            html.P(
                "If near is to mean attended, the cloud falls from top left to bottom right. Translating (only "
                "after) makes queries and keys one cloud, but loosens the correlation; a good c wins some of it back.",
                className="scaling-lead",
            ),
            html.Div(
                [
                    choice_field(
                        ids.SCALING_PAIRS, "Pairs", {"input": "within an input", "all": "all of a sample"}, state.pairs
                    ),
                    choice_field(
                        ids.SCALING_DISTANCE, "Distance", {"euclidean": "Euclidean", "cosine": "cosine"}, state.distance
                    ),
                ],
                className="scaling-controls",
            ),
            dcc.Graph(id=ids.SCALING_DENSITY, config=CONFIG, className="scaling-chart"),
            html.Div(id=ids.SCALING_DENSITY_TABLE),
        ]
    )
