"""The numbers of one pair against plain arithmetic on the stored vectors."""

import math

import numpy as np
import pytest

from services.alignment import align, head_alignment, unit_length
from services.alignment.fitting import fitted_of_head
from services.atlas import open_atlas
from services.payloads.pair import pair_numbers
from services.streams import CAUSAL


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def test_scores_softmax_and_distances_equal_a_loop_over_the_vectors(atlas):
    stream, projection = atlas.stream("self"), atlas.info.projection("pca2d", "self")
    layer, head, index, query, key = 3, 7, 2, 4, 6
    first = int(atlas.tokens().offsets[index])
    count = int(atlas.tokens().counts[index])
    queries = atlas.array("self/queries")[layer, head].astype(np.float64)
    keys = atlas.array("self/keys")[layer, head].astype(np.float64)
    dots = [sum(a * b for a, b in zip(queries[first + query], keys[first + k], strict=True)) for k in range(count)]
    total = sum(math.exp(dot * stream.scaling[layer]) for dot in dots)
    found = pair_numbers(atlas, stream, index, layer, head, query, key, projection)
    assert found.dot == pytest.approx(dots[key])
    assert found.score == pytest.approx(dots[key] / math.sqrt(stream.head_dim))
    assert found.softmax == pytest.approx(math.exp(found.score) / total)
    assert found.weight == pytest.approx(float(atlas.attention(stream).block(index, layer, head)[query, key]))
    c = head_alignment(atlas, stream, layer, head).c
    aligned_queries, aligned_keys, _ = align(queries, keys, c, fitted=fitted_of_head(atlas, stream, queries, keys))
    if head_alignment(atlas, stream, layer, head).distance == "cosine":
        aligned_queries, aligned_keys = unit_length(aligned_queries), unit_length(aligned_keys)
    distance = np.linalg.norm(aligned_queries[first + query] - aligned_keys[first + key])
    assert found.aligned == pytest.approx(distance, rel=1e-4)
    everything = np.linalg.norm(aligned_queries[:, None] - aligned_keys[None], axis=2)
    assert found.median_aligned == pytest.approx(np.median(everything), rel=0.05)
    places = atlas.layout(projection)[layer, head]
    on_map = np.linalg.norm(places[first + query] - places[len(queries) + first + key])
    spread = np.linalg.norm(places[: len(queries), None] - places[None, len(queries) :], axis=2)
    assert found.screen == pytest.approx(on_map / np.median(spread), rel=0.05)


def test_softmax_of_the_stored_vectors_is_the_models_own_attention(atlas):
    stream = atlas.stream("self")
    for layer, head, index, query, key in [(0, 0, 0, 1, 1), (2, 5, 3, 0, 4), (5, 11, 8, 7, 2)]:
        found = pair_numbers(atlas, stream, index, layer, head, query, key)
        assert found.agrees
        assert found.screen is None


def test_a_causal_mask_hides_later_keys_from_the_softmax(atlas):
    causal = atlas.stream("self").model_copy(update={"mask": CAUSAL})
    assert pair_numbers(atlas, causal, 0, 0, 0, 0, 0).softmax == 1
    later = pair_numbers(atlas, causal, 0, 0, 0, 1, 3)
    assert not later.visible
    assert later.softmax == 0


@pytest.mark.parametrize(("index", "query", "key"), [(999, 0, 0), (0, 999, 0), (0, 0, 999), (0, -1, 0)])
def test_a_token_that_is_not_there_is_an_index_error(atlas, index, query, key):
    with pytest.raises(IndexError):
        pair_numbers(atlas, atlas.stream("self"), index, 0, 0, query, key)
