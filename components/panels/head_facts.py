"""What is known of one head on one map: warnings, every measure with a sentence and a grade, and its alignment."""

from typing import Any

from dash import Input, Output, callback

from components import ids
from components.catalogue import unattended
from components.compare_view import compare_address
from components.heads_view import likes_address
from components.layers import shares_with
from components.server.context import context
from components.state.atlas_page import View
from components.still import Element, Still, Tree, still
from components.still import plain as html
from services.atlas import Atlas, ProjectionRef
from services.atlas.schema import StreamInfo
from services.measures.measure import HeadMeasure, grade, score
from services.measures.names import UNTRAINED
from services.measures.registry import find, groups, judged_by
from services.measures.report import HeadNumber, HeadReport, head_report
from services.projection import label_of

SPACE_LABELS = {
    "unaligned": "As the model has them",
    "aligned": "Aligned, as this map was made from",
    "lift": "Exact lift: one coordinate more",
}
SPACE_MEASURES = ("query_spearman", "best_near", "mixing")
# What nearness stands for on a map that is judged by a measure, and its keys.
_PROMISES = {"best_near": ("attention", "best"), "preferred_near": ("preference", "most preferred")}
SCALE_LABELS = {
    "norms": "ratio of norms",
    "weighted": "weighted correlation",
    "scaled": "weighted correlation, scaled by counts",
    "pearson": "Pearson's correlation",
    "none": "not scaled",
}
_WHEN_CALLED = "A head is called something only where its score stands well out of what even attention gives."
_DISTANCES = (-32, -8, -2, -1, 0, 1, 2, 8, 32)  # positions from the query at which a bias is told
DISTANCE_LABELS = {"cosine": "cosine (vectors of unit length)", "euclidean": "Euclidean"}


def facts_body(atlas: Atlas, stream: StreamInfo, view: View) -> Still:
    """The top of the panel's tab "Head"; empty while no head is open."""
    return Still(tree=facts_for(atlas, stream, view), id=ids.HEAD_FACTS, className="head-facts")


def facts_for(atlas: Atlas, stream: StreamInfo, view: View) -> Tree:
    """The facts of a view's open head; none when it names no head of the stream."""
    if view.layer is None or view.head is None or view.layer >= stream.layers or view.head >= stream.heads:
        return []
    return still(head_facts(atlas, stream, view.layer, view.head, view.ref, context().settings.url_prefix))


def head_facts(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, ref: ProjectionRef, prefix: str = "/"
) -> list[Any]:
    """All that is measured of one head on one map, in plain words."""
    report = head_report(atlas, stream, layer, head, ref.name)
    info = atlas.info.projection(ref, stream.name)
    name = f"{label_of(info)} {info.dims}D" if info else ref.name
    said = unattended(stream)
    return [
        *([] if said is None else [html.P(f"{said} Attended keys are here those with the largest q·k.")]),
        html.A(
            "Heads like this one",
            href=likes_address(prefix, atlas, stream, layer, head),
            className="text-button facts-like",
        ),
        html.A(
            "Compare with…",
            href=compare_address(prefix, atlas, stream, (layer, head)),
            className="text-button facts-like",
        ),
        html.H2(f"How far to believe this map · {name}", className="facts-title"),
        *([html.P(words, className="facts-verdict")] if (words := shares_with(stream, head)) else []),
        *_called(report),
        *_verdict(report, ref.method),
        *_notes(report),
        *_groups(report),
        *_spaces(report),
        *_position(atlas, stream, layer, head),
        _alignment(report),
    ]


def _waiting() -> Element:
    return html.P("This map has not been measured yet: a build does that when the map is done.", className="facts-note")


def _verdict(report: HeadReport, method: str) -> list[Any]:
    """One sentence: does near mean what it should here."""
    found = report.of_map.get(judged_by(method).name)
    if found is None or found.value is None:
        return []
    measure = found.measure
    read, keys = _PROMISES[measure.name]
    usual = "" if found.median is None else f" (median of all heads of this map: {measure.form.text(found.median)})"
    return [
        html.P(
            [
                f"Reading {read} from nearness here: ",
                html.Strong(grade(measure, found.value)),
                f". Of each query's {keys} keys {measure.form.text(found.value)} lie near it{usual}.",
            ],
            className="facts-verdict",
        )
    ]


def _called(report: HeadReport) -> list[Any]:
    """What the head is called, and by which numbers."""
    if not report.names:
        return []
    told: list[Any] = []
    for name in report.names:
        found = report.of_head[name.measure.name]
        value = "" if found.value is None else name.measure.form.text(found.value)
        told += [", " if told else "", html.Strong(name.name), f" ({name.measure.label.lower()} {value})"]
    return [html.P(["Called: ", *told, ". ", _WHEN_CALLED], className="facts-verdict")]


def _notes(report: HeadReport) -> list[Any]:
    if not report.notes:
        return []
    return [html.Ul([html.Li(note.text) for note in report.notes], className="facts-warnings", role="note")]


def _groups(report: HeadReport) -> list[Any]:
    """All that menus offer too, under the headings of the registry; the map's own first and without a heading."""
    body: list[Any] = [] if report.of_map else [_waiting()]
    known = report.of_head | report.of_map
    for group in groups():
        rows = [_number(found) for found in known.values() if found.measure.group == group and found.measure.listed]
        if rows:
            heading = [html.H3(group)] if body or group != find("best_near").group else []
            told = [found.measure for found in known.values() if found.measure.group == group and found.measure.formula]
            body += [*heading, html.Dl(rows, className="facts-measures"), *_formulas(told)]
    return body


