"""All heads of two streams: what changed and who matches whom, against independent computations and planted heads."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from services.alignment.sharing import sharing
from services.atlas import open_atlas
from services.errors import NotStoredError
from services.jobs import changes
from services.measures import change
from services.payloads import compare
from tests.unit.changed_atlas import changed_copy

ORDER = np.random.default_rng(5).permutation(72)  # cell → whose attention it is given


def planted(atlas, mixed=0.0):
    """Attention of another atlas whose head h attends as ORDER[h] here, mixed with even attention."""
    sizes = atlas.attention(atlas.info.default_stream).sizes

    def change_array(flat):
        made, begin = flat.copy(), 0
        for index in range(len(atlas.inputs)):
            end = begin + 72 * int(sizes[index])
            made[begin:end] = flat[begin:end].reshape(72, -1)[ORDER].ravel()
            begin = end
        return (made * (1 - mixed) + mixed * 0.05).astype(flat.dtype)

    return change_array


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.info.default_stream


def test_an_atlas_compared_with_itself_has_changed_nowhere(atlas, stream):
    told = []
    made = change.make((atlas, stream, atlas, stream), lambda done, of: told.append((done, of)))
    assert made.change.max() == 0
    assert made.high.max() == 0
    np.testing.assert_array_equal(made.best, np.arange(72))
    np.testing.assert_array_equal(made.taken, np.arange(72))
    assert made.best_bits.max() < 1e-6
    assert made.typical > 0.01
    assert told[-1][0] == told[-1][1] == 6 + 9


def test_heads_in_another_order_are_found(atlas, stream, small_atlas, tmp_path):
    other = changed_copy(small_atlas, tmp_path / "other", arrays={"self/attention.npy": planted(atlas, mixed=0.1)})
    made = change.make((atlas, stream, other, other.info.default_stream))
    back = np.argsort(ORDER)
    np.testing.assert_array_equal(made.best, back)
    np.testing.assert_array_equal(made.taken, back)
    np.testing.assert_allclose(made.taken_bits, made.best_bits)
    moved = np.arange(72) != ORDER
    assert made.change[moved].mean() > 5 * made.best_bits[moved].mean()


def test_change_is_the_mean_of_scipys_divergences(atlas, stream, small_atlas, tmp_path):
    other = changed_copy(small_atlas, tmp_path / "other", arrays={"self/attention.npy": planted(atlas)})
    made = change.make((atlas, stream, other, other.info.default_stream))
    rows = change.sample_rows(atlas.attention(stream), change.CHANGE_CELLS, list(range(len(atlas.inputs))))
    found = []
    for index, queries in rows.of_inputs:
        pair = [one.attention(stream).block(index, 3, 4)[queries].astype(float) for one in (atlas, other)]
        found.append(jensenshannon(*pair, base=2, axis=1) ** 2)
    expected = np.concatenate(found)
    assert made.rows == len(expected)
    assert made.change[3 * 12 + 4] == pytest.approx(expected.mean(), abs=1e-6)
    assert made.low[3 * 12 + 4] < expected.mean() < made.high[3 * 12 + 4]


def test_the_assignment_is_the_best_as_a_whole_and_leaves_some_over():
    between = np.array([[0.1, 0.2], [0.11, 0.9], [0.5, 0.6]])
    best, best_bits, taken, taken_bits = change.matched(between)
    assert best.tolist() == [0, 0, 0]
    np.testing.assert_allclose(best_bits, [0.1, 0.11, 0.5])
    assert taken.tolist() == [1, 0, -1]
    np.testing.assert_allclose(taken_bits, [0.2, 0.11, np.nan])


def test_streams_of_other_shapes_are_matched_only(atlas, stream, monkeypatch):
    deep = stream.model_copy(update={"layers": 12, "heads": 6})  # the same cells in another shape
    made = change.make((atlas, deep, atlas, stream))
    assert made.change is None
    np.testing.assert_array_equal(made.best, np.arange(72))
    told = compare.changes(made, deep, stream)
    assert told["change"] is None
    assert told["shapes"] == [
        {"layers": 12, "heads": 6, "numbers": []},
        {"layers": 6, "heads": 12, "numbers": []},
    ]
    monkeypatch.setattr(change, "WORK", 1e3)
    many = change.make((atlas, stream, atlas, stream))
    assert many.best is None
    assert many.change is not None
    assert compare.changes(many, stream, stream)["typical"] is None


def test_numbers_are_kept_under_what_they_are_made_from_and_a_damaged_file_is_made_anew(atlas, stream, tmp_path):
    streams = (atlas, stream, atlas, stream)
    out = change.file_of(streams, tmp_path)
    with pytest.raises(KeyError):
        change.read(out)
    told = []
    running = SimpleNamespace(report=lambda *words: told.append(words), check=lambda: None)
    arguments = changes.ChangeArguments(
        atlas=str(atlas.path), stream="self", other=str(atlas.path), its="self", out=str(out)
    )
    changes.compare_streams(arguments, running)
    assert told[-1] == ("Comparing all heads", 15, 15)
    again = change.read(out)
    assert again.rows > 10
    np.testing.assert_array_equal(again.best, np.arange(72))
    count = len(told)
    changes.compare_streams(arguments, running)
    assert len(told) == count
    out.write_bytes(out.read_bytes()[:60])
    with pytest.raises(KeyError):
        change.read(out)
    assert not out.exists()


def test_without_shared_inputs_it_is_refused(atlas, stream, small_atlas, tmp_path):
    other = changed_copy(small_atlas, tmp_path / "other", inputs=lambda texts: [f"not {text}" for text in texts])
    sharing.cache_clear()
    with pytest.raises(NotStoredError, match="made from other texts"):
        change.make((atlas, stream, other, stream))
