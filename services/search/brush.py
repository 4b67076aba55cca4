"""The brush: which values of which attributes stand out, as a short text for links and stores.

Parts joined by `*`, each an attribute and numbers: `pos-0.3` keeps categories 0 and 3, `position-13.64` of a sequential
attribute the steps 13 to 64 of its 128; of `type`, 0 is queries and 1 keys. A point stands out where all parts keep it.
"""

import re
from dataclasses import dataclass

from services.atlas import Atlas
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import Attribute, find_attribute, in_atlas, says_side_only, why_not
from services.errors import SearchError

MOST_TEXT = 400
_PART = re.compile(r"([a-z][a-z0-9_]{0,31})-(\d{1,3}(?:\.\d{1,3}){0,127})", re.ASCII)
SIDES = ("queries", "keys")


@dataclass(frozen=True)
class Part:
    """numbers: of the categories that are kept, or, of a sequential attribute, the first and last step."""

    attribute: Attribute
    numbers: tuple[int, ...]


def parse(text: str, atlas: Atlas) -> tuple[Part, ...]:
    """Read the text of a brush.

    Raises:
        SearchError: it is too long or malformed, or names an attribute or a value that this atlas does not have.
    """
    if len(text) > MOST_TEXT:
        raise SearchError(f"A brush in a link can have {MOST_TEXT} characters; this one has {len(text):,}.")
    parts = tuple(_part(one, atlas) for one in text.split("*"))
    names = [part.attribute.name for part in parts]
    if len(set(names)) < len(names):
        raise SearchError("An attribute stands in the brush twice.")
    return parts


def _part(text: str, atlas: Atlas) -> Part:
    match = _PART.fullmatch(text)
    if match is None:
        raise SearchError(f"{text[:20]!r} is no brush; write an attribute and its values, such as pos-0.3.")
    attribute = find_attribute(match[1])
    if attribute is None:
        raise SearchError(f"there is no attribute {match[1]!r} to brush.")
    attribute = in_atlas(atlas, attribute)
    if reason := why_not(atlas, attribute):
        raise SearchError(reason)
    if attribute.kind == "colour":
        raise SearchError(f"{attribute.label} has no values to choose from.")
    numbers = tuple(int(number) for number in match[2].split("."))
    if attribute.kind == "sequential":
        if len(numbers) != 2 or numbers[0] > numbers[1] or numbers[1] >= SIDE_STEPS:
            raise SearchError(f"{attribute.label} wants two steps from 0 to {SIDE_STEPS - 1}, the lower first.")
        return Part(attribute, numbers)
    count = len(SIDES) if says_side_only(attribute) else len(attribute.categories)
    if max(numbers) >= count:
        raise SearchError(f"{attribute.label} has {count} values, counted from 0; there is no {max(numbers)}.")
    return Part(attribute, tuple(sorted(set(numbers))))
