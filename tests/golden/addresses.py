"""Every payload and export address of an atlas that a record asks for, with the keys that a page would know."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from urllib.parse import quote

import numpy as np

from components.server.context import context
from services.alignment.head_maps import ConstantMaps
from services.alignment.scale_metrics import METRICS
from services.alignment.variants import scale_variant
from services.atlas.folder import Atlas, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.report import report_key
from services.payloads.scene import projection_key
from services.search.token_sets import write_ids, write_region

ATTRIBUTES = (
    *("type", "position", "position5", "kind", "subword", "token_length", "input_length", "frequency", "pos"),
    *("norm", "norm_common", "none"),
)
SEARCHES = {
    "token": ("the", "THE,bank", "zzz", '","'),
    "word": ("walking", "bank"),
    "prefix": ("ba", "Z"),
    "contains": ("a", "<"),
    "regex": ("^[a-c]", "("),
    "pos": ("NOUN", "verb,ADP"),
}
VARIANTS = [
    "-".join(part) for count in range(4) for part in combinations(("special", "first", "values"), count)
]  # fmt: skip
ALIGNMENTS = ("1-asis-euclidean", "0.5-translated-cosine", "2-translated-lift")


@dataclass(frozen=True)
class Address:
    """`name` is the path without keys, which change with the format; `kind` says how the answer is compared."""

    name: str
    path: str
    kind: str = ""


def addresses(home: Path, slug: str) -> Iterator[Address]:
    """All of an atlas. Needs an application context."""
    atlas = open_atlas(home / "atlases" / slug)
    for stream in atlas.info.streams:
        for route, name, kind in (*_payloads(atlas, stream), *_variants(atlas, stream)):
            shown = f"{kind} | {name or route}" if kind else name or route
            yield Address(shown, f"/payload/{slug}/{atlas.info.key}/{route}", kind)
        for route in _exports(atlas, stream):
            yield Address(f"export {stream.name}/{route}", f"/export/{slug}/{atlas.info.key}/{stream.name}/{route}")
    for table in sorted({table for s in atlas.info.streams for table in (s.query_table, s.key_table)}):
        for route in _tables(atlas, table):
            yield Address(route, f"/payload/{slug}/{atlas.info.key}/{route}")
    for route in ("image/0.png", "thumbnail/0.webp"):
        yield Address(route, f"/payload/{slug}/{atlas.info.key}/{route}")


def _ends(stream: StreamInfo) -> list[tuple[int, int]]:
    return list(dict.fromkeys([(0, 0), (0, stream.heads - 1), (stream.layers - 1, stream.heads // 2)]))


def _sets(atlas: Atlas, stream: StreamInfo) -> dict[str, str]:
    """Texts that name sets: points, a polygon in 2D, one in 3D from a turned view, and both less some points."""
    points = sum(atlas.points(stream))
    some = write_ids(range(0, points, max(points // 40, 1)))
    polygon = np.array([[-0.75, -0.5], [0.5, -0.625], [0.625, 0.5], [0.0, 0.125], [-0.5, 0.75]])
    flat = write_region(0, stream.heads - 1, "pca2d", polygon)
    deep = write_region(stream.layers - 1, 0, "pca3d", polygon, (0.5, -0.25))
    return {"points": some, "flat": flat, "deep": deep, "both": f"{flat}~{deep}~x{some[1:]}", "broken": "p.!"}


def _tables(atlas: Atlas, table: str) -> Iterator[str]:
    yield f"offsets/{table}"
    yield f"tokens/{table}/0"
    yield f"tokens/{table}/9999"
    yield f"patches/{table}.webp"
    for mode, texts in SEARCHES.items():
        for text in texts:
            yield f"search/{table}?q={quote(text)}&mode={mode}"
            yield f"search/{table}?q={quote(text)}&mode={mode}&case=1"


Route = tuple[str, str, str]  # path after the key · its name where the path holds a key of its own · kind


def _payloads(atlas: Atlas, stream: StreamInfo) -> Iterator[Route]:
    name = stream.name
    yield f"order/{name}", "", ""
    version = report_key(atlas, stream)
    yield f"heads/{name}/{version}", f"heads/{name}/{{version}}", ""
    yield f"finder/{name}/{version}", f"finder/{name}/{{version}}", ""
    yield f"headmap/{name}/{version}/8", f"headmap/{name}/{{version}}/8", ""  # which a job makes first
    for layer, head in _ends(stream):
        yield f"alike/{name}/{layer}/{head}", "", "heads"
    yield from _compared(atlas, stream)
    for attribute in ATTRIBUTES:
        yield f"attribute/{name}/{attribute}", "", ""
        for layer, head in _ends(stream) if attribute.startswith("norm") else [(0, 0)]:
            yield f"headattribute/{name}/{attribute}/{layer}/{head}", "", ""
    for projection in atlas.info.projections:
        if projection.stream == name:
            yield from _map(atlas, stream, projection.name, projection_key(projection))
    for mode, texts in SEARCHES.items():
        for text in texts:
            yield f"found/{name}?q={quote(text)}&mode={mode}", "", ""
    for label, text in _sets(atlas, stream).items():
        yield f"set/{name}?s={text}", f"set/{name}?s={{{label}}}", ""
    yield f"average/{name}", "", ""
    last = len(atlas.inputs) - 1
    for index in (0, last // 2, last, last + 1):
        yield f"input/{name}/{index}", "", ""
        for layer, head in _ends(stream):
            yield f"attention/{name}/{index}/{layer}/{head}", "", ""
            yield f"values/{name}/{index}/{layer}/{head}", "", ""
        for query, key in ((0, 0), (2, 1), (1, 2), (99, 0)):
            yield f"pair/{name}/{index}/{stream.layers - 1}/0/{query}/{key}?map=pca2d", "", "pair"
    yield f"pair/{name}/0/0/{stream.heads - 1}/1/0", "", "pair"
    for layer, head in _ends(stream):
        for variant in VARIANTS:
            yield f"average/{name}/{layer}/{head}" + (f"/{variant}" if variant else ""), "", ""
        for alignment in ALIGNMENTS:
            for dims in (2, 3):
                yield f"live/{name}/{layer}/{head}/{dims}/{alignment}", "", "live"
            yield f"agreement/{name}/{layer}/{head}/pca/2/{alignment}", "", "agreement"
        yield f"agreement/{name}/{layer}/{head}/pca/2/own", "", "agreement"
        yield f"refined/{name}/{layer}/{head}/umap/2/{ALIGNMENTS[0]}", "", ""
    yield from _images(atlas, stream)
    probe = f"probe/{'0' * 16}"  # one that nobody has asked for
    for part in ("input", "attention", "values"):
        place = "" if part == "input" else "/0/0"
        yield f"{probe}/{part}/{name}/0{place}", "", ""
    if stream == atlas.info.default_stream:
        yield f"{probe}/image/0.png", "", ""
    for part in (f"token/{name}/0/query/0", f"rollout/{name}/0/0/0", f"offset/{name}/0/0", f"pair/{name}/0/0/0/0/0"):
        yield f"{probe}/{part}", "", ""
    start = atlas.info.projection("pca2d", name)
    if start is not None:
        yield f"{probe}/places/{name}/pca2d-{projection_key(start)}", f"{probe}/places/{name}/pca2d", ""
    yield f"{probe}/difference/{name}/{'1' * 16}", "", ""


def _compared(atlas: Atlas, stream: StreamInfo) -> Iterator[Route]:
    """Two heads of the stream beside each other."""
    name, slug = stream.name, atlas.slug
    yield f"shared/{name}/{slug}/{atlas.info.key}/{name}", f"shared/{name}/{{itself}}", ""
    yield f"pane/{name}", "", "whole"
    yield f"change/{name}/{slug}/{atlas.info.key}/{name}", f"change/{name}/{{itself}}", ""  # which a job makes first
    for attribute in ATTRIBUTES:
        yield f"colour/{name}/{attribute}/light/safe", "", ""
    chosen = atlas.info.projection("pca2d", name)
    if chosen is None:
        return
    place = f"pca2d-{projection_key(chosen)}"
    pair = f"{name}/0/0/{place}/{slug}/{atlas.info.key}/{name}/{stream.layers - 1}/{stream.heads - 1}/{place}"
    yield f"fit/{pair}", f"fit/{name}", "fit"
    for kind in ("moved", "attended", "neither"):
        yield f"difference/{kind}/{pair}", f"difference/{kind}/{name}", "difference"
    yield f"differences.csv/{pair}", f"differences.csv/{name}", "whole"
    for role in ("first", "second", "second-held", "third"):
        yield f"beside/{role}/{pair}", f"beside/{role}/{name}", "positions near"
        yield f"differing/{role}/attended/{pair}", f"differing/{role}/attended/{name}", "whole"
        yield f"differing/{role}/attended/{pair}/dark/safe", f"differing/{role}/attended/{name}/dark", "whole"


def _images(atlas: Atlas, stream: StreamInfo) -> Iterator[Route]:
    """What is for atlases of images; of texts some of it answers as well."""
    name = stream.name
    for side in ("query", "key"):
        yield f"token/{name}/0/{side}/1", "", ""
        yield f"like/{name}/0/0/{side}/3/vector", "", ""
    yield f"token/{name}/0/query/9999", "", ""
    yield f"like/{name}/0/0/key/3/colour", "", ""
    yield f"rollout/{name}/0/{stream.layers - 1}/0", "", ""
    yield f"offset/{name}/0/0", "", ""


def _map(atlas: Atlas, stream: StreamInfo, projection: str, key: str) -> Iterator[Route]:
    """Positions in chunks, sprites and how closely each head keeps some tokens together."""
    name = stream.name
    chunks = -(-sum(atlas.points(stream)) // 1000)
    for chunk in range(chunks + 1):
        yield f"positions/{name}/{projection}-{key}/{chunk}", f"positions/{name}/{projection}/{chunk}", ""
    for some in ("0-1?most=3", "0-0?slots=AQWAAQ", "0-99999?most=3", "0-0?slots=A"):
        yield f"points/{name}/{projection}-{key}/{some}", f"points/{name}/{projection}/{some}", ""
    for colour, theme, more in (
        *((colour, "light", "") for colour in ATTRIBUTES),
        ("type", "dark", "?palette=original"),
        ("type", "dark", "?q=the,bank"),
        ("norm", "light", "?q=zzz"),
    ):
        route = f"{colour}/{theme}.png{more}"
        yield f"sprite/{name}/{projection}-{key}/{route}", f"sprite/{name}/{projection}/{route}", ""
    yield f"thumbnails/{name}/{projection}-{key}", f"thumbnails/{name}/{projection}", ""
    yield f"headpicture/{name}/{projection}-{key}/0/0/light.png", f"headpicture/{name}/{projection}/0/0/light.png", ""
    for text in ("the", "bank,cat", "zzz"):
        route = f"concentration/{name}/{projection}"
        yield f"{route}-{key}?q={quote(text)}", f"{route}?q={quote(text)}", "concentration"


def _variants(atlas: Atlas, stream: StreamInfo) -> Iterator[Route]:
    """Maps by another metric, as far as PCA makes them, and one head at the study's constants."""
    for metric in METRICS:
        variant = scale_variant(atlas, stream, metric, context().settings.maps)
        for projection in variant.info.projections if variant else ():
            place = f"positions/{stream.name}/{projection.name}"
            kind = "positions near" if projection.method == "pca" else ""
            yield f"{place}-{projection_key(projection)}/0", f"{place}/0", kind
    for layer, head in _ends(stream):
        maps = ConstantMaps("pca", layer, head, 0.8)
        place = f"positions/{stream.name}/{maps.name}"
        yield f"{place}-{maps.key(atlas, stream)}/0", f"{place}/0", "positions near"


