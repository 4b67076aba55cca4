"""What the browser reads is what the atlas holds, computed here once more in the plainest way."""

import numpy as np
import pytest

from services.atlas import layouts, open_atlas
from services.payloads import scene as payload


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.stream("self")


def browser_positions(atlas, projection):
    """What `docs/payload.md` makes of all chunks: values in −1 … 1, [layers × heads, points, dims] by point id."""
    stream = atlas.stream(projection.stream)
    points = sum(atlas.points(stream))
    order = np.frombuffer(layouts.draw_order(points).tobytes(), "<u4")
    result = np.full((stream.layers * stream.heads, points, projection.dims), np.nan)
    for chunk in range(-(-points // 1000)):
        slots = order[chunk * 1000 : (chunk + 1) * 1000]
        raw = np.frombuffer(payload.positions(atlas, projection, chunk), "<u2")
        result[:, slots] = (raw.reshape(len(result), len(slots), projection.dims) / 65535 - 0.5) * 2
    return result


@pytest.mark.parametrize("name", ["pca2d", "pca3d"])
def test_positions_undo_to_the_layout_within_half_a_step(atlas, name):
    projection = atlas.info.projection(name, "self")
    layout = np.asarray(atlas.layout(projection), np.float64).reshape(
        -1, sum(atlas.points(atlas.stream("self"))), projection.dims
    )
    for head, positions in enumerate(browser_positions(atlas, projection)):
        extent = np.ptp(layout[head], axis=0)
        half = extent.max() / 2 * 1.04
        middle = (layout[head].max(axis=0) + layout[head].min(axis=0)) / 2
        step = 2 * half / 65535
        assert np.abs(positions * half + middle - layout[head]).max() <= step * 0.51


def test_all_axes_share_one_scale(atlas):
    projection = atlas.info.projection("pca3d", "self")
    layout = np.asarray(atlas.layout(projection), np.float64).reshape(72, -1, 3)
    positions = browser_positions(atlas, projection)
    ratio = np.ptp(positions, axis=1) / np.ptp(layout, axis=1)
    np.testing.assert_allclose(ratio, ratio[:, :1].repeat(3, axis=1), rtol=1e-3)
    assert np.abs(positions).max() <= 1


def test_a_head_of_one_place_is_drawn_in_the_middle():
    layout = np.full((2, 5, 2), 7.0, np.float32)
    values = layouts.quantise(layout, layouts.frames(layout))
    assert np.abs(values.astype(int) - 32767.5).max() < 1


@pytest.mark.parametrize("points", [1, 2, 999, 1000, 1001, 20_000])
def test_the_draw_order_is_one_permutation(points):
    order = layouts.draw_order(points)
    assert np.array_equal(np.sort(order), np.arange(points))
    assert np.array_equal(order, layouts.draw_order(points))
    assert order.dtype == np.dtype("<u4")


def test_any_start_of_the_draw_order_is_a_fair_sample():
    order = layouts.draw_order(20_000)
    for prefix in (500, 1000, 5000):
        assert 0.45 < (order[:prefix] < 10_000).mean() < 0.55


def test_there_is_no_chunk_beyond_the_last(atlas):
    projection = atlas.info.projection("pca2d", "self")
    for chunk in (-1, payload.chunk_count(sum(atlas.points(atlas.stream("self"))), 1)):
        with pytest.raises(IndexError):
            payload.positions(atlas, projection, chunk)


def test_thousands_of_heads_come_in_shorter_chunks_that_hold_every_point_once():
    assert [payload.chunk_size(cells) for cells in (72, 1024, 5120, 10**6)] == [1000, 1000, 244, 100]
    layout = np.random.default_rng(0).normal(size=(2000, 1500, 2)).astype(np.float32)
    frame = layouts.frames(layout)
    count = payload.chunk_count(1500, 2000)
    parts = [np.frombuffer(payload.chunk_of(layout, frame, c), "<u2").reshape(2000, -1, 2) for c in range(count)]
    assert parts[0].nbytes <= 5_000_000
    assert np.array_equal(np.concatenate(parts, axis=1), layouts.quantise(layout[:, layouts.draw_order(1500)], frame))
    with pytest.raises(IndexError):
        payload.chunk_of(layout, frame, count)


def test_the_mask_has_its_least_bit_first():
    mask = np.zeros(20, bool)
    mask[[0, 3, 9, 19]] = True
    packed = payload.pack_mask(mask)
    assert len(packed) == 3
    assert [bool(packed[row // 8] >> (row % 8) & 1) for row in range(20)] == mask.tolist()
    assert payload.pack_mask(np.zeros(0, bool)) == b""


def test_attention_is_the_models_own_to_the_last_step(atlas, stream):
    tokens = atlas.tokens()
    flat = atlas.array("self/attention")
    start = 0
    for index, count in enumerate(tokens.counts):
        block = flat[start : start + 72 * count * count].reshape(6, 12, count, count)
        start += block.size
        raw = np.frombuffer(payload.attention(atlas, stream, index, 4, 7), "<u2").reshape(count, count)
        assert np.abs(raw / 65535 - block[4, 7]).max() < 1 / 65535
        np.testing.assert_allclose(raw.sum(axis=1) / 65535, 1, atol=0.01)
    assert start == len(flat)


def test_value_norms_are_those_of_the_keys_of_one_input(atlas, stream):
    first, end = atlas.tokens().offsets[3:5]
    raw = np.frombuffer(payload.values(atlas, stream, 3, 2, 5), "<f4")
    assert np.array_equal(raw, np.asarray(atlas.array("self/value_norms"))[2, 5, first:end])


def test_token_pages_hold_every_row_once(atlas):
    tokens = atlas.tokens()
    page = payload.token_page(atlas, "tokens", 0)
    assert page["text"] == list(tokens.text)
    assert page["input"] == tokens.input.tolist()
    assert page["length"] == [int((tokens.input == row).sum()) for row in tokens.input]
    assert set(page["special"]) == {0, 1}
    for number in (-1, 1):
        with pytest.raises(IndexError):
            payload.token_page(atlas, "tokens", number)
    with pytest.raises(KeyError):
        payload.token_page(atlas, "../tokens", 0)


def test_the_sides_of_an_input_are_its_tokens(atlas, stream):
    for index, text in enumerate(atlas.inputs.text):
        sides = payload.input_sides(atlas, stream, index)
        rows = [row for row, owner in enumerate(atlas.tokens().input) if owner == index]
        assert sides["text"] == text
        for side in (sides["queries"], sides["keys"]):
            assert side["first"] == rows[0]
            assert side["tokens"] == [atlas.tokens().text[row] for row in rows]
    for index in (-1, len(atlas.inputs)):
        with pytest.raises(IndexError):
            payload.input_sides(atlas, stream, index)
