"""The tab Why: why a query attends to a key, from the atlas at once and from the model itself when asked."""

from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update

from components import ids
from components.catalogue import unattended
from components.panels import why_card as card
from components.panels.off import off_card
from components.polling import REST, again, asks, poll
from components.scaling.layouts import visitor
from components.server.context import context
from components.state.atlas_page import Off, Pair, Panel, Probe, Selection, View
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.errors import AtlasError
from services.jobs import wishes
from services.jobs.probes import DIED, PROBE, question_wish
from services.payloads import why
from services.probe import payload as probe_payload
from services.probe.asked import Asked
from services.probe.kept import KeptProbe
from services.probe.kept import find as find_probe
from services.probe.models import why_not
from services.probe.question import PairQuestion
from services.probe.question import find as find_answer

EVERY = 150  # milliseconds
_NOTHING = "Choose a token on the map or in the sentence: the pair of it and its strongest key is explained here."
_DIMENSIONS = "q·k is a sum over the dimensions of the head, here times the layer's factor."
_FREQUENCIES = (
    "A rotary model turns dimension i together with i + d/2, by the token's place: fast ones tell near places apart,"
    " slow ones carry content. The vectors of the atlas are turned; ask the model for content and position apart."
)
_POPULAR = "(q − q̄)·(k − k̄), q̄·(k − k̄) and q·k̄: the preference map shows the first, its sizes the second."
_DIRECTIONS = (
    "Singular vectors of all scores of this head over the corpus (of the captured vectors, not of the weights), with"
    " the tokens that have most of them."
)


def why_panel(atlas: Atlas, off: Off) -> list[Any]:
    """Content of the tab."""
    return [
        dcc.Store(id=ids.WHY_SHOWN),
        dcc.Store(id=ids.WHY_SEEN),
        dcc.Store(id=ids.WHY_ASKED),
        poll(ids.WHY_TICK, EVERY),
        html.Div(
            [
                html.Div(
                    [html.Label("Query", htmlFor=ids.WHY_QUERY), dbc.Select(id=ids.WHY_QUERY)], className="why-side"
                ),
                html.Div([html.Label("Key", htmlFor=ids.WHY_KEY), dbc.Select(id=ids.WHY_KEY)], className="why-side"),
            ],
            id=ids.WHY_PICK,
            className="why-pick d-none",
        ),
        html.Div(html.P(_NOTHING, className="facts-note"), id=ids.WHY_BODY, className="why-body", role="status"),
        html.Div(
            [
                html.Button(
                    "Ask the model itself",
                    id=ids.WHY_ASK,
                    className="text-button",
                    type="button",
                    n_clicks=0,
                    disabled=True,
                ),
                html.Div(id=ids.WHY_MODEL, role="status"),
            ],
            className="why-model",
        ),
        off_card(atlas, off),
    ]


@dataclass(frozen=True)
class _Subject:
    """An input of the corpus, or a reader's own text, and the pair in it; texts: of its tokens on either side."""

    input: int | None
    text: str
    queries: list[str]
    keys: list[str]
    first: int
    row: why.Row
    query: int
    key: int


def _subject(
    atlas: Atlas, stream: StreamInfo, place: tuple[int, int], selection: Selection, probe: Probe, pair: Pair
) -> _Subject | None:
    """The pair that is chosen, or the strongest with the token that is."""
    kept = _kept_probe(atlas, probe)
    if kept is not None:
        sides = [[str(text) for text in kept.tokens(table)["text"]] for table in stream.tables]
        token, side, first = probe.token, probe.side, [0, 0]
    elif selection.input is None or not 0 <= selection.input < len(atlas.inputs):
        return None
    else:
        rows = [atlas.tokens(table).rows(selection.input) for table in stream.tables]
        sides = [[str(text) for text in atlas.tokens(t).text[r]] for t, r in zip(stream.tables, rows, strict=True)]
        token, side, first = selection.token, selection.side, [rows[0].start, rows[1].start]
    if not all(sides):
        return None

    def row(query: int) -> why.Row:
        if kept is not None:
            return probe_payload.row(kept, stream, *place, query)
        assert selection.input is not None
        return why.corpus_row(atlas, stream, selection.input, *place, query)

    own = token is not None and (pair.token, pair.side, pair.reads) == (token, side, probe.reads if kept else "")
    other = pair.other if own else None
    at = 0 if token is None else token - first[side == "key"]
    if token is None:
        at = next((n for n, text in enumerate(sides[0]) if text.strip() and not text.startswith("[")), 0)
    if not 0 <= at < len(sides[side == "key" and token is not None]):
        return None
    query, key = at, other
    if token is not None and side == "key":
        query, key = _asking(atlas, stream, place, kept, selection, at) if other is None else other, at
    if not 0 <= query < len(sides[0]):
        return None
    found = row(query)
    if key is None or not 0 <= key < len(sides[1]):
        key = why.strongest_key(found)
    text = kept.text if kept is not None else ""
    return _Subject(None if kept else selection.input, text, sides[0], sides[1], first[0], found, query, key)


