"""From kind to kind: how one head attends from queries of each kind to keys of each, and which heads do it most."""

from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update

from components import ids
from components.server.context import context
from components.state.atlas_page import AtlasPage, KindTable, View
from components.state.links import address
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.registry import attribute_of
from services.measures import related
from services.measures.kinds import (
    LEAST_QUERIES,
    KindMatrix,
    offered,
    unavailable,
)
from services.search.token_sets import write_ids

RANKED = 8
_FULL = 3.0  # log2 of the lift at which a cell has its full colour: eight times even


def kinds_card(atlas: Atlas, stream: StreamInfo, view: View, chosen: KindTable) -> html.Details:
    """Closed until a reader or a link opens it: the sums take a moment."""
    why = unavailable(atlas, stream)
    summary = html.Summary("From kind to kind", id=ids.KINDS, n_clicks=0)
    if why:
        return html.Details([summary, html.P(why, className="facts-note")], className="kinds")
    options = [{"label": attribute_of(name).label, "value": name} for name in offered(atlas)]
    options += [{"label": related.LABEL, "value": related.NAME}] if related.known(atlas, stream) else []
    select = dbc.Select(id=ids.KINDS_OF, options=options, value=chosen.of or options[0]["value"])
    body, cell = table_and_cell(atlas, stream, view, chosen)
    return html.Details(
        [
            summary,
            html.Div([html.Label("Kinds by", htmlFor=ids.KINDS_OF), select], className="label-row"),
            html.Div(body, id=ids.KINDS_BODY),
            html.Div(cell, id=ids.KINDS_CELL, role="status"),
        ],
        className="kinds",
        open=bool(chosen.of),
    )


def matrix_table(matrix: KindMatrix) -> list[Any]:
    """Rows ask, columns answer; each cell a button that tells more of it."""
    corner = "relation" if matrix.to else "from ↓ to →"
    head = html.Tr([html.Td(corner), *(html.Th(html.Span(name), scope="col", title=name) for name in matrix.columns)])
    rows = [
        html.Tr(
            [html.Th(name, scope="row"), *(html.Td(_cell(matrix, query, key)) for key in range(len(matrix.columns)))]
        )
        for query, name in enumerate(matrix.names)
    ]
    by = (
        "from words to their heads and back, by the relation that the corpus gives them"
        if matrix.to
        else "by the kind of the query (row) and of the key (column)"
    )
    note = (
        f"How many times as much attention as even attention would give, {by}. Grey: fewer than {LEAST_QUERIES} "
        "queries, with their number. Choose a cell for its pairs and the heads that do it most."
    )
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="kinds-table")
    return [html.P(note, className="facts-note"), html.Div(table, className="kinds-scroll")]


def _cell(matrix: KindMatrix, query: int, key: int) -> Any:
    count = int(matrix.queries[query, key])
    if not count:
        return html.Span("–", title="no query sees such a key")
    if not matrix.enough[query, key]:
        return html.Span(f"{count}", className="kinds-few", title=f"only {count} queries: too few to say anything")
    lift = float(matrix.lift[query, key])
    fill = 100 * min(1.0, max(0.0, np.log2(lift) / _FULL)) if lift > 0 else 0.0
    title = f"{matrix.title(query, key)}: {told(matrix, query, key)}"
    return html.Button(
        f"{lift:.1f}" if lift < 10 else f"{lift:.0f}",
        id=ids.kinds_pair(query, key),
        n_clicks=0,
        type="button",
        title=title,
        style={"--fill": f"{fill:.0f}%"},
        **{"aria-label": title},
    )


def told(matrix: KindMatrix, query: int, key: int) -> str:
    """A cell in words."""
    place = query, key
    low, high = 100 * matrix.low[place], 100 * matrix.high[place]
    interval = "" if np.isnan(low) else f", 95 % interval {low:.1f} to {high:.1f} %"
    return (
        f"{matrix.lift[place]:.2f} times even attention ({100 * matrix.weight[place]:.1f} % of a query's attention"
        f"{interval}; even {100 * matrix.even[place]:.1f} %), over {matrix.queries[place]:,} queries."
    )


