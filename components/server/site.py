"""What a data URL names: atlas, stream and head are looked up in one place, and the rest is a view's own business."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, request

from services.atlas import Atlas
from services.atlas.library import Library
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads.maps import find_map

MakeOnce = Callable[[str, Callable[[], bytes]], bytes]
NO_ATLAS = "There is no such atlas here for you: it was deleted or built anew, or it is another person's."
_MAP = re.compile(r"([a-z][a-z0-9_]*)-([0-9a-f]{12})")


@dataclass(frozen=True)
class Asked:
    """What a URL names. layer, head: of the stream, 0 where the URL names none · maps: folder of maps by another c."""

    atlas: Atlas
    stream: StreamInfo
    layer: int
    head: int
    maps: Path

    @property
    def place(self) -> tuple[int, int]:
        return self.layer, self.head

    def map(self, text: str) -> tuple[Atlas, ProjectionInfo]:
        """The map of `<name>-<key>` and the atlas to read it from: this one, or a scale variant of it."""
        name, key = map_address(text)
        return find_map(self.atlas, self.stream, name, key, self.maps) or abort(404)

    def own_map(self, name: str) -> ProjectionInfo:
        return self.atlas.info.projection(name, self.stream.name) or abort(404)

    def check_input(self, index: int) -> None:
        if not 0 <= index < len(self.atlas.inputs):
            abort(404)


def map_address(text: str) -> tuple[str, str]:
    """Name and key of `<name>-<key>`, as scenes ask for maps."""
    match = _MAP.fullmatch(text)
    return (match[1], match[2]) if match else abort(404)


def wants_whole() -> bool:
    """`?frame=all`: every point in its head's frame; `?frame=middle`, or nothing: the far ones at its edge."""
    frame = request.args.get("frame", "middle")
    return frame == "all" if frame in ("all", "middle") else abort(404)


@dataclass(frozen=True)
class Site:
    """A blueprint below `/<slug>/<key>` whose views are given what the URL names; what is not there is a 404.

    library: where atlases are looked up · maps: folder of the maps made with another c than their atlas's
    cache: `cache(key, make)` returns the bytes of a key, made at most once
    numbered: addresses name layers as the model counts them, and not the rows of arrays
    """

    routes: Blueprint
    library: Library
    maps: Path
    cache: MakeOnce
    numbered: bool = False

    def of_atlas(self, rule: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """A view `view(atlas, …)` of the other parts of the rule."""

        def register(view: Callable[..., Response]) -> Callable[..., Response]:
            def answer(slug: str, key: str, **parts: Any) -> Response:
                return view(self._atlas(slug, key), **parts)

            self.routes.add_url_rule(rule, view.__name__, answer)
            return view

        return register

    def of_stream(self, *rules: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """A view `view(asked, …)` of the parts of the rules but for <stream>, <int:layer> and <int:head>."""

        def register(view: Callable[..., Response]) -> Callable[..., Response]:
            def answer(
                slug: str, key: str, stream: str, layer: int | None = None, head: int = 0, **parts: Any
            ) -> Response:
                return view(self.asked(slug, key, stream, layer, head), **parts)

            for rule in rules:
                self.routes.add_url_rule(rule, view.__name__, answer)
            return view

        return register

    def asked(self, slug: str, key: str, stream: str, layer: int | None = None, head: int = 0) -> Asked:
        """What a URL names, for a view that is told of two."""
        atlas = self._atlas(slug, key)
        found = atlas.info.stream(stream) or abort(404)
        row = found.row(layer) if self.numbered and layer is not None else layer or 0
        if row is None or row >= found.layers or head >= found.heads:
            abort(404)
        return Asked(atlas, found, row, head, self.maps)

    def _atlas(self, slug: str, key: str) -> Atlas:
        atlas = self.library.get(slug)
        if atlas is None or atlas.info.key != key:
            abort(404, NO_ATLAS)
        return atlas
