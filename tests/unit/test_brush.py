"""The brush's text: what it may say of an atlas, and the sentence when it says something else."""

import pytest

from services.atlas import open_atlas
from services.errors import SearchError
from services.search import brush


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def test_a_brush_names_attributes_and_their_values(atlas):
    parts = brush.parse("pos-3.0*position-13.64*type-1", atlas)
    assert [(part.attribute.name, part.numbers) for part in parts] == [
        ("pos", (0, 3)),
        ("position", (13, 64)),
        ("type", (1,)),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pos", "is no brush"),
        ("zzz-1", "no attribute 'zzz'"),
        ("pos-99", "has 12 values, counted from 0; there is no 99"),
        ("position-64.13", "the lower first"),
        ("position-1.200", "0 to 127"),
        ("position-5", "wants two steps"),
        ("type-2", "has 2 values"),
        ("pos-0*pos-1", "twice"),
        ("hue-1", "is an attribute of image"),
        ("pos-" + ".".join(["1"] * 400), "400 characters"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(atlas, text, says):
    with pytest.raises(SearchError, match=says):
        brush.parse(text, atlas)
