"""The page of a static atlas: its words and fields, what its scripts must know, and these scripts and styles."""

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from dash import html

from components import client, head_scene, image_view, sentence_view
from components.catalogue import scene_colour, scene_payload, scene_projection
from components.find import modes_of
from components.legend import legend
from components.palettes import THEMES
from components.server.bundles import inline_drawings
from components.shell import icon
from components.state.tables import tables
from components.static_atlas.contents import Contents, layers_a_file
from components.static_atlas.data import INPUTS_A_FILE, Member
from components.static_atlas.markup import to_html
from services import __version__
from services.atlas.inputs import first_to_show
from services.atlas.schema import StreamInfo
from services.attributes.registry import PLAIN, in_atlas
from services.export import facts
from services.measures.registry import listed
from services.payloads.images import has_images
from services.projection import method_names
from services.streams.registry import kind_named

BASE = "data"
_HERE, _ASSETS = Path(__file__).parent, Path(__file__).parents[2] / "assets"
_OWN = ("search.js", "files.js", "state.js", "page.js", "start.js")
_PACKAGES = (client, sentence_view, head_scene, image_view)
_SHELL = "component.js"  # of each package: what Dash sees of it
_MODES = ("token", "word", "prefix", "contains", "object")  # ways to search that need no server
_SHEETS = ("10-bootstrap.min.css", "20-app.css", "31-brush.css", "31-colouring.css")
_FONT = re.compile(r"@font-face\s*{[^}]*}")


def page(contents: Contents) -> Iterator[Member]:
    """The entry page and what it loads beside the data."""
    yield "index.html", _html(contents).encode()
    yield "static/tables.js", f"window.atlasTables = {_json(tables('/'))};\n".encode()
    yield "static/atlas.js", _scripts().encode()
    yield "static/style.css", _styles().encode()
    manifest = f"(globalThis.atlas_static ??= {{}}).manifest = {_json(_manifest(contents))};\n"
    yield f"{BASE}/manifest.js", manifest.encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _scripts() -> str:
    """The dashboard's own scripts but for what ties them to Dash, and after them the page's."""
    paths = [_ASSETS / "00-theme.js"]
    for package in _PACKAGES:
        folder = Path(str(package.__file__)).parent
        names = [file["relative_package_path"] for file in package._js_dist]
        paths += [folder / name for name in names if name != _SHELL]
    paths += [_ASSETS / "50-badges.js", *(_HERE / name for name in _OWN)]
    return ";\n".join(path.read_text(encoding="utf-8") for path in paths)


def _styles() -> str:
    paths = [_ASSETS / name for name in _SHEETS]
    for package in (head_scene, sentence_view, image_view):
        paths += [Path(str(package.__file__)).parent / file["relative_package_path"] for file in package._css_dist]
    paths.append(_HERE / "style.css")
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return inline_drawings(_FONT.sub("", text), _ASSETS)  # the reader's own fonts


def _manifest(contents: Contents) -> dict[str, Any]:
    atlas = contents.atlas
    return {
        "modality": atlas.info.modality,
        "inputs": len(atlas.inputs),
        "attended": contents.inputs,
        "inputsAFile": INPUTS_A_FILE,
        "stream": atlas.info.default_stream.name,
        "streams": {one.name: _stream(contents, one) for one in _shown(contents)},
        "base": BASE,
    }


def _shown(contents: Contents) -> list[StreamInfo]:
    """Streams that have a map here."""
    mapped = {projection.stream for projection in contents.maps}
    return [stream for stream in contents.atlas.info.streams if stream.name in mapped]


def _stream(contents: Contents, stream: StreamInfo) -> dict[str, Any]:
    atlas = contents.atlas
    order = {name: number for number, name in enumerate(method_names())}
    maps = [one for one in contents.maps if one.stream == stream.name]
    maps.sort(key=lambda one: (one.dims, order.get(one.method, len(order))))
    names = sorted((one.name for one in contents.attributes), key=lambda name: name != PLAIN.name)
    colours = {theme: {name: scene_colour(atlas, stream, name, theme) for name in names} for theme in THEMES}
    return {
        "payload": scene_payload(atlas, stream, "") | {"base": BASE, "thumbnail": None},  # points alone
        "maps": {one.name: scene_projection(one) for one in maps},
        "colours": colours,
        "share": layers_a_file(atlas, stream),
        "numbers": list(stream.layer_numbers) or None,
        "first": min(first_to_show(atlas, stream.query_table), max(0, contents.inputs - 1)),
    }


def _options(options: dict[str, str]) -> str:
    return "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in options.items())


def _field(name: str, label: str, options: dict[str, str], hidden: bool = False) -> str:
    shut = " hidden" if hidden else ""
    return (
        f'<div class="field"{shut}><label class="field-label" for="{name}">{label}</label>'
        f'<select id="{name}" class="form-select">{_options(options)}</select></div>'
    )


