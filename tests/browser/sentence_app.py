"""A small Dash app around SentenceView with made-up attention that looks like the real thing."""

import json
import threading

import numpy as np
from dash import Dash, Input, Output, State, html
from flask import Response, abort

from components.sentence_view import SentenceView
from components.server.table_route import serve_tables
from tests.browser.serving import serving
from tests.patience import PATIENCE

BASE = "/payload/demo/k"
PATTERNS = ("previous", "sink", "blocks", "mixed", "diffuse")
STORY = (
    "the old light ##house keeper climbed the stairs every evening , because the lamp had to be lit "
    "before the ships came in ; he counted each step , slowly , and he never once lost count ."
)
SENTENCE = STORY.split()
NASTY = (
    "[CLS]",
    "<script>alert(1)</script>",
    "<br>",
    "&amp;",
    " ",
    "\n",
    "\t",
    "",
    "##ing",
    "Ġcat",
    "▁naïve",
    "👩‍👩‍👧‍👦",
    "שלום",
    "مرحبا",
    "\u202eevil",
    "a" * 300,
    "日本語" * 60,
    "[SEP]",
)
SIZES = {0: 8, 1: 40, 2: 128, 3: 512, 4: len(NASTY), 5: 12}
FIRST = {number: 10_000 * number + 100 for number in SIZES}


def tokens(stream: str, number: int) -> tuple[list[str], list[int]]:
    """Token texts and special flags of one input."""
    if number == 4:
        return list(NASTY), [int(text.startswith("[")) for text in NASTY]
    size = SIZES[number]
    words = (
        ["the", "cat", "sat", "on", "the", "mat"] if size == 8 else [SENTENCE[i % len(SENTENCE)] for i in range(size)]
    )
    if stream == "causal":
        words = ["<|endoftext|>", *(f"Ġ{word.removeprefix('##')}" for word in words)][:size]
        return words, [1] + [0] * (len(words) - 1)
    words = words[: size - 2]
    return ["[CLS]", *words, "[SEP]"], [1] + [0] * len(words) + [1]