def _exports(atlas: Atlas, stream: StreamInfo) -> Iterator[str]:
    maps = [p.name for p in atlas.info.projections if p.stream == stream.name]
    layer, head = stream.layers - 1, stream.heads - 1
    some = _sets(atlas, stream)["points"]
    yield "facts"
    yield f"facts?projection={maps[0]}&layer=9999&head=0"
    for name in maps:
        yield f"facts?projection={name}&layer={layer}&head={head}"
    yield from ("measures.csv", "measures.parquet", "measures.html")
    place = f"{layer}/{head}"
    for kind in ("csv", "parquet", "html"):
        for more in ("", f"?set={some}"):
            yield f"{place}/tokens.{kind}{more}"
            for name in maps:
                yield f"{place}/coordinates/{name}.{kind}{more}"
        yield f"{place}/attention.{kind}"
        yield f"{place}/kinds/kind.{kind}"
        yield f"{place}/parts/kind.{kind}"
        yield f"{place}/attention.{kind}?input=1"
        yield f"{place}/attention.{kind}?input=9999"
    for name in maps:
        for colour in ("type", "position", "kind", "norm", "pos"):
            yield f"{place}/figure/{name}.html?colour={colour}"
        yield f"{place}/figure/{name}.html?palette=original&set={some}"
