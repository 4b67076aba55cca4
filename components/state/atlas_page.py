"""Every choice that a reader shares on the main page, each declared once (components/state/declare.py)."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import Field

from components import ids
from components.palettes import Name
from components.state.attention_options import AttentionOptions
from components.state.declare import Choice, LayerNumber, Number, OneOf, Parsed, Store, Switch
from components.state.link import Link
from components.state.page import AtlasSlug, PageState
from services.alignment.live import LEAST_C, MOST_C, LiveAlignment, Space, own_alignment
from services.alignment.scale_metrics import METRICS
from services.alignment.study import scales
from services.alignment.variants import OWN
from services.atlas import ProjectionRef
from services.atlas.projection_ref import METHOD
from services.attributes.registry import PLAIN, find_attribute, why_not
from services.errors import SearchError
from services.measures import related
from services.measures.registry import DEFAULT, listed
from services.projection import START, method_names
from services.search import brush, folded_layers, head_sets, token_sets
from services.search.query import MAX_QUERY, MODES

TABS = ("head", "sentence", "why", "average", "tokens", "align")  # of the panel beside an open head
BY_SEARCH = "search"  # heads in the order of how closely they keep the hits of the search together
PATCH_FORMS = ("border", "bare", "fill", "off")  # how points that are patches of images are drawn
POINT_SIZES = (0, 2, 4, 7)  # px of a point of a head that fills the view; 0: by the number of points
_NUMBER = r"-?\d{1,4}(?:\.\d{1,5})?"
_VIEWPOINT = re.compile(rf"{_NUMBER}_{_NUMBER}_\d{{1,4}}(?:\.\d{{1,5}})?(?:_{_NUMBER}_{_NUMBER})?", re.ASCII)


def _methods(link: Link) -> list[str]:
    """Methods that have a map of the stream, in the atlas's order."""
    return list(dict.fromkeys(p.method for p in link.atlas.info.projections if p.stream == link.stream.name))


def _preferred(link: Link) -> str:
    return next((name for name in method_names() if name in _methods(link)), START.name)


def _dims(link: Link) -> list[int]:
    """Dimensions in which the chosen method has a map."""
    stream, method = link.stream.name, link.found["method"]
    return [p.dims for p in link.atlas.info.projections if p.stream == stream and p.method == method] or [2]


def _metrics(link: Link) -> tuple[str, ...]:
    return (OWN, *METRICS) if scales(link.atlas, link.stream) is not None else (OWN,)


class View(Store):
    """What the map shows: atlas, stream, projection, the metric that scales it, and one head or all."""

    id = "view"
    atlas: AtlasSlug = None
    stream: Annotated[
        str,
        Field(max_length=32),
        OneOf(
            values=lambda link: [stream.name for stream in link.atlas.info.streams],
            default=lambda link: link.atlas.info.default_stream.name,
            always=True,
        ),
    ] = ""
    method: Annotated[
        str, Field(pattern=f"^{METHOD}$"), OneOf(values=_methods, default=_preferred, always=True, moves=True)
    ] = method_names()[0]
    dims: Annotated[
        int,
        Field(ge=2, le=3),
        OneOf(values=_dims, default=lambda link: _dims(link)[0], always=True, moves=True),
    ] = 2
    scale: Annotated[
        str,
        Field(pattern=f"^({'|'.join((OWN, *METRICS))})$"),
        OneOf(values=_metrics, instead="the atlas as it was built"),
    ] = OWN
    layer: Annotated[int | None, Field(ge=0), LayerNumber(step=True)] = None
    head: Annotated[int | None, Field(ge=0), Number(step=True)] = None

    @property
    def ref(self) -> ProjectionRef:
        """The map that is shown, of the atlas's own scale."""
        return ProjectionRef(self.method, self.dims)

    @property
    def at_head(self) -> bool:
        return self.layer is not None and self.head is not None

    @classmethod
    def read(cls, link: Link) -> Self:
        """Layer and head go together: without one of them all heads are shown."""
        head, stream = link.integer("head"), link.stream
        fits = stream.row(link.integer("layer")) is not None and head is not None and 0 <= head < stream.heads
        if fits:
            return super().read(link)
        if "layer" in link or "head" in link:
            given = f"layer={link.shown('layer', 12)}, head={link.shown('head', 12)}"
            count = stream.layers * stream.heads
            there = (
                f": layers with attention are {', '.join(map(str, stream.layer_numbers))}"
                if stream.layer_numbers
                else ""
            )
            link.drop(f"There is no head with {given}{there}; showing all {count} heads instead.")
            link.forget("layer", "head", "at")  # a viewpoint is of its head
        return super().read(link)


