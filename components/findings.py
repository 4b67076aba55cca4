"""The menu of findings: links to views worth seeing in this atlas."""

from typing import Any

from dash import Input, Output, State, callback, dcc, html

from components import ids
from components.server.context import context
from components.state.atlas_page import AtlasPage, View
from components.state.links import address
from services.atlas.schema import StreamInfo
from services.measures.findings import Finding, findings
from services.projection import method_label


def findings_menu() -> html.Details:
    """A menu of what stands out among the heads."""
    return html.Details(
        [
            html.Summary("Findings", id=ids.FINDINGS_OPEN, className="text-button", n_clicks=0),
            html.Div("Measuring every head …", id=ids.FINDINGS_LIST, className="menu-body findings", role="status"),
        ],
        id=ids.FINDINGS,
        className="menu",
    )


@callback(
    Output(ids.FINDINGS_LIST, "children"),
    Input(ids.FINDINGS_OPEN, "n_clicks"),
    State(ids.VIEW, "data"),
    prevent_initial_call=True,
)
def list_findings(_clicks: Any, view_data: Any) -> Any:
    """What stands out, whenever the menu is opened: a build may have measured more since."""
    here = context()
    view = View.from_store(view_data)
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None:
        return "There is no such atlas."
    found = findings(atlas, stream)
    if found is None:
        return "The heads of this atlas have not been measured yet."
    if not found:
        return "No head of this atlas stands out."
    base = {"atlas": atlas.slug, "stream": stream.name}
    links = [_entry(finding, stream, base, here.settings.url_prefix) for finding in found]
    return [html.P("Heads that stand out in this atlas, found by measuring all of them.", className="note"), *links]


def _entry(finding: Finding, stream: StreamInfo, base: dict[str, str], prefix: str) -> dcc.Link:
    place = {"layer": str(stream.number(finding.layer)), "head": str(finding.head)}
    method = finding.view.get("method")
    return dcc.Link(
        [
            html.Span(finding.title, className="finding-title"),
            html.Span(
                stream.head_name(finding.layer, finding.head) + (f" · {method_label(method)}" if method else ""),
                className="finding-place",
            ),
            html.Span(finding.text, className="finding-text"),
        ],
        href=address(prefix, AtlasPage, {**base, **finding.view, **place}),
        className="finding",
    )
