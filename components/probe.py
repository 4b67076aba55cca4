"""A reader's own texts or images, live: their fields below the map's head, and the callback that follows the model."""

from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update

from components import ids
from components.polling import REST, again, asks, poll
from components.scaling.layouts import visitor
from components.server.context import Context, context
from components.shell import icon, icon_button
from components.state.atlas_page import LETTERS, LINK_PROBE, Probe, View
from services.alignment.variants import OWN
from services.atlas import Atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.errors import ProbeError
from services.jobs import wishes
from services.jobs.probes import DIED, PROBE, get_ready, probe_wish
from services.payloads.images import has_images
from services.probe.asked import WRITES, Asked, most_characters
from services.probe.brought import MOST_BYTES
from services.probe.kept import errors, find
from services.probe.models import why_not
from services.settings import Settings
from services.streams.registry import WRITTEN

EVERY = 150  # milliseconds


def probe_opener(atlas: Atlas) -> html.Button:
    """Shows the fields."""
    name = "Your image" if has_images(atlas) else "Your text"
    says = "Drop an image of your own: the model looks at it" if has_images(atlas) else (
        "Type a text of your own: the model reads it live"
    )  # fmt: skip
    return html.Button(
        [icon("pencil"), html.Span(name, className="opener-word")],
        id=ids.PROBE_OPEN,
        className="text-button probe-opener",
        type="button",
        title=says,
        **{"aria-label": name},
    )


def probe_bar(atlas: Atlas, probe: Probe, settings: Settings) -> html.Div:
    """The fields for texts or images, or why the model cannot read any."""
    reason, kind = why_not(atlas, settings.model_folder), _Kind.of(atlas)
    shown = probe.open or bool(probe.texts)
    facts = {"characters": most_characters(settings.probe_tokens), "link": LINK_PROBE, "runs": reason is None}
    return html.Div(
        [
            dcc.Store(id=ids.PROBE_FACTS, data=facts),
            dcc.Store(id=ids.PROBE_FOUND),
            dcc.Store(id=ids.PROBE_ASKS),
            dcc.Store(id=ids.PROBE_READY),
            poll(ids.PROBE_TICK, EVERY),
            *([] if reason is None else [html.P(reason, className="probe-reason", role="status")]),
            *(_row(letter, getattr(probe, letter), reason is not None, kind) for letter in LETTERS),
            html.Div(
                [
                    html.Button("Compare with another", id=ids.PROBE_ADD, className="text-button", type="button"),
                    html.Details(
                        [
                            html.Summary("Heads that differ", className="text-button"),
                            html.Div(id=ids.PROBE_HEADS, className="menu-body probe-heads"),
                        ],
                        id=ids.PROBE_DIFFER,
                        className="menu d-none",
                    ),
                    icon_button(ids.PROBE_CLOSE, "x-lg", f"Close your {kind.word}s"),
                ],
                className="probe-tools",
            ),
        ],
        id=ids.PROBE_BAR,
        className="probe-bar" if shown else "probe-bar d-none",
        role="group",
        **{"aria-label": f"Your own {kind.word}s"},
    )


@dataclass(frozen=True)
class _Kind:
    """What is probed. word: what it is called · asks: what the empty field says."""

    word: str
    asks: str

    @classmethod
    def of(cls, atlas: Atlas) -> "_Kind":
        if has_images(atlas):
            return cls("image", "Drop an image here, or choose one")
        if any(WRITTEN in stream.tables for stream in atlas.info.streams):
            return cls("text", f"Type a sentence, or a sentence {WRITES} what the model is to write")
        return cls("text", "Type a sentence: the model reads it as you type")


def _row(letter: str, text: str, disabled: bool, kind: _Kind) -> html.Div:
    name = letter.upper()
    field = ids.probe_part("text", letter)
    pictures = kind.word == "image"
    return html.Div(
        [
            html.Button(
                name,
                id=ids.probe_part("chip", letter),
                className=f"probe-chip probe-chip-{letter}",
                type="button",
                title=f"Read {kind.word} {name} in the panel of an open head",
                **{"aria-label": f"Read {kind.word} {name}", "aria-pressed": "false"},
            ),
            html.Label(f"Your {kind.word} {name}", htmlFor=field, className="visually-hidden"),
            dbc.Input(
                id=field,
                value=text,
                type="text",
                placeholder=kind.asks,
                autocomplete="off",
                disabled=disabled,
                className="d-none" if pictures else "",
            ),
            *([_dropping(letter, text, disabled, kind)] if pictures else []),
            html.Button(
                icon("x-lg"),
                id=ids.probe_part("drop", letter),
                className="icon-button",
                type="button",
                title=f"Remove {kind.word} {name}",
                **{"aria-label": f"Remove {kind.word} {name}"},
            ),
            html.Div(id=ids.probe_part("says", letter), className="probe-says", role="status"),
        ],
        id=ids.probe_part("row", letter),
        className="probe-row" if text or letter == "a" else "probe-row d-none",
    )


def _dropping(letter: str, text: str, disabled: bool, kind: _Kind) -> html.Button:
    """Takes an image, as `assets/42-probe-image.js` sends it; the field beside it holds where it is kept."""
    return html.Button(
        text.rpartition("/")[2] or kind.asks,
        className="probe-image",
        type="button",
        disabled=disabled,
        **{"data-letter": letter, "data-asks": kind.asks, "data-most": str(MOST_BYTES)},
    )


