"""The Sentence tab: one input, what is drawn of its attention, and what is left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html

from components import ids
from components.choices import segmented
from components.sentence_view import SentenceView
from components.server.context import context
from components.shell import icon, icon_button
from components.state.atlas_page import AtlasPage, Selection, View
from components.state.attention_options import AttentionOptions
from services.atlas import Atlas
from services.atlas.inputs import first_to_show
from services.atlas.schema import StreamInfo
from services.modalities.registry import modality_named
from services.modalities.text.pairs import SEGMENT
from services.payloads.images import has_images

FORMS = {"lines": "Lines", "heatmap": "Heatmap"}
CHECKS = (
    ("special", "Hide special tokens", "Leaves out [CLS], [SEP] and their like; the rest of each row is scaled to 1."),
    ("first", "Hide the first token", "Many heads park attention there; without it the rest shows."),
    ("values", "Weight by value norm", "Weight × length of the key's value vector: what is read, not only looked at."),
    ("within", "Hide attention within a text", "Of pairs: what goes from one text to the other remains, scaled to 1."),
    ("across", "Hide attention across the texts", "Of pairs: what stays within a text remains, scaled to 1."),
    ("lines", "Lines on the map", "Draws the same weights between the points of this input."),
)

_OF_PAIRS = ("within", "across")


def checks_of(atlas: Atlas, stream: StreamInfo) -> list[tuple[str, str, str]]:
    """The boxes that an atlas has: those about pairs of texts only where there are some."""
    pairs = all(atlas.has_column(table, SEGMENT) for table in stream.tables)
    return [check for check in CHECKS if pairs or check[0] not in _OF_PAIRS]


def reading_facts(atlas: Atlas, stream: StreamInfo) -> dict[str, Any]:
    """What the browser must know of a stream's inputs."""
    return {
        "inputs": len(atlas.inputs),
        "firstToShow": first_to_show(atlas, stream.query_table),
        "pictures": has_images(atlas),
        "sameTokens": stream.query_table == stream.key_table,
    }


def sentence_panel(atlas: Atlas, stream: StreamInfo, state: AtlasPage, payload: dict[str, Any]) -> list[Any]:
    """Content of the tab, set to a state."""
    view, selection, options = state.view, state.selection, state.options
    chosen = selection.input is not None
    return [
        dcc.Store(id=ids.READING_FACTS, data=reading_facts(atlas, stream)),
        html.Div(
            [navigator(selection, len(atlas.inputs)), controls(selection, options, FORMS, checks_of(atlas, stream))],
            className="reading-controls",
        ),
        html.Div(
            [
                html.P("Click a point in the map to read its sentence: who attends to whom, and how much."),
                html.Button("Look at one input", id=ids.SENTENCE_FIRST, className="text-button", type="button"),
            ],
            id=ids.SENTENCE_EMPTY,
            className="sentence-empty d-none" if chosen else "sentence-empty",
        ),
        SentenceView(
            id=ids.SENTENCE,
            className="sentence" if chosen else "sentence d-none",
            payload=payload,
            layer=view.layer or 0,
            head=view.head or 0,
            selection=selection.to_store() if chosen else None,
            hidden=options.hidden,
            theme="light",
            **options.shown(),
        ),
    ]


def navigator(selection: Selection, inputs: int) -> html.Div:
    """Which input is shown: the one before, the one after, or one chosen by its words or number."""
    says = f"Input {selection.input} · {inputs} in all" if selection.input is not None else "Choose an input"
    picker = html.Details(
        [
            html.Summary(
                [html.Span(says, id=ids.INPUT_SAYS), icon("chevron-down")],
                id=ids.INPUT_PICKER_OPEN,
                className="text-button",
                n_clicks=0,
            ),
            html.Div(
                [
                    html.Label("Choose an input by its words or number", htmlFor=ids.INPUT_SEARCH),
                    dbc.Input(id=ids.INPUT_SEARCH, type="search", maxlength=200, autocomplete="off"),
                    html.Div(id=ids.INPUT_CHOICES, className="input-choices"),
                ],
                className="popover-card",
            ),
        ],
        id=ids.INPUT_PICKER,
        className="popover-details input-picker",
    )
    return html.Div(
        [
            icon_button(ids.INPUT_PREVIOUS, "chevron-left", "Previous input", disabled=selection.input == 0),
            picker,
            icon_button(ids.INPUT_NEXT, "chevron-right", "Next input", disabled=selection.input == inputs - 1),
        ],
        className="input-navigator",
    )


