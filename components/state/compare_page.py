"""Every choice that a reader shares on the page "Compare", each declared once (components/state/declare.py)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import Field

from components import ids
from components.palettes import Name
from components.state.atlas_page import read_query, read_viewpoint
from components.state.declare import Choice, OneOf, Parsed, Store, Switch
from components.state.link import Link
from components.state.page import AtlasSlug, PageState, StreamName
from services.atlas import Atlas
from services.atlas.library import Library
from services.atlas.schema import StreamInfo
from services.attributes.registry import PLAIN, find_attribute, why_not
from services.payloads.compare import KINDS
from services.projection import method_names
from services.search.query import MAX_QUERY, MODES

SHOWS = ("tokens", "heads")
_TOKEN = re.compile(r"([ab])(\d{1,9})([qk])", re.ASCII)
_NOT_ONE = "{name}={value} is nothing that can be shown of a comparison; using {instead}."


def _second(link: Link) -> tuple[Atlas, StreamInfo]:
    """The second atlas, and its stream as far as the link names one: else of the same name, else its first."""
    atlas = link.other or link.atlas
    wanted = link.text("stream2") or link.stream.name
    return atlas, atlas.info.stream(wanted) or atlas.info.default_stream


def _with(link: Link, _default: Any) -> str:
    atlas, _ = _second(link)
    if "with" in link and link.text("with") != atlas.slug:
        link.drop(f"There is no readable atlas {link.shown('with', 64)} to compare with; showing {atlas.info.title}.")
    return atlas.slug


@dataclass(frozen=True, kw_only=True)
class _Layer(Choice):
    """The layer of a pane: the store holds its row, links the model's number.

    numbers: the field with the model's numbers of that pane's rows, which the browser writes links by
    """

    kind = "layer"
    numbers: str
    second: bool = False

    def value(self, link: Link, default: Any) -> int:
        stream = _second(link)[1] if self.second else link.stream
        if self.parameter not in link:
            return _nearest(stream, link.stream.number(link.found["layer"])) if self.second else default
        number = link.integer(self.parameter)
        row = stream.row(number)
        if row is not None:
            return row
        given = link.shown(self.parameter, 12)
        if number is None or not stream.layer_numbers:
            link.drop(f"There is no {self.parameter} {given}; showing {stream.number(0)}.")
            return default
        near = _nearest(stream, number)
        link.drop(f"{self.parameter} {given} has none of this attention; showing {stream.number(near)}.")
        return near

    def facts(self) -> dict[str, Any]:
        return {"numbers": self.numbers}


def _nearest(stream: StreamInfo, number: int) -> int:
    """The row of the layer that is nearest to a model's number."""
    return min(range(stream.layers), key=lambda row: abs(stream.number(row) - number))


def _head(parameter: str, second: bool) -> Parsed:
    """The head of a pane; within one stream the second is the next one, as a head is no news to itself."""

    def read(link: Link, default: Any) -> int:
        most = (_second(link)[1] if second else link.stream).heads
        if parameter not in link and second:
            head: int = link.found["head"]
            itself = _second(link) == (link.atlas, link.stream) and "layer2" not in link
            return (head + 1) % most if itself else min(head, most - 1)
        number = link.integer(parameter) if parameter in link else default
        if number is not None and 0 <= number < most:
            return number
        link.drop(f"There is no {parameter} {link.shown(parameter, 12)}; showing 0.")
        return default

    return Parsed(by=read, always=True)


def _maps(link: Link) -> list[str]:
    """Maps that both streams have; if there are none, the first one's."""
    atlas, stream = _second(link)
    mine = [p.name for p in link.atlas.info.projections if p.stream == link.stream.name]
    its = {p.name for p in atlas.info.projections if p.stream == stream.name}
    return [name for name in mine if name in its] or mine or [""]


def _preferred(link: Link) -> str:
    """The flat map of the method that is shown first."""
    names = _maps(link)
    return next((f"{method}2d" for method in method_names() if f"{method}2d" in names), names[0])


