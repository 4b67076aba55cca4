"""Parts of a head's joint space, an experiment: directions that tell keys of a query's own kind from others."""

from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import Input, Output, callback, dcc, html, no_update

from components import ids
from components.panels.kinds import export_link, place_of
from components.server.context import context
from components.state.atlas_page import AtlasPage, View
from components.state.links import address
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.registry import attribute_of
from services.errors import NotStoredError
from services.measures import kinds
from services.measures.contrast import SHUFFLES, Contrast, contrast, unavailable
from services.search.token_sets import write_ids

NAMED = 2  # kinds at either end of a part


def parts_card(atlas: Atlas, stream: StreamInfo) -> html.Details:
    """Closed until a reader opens it: the shuffles take a moment."""
    summary = html.Summary(
        ["Parts of this head ", html.Span("experiment", className="experiment")], id=ids.PARTS, n_clicks=0
    )
    why = unavailable(atlas, stream)
    if why:
        return html.Details([summary, html.P(why, className="facts-note")], className="kinds")
    options = [{"label": attribute_of(name).label, "value": name} for name in kinds.offered(atlas)]
    select = dbc.Select(id=ids.PARTS_OF, options=options, value=options[0]["value"])
    return html.Details(
        [
            summary,
            html.Div([html.Label("Kinds by", htmlFor=ids.PARTS_OF), select], className="label-row"),
            html.Div(id=ids.PARTS_BODY, role="status"),
        ],
        className="kinds",
    )


def parts_told(found: Contrast, href: Any) -> list[Any]:
    """The parts in words and as a table; href: from points to the address where they are lit up."""
    first = (
        f"Keys of a query's own kind score {found.gap:+.2f} beside keys of other kinds at the same distance "
        f"(mean of {found.pairs:,} pairs, before the softmax). "
    )
    if not found.parts:
        told = "No direction of this head stands out of chance: what it does has nothing to do with these kinds."
        return [html.P(first + told)]
    one, added = found.beyond == 1, sum(part.gap for part in found.parts)
    told = (
        f"{found.beyond} direction{' tells' if one else 's tell'} these kinds apart more than any does after "
        f"{SHUFFLES} shuffles of the kinds, and add{'s' if one else ''} {added:+.2f} to that"
        f"{'' if found.beyond == len(found.parts) else ' (those shown)'}."
    )
    if found.own_half is not None:
        told += f" Found in half of the inputs: {found.own_half:+.2f} there, {found.held_out:+.2f} in the other half."
    head = [
        ("", ""),
        ("Strength", "Singular value over the largest of the shuffled kinds"),
        ("Adds", "To the mean score of a pair of one kind, over a pair of two"),
        ("Queries", "Kinds with most of the direction, and with least"),
        ("Keys", "Kinds with most of the direction, and with least"),
        ("", ""),
    ]
    rows = [
        html.Tr(
            [
                html.Th(f"{number}", scope="row"),
                html.Td(f"×{part.strength / found.chance:.1f}" if found.chance else "–"),
                html.Td(f"{part.gap:+.2f}"),
                html.Td(_ends(found.names, part.queries)),
                html.Td(_ends(found.names, part.keys)),
                html.Td(dcc.Link("Show", href=href(part.points), title="The queries and keys that have most of it")),
            ]
        )
        for number, part in enumerate(found.parts, start=1)
    ]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(text, scope="col", title=title) for text, title in head])), html.Tbody(rows)],
        className="facts-table",
    )
    note = (
        "Contrastive covariance (Lee et al. 2026): mean q kᵀ of pairs of one kind, minus that of pairs of two kinds "
        "with as many queries of each kind at each distance; its singular vectors are the parts. The paper's pairs "
        "differ in one feature alone; those of a corpus differ in more, so that a part may carry what merely goes "
        "with the kind. Special tokens and the first token as a key are left out."
    )
    return [html.P(first + told), html.Div(table, className="kinds-scroll"), html.P(note, className="facts-note")]


def _ends(names: tuple[str, ...], means: np.ndarray) -> str:
    known = np.flatnonzero(np.isfinite(means))
    order = known[np.argsort(-means[known], kind="stable")]
    count = min(NAMED, len(order) // 2)
    most, least = (", ".join(names[kind] for kind in some) for some in (order[:count], order[::-1][:count]))
    return f"{most} ↔ {least}"


@callback(
    Output(ids.PARTS_BODY, "children"),
    Input(ids.PARTS, "n_clicks"),
    Input(ids.PARTS_OF, "value"),
    Input(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def show_parts(opened: Any, attribute: Any, view_data: Any) -> Any:
    """The parts of the open head, once the card was opened."""
    if not opened:
        return no_update
    here, view = context(), View.from_store(view_data)
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(str(view.stream)) if atlas else None
    if atlas is None or stream is None or unavailable(atlas, stream):
        return None
    try:
        layer, head = place_of(stream, view)
        found = contrast(atlas, stream, layer, head, str(attribute))
    except (KeyError, IndexError):
        return None
    except NotStoredError as error:
        return html.P(str(error))
    place = {"atlas": atlas.slug, "stream": stream.name, "method": view.method, "dims": str(view.dims), "tab": "head"}
    place |= {"layer": str(stream.number(layer)), "head": str(head)}
    prefix = here.settings.url_prefix
    told = parts_told(found, lambda points: address(prefix, AtlasPage, {**place, "set": write_ids(list(points))}))
    return [*told, export_link(prefix, atlas, stream, view, f"parts/{attribute}.csv")] if found.parts else told
