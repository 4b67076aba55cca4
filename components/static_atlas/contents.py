"""What a static page of an atlas holds, and how large it gets at most, said before anything is made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.atlas import Atlas, token_tables
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.registry import Attribute, attributes, why_not
from services.errors import ExportError
from services.models.memory import readable
from services.payloads.images import has_images, sheet_facts
from services.streams.registry import CONTENT

MOST_BYTES = 300_000_000
_FILE_BYTES = 4_000_000  # of attention in one file: what a click on a token waits for
_TEXT = 4 / 3  # bytes as the text of a script
_PAGE_BYTES = 1_500_000  # scripts, styles, words
_TOKEN_BYTES = 100  # of a token's texts, its word and its search
_SPRITE_BYTES = 12_000  # of a head in a picture of all, two bits a pixel where points are dense


@dataclass(frozen=True)
class Contents:
    """maps: those that are taken along · attributes: what points can be coloured by
    inputs: the first so many have their attention · bytes: of the whole folder, at most
    """

    atlas: Atlas
    maps: tuple[ProjectionInfo, ...]
    attributes: tuple[Attribute, ...]
    inputs: int
    bytes: int

    @property
    def words(self) -> str:
        """What is in it, in one sentence."""
        heads = sum(one.layers * one.heads for one in self.atlas.info.streams if one.kind != CONTENT)
        names = sorted({projection.name for projection in self.maps})
        return (
            f"{heads} heads, {_count(len(names), 'map')} ({', '.join(names)}), "
            f"{_attended(self.inputs, self.atlas.info.corpus.inputs)}: at most {readable(self.bytes)}"
        )


def choose(
    atlas: Atlas, maps: Sequence[str] | None = None, inputs: int | None = None, most: int = MOST_BYTES
) -> Contents:
    """What a page holds: all maps or those named, and the attention of as many inputs as fit, or as are asked for.

    Args:
        maps: such as `umap2d` · inputs: the attention of the first so many · most: bytes of the folder.

    Raises:
        ExportError: there is no such map, or it does not fit; the message says what would.
    """
    chosen = _maps(atlas, maps)
    offered = tuple(one for one in attributes() if why_not(atlas, one) is None)
    fixed = _fixed_bytes(atlas, chosen, offered)
    if fixed > most:
        raise ExportError(
            f"All heads on {_count(len({one.name for one in chosen}), 'map')} need up to {readable(fixed)}, "
            f"more than the {readable(most)} allowed: name fewer maps, or allow more."
        )
    ends = fixed + np.cumsum(_TEXT * attention_bytes(atlas))
    fitting = int(np.searchsorted(ends, most, side="right"))
    if inputs is not None and not 0 <= inputs <= atlas.info.corpus.inputs:
        raise ExportError(
            f"This atlas has {atlas.info.corpus.inputs:,} inputs: choose from 0 to {atlas.info.corpus.inputs:,}."
        )
    if inputs is not None and inputs > fitting:
        raise ExportError(
            f"The attention of {inputs:,} inputs needs up to {readable(int(ends[inputs - 1]))}, more than the "
            f"{readable(most)} allowed: {fitting:,} fit, or allow more."
        )
    held = fitting if inputs is None else inputs
    return Contents(atlas, chosen, offered, held, int(ends[held - 1]) if held else fixed)


def attention_bytes(atlas: Atlas) -> np.ndarray:
    """int64 [inputs]: bytes of the attention of all heads of all streams on each input."""
    counts = {table: atlas.token_counts(table) for table in token_tables(atlas.info)}
    sizes = [
        2 * stream.layers * stream.heads * counts[stream.query_table] * counts[stream.key_table]
        for stream in atlas.info.streams
        if stream.kind != CONTENT
    ]
    return np.sum(sizes, axis=0)


def layers_a_file(atlas: Atlas, stream: StreamInfo) -> int:
    """How many layers of an input's attention share a file, so that none is much larger than 4 MB."""
    queries, keys = (atlas.tokens(table).counts for table in (stream.query_table, stream.key_table))
    layer = 2 * stream.heads * int((queries * keys).max(initial=1))
    return max(1, min(stream.layers, _FILE_BYTES // max(1, layer)))


def _maps(atlas: Atlas, names: Sequence[str] | None) -> tuple[ProjectionInfo, ...]:
    attended = {stream.name for stream in atlas.info.streams if stream.kind != CONTENT}
    ready = tuple(one for one in atlas.info.projections if one.stream in attended)
    if not ready:
        raise ExportError("This atlas has no map yet: wait for its first.")
    known = {projection.name for projection in ready}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ExportError(f"There is no map {unknown[0][:40]!r} in this atlas; there are {', '.join(sorted(known))}.")
    return tuple(one for one in ready if names is None or one.name in names)


def _fixed_bytes(atlas: Atlas, maps: Sequence[ProjectionInfo], offered: Sequence[Attribute]) -> int:
    """All but the attention of inputs."""
    raw = 0
    for stream in atlas.info.streams:
        points, cells = sum(atlas.points(stream)), stream.layers * stream.heads
        raw += sum(2 * cells * points * one.dims for one in maps if one.stream == stream.name)
        raw += sum(points * (cells if one.scope == "head" else 1) for one in offered) + 4 * points + 1100 * cells
    raw += sum(_TOKEN_BYTES * atlas.table_rows(table) for table in token_tables(atlas.info))
    heads = {stream.name: stream.layers * stream.heads for stream in atlas.info.streams}
    pictures = sum(_SPRITE_BYTES * heads[one.stream] for one in maps)
    if has_images(atlas):
        columns = atlas.inputs.columns
        sizes = zip(columns["height"], columns["width"], strict=True)
        pictures += sum(3 * int(height) * int(width) for height, width in sizes)
        raw += sum(_sheet_bytes(atlas, table) for table in token_tables(atlas.info))
    return int(_TEXT * raw) + pictures + _PAGE_BYTES


def _sheet_bytes(atlas: Atlas, table: str) -> int:
    facts = sheet_facts(atlas, table)
    return 0 if facts is None else atlas.table_rows(table) * int(facts["cell"]) ** 2


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _attended(held: int, inputs: int) -> str:
    if held == inputs:
        return f"attention on all {inputs:,} inputs" if inputs != 1 else "attention on its one input"
    return f"attention on the first {held:,} of {inputs:,} inputs"
