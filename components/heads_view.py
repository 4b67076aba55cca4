"""The body of the page "Heads": which atlas, and the finder."""

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Input, Output, clientside_callback, html

from components import ids
from components.atlas_fields import atlas_select, stream_select
from components.catalogue import scene_payload
from components.head_finder import HeadFinder
from components.help import info_button
from components.layers import layer_numbers
from components.polling import poll
from components.server.context import context
from components.shell import notice
from components.state.heads_page import HeadsPage
from components.state.links import address
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo
from services.measures import head_map
from services.measures.report import report_key
from services.payloads.scene import projection_key
from services.projection import label_of


def heads_body(atlas: Atlas, page: HeadsPage) -> html.Div:
    """The page for one state."""
    here, state = context(), page.heads
    stream, entries = atlas.stream(state.stream), here.library.entries()
    maps = [p for p in atlas.info.projections if p.stream == stream.name]
    by = state.compared_by()
    compared = head_map.file_of(atlas, stream, here.settings.head_maps, by).is_file()
    return html.Div(
        [
            layer_numbers(stream),
            poll(ids.HEADS_TICK, 100, on=not compared),
            _toolbar(entries, atlas, stream),
            html.Div(notice(page.dropped)),
            HeadFinder(
                id=ids.HEAD_FINDER,
                base=scene_payload(atlas, stream, here.settings.url_prefix)["base"],
                stream=stream.name,
                version=report_key(atlas, stream),
                maps=[{"name": p.name, "key": projection_key(p), "label": f"{label_of(p)} {p.dims}D"} for p in maps],
                others=_others(entries, atlas),
                likeness={"state": "ready", "says": "", "by": by} if compared else None,
                theme="light",
                state=state.known(),
            ),
        ],
        className="heads-page",
    )


def _toolbar(entries: Sequence[Entry], atlas: Atlas, stream: StreamInfo) -> html.Div:
    return html.Div(
        [
            html.Div([html.H1("Heads"), info_button(ids.HEAD_FINDER)], className="label-row"),
            atlas_select(ids.HEADS_ATLAS, entries, atlas),
            stream_select(ids.HEADS_STREAM, atlas, stream),
        ],
        className="toolbar",
        role="toolbar",
        **{"aria-label": "Whose heads"},
    )


def _others(entries: Sequence[Entry], atlas: Atlas) -> list[dict[str, Any]]:
    """Atlases of the same kind of input, those of the same corpus first."""
    found = [e.atlas for e in entries if e.atlas and e.slug != atlas.slug]
    some = [other for other in found if other.info.modality == atlas.info.modality]
    some.sort(key=lambda other: other.info.corpus.sha256 != atlas.info.corpus.sha256)
    return [{"slug": other.slug, "title": other.info.title} for other in some]


def likes_address(prefix: str, atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> str:
    """Where heads like one are shown."""
    return address(
        prefix,
        HeadsPage,
        {"atlas": atlas.slug, "stream": stream.name, "like": f"{stream.number(layer)}.{head}", "colour": "unlike"},
    )


clientside_callback(
    ClientsideFunction("atlas", "copyTheme"),
    Output(ids.HEAD_FINDER, "theme"),
    Input(ids.THEME, "data"),
)