def _colour(link: Link, default: str) -> str:
    text = link.text("colour")
    attribute = None if text is None else find_attribute(text)
    if text is None or (attribute is not None and not why_not(link.atlas, attribute)):
        return text or default
    reason = why_not(link.atlas, attribute) if attribute else None
    link.drop(reason or f"colour={link.shown('colour')} is not in this atlas; showing {default} instead.")
    return default


class Colouring(Store):
    """What points are coloured by, and with which colours."""

    id = "colouring"
    colour: Annotated[str, Field(max_length=32), Parsed(by=_colour, always=True, moves=True)] = PLAIN.name
    palette: Annotated[Name, OneOf(values=get_args(Name), moves=True)] = "safe"


def _badges(_link: Link) -> list[str]:
    return [DEFAULT, *(measure.name for measure in listed()), "none"]


def _orders(_link: Link) -> list[str]:
    return ["plain", *(measure.name for measure in listed()), BY_SEARCH]


class Picture(Store):
    """How the map and images are drawn, and what is said of each head in the matrix.

    whole: frames hold every point, however far away
    shade, cover, flow: of weights laid over an image: how they become shades, how much of it they cover in percent, and
    whether they are the head's or attention rollout · arrows: of each token the strongest, or all
    """

    id = "picture"
    labels: Annotated[bool, Switch(control=ids.DISPLAY_LABELS, shows="labels")] = True
    size: Annotated[
        int, OneOf(values=POINT_SIZES, instead="the automatic size", control=ids.DISPLAY_SIZE, shows="pointSize")
    ] = 0
    bynorm: Annotated[bool, Switch(control=ids.SIZE_BY_VALUE, shows="sized")] = False
    mapsizes: Annotated[bool, Switch(control=ids.SIZE_BY_MAP, shows="mapSizes")] = True
    groups: Annotated[bool, Switch(control=ids.DISPLAY_GROUPS, shows="groups")] = True
    shaded: Annotated[bool, Switch(control=ids.DISPLAY_SHADE, shows="shade")] = True
    outline: Annotated[bool, Switch(control=ids.DISPLAY_OUTLINE, shows="outline")] = True
    ghost: Annotated[bool, Switch(control=ids.DISPLAY_GHOST, shows="ghost")] = False
    rings: Annotated[bool, Switch(control=ids.DISPLAY_RINGS, shows="rings")] = True
    whole: Annotated[bool, Switch(control=ids.DISPLAY_WHOLE, shows="whole")] = False
    patches: Annotated[
        str, OneOf(values=PATCH_FORMS, instead="a border", control=ids.DISPLAY_PATCHES, shows="patches")
    ] = "border"
    shade: Annotated[str, OneOf(values=("sqrt", "linear", "clipped"), control=ids.IMAGE_SHADE)] = "sqrt"
    cover: Annotated[int, OneOf(values=(0, 40, 70, 100), control=ids.IMAGE_COVER)] = 70
    flow: Annotated[str, OneOf(values=("head", "rollout"), control=ids.IMAGE_FLOW)] = "head"
    arrows: Annotated[str, OneOf(values=("strongest", "all"), control=ids.IMAGE_ARROWS)] = "strongest"
    badge: Annotated[str, Field(max_length=32), OneOf(values=_badges, control=ids.BADGE_SELECT)] = DEFAULT
    order: Annotated[str, Field(max_length=32), OneOf(values=_orders, control=ids.ORDER_SELECT)] = "plain"


class Panel(Store):
    """The panel beside an open head: its tab, and whether it is open.

    chosen: whether an input was chosen when it last changed, so that a first one can open the sentence.
    """

    id = "panel-state"
    tab: Annotated[str, OneOf(values=TABS, needs="view.layer")] = "sentence"
    open: Annotated[bool, Switch(parameter="panel", on="open", off="closed")] = True
    chosen: bool = False

    @classmethod
    def read(cls, link: Link) -> Self:
        found = super().read(link)
        return cls(tab=found.tab, open=found.open, chosen=link.stores["selection"].input is not None)


