"""Where the weights and vectors of a stream lie: dense, banded and not kept; several heads on one key head."""

import numpy as np
import pytest

from services.atlas import AttentionBlocks, VectorStore
from services.atlas.schema import StreamInfo
from services.atlas.vectors import vector_shapes
from services.errors import NotStoredError
from services.streams import CAUSAL, CROSS, FULL, Places, StreamMask, StreamTokens

LAYERS, HEADS = 2, 3
QUERIES, KEYS = (4, 0, 6, 1), (4, 2, 6, 1)
LOCAL = StreamMask(kind="local", window=1)


def stream(mask: StreamMask, layout: str, **changes) -> StreamInfo:
    sizes = {"layers": LAYERS, "heads": HEADS, "key_heads": HEADS, "head_dim": 4, "scaling": (1.0,) * LAYERS}
    return StreamInfo(**{"name": "self", "mask": mask, "attention": layout, **sizes, **changes})


def places(lengths, with_globals=False) -> Places:
    position = np.concatenate([np.arange(n) for n in lengths])
    return Places(np.repeat(np.arange(len(lengths)), lengths), position, position == 2 if with_globals else None)


CASES = {
    "full, dense": (FULL, "dense", False),
    "causal, dense": (CAUSAL, "dense", False),
    "causal, banded": (CAUSAL, "banded", False),
    "local, banded": (LOCAL, "banded", False),
    "local and global, banded": (LOCAL, "banded", True),
    "cross, dense": (CROSS, "dense", False),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def stored(request):
    """Blocks written into a file, and what was written: weights [layers, heads, q, k] of each input."""
    mask, layout, with_globals = request.param
    tokens = StreamTokens(mask, places(QUERIES, with_globals), places(KEYS, with_globals))
    where = AttentionBlocks(stream(mask, layout), tokens, len(QUERIES), None)
    rng, flat, written = np.random.default_rng(0), np.full(where.length, np.nan, np.float16), []
    for index in range(len(QUERIES)):
        visible = where.visible(index)
        weights = (rng.random((LAYERS, HEADS, *visible.shape)) * visible).astype(np.float16)
        flat[where.slot(index)] = where.packed(index, weights).ravel()
        written.append(weights)
    assert np.isfinite(flat).all()
    return AttentionBlocks(where.stream, tokens, len(QUERIES), flat), written


def test_every_way_to_read_gives_what_was_written(stored):
    blocks, written = stored
    assert blocks.kept
    assert blocks.longest == (6, 6)
    for index, weights in enumerate(written):
        assert blocks.shape(index) == weights.shape[2:]
        for layer in range(LAYERS):
            assert np.array_equal(blocks.of_layer(index, layer), weights[layer])
            for head in range(HEADS):
                assert np.array_equal(blocks.block(index, layer, head), weights[layer, head])
    for (block, visible), weights in zip(blocks.visible_of_head(1, 2), written, strict=True):
        assert np.array_equal(block, weights[1, 2])
        assert not block[~visible].any()


def test_single_pairs_are_found_in_the_file(stored):
    blocks, written = stored
    query, key = blocks.tokens.runs_within_inputs().pairs()
    mixed = np.random.default_rng(1).permutation(len(query))
    query, key = query[mixed], key[mixed]
    found = blocks.at(blocks.locate(query, key), 1, 2)
    index = blocks.tokens.queries.input[query]
    at = zip(index, blocks.tokens.queries.position[query], blocks.tokens.keys.position[key], strict=True)
    assert found.tolist() == [written[i][1, 2, q, k] for i, q, k in at]


def test_a_band_takes_no_more_room_than_its_pairs():
    tokens = StreamTokens(LOCAL, places([100]), places([100]))
    dense, banded = (AttentionBlocks(stream(LOCAL, layout), tokens, 1, None) for layout in ("dense", "banded"))
    assert dense.length == LAYERS * HEADS * 100 * 100
    assert banded.length == LAYERS * HEADS * (3 * 100 - 2)


def test_a_stream_whose_weights_are_not_kept_says_so():
    tokens = StreamTokens(FULL, places(QUERIES), places(KEYS))
    blocks = AttentionBlocks(stream(FULL, "none"), tokens, len(QUERIES), None)
    assert not blocks.kept
    with pytest.raises(NotStoredError, match="self"):
        blocks.block(0, 0, 0)


def test_vectors_of_heads_that_share_a_key_head():
    one = stream(FULL, "dense", heads=4, key_heads=2)
    rng = np.random.default_rng(0)
    arrays = {
        f"self/{name}": rng.normal(size=shape).astype(np.float16) for name, shape in vector_shapes(one, 5, 7).items()
    }
    store = VectorStore(one, arrays.__getitem__)
    queries, keys = store.head(1, 3)
    assert queries.dtype == keys.dtype == np.float32
    assert np.array_equal(queries, arrays["self/queries"][1, 3])
    assert np.array_equal(keys, arrays["self/keys"][1, 1])
    assert np.array_equal(store.keys(1, 2, slice(2, 4)), arrays["self/keys"][1, 1, 2:4])
    assert np.array_equal(store.value_norms(0, 1), arrays["self/value_norms"][0, 0])
    layer = store.layer(0)
    assert [side.shape for side in layer] == [(4, 5, 4), (4, 7, 4)]
    assert np.array_equal(layer[1], arrays["self/keys"][0][[0, 0, 1, 1]])
    for cell in ((2, 0), (0, 4), (-1, 0), (0, -1)):
        with pytest.raises(IndexError):
            store.head(*cell)