def cell_details(atlas: Atlas, view: View, attribute: str, query: int, key: int, prefix: str) -> list[Any]:
    """One cell: in words, a link to its strongest pairs, and the heads in which it is strongest.

    Raises:
        KeyError, IndexError: there is no such cell, or no such head.
    """
    stream = atlas.stream(str(view.stream))
    layer, head = place_of(stream, view)
    source = related.source_of(atlas, stream, attribute)
    matrix = source.kind_matrix(atlas, stream, layer, head, attribute)
    names = matrix.names[query], matrix.columns[key]
    base = {
        "atlas": atlas.slug, "stream": stream.name, "method": view.method, "dims": str(view.dims), "tab": "head",
        "kinds": attribute, "cell": related.cell_text(*names),
    }  # fmt: skip
    here = {**base, "layer": str(stream.number(layer)), "head": str(head)}
    points = source.strongest_pairs(atlas, stream, layer, head, attribute, *names)
    shown: list[Any] = [html.H3(matrix.title(query, key)), html.P(told(matrix, query, key))]
    if points:
        link = address(prefix, AtlasPage, {**here, "set": write_ids(points)})
        shown.append(html.P(dcc.Link("Light up its strongest pairs, on the map and in the inputs", href=link)))
    lifts = source.lift_of_all(atlas, stream, attribute, *names)
    if lifts is None:
        return [*shown, html.P("This atlas is too large to compare all heads while you wait.", className="facts-note")]
    order = [int(cell) for cell in np.argsort(-np.nan_to_num(lifts, nan=-1), axis=None)[:RANKED]]
    places = [divmod(cell, stream.heads) for cell in order]
    items = [
        html.Li(
            [
                dcc.Link(
                    stream.head_name(one, two),
                    href=address(prefix, AtlasPage, {**base, "layer": str(stream.number(one)), "head": str(two)}),
                ),
                f" {lifts[one, two]:.2f}",
            ]
        )
        for one, two in places
    ]
    return [*shown, html.P("Heads in which it is strongest, times even attention:"), html.Ol(items)]


def export_link(prefix: str, atlas: Atlas, stream: StreamInfo, view: View, file: str) -> html.P:
    """A file about the open head, to take away (components/server/export_routes.py)."""
    base = f"{prefix.rstrip('/')}/export/{atlas.slug}/{atlas.info.key}/{stream.name}"
    return html.P(html.A("CSV", href=f"{base}/{view.layer}/{view.head}/{file}", download="", className="text-button"))


def place_of(stream: StreamInfo, view: View) -> tuple[int, int]:
    """Raises: IndexError when the view names no head of the stream."""
    if view.layer is None or view.head is None or view.layer >= stream.layers or view.head >= stream.heads:
        raise IndexError("no such head")
    return view.layer, view.head


def table_and_cell(atlas: Atlas, stream: StreamInfo, view: View, chosen: KindTable) -> tuple[Any, Any]:
    """The table of the open head and what its chosen cell says; nothing where either is not there."""
    if not chosen.of or unavailable(atlas, stream):
        return None, None
    prefix = context().settings.url_prefix
    try:
        source = related.source_of(atlas, stream, chosen.of)
        matrix = source.kind_matrix(atlas, stream, *place_of(stream, view), chosen.of)
        body = [*matrix_table(matrix), export_link(prefix, atlas, stream, view, f"kinds/{chosen.of}.csv")]
    except (KeyError, IndexError):
        return None, None
    try:
        place = related.place_of(atlas, stream, chosen.of, chosen.cell)
        return body, cell_details(atlas, view, chosen.of, *place, prefix)
    except (KeyError, IndexError):
        return body, None


@callback(
    Output(ids.KINDS_CHOSEN, "data"),
    Input(ids.KINDS, "n_clicks"),
    Input(ids.KINDS_OF, "value"),
    Input(ids.kinds_pair(ALL, ALL), "n_clicks"),
    State(ids.KINDS_CHOSEN, "data"),
    State(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def choose(_opened: Any, attribute: Any, _clicks: Any, data: Any, view_data: Any) -> Any:
    """The one writer of the store: the card is opened or closed, other kinds are wanted, a cell is chosen."""
    chosen, view = KindTable.from_store(data), View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(str(view.stream)) if atlas else None
    if ctx.triggered_id == ids.KINDS and chosen.of:
        return KindTable().to_store()
    if atlas is None or stream is None or not ctx.triggered or not ctx.triggered[0]["value"]:
        return no_update
    try:
        if ctx.triggered_id in (ids.KINDS, ids.KINDS_OF):
            related.names(atlas, stream, str(attribute))
            wanted = chosen.of or ctx.triggered_id == ids.KINDS
            return KindTable(of=str(attribute)).to_store() if wanted and attribute != chosen.of else no_update
        query, key = int(ctx.triggered_id["query"]), int(ctx.triggered_id["key"])
        if not chosen.of or min(query, key) < 0:
            return no_update
        rows, columns = related.names(atlas, stream, chosen.of)
        return KindTable(of=chosen.of, cell=related.cell_text(rows[query], columns[key])).to_store()
    except (KeyError, IndexError, TypeError, ValueError):
        return no_update


@callback(
    Output(ids.KINDS_BODY, "children"),
    Output(ids.KINDS_CELL, "children"),
    Input(ids.KINDS_CHOSEN, "data"),
    Input(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def follow(data: Any, view_data: Any) -> Any:
    """The table of the head that is open, while the card is."""
    chosen, view = KindTable.from_store(data), View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(str(view.stream)) if atlas else None
    if not chosen.of or atlas is None or stream is None:
        return no_update, no_update
    return table_and_cell(atlas, stream, view, chosen)
