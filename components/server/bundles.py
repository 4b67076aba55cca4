"""Our scripts in one file and our styles in another: a page asks twice, and not for each of some hundred and forty."""

import hashlib
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from dash import Dash
from dash.development.base_component import ComponentRegistry
from flask import Response

from components.server.http import IMMUTABLE

_OURS = r'[^"]*(?:/_dash-component-suites/components\.|/assets/)[^"]*'
_SCRIPT = re.compile(rf'<script src="{_OURS}"></script>\s*')
_NAMED = re.compile(r'url\("([^":?)]+)"\)')
_DRAWING = re.compile(r'url\("([^":?)]+\.svg)"\)')
_STYLE = re.compile(rf'<link rel="stylesheet" href="{_OURS}">\s*')


def scripts(assets: Path, first: str) -> Iterator[Path]:
    """Every script of ours, in the order in which Dash would serve them: those of components, then the assets.

    first: the asset that comes before all, by itself.
    """
    yield from _of_components("_js_dist")
    yield from (path for path in sorted(assets.glob("*.js")) if path.name != first)


def styles(assets: Path) -> Iterator[Path]:
    """Every style sheet of ours: those of components, then the assets."""
    yield from _of_components("_css_dist")
    yield from sorted(assets.glob("*.css"))


def _of_components(kind: str) -> Iterator[Path]:
    for name in ComponentRegistry.registry:
        if name.startswith("components."):
            module = import_module(name)
            folder = Path(str(module.__file__)).parent
            yield from (folder / file["relative_package_path"] for file in getattr(module, kind, []))


def script_text(assets: Path, first: str) -> str:
    """All scripts of ours."""
    return ";\n".join(path.read_text(encoding="utf-8") for path in scripts(assets, first))


def style_text(assets: Path) -> str:
    """All style sheets of ours. Of what they name by a place below `assets`, drawings stand in the text itself, a dozen
    of some hundred bytes each; fonts get an address that changes with their content."""

    def dated(named: re.Match[str]) -> str:
        return f'url("{named[1]}?v={_digest((assets / named[1]).read_bytes())}")'

    text = "\n".join(path.read_text(encoding="utf-8") for path in styles(assets))
    return _NAMED.sub(dated, inline_drawings(text, assets))


def inline_drawings(text: str, assets: Path) -> str:
    """A style sheet with the drawings that it names by a place below `assets` in its text."""
    return _DRAWING.sub(lambda n: f'url("data:image/svg+xml,{quote((assets / n[1]).read_bytes())}")', text)


def bundle(app: Dash, prefix: str, assets: Path, first: str) -> None:
    """Serve them as one file each, in the place of the first; an address changes with its content."""
    script = _serve(app, f"{prefix}scripts/%s.js", script_text(assets, first), "text/javascript")
    # Beside the assets: the sheets name pictures and fonts by where they lie from there.
    style = _serve(app, f"{prefix}assets/%s.css", style_text(assets), "text/css")
    plain = app.interpolate_index

    def interpolate_index(**parts: str) -> str:
        parts["scripts"] = _in_place(_SCRIPT, parts["scripts"], f'<script src="{script}"></script>\n')
        parts["css"] = _in_place(_STYLE, parts["css"], f'<link rel="stylesheet" href="{style}">\n')
        return plain(**parts)

    app.interpolate_index = interpolate_index


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _serve(app: Dash, form: str, text: str, mimetype: str) -> str:
    content = text.encode()
    address = form % _digest(content)

    @app.server.get(address, endpoint=address)
    def serve() -> Response:
        return Response(content, mimetype=mimetype, headers={"Cache-Control": IMMUTABLE})

    return address


def _in_place(tags: re.Pattern[str], html: str, tag: str) -> str:
    first = tags.search(html)
    at = first.start() if first else 0
    return html[:at] + tag + tags.sub("", html[at:])
