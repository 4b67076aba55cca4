"""What is known of one head on one map: warnings, every measure with a sentence and a grade, and its alignment."""

from typing import Any

from dash import Input, Output, callback, html

from components import ids
from components.catalogue import method_label
from components.server.context import context
from components.state.atlas_page import View
from services.atlas import Atlas, ProjectionRef
from services.atlas.schema import StreamInfo
from services.measures.fidelity import Fidelity
from services.measures.registry import BY_NAME, DEFAULT, MEASURES, Measure
from services.measures.report import HeadReport, head_report

SPACE_LABELS = {
    "unaligned": "As the model has them",
    "aligned": "Aligned, as this map was made from",
    "lift": "Exact lift: one coordinate more",
}
SPACE_MEASURES = ("query_spearman", "best_near", "mixing")
SCALE_LABELS = {
    "norms": "ratio of norms",
    "weighted": "weighted correlation",
    "scaled": "weighted correlation, scaled by counts",
    "pearson": "Pearson's correlation",
    "none": "not scaled",
}
DISTANCE_LABELS = {"cosine": "cosine (vectors of unit length)", "euclidean": "Euclidean"}


def facts_body(atlas: Atlas, stream: StreamInfo, view: View) -> html.Div:
    """The top of the panel's tab "Head"; empty while no head is open."""
    children = facts_for(atlas, stream, view)
    return html.Div(children, id=ids.HEAD_FACTS, className="head-facts")


def facts_for(atlas: Atlas, stream: StreamInfo, view: View) -> Any:
    """The facts of a view's open head; None when it names no head of the stream."""
    if view.layer is None or view.head is None or view.layer >= stream.layers or view.head >= stream.heads:
        return None
    return head_facts(atlas, stream, view.layer, view.head, view.ref)


def head_facts(atlas: Atlas, stream: StreamInfo, layer: int, head: int, ref: ProjectionRef) -> list[Any]:
    """Everything measured of one head on one map, in plain words."""
    report = head_report(atlas, stream, layer, head, ref.name)
    info = atlas.info.projection(ref, stream.name)
    name = f"{method_label(info.method)} {info.dims}D" if info else ref.name
    return [
        html.H2(f"How far to believe this map · {name}", className="facts-title"),
        *_verdict(report),
        *_notes(report),
        *(_measures(report.fidelity, report.medians) if report.fidelity else [_waiting()]),
        *_spaces(report),
        _alignment(report),
    ]


def _waiting() -> html.P:
    return html.P("This map has not been measured yet: a build does that when the map is done.", className="facts-note")


def _verdict(report: HeadReport) -> list[Any]:
    """One sentence: does near mean attended here."""
    measure = BY_NAME[DEFAULT]
    value = report.fidelity.values.get(DEFAULT) if report.fidelity else None
    if value is None:
        return []
    median = report.medians.get(DEFAULT)
    usual = "" if median is None else f" (median of all heads of this map: {measure.text(median)})"
    return [
        html.P(
            [
                "Reading attention from nearness here: ",
                html.Strong(measure.grade(value)),
                f". Of each query's best keys {measure.text(value)} lie near it{usual}.",
            ],
            className="facts-verdict",
        )
    ]


def _notes(report: HeadReport) -> list[Any]:
    if not report.notes:
        return []
    return [html.Ul([html.Li(note.text) for note in report.notes], className="facts-warnings", role="note")]


def _measures(fidelity: Fidelity, medians: dict[str, float | None]) -> list[Any]:
    rows = [_measure(m, fidelity, medians.get(m.name)) for m in MEASURES if m.name in fidelity.values]
    return [html.Dl(rows, className="facts-measures")]


def _measure(measure: Measure, fidelity: Fidelity, median: float | None) -> html.Div:
    value = fidelity.values[measure.name]
    if value is None:
        found = [html.Span("not defined", className="facts-value")]
        words = f"{measure.sentence} Here not defined: {fidelity.reasons.get(measure.name, 'no reason is known')}."
        share = 0.0
    else:
        found = [html.Span(measure.text(value), className="facts-value"), html.Span(measure.grade(value))]
        words = measure.sentence
        share = measure.score(value)
    usual = (
        [] if median is None else [html.Span(f"median of all heads {measure.text(median)}", className="facts-usual")]
    )
    return html.Div(
        [
            html.Dt(measure.label),
            html.Dd(
                [
                    html.Div([*found, *usual], className="facts-line"),
                    html.Div(html.Div(style={"width": f"{100 * share:.0f}%"}), className="facts-bar"),
                    html.P(words),
                ]
            ),
        ],
        className="facts-measure",
    )


def _spaces(report: HeadReport) -> list[Any]:
    if not report.spaces:
        return []
    known = [name for name in SPACE_LABELS if name in report.spaces]
    head = html.Tr([html.Th("Vectors"), *(html.Th(BY_NAME[m].label) for m in SPACE_MEASURES)])
    rows = [
        html.Tr(
            [
                html.Th(SPACE_LABELS[name], scope="row"),
                *(html.Td(_text(BY_NAME[m], report.spaces[name].values.get(m))) for m in SPACE_MEASURES),
            ]
        )
        for name in known
    ]
    return [
        html.H3("Before any projection"),
        html.P(
            "The same measures among the vectors themselves. What a map loses against them is the projection's doing.",
            className="facts-note",
        ),
        html.Table([html.Thead(head), html.Tbody(rows)], className="facts-table"),
    ]


def _text(measure: Measure, value: float | None) -> str:
    return "not defined" if value is None else measure.text(value)


def _alignment(report: HeadReport) -> html.P:
    scale = SCALE_LABELS.get(report.scale, report.scale)
    distance = DISTANCE_LABELS.get(report.distance, report.distance)
    norms = [f"{value:.2f}" for value in (report.query_norm, report.key_norm) if value is not None]
    lengths = f" Median length of queries {norms[0]}, of keys {norms[1]}." if len(norms) == 2 else ""
    return html.P(
        f"Alignment: queries × c, keys / c with c = {report.c:.3f} ({scale}), keys then moved onto the queries; "
        f"distance: {distance}.{lengths} Attention is the same before and after.",
        className="facts-note",
    )


@callback(
    Output(ids.HEAD_FACTS, "children"),
    Input(ids.VIEW, "data"),
    Input(ids.CATALOGUE, "data"),
    prevent_initial_call=True,
)
def show_facts(view_data: Any, _catalogue: Any) -> Any:
    """The facts follow the open head and the map, and fill in when a build has measured more."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    return facts_for(atlas, stream, view) if atlas and stream else None
