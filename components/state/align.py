"""How the open head is aligned live: read from the URL and from its store, both hostile until checked."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from components.state.stores import Store
from services.alignment.live import LEAST_C, MOST_C, Way


class AlignState(Store):
    """The tab "Align": `on` is False while the head lies as in the atlas."""

    on: bool = False
    c: float = Field(default=1.0, ge=LEAST_C, le=MOST_C)
    scale: bool = True
    translate: bool = True
    space: Literal["euclidean", "cosine", "lift"] = "euclidean"

    @property
    def way(self) -> Way:
        translate = self.translate and self.space != "lift"
        return Way(round(self.c, 4) if self.scale else 1.0, translate, self.space)


def from_align_query(query: Mapping[str, Any]) -> tuple[AlignState, list[str]]:
    """Read `align`, a way such as `0.83-translated-cosine`; a wrong one is dropped with a sentence."""
    if "align" not in query:
        return AlignState(), []
    try:
        way = Way.read(str(query["align"]))
    except KeyError:
        return AlignState(), [f"align={str(query['align'])[:40]!r} is no alignment; showing the atlas's own."]
    return AlignState(on=True, c=way.c, translate=way.translate or way.space == "lift", space=way.space), []
