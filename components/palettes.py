"""Colours of points: 256 entries, the first 128 for queries, the last 128 for keys.

Two palettes. `safe`, the default: blue for queries and orange for keys stay apart for all common kinds of colour
blindness (Okabe & Ito 2008); category hues come from the same set, those of parts of speech from a search for twelve
colours that stay far apart as people with each kind of colour blindness see them (a test holds how far). In the dark
theme, ramps run from dim to bright instead of from pale to deep. `original`: the colours of Yeh et al. 2023, the same
in both themes; what the original does not have keeps the safe colours.
"""

import colorsys
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from services.attributes.attribute import CUBE, SIDE_STEPS
from services.attributes.registry import Attribute

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
Name = Literal["safe", "original"]
NAMES: dict[str, str] = {"safe": "Colour-blind safe", "original": "Original"}

SIDE_COLOURS: dict[Theme, tuple[str, str]] = {
    "light": ("#1f6fb4", "#d9631e"),
    "dark": ("#62b0ff", "#ff9d5c"),
}
# Of the head scene where the page's style sheet says nothing else; `faded`: points that are not lit.
SCENE_COLOURS: dict[Theme, dict[str, str]] = {
    "light": {
        "canvas": "#ffffff", "cell": "#f5f6f8", "text": "#1b2430", "muted": "#5d6878", "line": "#b45309",
        "ring": "#c87500", "faded": "#b9c0ca", "queryText": "#1c5a2b", "keyText": "#8a1250",
        "probe2": "#b3206b", "probe3": "#00795c", "probe4": "#6a4bc4",
    },
    "dark": {
        "canvas": "#0f1216", "cell": "#181c22", "text": "#eef1f5", "muted": "#98a3b3", "line": "#ffc300",
        "ring": "#ffc300", "faded": "#4a525e", "queryText": "#b7ebc2", "keyText": "#f7b8d6",
        "probe2": "#ff8cc6", "probe3": "#3fd0a8", "probe4": "#b9a4ff",
    },
}  # fmt: skip
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


# Noun, proper noun, verb, adjective, adverb, pronoun, determiner, adposition, conjunction, punctuation, other, special.
_PARTS: dict[Theme, Sequence[str]] = {
    "light": (
        "#0000a0", "#7f13ff", "#b74605", "#20a695", "#d09504", "#e92cf5",
        "#ca85db", "#769851", "#105c6d", "#9b1aa5", "#6f0d04", "#6d5a4b",
    ),
    "dark": (
        "#3694ff", "#9600ff", "#c92e59", "#6aff82", "#e19c1e", "#ffb1ff",
        "#c1ff00", "#2f7a00", "#af1eb8", "#8f558d", "#ffeed4", "#a1959a",
    ),
}  # fmt: skip
_KEY_SHADE: dict[Theme, tuple[str, float]] = {"light": ("#ffffff", 0.38), "dark": ("#10161d", 0.30)}

# Colours around a circle, of hues themselves or of directions, as saturation and value (HSV); then one for "none".
_CIRCLES = {"hues": (0.78, 0.86), "directions": (0.62, 0.82)}
NEUTRAL: dict[Theme, str] = {"light": "#8a929c", "dark": "#9aa3ae"}

_ORIGINAL_SIDES = ("#5fb96c", "#e3378f")
# d3-scale-chromatic's interpolateYlGn and interpolatePuRd: a B-spline through these nine colours (ColorBrewer, Brewer
# & Harrower), of which the original takes the part from 0.25 to 1.
_YLGN = ("#ffffe5", "#f7fcb9", "#d9f0a3", "#addd8e", "#78c679", "#41ab5d", "#238443", "#006837", "#004529")
_PURD = ("#f7f4f9", "#e7e1ef", "#d4b9da", "#c994c7", "#df65b0", "#e7298a", "#ce1256", "#980043", "#67001f")
_RAMP_FROM = 0.25
_ORIGINAL_CATEGORIES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "cyclic": (
        ("#e3378f", "#edb50e", "#5fb96c", "#528ddb", "#a144db"),
        ("#f5c0ca", "#f0d6a5", "#c4d6b8", "#c8dded", "#d6bae3"),
    ),
    # The original counts special tokens as punctuation.
    "kinds of token": (("#f39226", "#5fb96c", "#5fb96c"), ("#e3378f", "#2e93d9", "#2e93d9")),
}


