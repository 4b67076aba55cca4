"""The controls above the map."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.catalogue import dims_options, method_options
from components.colouring import colour_field
from components.find import search_field
from components.stores import Search, View
from services.atlas import Atlas
from services.library import Entry
from services.schema import StreamInfo


def _field(label: str, control: Any, target: str, extra: str = "") -> html.Div:
    return html.Div([html.Label(label, htmlFor=target, className="field-label"), control], className=f"field {extra}")


def _segmented(id: str, label: str, options: Sequence[dict[str, Any]], value: Any) -> html.Div:
    """Radio buttons that look like one control."""
    return html.Div(
        [
            html.Span(label, className="field-label", id=f"{id}-label"),
            html.Div(
                dbc.RadioItems(
                    id=id,
                    options=list(options),
                    value=value,
                    class_name="segmented",
                    input_class_name="btn-check",
                    label_class_name="segment",
                    label_checked_class_name="active",
                ),
                role="group",
                **{"aria-labelledby": f"{id}-label"},
            ),
        ],
        className="field",
    )


def atlas_select(entries: Sequence[Entry], chosen: Atlas) -> html.Div:
    """Which atlas; folders that cannot be read are listed but cannot be chosen."""
    options = [
        {
            "label": entry.atlas.info.title if entry.atlas else f"{entry.slug} (cannot be read)",
            "value": entry.slug,
            "disabled": entry.atlas is None,
            "title": entry.problem or (entry.atlas.info.model.id if entry.atlas else ""),
        }
        for entry in entries
    ]
    return _field(
        "Atlas", dbc.Select(id=ids.ATLAS_SELECT, options=options, value=chosen.slug), ids.ATLAS_SELECT, "field-wide"
    )


def stream_select(atlas: Atlas, stream: StreamInfo) -> html.Div:
    """Which kind of attention; hidden when the model has one."""
    options = [{"label": s.name, "value": s.name} for s in atlas.info.streams]
    control = dbc.Select(id=ids.STREAM_SELECT, options=options, value=stream.name)
    return _field("Attention", control, ids.STREAM_SELECT, "" if len(options) > 1 else "d-none")


def toolbar(
    entries: Sequence[Entry],
    atlas: Atlas,
    stream: StreamInfo,
    view: View,
    search: Search,
    building: bool,
    average: bool,
) -> html.Div:
    """All controls, set to the present state."""
    return html.Div(
        [
            atlas_select(entries, atlas),
            stream_select(atlas, stream),
            _segmented(
                ids.SHOW_SELECT,
                "Show",
                [{"label": "Points", "value": "points"}, {"label": "Average", "value": "average"}],
                "average" if average else "points",
            ),
            _segmented(ids.METHOD_SELECT, "Projection", method_options(atlas, stream, building), view.method),
            _segmented(ids.DIMS_SELECT, "Space", dims_options(atlas, stream, view.method), view.dims),
            colour_field(atlas, view),
            search_field(search),
        ],
        className="toolbar",
        role="toolbar",
        **{"aria-label": "What the map shows"},
    )