class Selection(Store):
    """One token: its input, its row in the token table, and whether it asks or answers. Or an input alone."""

    id = "selection"
    token: Annotated[int | None, Field(ge=0), Number()] = None
    side: Annotated[str, OneOf(values=("query", "key"), always=True, needs="selection.token")] = "query"
    input: Annotated[int | None, Field(ge=0), Number(but_not="selection.token")] = None

    @classmethod
    def read(cls, link: Link) -> Self:
        """A token brings its own input; a side without a token means nothing."""
        _leave_out(link, "input", len(link.atlas.inputs))
        stream = link.stream
        tokens = link.atlas.tokens(stream.key_table if link.text("side") == "key" else stream.query_table)
        _leave_out(link, "token", len(tokens))
        found = super().read(link)
        if found.token is None:
            return cls(input=found.input)
        return cls(token=found.token, side=found.side, input=int(tokens.input[found.token]))


class Pair(Store):
    """The other token of the pair that is explained, beside the one that is chosen; none: the strongest.

    other: its place within the input · token, side, reads: the chosen token that it was chosen with: another one, and
    it no longer counts
    """

    id = "pair"
    other: Annotated[int | None, Field(ge=0), Number(parameter="with", needs="selection.token")] = None
    token: Annotated[int | None, Field(ge=0)] = None
    side: str = Field(default="query", pattern="^(query|key)$")
    reads: str = Field(default="", max_length=1)

    @classmethod
    def read(cls, link: Link) -> Self:
        selection = link.stores["selection"]
        if selection.token is None or "with" not in link:
            return cls()
        stream = link.stream
        table = stream.query_table if selection.side == "key" else stream.key_table
        _leave_out(link, "with", int(link.atlas.tokens(table).counts[selection.input]), "no pair is chosen")
        found = super().read(link)
        return cls(other=found.other, token=selection.token, side=selection.side)


def _leave_out(link: Link, parameter: str, count: int, instead: str = "nothing is selected") -> None:
    """Take out a number that is not one of `count` rows."""
    number = link.integer(parameter)
    if parameter in link and (number is None or not 0 <= number < count):
        name = "token" if parameter == "with" else parameter
        link.drop(f"There is no {name} {link.shown(parameter, 12)}; {instead}.")
        link.forget(parameter)


def read_query(link: Link, default: str) -> str:
    """What a link searches for; too long a search is left out with a sentence."""
    text = link.text("q") or default
    if len(text) > MAX_QUERY:
        link.drop(f"A search can have {MAX_QUERY} characters; one of {len(text):,} was left out.")
        return default
    return text


class Search(Store):
    """What is searched for and how."""

    id = "search"
    query: Annotated[str, Field(max_length=MAX_QUERY), Parsed(parameter="q", by=read_query)] = ""
    mode: Annotated[
        str,
        OneOf(
            values=MODES,
            always=True,
            needs="search.query",
            sentence="{name}={value} is no way to search; looking for whole tokens instead.",
        ),
    ] = "token"
    case: Annotated[bool, Switch(on="1", off="0", needs="search.query")] = False


def _readable(link: Link, name: str, default: str, read: Callable[[str], Any], said: str) -> str:
    """A parameter of a link as it stands there, if `read` raises no SearchError; with a sentence else."""
    text = link.text(name)
    if text is None:
        return default
    try:
        read(text)
    except SearchError as error:
        link.drop(f"{said}: {error}")
        return default
    return text


def _only(link: Link, default: str) -> str:
    said = "The brush in this link cannot be shown"
    return _readable(link, "only", default, lambda text: brush.parse(text, link.atlas), said)


class Brush(Store):
    """Which values of which attributes stand out, as the text of `services/search/brush.py`; empty: all."""

    id = "brush"
    only: Annotated[str, Field(max_length=brush.MOST_TEXT), Parsed(by=_only)] = ""


def _definition(link: Link, default: str) -> str:
    text = link.text("set")
    if text is None:
        return default
    try:
        return text if token_sets.members(link.atlas, link.stream, text).any() else default
    except token_sets.SetError as error:
        link.drop(f"The set of tokens in this link cannot be shown: {error}")
        return default


class TokenSet(Store):
    """A set of points as the text of `services/search/token_sets.py`; empty: no set."""

    id = "token-set"
    definition: Annotated[str, Field(max_length=token_sets.MOST_TEXT), Parsed(parameter="set", by=_definition)] = ""


