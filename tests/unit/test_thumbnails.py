"""Thumbnails of thousands of heads: their texels count points, and a build keeps them with its maps."""

import json

import numpy as np
import pytest
from building import request_for, write_corpus
from tiny_models import save_model

from components.catalogue import scene_payload
from components.scaling.view import constants_payload
from services.atlas import INFO, layouts, open_atlas, overview, verify
from services.errors import AtlasFormatError
from services.pipeline.build import build
from services.pipeline.journal import Journal
from services.pipeline.progress import Progress


def counted(layout: np.ndarray, queries: int, frame: layouts.Frames, side: int) -> np.ndarray:
    """The same point by point, from the definition."""
    made = np.zeros((len(layout), side, side), np.uint8)
    for head, points in enumerate(layouts.units(layout, frame)):
        asking, answering = np.zeros((side, side), int), np.zeros((side, side), int)
        for number, (x, y) in enumerate(points):
            column, up = (min(side - 1, int((place + 1) * side / 2)) for place in (x, y))
            (asking if number < queries else answering)[side - 1 - up, column] += 1
        total = asking + answering
        for row, column in np.argwhere(total):
            n = total[row, column]
            density = np.ceil(15 * np.log1p(n) / np.log1p(total.max()) - 1e-9)
            made[head, row, column] = 16 * density + np.rint(15 * answering[row, column] / n)
    return made


@pytest.mark.parametrize("side", [8, 32])
def test_texels_are_the_counts_of_points(side):
    layout = np.random.default_rng(0).normal(size=(70, 90, 2)).astype(np.float32)
    layout[0, :3] += 50  # outside the frame: at its edge
    layout[1] = 3  # all on one spot
    frame = layouts.frames(layout)
    made = overview.densities(layout, 40, frame, side)
    np.testing.assert_array_equal(made, counted(layout, 40, frame, side))
    assert (made[1] > 0).sum() == 1
    assert made[1].max() >> 4 == 15


def test_one_point_among_thousands_is_seen():
    layout = np.zeros((1, 5000, 2), np.float32)
    layout[0, 0] = 1
    made = overview.densities(layout, 1, layouts.frames(layout, whole=True), 16) >> 4
    assert np.sort(made[made > 0]).tolist() == [2, 15]  # log 2 of log 5000, rounded up


def test_only_what_points_cannot_show_at_once_has_thumbnails():
    assert overview.thumbnail_side(144, 10_000) is None
    assert overview.thumbnail_side(25_600, 6) is None
    assert overview.thumbnail_side(1024, 10_000) == overview.thumbnail_side(5120, 4000) == 32
    for heads in (5120, 25_600, 100_000):
        assert heads * overview.thumbnail_side(heads, 4000) ** 2 <= overview.MOST_TEXELS


@pytest.fixture
def built(tmp_path, monkeypatch):
    """An atlas whose few heads count as very many."""
    monkeypatch.setattr(overview, "MANY", 1)
    monkeypatch.setattr(overview, "MOST_POINTS", 0)
    model = save_model(tmp_path / "bert", "bert")
    folder = tmp_path / "atlas"
    build(
        request_for(model, write_corpus(tmp_path / "corpus.txt"), dims=(2, 3)),
        folder,
        Progress("atlas", None, bar=False),
    )
    return folder


def test_a_build_keeps_the_thumbnails_of_its_flat_maps(built):
    atlas = open_atlas(built)
    assert verify(built) == []
    assert [name for name in atlas.info.files if name.endswith("_density.npy")] == ["self/pca2d_density.npy"]
    projection = atlas.info.projection("pca2d", "self")
    assert overview.kept_thumbnails(atlas, projection) == overview.thumbnails(atlas, projection)
    journal = Journal.load(built)
    journal.drop([projection.ref.file("self")])
    assert not any(name.startswith("self/pca2d") for name in journal.files), (
        "a map that is made again has new thumbnails"
    )


def test_pictures_of_other_cells_than_heads_ask_for_none(built):
    atlas = open_atlas(built)
    stream = atlas.info.streams[0]
    assert scene_payload(atlas, stream, "/")["thumbnail"] == 32
    assert constants_payload(atlas, stream, "/")["thumbnail"] is None


def test_thumbnails_of_another_size_are_made_anew(built, monkeypatch):
    atlas = open_atlas(built)
    projection = atlas.info.projection("pca2d", "self")
    monkeypatch.setattr(overview, "SIDES", (16,))
    assert overview.kept_thumbnails(atlas, projection) is None
    stream = atlas.info.streams[0]
    assert len(overview.thumbnails(atlas, projection)) == stream.layers * stream.heads * 16**2
    with pytest.raises(KeyError):
        overview.thumbnails(atlas, atlas.info.projection("pca3d", "self"))


def test_thumbnails_of_other_heads_are_refused(built):
    file = built / "self" / "pca2d_density.npy"
    np.save(file, np.zeros((1, 1, 32, 32), np.uint8))
    info = json.loads((built / INFO).read_text(encoding="utf-8"))
    info["files"]["self/pca2d_density.npy"]["bytes"] = file.stat().st_size
    (built / INFO).write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(AtlasFormatError, match=r"pca2d_density\.npy has the shape"):
        open_atlas(built)
