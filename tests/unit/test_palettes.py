"""Colours: the original's exact values, and a default that people with any kind of colour blindness can read."""

import itertools

import numpy as np
import pytest
from scipy.interpolate import BSpline

from components.palettes import NAMES, THEMES, palette
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import ATTRIBUTES, attribute_of

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def lab(colours, blindness):
    """CIE L*a*b* (D65) as a person with the blindness sees it: [n, 3]."""
    c = np.array([rgb(colour) for colour in colours]) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ np.array(BLINDNESS[blindness]).T
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    x = linear.clip(0, 1) @ to_xyz.T / to_xyz.sum(axis=1)
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def nearest(colours, blindness):
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab(colours, blindness), 2))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_parts_of_speech_stay_apart_for_every_eye(theme, blindness):
    colours = palette(attribute_of("pos"), theme)
    assert nearest(colours[:12], blindness) > 20
    assert nearest(colours[SIDE_STEPS : SIDE_STEPS + 12], blindness) > 12


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_queries_and_keys_stay_apart_for_every_eye(theme, blindness):
    colours = palette(attribute_of("type"), theme)
    assert nearest([colours[0], colours[SIDE_STEPS]], blindness) > 40


def test_the_original_has_its_exact_colours():
    def sides(name, count):
        colours = palette(attribute_of(name), "light", "original")
        return colours[:count], colours[SIDE_STEPS : SIDE_STEPS + count]

    assert [tuple(rgb(side[0])) for side in sides("type", 1)] == [(95, 185, 108), (227, 55, 143)]
    assert sides("position5", 5) == (
        ("#e3378f", "#edb50e", "#5fb96c", "#528ddb", "#a144db"),
        ("#f5c0ca", "#f0d6a5", "#c4d6b8", "#c8dded", "#d6bae3"),
    )
    assert sides("kind", 2) == (("#f39226", "#5fb96c"), ("#e3378f", "#2e93d9"))


def test_the_originals_ramps_are_d3s_splines_from_a_quarter_on():
    green = ["#ffffe5", "#f7fcb9", "#d9f0a3", "#addd8e", "#78c679", "#41ab5d", "#238443", "#006837", "#004529"]
    purple = ["#f7f4f9", "#e7e1ef", "#d4b9da", "#c994c7", "#df65b0", "#e7298a", "#ce1256", "#980043", "#67001f"]
    found = palette(attribute_of("position"), "light", "original")
    for start, stops in ((0, green), (SIDE_STEPS, purple)):
        c = np.array([rgb(stop) for stop in stops], float)
        points = np.vstack([2 * c[0] - c[1], c, 2 * c[-1] - c[-2]])
        spline = BSpline(np.arange(-3, 12), points, 3)  # pieces of length 1 from 0 to 8
        wanted = spline(8 * (0.25 + 0.75 * np.arange(SIDE_STEPS) / (SIDE_STEPS - 1)))
        shown = np.array([rgb(colour) for colour in found[start : start + SIDE_STEPS]])
        assert np.abs(shown - wanted).max() <= 0.51
    assert (found[SIDE_STEPS - 1], found[-1]) == ("#004529", "#67001f")


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", THEMES)
def test_every_palette_is_256_colours_and_tells_queries_from_keys(attribute, name, theme):
    colours = palette(attribute, theme, name)
    assert len(colours) == 256
    assert all(len(colour) == 7 and colour == colour.lower() for colour in colours)
    if attribute.kind == "colour":  # of the points themselves, on both sides
        return
    steps = range(max(1, len(attribute.categories)) if attribute.kind != "sequential" else SIDE_STEPS)
    assert all(colours[step] != colours[step + SIDE_STEPS] for step in steps)