def controls(
    selection: Selection,
    options: AttentionOptions,
    forms: Mapping[str, str],
    checks: Sequence[tuple[str, str, str]],
    more: Sequence[Any] = (),
) -> html.Div:
    """Form, direction and options of the view of an input.

    checks: field, title and what it does, of each box · more: controls of this view alone, the first of the options
    """
    direction = selection.side if selection.token is not None else "all"
    return html.Div(
        [
            segmented(ids.SENTENCE_MODE, "Form", forms, options.mode),
            segmented(
                ids.SENTENCE_DIRECTION,
                "What is shown of the chosen token",
                {"query": "Reads", "key": "Read by", "all": "All"},
                direction,
            ),
            html.Details(
                [
                    html.Summary(["Options", icon("chevron-down")], className="text-button"),
                    _options(options, checks, more),
                ],
                id=ids.SENTENCE_OPTIONS,
                className="popover-details options-details",
            ),
        ],
        className="reading-row",
    )


def _options(options: AttentionOptions, checks: Sequence[tuple[str, str, str]], more: Sequence[Any]) -> html.Div:
    boxes = [
        {"label": html.Span([title, html.Small(says)], className="check-says"), "value": name}
        for name, title, says in checks
    ]
    on = [name for name, _, _ in checks if getattr(options, name)]
    return html.Div(
        [
            *more,
            html.Div(
                [
                    html.Label("Strongest keys of each query", htmlFor=ids.SENTENCE_TOPK),
                    dbc.Input(id=ids.SENTENCE_TOPK, type="number", min=0, max=999, step=1, value=options.topk),
                ],
                className="option-row",
            ),
            html.Small("0 draws them all. Here and on the map; no weight changes.", className="option-says"),
            html.Div(
                [
                    html.Label("Least weight drawn", htmlFor=ids.SENTENCE_THRESHOLD),
                    html.Output(f"{options.threshold:.2f}", id=ids.SENTENCE_THRESHOLD_SAYS),
                ],
                className="option-row",
            ),
            dbc.Input(
                id=ids.SENTENCE_THRESHOLD,
                type="range",
                min=0,
                max=0.5,
                step=0.01,
                value=min(options.threshold, 0.5),
                class_name="form-range",
            ),
            html.Span("Hide and weight", id=f"{ids.SENTENCE_CHECKS}-label", className="field-label"),
            dbc.Checklist(id=ids.SENTENCE_CHECKS, options=boxes, value=on, class_name="option-checks"),
            html.P("Click a token to pin it; its × (or H) hides it and scales the rest of each row to 1."),
            html.Button("Reset", id=ids.SENTENCE_RESET, className="text-button", type="button"),
        ],
        className="popover-card",
    )


