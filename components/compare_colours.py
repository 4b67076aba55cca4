"""Colours of points by how much they differ between two heads."""

from typing import Any

from components.palettes import NEUTRAL, Name, Theme, palette
from services.attributes.attribute import SIDE_STEPS, Scale, TokenAttribute

DIFFERENCES = {
    "moved": TokenAttribute(
        name="moved",
        label="Moved",
        kind="sequential",
        explain="How far a token lies from where the other head has it, after fitting, in sizes of the first map: "
        "its root-mean-square distance from its centre.",
    ),
    "attended": TokenAttribute(
        name="attended",
        label="Attends differently",
        kind="sequential",
        explain="Jensen–Shannon divergence of a query's two rows of attention, in bits: 0 the same, 1 no key in "
        "common. Keys have none.",
    ),
}


def difference_colour(kind: str, scale: Scale, theme: Theme, colours: Name) -> dict[str, Any]:
    """The `colour` property of the scene, less the path; the first entry of each side is of points without a value."""
    attribute = DIFFERENCES[kind]
    entries = list(palette(attribute, theme, colours))
    names = scale.steps()
    for first in (0, SIDE_STEPS):
        entries[first] = NEUTRAL[theme]
    names[0], names[-1] = "not compared", f"{names[-1]} or more"
    return {
        "name": attribute.name,
        "label": attribute.label,
        "scope": "token",
        "palette": entries,
        "values": names * 2,
    }
