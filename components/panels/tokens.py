"""The token table beside an open head: every point as a row, the set's summary above it.

The grid (dash-ag-grid) is 1.3 MB of script, so it is fetched when the tab is first opened and not with the page.
"""

from typing import Any

import dash_ag_grid
import numpy as np
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, get_relative_path, html

from components import ids
from components.choices import labelled
from components.server.context import context
from components.state.atlas_page import Search, TokenSet, View
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.search import token_sets, token_table
from services.search.hits import side_masks
from services.search.query import Question, SearchError

# Served, but not part of every page: assets/40-sets.js adds it when the table is first shown.
for _resource in dash_ag_grid._js_dist:
    if not _resource.get("async"):
        _resource["dynamic"] = True
_SCRIPT = "_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js"

SCOPES = ("all", "search", "set")


def tokens_tab(chosen: TokenSet) -> list[Any]:
    """Content of the panel's tab; it starts with the set of the link, where there is one."""
    return [
        dcc.Store(id=ids.TABLE_SCRIPT, data=get_relative_path(f"/{_SCRIPT}")),
        dcc.Store(id=ids.TABLE_READY),
        html.Div(
            [
                *labelled(
                    ids.TABLE_SCOPE,
                    "Show",
                    _scope_options(False, bool(chosen.definition)),
                    "set" if chosen.definition else "all",
                ),
                html.Span(id=ids.TABLE_COUNT, className="table-count", role="status"),
            ],
            className="panel-controls table-controls",
        ),
        html.Div(id=ids.TABLE_SUMMARY, className="table-summary"),
        html.Div(
            "Loading the table …",
            id=ids.TABLE_BODY,
            className="table-body",
            role="region",
            **{"aria-label": "Tokens of this head"},
        ),
    ]


def _scope_options(has_search: bool, has_set: bool) -> list[dict[str, Any]]:
    return [
        {"label": "All", "value": "all"},
        {"label": "Search hits", "value": "search", "disabled": not has_search},
        {"label": "Set", "value": "set", "disabled": not has_set},
    ]


def _grid(atlas: Atlas) -> dash_ag_grid.AgGrid:
    text = {"filterOptions": ["contains", "equals", "startsWith", "endsWith", "notContains"], "maxNumConditions": 2}
    number = {"filterOptions": ["equals", "greaterThan", "lessThan", "inRange"], "maxNumConditions": 2}
    columns = [
        {
            "field": column.name,
            "headerName": column.label,
            "headerTooltip": column.explain,
            "filter": "agTextColumnFilter" if column.kind == "text" else "agNumberColumnFilter",
            "filterParams": text if column.kind == "text" else number,
            "width": column.width,
            "type": None if column.kind == "text" else "rightAligned",
        }
        for column in token_table.table_columns(atlas)
    ]
    return dash_ag_grid.AgGrid(
        id=ids.TABLE,
        columnDefs=columns,
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        rowModelType="infinite",
        getRowId="params.data.id",
        getRowStyle={
            "styleConditions": [{"condition": "params.data && params.data.lit", "style": {"fontWeight": 650}}]
        },
        dashGridOptions={
            "theme": "themeBalham",
            "cacheBlockSize": 100,
            "maxBlocksInCache": 20,
            "maxConcurrentDatasourceRequests": 1,
            "rowSelection": {
                "mode": "multiRow",
                "checkboxes": False,
                "headerCheckbox": False,
                "enableClickSelection": True,
            },
            "rowHeight": 26,
            "headerHeight": 30,
            "tooltipShowDelay": 300,
            "suppressScrollOnNewData": True,
        },
        style={"height": "100%"},
        className="ag-theme-atlas",
        dangerously_allow_code=False,
    )


