"""The shared stores: small frozen choices that every view reads.

Whatever a browser posts is checked here: `from_store` and `from_query` never raise, they fall back to the default and
can say what they dropped.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.atlas import Atlas
from services.attributes import BY_NAME
from services.scaled_maps import METRICS, OWN
from services.search import MAX_QUERY, MODES
from services.study import scales

TABS = ("head", "sentence", "average", "tokens", "align")  # of the panel beside an open head
PREFERRED = ("attention", "umap", "tsne", "pca")  # docs/projection.md: which map keeps attention best


class Store(BaseModel):
    """Base: frozen, ignores what it does not know, never raises on foreign data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_store(cls, data: Any) -> Self:
        """The store's value, or the default when the data are not valid."""
        try:
            return cls.model_validate(data or {})
        except ValidationError:
            return cls()

    def to_store(self) -> dict[str, Any]:
        return self.model_dump()


class View(Store):
    """What is shown: atlas, stream, projection, colour, and one head or all."""

    atlas: str | None = Field(default=None, max_length=64)
    stream: str = Field(default="self", max_length=32)
    method: str = Field(default="attention", max_length=32)
    dims: int = Field(default=2, ge=2, le=3)
    colour: str = Field(default="type", max_length=32)
    layer: int | None = Field(default=None, ge=0)
    head: int | None = Field(default=None, ge=0)
    tab: str = Field(default="sentence", pattern=f"^({'|'.join(TABS)})$")
    panel: bool = True
    scale: str = Field(default=OWN, pattern=f"^({'|'.join((OWN, *METRICS))})$")

    @property
    def at_head(self) -> bool:
        return self.layer is not None and self.head is not None


class Selection(Store):
    """One token: its input, its row in the token table, and whether it asks or answers."""

    input: int | None = Field(default=None, ge=0)
    token: int | None = Field(default=None, ge=0)
    side: str = Field(default="query", pattern="^(query|key)$")


class Search(Store):
    """What is searched for and how."""

    query: str = Field(default="", max_length=MAX_QUERY)
    mode: str = Field(default="token", pattern=f"^({'|'.join(MODES)})$")


def integer(text: Any) -> int | None:
    """The integer that a text of anyone's is, if it is a small one."""
    try:
        number = int(str(text))
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None


def from_query(query: Mapping[str, Any], atlas: Atlas) -> tuple[View, Selection, Search, list[str]]:
    """Read the page's URL parameters against an atlas.

    Returns:
        The nearest valid state and one sentence for each parameter that was dropped or changed.
    """
    dropped: list[str] = []
    info = atlas.info

    def drop(name: str, instead: object) -> None:
        dropped.append(f"{name}={str(query[name])[:40]!r} is not in this atlas; showing {instead} instead.")

    stream = info.stream(str(query.get("stream", ""))) or info.streams[0]
    if "stream" in query and stream.name != query["stream"]:
        drop("stream", stream.name)
    available = [p for p in info.projections if p.stream == stream.name]
    methods = list(dict.fromkeys(p.method for p in available))
    method = query.get("method")
    if method not in methods:
        method_default = next((m for m in PREFERRED if m in methods), "pca")
        if "method" in query:
            drop("method", method_default)
        method = method_default
    dims_allowed = [p.dims for p in available if p.method == method] or [2]
    dims = integer(query.get("dims")) if "dims" in query else None
    if dims not in dims_allowed:
        if "dims" in query:
            drop("dims", dims_allowed[0])
        dims = dims_allowed[0]
    colour = str(query.get("colour", "type"))
    if colour not in BY_NAME:
        drop("colour", "type")
        colour = "type"
    layer, head = integer(query.get("layer")), integer(query.get("head"))
    if ("layer" in query or "head" in query) and not (
        layer is not None and head is not None and 0 <= layer < stream.layers and 0 <= head < stream.heads
    ):
        given = f"layer={str(query.get('layer'))[:12]!r}, head={str(query.get('head'))[:12]!r}"
        dropped.append(f"There is no head with {given}; showing all {stream.layers * stream.heads} heads instead.")
        layer = head = None
    tab = str(query.get("tab", "sentence"))
    if tab not in TABS:
        drop("tab", "sentence")
        tab = "sentence"
    scale = str(query.get("scale", OWN))
    if scale != OWN and (scale not in METRICS or scales(atlas, stream) is None):
        drop("scale", "the atlas as it was built")
        scale = OWN
    view = View(
        atlas=atlas.slug,
        stream=stream.name,
        method=str(method),
        dims=dims,
        colour=colour,
        layer=layer,
        head=head,
        tab=tab,
        panel=query.get("panel") != "closed",
        scale=scale,
    )
    selection = _selection(query, atlas, stream.query_table, stream.key_table, dropped)
    search = Search.from_store({"query": str(query.get("q", ""))[:MAX_QUERY], "mode": query.get("mode", "token")})
    if "mode" in query and search.mode != query["mode"]:
        drop("mode", "token")
        search = Search(query=str(query.get("q", ""))[:MAX_QUERY])
    return view, selection, search, dropped


def _selection(
    query: Mapping[str, Any], atlas: Atlas, query_table: str, key_table: str, dropped: list[str]
) -> Selection:
    if "token" not in query:
        return Selection()
    side = "key" if query.get("side") == "key" else "query"
    tokens = atlas.tokens(key_table if side == "key" else query_table)
    token = integer(query["token"])
    if token is None or not 0 <= token < len(tokens):
        dropped.append(f"There is no token {str(query['token'])[:12]!r}; nothing is selected.")
        return Selection()
    return Selection(input=int(tokens.input[token]), token=token, side=side)
