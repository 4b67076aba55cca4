"""The tab "Align" of the panel: one head aligned anew while a slider moves, and numbers that say what it is worth."""

import math
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update

from components import ids
from components.choices import labelled
from components.polling import REST, again, asks, poll
from components.scale_note import scale_note
from components.scaling.layouts import progress, visitor
from components.scaling.view import show_options
from components.server.context import context
from components.state.atlas_page import AlignState, AtlasPage, View
from components.still import Still, Tree, still
from components.words import SPACE_NOTES, SPACES
from services.alignment.head_maps import HeadMap
from services.alignment.live import own_alignment
from services.alignment.scale_metrics import CONSTANTS, METRIC_LABELS, METRICS
from services.alignment.study import scales
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.jobs.layouts import drop, layout_of, want
from services.projection import START, follows_alignment, method_label, name_in_text

EXTENT = math.log10(CONSTANTS[-1])
STEP = 0.002


def align_body(atlas: Atlas, stream: StreamInfo, state: AtlasPage, studied: bool) -> html.Div:
    """Content of the tab."""
    view, alignment = state.view, state.alignment
    marks, own_data = head_marks(atlas, stream, view) if view.at_head else ([], None)
    return html.Div(
        [
            dcc.Store(id=ids.ALIGN_OWN, data=own_data),
            dcc.Store(id=ids.ALIGN_REFINED),
            dcc.Store(id=ids.ALIGN_ASKS),
            poll(ids.ALIGN_TICK, 400),
            html.P(
                "Multiplying queries by c, dividing keys by c and moving all keys together changes where points lie, "
                "but not a single attention weight. Only this head moves.",
                className="align-lead",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            html.Label("Scale c", htmlFor=ids.ALIGN_SLIDER, className="field-label"),
                            html.Output(id=ids.ALIGN_C, className="align-c"),
                        ],
                        className="align-c-row",
                    ),
                    dcc.Input(
                        id=ids.ALIGN_SLIDER,
                        type="range",
                        min=-EXTENT,
                        max=EXTENT,
                        step=STEP,
                        value=round(math.log10(alignment.c), 4),
                        className="align-slider",
                    ),
                    html.Div(_constant_ticks(), className="align-ticks", **{"aria-hidden": "true"}),
                    Still(tree=marks, id=ids.ALIGN_OPTIMA, className="align-optima"),
                ],
                className="align-scale",
            ),
            dbc.Checklist(
                id=ids.ALIGN_SWITCHES,
                options=[
                    {"label": "Scale by c", "value": "scale"},
                    {"label": "Translate: both clouds share one centre", "value": "translate"},
                ],
                value=[name for name in ("scale", "translate") if getattr(alignment, name)],
                switch=True,
                class_name="align-switches",
            ),
            html.Div(
                [
                    *labelled(ids.ALIGN_SPACE, "Distance", SPACES, alignment.space),
                    html.P(SPACE_NOTES[alignment.space], id=ids.ALIGN_SPACE_NOTE, className="align-note"),
                ],
                className="field",
            ),
            html.Div(
                [
                    html.Button("Back to the atlas's own", id=ids.ALIGN_RESET, className="text-button", type="button"),
                    html.Div(id=ids.ALIGN_NOTE, className="align-note", role="status"),
                ],
                className="align-actions",
            ),
            Still(tree=still(_numbers())),
            html.Div(
                [
                    html.Label("Scale the atlas by", htmlFor=ids.SCALE_SELECT, className="field-label"),
                    dbc.Select(id=ids.SCALE_SELECT, options=show_options(atlas, studied), value=view.scale),
                    scale_note(),
                    html.A("Compare all heads and constants", id=ids.ALIGN_LINK, href="", className="align-link"),
                ],
                className="field align-all",
            ),
        ],
        className="align",
    )


def _constant_ticks() -> list[html.Span]:
    return [html.Span(f"{c:g}", style={"left": f"{_percent(c):.1f}%"}) for c in CONSTANTS]


def _percent(c: float) -> float:
    return 50 + 50 * math.log10(min(max(c, CONSTANTS[0]), CONSTANTS[-1])) / EXTENT


def _numbers() -> html.Table:
    """Filled by assets/45-align.js from the route `agreement`."""
    columns = ("now-aligned", "now-screen", "own-aligned", "own-screen")
    rows = (
        ("pearson", "Pearson", "over pairs within inputs, distance against dot product"),
        ("spearman", "Spearman", "the same by ranks"),
        ("query_spearman", "Spearman per query", "how well distance ranks the keys of each query, averaged"),
    )
    return html.Table(
        [
            html.Caption("How well near means attended: −1 is perfect. Over 500 sampled queries."),
            html.Thead(
                [
                    html.Tr([html.Td(), html.Th("now", colSpan=2), html.Th("in the atlas", colSpan=2)]),
                    html.Tr([html.Td(), *[html.Th(t) for t in ("aligned", "on the map") * 2]]),
                ]
            ),
            html.Tbody(
                [
                    html.Tr(
                        [
                            html.Th(label, title=title, scope="row"),
                            *[html.Td("–", **{"data-value": f"{column}-{name}"}) for column in columns],
                        ]
                    )
                    for name, label, title in rows
                ]
            ),
        ],
        id=ids.ALIGN_TABLE,
        className="align-table",
    )  # fmt: skip


