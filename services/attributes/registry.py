"""Everything a point can be coloured, sized and filtered by: one object an attribute; nothing else knows one by name.

An attribute gives each point a number that becomes one of 256 palette entries: the first half is for queries, the
second for keys, so that side and value are told apart by one byte a point. To add one: an object of this shape, most
often a `TokenAttribute` in a file of its own, and its name in `ATTRIBUTES` (docs/recipes/token-attribute.md).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes import corpus, image, norms, popularity, text
from services.attributes.attribute import CUBE, SIDE_STEPS, Column, Kind, Place, Scale


class Attribute(Protocol):
    """What an attribute is to everyone else; `services.attributes.attribute.Described` explains the words.

    scope: "token" the same in every head · "head" differs by head: asked with a place (layer, head)
    """

    def __hash__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def explain(self) -> str: ...
    @property
    def scope(self) -> Literal["token", "head"]: ...
    @property
    def modality(self) -> str | None: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def categories_of(self) -> Callable[[Atlas], tuple[str, ...]] | None: ...
    @property
    def low(self) -> str: ...
    @property
    def high(self) -> str: ...
    @property
    def palette(self) -> str: ...
    @property
    def column(self) -> Column | None: ...
    @property
    def family(self) -> str: ...
    @property
    def choice(self) -> str: ...
    @property
    def choices(self) -> str: ...
    @property
    def sizes(self) -> str: ...
    @property
    def rare(self) -> bool: ...
    @property
    def names_groups(self) -> bool: ...

    def available(self, atlas: Atlas) -> str | None:
        """Why an atlas does not have the attribute, in one sentence; None when it has."""
        ...

    def values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        """Of each point, queries first: category numbers (int), numbers in 0…1, or colours (uint8 [points, 3]).

        Raises:
            KeyError: it differs by head, and no place is given.
        """
        ...

    def scale(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> Scale | None:
        """What the ends of a sequential legend are in numbers; None where they are not, or differ from head to head.

        place: the open head; None for the matrix.
        """
        ...

    def ranges(self, atlas: Atlas, stream: StreamInfo) -> np.ndarray | None:
        """Ends of the scale in each head, float [layers, heads, 2], where each head has a scale of its own."""
        ...

    def column_values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        """What its column holds, of each point."""
        ...


ATTRIBUTES: tuple[Attribute, ...] = (
    text.SIDE,
    text.POSITION,
    text.POSITION_MOD_5,
    text.KIND,
    text.SUBWORD,
    text.TOKEN_LENGTH,
    text.INPUT_LENGTH,
    text.FREQUENCY,
    text.PART_OF_SPEECH,
    *corpus.ATTRIBUTES,
    *image.ATTRIBUTES,
    norms.NORM,
    norms.COMMON_NORM,
    popularity.POPULARITY,
)
PLAIN: Attribute = text.SIDE  # what points are coloured by where nothing else is chosen


def attributes() -> tuple[Attribute, ...]:
    return ATTRIBUTES


def find_attribute(name: str) -> Attribute | None:
    """The attribute of a name; None when there is none."""
    return next((attribute for attribute in attributes() if attribute.name == name), None)


def attribute_of(name: str) -> Attribute:
    """As `find_attribute`.

    Raises:
        KeyError: there is none.
    """
    found = find_attribute(name)
    if found is None:
        raise KeyError(name)
    return found


def sizing() -> Attribute | None:
    """What points can be sized by: the first that says so."""
    return next((attribute for attribute in attributes() if attribute.sizes), None)


def listed(modality: str | None = None) -> tuple[Attribute, ...]:
    """Entries of a menu: variants stand behind the first of their family; what other modalities have is left out."""
    fits = (None, modality) if modality else ()
    return tuple(a for a in attributes() if not a.family and (not fits or a.modality in fits))


def offered(atlas: Atlas) -> tuple[Attribute, ...]:
    """Entries of an atlas's menu, with those that it lacks but for rare ones."""
    return tuple(one for one in listed(atlas.info.modality) if not one.rare or not why_not(atlas, one))


def naming(atlas: Atlas) -> tuple[Attribute, ...]:
    """Those that an atlas has and that groups of points on a map may be named by."""
    return tuple(a for a in attributes() if a.names_groups and why_not(atlas, a) is None)


def in_atlas(atlas: Atlas, attribute: Attribute) -> Attribute:
    """An attribute with the categories that it has in an atlas."""
    if attribute.categories_of is None or why_not(atlas, attribute):
        return attribute
    return replace(attribute, categories=attribute.categories_of(atlas))  # type: ignore[type-var]


def variants(attribute: Attribute) -> tuple[Attribute, ...]:
    """An attribute and its variants; () where it has none."""
    others = tuple(other for other in attributes() if other.family == attribute.name)
    return (attribute, *others) if others else ()


def head_of_family(attribute: Attribute) -> Attribute:
    """The menu's entry that an attribute stands behind: often itself."""
    return find_attribute(attribute.family) or attribute


def why_not(atlas: Atlas, attribute: Attribute) -> str | None:
    """Why an atlas cannot be coloured by an attribute, in one sentence; None when it can."""
    if attribute.modality not in (None, atlas.info.modality):
        return f"{attribute.label} is an attribute of {attribute.modality}, and this atlas holds {atlas.info.modality}."
    return attribute.available(atlas)


def says_side_only(attribute: Attribute) -> bool:
    """Whether points of one side are all alike."""
    return attribute.kind == "categorical" and len(attribute.categories) < 2


def point_values(atlas: Atlas, stream: StreamInfo, attribute: Attribute, place: Place | None = None) -> np.ndarray:
    """uint8 [queries + keys]: palette index of each point, keys in the upper half.

    Raises:
        KeyError: the attribute differs by head and no place is given, or does not and one is.
    """
    if (attribute.scope == "head") != (place is not None):
        raise KeyError(attribute.name)
    steps = _kept_steps(atlas, stream, attribute) if place is None else _steps(atlas, stream, attribute, place)
    steps = steps.copy()
    steps[atlas.points(stream)[0] :] += SIDE_STEPS
    return steps


@lru_cache(maxsize=64)
def _kept_steps(atlas: Atlas, stream: StreamInfo, attribute: Attribute) -> np.ndarray:
    return _steps(atlas, stream, attribute, None)


def _steps(atlas: Atlas, stream: StreamInfo, attribute: Attribute, place: Place | None) -> np.ndarray:
    """uint8 [points]: palette entry within its side."""
    values = attribute.values(atlas, stream, place)
    if attribute.kind == "sequential":
        return np.rint(np.clip(values, 0, 1) * (SIDE_STEPS - 1)).astype(np.uint8)
    if attribute.kind == "colour":
        red, green, blue = np.rint(np.asarray(values, float).T / 255 * (CUBE - 1)).astype(np.uint8)
        return (red * CUBE + green) * CUBE + blue
    return np.clip(values, 0, SIDE_STEPS - 1).astype(np.uint8)