def _html(contents: Contents) -> str:
    atlas, info = contents.atlas, contents.atlas.info
    streams = {stream.name: kind_named(stream.kind).label for stream in _shown(contents)}
    colours = {one.name: one.label for one in contents.attributes}
    measured = {one.name: one.label for one in listed(info.modality) if one.listed}
    modes = {name: label for name, label in modes_of(info.modality).items() if name in _MODES}
    forms = {"lines": "Arrows", "heatmap": "Overlay"} if has_images(atlas) else {"lines": "Lines", "heatmap": "Heatmap"}
    fields = "".join(
        (
            _field("stream", "Attention", streams, hidden=len(streams) == 1),
            _field("map", "Projection", {}),
            _field("colour", "Colour by", colours),
            _field("measure", "Sort heads by", {"": "Layer"} | measured),
            '<div class="field field-search"><label class="field-label" for="query">Find tokens in all heads</label>'
            '<div class="search-row"><input id="query" type="search" class="form-control" maxlength="200">'
            f'<select id="mode" class="form-select" aria-label="How to search">{_options(modes)}</select>'
            '<span id="count" class="search-count" role="status"></span></div></div>',
        )
    )
    view = "atlas-image-view" if has_images(atlas) else "atlas-sentence-view"
    source = [*facts(atlas, atlas.info.default_stream, None, None)["caption"], _says(contents)]
    about = [html.P(info.about)] if info.about else []
    title = escape(info.title)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<link rel="stylesheet" href="static/style.css">
<script src="static/tables.js"></script>
<script src="{BASE}/manifest.js"></script>
<script src="static/atlas.js"></script>
</head>
<body>
<div class="shell">
<header class="topbar"><span class="brand-mark" aria-hidden="true"></span><h1 id="title">{title}</h1>
<button id="theme" type="button" class="icon-button" aria-label="Switch between light and dark"
 title="Switch between light and dark">{to_html(icon("circle-half"))}</button></header>
<main><div class="atlas-page">
<div id="layer-numbers" hidden></div>
<noscript><p class="notice">This page needs JavaScript.</p></noscript>
<div class="toolbar">{fields}</div>
<div id="workspace" class="workspace" style="--heads: {max(s.layers * s.heads for s in info.streams)}">
<section class="map" aria-label="Map of queries and keys">
<div class="map-head"><button id="back" type="button" class="text-button" hidden>{to_html(icon("arrow-left"))}
<span>All heads</span></button><h2 id="crumb" class="crumb">All heads</h2></div>
<div id="scene" class="scene atlas-scene"></div>
<div class="static-foot"><div>{_legends(contents)}</div>
<div class="static-source">{to_html([html.P(sentence) for sentence in source] + about)}</div></div>
</section>
<aside id="panel" class="static-panel" aria-label="The open head" hidden>
<div class="static-reading"><label class="field-label" for="number">Input</label>
<button id="before" type="button" class="text-button" aria-label="The input before">‹</button>
<input id="number" type="number" class="form-control" min="0" max="{len(atlas.inputs) - 1}">
<button id="next" type="button" class="text-button" aria-label="The next input">›</button>
<select id="form" class="form-select" aria-label="Picture of attention">{_options(forms)}</select></div>
<p id="text" class="static-text"></p>
<p id="empty" class="static-empty">Click a point in the map, or choose an input, to see who attends to whom.</p>
<div id="sentence" class="sentence {view}"></div>
<details class="static-facts"{"" if has_images(atlas) else " open"}>
<summary>Numbers of this head <span id="names"></span></summary>
<table><tbody id="facts"></tbody></table></details>
</aside>
</div>
</div></main>
</div>
</body>
</html>
"""


def _legends(contents: Contents) -> str:
    """The legend of every colouring in both themes, of which the page shows one."""
    atlas = contents.atlas
    stream = atlas.info.default_stream
    made = []
    for attribute in contents.attributes:
        for theme in THEMES:
            shown = legend(in_atlas(atlas, attribute), theme, scale=attribute.scale(atlas, stream))
            named = {"data-legend": attribute.name, "data-theme": theme}
            made.append(to_html(html.Div(shown, hidden=True, **named), still=True))
    return "".join(made)


def _says(contents: Contents) -> str:
    """What this page is, and what it lacks."""
    held, inputs = contents.inputs, len(contents.atlas.inputs)
    lacks = "" if held == inputs else f" Attention is here for the first {held:,} of {inputs:,} inputs."
    return (
        f"Made with Attention Atlas {__version__}; this page needs no network and no server.{lacks} Other alignments, "
        "probes, averages and the tables of tokens are in the dashboard."
    )
