"""The body of the main page: controls, map, legend and the sentence panel, all set to one state."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.badges import measure_fields
from components.brush import brush_end, positions
from components.catalogue import catalogue, cell_notes, scene_colour, scene_payload, unattended
from components.controls import toolbar
from components.export import export_menu
from components.findings import findings_menu
from components.head_scene import HeadScene
from components.head_set import head_set_chip
from components.help import info_button, with_help
from components.job_banner import progress_bar
from components.layers import layer_numbers, sharing_words, size_words
from components.legend import legend
from components.navigation import head_controls, hint, minimap, outside_note, picture_controls
from components.panels.align import align_body
from components.panels.average import average_panel
from components.panels.head_facts import facts_body
from components.panels.image import gallery, image_panel, look_controls
from components.panels.kinds import kinds_card
from components.panels.panel import TAB_LABELS, panel
from components.panels.parts import parts_card
from components.panels.sentence import sentence_panel
from components.panels.tokens import tokens_tab
from components.panels.why import why_panel
from components.polling import poll
from components.probe import probe_bar, probe_opener
from components.server.context import context
from components.shell import icon, icon_button, model_notes, notice
from components.state.atlas_page import AtlasPage
from components.token_sets import scene_set, set_tools
from components.words import TITLES, title
from services.alignment.fitting import WITHOUT_TEXT
from services.alignment.study import scales
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.registry import attribute_of, in_atlas
from services.jobs.builds import DEMO_SLUG, IMAGES_SLUG
from services.jobs.spec import Job
from services.payloads.images import has_images


def workspace(atlas: Atlas, state: AtlasPage, building: bool) -> html.Div:
    """Everything below the bar, for one atlas and one state; `building`: the atlas gets more maps."""
    here = context()
    view = state.view
    stream = atlas.stream(view.stream)
    payload = scene_payload(atlas, stream, here.settings.url_prefix)
    known = catalogue(atlas, stream, view.scale, here.settings.maps)
    studied = scales(atlas, stream) is not None
    pictures = has_images(atlas)
    prefix = here.settings.url_prefix
    page = html.Div(
        [
            layer_numbers(stream),
            dcc.Store(id=ids.CATALOGUE, data=known),
            *state.components(),
            toolbar(here.library.entries(), atlas, state, building),
            html.Div(notice(state.dropped), id=ids.NOTICE),
            html.Div(
                [
                    html.Section(
                        [
                            _map_head(atlas, stream, state),
                            probe_bar(atlas, state.probe, here.settings),
                            html.Div(
                                [head_set_chip(state.head_set), hint(), minimap(stream, view)], className="over-map"
                            ),
                            _scene(atlas, stream, known["maps"], state, payload),
                            html.Div(html.Div(set_tools(), className="set-bar"), className="set-frame"),
                            # of texts only so that every callback finds what it names
                            gallery(atlas, prefix) if pictures else html.Div(id=ids.GALLERY, className="d-none"),
                            *([] if pictures else [html.Div(look_controls(state.picture), className="d-none")]),
                            *_unattended(stream),
                            _map_foot(atlas, stream, state),
                        ],
                        className="map",
                        **{"aria-label": "Map of queries and keys"},
                    ),
                    panel(
                        state,
                        labels={**TAB_LABELS, "sentence": "Image"} if pictures else TAB_LABELS,
                        bodies={
                            "head": [
                                facts_body(atlas, stream, view),
                                kinds_card(atlas, stream, view, state.kinds),
                                parts_card(atlas, stream),
                            ],
                            "sentence": (image_panel if pictures else sentence_panel)(atlas, stream, state, payload),
                            "why": why_panel(atlas, state.off),
                            "average": average_panel(state.options, payload),
                            "tokens": tokens_tab(state.token_set),
                            "align": align_body(atlas, stream, state, studied),
                        },
                    ),
                ],
                id=ids.WORKSPACE,
                className="workspace at-head" if view.at_head else "workspace",
                style={"--heads": str(stream.layers * stream.heads)},
            ),
        ],
        className="atlas-page",
    )
    return with_help(page)


def _unattended(stream: StreamInfo) -> list[html.P]:
    """What a map of a stream without attention must not be mistaken for."""
    words = unattended(stream)
    return [] if words is None else [html.P(words, className="unattended", role="note")]


def _map_head(atlas: Atlas, stream: StreamInfo, state: AtlasPage) -> html.Div:
    view = state.view
    return html.Div(
        [
            html.Button(
                [icon("arrow-left"), html.Span(TITLES["all"])],
                id=ids.BACK,
                className="text-button" if view.at_head else "text-button d-none",
                type="button",
            ),
            html.Div(
                [
                    html.H1(
                        title(None if view.layer is None else stream.number(view.layer), view.head),
                        id=ids.CRUMB,
                        className="crumb",
                    ),
                    info_button(ids.SCENE),
                ],
                className="label-row",
            ),
            head_controls(stream, view),
            measure_fields(
                state.picture,
                atlas.info.modality,
                cross=not all(stream.mask.same_positions for stream in atlas.info.streams),
            ),
            html.Div(id=ids.STATUS, className="scene-status", role="status"),
            probe_opener(atlas),
            findings_menu(),
            *picture_controls(state, has_images(atlas)),
            icon_button(ids.COPY_LINK, "link-45deg", "Copy a link to this view"),
            export_menu(has_images(atlas)),
            html.Button("Details", id=ids.PANEL_OPEN, className="text-button panel-opener", type="button"),
        ],
        className="map-head",
    )


def _scene(
    atlas: Atlas, stream: StreamInfo, maps: dict[str, Any], state: AtlasPage, payload: dict[str, Any]
) -> HeadScene:
    view, colouring, picture = state.view, state.colouring, state.picture
    projection = maps.get(view.ref.name)
    head = {"layer": view.layer, "head": view.head} if view.at_head else None
    sprite = None
    if projection:
        place = f"{view.stream}/{projection['name']}-{projection['key']}"
        sprite = f"{payload['base']}/sprite/{place}/{colouring.colour}/light.png?palette={colouring.palette}"
    return HeadScene(
        id=ids.SCENE,
        className="scene",
        payload=payload,
        projection=projection,
        colour=scene_colour(atlas, atlas.stream(view.stream), colouring.colour, "light", colouring.palette),
        sized=picture.bynorm,
        mapSizes=picture.mapsizes,
        head=head,
        viewpoint={"head": head, "at": state.viewpoint.at} if state.viewpoint.at else None,
        selection=state.selection.to_store() if state.selection.input is not None else None,
        search=None,  # given once the server has understood it: assets/30-find.js
        lines=state.options.scene_lines(),
        average=state.options.average,
        labels=picture.labels,
        pointSize=picture.size or None,
        theme="light",
        sprite=sprite,
        folded=state.folded.to_store() if state.folded.layers else None,
        groups=picture.groups,
        shade=picture.shaded,
        outline=picture.outline,
        ghost=picture.ghost,
        rings=picture.rings,
        patches=picture.patches,
        whole=picture.whole,
        cellNotes=cell_notes(atlas.info.notes, stream),
        tokenSet=scene_set(state.token_set),
        tool="point",
    )


def _map_foot(atlas: Atlas, stream: StreamInfo, state: AtlasPage) -> html.Div:
    info = atlas.info
    facts = [
        f"{info.model.id}",
        size_words(stream),
        *filter(None, [sharing_words(stream)]),
        f"{info.corpus.tokens:,} tokens of {info.corpus.inputs:,} inputs",
        f"capture checked on {info.checked_inputs} inputs, largest error {info.capture_error:.1e}",
        *([] if info.alignment.without == "nothing" else [f"PCA fitted to {WITHOUT_TEXT[info.alignment.without]}"]),
    ]
    return html.Div(
        [
            html.Div(_legend(atlas, stream, state), id=ids.LEGEND),
            positions(),
            brush_end(),
            html.Div(id=ids.SIZE_LEGEND, className="legend-sizes"),
            html.Ul(
                [
                    outside_note(state),
                    *model_notes(info.model.notes),
                    *(html.Li(fact) for fact in facts),
                    *([_corpus_notes(info.corpus.notes)] if info.corpus.notes else []),
                    html.Li(info_button(ids.FACTS)),
                ],
                className="facts",
            ),
        ],
        className="map-foot",
    )


def _corpus_notes(notes: Sequence[str]) -> html.Li:
    """How the inputs were read: what was guessed, left out or cut."""
    count = f"{len(notes)} note{'s' if len(notes) > 1 else ''} on the inputs"
    return html.Li(html.Details([html.Summary(count), html.Ul([html.Li(note) for note in notes])]))


def _legend(atlas: Atlas, stream: StreamInfo, state: AtlasPage) -> html.Div:
    view, attribute = state.view, in_atlas(atlas, attribute_of(state.colouring.colour))
    head = (view.layer, view.head) if view.layer is not None and view.head is not None else None
    return legend(attribute, "light", state.colouring.palette, attribute.scale(atlas, stream, head))


def waiting(job: Job | None, problems: list[str]) -> html.Div:
    """What the page shows while there is no atlas to show."""
    command = "python app.py build --model minilm --corpus demo"
    parts: list[Any] = []
    if job and job.active:
        slug = Path(job.subject).name
        says = {DEMO_SLUG: "A real model reads 172 sentences. ", IMAGES_SLUG: "A real model sees 16 images. "}.get(slug)
        parts = [
            html.H1("Building the demo atlas" if says else job.title),
            html.P((says or "") + "The first map opens here by itself in a few seconds."),
            progress_bar(job),
            html.P(
                [
                    "It can be explored at once, while the other maps are made: each joins the menu by itself, and the "
                    "bar above says which is next. Until then, the ",
                    dcc.Link("guide", href=f"{context().settings.url_prefix}guide"),
                    " tells how to read it.",
                ]
            ),
        ]
    else:
        parts = [
            html.H1("There is no atlas yet"),
            html.P("An atlas holds one model's attention on one corpus. Build one from a terminal:"),
            html.Pre(command),
            html.P(
                "Any Hugging Face encoder, decoder or vision transformer will do, on your texts or images; see --help."
            ),
        ]
        if job and job.message:
            parts.insert(1, dbc.Alert(job.sentence, color="danger"))
    parts += [dbc.Alert(problem, color="danger") for problem in problems]
    parts.append(poll(ids.WAITING_TICK, 700, on=bool(job and job.active)))
    return html.Div(parts, className="waiting")