def read_head_set(link: Link, default: str) -> str:
    """The set of heads of a link; with a sentence in its place where the stream has no such heads."""
    return _heads(link, default, "heads", "The set of heads in this link cannot be shown")


def _off(link: Link, default: str) -> str:
    """Heads that are switched off in a run of the model; with a sentence where the stream has no such heads."""
    return _heads(link, default, "off", "The heads to be switched off cannot be read from this link")


def _heads(link: Link, default: str, parameter: str, otherwise: str) -> str:
    text = link.text(parameter)
    if text is None:
        return default
    try:
        head_sets.cells(text, link.stream)
    except SearchError as error:
        link.drop(f"{otherwise}: {error}")
        return default
    return text


class Off(Store):
    """What is switched off in a run of the model: heads as the text of head_sets, a token as key; and where."""

    id = "off"
    heads: Annotated[str, Field(max_length=head_sets.MOST_TEXT), Parsed(parameter="off", by=_off)] = ""
    key: Annotated[int | None, Field(ge=0), Number(parameter="offkey")] = None
    on: Annotated[str, OneOf(values=("shown", "random"), parameter="offon", instead="the input that is shown")] = (
        "shown"
    )

    @property
    def asked(self) -> bool:
        return bool(self.heads) or self.key is not None

    @classmethod
    def read(cls, link: Link) -> Self:
        key = link.integer("offkey")
        if "offkey" in link and (key is None or key < 0):
            link.drop(f"There is no token {link.shown('offkey', 12)}; none is switched off.")
            link.forget("offkey")
        return super().read(link)


def _kinds(link: Link, default: str) -> str:
    text = link.text("kinds")
    if text is None:
        return default
    with suppress(KeyError):
        related.names(link.atlas, link.stream, text)
        return text
    link.drop(f"kinds={link.shown('kinds')} is no kind of token in this atlas; no table of kinds is open.")
    return default


def _cell(link: Link, default: str) -> str:
    text, of = link.text("cell"), link.text("kinds")
    if text is None:
        return default
    with suppress(KeyError):
        related.place_of(link.atlas, link.stream, of or "", text)
        return text
    link.drop(f"There is no cell {link.shown('cell')} from kind to kind; none is chosen.")
    return default


class KindTable(Store):
    """The table "From kind to kind".

    of: what the kinds are, empty while it is closed · cell: that is chosen, as `related.cell_text`, or none
    """

    id = "kinds-chosen"
    of: Annotated[str, Field(max_length=64), Parsed(parameter="kinds", by=_kinds)] = ""
    cell: Annotated[str, Field(max_length=200), Parsed(by=_cell, needs="kinds.of")] = ""


class HeadSet(Store):
    """Heads that the matrix shows alone, as the text of `services/search/head_sets.py`; empty: all."""

    id = "head-set"
    cells: Annotated[str, Field(max_length=head_sets.MOST_TEXT), Parsed(parameter="heads", by=read_head_set)] = ""


def _folded(link: Link, default: str) -> str:
    """Layers that are folded away; with a sentence in their place where the stream has no such layers."""
    said = "The layers to be folded cannot be read from this link"
    return _readable(link, "folded", default, lambda text: folded_layers.rows(text, link.stream), said)


class Folded(Store):
    """Layers that the matrix folds away, as the text of `services/search/folded_layers.py`: the head scene's own."""

    id = ids.SCENE
    property = "folded"
    layers: Annotated[str, Field(max_length=folded_layers.MOST_TEXT), Parsed(parameter="folded", by=_folded)] = ""


@dataclass(frozen=True, kw_only=True)
class AlignmentName(Choice):
    """An alignment by its name, such as `0.83-translated-cosine`: all fields of `AlignState` at once."""

    kind = "alignment"

    def facts(self) -> dict[str, Any]:
        return {"moved": "translated", "still": "asis", "fixed": "lift"}

    def read(self, link: Link, fields: Mapping[str, Self], defaults: Mapping[str, Any]) -> dict[str, Any]:
        text = link.text(self.parameter)
        if text is None:
            return {}
        try:
            found = LiveAlignment.parse(text)
        except KeyError:
            link.drop(f"{self.parameter}={text[:40]!r} is no alignment; showing the atlas's own.")
            return {}
        translate = found.translate or found.space == "lift"
        return {"on": True, "c": found.c, "translate": translate, "space": found.space}


