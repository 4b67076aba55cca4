"""Every choice that a reader shares on the page "Heads", each declared once (components/state/declare.py)."""

import re
from typing import Annotated, Any

from pydantic import Field

from components import ids
from components.state.atlas_page import read_head_set
from components.state.declare import OneOf, Parsed, Store
from components.state.link import Link
from components.state.page import AtlasSlug, PageState, StreamName
from services.measures import head_map
from services.measures.registry import listed
from services.projection import method_names
from services.search import head_sets

BY = (*head_map.BY, "measures")  # what places heads
MOST_QUERY = 400  # characters of the query line
_NOT_ONE = "{name}={value} is nothing that is known of heads; using {instead}."
_PLACE = ("layer", "head")
_ALIKE = ("family", "unlike")


def _columns(_link: Link) -> list[str]:
    return [*_PLACE, *_ALIKE, *(measure.name for measure in listed())]


def _orders(link: Link) -> list[str]:
    return [way + name for name in _columns(link) for way in ("", "-")]


def _maps(link: Link) -> list[str]:
    return [p.name for p in link.atlas.info.projections if p.stream == link.stream.name] or [""]


def _preferred(link: Link) -> str:
    """The flat map of the method that is shown first."""
    names = _maps(link)
    return next((f"{method}2d" for method in method_names() if f"{method}2d" in names), names[0])


def _line(link: Link, default: str) -> str:
    text = link.text("q") or default
    if len(text) <= MOST_QUERY:
        return text
    link.drop(f"A line that heads are chosen by can have {MOST_QUERY} characters; one of {len(text):,} was left out.")
    return default


def _like(link: Link, default: str) -> str:
    text = link.text("like")
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", text or "", re.ASCII)
    if match and link.stream.row(int(match[1])) is not None and int(match[2]) < link.stream.heads:
        return match[0]
    if text is not None:
        link.drop(f"There is no head {link.shown('like', 12)}; comparing with none.")
    return default


def _other(link: Link, default: str) -> str:
    text = link.text("in")
    if text is None or re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text, re.ASCII):
        return text or default
    link.drop(f"There is no atlas {link.shown('in')} to compare with.")
    return default


class HeadsState(Store):
    """What the finder shows. It is the only writer.

    map: whose measures and pictures are shown · by: what places heads · x, y, colour: columns · families: how many
    q: the query line · order: a column, with - before it from the largest · like: layer.head of the head that all are
    compared with · other: an atlas that is looked through too · set: heads that were drawn around
    """

    id = ids.HEAD_FINDER
    property = "state"
    atlas: AtlasSlug = None
    stream: StreamName = ""
    map: Annotated[str, Field(max_length=64), OneOf(values=_maps, default=_preferred, moves=True)] = ""
    by: Annotated[str, OneOf(values=BY, moves=True)] = head_map.ATTENTION
    x: Annotated[str, Field(max_length=32), OneOf(values=_columns, sentence=_NOT_ONE, moves=True)] = "distance"
    y: Annotated[str, Field(max_length=32), OneOf(values=_columns, sentence=_NOT_ONE, moves=True)] = "entropy"
    colour: Annotated[str, Field(max_length=32), OneOf(values=_columns, sentence=_NOT_ONE, moves=True)] = "family"
    families: Annotated[int, OneOf(values=tuple(range(2, 13)), moves=True)] = 8
    q: Annotated[str, Field(max_length=MOST_QUERY), Parsed(by=_line, moves=True)] = ""
    order: Annotated[str, Field(max_length=40), OneOf(values=_orders, sentence=_NOT_ONE, moves=True)] = "layer"
    like: Annotated[str, Field(max_length=9), Parsed(by=_like)] = ""
    other: Annotated[str, Field(max_length=64), Parsed(parameter="in", by=_other)] = ""
    set: Annotated[str, Field(max_length=head_sets.MOST_TEXT), Parsed(parameter="heads", by=read_head_set)] = ""

    def compared_by(self) -> str:
        """One of `head_map.BY`: families are of attention where two measures place heads."""
        return head_map.WEIGHTS if self.by == head_map.WEIGHTS else head_map.ATTENTION

    def known(self) -> dict[str, Any]:
        """As the finder is given it: of a comparison, the nearest first unless the link says otherwise."""
        return self.to_store() | ({"order": "unlike"} if self.like and self.order == "layer" else {})


class HeadsPage(PageState):
    """All that a link to the page says."""

    path = "heads"
    heads: HeadsState
