"""The PNG of the matrix shows the points where the layout has them, in the palette's colours."""

import io

import numpy as np
import pytest
from PIL import Image

from services.atlas import open_atlas
from services.atlas.layouts import draw_order
from services.attributes.registry import attribute_of, point_values
from services.payloads.sprite import cell_pixels, matrix_png

COLOURS = [f"#{n:02x}{255 - n:02x}{(7 * n) % 256:02x}" for n in range(256)]


@pytest.mark.parametrize("name", ["pca2d", "pca3d"])
def test_every_point_is_a_pixel_of_its_colour_in_its_cell(small_atlas, name):
    atlas = open_atlas(small_atlas)
    stream, projection, attribute = atlas.stream("self"), atlas.info.projection(name, "self"), attribute_of("position")
    image = Image.open(io.BytesIO(matrix_png(atlas, stream, projection, attribute, COLOURS)))
    side = cell_pixels(stream)
    assert image.size == (12 * side, 6 * side)
    pixels = np.asarray(image.convert("RGBA"))
    steps = point_values(atlas, stream, attribute)
    for layer, head in ((0, 0), (3, 11), (5, 4)):
        points = np.asarray(atlas.layout(projection)[layer, head], float)
        low, high = points.min(axis=0), points.max(axis=0)
        unit = (points - (low + high) / 2) / (max(high - low) * 1.04) + 0.5
        expected = {}
        for point in draw_order(len(points)):
            x, y = round(unit[point, 0] * (side - 1)), round((1 - unit[point, 1]) * (side - 1))
            expected[y, x] = COLOURS[min(steps[point], 254)]
        cell = pixels[layer * side : (layer + 1) * side, head * side : (head + 1) * side]
        found = {(y, x): "#" + cell[y, x, :3].tobytes().hex() for y, x in zip(*cell[..., 3].nonzero(), strict=True)}
        wrong = expected.items() ^ found.items()
        assert len(wrong) <= 0.02 * len(expected)  # a coordinate between two pixels may fall to either


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (6, 12), (128, 64), (1, 2000)])
def test_cells_are_large_when_few_and_never_vanish(layers, heads):
    class Stream:
        pass

    Stream.layers, Stream.heads = layers, heads
    side = cell_pixels(Stream)
    assert 8 <= side <= 96
    assert side == 8 or side * max(layers, heads) <= 4096
