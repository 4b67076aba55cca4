"""What the browser must know of an opened atlas: the head scene's payload and the choices of the controls."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.layers import gaps
from components.palettes import Name, Theme, palette
from services.alignment.variants import OWN, scale_variant
from services.atlas import Atlas
from services.atlas.overview import thumbnail_side
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.attribute import SIDE_STEPS
from services.attributes.image import NOTHING
from services.attributes.registry import PLAIN, Attribute, find_attribute, in_atlas, naming, says_side_only, sizing
from services.measures.registry import judged_by
from services.measures.report import report_key
from services.payloads.images import sheet_facts
from services.payloads.scene import PAGE, chunk_size, projection_key
from services.projection import (
    START,
    follows_alignment,
    is_method,
    label_of,
    made_earlier,
    method_label,
    method_names,
    method_of,
)
from services.streams.registry import CONTENT, kind_named

_NOTE = re.compile(r"L(\d+) head (\d+): (.*)")


def scene_payload(atlas: Atlas, stream: StreamInfo, prefix: str) -> dict[str, Any]:
    """The `payload` property of the scene and of the sentence view."""
    queries, keys = atlas.points(stream)
    size = sizing()
    hybrid = {"gaps": gaps(atlas, stream), "numbers": list(stream.layer_numbers)} if stream.layer_numbers else {}
    return hybrid | {
        "base": f"{prefix.rstrip('/')}/payload/{atlas.slug}/{atlas.info.key}",
        "stream": stream.name,
        "layers": stream.layers,
        "heads": stream.heads,
        "group": stream.group,
        "queries": queries,
        "keys": keys,
        "chunk": chunk_size(stream.layers * stream.heads),
        "thumbnail": thumbnail_side(stream.layers * stream.heads, queries + keys),
        "pageSize": PAGE,
        "queryTable": stream.query_table,
        "keyTable": stream.key_table,
        "size": size_facts(size) if size else None,
        "mask": stream.mask.description(),
        "unattended": unattended(stream),
        "modality": atlas.info.modality,
        "naming": [_naming(in_atlas(atlas, one)) for one in naming(atlas)],
        "patches": sheet_facts(atlas, stream.query_table) if stream.query_table == stream.key_table else None,
    }


def unattended(stream: StreamInfo) -> str | None:
    """What to say where attention would stand, of a stream that keeps none; None: it does."""
    if stream.attention != "none":
        return None
    if stream.kind == CONTENT:
        return "Without place: not the model's attention. That is under Attention: Self-attention."
    return "This atlas keeps no attention weights of this kind."


def _naming(attribute: Attribute) -> dict[str, Any]:
    """What names of its values an attribute gives to groups of points."""
    return {
        "name": attribute.name,
        "modality": attribute.modality,
        "categories": ["" if name == NOTHING else name for name in attribute.categories],
        "low": attribute.low,
        "high": attribute.high,
    }


def scene_projection(projection: ProjectionInfo) -> dict[str, Any]:
    """The `projection` property of the scene."""
    return {
        "name": projection.name,
        "key": projection_key(projection),
        "method": projection.method,
        "follows": _follows(projection.method),
        "dims": projection.dims,
        "label": label_of(projection),
        "judged": judged_by(projection.method).name,
        "size": _completing(projection),
    }


def _completing(projection: ProjectionInfo) -> dict[str, Any] | None:
    """What sizes points of an open head to complete the map, with the words of its legend."""
    known = is_method(projection.method) and not made_earlier(projection)
    attribute = find_attribute(method_of(projection.method).sizes) if known else None
    return size_facts(attribute) if attribute else None


def size_facts(attribute: Attribute) -> dict[str, str]:
    """What the scene sizes points by."""
    names = ("label", "low", "high", "scope")
    return {"attribute": attribute.name} | {name: getattr(attribute, name) for name in names}


def _follows(method: str) -> str:
    """When a map of a method is there after its head was aligned anew."""
    if method == START.name:
        return "at once"
    return "later" if follows_alignment(method) else "never"


def scene_colour(atlas: Atlas, stream: StreamInfo, name: str, theme: Theme, colours: Name = "safe") -> dict[str, Any]:
    """The `colour` property of the scene: `values` name the palette entries, `ranges` the ends of each head's scale."""
    attribute = in_atlas(atlas, find_attribute(name) or PLAIN)
    colour: dict[str, Any] = {
        "name": attribute.name,
        "label": "" if says_side_only(attribute) else attribute.label,
        "scope": attribute.scope,
        "palette": list(palette(attribute, theme, colours)),
    }
    if len(attribute.categories) > 1:
        names = [*attribute.categories, *[""] * (SIDE_STEPS - len(attribute.categories))]
        colour["values"] = names * 2
    elif (ranges := attribute.ranges(atlas, stream)) is not None:
        colour["ranges"] = [round(float(end), 3) for end in ranges.ravel()]
    elif scale := attribute.scale(atlas, stream):
        colour["values"] = scale.steps() * 2
    return colour