class AlignState(Store):
    """How the open head is aligned; `on` is False while that is as in the atlas, which the other fields then say."""

    id = "align"
    late = True
    on: Annotated[bool, AlignmentName(parameter="align", needs="view.layer")] = False
    c: Annotated[float, Field(ge=LEAST_C, le=MOST_C)] = 1.0
    scale: bool = True
    translate: bool = True
    space: Space = "euclidean"

    @classmethod
    def read(cls, link: Link) -> Self:
        found, view = super().read(link), link.stores["view"]
        if found.on:
            return found
        own = own_alignment(link.atlas, link.stream, view.layer or 0, view.head or 0)
        return cls(c=own.c, space=own.space)

    @property
    def alignment(self) -> LiveAlignment:
        translate = self.translate and self.space != "lift"
        return LiveAlignment(round(self.c, 4) if self.scale else 1.0, translate, self.space)


@dataclass(frozen=True, kw_only=True)
class PlaceInHead(Parsed):
    """Written while the head that it is of is the one shown."""

    kind = "viewpoint"


LETTERS = ("a", "b", "c", "d")  # of probes side by side
MOST_PROBE = 65_536  # characters that a page keeps of one; ATLAS_PROBE_TOKENS says how many may be run
LINK_PROBE = 300  # characters of one that stands in the link


@dataclass(frozen=True, kw_only=True)
class ProbeText(Parsed):
    """Written while it is short."""

    kind = "short"

    def facts(self) -> dict[str, Any]:
        return {"most": LINK_PROBE}


def _probe(letter: int) -> Callable[[Link, str], str]:
    name = "probe" if letter == 0 else f"probe{letter + 1}"

    def read(link: Link, default: str) -> str:
        text = link.text(name)
        if text is None or len(text) <= 10 * LINK_PROBE:
            return text or default
        link.drop(f"A text in a link can have {10 * LINK_PROBE:,} characters; one of {len(text):,} was left out.")
        return default

    return read


def _letters(link: Link) -> tuple[str, ...]:
    return tuple(letter for letter in LETTERS if link.found.get(letter))


class Probe(Store):
    """A reader's own texts, up to four side by side.

    a … d: the texts · reads: the letter of the one that the panel shows, "" for an input of the corpus
    token, side: its pinned token, counted within it · open: their fields are shown
    """

    id = "probe"
    a: Annotated[str, Field(max_length=MOST_PROBE), ProbeText(parameter="probe", by=_probe(0), moves=True)] = ""
    b: Annotated[str, Field(max_length=MOST_PROBE), ProbeText(parameter="probe2", by=_probe(1), moves=True)] = ""
    c: Annotated[str, Field(max_length=MOST_PROBE), ProbeText(parameter="probe3", by=_probe(2), moves=True)] = ""
    d: Annotated[str, Field(max_length=MOST_PROBE), ProbeText(parameter="probe4", by=_probe(3), moves=True)] = ""
    reads: Annotated[
        str, OneOf(values=_letters, sentence="There is no text {value} of yours in this link; showing none.")
    ] = ""
    token: Annotated[int | None, Field(ge=0)] = None
    side: str = Field(default="query", pattern="^(query|key)$")
    open: bool = False

    @property
    def texts(self) -> dict[str, str]:
        """Those that are not blank, by letter."""
        texts = {letter: getattr(self, letter) for letter in LETTERS}
        return {letter: text for letter, text in texts.items() if text.strip()}


def read_viewpoint(link: Link, default: str) -> str:
    """Where a link looks from; with a sentence in its place where it says nothing of that kind."""
    text = link.text("at")
    if text is None or _VIEWPOINT.fullmatch(text):
        return text or default
    link.drop(f"at={link.shown('at')} is no viewpoint; showing all of the map.")
    return default


class Viewpoint(Store):
    """Where one looks from: the head scene's own, which tells it together with the head that it is of."""

    id = ids.SCENE
    property = "viewpoint"
    at: Annotated[str, Field(max_length=64), PlaceInHead(by=read_viewpoint)] = ""


class AtlasPage(PageState):
    """All that a link to the main page says."""

    path = ""
    view: View
    colouring: Colouring
    picture: Picture
    selection: Selection
    pair: Pair
    panel: Panel
    search: Search
    brush: Brush
    token_set: TokenSet
    head_set: HeadSet
    folded: Folded
    kinds: KindTable
    off: Off
    options: AttentionOptions
    alignment: AlignState
    probe: Probe
    viewpoint: Viewpoint
