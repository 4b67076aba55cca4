"""The data of a static page: what the dashboard serves (docs/payload.md), in files named for what they hold."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

from components.palettes import palette
from components.static_atlas.contents import Contents, layers_a_file
from services.atlas import Atlas, token_tables
from services.atlas.layouts import draw_order
from services.atlas.schema import StreamInfo
from services.attributes.registry import PLAIN, in_atlas
from services.measures.report import report_payload
from services.modalities.text.columns import words
from services.modalities.text.marks import without_marks
from services.payloads import average, images, scene, sprite
from services.search.characters import split_characters
from services.streams.registry import CONTENT

INPUTS_A_FILE = 64
_LEVEL = 4  # of gzip: nearly the size of the best, in a quarter of its time

Member = tuple[str, bytes]


def data(contents: Contents) -> Iterator[Member]:
    """Name and bytes of every file below `data/`."""
    atlas = contents.atlas
    for table in sorted(token_tables(atlas.info)):
        yield from _of_table(atlas, table)
    for stream in atlas.info.streams:
        if stream.kind == CONTENT:
            continue  # its one place beside attention is the dashboard, which says what it is not
        yield from _of_stream(contents, stream)
        yield from _attention(contents, stream)
    if images.has_images(atlas):
        for index in range(len(atlas.inputs)):
            yield f"data/image/{index}.png", images.image_png(atlas, index)


def _script(name: str, content: bytes) -> Member:
    """Bytes as a script that hands them over: the one kind of file that a page opened from a disk may read."""
    packed = base64.b64encode(gzip.compress(content, _LEVEL, mtime=0)).decode()
    return f"data/{name}.js", f'atlasFile("{name}","{packed}")\n'.encode()


def _json(name: str, value: Any) -> Member:
    return _script(name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _of_table(atlas: Atlas, table: str) -> Iterator[Member]:
    tokens = atlas.tokens(table)
    yield _script(f"{table}/offsets", tokens.offsets.astype("<u4").tobytes())
    for page in range(-(-len(tokens) // scene.PAGE)):
        yield _json(f"{table}/tokens-{page}", scene.token_page(atlas, table, page))
    yield _json(f"{table}/search", _searched(atlas, table))
    if images.sheet_facts(atlas, table):
        yield _script(f"{table}/patches", images.sheet(atlas, table))


def _searched(atlas: Atlas, table: str) -> dict[str, Any]:
    """What search.js looks through: the same texts as services/search/query.py."""
    tokens = atlas.tokens(table)
    found: dict[str, Any] = {
        "raw": list(tokens.token),
        "text": [without_marks(text) for text in tokens.text],
        "word": words(tokens).tolist(),
        "input": tokens.input.tolist(),
        "split": {str(row): list(characters) for row, characters in split_characters(atlas, table).items()},
    }
    if images.has_images(atlas):
        found["object"] = [str(name) for name in tokens.columns.get("object", ())]
        found["lines"] = list(atlas.inputs.text)
        found["special"] = tokens.special.astype(int).tolist()
    return found


def _of_stream(contents: Contents, stream: StreamInfo) -> Iterator[Member]:
    atlas, name = contents.atlas, stream.name
    points = sum(atlas.points(stream))
    yield _script(f"{name}/order", draw_order(points).tobytes())
    yield _json(f"{name}/heads", report_payload(atlas, stream))
    yield _script(f"{name}/average", average.cells(atlas, stream) or b"")
    for attribute in contents.attributes:
        if attribute.scope != "head":
            yield _script(f"{name}/attribute-{attribute.name}", scene.attribute(atlas, stream, attribute.name))
            continue
        for layer in range(stream.layers):
            of_heads = [scene.head_attribute(atlas, stream, attribute.name, layer, h) for h in range(stream.heads)]
            yield _script(f"{name}/attribute-{attribute.name}-{layer}", b"".join(of_heads))
    for projection in contents.maps:
        if projection.stream != name:
            continue
        for chunk in range(scene.chunk_count(points, stream.layers * stream.heads)):
            yield _script(f"{name}/{projection.name}-{chunk}", scene.positions(atlas, projection, chunk))
        colours = palette(in_atlas(atlas, PLAIN), "light", "safe")
        yield f"data/{name}/{projection.name}.png", sprite.matrix_png(atlas, stream, projection, PLAIN, colours)
    if images.has_images(atlas):
        cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
        yield _json(f"{name}/offsets", [images.by_offset(atlas, stream, *cell) for cell in cells])


def _attention(contents: Contents, stream: StreamInfo) -> Iterator[Member]:
    """Inputs, and the weights of those that have theirs here: [layers of the file][heads][queries][keys]."""
    atlas, name = contents.atlas, stream.name
    count, share = len(atlas.inputs), layers_a_file(atlas, stream)
    for first in range(0, count, INPUTS_A_FILE):
        block = range(first, min(count, first + INPUTS_A_FILE))
        yield _json(f"{name}/inputs-{first // INPUTS_A_FILE}", [scene.input_sides(atlas, stream, i) for i in block])
    for index in range(contents.inputs):
        for start in range(0, stream.layers, share):
            layers = range(start, min(stream.layers, start + share))
            weights = [scene.attention(atlas, stream, index, layer, h) for layer in layers for h in range(stream.heads)]
            yield _script(f"{name}/attention-{index}-{start // share}", b"".join(weights))