def _colour(link: Link, default: str) -> str:
    text = link.text("colour")
    attribute = None if text is None else find_attribute(text)
    if text is None or text in KINDS or (attribute and not why_not(link.atlas, attribute)):
        return text or default
    link.drop(f"colour={link.shown('colour')} is not in this atlas; showing {default} instead.")
    return default


def _token(link: Link, default: str) -> str:
    text = link.text("token")
    if text is None:
        return default
    match = _TOKEN.fullmatch(text)
    if match:
        atlas, stream = (link.atlas, link.stream) if match[1] == "a" else _second(link)
        table = stream.query_table if match[3] == "q" else stream.key_table
        if int(match[2]) < len(atlas.tokens(table)):
            return text
    link.drop(f"There is no token {link.shown('token', 12)}; nothing is selected.")
    return default


class CompareState(Store):
    """What two heads are shown of, and how. The component is the only writer.

    other, stream2, layer2, head2: the second head · map: of both · fit: the second map is brought onto the first
    numbers, numbers2: the model's numbers of either pane's layers, where these are not rows; they stand in no link
    token: a or b, a row of that pane's table, q or k · at: where both are looked at from · show: what is below the maps
    order: of the table of tokens
    """

    id = ids.HEAD_COMPARE
    property = "state"
    atlas: AtlasSlug = None
    stream: StreamName = ""
    layer: Annotated[int, Field(ge=0), _Layer(numbers="numbers", always=True)] = 0
    head: Annotated[int, Field(ge=0), _head("head", second=False)] = 0
    other: Annotated[str, Field(max_length=64), Parsed(parameter="with", by=_with, always=True)] = ""
    stream2: Annotated[
        str, Field(max_length=32), Parsed(by=lambda link, _default: _second(link)[1].name, always=True)
    ] = ""
    layer2: Annotated[int, Field(ge=0), _Layer(numbers="numbers2", second=True, always=True)] = 0
    head2: Annotated[int, Field(ge=0), _head("head2", second=True)] = 0
    numbers: tuple[int, ...] = ()
    numbers2: tuple[int, ...] = ()
    map: Annotated[str, Field(max_length=64), OneOf(values=_maps, default=_preferred, always=True)] = ""
    fit: Annotated[bool, Switch(on="on", off="off")] = True
    colour: Annotated[str, Field(max_length=32), Parsed(by=_colour)] = PLAIN.name
    palette: Annotated[Name, OneOf(values=get_args(Name))] = "safe"
    q: Annotated[str, Field(max_length=MAX_QUERY), Parsed(by=read_query)] = ""
    mode: Annotated[str, OneOf(values=MODES, needs="compare.q", sentence=_NOT_ONE)] = "token"
    token: Annotated[str, Field(max_length=12), Parsed(by=_token)] = ""
    at: Annotated[str, Field(max_length=64), Parsed(by=read_viewpoint)] = ""
    show: Annotated[str, OneOf(values=SHOWS, sentence=_NOT_ONE)] = "tokens"
    order: Annotated[str, OneOf(values=KINDS, sentence=_NOT_ONE)] = "moved"

    @classmethod
    def read(cls, link: Link) -> Self:
        found = super().read(link)
        numbers = {"numbers": link.stream.layer_numbers, "numbers2": _second(link)[1].layer_numbers}
        return found.model_copy(update=numbers)


class ComparePage(PageState):
    """All that a link to the page says."""

    path = "compare"
    compare: CompareState

    @classmethod
    def open(cls, query: Mapping[str, Any], library: Library) -> tuple[Atlas, Self] | None:
        """The atlases that a link names; without a second one, another of the same corpus, else the first itself."""
        link = Link(query, cls.parameters())
        atlas = library.get(link.text("atlas")) or library.first()
        if atlas is None:
            return None
        link.other = library.get(link.text("with")) or of_same_corpus(atlas, library)
        return atlas, cls._read(link, atlas)


def of_same_corpus(atlas: Atlas, library: Library) -> Atlas | None:
    """The first other atlas that was made from the same inputs."""
    corpus = atlas.info.corpus.sha256
    others = (entry.atlas for entry in library.entries() if entry.atlas and entry.slug != atlas.slug)
    return next((other for other in others if other.info.corpus.sha256 == corpus), None)
