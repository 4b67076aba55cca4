"""The two fields that every page of an atlas begins with: which atlas, and which kind of its attention."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html

from components.catalogue import stream_options
from components.choices import field
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo


def atlas_select(id: str, entries: Sequence[Entry], chosen: Atlas, extra: str = "") -> html.Div:
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
    return field("Atlas", dbc.Select(id=id, options=options, value=chosen.slug), id, extra)


def stream_select(id: str, atlas: Atlas, stream: StreamInfo) -> html.Div:
    """Which kind of attention; hidden when the model has one."""
    options = stream_options(atlas)
    control = dbc.Select(id=id, options=options, value=stream.name)
    return field("Attention", control, id, "" if len(options) > 1 else "d-none")
