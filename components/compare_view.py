"""The body of the page "Compare": what is known of both atlases, for the component that shows them."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, callback, clientside_callback, dcc, html

from components import ids
from components.catalogue import pane_facts
from components.choices import field
from components.compare import HeadCompare
from components.compare_colours import DIFFERENCES
from components.find import modes_of
from components.help import info_button
from components.polling import poll
from components.server.context import context
from components.shell import notice
from components.state.attention_options import AttentionOptions
from components.state.compare_page import ComparePage
from components.state.links import address
from services.alignment.sharing import sharing
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo
from services.atlas.series import series_of
from services.attributes.attribute import Place
from services.attributes.registry import offered, variants, why_not
from services.errors import AtlasError


def compare_body(atlas: Atlas, page: ComparePage) -> html.Div:
    """The page for one state."""
    here, state = context(), page.compare
    other = here.library.get(state.other) or atlas
    panes = [(atlas, atlas.stream(state.stream)), (other, other.stream(state.stream2))]
    return html.Div(
        [
            html.Div([html.H1("Compare"), info_button(ids.HEAD_COMPARE)], className="label-row compare-title"),
            html.Div(notice(page.dropped)),
            poll(ids.COMPARE_TICK, 200),
            HeadCompare(
                id=ids.HEAD_COMPARE,
                panes=[pane_facts(*one, here.settings.url_prefix) for one in panes],
                series=_series(other, here.library.entries()),
                atlases=_offered(here.library.entries(), atlas),
                colours=_colours(atlas, other),
                modes=[{"value": name, "label": label} for name, label in modes_of(atlas.info.modality).items()],
                lines=AttentionOptions().scene_lines(),
                theme="light",
                state=state.to_store(),
            ),
        ],
        className="compare-page",
    )


def _series(atlas: Atlas, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Checkpoints of the run that the second atlas is of."""
    found = series_of(atlas, [entry.atlas for entry in entries if entry.atlas])
    return [{"step": step, "slug": one.slug, "key": one.info.key, "title": one.info.title} for step, one in found]


def _offered(entries: Sequence[Entry], atlas: Atlas) -> list[dict[str, Any]]:
    """All atlases that can be read, those of the same corpus first."""
    found = [entry.atlas for entry in entries if entry.atlas]
    found.sort(key=lambda other: other.info.corpus.sha256 != atlas.info.corpus.sha256)
    return [{"slug": other.slug, "title": other.info.title} for other in found]


def _colours(atlas: Atlas, other: Atlas) -> list[dict[str, Any]]:
    """What points of both can be coloured by: how they differ, and attributes."""
    differences = [
        {"value": one.name, "label": f"Difference: {one.label.lower()}", "kind": one.kind, "low": "", "high": ""}
        for one in DIFFERENCES.values()
    ]
    families = [(variants(one) or (one,)) for one in offered(atlas)]
    return differences + [
        {
            "value": one.name,
            "label": one.label if one is family[0] else f"{family[0].label}: {one.choice}",
            "kind": one.kind,
            "low": one.low,
            "high": one.high,
        }
        for family in families
        for one in family
        if not why_not(atlas, one) and not why_not(other, one) and one.modality in (None, other.info.modality)
    ]


def compare_address(prefix: str, atlas: Atlas, stream: StreamInfo, place: Place, other: Atlas | None = None) -> str:
    """Where a head is compared with another; other: the atlas of that one."""
    named = {"atlas": atlas.slug, "stream": stream.name, "layer": str(stream.number(place[0])), "head": str(place[1])}
    return address(prefix, ComparePage, named | ({"with": other.slug} if other else {}))


def comparer(entries: Sequence[Entry]) -> html.Div:
    """Two atlases to choose, and beside them the way to their comparison or why there is none."""
    options = [{"label": e.atlas.info.title, "value": e.slug} for e in entries if e.atlas]
    if len(options) < 2:
        return html.Div()
    return html.Div(
        [
            field("Compare", dbc.Select(id=ids.COMPARE_FIRST, options=options), ids.COMPARE_FIRST),
            field("with", dbc.Select(id=ids.COMPARE_SECOND, options=options), ids.COMPARE_SECOND),
            html.Div(id=ids.COMPARE_ANSWER, role="status", className="compare-answer"),
        ],
        className="form-row compare-choice",
    )


@callback(
    Output(ids.COMPARE_ANSWER, "children"),
    Input(ids.COMPARE_FIRST, "value"),
    Input(ids.COMPARE_SECOND, "value"),
    prevent_initial_call=True,
)
def offer(first: Any, second: Any) -> Any:
    """The link to a comparison of two atlases, or why they cannot be compared."""
    here = context()
    atlas, other = (here.library.get(one) if isinstance(one, str) else None for one in (first, second))
    if not first or not second:
        return ""
    if atlas is None or other is None:
        return "One of these atlases is no longer there."
    stream = atlas.info.default_stream
    its = other.info.stream(stream.name) or other.info.default_stream
    try:
        found = sharing(atlas, stream, other, its)
    except AtlasError as error:
        return str(error)
    href = compare_address(here.settings.url_prefix, atlas, stream, (0, 0), other)
    shared = f"{len(found.inputs):,} of {len(atlas.inputs):,} inputs shared"
    return [dcc.Link("Compare them", href=href, className="text-button"), html.Span(shared, className="form-note")]


clientside_callback(
    ClientsideFunction("atlas", "copyTheme"),
    Output(ids.HEAD_COMPARE, "theme"),
    Input(ids.THEME, "data"),
)
