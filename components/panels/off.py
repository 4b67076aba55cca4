"""Switch off: heads, or a token as key, in a run of the model on the input that is shown; never in the atlas."""

import re
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from components import ids
from components.panels import off_card as card
from components.polling import REST, again, asks, poll
from components.scaling.layouts import visitor
from components.server.context import context
from components.state.atlas_page import Off, Panel, Probe, Selection, View
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.errors import AtlasError
from services.jobs import wishes
from services.jobs.probes import DIED, PROBE, answer_of, question_wish
from services.probe.asked import Asked
from services.probe.kept import find as find_probe
from services.probe.models import why_not
from services.probe.question import SwitchQuestion
from services.search.head_sets import cells, text_of
from services.streams.registry import WRITTEN

EVERY = 150  # milliseconds
ON = {"shown": "The input or text that is shown", "random": "Random tokens, said twice"}
_ON_IMAGES = {"shown": "The image that is shown"}
_NOTE = (
    "Runs the model once more with these heads off: what each hands to the output projection is set to zero at every"
    " token. A key that is off is hidden from all heads. Nothing of it enters the atlas."
)
_WHICH = "Choose an input first, by a token on the map or in the tab Sentence, or take random tokens."


def off_card(atlas: Atlas, off: Off) -> html.Details:
    """Closed until it is asked for, or a link asks."""
    on = _ON_IMAGES if atlas.info.modality == "image" else ON
    return html.Details(
        [
            html.Summary("Switch off"),
            html.P(_NOTE, className="facts-note"),
            html.Div(
                [
                    _field("Heads", ids.OFF_HEADS, dbc.Input(
                        id=ids.OFF_HEADS, value=off.heads, placeholder="the open head; or 18.6 17.3-17.4",
                        maxlength=400, autocomplete="off",
                    )),
                    _field("Token as key", ids.OFF_KEY, dbc.Select(
                        id=ids.OFF_KEY, options=_keys([]), value="" if off.key is None else str(off.key)
                    )),
                    _field("In", ids.OFF_ON, dbc.Select(
                        id=ids.OFF_ON, options=[{"label": says, "value": name} for name, says in on.items()],
                        value=off.on if off.on in on else "shown",
                    )),
                    html.Button("Switch off", id=ids.OFF_GO, className="text-button", type="button"),
                    html.Button("Everything on again", id=ids.OFF_BACK, className="text-button", type="button"),
                ],
                className="why-pick",
            ),
            html.P(id=ids.OFF_SAID, className="why-error", role="alert"),
            html.P(id=ids.OFF_SAYS, className="facts-note", role="status"),
            html.Div(id=ids.OFF_BODY),
            dcc.Store(id=ids.OFF_ASKED),
            dcc.Store(id=ids.OFF_SEEN),
            poll(ids.OFF_TICK, EVERY),
        ],
        className="why-parts why-off",
        open=off.asked,
    )  # fmt: skip


def _field(label: str, target: str, control: Any) -> html.Div:
    return html.Div([html.Label(label, htmlFor=target), control], className="why-side")


def _keys(texts: list[str]) -> list[dict[str, str]]:
    some = [{"label": f"{number} · {text.strip() or '␣'}", "value": str(number)} for number, text in enumerate(texts)]
    return [{"label": "none", "value": ""}, *some]


def heads_of(text: str, stream: StreamInfo, place: tuple[int, int] | None) -> list[int]:
    """The cells that a reader means: `18.6 17.3-17.4`, `L18H6, L17H3`; the open head where nothing is written.

    Raises:
        SearchError: it is no list of heads of the stream.
    """
    plain = re.sub(r"[\s,;_]+", "_", text.strip()).strip("_")
    if not plain:
        return [] if place is None else [place[0] * stream.heads + place[1]]
    plain = re.sub(r"[lL](\d+)_?[hH](\d+)", r"\1.\2", plain)
    return cells(plain, stream)


