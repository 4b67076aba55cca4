"""What patches look like, against pictures whose colour, contrast, frequency and direction are known."""

import colorsys

import numpy as np
import pyarrow as pa
import pytest

from services.modalities.images.cutting import SeenImage
from services.modalities.images.features import features
from services.modalities.images.modality import token_columns


def flat(*colours, side=14):
    return np.array([np.full((side, side, 3), colour, np.uint8) for colour in colours])


def grating(cycles, degrees, side=14, contrast=100):
    y, x = np.mgrid[0:side, 0:side]
    turn = np.radians(degrees)
    wave = np.sin(2 * np.pi * cycles / side * (x * np.cos(turn) + y * np.sin(turn)) + 0.7)
    return np.repeat(np.rint(128 + contrast * wave).astype(np.uint8)[..., None], 3, axis=2)


def test_colours_are_those_of_the_mean():
    rng = np.random.default_rng(0)
    patches = rng.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    seen = features(patches)
    for patch, hue, saturation, brightness, colour in zip(
        patches, seen.hue, seen.saturation, seen.brightness, seen.colour, strict=True
    ):
        mean = patch.reshape(-1, 3).mean(axis=0)
        wanted = colorsys.rgb_to_hsv(*(mean / 255))
        assert saturation == pytest.approx(wanted[1], abs=1e-5)
        assert brightness == pytest.approx(wanted[2], abs=1e-5)
        assert np.isnan(hue) if wanted[1] < 0.08 else hue == pytest.approx(360 * wanted[0], abs=1e-3)
        assert np.abs(colour - mean).max() <= 0.5


def test_grey_has_no_hue_and_flat_no_grating():
    seen = features(flat((0, 0, 0), (128, 128, 128), (255, 0, 0), (0, 0, 255)))
    assert np.isnan(seen.hue[:2]).all()
    assert seen.hue[2:].tolist() == [0, 240]
    assert seen.frequency.tolist() == [0, 0, 0, 0]
    assert np.isnan(seen.orientation).all()
    assert seen.contrast == pytest.approx([0, 0, 0, 0])


@pytest.mark.parametrize("side", [14, 16, 32])
@pytest.mark.parametrize("cycles", [2, 3, 4.5])
@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_frequency_and_orientation_of_gratings(side, cycles, degrees):
    seen = features(grating(cycles, degrees, side)[None])
    assert seen.frequency[0] == pytest.approx(cycles, abs=0.35)
    apart = abs(seen.orientation[0] - degrees)
    assert min(apart, 180 - apart) < 8


def test_contrast_is_the_spread_of_luma():
    seen = features(np.array([grating(2, 0, contrast=100), grating(2, 0, contrast=20)]))
    assert seen.contrast == pytest.approx([100 / 255 / np.sqrt(2), 20 / 255 / np.sqrt(2)], rel=0.05)


def test_the_table_has_a_row_for_every_token():
    pixels = np.zeros((28, 42, 3), np.uint8)
    pixels[:14, 28:] = (255, 0, 0)
    item = SeenImage(pixels, (2, 3), ("[CLS]", "[REG1]"), "a.png", "", np.array([0, 0, 1, 0, 2, 0]))
    columns = token_columns([item, item], {1: "square"})
    found = {
        name: values.to_pylist() if isinstance(values, pa.Array) else list(values) for name, values in columns.items()
    }
    assert {len(values) for values in found.values()} == {16}
    assert found["token"][:3] == ["[CLS]", "[REG1]", "patch"]
    assert found["row"][:8] == [-1, -1, 0, 0, 0, 1, 1, 1]
    assert found["column"][:8] == [-1, -1, 0, 1, 2, 0, 1, 2]
    assert [found[name][4] for name in ("red", "green", "blue", "hue")] == [255, 0, 0, 0]
    assert found["object"][:8] == ["", "", "", "", "square", "", "object 2", ""]
    assert found["text"][6] == "row 1 column 1"
