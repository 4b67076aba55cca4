"""The tab Image, where the inputs of an atlas are images: one image, what is drawn of its attention, and a gallery."""

from typing import Any

from dash import ClientsideFunction, Input, Output, clientside_callback, dcc, html

from components import ids
from components.choices import labelled
from components.image_view import ImageView
from components.panels.sentence import controls, navigator, reading_facts
from components.state.atlas_page import AtlasPage, Picture
from services.atlas import Atlas
from services.atlas.schema import StreamInfo

CHECKS = (
    ("special", "Hide special tokens", "Leaves out class token and registers; the rest of each row is scaled to 1."),
    ("lines", "Lines on the map", "Draws the same weights between the points of this image."),
)
FORMS = {"lines": "Arrows", "heatmap": "Overlay"}
SHADES = {"sqrt": "Square root", "linear": "Linear", "clipped": "Linear to 99 %"}
ARROWS = {"strongest": "Strongest of each", "all": "All"}
SOURCES = {"head": "This head", "rollout": "Rollout"}
COVERS = [
    {"label": label, "value": value} for value, label in ((0, "Image"), (40, "40 %"), (70, "70 %"), (100, "Weights"))
]
_MOST_THUMBNAILS = 200


def image_panel(atlas: Atlas, stream: StreamInfo, state: AtlasPage, payload: dict[str, Any]) -> list[Any]:
    """Content of the tab, set to a state."""
    view, selection, options = state.view, state.selection, state.options
    chosen = selection.input is not None
    return [
        dcc.Store(id=ids.READING_FACTS, data=reading_facts(atlas, stream)),
        html.Div(
            [
                navigator(selection, len(atlas.inputs)),
                controls(selection, options, FORMS, CHECKS, look_controls(state.picture)),
            ],
            className="reading-controls",
        ),
        html.Div(
            [
                html.P("Click a patch in the map to see its image: who attends to whom, and how much."),
                html.Button("Look at one image", id=ids.SENTENCE_FIRST, className="text-button", type="button"),
            ],
            id=ids.SENTENCE_EMPTY,
            className="sentence-empty d-none" if chosen else "sentence-empty",
        ),
        ImageView(
            id=ids.SENTENCE,
            className="sentence" if chosen else "sentence d-none",
            payload=payload,
            layer=view.layer or 0,
            head=view.head or 0,
            selection=selection.to_store() if chosen else None,
            hidden=options.hidden,
            look=look_of(state.picture),
            theme="light",
            **options.shown(),
        ),
    ]


def look_of(picture: Picture) -> dict[str, Any]:
    """The `look` property of the image view."""
    return {
        "shade": picture.shade,
        "opacity": picture.cover / 100,
        "source": picture.flow,
        "arrows": picture.arrows,
    }


def look_controls(picture: Picture) -> list[Any]:
    """How weights are laid over an image: of text atlases they are there, but hidden."""
    return [
        html.Div(
            labelled(ids.IMAGE_ARROWS, "Arrows while no patch is chosen", ARROWS, picture.arrows), className="field"
        ),
        html.Div(labelled(ids.IMAGE_COVER, "Weights over the image", COVERS, picture.cover), className="field"),
        html.Div(labelled(ids.IMAGE_SHADE, "Shades", SHADES, picture.shade), className="field"),
        html.Div(labelled(ids.IMAGE_FLOW, "Weights of", SOURCES, picture.flow), className="field"),
    ]


def gallery(atlas: Atlas, prefix: str) -> html.Div:
    """All images, small: one that is clicked is lit in every head."""
    base = f"{prefix.rstrip('/')}/payload/{atlas.slug}/{atlas.info.key}/thumbnail"
    lines = atlas.inputs.text[:_MOST_THUMBNAILS]
    entries = [
        html.Button(
            html.Img(src=f"{base}/{index}.webp", alt="", width=40, height=40),
            className="gallery-entry",
            type="button",
            title=line,
            **{"aria-label": line, "data-input": str(index)},
        )
        for index, line in enumerate(lines)
    ]
    return html.Div(entries, id=ids.GALLERY, className="gallery", role="group", **{"aria-label": "All images"})


clientside_callback(
    ClientsideFunction("atlasImages", "look"),
    Output(ids.SENTENCE, "look"),
    Input(ids.PICTURE, "data"),
)
clientside_callback(
    ClientsideFunction("atlasImages", "mark"),
    Output(ids.GALLERY, "data-done"),
    Input(ids.SELECTION, "data"),
)