@callback(
    Output(ids.ALIGN_OPTIMA, "tree"),
    Output(ids.ALIGN_OWN, "data"),
    Input(ids.VIEW, "data"),
)
def mark_optima(view_data: Any) -> tuple[Any, Any]:
    """Buttons at the c of each metric for the open head, and the atlas's own alignment of it."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None or not view.at_head:
        return no_update, no_update
    return head_marks(atlas, stream, view)


def head_marks(atlas: Atlas, stream: StreamInfo, view: View) -> tuple[Tree, dict[str, Any]]:
    """The buttons, and the atlas's own alignment as the browser needs it."""
    layer, head = min(view.layer or 0, stream.layers - 1), min(view.head or 0, stream.heads - 1)
    own = own_alignment(atlas, stream, layer, head)
    study = scales(atlas, stream)
    marks: list[Any] = []
    if study:
        found = [(metric, float(study[metric]["best"][layer, head])) for metric in METRICS]
        for metric, c in sorted(((m, c) for m, c in found if c == c), key=lambda pair: pair[1]):
            marks.append(
                html.Button(
                    [html.Span(METRIC_LABELS[metric]), html.Span(f"{c:.3g}")],
                    type="button",
                    className="align-optimum",
                    title=f"Set c to the best by {METRIC_LABELS[metric].lower()}",
                    **{"data-c": f"{c:.4f}"},
                )
            )
        undefined = [METRIC_LABELS[m] for m, c in found if c != c]
        if undefined:
            marks.append(html.Span(f"Not defined for this head: {', '.join(undefined)}.", className="align-note"))
    return still(marks), {"c": round(own.c, 4), "space": own.space, "layer": layer, "head": head}


@callback(
    Output(ids.ALIGN_REFINED, "data"),
    Output(ids.ALIGN_NOTE, "children"),
    asks(ids.ALIGN_TICK),
    Input(ids.ALIGN_ASKS, "data"),
    Input(ids.ALIGN_TICK, "n_intervals"),
    State(ids.ALIGN, "data"),
    State(ids.VIEW, "data"),
    State(ids.TAB, "data"),
    prevent_initial_call=True,
)
def refine(_asked: Any, ticks: Any, data: Any, view_data: Any, tab: Any) -> tuple[Any, Any, int]:
    """A map that takes a while follows from the present layout, in the layout process; PCA needs none of this."""
    state, view = AlignState.from_store(data), View.from_store(view_data)
    here = context()
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    ours = visitor(tab) + "-align"
    fits = stream is not None and view.at_head and (view.layer or 0) < stream.layers and (view.head or 0) < stream.heads
    if not (atlas and stream and fits and state.on) or view.method == START.name:
        drop(here.jobs, ours)
        return None, None, REST
    if not follows_alignment(view.method):
        name = name_in_text(view.method)
        return None, f"The {name} is made from the dot products themselves, which alignment does not change.", REST
    wanted = HeadMap(atlas, stream, view.layer or 0, view.head or 0, view.ref, state.alignment)
    status = want(here.jobs, [layout_of(wanted, here.settings.maps)], ours)[0]
    if status.state == "ready":
        place = {"method": view.method, "dims": view.dims, "layer": view.layer, "head": view.head}
        return {"alignment": state.alignment.name, **place}, None, REST
    if status.state in ("failed", "busy"):
        return None, f"The map stays as it was: {status.message}", REST
    return None, progress([status], method_label(view.method)), again(ticks)


clientside_callback(
    ClientsideFunction("atlasAlign", "asks"),
    Output(ids.ALIGN_ASKS, "data"),
    Input(ids.ALIGN, "data"),
    Input(ids.VIEW, "data"),
    State(ids.ALIGN_ASKS, "data"),
)
clientside_callback(
    ClientsideFunction("atlasAlign", "choose"),
    Output(ids.ALIGN, "data"),
    Output(ids.ALIGN_C, "children"),
    Output(ids.ALIGN_SLIDER, "value"),
    Output(ids.ALIGN_SWITCHES, "value"),
    Output(ids.ALIGN_SPACE, "value"),
    Output(ids.ALIGN_SPACE_NOTE, "children"),
    Input(ids.ALIGN_SLIDER, "value"),
    Input(ids.ALIGN_SWITCHES, "value"),
    Input(ids.ALIGN_SPACE, "value"),
    Input(ids.ALIGN_RESET, "n_clicks"),
    Input(ids.ALIGN_OWN, "data"),
    State(ids.ALIGN, "data"),
)
clientside_callback(
    ClientsideFunction("atlasAlign", "show"),
    Output(ids.SCENE, "live"),
    Output(ids.ALIGN_LINK, "href"),
    Input(ids.ALIGN, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.ALIGN_REFINED, "data"),
    Input(ids.PANEL_STATE, "data"),
    State(ids.SCENE, "payload"),
    State(ids.SCENE, "projection"),
)
