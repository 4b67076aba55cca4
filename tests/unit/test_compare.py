"""Two heads beside each other: what they share, maps brought onto each other, and what sets them apart."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import jensenshannon

from services.alignment import procrustes as ours
from services.alignment.sharing import sharing
from services.alignment.side_by_side import Pane, side_by_side
from services.atlas import open_atlas
from services.atlas.layouts import draw_order
from services.errors import NotStoredError
from services.measures import difference as differing
from services.payloads import compare
from tests.unit.changed_atlas import changed_copy


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.info.default_stream


@pytest.mark.parametrize("dims", [2, 3])
def test_a_fit_leaves_what_scipys_procrustes_leaves(dims):
    random = np.random.default_rng(dims)
    target = random.normal(size=(40, dims)) * [3, 1, 2][:dims] + 5
    moved = target @ np.linalg.qr(random.normal(size=(dims, dims)))[0] * 0.2 - 7 + random.normal(size=(40, dims)) * 0.05
    found = ours.fit(target, moved)
    first, second, disparity = procrustes(target, moved)
    assert found.disparity == pytest.approx(disparity, abs=1e-12)
    # scipy's second has the least squares' size, the root of what it explains; ours has the first's.
    norm = np.linalg.norm(target - target.mean(axis=0))
    brought = (found.apply(moved) - target.mean(axis=0)) / norm
    np.testing.assert_allclose(brought, second / np.sqrt(1 - disparity), atol=1e-9)
    apart = ours.moved_by(target, found.apply(moved), found.size)
    np.testing.assert_allclose(apart, np.linalg.norm(first - brought, axis=1) * np.sqrt(40), atol=1e-9)
    back = ours.fit(moved, target)
    np.testing.assert_allclose(ours.moved_by(moved, back.apply(target), back.size), apart, atol=1e-9)
    assert ours.fit(moved, target).disparity == pytest.approx(disparity, abs=1e-12)


def test_turned_mirrored_scaled_and_shifted_is_the_same():
    target = np.random.default_rng(0).normal(size=(30, 3))
    mirror = np.diag([1.0, -1.0, 1.0])
    found = ours.fit(target, 4 * target @ mirror + [1, 2, 3])
    assert found.disparity == pytest.approx(0, abs=1e-12)
    assert found.scale == pytest.approx(0.25)
    np.testing.assert_allclose(found.apply(4 * target @ mirror + [1, 2, 3]), target, atol=1e-9)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (np.zeros((3, 2)), "share 3 points: too few"),
        (np.ones((9, 2)), "lie in one place"),
        (np.full((9, 2), np.nan), "too few"),
    ],
)
def test_what_cannot_be_fitted_is_said(target, says):
    with pytest.raises(NotStoredError, match=says):
        ours.fit(target, np.random.default_rng(0).normal(size=target.shape))


def test_an_atlas_shares_all_of_itself(atlas, stream):
    found = sharing(atlas, stream, atlas, stream)
    assert found.same
    assert (found.points[:, 0] == found.points[:, 1]).all()
    assert len(found.points) == sum(atlas.points(stream))
    assert compare.shared(found)["inputs"] is None


def test_inputs_of_the_same_text_and_tokens_are_matched_wherever_they_stand(atlas, stream, small_atlas, tmp_path):
    def reordered(texts):
        return [*texts[1:], "another text"]

    other = changed_copy(small_atlas, tmp_path / "other", inputs=reordered)
    with pytest.raises(NotStoredError, match="share 11 inputs, but none that both models cut"):
        sharing(atlas, stream, other, stream)  # the tokens still are the others'
    some = changed_copy(small_atlas, tmp_path / "some", inputs=lambda texts: [*texts[:-2], "one", "two"])
    found = sharing(atlas, stream, some, stream)
    assert len(found.inputs) == len(atlas.inputs) - 2
    assert (found.otherwise, found.only) == (0, (2, 2))
    tokens = atlas.tokens(stream.query_table)
    rows = found.points[found.points[:, 0] < len(tokens), 0]
    assert set(tokens.input[rows]) == set(found.inputs[:, 0])
    none = changed_copy(small_atlas, tmp_path / "none", inputs=lambda texts: [f"other {text}" for text in texts])
    with pytest.raises(NotStoredError, match="made from other texts"):
        sharing(atlas, stream, none, stream)


def test_both_maps_are_served_in_one_frame_and_the_same_map_twice_is_the_same(atlas, stream):
    pane = Pane(atlas, stream, 1, 3)
    itself = side_by_side(pane, pane, (atlas, "pca2d"), (atlas, "pca2d"))
    assert itself.fit.disparity < 1e-9
    assert compare.positions(itself, False, False) == compare.positions(itself, True, False)
    pair = side_by_side(pane, Pane(atlas, stream, 4, 7), (atlas, "pca2d"), (atlas, "pca2d"))
    for second, layout in ((False, pair.first), (True, pair.second)):
        frame = pair.frame(True)
        places = np.frombuffer(compare.positions(pair, second, True), "<u2").reshape(-1, 2)
        expected = ((layout - frame.centre[0]) / frame.half[0])[draw_order(len(layout))]
        np.testing.assert_allclose((places / 65535 - 0.5) * 2, expected, atol=3e-5)
    assert compare.fitted(pair)["disparity"] == pytest.approx(
        procrustes(np.asarray(pair.first), np.asarray(atlas.layout(atlas.info.projection("pca2d", "self"))[4, 7]))[2],
        abs=1e-5,
    )
    with pytest.raises(NotStoredError, match="One map is flat"):
        side_by_side(pane, pane, (atlas, "pca2d"), (atlas, "pca3d"))


# --- what sets two heads apart ---


def test_rows_diverge_as_scipy_says():
    random = np.random.default_rng(3)
    some, others = random.dirichlet(np.full(9, 0.2), size=(2, 50))
    some[0] = [1, *[0] * 8]
    others[0] = [0, 1, *[0] * 7]
    found = differing.row_divergences(some, others)
    np.testing.assert_allclose(found, jensenshannon(some, others, base=2, axis=1) ** 2, atol=1e-9)
    assert found[0] == pytest.approx(1.0)


def on(atlas):
    return atlas, "pca2d"


def test_a_head_differs_from_itself_nowhere(atlas, stream):
    pane = Pane(atlas, stream, 2, 5)
    found = differing.difference(pane, pane, on(atlas), on(atlas))
    assert found.moved.max() < 1e-6
    assert np.nanmax(found.attended) == 0
    queries = len(atlas.tokens(stream.query_table))
    assert np.isnan(found.attended[queries:]).all()
    assert np.isfinite(found.attended[:queries]).all()


def test_each_query_is_compared_with_the_same_query_of_the_other_head(atlas, stream):
    first, second = Pane(atlas, stream, 0, 2), Pane(atlas, stream, 5, 1)
    found = differing.difference(first, second, on(atlas), on(atlas))
    tokens = atlas.tokens(stream.query_table)
    for row in (0, 17, 80):
        index, place = int(tokens.input[row]), int(tokens.position[row])
        rows = [atlas.attention(stream).block(index, p.layer, p.head)[place].astype(float) for p in (first, second)]
        expected = jensenshannon(*rows, base=2) ** 2  # which scales them to sum 1
        assert found.attended[row] == pytest.approx(expected, abs=1e-6)
    layouts = [
        np.asarray(atlas.layout(atlas.info.projection("pca2d", "self"))[p.layer, p.head]) for p in (first, second)
    ]
    mine, others, disparity = procrustes(*layouts)
    expected = np.linalg.norm(mine - others / np.sqrt(1 - disparity), axis=1) * np.sqrt(len(mine))
    np.testing.assert_allclose(found.moved, expected, atol=1e-4)


def test_the_ranked_table_the_file_and_the_colours_say_the_same(atlas, stream):
    first, second = Pane(atlas, stream, 0, 2), Pane(atlas, stream, 5, 1)
    found = differing.difference(first, second, on(atlas), on(atlas))
    queries = len(atlas.tokens(stream.query_table))
    for kind in compare.KINDS:
        ranked = compare.ranked(found, first, second, kind)
        values = [row[kind] for row in ranked["rows"]]
        assert values == sorted(values, reverse=True)
        assert values[0] == pytest.approx(np.nanmax(getattr(found, kind)), abs=1e-5)
        best = ranked["rows"][0]
        point = best["row"] + (queries if best["side"] == "key" else 0)
        steps = np.frombuffer(compare.steps(found, kind, first, False), np.uint8)
        assert steps[point] % 128 == 127
        assert (steps >= 128).sum() == len(steps) - queries
        if kind == "attended":
            assert set(steps[queries:]) == {128}
    table = compare.table(found, first, second)
    assert table.num_rows == len(found.sharing.points)
    line = next(
        i
        for i in range(table.num_rows)
        if (table["side"][i].as_py(), table["row_first"][i].as_py()) == (best["side"], best["row"])
    )
    assert table["token"][line].as_py() == best["text"]
    assert table["attended_bits"][line].as_py() == pytest.approx(best["attended"], abs=1e-5)
    assert table["attended_bits"][table.num_rows - 1].as_py() is None


def test_what_is_not_known_is_said(atlas, stream):
    pane = Pane(atlas, stream, 0, 2)
    found = differing.difference(pane, pane, None, None)
    with pytest.raises(NotStoredError, match="no map in common"):
        compare.ranked(found, pane, pane, "moved")
    assert compare.ranked(found, pane, pane, "attended")["why"]["moved"].startswith("The two atlases have no map")
    with pytest.raises(KeyError):
        compare.ranked(found, pane, pane, "colour")