@callback(
    Output(ids.INPUT_CHOICES, "children"),
    Input(ids.INPUT_PICKER_OPEN, "n_clicks"),
    Input(ids.INPUT_SEARCH, "value"),
    State(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def offer_inputs(_clicks: Any, text: Any, view_data: Any) -> list[Any]:
    """Buttons for the inputs that hold the words, when the picker is opened and at each word."""
    atlas = context().library.get(View.from_store(view_data).atlas)
    if atlas is None:
        return []
    words = text[:200] if isinstance(text, str) else ""
    found, count = modality_named(atlas.info.modality).find_inputs(atlas, words)
    buttons = [
        html.Button(
            [html.Span(str(index), className="choice-number"), *_picture(atlas, index), html.Span(snippet)],
            id=ids.input_choice(index),
            type="button",
        )
        for index, snippet in found
    ]
    more = f"{len(found)} of {count} inputs" if count > len(found) else ""
    return [*buttons, html.Small(more if count else "No input holds these words.")]


def _picture(atlas: Atlas, index: int) -> list[Any]:
    if not has_images(atlas):
        return []
    base = f"{context().settings.url_prefix.rstrip('/')}/payload/{atlas.slug}/{atlas.info.key}"
    return [html.Img(src=f"{base}/thumbnail/{index}.webp", alt="", width=36, height=36)]


def _client(name: str) -> ClientsideFunction:
    return ClientsideFunction("atlasSentence", name)


clientside_callback(
    _client("options"),
    Output(ids.ATTENTION_OPTIONS, "data"),
    *[Output(ids.SENTENCE, choice.shows) for choice in AttentionOptions.choices().values() if choice.shows],
    Output(ids.SENTENCE, "hidden"),
    Output(ids.SENTENCE_MODE, "value"),
    Output(ids.SENTENCE_TOPK, "value"),
    Output(ids.SENTENCE_THRESHOLD, "value"),
    Output(ids.SENTENCE_CHECKS, "value"),
    Output(ids.AVERAGE_CHECKS, "value"),
    Output(ids.SENTENCE_THRESHOLD_SAYS, "children"),
    Output(ids.SCENE, "lines"),
    Output(ids.SCENE, "average"),
    Input(ids.SENTENCE_MODE, "value"),
    Input(ids.SENTENCE_TOPK, "value"),
    Input(ids.SENTENCE_THRESHOLD, "value"),
    Input(ids.SENTENCE_CHECKS, "value"),
    Input(ids.AVERAGE_CHECKS, "value"),
    Input(ids.AVERAGE_BY, "value"),
    Input(ids.SHOW_SELECT, "value"),
    Input(ids.SENTENCE, "hidden"),
    Input(ids.SENTENCE_RESET, "n_clicks"),
    State(ids.ATTENTION_OPTIONS, "data"),
)
clientside_callback(
    _client("navigate"),
    Output(ids.INPUT_PREVIOUS, "data-done"),
    Input(ids.INPUT_PREVIOUS, "n_clicks"),
    Input(ids.INPUT_NEXT, "n_clicks"),
    Input(ids.SENTENCE_FIRST, "n_clicks"),
    Input({"kind": "input-choice", "index": ALL}, "n_clicks"),
    State(ids.SELECTION, "data"),
    State(ids.READING_FACTS, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    _client("turn"),
    Output(ids.SENTENCE_DIRECTION, "data-done"),
    Input(ids.SENTENCE_DIRECTION, "value"),
    State(ids.SELECTION, "data"),
    State(ids.READING_FACTS, "data"),
    State(ids.SENTENCE, "payload"),
    State(ids.PROBE, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    _client("follow"),
    Output(ids.INPUT_SAYS, "children"),
    Output(ids.SENTENCE_EMPTY, "className"),
    Output(ids.SENTENCE, "className"),
    Output(ids.SENTENCE_DIRECTION, "value"),
    Output(ids.INPUT_PREVIOUS, "disabled"),
    Output(ids.INPUT_NEXT, "disabled"),
    Input(ids.SELECTION, "data"),
    Input(ids.PROBE, "data"),
    State(ids.READING_FACTS, "data"),
    State(ids.SENTENCE_DIRECTION, "value"),
)
clientside_callback(
    _client("pair"),
    Output(ids.SENTENCE, "pair"),
    Input(ids.SENTENCE, "hover"),
    State(ids.SENTENCE, "payload"),
    State(ids.SELECTION, "data"),
    State(ids.SENTENCE, "layer"),
    State(ids.SENTENCE, "head"),
    State(ids.SCENE, "projection"),
    prevent_initial_call=True,
)