def _asking(
    atlas: Atlas, stream: StreamInfo, place: tuple[int, int], kept: KeptProbe | None, selection: Selection, key: int
) -> int:
    """The query that attends to a key most."""
    if kept is not None:
        return int(np.argmax(kept.array(stream, "attention")[place][:, key]))
    blocks = atlas.attention(stream)
    if not blocks.kept or selection.input is None:
        return 0
    return int(np.argmax(blocks.block(selection.input, *place)[:, key]))


def _kept_probe(atlas: Atlas, probe: Probe) -> KeptProbe | None:
    text = probe.texts.get(probe.reads, "")
    return find_probe(context().settings.probes, atlas, Asked(text).id(atlas)) if text else None


def explained(atlas: Atlas, stream: StreamInfo, place: tuple[int, int], subject: _Subject) -> list[Any]:
    """All that the atlas alone tells of a pair."""
    row, key = subject.row, subject.key
    step = why.step(row, key)
    lists = []
    if step.visible:
        head = atlas, stream, *place
        lists = [
            html.H3("What the score is made of"),
            card.made_of(
                "In the head's own directions", _DIRECTIONS, why.by_direction(*head, row, key), step.score, is_open=True
            ),
            card.made_of("Preference and popularity", _POPULAR, why.by_popularity(*head, row, key), step.score),
            card.made_of("By dimension", _DIMENSIONS, why.by_dimension(row, key), step.score),
        ]
        if why.turns_by_halves(atlas.info.model.architecture, stream.head_dim):
            lists.append(card.made_of("By frequency", _FREQUENCIES, why.by_frequency(row, key), step.score))
    return [
        card.heading(subject.queries[subject.query], subject.keys[key], stream.head_name(*place).replace(" ", "")),
        *card.steps(step, stream.mask.words if stream.mask.hides else "the mask"),
        *card.stands(step, why.standing(atlas, stream, *place, row, key)),
        *lists,
        *card.moves(step),
    ]


