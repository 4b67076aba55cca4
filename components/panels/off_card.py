"""What the tab Why says of a run with heads or a token switched off."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import html

from components import ids
from components.image_view import ImageView
from components.panels.why_card import number, percent, signed
from components.sentence_view import SentenceView
from services.atlas.schema import StreamInfo

MOVED = 8  # heads whose attention moved most
LOWEST = 6  # tokens whose output vectors moved most


def told(
    answer: Mapping[str, Any], stream: StreamInfo, off: frozenset[tuple[int, int]], texts: Sequence[str]
) -> list[Any]:
    """What changed in what the model predicts, and in its heads. texts: of the tokens that are predicted."""
    predicts = answer["predicts"]
    body = _vectors(answer["cosine"], texts) if predicts == "vectors" else _losses(answer)
    if predicts != "vectors":
        body += _changed(answer["changed"], texts)
    return body + _moved(answer["heads"][stream.name], stream, off)


def _losses(answer: Mapping[str, Any]) -> list[Any]:
    places = np.asarray(answer["places"])
    repeat = answer["repeat"]
    what = "next token" if answer["predicts"] == "next" else "masked token, one masked at a time"
    parts = [("loss", np.ones(len(places), bool))]
    if repeat:  # the first token of the second round can be foretold by nobody
        parts = [("loss, first round", places < repeat), ("loss, second round", places > repeat)]
    rows = []
    for name, chosen in parts:
        before, after = (np.asarray(loss)[chosen] for loss in answer["loss"])
        if not len(before):
            continue
        rise = float(after.mean() - before.mean())
        rows.append(_row(name, float(before.mean()), float(after.mean()), rise))
        random = [float(np.asarray(loss)[chosen].mean() - before.mean()) for loss in answer["random"]]
        if random:
            low, high = signed(min(random)), signed(max(random))
            rows.append(
                html.Tr(
                    [
                        html.Th(f"as many random heads of the same layers ({len(random)} draws)", scope="row"),
                        html.Td(),
                        html.Td(html.Small(f"{low} to {high}")),
                        _value(float(np.mean(random))),
                    ]
                )
            )
    head = html.Tr([html.Th("nats"), html.Th("as it is"), html.Th("without"), html.Th("change")])
    return [
        html.P(f"−ln p of the true {what}, over {len(places)} tokens.", className="facts-note"),
        html.Table([html.Thead(head), html.Tbody(rows)], className="why-losses"),
    ]


def _row(name: str, before: float, after: float, change: float) -> html.Tr:
    return html.Tr(
        [html.Th(name, scope="row"), html.Td(number(before)), html.Td(number(after)), _value(change)],
        className="why-loss",
    )


def _value(change: float) -> html.Td:
    return html.Td(signed(change), **{"data-value": repr(change)})


def _vectors(cosine: Mapping[str, Any], texts: Sequence[str]) -> list[Any]:
    alike = np.asarray(cosine["tokens"])
    lowest = np.argsort(alike, kind="stable")[:LOWEST]
    named = ", ".join(f"“{_text(texts, int(place))}” {alike[place]:.3f}" for place in lowest)
    return [
        html.P(
            "This model has no head that predicts tokens, so there is no loss: told is how alike its output vectors"
            " stay, as cosine (1: the same).",
            className="facts-note",
        ),
        html.Table(
            html.Tbody(
                [
                    _alike("mean of the output vectors", cosine["mean"]),
                    _alike("tokens, on average", float(alike.mean())),
                ]
            ),
            className="why-losses",
        ),
        html.P(f"Least alike: {named}.", className="facts-note"),
    ]


def _alike(name: str, value: float) -> html.Tr:
    return html.Tr([html.Th(name, scope="row"), html.Td(f"{value:.4f}", **{"data-value": repr(float(value))})])


def _changed(changed: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> list[Any]:
    if not changed:
        return [html.P("At every place the same token stays the most probable.", className="facts-note")]
    rows = [
        html.Tr(
            [
                html.Th(f"{one['place']} · {_text(texts, one['place'])}", scope="row"),
                *(
                    html.Td([html.Bdi(one[name][0].strip() or "␣"), f" {percent(one[name][1])}"])
                    for name in ("before", "after")
                ),
                html.Td(signed(one["loss"][1] - one["loss"][0])),
            ]
        )
        for one in changed
    ]
    head = html.Tr([html.Th("true token"), html.Th("foretold"), html.Th("without"), html.Th("loss")])
    return [
        html.Details(
            [
                html.Summary(f"Predictions that change ({len(changed)} with the largest change of loss)"),
                html.Table([html.Thead(head), html.Tbody(rows)], className="why-losses"),
            ],
            className="why-parts",
        )
    ]


def _moved(heads: Sequence[Sequence[float]], stream: StreamInfo, off: frozenset[tuple[int, int]]) -> list[Any]:
    grid = np.asarray(heads)
    order = np.argsort(-grid.ravel(), kind="stable")[:MOVED]
    cells = [(int(cell) // grid.shape[1], int(cell) % grid.shape[1]) for cell in order if grid.ravel()[cell] > 0]
    if not cells:
        return [
            html.P("No other head attends otherwise: what is off stands behind all of them.", className="facts-note")
        ]
    buttons = [
        html.Li(
            html.Button(
                f"{_name(stream, layer, head)}{' (off)' if (layer, head) in off else ''}"
                f" · {percent(float(grid[layer, head]))}",
                type="button",
                className="text-button why-head",
                **{"data-layer": layer, "data-head": head},
            )
        )
        for layer, head in cells
    ]
    return [
        html.H3("Heads that attend otherwise"),
        html.P(
            "Share of its attention that a head puts elsewhere: mean total variation of its rows.",
            className="facts-note",
        ),
        html.Ul(buttons, className="why-heads"),
    ]


def _name(stream: StreamInfo, layer: int, head: int) -> str:
    return stream.head_name(layer, head).replace(" ", "")


def _text(texts: Sequence[str], place: int) -> str:
    return (texts[place].strip() or "␣") if 0 <= place < len(texts) else str(place)


def views(
    bases: Mapping[str, str],
    stream: StreamInfo,
    place: tuple[int, int],
    moved: float,
    is_off: bool,
    image: Mapping[str, Any] | None = None,
) -> list[Any]:
    """The open head's attention in both runs. bases: addresses of the runs as they are (`before`) and without.

    image: what the payload of an image holds beside these; None: it is a text.
    """
    view = SentenceView if image is None else ImageView
    layer, head = place
    note = f"It puts {percent(moved)} of its attention elsewhere." if moved else "It attends as before."
    if is_off:
        note += " It is off: it still attends, but what it reads goes nowhere."
    frames = [
        html.Figure(
            [
                html.Figcaption(title),
                view(
                    id=name,
                    className="why-sentence",
                    payload={"base": bases[run], "stream": stream.name} | dict(image or {}),
                    layer=layer,
                    head=head,
                    selection={"input": 0, "token": None, "side": "query"},
                    mode="heatmap",
                ),
            ]
        )
        for name, run, title in (
            (ids.OFF_BEFORE, "before", f"{_name(stream, layer, head)} as it is"),
            (ids.OFF_AFTER, "after", f"{_name(stream, layer, head)} without"),
        )
    ]
    return [
        html.H3("The open head, before and after"),
        html.P(note, className="facts-note"),
        html.Div(frames, className="why-views"),
    ]
