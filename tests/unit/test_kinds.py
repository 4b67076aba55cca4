"""From kind to kind: equal plain loops, an even head is at 1, small cells say their count, links lead to the pairs."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from components.panels.kinds import cell_details, matrix_table
from components.state.atlas_page import View
from services.atlas import AttentionBlocks, open_atlas
from services.measures import kinds
from services.measures.kinds import kind_matrix, kinds_of, lift_of_all, offered, strongest_pairs
from services.search.token_sets import parse

LAYER, HEAD = 1, 3


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def plainly(atlas, attribute, query, key, weights=None):
    """Mean weight of one cell, of even attention, the number of queries, and all its pairs, one by one."""
    stream = atlas.info.streams[0]
    known, blocks = kinds_of(atlas, stream, attribute), atlas.attention(stream)
    given, flat, pairs = [], [], []
    for index in range(blocks.inputs):
        rows = blocks.rows(index)[0]
        block = blocks.block(index, LAYER, HEAD).astype(float) if weights is None else weights(index)
        for q in range(len(block)):
            keys = [k for k in range(len(block)) if known.keys[rows.start + k] == key]
            if known.queries[rows.start + q] == query and keys:
                given.append(block[q, keys].sum())
                flat.append(len(keys) / len(block))
                pairs += [(block[q, k], rows.start + q, len(known.queries) + rows.start + k) for k in keys]
    return np.mean(given), np.mean(flat), len(given), pairs


def test_a_matrix_of_kinds_equals_a_loop_over_pairs(atlas):
    stream = atlas.info.streams[0]
    assert "kind" in offered(atlas)
    found = kind_matrix(atlas, stream, LAYER, HEAD, "kind")
    assert found.names == ("word", "punctuation", "special")
    for query in range(3):
        for key in range(3):
            weight, even, count, pairs = plainly(atlas, "kind", query, key)
            assert found.weight[query, key] == pytest.approx(weight, abs=1e-5)
            assert found.even[query, key] == pytest.approx(even, abs=1e-6)
            assert found.lift[query, key] == pytest.approx(weight / even, rel=1e-3)
            assert found.queries[query, key] == count
            assert found.low[query, key] <= found.weight[query, key] <= found.high[query, key]
            names = found.names[query], found.names[key]
            assert lift_of_all(atlas, stream, "kind", *names)[LAYER, HEAD] == pytest.approx(weight / even, rel=1e-3)
            best = sorted(pairs, reverse=True)[:5]
            points = strongest_pairs(atlas, stream, LAYER, HEAD, "kind", *names)
            assert {point for _, *pair in best for point in pair} <= set(points)
            assert len(points) <= 2 * kinds.STRONGEST


def test_even_attention_is_at_one_in_every_cell(atlas, monkeypatch):
    stream = atlas.info.streams[0]

    def even(blocks, index, layer, head):
        visible = blocks.visible(index)
        return visible / visible.sum(axis=1, keepdims=True)

    monkeypatch.setattr(AttentionBlocks, "block", even)
    found = kind_matrix(atlas, stream, 0, 0, "kind")
    kind_matrix.cache_clear()
    assert found.lift == pytest.approx(np.ones((3, 3)))


def test_cells_with_few_queries_are_grey_with_their_count(atlas):
    found = kind_matrix(atlas, atlas.info.streams[0], LAYER, HEAD, "kind")
    counts = found.queries.copy()
    counts[0, 1], counts[1, 0] = 7, 0
    words = json.dumps(matrix_table(replace(found, queries=counts)), default=lambda part: part.to_plotly_json())
    assert '"children": "7", "className": "kinds-few"' in words
    assert "only 7 queries: too few to say anything" in words
    assert "no query sees such a key" in words


def test_a_cell_links_to_its_pairs_and_to_the_heads_that_do_it_most(atlas):
    stream = atlas.info.streams[0]
    view = View(atlas=atlas.slug, stream=stream.name, method="pca", dims=2, layer=LAYER, head=HEAD)
    words = json.dumps(cell_details(atlas, view, "kind", 0, 2, "/"), default=lambda part: part.to_plotly_json())
    assert "word \\u2192 special" in words
    assert "times even attention" in words
    text = next(part for part in words.split('"') if "set=" in part).split("set=")[1].split("&")[0]
    assert parse(text).points == tuple(strongest_pairs(atlas, stream, LAYER, HEAD, "kind", "word", "special"))
    lifts = lift_of_all(atlas, stream, "kind", "word", "special")
    layer, head = np.unravel_index(np.argmax(lifts), lifts.shape)
    assert re.search(r'"L\d+ H\d+"', words)[0] == f'"L{layer} H{head}"'
    for bad in ((0, 9), (9, 0)):
        with pytest.raises(IndexError):
            cell_details(atlas, view, "kind", *bad, "/")
    with pytest.raises(KeyError):
        cell_details(atlas, view, "norm", 0, 0, "/")
