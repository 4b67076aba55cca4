"""The shared stores: small frozen choices that every view reads.

Whatever a browser posts is checked here: `from_store` and `from_query` never raise, they fall back to the default and
can say what they dropped.
"""

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.palettes import NAMES
from services.alignment.study import scales
from services.alignment.variants import METRICS, OWN
from services.atlas import Atlas
from services.attributes.registry import BY_NAME, why_not
from services.measures.registry import BY_NAME as BY_MEASURE
from services.measures.registry import DEFAULT
from services.search.query import MAX_QUERY, MODES

TABS = ("head", "sentence", "average", "tokens", "align")  # of the panel beside an open head
# Every parameter of a link. A test holds the browser's scripts to this list, and each of these to bad values.
PARAMETERS = (
    *("atlas", "stream", "method", "dims", "colour", "layer", "head", "tab", "panel"),
    *("token", "side", "set", "q", "mode", "case", "labels", "size", "palette", "bynorm", "rings", "badge", "order"),
    *("scale", "align", "at"),
    *("input", "read", "hide"),
)
BY_SEARCH = "search"  # heads in the order of how closely they keep the hits of the search together
_SWITCHES = {
    "panel": ("open", "closed"),
    "labels": ("on", "off"),
    "rings": ("on", "off"),
    "side": ("query", "key"),
    "bynorm": ("off", "on"),
    "case": ("0", "1"),
}
_NUMBER = r"-?\d{1,4}(?:\.\d{1,5})?"
_VIEWPOINT = re.compile(rf"{_NUMBER}_{_NUMBER}_\d{{1,4}}(?:\.\d{{1,5}})?(?:_{_NUMBER}_{_NUMBER})?", re.ASCII)
POINT_SIZES = (0, 2, 4, 7)  # px of a point of a head that fills the view; 0: by the number of points
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
    palette: str = Field(default="safe", pattern=f"^({'|'.join(NAMES)})$")
    bynorm: bool = False
    layer: int | None = Field(default=None, ge=0)
    head: int | None = Field(default=None, ge=0)
    tab: str = Field(default="sentence", pattern=f"^({'|'.join(TABS)})$")
    panel: bool = True
    scale: str = Field(default=OWN, pattern=f"^({'|'.join((OWN, *METRICS))})$")
    labels: bool = True
    size: int = 0
    rings: bool = True
    badge: str = Field(default=DEFAULT, max_length=32)
    order: str = Field(default="plain", max_length=32)
    at: str = Field(default="", max_length=64)  # of the link; from then on the scene knows it

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
    case: bool = False


def once(query: Mapping[str, Any], dropped: list[str]) -> dict[str, str]:
    """Each parameter as one string; of a repeated one the first counts."""
    values: dict[str, str] = {}
    for name, value in query.items():
        if isinstance(value, list | tuple):
            if name in PARAMETERS:
                dropped.append(f"{name} is given {len(value)} times; only the first counts.")
            value = value[0] if value else ""
        values[name] = str(value).encode("utf-8", "replace").decode()  # half a character becomes a question mark
    return values


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
    query = once(query, dropped)
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
    elif reason := why_not(atlas, BY_NAME[colour]):
        dropped.append(reason)
        colour = "type"
    palette = str(query.get("palette", "safe"))
    if palette not in NAMES:
        drop("palette", "safe")
        palette = "safe"
    layer, head = integer(query.get("layer")), integer(query.get("head"))
    if ("layer" in query or "head" in query) and not (
        layer is not None and head is not None and 0 <= layer < stream.layers and 0 <= head < stream.heads
    ):
        given = f"layer={str(query.get('layer'))[:12]!r}, head={str(query.get('head'))[:12]!r}"
        dropped.append(f"There is no head with {given}; showing all {stream.layers * stream.heads} heads instead.")
        layer = head = None
        query.pop("at", None)  # it is of a head
    tab = str(query.get("tab", "sentence"))
    if tab not in TABS:
        drop("tab", "sentence")
        tab = "sentence"
    scale = str(query.get("scale", OWN))
    if scale != OWN and (scale not in METRICS or scales(atlas, stream) is None):
        drop("scale", "the atlas as it was built")
        scale = OWN
    for name, allowed in _SWITCHES.items():
        if name in query and query[name] not in allowed:
            drop(name, allowed[0])
    chosen = {"badge": DEFAULT, "order": "plain"}
    for name, others in (("badge", ["none"]), ("order", ["plain", BY_SEARCH])):
        if name in query and query[name] not in (*BY_MEASURE, *others):
            drop(name, chosen[name])
        elif name in query:
            chosen[name] = query[name]
    size = integer(query.get("size", 0))
    if size not in POINT_SIZES:
        drop("size", "the automatic size")
        size = 0
    view = View(
        atlas=atlas.slug,
        stream=stream.name,
        method=str(method),
        dims=dims,
        colour=colour,
        palette=palette,
        bynorm=query.get("bynorm") == "on",
        layer=layer,
        head=head,
        tab=tab,
        panel=query.get("panel") != "closed",
        scale=scale,
        labels=query.get("labels") != "off",
        size=size,
        rings=query.get("rings") != "off",
        at=_viewpoint(query, dropped),
        **chosen,
    )
    selection = _selection(query, atlas, stream.query_table, stream.key_table, dropped)
    search = _search(query, dropped)
    return view, selection, search, dropped


def _viewpoint(query: Mapping[str, Any], dropped: list[str]) -> str:
    """Where one looks from, as the head scene writes it."""
    at = query.get("at", "")
    if "at" in query and not _VIEWPOINT.fullmatch(at):
        dropped.append(f"at={str(at)[:40]!r} is no viewpoint; showing all of the map.")
        return ""
    return str(at)


def _search(query: Mapping[str, Any], dropped: list[str]) -> Search:
    text, mode, case = (str(query.get(name, default)) for name, default in (("q", ""), ("mode", "token"), ("case", "")))
    if len(text) > MAX_QUERY:
        dropped.append(f"A search can have {MAX_QUERY} characters; one of {len(text):,} was left out.")
        text = ""
    if not _is_unicode(text):
        dropped.append("The search holds half a character; it was left out.")
        text = ""
    if mode not in MODES:
        dropped.append(f"mode={mode[:40]!r} is no way to search; looking for whole tokens instead.")
        mode = "token"
    return Search(query=text, mode=mode, case=case == "1")


def _selection(
    query: Mapping[str, Any], atlas: Atlas, query_table: str, key_table: str, dropped: list[str]
) -> Selection:
    whole = _whole_input(query, atlas, dropped)
    if "token" not in query:
        return whole
    side = "key" if query.get("side") == "key" else "query"
    tokens = atlas.tokens(key_table if side == "key" else query_table)
    token = integer(query["token"])
    if token is None or not 0 <= token < len(tokens):
        dropped.append(f"There is no token {str(query['token'])[:12]!r}; nothing is selected.")
        return whole
    return Selection(input=int(tokens.input[token]), token=token, side=side)


def _whole_input(query: Mapping[str, Any], atlas: Atlas, dropped: list[str]) -> Selection:
    """An input without a chosen token."""
    if "input" not in query:
        return Selection()
    index = integer(query["input"])
    if index is None or not 0 <= index < len(atlas.inputs):
        dropped.append(f"There is no input {str(query['input'])[:12]!r}; nothing is selected.")
        return Selection()
    return Selection(input=index)
