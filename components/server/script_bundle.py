"""The scripts of our components in one file: a page asks once, and not once for each of some eighty."""

import hashlib
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from dash import Dash
from dash.development.base_component import ComponentRegistry
from flask import Response

from components.server.http import IMMUTABLE

_TAG = re.compile(r'<script src="[^"]*/_dash-component-suites/components\.[^"]*"></script>\s*')


def scripts() -> Iterator[Path]:
    """Every script of our components, in the order in which Dash would serve them."""
    for name in ComponentRegistry.registry:
        if name.startswith("components."):
            module = import_module(name)
            folder = Path(str(module.__file__)).parent
            yield from (folder / script["relative_package_path"] for script in getattr(module, "_js_dist", []))


def bundle_scripts(app: Dash, prefix: str) -> None:
    """Serve them as one file, in the place of the first; its address changes with its content."""
    content = ";\n".join(path.read_text(encoding="utf-8") for path in scripts()).encode()
    address = f"{prefix}scripts/{hashlib.sha256(content).hexdigest()[:12]}.js"

    @app.server.get(address, endpoint="scripts")
    def serve() -> Response:
        return Response(content, mimetype="text/javascript", headers={"Cache-Control": IMMUTABLE})

    plain = app.interpolate_index

    def interpolate_index(**parts: str) -> str:
        tags = _TAG.sub("", parts["scripts"])
        first = _TAG.search(parts["scripts"])
        at = first.start() if first else 0
        parts["scripts"] = f'{tags[:at]}<script src="{address}"></script>\n{tags[at:]}'
        return plain(**parts)

    app.interpolate_index = interpolate_index