def key_tokens(stream: str, number: int) -> tuple[list[str], list[int]]:
    if stream != "cross":
        return tokens(stream, number)
    texts, special = tokens(stream, number)
    keep = max(2, len(texts) * 2 // 3)
    return [text.upper() for text in texts[:keep]], special[:keep]


def attention(stream: str, number: int, head: int) -> np.ndarray:
    """uint16 [queries, keys], rows summing to one."""
    n_queries, n_keys = len(tokens(stream, number)[0]), len(key_tokens(stream, number)[0])
    random = np.random.default_rng(17 * number + head)
    q, k = np.mgrid[:n_queries, :n_keys]
    along = q * n_keys / n_queries
    texts = key_tokens(stream, number)[0]
    noise = random.normal(0, 1.0, (n_queries, n_keys))
    pattern = PATTERNS[head % len(PATTERNS)]
    if pattern == "previous":
        score = 7.0 * np.exp(-((along - 1 - k) ** 2) / 0.5) + 0.4 * noise
    elif pattern == "sink":
        score = 4.0 * (k == 0) + 2.2 * np.exp(-np.abs(along - k) / 2) + 0.7 * noise
    elif pattern == "blocks":
        stops = np.cumsum([text in {",", ";", "."} for text in texts])
        own = stops[np.minimum(np.floor(along).astype(int), n_keys - 1)]
        score = 2.5 * (own == stops[k]) + 1.6 * np.array([len(text) > 5 for text in texts])[k] + 0.5 * noise
    elif pattern == "mixed":
        likes = random.normal(0, 1.3, n_keys)
        score = likes[k] + 3.2 * np.exp(-((along - k) ** 2) / 2) + 2.5 * (k == 0) + 1.1 * noise
        score += 2.5 * np.isin(np.array(texts), (",", ".", ";", "[SEP]"))[k] * np.exp(-np.abs(along - k) / 12)
    else:
        score = 0.5 * noise
    if stream == "causal":
        score = np.where(k > q, -np.inf, score)
    score = np.exp(score - score.max(1, keepdims=True))
    return np.round(65535 * score / score.sum(1, keepdims=True)).astype("<u2")


def value_norms(number: int, head: int, n_keys: int) -> np.ndarray:
    norms = np.random.default_rng(number + 31 * head).uniform(0.5, 3.0, n_keys)
    norms[0] = 0.05
    return norms.astype("<f4")


class Server:
    """What the routes do besides answering: tests switch failures on and look at the requests."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.failing = False
        self.slow = threading.Event()
        self.slow.set()


def create_app(state: Server, page_style: str = "") -> Dash:
    app = Dash(__name__)
    serve_tables(app, "/")
    app.index_string = app.index_string.replace("<html>", '<html lang="en">').replace(
        "</head>",
        "<style>body{margin:0;font-family:system-ui,'Noto Sans',sans-serif}" + page_style + "</style></head>",
    )
    app.layout = html.Main(
        [
            html.Div(
                SentenceView(
                    id="view",
                    payload={"base": BASE, "stream": "self"},
                    layer=0,
                    head=3,
                    style={"height": "100%"},
                ),
                id="panel",
                style={"width": "100vw", "height": "100vh"},
            ),
            # As wide as the window at most: a long line here is no fault of the view's.
            html.Pre(id="out", style={"position": "absolute", "top": "100vh", "maxWidth": "100vw", "overflow": "auto"}),
        ]
    )

    @app.callback(
        Output("out", "children"),
        Input("view", "selection"),
        Input("view", "hidden"),
        Input("view", "hover"),
    )
    def show(selection, hidden, hover):
        pinned = selection and selection["token"] is not None
        selected = {"token": selection["token"], "side": selection["side"]} if pinned else None
        return json.dumps({"selected": selected, "hidden": hidden, "hover": hover})

    app.clientside_callback(  # as assets/20-choose.js: what is picked is of the input that is shown
        "(picked, selection) => ({ ...selection, token: picked.token, side: picked.side })",
        Output("view", "selection"),
        Input("view", "picked"),
        State("view", "selection"),
        prevent_initial_call=True,
    )

    routes = app.server

    def guard(name: str) -> None:
        state.requests.append(name)
        state.slow.wait(PATIENCE)
        if state.failing:
            abort(Response("The atlas is being rebuilt.", 503))

    @routes.get(f"{BASE}/input/<stream>/<int:number>")
    def input_(stream, number):
        guard(f"input/{stream}/{number}")
        if number not in SIZES:
            abort(Response(f"No input {number}.", 404))
        texts, special = tokens(stream, number)
        key_texts, key_special = key_tokens(stream, number)
        return {
            "text": " ".join(texts),
            "queries": {"first": FIRST[number], "tokens": texts, "special": special},
            "keys": {"first": FIRST[number], "tokens": key_texts, "special": key_special},
        }

    @routes.get(f"{BASE}/attention/<stream>/<int:number>/<int:layer>/<int:head>")
    def attention_(stream, number, layer, head):
        guard(f"attention/{stream}/{number}/{layer}/{head}")
        if number not in SIZES:
            abort(Response(f"No input {number}.", 404))
        return Response(attention(stream, number, head).tobytes(), mimetype="application/octet-stream")

    @routes.get(f"{BASE}/values/<stream>/<int:number>/<int:layer>/<int:head>")
    def values_(stream, number, layer, head):
        guard(f"values/{stream}/{number}/{layer}/{head}")
        norms = value_norms(number, head, len(key_tokens(stream, number)[0]))
        return Response(norms.tobytes(), mimetype="application/octet-stream")

    return app


def serve(app: Dash):
    """Serve in a thread; yields the address."""
    return serving(app.server)