def _place(view_data: Any) -> tuple[Atlas, StreamInfo, View] | None:
    """The open head of a posted view, or None when there is no such head."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None or view.layer is None or view.head is None:
        return None
    return (atlas, stream, view) if view.layer < stream.layers and view.head < stream.heads else None


def set_mask(atlas: Atlas, stream: StreamInfo, data: Any) -> np.ndarray | None:
    """bool [points] of a posted set, or None when there is none or it names nothing here."""
    definition = TokenSet.from_store(data).definition
    try:
        return token_sets.members(atlas, stream, definition) if definition else None
    except token_sets.SetError:
        return None


def search_mask(atlas: Atlas, stream: StreamInfo, data: Any) -> np.ndarray | None:
    """bool [points] of a posted search, or None when nothing is searched for."""
    wanted = Search.from_store(data)
    if not wanted.query:
        return None
    try:
        return np.concatenate(side_masks(atlas, stream, Question(wanted.query, wanted.mode, wanted.case)))
    except SearchError:
        return None


@callback(
    Output(ids.TABLE, "getRowsResponse"),
    Output(ids.TABLE_COUNT, "children"),
    Input(ids.TABLE, "getRowsRequest"),
    State(ids.TABLE_SCOPE, "value"),
    State(ids.VIEW, "data"),
    State(ids.TOKEN_SET, "data"),
    State(ids.SEARCH, "data"),
)
def rows(request: Any, scope: Any, view_data: Any, set_data: Any, search_data: Any) -> tuple[dict[str, Any], str]:
    """The rows the grid asks for."""
    place = _place(view_data)
    if place is None:
        return {"rowData": [], "rowCount": 0}, ""
    atlas, stream, view = place
    chosen = set_mask(atlas, stream, set_data)
    columns = token_table.columns_of(atlas, stream, int(view.layer or 0), int(view.head or 0))
    everything = np.ones(len(columns["kind"]), dtype=bool)
    shown = {"set": chosen, "search": search_mask(atlas, stream, search_data)}.get(scope) if scope in SCOPES else None
    lit = None if scope == "set" else chosen
    found, total = token_table.page(columns, everything if shown is None else shown, request, lit)
    return {"rowData": found, "rowCount": total}, _counted(total, "row", "rows")


@callback(
    Output(ids.TABLE_SUMMARY, "children"),
    Output(ids.TABLE_SCOPE, "options"),
    Input(ids.TOKEN_SET, "data"),
    Input(ids.SEARCH, "data"),
    Input(ids.TABLE_READY, "data"),
    State(ids.VIEW, "data"),
)
def summarise(set_data: Any, search_data: Any, ready: Any, view_data: Any) -> tuple[Any, list[dict[str, Any]]]:
    """What the set, or the search, has in common."""
    place = _place(view_data)
    if place is None or not ready:
        return None, _scope_options(False, False)
    atlas, stream, _ = place
    chosen, hits = set_mask(atlas, stream, set_data), search_mask(atlas, stream, search_data)
    options = _scope_options(hits is not None, chosen is not None)
    shown, what = (chosen, "Set") if chosen is not None else (hits, "Search hits")
    if shown is None or not shown.any():
        return html.P("Shift-drag in the map, or choose several rows here, to make a set."), options
    return _summary(token_sets.counted(atlas, stream, shown), what), options


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _summary(found: token_sets.SetCounts, what: str) -> list[Any]:
    frequent: list[Any] = []
    for text, count in found.frequent:
        frequent += [html.Span(text.strip() or "␣", className="summary-token"), f" × {count:,}  "]
    place = "" if found.mean_position is None else f" On average {found.mean_position:.0%} of the way into the input."
    queries = _counted(found.queries, "query", "queries")
    keys, inputs = _counted(found.keys, "key", "keys"), _counted(found.inputs, "input", "inputs")
    return [
        html.P([html.Strong(what), f": {queries} and {keys} in {inputs}.{place}"]),
        html.P(["Most frequent: ", *frequent]),
    ]


@callback(
    Output(ids.TABLE_BODY, "children"),
    Input(ids.TABLE_READY, "data"),
    State(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def make_grid(ready: Any, view_data: Any) -> Any:
    """The grid, once its script is there."""
    place = _place(view_data)
    if ready is True and place is not None:
        return _grid(place[0])
    return "The table could not be loaded. Reload the page to try again."


clientside_callback(
    ClientsideFunction("atlasTable", "load"),
    Output(ids.TABLE_READY, "data"),
    Input(ids.PANEL_STATE, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.TABLE_SCRIPT, "data"),  # one that no callback writes: else Dash drops the first call
    State(ids.TABLE_READY, "data"),
)
clientside_callback(
    ClientsideFunction("atlasTable", "scope"),
    Output(ids.TABLE_SCOPE, "value"),
    Input(ids.TOKEN_SET, "data"),
    Input(ids.SEARCH, "data"),
    State(ids.TABLE_SCOPE, "value"),
)
clientside_callback(
    ClientsideFunction("atlasTable", "refresh"),
    Input(ids.TABLE_SCOPE, "value"),
    Input(ids.VIEW, "data"),
    Input(ids.TOKEN_SET, "data"),
    Input(ids.SEARCH, "data"),
)
clientside_callback(
    ClientsideFunction("atlasTable", "choose"),
    Input(ids.TABLE, "selectedRows"),
    State(ids.SCENE, "payload"),
    prevent_initial_call=True,
)