def _formulas(told: list[HeadMeasure]) -> list[Any]:
    """How the scores of a group are worked out, folded away."""
    listed = [measure for measure in told if measure.listed]
    if not listed:
        return []
    lines = [html.Li([html.Strong(f"{measure.label}: "), measure.formula]) for measure in listed]
    note = "A is the attention of a query q to a key k. Even attention gives each key that a query sees the same."
    return [
        html.Details([html.Summary("How these are worked out"), html.P(note), html.Ul(lines)], className="facts-how")
    ]


def _number(found: HeadNumber) -> Element:
    measure, value = found.measure, found.value
    if value is None:
        shown = [html.Span("not defined", className="facts-value")]
        words = f"{measure.sentence} Here not defined: {found.reason or 'no reason is known'}."
    else:
        graded = grade(measure, value)
        shown = [html.Span(measure.form.text(value), className="facts-value"), *([html.Span(graded)] if graded else [])]
        words = measure.sentence
    usual = (
        []
        if found.median is None
        else [html.Span(f"median of all heads {measure.form.text(found.median)}", className="facts-usual")]
    )
    beside = "" if value is None else _beside(found)
    full = None if value is None else score(measure, value)
    width = "0%" if value is None else None if full is None else f"{100 * full:.0f}%"
    bar = [] if width is None else [html.Div(html.Div(style={"width": width}), className="facts-bar")]
    return html.Div(
        [
            html.Dt(measure.label),
            html.Dd(
                [
                    html.Div([*shown, *usual], className="facts-line"),
                    *bar,
                    html.P(words),
                    *([html.P(beside, className="facts-beside")] if beside else []),
                ]
            ),
        ],
        className="facts-measure",
    )


def _beside(found: HeadNumber) -> str:
    """Base rates, interval and count in a line."""
    form, known = found.measure.form, found.beside
    base, low, high, count = (known.get(name) for name in ("base", "low", "high", "n"))
    told = [] if base is None else [f"even attention {form.text(base)}"]
    chance = known.get(UNTRAINED)
    told += [] if chance is None else [f"random weights {form.text(chance) if chance > -1 else 'far below 0'}"]
    if low is not None and high is not None:
        told.append(f"95 % interval {form.text(low)} to {form.text(high)}")
    told += [] if not count else [f"over {count:,.0f}"]
    return " · ".join(told)


def _spaces(report: HeadReport) -> list[Any]:
    if not report.spaces:
        return []
    known = [name for name in SPACE_LABELS if name in report.spaces]
    measures = [find(name) for name in SPACE_MEASURES]
    head = html.Tr([html.Th("Vectors"), *(html.Th(measure.label) for measure in measures)])
    rows = [
        html.Tr(
            [
                html.Th(SPACE_LABELS[name], scope="row"),
                *(html.Td(_text(report.spaces[name].get(measure.name))) for measure in measures),
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


def _position(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> list[Any]:
    """What the model adds to scores by the place of a key alone, at some distances."""
    bias = atlas.vectors(stream).position_bias(layer, head)
    if bias is None:
        return []
    reach, (back, ahead) = len(bias) // 2, stream.mask.reach
    least, most = (-reach if back is None else -min(back, reach)), (reach if ahead is None else min(ahead, reach))
    offsets = [offset for offset in _DISTANCES if least <= offset <= most]
    cells = [html.Td(f"{bias[offset + reach]:+.2f}") for offset in offsets]
    return [
        html.H3("Position bias"),
        html.P(
            "Added to q·k before the softmax by the place of the key seen from the query, whatever the tokens are. Maps"
            " are of queries and keys alone and do not show it.",
            className="facts-note",
        ),
        html.Table(
            [
                html.Thead(
                    html.Tr([html.Th("Key"), *(html.Th(f"{offset:+d}" if offset else "0") for offset in offsets)])
                ),
                html.Tbody(html.Tr([html.Th("Bias", scope="row"), *cells])),
            ],
            className="facts-table",
        ),
    ]


def _text(found: HeadNumber | None) -> str:
    return "not defined" if found is None or found.value is None else found.measure.form.text(found.value)


def _alignment(report: HeadReport) -> Element:
    scale = SCALE_LABELS.get(report.scale, report.scale)
    distance = DISTANCE_LABELS.get(report.distance, report.distance)
    norms = [_text(report.of_head[name]) for name in ("query_norm", "key_norm") if name in report.of_head]
    lengths = f" Median length of queries {norms[0]}, of keys {norms[1]}." if len(norms) == 2 else ""
    return html.P(
        f"Alignment: queries × c, keys / c with c = {report.c:.3f} ({scale}), keys then moved onto the queries; "
        f"distance: {distance}; centroids and principal axes are of {report.fitted}.{lengths} "
        "Attention is the same before and after.",
        className="facts-note",
    )


@callback(
    Output(ids.HEAD_FACTS, "tree"),
    Input(ids.VIEW, "data"),
    Input(ids.CATALOGUE, "data"),
    prevent_initial_call=True,
)
def show_facts(view_data: Any, _catalogue: Any) -> Tree:
    """The facts follow the open head and the map, and fill in when a build has measured more."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    return facts_for(atlas, stream, view) if atlas and stream else []