@callback(
    Output(ids.PROBE_FOUND, "data"),
    asks(ids.PROBE_TICK),
    Input(ids.PROBE_ASKS, "data"),
    Input(ids.PROBE_TICK, "n_intervals"),
    State(ids.PROBE, "data"),
    State(ids.VIEW, "data"),
    State(ids.TAB, "data"),
    State(ids.PROBE_FOUND, "data"),
    prevent_initial_call=True,
)
def follow_probes(_asked: Any, ticks: Any, data: Any, view_data: Any, tab: Any, known: Any) -> tuple[Any, int]:
    """What is known of each text by now; ask again while the model is at work."""
    here, probe, view = context(), Probe.from_store(data), View.from_store(view_data)
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    ours = visitor(tab) + "-probe"
    if atlas is None or stream is None or not probe.texts:
        if known:
            wishes.drop(here.jobs, PROBE, ours)
        return (None if known else no_update), REST
    own = view.scale == OWN
    projection = atlas.info.projection(view.ref, stream.name) if own else None
    found = _found(here, atlas, stream, probe, projection, ours)
    now = {
        "map": f"{projection.name}-{projection.sha256[:12]}" if projection else None,
        "probes": found,
        "errors": _errors(here.settings, atlas, projection),
    }
    more = any(one["state"] in ("waiting", "running") for one in found.values())
    return (no_update if now == known else now), again(ticks) if more else REST


def _found(
    here: Context, atlas: Atlas, stream: StreamInfo, probe: Probe, projection: ProjectionInfo | None, ours: str
) -> dict[str, dict[str, Any]]:
    """By letter: id, state, label and message of the job, and what is there already."""
    settings = here.settings
    found: dict[str, dict[str, Any]] = {}
    wanted = {}
    for letter, text in probe.texts.items():
        asked = Asked(text)
        found[letter] = {"id": asked.id(atlas), "state": "failed", "label": "", "message": ""}
        try:
            wanted[letter] = probe_wish(settings, atlas, asked, projection, ours)
        except ProbeError as error:
            found[letter]["message"] = str(error)
    statuses = wishes.want(here.jobs, PROBE, list(wanted.values()), ours, DIED)
    for letter, status in zip(wanted, statuses, strict=True):
        found[letter] |= {"state": status.state, "label": status.label, "message": status.message}
    for one in found.values():
        kept = find(settings.probes, atlas, one["id"])
        one["tokens"] = max(kept.lengths(stream)) if kept else None
        one["placed"] = bool(kept and projection and kept.place_file(projection).is_file())
    return found


def _errors(settings: Settings, atlas: Atlas, projection: ProjectionInfo | None) -> list[float | None] | None:
    """How far off tokens are placed in each head, as parts of the side of its frame; None while nobody knows."""
    found = errors(settings.probes, atlas, projection) if projection else None
    if found is None:
        return None
    return [None if np.isnan(value) else round(float(value), 4) for value in found.ravel()]


@callback(
    Output(ids.PROBE_READY, "data"),
    Input(ids.PROBE_OPEN, "n_clicks"),
    State(ids.VIEW, "data"),
    State(ids.TAB, "data"),
    prevent_initial_call=True,
)
def load_model(clicks: Any, view_data: Any, tab: Any) -> Any:
    """Have the model loaded while the reader begins to type."""
    here = context()
    atlas = here.library.get(View.from_store(view_data).atlas)
    if clicks and atlas is not None and why_not(atlas, here.settings.model_folder) is None:
        get_ready(here.jobs, here.settings, atlas, visitor(tab) + "-ready")
    return no_update


def _client(name: str) -> ClientsideFunction:
    return ClientsideFunction("atlasProbe", name)


def _parts(part: str, value: str, kind: Any) -> list[Any]:
    return [kind(ids.probe_part(part, letter), value) for letter in LETTERS]


clientside_callback(
    _client("asks"),
    Output(ids.PROBE_ASKS, "data"),
    Input(ids.PROBE, "data"),
    Input(ids.SCENE, "projection"),
    State(ids.PROBE_FOUND, "data"),
    State(ids.PROBE_ASKS, "data"),
)
clientside_callback(
    _client("write"),
    Output(ids.PROBE, "data"),
    *_parts("text", "value", Output),
    *_parts("text", "value", Input),
    *_parts("chip", "n_clicks", Input),
    *_parts("drop", "n_clicks", Input),
    Input(ids.PROBE_OPEN, "n_clicks"),
    Input(ids.PROBE_CLOSE, "n_clicks"),
    Input(ids.PROBE_ADD, "n_clicks"),
    Input(ids.SENTENCE, "picked"),
    Input(ids.SCENE, "probePicked"),
    Input(ids.SELECTION, "data"),
    State(ids.PROBE, "data"),
    State(ids.PROBE_FACTS, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    _client("show"),
    Output(ids.SCENE, "probes"),
    Output(ids.PROBE_BAR, "className"),
    *_parts("row", "className", Output),
    *_parts("chip", "aria-pressed", Output),
    *_parts("says", "children", Output),
    *_parts("says", "className", Output),
    Input(ids.PROBE, "data"),
    Input(ids.PROBE_FOUND, "data"),
    Input(ids.SCENE, "head"),
    State(ids.PROBE_FACTS, "data"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    _client("read"),
    Output(ids.SENTENCE, "payload"),
    Output(ids.SENTENCE, "selection"),
    Input(ids.SELECTION, "data"),
    Input(ids.PROBE, "data"),
    Input(ids.PROBE_FOUND, "data"),
    State(ids.SCENE, "payload"),
    State(ids.SENTENCE, "payload"),
)
clientside_callback(
    _client("compare"),
    Output(ids.PROBE_DIFFER, "className"),
    Output(ids.PROBE_HEADS, "children"),
    Input(ids.PROBE, "data"),
    Input(ids.PROBE_FOUND, "data"),
    State(ids.SCENE, "payload"),
)