@callback(
    Output(ids.OFF, "data"),
    Output(ids.OFF_SAID, "children"),
    Input(ids.OFF_GO, "n_clicks"),
    Input(ids.OFF_BACK, "n_clicks"),
    State(ids.OFF_HEADS, "value"),
    State(ids.OFF_KEY, "value"),
    State(ids.OFF_ON, "value"),
    State(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def switch_off(go: Any, _back: Any, heads: Any, key: Any, on: Any, view_data: Any) -> tuple[Any, Any]:
    """What is written becomes what is asked."""
    if ctx.triggered_id != ids.OFF_GO:
        return Off().to_store(), ""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if not go or stream is None:
        return no_update, no_update
    place = (view.layer, view.head) if view.layer is not None and view.head is not None else None
    number = int(key) if isinstance(key, str) and re.fullmatch("[0-9]{1,9}", key) else None
    text = heads[:400] if isinstance(heads, str) else ""
    try:
        chosen = [] if number is not None and not text.strip() else heads_of(text, stream, place)
    except AtlasError as error:
        return no_update, str(error)
    told = text_of(chosen, stream)
    if chosen and not told:  # all of them: the text of a set has no word for that
        told = f"{stream.number(0)}.0-{stream.number(stream.layers - 1)}.{stream.heads - 1}"
    wanted = Off.from_store({"heads": told, "key": number, "on": on if isinstance(on, str) and on in ON else "shown"})
    return wanted.to_store(), ""


@callback(
    Output(ids.OFF_BODY, "children"),
    Output(ids.OFF_SAYS, "children"),
    Output(ids.OFF_ASKED, "data"),
    Output(ids.OFF_KEY, "options"),
    asks(ids.OFF_TICK),
    Input(ids.OFF_SEEN, "data"),
    Input(ids.OFF_TICK, "n_intervals"),
    State(ids.OFF, "data"),
    State(ids.VIEW, "data"),
    State(ids.SELECTION, "data"),
    State(ids.PROBE, "data"),
    State(ids.PANEL_STATE, "data"),
    State(ids.OFF_ASKED, "data"),
    State(ids.TAB, "data"),
    prevent_initial_call=True,
)
def follow(
    _seen: Any,
    ticks: Any,
    off_data: Any,
    view_data: Any,
    selection_data: Any,
    probe_data: Any,
    panel_data: Any,
    asked: Any,
    tab: Any,
) -> tuple[Any, Any, Any, Any, int]:
    """Run what is asked, and show it for the open head."""
    here, off, view = context(), Off.from_store(off_data), View.from_store(view_data)
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    ours = visitor(tab) + "-off"
    if Panel.from_store(panel_data).tab != "why" or atlas is None or stream is None:
        return no_update, no_update, no_update, no_update, REST
    selection, probe = Selection.from_store(selection_data), Probe.from_store(probe_data)
    text = probe.texts.get(probe.reads, "")
    index = None if text else selection.input
    options = _keys(_texts_shown(atlas, stream.key_table, index, text))
    if not off.asked:
        wishes.drop(here.jobs, PROBE, ours)
        return [], no_update if asked is None else "", None, options, REST
    reason = why_not(atlas, here.settings.model_folder)
    if reason is None and off.on == "shown" and index is None and not text:
        reason = _WHICH
    if reason is not None:
        return [], reason, None, options, REST
    try:
        chosen = cells(off.heads, stream) if off.heads else []
        question = SwitchQuestion(
            input=index if off.on == "shown" else None,
            text=text if off.on == "shown" else "",
            stream=stream.name,
            heads=tuple((cell // stream.heads, cell % stream.heads) for cell in chosen),
            key=off.key,
            random=off.on == "random",
        )
        wish = question_wish(here.settings, atlas, question, ours)
    except (AtlasError, ValueError) as error:
        return [], str(error) if isinstance(error, AtlasError) else "This cannot be switched off.", None, options, REST
    (status,) = wishes.want(here.jobs, PROBE, [wish], ours, DIED)
    if status.state in ("failed", "busy"):
        return [], status.message, None, options, REST
    if status.state != "ready":
        return no_update, status.label or "Running the model", None, options, again(ticks)
    shown = [question.id(atlas), view.layer, view.head]
    answer = answer_of(here.settings, atlas, question)
    if answer is None or asked == shown:
        return no_update, no_update, no_update, options, REST if answer else again(ticks)
    return _answered(atlas, stream, view, question, dict(answer)), _title(stream, question), shown, options, REST


def _texts_shown(atlas: Atlas, table: str, index: int | None, text: str) -> list[str]:
    """Of the tokens of the input, or of a reader's text once it has been read."""
    if text:
        kept = find_probe(context().settings.probes, atlas, Asked(text).id(atlas))
        return [str(one) for one in kept.tokens(table)["text"]] if kept else []
    if index is None or not 0 <= index < len(atlas.inputs):
        return []
    tokens = atlas.tokens(table)
    return [str(text) for text in tokens.text[tokens.rows(index)]]


def _title(stream: StreamInfo, question: SwitchQuestion) -> str:
    names = [stream.head_name(*place).replace(" ", "") for place in question.heads]
    some = ", ".join(names) if len(names) <= 12 else f"{len(names)} heads"
    parts = ([some] if names else []) + ([f"token {question.key} as key"] if question.key is not None else [])
    return f"Off: {' and '.join(parts)}."


def _answered(
    atlas: Atlas, stream: StreamInfo, view: View, question: SwitchQuestion, answer: dict[str, Any]
) -> list[Any]:
    settings = context().settings
    run = find_probe(settings.probes, atlas, answer["before"])
    tables = {table for one in atlas.info.streams for table in one.tables}
    told = WRITTEN if WRITTEN in tables else stream.query_table
    texts = [str(text) for text in run.tokens(told)["text"]] if run else []
    off = frozenset(question.heads)
    body = card.told(answer, stream, off, texts)
    if view.layer is None or view.head is None:
        return body
    base = f"{settings.url_prefix.rstrip('/')}/payload/{atlas.slug}/{atlas.info.key}/probe"
    bases = {name: f"{base}/{answer[name]}" for name in ("before", "after")}
    sizes = {"layers": stream.layers, "heads": stream.heads, "probe": True} if run and run.image else None
    place = view.layer, view.head
    moved = float(answer["heads"][stream.name][place[0]][place[1]])
    return body + card.views(bases, stream, place, moved, place in off, sizes)


clientside_callback(
    ClientsideFunction("atlasWhy", "seen"),
    Output(ids.OFF_SEEN, "data"),
    Input(ids.OFF, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.SELECTION, "data"),
    Input(ids.PROBE, "data"),
    Input(ids.PANEL_STATE, "data"),
    State(ids.OFF_SEEN, "data"),
)
