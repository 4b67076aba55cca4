"""Colours of points: 256 entries, the first 128 for queries, the last 128 for keys.

Blue for queries and orange for keys stay apart for all common kinds of colour blindness (Okabe & Ito 2008); category
hues come from the same set. In the dark theme, ramps run from dim to bright instead of from pale to deep.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from services.attributes import SIDE_STEPS, Attribute

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

SIDE_COLOURS: dict[Theme, tuple[str, str]] = {
    "light": ("#1f6fb4", "#d9631e"),
    "dark": ("#62b0ff", "#ff9d5c"),
}
_RAMPS: dict[Theme, tuple[Sequence[str], Sequence[str]]] = {
    "light": (("#b5d4ee", "#5a9fd4", "#1f6fb4", "#0b2f66"), ("#f9cfa6", "#f08f43", "#cf5215", "#6d1f06")),
    "dark": (("#23466b", "#3577b5", "#62b0ff", "#d3ebff"), ("#6b3317", "#b35a22", "#ff9d5c", "#ffe6cf")),
}
_CATEGORIES: dict[Theme, tuple[Sequence[str], Sequence[str]]] = {
    "light": (
        ("#0b5fa5", "#00795c", "#b3407f", "#8a6d00", "#4b4b9b"),
        ("#7db8e8", "#5fc9ac", "#e79cc4", "#d9b93b", "#a3a3e6"),
    ),
    "dark": (
        ("#5eb2f7", "#3fd0a8", "#f08fc4", "#e8c547", "#a9a9ff"),
        ("#2a6ba3", "#1f8468", "#a04f7e", "#96791a", "#6363b8"),
    ),
}
_KINDS: dict[Theme, tuple[Sequence[str], Sequence[str]]] = {
    "light": (("#1f6fb4", "#00795c", "#4a5560"), ("#e2803d", "#c94f8f", "#9aa5b0")),
    "dark": (("#62b0ff", "#3fd0a8", "#dfe5ea"), ("#ff9d5c", "#f08fc4", "#94a0ab")),
}


@lru_cache(maxsize=64)
def palette(attribute: Attribute, theme: Theme) -> tuple[str, ...]:
    """256 colours as `#rrggbb`."""
    if attribute.kind == "sequential":
        queries, keys = (_interpolate(stops) for stops in _RAMPS[theme])
    elif attribute.name == "type":
        queries, keys = (_repeat([colour]) for colour in SIDE_COLOURS[theme])
    else:
        source = _CATEGORIES if attribute.kind == "cyclic" else _KINDS
        queries, keys = (_repeat(colours) for colours in source[theme])
    return (*queries, *keys)


def _interpolate(stops: Sequence[str]) -> list[str]:
    places = np.linspace(0, len(stops) - 1, SIDE_STEPS)
    channels = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], dtype=float)
    mixed = np.stack([np.interp(places, np.arange(len(stops)), channels[:, c]) for c in range(3)], axis=1)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.round().astype(int)]


def _repeat(colours: Sequence[str]) -> list[str]:
    return [*colours, *[colours[-1]] * (SIDE_STEPS - len(colours))]
