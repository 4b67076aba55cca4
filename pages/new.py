"""The page "New atlas": a model, a corpus, a look at both before anything is built, and the builds under way."""

from typing import Any

import dash
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, html, no_update

from components import ids
from components.new_atlas import OWN_WORDS, check_words, column_options, first_rows, form, problem_words
from components.new_dataset import fetched_corpus
from components.orders import orders_list
from components.server.context import context
from components.server.permission import limited_person, may_see_of, refusal, visitor
from services.errors import AtlasError
from services.models.outline import WRITER
from services.workshop.orders import Workshop
from services.workshop.quotas import Quotas
from services.workshop.wish import Wish

dash.register_page(__name__, path="/new", title="New atlas · Attention Atlas", name="New atlas")


def layout(**_query: str) -> html.Div:
    return html.Div(
        html.Div(
            [
                html.H1("New atlas"),
                form(context().settings),
                html.Section(
                    [html.H2("Builds"), html.Div(_orders(), id=ids.ORDERS)],
                    className="form-section",
                    **{"aria-label": "Builds"},
                ),
            ],
            className="form-page",
        ),
        className="guide",
        tabIndex=0,
    )


def workshop() -> Workshop:
    here = context()
    quotas = Quotas(here.settings, limited_person())
    return Workshop(here.settings, here.library, here.jobs, here.rows, visitor(), quotas)


def _orders() -> html.Div:
    here = context()
    try:
        here.jobs.check()
    except AtlasError as error:
        return html.Div(problem_words(str(error)))
    shop = workshop()
    placed = [one for one in shop.orders() if may_see_of(one.order.owner)]
    return orders_list(placed, here.jobs, here.settings.url_prefix, shop.begins_in)


_CHOICES = {
    "model": (ids.NEW_MODEL, "value"),
    "corpus": (ids.NEW_CORPUS, "value"),
    "text": (ids.NEW_TEXT, "value"),
    "upload": (ids.NEW_UPLOAD, "data"),
    "dataset": (ids.NEW_SET, "data"),
    "column": (ids.NEW_COLUMN, "value"),
    "pair": (ids.NEW_PAIR, "value"),
    "chats": (ids.NEW_CHATS, "value"),
    "encoding": (ids.NEW_ENCODING, "value"),
    "paragraphs": (ids.NEW_PARAGRAPHS, "value"),
    "target": (ids.NEW_TARGET, "value"),
    "sample": (ids.NEW_SAMPLE, "value"),
    "max_inputs": (ids.NEW_INPUTS, "value"),
    "seed": (ids.NEW_SEED, "value"),
    "projections": (ids.NEW_MAPS, "value"),
    "dims": (ids.NEW_DIMS, "value"),
    "title": (ids.NEW_TITLE, "value"),
}


def _wish(values: tuple[Any, ...]) -> Wish:
    """
    Raises:
        BuildError: naming what is missing or wrong.
    """
    posted = dict(zip(_CHOICES, values, strict=True))
    upload = posted["upload"]
    posted["upload"] = upload.get("id") if isinstance(upload, dict) else None
    posted["dataset"] = fetched_corpus(posted["dataset"])
    posted["text"] = posted["text"] or ""
    for box in ("paragraphs", "sample"):
        posted[box] = posted[box] == [1]
    of_tables = ("column", "pair", "chats", "target")
    unused = {
        "paste": ("upload", "dataset", "encoding", *of_tables),
        "upload": ("text", "dataset"),
        "dataset": ("text", "upload", "encoding", "paragraphs"),
        "demo": ("text", "upload", "dataset", "encoding", "paragraphs", *of_tables),
    }
    drop = unused.get(posted["corpus"] if isinstance(posted["corpus"], str) else "", ())
    return Wish.read({name: value for name, value in posted.items() if name not in drop})


@callback(
    Output(ids.NEW_CHECK, "children"),
    Output(ids.NEW_COLUMN, "options"),
    Output(ids.NEW_PAIR, "options"),
    Output(ids.NEW_TARGET, "options"),
    Output(ids.NEW_TARGET_FIELD, "className"),
    Output(ids.NEW_COLUMN_FIELD, "className"),
    Output(ids.NEW_ROWS, "children"),
    Output(ids.NEW_START, "disabled"),
    *(State(*place) if name == "title" else Input(*place) for name, place in _CHOICES.items()),
)
def check(*values: Any) -> tuple[Any, ...]:
    """Say what would be built, or why it cannot."""
    try:
        wish = _wish(values)
        checked = workshop().check(wish)
    except AtlasError as error:
        return problem_words(str(error)), no_update, no_update, no_update, no_update, "d-none", None, True
    columns = checked.look.get("columns", [])
    shown = "new-column" if wish.corpus in ("upload", "dataset") and columns else "d-none"
    rows = first_rows(columns, checked.look.get("rows", []))
    writer = "" if checked.look["model"]["kind"] == WRITER or wish.target else "d-none"
    names = column_options(columns), column_options(columns, "none"), column_options(columns, OWN_WORDS), writer
    return check_words(checked), *names, shown, rows, checked.problem is not None


@callback(
    Output(ids.NEW_SAYS, "children"),
    Input(ids.NEW_START, "n_clicks"),
    *(State(*place) for place in _CHOICES.values()),
    prevent_initial_call=True,
)
def start(clicks: Any, *values: Any) -> Any:
    """Ask for the build; the list below follows it."""
    if not clicks:
        return no_update
    try:
        problem = refusal("build")
        order = None if problem else workshop().place(_wish(values))
    except AtlasError as error:
        problem, order = str(error), None
    return html.Span(problem, className="check-problem") if order is None else f"Begun: {order.slug}."


@callback(
    Output(ids.ORDERS, "children"),
    Input(ids.JOBS, "data"),
    Input(ids.BANNER, "children"),
    Input(ids.order_deed(ALL, ALL), "n_clicks"),  # type: ignore[arg-type]
    prevent_initial_call=True,
)
def follow(_jobs: Any, _banner: Any, clicks: Any) -> Any:
    """Do what was pressed, and show how far all is."""
    pressed = ctx.triggered_id
    if isinstance(pressed, dict) and isinstance(clicks, list) and any(clicks):
        _do(pressed.get("deed"), pressed.get("slug"))
    return _orders()


def _do(deed: Any, slug: Any) -> None:
    here = workshop()
    order = here.get(slug)
    if order is None or refusal("stop", order.owner) is not None:
        return
    try:
        if deed == "stop":
            here.stop(slug)
        elif deed == "go":
            here.go_on(slug)
        elif deed == "discard":
            here.discard(slug)
    except AtlasError:  # a full disk: the list says how it stands
        return


clientside_callback(
    ClientsideFunction("atlasNew", "show"),
    Output(ids.NEW_PASTE, "className"),
    Output(ids.NEW_UPLOADING, "className"),
    Output(ids.NEW_FETCHING, "className"),
    Output(ids.NEW_READING, "className"),
    Input(ids.NEW_CORPUS, "value"),
)