@lru_cache(maxsize=128)
def palette(attribute: Attribute, theme: Theme, name: Name = "safe") -> tuple[str, ...]:
    """256 colours as `#rrggbb`."""
    queries, keys = (_original(attribute) if name == "original" else None) or _safe(attribute, theme)
    return (*queries, *keys)


def _safe(attribute: Attribute, theme: Theme) -> tuple[list[str], list[str]]:
    if attribute.kind == "sequential":
        queries, keys = _RAMPS[theme]
        return _interpolate(queries), _interpolate(keys)
    if attribute.kind == "colour":
        return _cube(), _cube()
    if attribute.palette == "sides":
        query, key = SIDE_COLOURS[theme]
        return _repeat([query]), _repeat([key])
    if attribute.palette in _CIRCLES:
        queries = [*_circle(len(attribute.categories) - 1, _CIRCLES[attribute.palette]), NEUTRAL[theme]]
        return _repeat(queries), _repeat([_mixed(colour, *_KEY_SHADE[theme]) for colour in queries])
    if attribute.palette == "parts of speech" or len(attribute.categories) > len(_CATEGORIES[theme][0]):
        parts = [_PARTS[theme][number % len(_PARTS[theme])] for number in range(max(12, len(attribute.categories)))]
        return _repeat(parts), _repeat([_mixed(colour, *_KEY_SHADE[theme]) for colour in parts])
    few = attribute.kind == "categorical" and len(attribute.categories) <= len(_KINDS[theme][0])
    queries, keys = (_KINDS if few else _CATEGORIES)[theme]
    return _repeat(queries), _repeat(keys)


def _original(attribute: Attribute) -> tuple[list[str], list[str]] | None:
    """The original's colours; None where it has no such colouring."""
    if attribute.kind == "sequential":
        places = _RAMP_FROM + (1 - _RAMP_FROM) * np.linspace(0, 1, SIDE_STEPS)
        return _hex(_spline(_YLGN, places)), _hex(_spline(_PURD, places))
    if attribute.palette == "sides":
        query, key = _ORIGINAL_SIDES
        return _repeat([query]), _repeat([key])
    found = _ORIGINAL_CATEGORIES.get(attribute.palette or attribute.kind)
    return (_repeat(found[0]), _repeat(found[1])) if found else None


def _channels(colours: Sequence[str]) -> np.ndarray:
    return np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours], dtype=float)


def _hex(channels: np.ndarray) -> list[str]:
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in channels.clip(0, 255).round().astype(int)]


def _mixed(colour: str, other: str, part: float) -> str:
    first, second = _channels([colour, other])
    return _hex(((1 - part) * first + part * second)[None])[0]


def _interpolate(stops: Sequence[str]) -> list[str]:
    places, channels = np.linspace(0, len(stops) - 1, SIDE_STEPS), _channels(stops)
    return _hex(np.stack([np.interp(places, np.arange(len(stops)), channels[:, c]) for c in range(3)], axis=1))


def _spline(stops: Sequence[str], places: np.ndarray) -> np.ndarray:
    """d3-interpolate's interpolateRgbBasis: a uniform cubic B-spline with end points mirrored so that it starts and
    ends on the first and last colour.

    Args:
        places: [n], 0…1.

    Returns:
        [n, 3] channels 0…255.
    """
    inner = _channels(stops)
    points = np.concatenate([[2 * inner[0] - inner[1]], inner, [2 * inner[-1] - inner[-2]]])
    pieces = len(stops) - 1
    index = np.minimum((places * pieces).astype(int), pieces - 1)
    t = (places * pieces - index)[:, None]
    v0, v1, v2, v3 = (points[index + offset] for offset in range(4))
    return (
        (1 - 3 * t + 3 * t**2 - t**3) * v0
        + (4 - 6 * t**2 + 3 * t**3) * v1
        + (1 + 3 * t + 3 * t**2 - 3 * t**3) * v2
        + t**3 * v3
    ) / 6


def _circle(count: int, strength: tuple[float, float]) -> list[str]:
    """So many hues, evenly spread from red."""
    steps = [colorsys.hsv_to_rgb(number / count, *strength) for number in range(count)]
    return _hex(255 * np.array(steps))


def _cube() -> list[str]:
    """The colours of points that have their own: CUBE steps of red, green and blue, the last the fastest."""
    steps = np.linspace(0, 255, CUBE)
    return _repeat(_hex(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)))


def _repeat(colours: Sequence[str]) -> list[str]:
    return [*colours, *[colours[-1]] * (SIDE_STEPS - len(colours))]
