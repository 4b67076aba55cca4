"""Search: the field, the count of hits, the way through them, and where they are: inputs and heads."""

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html

from components import ids
from components.shell import icon_button
from components.state.atlas_page import Search
from services.search.query import MAX_QUERY

_MODE_LABELS = {
    "token": "whole token",
    "word": "whole word",
    "prefix": "start of a token",
    "contains": "part of a token",
    "regex": "regular expression",
    "pos": "part of speech",
}
_IMAGE_MODES = {"object": "object or image", "contains": "part of a name", "token": "whole name"}
_EXAMPLES = {"text": "for example: bank, river", "image": "for example: disc, cat, row 3"}


def modes_of(modality: str) -> dict[str, str]:
    """Ways to search in inputs of a modality, with their labels."""
    return _IMAGE_MODES if modality == "image" else _MODE_LABELS


def search_field(search: Search, modality: str) -> html.Div:
    """Everything about the search in inputs of a modality; lists are filled by `assets/30-find.js`."""
    modes = modes_of(modality)
    return html.Div(
        [
            html.Div(
                [
                    html.Label(
                        ["Find tokens", html.Span(" in all heads", className="label-more")],
                        htmlFor=ids.SEARCH_BOX,
                        className="field-label",
                    ),
                    html.Div(id=ids.SEARCH_COUNT, className="search-count", role="status"),
                    _where(),
                ],
                className="search-head",
            ),
            html.Div(
                [
                    html.Div(
                        [_box(search, modality), _stepper(), icon_button(ids.SEARCH_CLEAR, "x-lg", "Clear the search")],
                        id=ids.SEARCH_RESULT,
                        className="search-input",
                    ),
                    _case(search),
                    html.Label("How to search", htmlFor=ids.SEARCH_MODE, className="visually-hidden"),
                    dbc.Select(
                        id=ids.SEARCH_MODE,
                        options=[{"label": label, "value": name} for name, label in modes.items()],
                        value=search.mode if search.query or search.mode != "token" else next(iter(modes)),
                    ),
                ],
                className="search-row",
            ),
            dcc.Store(id=ids.CONCENTRATION),
        ],
        className="field field-search",
    )


def _box(search: Search, modality: str) -> dbc.Input:
    # Without dbc's debounce: its timer outlives the input and fails when the page changes meanwhile.
    return dbc.Input(
        id=ids.SEARCH_BOX,
        value=search.query,
        placeholder=_EXAMPLES.get(modality, _EXAMPLES["text"]),
        type="search",
        maxlength=MAX_QUERY,
        autocomplete="off",
    )


def _case(search: Search) -> dbc.Checklist:
    label = html.Span(
        [html.Span("Aa", **{"aria-hidden": "true"}), html.Span("Match case", className="visually-hidden")],
        title="Match case: “May” is not “may”",
    )
    return dbc.Checklist(
        id=ids.SEARCH_CASE,
        options=[{"label": label, "value": "case"}],
        value=["case"] if search.case else [],
        class_name="segmented search-case",
        input_class_name="btn-check",
        label_class_name="segment",
        label_checked_class_name="active",
    )


def _step_button(id: str, sign: str, label: str) -> html.Button:
    return html.Button(sign, id=id, type="button", className="step-button", title=label, **{"aria-label": label})


def _stepper() -> html.Div:
    return html.Div(
        [
            _step_button(ids.SEARCH_PREVIOUS, "‹", "Hit before (Shift+Enter in the search box)"),
            html.Span(id=ids.SEARCH_PLACE, className="search-place", role="status"),
            _step_button(ids.SEARCH_NEXT, "›", "Next hit (Enter in the search box)"),
        ],
        id=ids.SEARCH_STEP,
        className="search-step",
        role="group",
        **{"aria-label": "Step through the hits"},
    )


def _where() -> html.Details:
    """The list of inputs and heads; its two last parts belong to the script."""
    return html.Details(
        [
            html.Summary(
                "Where",
                className="text-button where-button",
                title="Inputs with a hit, and heads that keep the hits together",
            ),
            html.Div(
                [
                    html.H2("Inputs", className="where-title"),
                    html.Div(id=ids.SEARCH_INPUTS),
                    html.H2("Heads", className="where-title"),
                    html.Div(id=ids.SEARCH_HEADS),
                ],
                className="where-panel",
            ),
        ],
        id=ids.SEARCH_DETAILS,
        className="menu where",
    )


clientside_callback(
    ClientsideFunction("find", "ask"),
    Output(ids.SEARCH, "data"),
    Output(ids.SEARCH_BOX, "value"),
    Input(ids.SEARCH_BOX, "value"),
    Input(ids.SEARCH_MODE, "value"),
    Input(ids.SEARCH_CASE, "value"),
    Input(ids.SEARCH_CLEAR, "n_clicks"),
)
clientside_callback(
    ClientsideFunction("find", "answer"),
    Output(ids.SEARCH_COUNT, "children"),
    Output(ids.SEARCH_COUNT, "className"),
    Output(ids.SEARCH_RESULT, "className"),
    Output(ids.SCENE, "search"),
    Input(ids.SEARCH, "data"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    ClientsideFunction("find", "rank"),
    Output(ids.CONCENTRATION, "data"),
    Input(ids.SCENE, "search"),
    Input(ids.SCENE, "projection"),
    Input(ids.TOKEN_SET, "data"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    ClientsideFunction("find", "place"),
    Output(ids.SEARCH_PLACE, "children"),
    Input(ids.SELECTION, "data"),
    Input(ids.SEARCH_COUNT, "children"),
)
clientside_callback(
    ClientsideFunction("find", "step"),
    Output(ids.SEARCH_STEP, "data-steps"),
    Input(ids.SEARCH_PREVIOUS, "n_clicks"),
    Input(ids.SEARCH_NEXT, "n_clicks"),
    State(ids.SELECTION, "data"),
    prevent_initial_call=True,
)