def cell_notes(notes: Iterable[str], stream: StreamInfo) -> dict[str, str]:
    """The `cellNotes` property of the scene, from sentences such as "L2 head 3: all vectors are equal"."""
    found = (_NOTE.match(note) for note in notes)
    return {f"{stream.row(int(match[1]))}-{match[2]}": match[3] for match in found if match}


def projections_of(atlas: Atlas, stream: StreamInfo) -> dict[str, dict[str, Any]]:
    """`umap2d` → scene projection, for every map of a stream that is ready."""
    return {p.name: scene_projection(p) for p in atlas.info.projections if p.stream == stream.name}


def catalogue(atlas: Atlas, stream: StreamInfo, scale: str = OWN, folder: Path | None = None) -> dict[str, Any]:
    """The catalogue store: it changes when a build adds a map, and with the metric that the atlas is scaled by.

    Maps that the metric does not have yet are the atlas's own.
    """
    maps = projections_of(atlas, stream)
    variant = scale_variant(atlas, stream, scale, folder) if folder is not None and scale != OWN else None
    if variant is not None:
        maps |= {p.ref.own.name: scene_projection(p) for p in variant.info.projections if variant.ready(p)}
    return {
        "atlas": atlas.slug,
        "key": atlas.info.key,
        "maps": maps,
        "scale": scale if variant else OWN,
        "heads": f"heads/{stream.name}/{report_key(atlas, stream)}",
    }


def stream_options(atlas: Atlas) -> list[dict[str, Any]]:
    """Choices of the control for kinds of attention, each with a sentence on it."""
    kinds = [(stream, kind_named(stream.kind)) for stream in atlas.info.streams]
    return [
        {
            "label": kind.label if stream.name == kind.name else f"{kind.label} · {_told_apart(stream)}",
            "value": stream.name,
            "title": kind.words,
        }
        for stream, kind in kinds
    ]


def _told_apart(stream: StreamInfo) -> str:
    """What sets a stream apart from others of its kind."""
    if not stream.layer_numbers:
        return stream.name
    layers = ", ".join(map(str, stream.layer_numbers[:6])) + (" …" if stream.layers > 6 else "")
    return f"heads of {stream.head_dim}, layers {layers}"


def method_options(atlas: Atlas, stream: StreamInfo, building: bool) -> list[dict[str, Any]]:
    """Choices of the projection control; maps still to come are shown but disabled while a build runs."""
    labels = {p.method: label_of(p) for p in atlas.info.projections if p.stream == stream.name}
    ready = set(labels)
    names = [*method_names(), *sorted(ready - set(method_names()))]
    methods = [name for name in names if name in ready or building]
    return [
        {
            "label": labels[method] if method in ready else f"{method_label(method)} …",
            "value": method,
            "disabled": method not in ready,
        }
        for method in methods
    ]


def dims_options(atlas: Atlas, stream: StreamInfo, method: str) -> list[dict[str, Any]]:
    """2D and 3D, disabled where the method has no such map yet."""
    ready = {p.dims for p in atlas.info.projections if p.stream == stream.name and p.method == method}
    return [{"label": f"{dims}D", "value": dims, "disabled": dims not in ready} for dims in (2, 3)]


def pane_facts(atlas: Atlas, stream: StreamInfo, prefix: str) -> dict[str, Any]:
    """What a pane of the page Compare must know of a stream (components/compare)."""
    return {
        "slug": atlas.slug,
        "title": atlas.info.title,
        "key": atlas.info.key,
        "payload": scene_payload(atlas, stream, prefix),
        "streams": stream_options(atlas),
        "maps": projections_of(atlas, stream),
    }