@callback(
    Output(ids.WHY_QUERY, "options"),
    Output(ids.WHY_QUERY, "value"),
    Output(ids.WHY_KEY, "options"),
    Output(ids.WHY_KEY, "value"),
    Output(ids.WHY_PICK, "className"),
    Output(ids.WHY_BODY, "children"),
    Output(ids.WHY_SHOWN, "data"),
    Input(ids.WHY_SEEN, "data"),
    State(ids.VIEW, "data"),
    State(ids.SELECTION, "data"),
    State(ids.PROBE, "data"),
    State(ids.PAIR, "data"),
    State(ids.PANEL_STATE, "data"),
    prevent_initial_call=True,
)
def show_pair(
    _seen: Any, view_data: Any, selection_data: Any, probe_data: Any, pair_data: Any, panel_data: Any
) -> tuple[Any, ...]:
    """Follow the chosen pair while the tab is looked at."""
    view, panel = View.from_store(view_data), Panel.from_store(panel_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if panel.tab != "why" or atlas is None or stream is None or view.layer is None or view.head is None:
        return (no_update,) * 7
    if view.layer >= stream.layers or view.head >= stream.heads:
        return (no_update,) * 7
    if (words := unattended(stream)) is not None:
        return [], None, [], None, "why-pick d-none", html.P(words, className="facts-note"), None
    place = view.layer, view.head
    chosen = Selection.from_store(selection_data), Probe.from_store(probe_data), Pair.from_store(pair_data)
    try:
        subject = _subject(atlas, stream, place, *chosen)
    except (IndexError, KeyError):
        subject = None
    if subject is None:
        return [], None, [], None, "why-pick d-none", html.P(_NOTHING, className="facts-note"), None
    shown = {
        "atlas": view.atlas, "stream": stream.name, "layer": place[0], "head": place[1], "input": subject.input,
        "text": subject.text, "query": subject.query, "key": subject.key, "first": subject.first,
    }  # fmt: skip
    return (
        _options(subject.queries),
        str(subject.query),
        _options(subject.keys),
        str(subject.key),
        "why-pick",
        explained(atlas, stream, place, subject),
        shown,
    )


def _options(texts: list[str]) -> list[dict[str, str]]:
    return [{"label": f"{number} · {text.strip() or '␣'}", "value": str(number)} for number, text in enumerate(texts)]


@callback(
    Output(ids.WHY_MODEL, "children"),
    Output(ids.WHY_ASKED, "data"),
    Output(ids.WHY_ASK, "disabled"),
    asks(ids.WHY_TICK),
    Input(ids.WHY_ASK, "n_clicks"),
    Input(ids.WHY_SHOWN, "data"),
    Input(ids.WHY_TICK, "n_intervals"),
    State(ids.WHY_ASKED, "data"),
    State(ids.TAB, "data"),
    prevent_initial_call=True,
)
def ask_the_model(clicks: Any, shown: Any, ticks: Any, asked: Any, tab: Any) -> tuple[Any, Any, bool, int]:
    """Once asked, the model goes on to be asked for every pair that is looked at."""
    here = context()
    ours = visitor(tab) + "-why"
    on = bool(clicks)
    atlas = here.library.get(View.from_store(shown).atlas) if isinstance(shown, dict) else None
    if atlas is None:
        wishes.drop(here.jobs, PROBE, ours)
        return [], no_update, True, REST
    reason = why_not(atlas, here.settings.model_folder)
    if reason is not None:
        return html.P(reason, className="facts-note"), no_update, True, REST
    if not on:
        return [], no_update, False, REST
    try:
        question = PairQuestion(**{name: shown[name] for name in PairQuestion.model_fields})
        wish = question_wish(here.settings, atlas, question, ours)
    except (AtlasError, KeyError, ValueError) as error:
        said = str(error) if isinstance(error, AtlasError) else "This pair cannot be asked for: choose it again."
        return html.P(said, className="facts-note"), no_update, False, REST
    (status,) = wishes.want(here.jobs, PROBE, [wish], ours, DIED)
    id = question.id(atlas)
    if status.state == "ready":
        answer = find_answer(here.settings.probes, id)
        if answer is not None and asked != id:
            return card.of_the_model(answer, _key_texts(atlas, question)), id, True, REST
        return no_update, no_update, True, REST
    if status.state in ("failed", "busy"):
        return html.P(status.message, className="facts-note"), "", False, REST
    return html.P(status.label or "Asking the model", className="facts-note"), "", True, again(ticks)


def _key_texts(atlas: Atlas, question: PairQuestion) -> list[str]:
    table = atlas.stream(question.stream).key_table
    if question.input is not None:
        return [str(text) for text in atlas.tokens(table).text[atlas.tokens(table).rows(question.input)]]
    kept = find_probe(context().settings.probes, atlas, Asked(question.text).id(atlas))
    return [str(text) for text in kept.tokens(table)["text"]] if kept else []


clientside_callback(
    ClientsideFunction("atlasWhy", "seen"),
    Output(ids.WHY_SEEN, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.SELECTION, "data"),
    Input(ids.PROBE, "data"),
    Input(ids.PROBE_FOUND, "data"),
    Input(ids.PAIR, "data"),
    Input(ids.PANEL_STATE, "data"),
    State(ids.WHY_SEEN, "data"),
)
clientside_callback(
    ClientsideFunction("atlasWhy", "pair"),
    Output(ids.PAIR, "data"),
    Input(ids.SENTENCE, "pairPicked"),
    Input(ids.WHY_QUERY, "value"),
    Input(ids.WHY_KEY, "value"),
    Input(ids.SELECTION, "data"),
    Input(ids.PROBE, "data"),
    State(ids.WHY_SHOWN, "data"),
    State(ids.PAIR, "data"),
    prevent_initial_call=True,
)
