"""The form of the page New atlas: a model, a corpus, how much of it, which maps; and what a look at it told."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components import ids
from components.choices import field, segmented
from components.new_dataset import dataset_field
from services.models.memory import readable
from services.projection import START, method_label, method_names
from services.settings import Settings
from services.workshop.offers import Offer, offers
from services.workshop.orders import Checked

CORPORA = {"paste": "Paste text", "upload": "Upload", "dataset": "Data set", "demo": "The demo's"}
OWN_WORDS = "none: it writes its own"
_FIRST_INPUTS = 2_000
_CHATS = [
    {"label": "by the model's template, or by turns", "value": "either"},
    {"label": "by the model's template", "value": "template"},
    {"label": "each turn an input", "value": "turns"},
]


def form(settings: Settings) -> html.Div:
    """Everything to choose, at its defaults."""
    found = offers(settings)
    usable = [offer for offer in found if not offer.install]
    return html.Div(
        [
            _section(
                "Model",
                field(
                    "Which model",
                    dbc.Select(
                        id=ids.NEW_MODEL,
                        options=[{"label": offer.label, "value": offer.value} for offer in usable],
                        value=usable[0].value if usable else None,
                    ),
                    ids.NEW_MODEL,
                    "field-wide",
                ),
                *_installable(found),
            ),
            _section("Corpus", *_corpus(settings)),
            _section("How much, and which maps", *_extent()),
            html.Div(id=ids.NEW_CHECK, className="new-check", role="status"),
            html.Div(
                [
                    html.Button("Build", id=ids.NEW_START, className="primary-button", type="button", disabled=True),
                    html.Span(id=ids.NEW_SAYS, className="new-says", role="status"),
                ],
                className="form-row",
            ),
        ],
        className="new-form",
    )


def _section(title: str, *content: Any) -> html.Section:
    return html.Section([html.H2(title), *content], className="form-section", **{"aria-label": title})


def _installable(found: Sequence[Offer]) -> list[html.P]:
    return [
        html.P([f"{offer.label}: ", html.Code(offer.install)], className="form-note")
        for offer in found
        if offer.install
    ]


def _corpus(settings: Settings) -> list[Component]:
    most = settings.upload_bytes
    says = f"Text, CSV, JSONL or Parquet, images, or a zip of images; {readable(most)} at most."
    return [
        segmented(ids.NEW_CORPUS, "Where the corpus comes from", CORPORA, "paste"),
        html.Div(
            [
                html.Label("One input a line", htmlFor=ids.NEW_TEXT, className="field-label"),
                dbc.Textarea(id=ids.NEW_TEXT, rows=8, debounce=600, class_name="new-text", spellcheck=False),
            ],
            id=ids.NEW_PASTE,
            className="field",
        ),
        html.Div(
            [
                dcc.Store(id=ids.NEW_UPLOAD),
                html.Button(
                    "Choose files, or drop them here",
                    id=ids.NEW_CHOOSE,
                    className="drop-zone",
                    type="button",
                    **{"data-most": str(most), "aria-describedby": ids.NEW_UPLOAD_SAYS},
                ),
                html.Div(says if most else "Uploads are switched off here.", id=ids.NEW_UPLOAD_SAYS, role="status"),
            ],
            id=ids.NEW_UPLOADING,
            className="d-none",
        ),
        dataset_field(settings),
        html.Div(
            [
                html.Div(
                    [
                        field(
                            "Column with the inputs",
                            dbc.Select(id=ids.NEW_COLUMN, options=[], value="", placeholder="by itself"),
                            ids.NEW_COLUMN,
                        ),
                        field(
                            "Second text of a pair",
                            dbc.Select(id=ids.NEW_PAIR, options=[], value="", placeholder="none"),
                            ids.NEW_PAIR,
                        ),
                        html.Div(
                            field(
                                "Column that the model writes",
                                dbc.Select(id=ids.NEW_TARGET, options=[], value=""),
                                ids.NEW_TARGET,
                            ),
                            id=ids.NEW_TARGET_FIELD,
                            className="d-none",
                        ),
                        field("Chats", dbc.Select(id=ids.NEW_CHATS, options=_CHATS, value="either"), ids.NEW_CHATS),
                    ],
                    className="form-row",
                ),
                html.Div(id=ids.NEW_ROWS, className="first-rows", tabIndex=0, **{"aria-label": "First rows"}),
            ],
            id=ids.NEW_COLUMN_FIELD,
            className="d-none",
        ),
        html.Details(
            [
                html.Summary("How text is read", className="text-button"),
                html.Div(
                    [
                        field(
                            "Encoding, if not UTF-8",
                            dbc.Input(
                                id=ids.NEW_ENCODING, type="text", maxlength=40, debounce=600, placeholder="cp1252"
                            ),
                            ids.NEW_ENCODING,
                        ),
                        _boxes(
                            ids.NEW_PARAGRAPHS, "Lines", [{"label": "One input between empty lines", "value": 1}], []
                        ),
                    ],
                    className="form-row",
                ),
            ],
            id=ids.NEW_READING,
        ),
    ]


def _extent() -> list[Component]:
    maps = [{"label": method_label(name), "value": name} for name in method_names() if name != START.name]
    return [
        html.Div(
            [
                field(
                    "Inputs at most",
                    dbc.Input(
                        id=ids.NEW_INPUTS, type="number", min=1, max=100_000, step=1, value=_FIRST_INPUTS, debounce=400
                    ),
                    ids.NEW_INPUTS,
                ),
                _boxes(ids.NEW_SAMPLE, "Which of them", [{"label": "At random", "value": 1}], []),
                field(
                    "Seed",
                    dbc.Input(id=ids.NEW_SEED, type="number", min=0, max=2**32 - 1, step=1, value=0, debounce=400),
                    ids.NEW_SEED,
                ),
                field(
                    "Name (may be left out)",
                    dbc.Input(id=ids.NEW_TITLE, type="text", maxlength=80),
                    ids.NEW_TITLE,
                    "field-wide",
                ),
            ],
            className="form-row",
        ),
        html.Div(
            [
                _boxes(ids.NEW_MAPS, f"Maps beside {START.label}", maps, [maps[0]["value"]]),
                _boxes(ids.NEW_DIMS, "Space", [{"label": "2D", "value": 2}, {"label": "3D", "value": 3}], [2]),
            ],
            className="form-row",
        ),
    ]


def _number(id: str, label: str, value: int, *, least: int, most: int) -> html.Div:
    return field(label, dbc.Input(id=id, type="number", min=least, max=most, step=1, value=value), id)


def _boxes(id: str, label: str, options: list[Any], value: list[Any]) -> html.Div:
    return html.Div(
        [
            html.Span(label, className="field-label", id=f"{id}-label"),
            html.Div(
                dbc.Checklist(id=id, options=options, value=value, inline=True),
                role="group",
                **{"aria-labelledby": f"{id}-label"},
            ),
        ],
        className="field",
    )


def check_words(checked: Checked) -> html.Div:
    """What it is, what it will take, and a clear no where it does not fit."""
    lines = [html.P(checked.sentence, className="check-what")]
    if checked.estimate is not None:
        lines.append(html.P(checked.estimate.sentence()))
    if checked.problem is not None:
        lines.append(html.P(checked.problem, className="check-problem"))
    lines += [html.P(note, className="form-note") for note in checked.look.get("notes", ())]
    return html.Div(lines)


def problem_words(sentence: str) -> html.P:
    return html.P(sentence, className="check-problem")


def first_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> html.Table | None:
    """The first rows of a table, as it stands in the file."""
    if not rows:
        return None
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in columns]))
    return html.Table([head, html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows])])


def column_options(columns: Sequence[str], nothing: str = "by itself") -> list[dict[str, str]]:
    return [{"label": nothing, "value": ""}, *({"label": name, "value": name} for name in columns)]
