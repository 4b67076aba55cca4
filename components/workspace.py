"""The body of the main page: controls, map, legend and the sentence panel, all set to one state."""

from pathlib import Path
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.badges import measure_fields
from components.catalogue import catalogue, cell_notes, scene_colour, scene_payload
from components.controls import toolbar
from components.export import export_menu
from components.findings import findings_menu
from components.head_scene import HeadScene
from components.help import info_button, with_help
from components.legend import legend
from components.navigation import head_controls, hint, minimap, picture_controls
from components.palettes import Name
from components.panels.align import align_body
from components.panels.average import average_panel
from components.panels.head_facts import facts_body
from components.panels.panel import panel
from components.panels.sentence import sentence_panel
from components.panels.tokens import tokens_tab
from components.shell import icon, icon_button, notice
from components.state.align import AlignState
from components.state.reading import Reading
from components.state.stores import Search, Selection, View
from components.token_sets import TokenSet, scene_set, set_stores, set_tools
from services.alignment.study import scales
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo
from services.attributes.registry import BY_NAME, scale_of
from services.jobs.builds import Job


def workspace(
    entries: list[Entry],
    atlas: Atlas,
    state: tuple[View, Selection, Search, list[str]],
    reading: Reading,
    prefix: str,
    building: bool,
    chosen: TokenSet,
    align: AlignState,
    maps: Path,
) -> html.Div:
    """Everything below the bar, for one atlas and one state."""
    view, selection, search, dropped = state
    stream = atlas.stream(view.stream)
    payload = scene_payload(atlas, stream, prefix)
    known = catalogue(atlas, stream, view.scale, maps)
    studied = scales(atlas, stream) is not None
    page = html.Div(
        [
            dcc.Store(id=ids.CATALOGUE, data=known),
            dcc.Store(id=ids.VIEW, data=view.to_store()),
            dcc.Store(id=ids.SELECTION, data=selection.to_store()),
            dcc.Store(id=ids.SEARCH, data=search.to_store()),
            *set_stores(chosen),
            dcc.Interval(id=ids.MAP_TICK, interval=2000),
            toolbar(entries, atlas, stream, view, search, building, reading.average),
            html.Div(notice(dropped), id=ids.NOTICE),
            html.Div(
                [
                    html.Section(
                        [
                            _map_head(stream, view),
                            html.Div([hint(), minimap(view)], className="over-map"),
                            _scene(atlas, known["maps"], view, (selection, chosen, reading), payload),
                            html.Div(html.Div(set_tools(), className="set-bar"), className="set-frame"),
                            _map_foot(atlas, stream, view),
                        ],
                        className="map",
                        **{"aria-label": "Map of queries and keys"},
                    ),
                    panel(
                        view,
                        selection,
                        bodies={
                            "head": facts_body(atlas, stream, view),
                            "sentence": sentence_panel(atlas, stream, view, selection, reading, payload),
                            "average": average_panel(reading),
                            "tokens": tokens_tab(chosen),
                            "align": align_body(atlas, stream, view, align, studied),
                        },
                    ),
                ],
                id=ids.WORKSPACE,
                className="workspace at-head" if view.at_head else "workspace",
                style={"--shape": f"{stream.layers / stream.heads:.4f}"},
            ),
        ],
        className="atlas-page",
    )
    return with_help(page)


def _map_head(stream: StreamInfo, view: View) -> html.Div:
    return html.Div(
        [
            html.Button(
                [icon("arrow-left"), html.Span("All heads")],
                id=ids.BACK,
                className="text-button" if view.at_head else "text-button d-none",
                type="button",
            ),
            html.Div(
                [html.H1(_title(view), id=ids.CRUMB, className="crumb"), info_button(ids.SCENE)],
                className="label-row",
            ),
            head_controls(stream, view),
            measure_fields(view),
            html.Div(id=ids.STATUS, className="scene-status", role="status"),
            findings_menu(),
            *picture_controls(view),
            icon_button(ids.COPY_LINK, "link-45deg", "Copy a link to this view"),
            export_menu(),
            html.Button("Details", id=ids.PANEL_OPEN, className="text-button panel-opener", type="button"),
        ],
        className="map-head",
    )


