"""Checkpoints of one run are found by their names, their inputs and their shape."""

import pytest

from services.alignment.side_by_side import Pane, side_by_side
from services.atlas import open_atlas
from services.atlas.series import series_of, step_of
from services.payloads import compare
from tests.unit.changed_atlas import changed_copy


@pytest.fixture(scope="module")
def run(small_atlas, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    titles = {
        "a": "Run, checkpoint-200",
        "b": "Run, checkpoint-50",
        "c": "Run, checkpoint-1000",
        "d": "Other, checkpoint-3",
    }
    return {name: changed_copy(small_atlas, folder / name, title=title) for name, title in titles.items()}


def test_atlases_of_one_run_stand_in_the_order_of_their_steps(run, small_atlas):
    plain = open_atlas(small_atlas)
    every = [*run.values(), plain]
    for name in "abc":
        assert [(step, atlas.slug) for step, atlas in series_of(run[name], every)] == [
            (50, "b"),
            (200, "a"),
            (1000, "c"),
        ]
    assert series_of(run["d"], every) == []  # one alone is no series
    assert series_of(plain, every) == []
    assert step_of(plain) is None


def test_other_inputs_or_another_shape_are_of_no_run(run):
    other = run["b"]
    corpus = other.info.corpus.model_copy(update={"sha256": "0" * 64})
    far = type(other)(other.path, other.info.model_copy(update={"corpus": corpus}))
    stream = other.info.default_stream.model_copy(update={"layers": 3})
    small = type(other)(other.path, other.info.model_copy(update={"streams": (stream,)}))
    for one in (far, small):
        assert [atlas.slug for _, atlas in series_of(run["a"], [one, run["c"]])] == ["a", "c"]


def test_a_held_frame_is_the_first_ones_own(run):
    atlas = run["a"]
    stream = atlas.info.default_stream
    pane = Pane(atlas, stream, 1, 3)
    held = []
    for place in ((4, 7), (0, 2)):
        pair = side_by_side(pane, Pane(atlas, stream, *place), (atlas, "pca2d"), (atlas, "pca2d"))
        held.append(compare.positions(pair, False, False, held=True))
    assert held[0] == held[1]