def _title(view: View) -> str:
    return f"Layer {view.layer} · Head {view.head}" if view.at_head else "All heads"


def _scene(
    atlas: Atlas,
    maps: dict[str, Any],
    view: View,
    choice: tuple[Selection, TokenSet, Reading],
    payload: dict[str, Any],
) -> HeadScene:
    selection, chosen, reading = choice
    projection = maps.get(f"{view.method}{view.dims}d")
    head = {"layer": view.layer, "head": view.head} if view.at_head else None
    sprite = None
    if projection:
        place = f"{view.stream}/{projection['name']}-{projection['key']}"
        sprite = f"{payload['base']}/sprite/{place}/{view.colour}/light.png?palette={view.palette}"
    return HeadScene(
        id=ids.SCENE,
        className="scene",
        payload=payload,
        projection=projection,
        colour=scene_colour(atlas, atlas.stream(view.stream), view.colour, "light", _palette(view)),
        sizeByNorm=view.bynorm,
        head=head,
        viewpoint={"head": head, "at": view.at} if view.at else None,
        selection=selection.to_store() if selection.input is not None else None,
        search=None,  # given once the server has understood it: assets/30-find.js
        lines=reading.scene_lines(),
        average=reading.average,
        labels=view.labels,
        pointSize=view.size or None,
        theme="light",
        sprite=sprite,
        rings=view.rings,
        cellNotes=cell_notes(atlas.info.notes),
        tokenSet=scene_set(chosen),
        tool="point",
    )


def _map_foot(atlas: Atlas, stream: StreamInfo, view: View) -> html.Div:
    info = atlas.info
    facts = [
        f"{info.model.id}",
        f"{stream.layers} × {stream.heads} heads",
        f"{info.corpus.tokens:,} tokens of {info.corpus.inputs:,} inputs",
        f"capture checked on {info.checked_inputs} inputs, largest error {info.capture_error:.1e}",
    ]
    return html.Div(
        [
            html.Div(_legend(atlas, stream, view), id=ids.LEGEND),
            html.Ul([*(html.Li(fact) for fact in facts), html.Li(info_button(ids.FACTS))], className="facts"),
        ],
        className="map-foot",
    )


def _palette(view: View) -> Name:
    return "original" if view.palette == "original" else "safe"


def _legend(atlas: Atlas, stream: StreamInfo, view: View) -> html.Div:
    attribute = BY_NAME[view.colour]
    head = (view.layer, view.head) if view.layer is not None and view.head is not None else None
    return legend(attribute, "light", _palette(view), scale_of(atlas, stream, attribute, head))


def waiting(job: Job | None, problems: list[str]) -> html.Div:
    """What the page shows while there is no atlas to show."""
    command = "python app.py build --model minilm --corpus demo"
    parts: list[Any] = []
    if job and job.state == "running":
        parts = [
            html.H1("Building the demo atlas"),
            html.P("A real model reads 172 sentences. The first map opens here by itself in a few seconds."),
            progress_bar(job),
        ]
    else:
        parts = [
            html.H1("There is no atlas yet"),
            html.P("An atlas holds one model's attention on one corpus. Build one from a terminal:"),
            html.Pre(command),
            html.P("Any Hugging Face encoder or decoder and any text file will do; see --help."),
        ]
        if job and job.message:
            parts.insert(1, dbc.Alert(job.message, color="danger"))
    parts += [dbc.Alert(problem, color="danger") for problem in problems]
    parts.append(dcc.Interval(id=ids.WAITING_TICK, interval=700))
    return html.Div(parts, className="waiting")


def progress_bar(job: Job) -> html.Div:
    """Stage and share of a running build."""
    percent = round(100 * job.fraction)
    return html.Div(
        [
            html.Span(f"{job.label} · {percent} %", className="progress-label"),
            html.Progress(value=str(percent), max="100", **{"aria-label": job.label}),
        ],
        className="build-progress",
    )
