"""A model of three streams through the whole house: what is stored is its own attention, and no hidden pair counts."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from services import export
from services.alignment import head_alignment
from services.alignment.live import live_head, own_alignment
from services.alignment.pairs import head_pairs
from services.atlas import open_atlas, verify
from services.measures import averages, findings
from services.measures.attended import attended_in_atlas
from services.payloads import scene
from services.payloads.pair import pair_numbers
from services.projection import method_names
from services.search.hits import hits_by_input
from services.search.query import Question
from services.search.token_table import columns_of
from tests.unit.head_data import seen

STREAMS = ("self", "local", "cross")
LAYERS, HEADS, HEAD_DIM, WINDOW, REACH = 2, 4, 8, 4, 2


@pytest.fixture(scope="module")
def home(three_streams_home):
    return three_streams_home


@pytest.fixture(scope="module")
def atlas(home):
    return open_atlas(home / "atlases" / "three")


@pytest.fixture(params=STREAMS)
def stream(request, atlas):
    return atlas.stream(request.param)


def shown(atlas, stream, index):
    """bool [q, k] of an input, pair by pair, in plain words; the first token of a text is its global one."""
    queries, keys = (atlas.tokens(table).rows(index) for table in stream.tables)
    n, m = queries.stop - queries.start, keys.stop - keys.start
    has_global = stream.name == "local"
    return np.array(
        [
            [bool(seen(stream.mask, q, k, has_global and q == 0, has_global and k == 0)) for k in range(m)]
            for q in range(n)
        ]
    )


# --- what was captured


def test_the_streams_are_what_the_model_is(atlas):
    assert [one.name for one in atlas.info.streams] == list(STREAMS)
    own, local, cross = atlas.info.streams
    assert (own.mask.kind, own.mask.window, own.key_heads, own.attention) == ("sliding", WINDOW, 2, "dense")
    assert (local.mask.kind, local.mask.window, local.attention) == ("local", REACH, "banded")
    assert (cross.mask.kind, cross.tables) == ("cross", ("decoder_tokens", "tokens"))
    assert {one.kind for one in atlas.info.streams} == set(STREAMS)
    assert atlas.info.capture_error < 5e-3
    assert verify(atlas.path) == []


def test_queries_and_keys_of_cross_attention_have_tables_of_their_own(atlas):
    read, written = atlas.tokens("tokens"), atlas.tokens("decoder_tokens")
    assert atlas.points(atlas.stream("cross")) == (len(written), len(read))
    assert len(read) != len(written)
    assert written.text[1:3] == ["a", "dog"]  # the column `target`
    assert read.is_global is not None
    assert read.is_global.tolist() == (read.position == 0).tolist()
    assert written.is_global is None
    assert atlas.info.corpus.tokens == len(read) + len(written)


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def test_stored_attention_is_the_models_own(home, atlas):
    """The model once more, in plain NumPy: row by row, key by key, from the weights of its file."""
    from safetensors.numpy import load_file

    part = {name: values.astype(np.float64) for name, values in load_file(home / "model" / "model.safetensors").items()}
    ids = json.loads((home / "model" / "tokenizer.json").read_text())["model"]["vocab"]

    def linear(name, values):
        return values @ part[f"{name}.weight"].T + part[f"{name}.bias"]

    def embedded(table, index):
        tokens = atlas.tokens(table)
        texts = tokens.token[tokens.rows(index)]
        return part["tokens.weight"][[ids[text] for text in texts]] + part["places.weight"][: len(texts)]

    for index in range(len(atlas.inputs)):
        read, written = embedded("tokens", index), embedded("decoder_tokens", index)
        for layer in range(LAYERS):
            for name, inner in (("self", "own"), ("local", "local"), ("cross", "cross")):
                stream = atlas.stream(name)
                asked = written if name == "cross" else read
                base = f"layers.{layer}.{inner}"
                q, k, v = (
                    linear(f"{base}.{side}", of).reshape(len(of), -1, HEAD_DIM)
                    for side, of in (("query", asked), ("key", read), ("value", read))
                )
                visible, mixed = shown(atlas, stream, index), np.zeros((len(q), HEADS, HEAD_DIM))
                expected = np.zeros((HEADS, len(q), len(k)))
                for head in range(HEADS):
                    shared = head // stream.group
                    for row in range(len(q)):
                        keys = np.flatnonzero(visible[row])
                        expected[head, row, keys] = softmax(k[keys, shared] @ q[row, head] / np.sqrt(HEAD_DIM))
                        mixed[row, head] = expected[head, row] @ v[:, shared]
                stored = atlas.attention(stream).of_layer(index, layer).astype(float)
                np.testing.assert_allclose(stored, expected, atol=1e-3)
                rows = [atlas.tokens(table).rows(index) for table in stream.tables]
                np.testing.assert_allclose(
                    atlas.vectors(stream).queries(layer, 1, rows[0]), q[:, 1], rtol=2e-3, atol=2e-3
                )
                np.testing.assert_allclose(
                    atlas.vectors(stream).keys(layer, 3, rows[1]), k[:, 3 // stream.group], rtol=2e-3, atol=2e-3
                )
                norms = np.linalg.norm(v[:, 3 // stream.group], axis=1)
                np.testing.assert_allclose(atlas.vectors(stream).value_norms(layer, 3, rows[1]), norms, rtol=1e-4)
                added = linear(f"{base}.output", mixed.reshape(len(q), -1))
                if name == "cross":
                    written = written + added
                else:
                    read = read + added


def test_the_file_of_a_banded_stream_holds_its_pairs_and_no_more(atlas):
    local = atlas.stream("local")
    pairs = sum(int(shown(atlas, local, index).sum()) for index in range(len(atlas.inputs)))
    assert atlas.array("local/attention").size == LAYERS * HEADS * pairs
    assert pairs < sum(n * n for n in atlas.tokens().counts.tolist())


# --- no hidden pair is counted


def test_hidden_pairs_have_no_weight_and_the_others_sum_to_one(atlas, stream):
    blocks = atlas.attention(stream)
    for index in range(len(atlas.inputs)):
        visible = shown(atlas, stream, index)
        assert np.array_equal(blocks.visible(index), visible)
        block = blocks.block(index, 1, 2).astype(float)
        assert not block[~visible].any()
        np.testing.assert_allclose(block.sum(axis=1), 1, atol=2e-3)


def test_averages_are_over_shown_pairs_alone(atlas, stream):
    found = averages.mean_attention(atlas, stream, 1, 2)
    longest = atlas.attention(stream).longest
    assert found.mean.shape == found.count.shape == longest
    total, count = np.zeros(longest), np.zeros(longest, int)
    for index in range(len(atlas.inputs)):
        visible = shown(atlas, stream, index)
        n, m = visible.shape
        count[:n, :m] += visible
        total[:n, :m] += atlas.attention(stream).block(index, 1, 2).astype(float)
    assert np.array_equal(found.count, count)
    np.testing.assert_allclose(found.mean, total / np.maximum(count, 1), atol=1e-6)
    again = averages.head_average(atlas, stream, 1, 2, averages.Variant(values=True, first=True))
    hidden = count == 0
    assert not again.average.mean[hidden].any()
    assert not again.average.count[hidden].any()


def test_a_profile_by_distance_stands_only_where_there_are_distances(atlas):
    offsets = {one.name: averages.offset_profile(atlas, one) for one in atlas.info.streams}
    assert not offsets["cross"].any()
    near = slice(10 - WINDOW + 1, 11)
    assert offsets["self"].sum() == pytest.approx(offsets["self"][..., near].sum())
    assert offsets["local"][..., 10 - REACH : 11 + REACH].sum() > 0


def test_the_study_and_the_fidelity_look_at_shown_pairs(atlas, stream):
    tokens = atlas.stream_tokens(stream)
    expected = sum(int(shown(atlas, stream, index).sum()) for index in range(len(atlas.inputs)))
    pairs = head_pairs(*atlas.vectors(stream).head(1, 2), tokens)
    assert pairs.pairs == expected
    assert len(live_head(atlas, stream, 1, 2)._pair_query) == expected
    top = attended_in_atlas(atlas, stream, 1, 2).top
    for query in range(len(top)):
        index = int(tokens.queries.input[query])
        first = atlas.tokens(stream.key_table).rows(index).start
        visible = shown(atlas, stream, index)[tokens.queries.position[query]]
        assert all(visible[key - first] for key in top[query] if key >= 0)


def test_every_stream_has_every_map_and_every_measure(atlas, stream):
    maps = {p.name for p in atlas.info.projections if p.stream == stream.name}
    assert maps == {f"{method}{dims}d" for method in method_names() for dims in (2, 3)}
    points = sum(atlas.points(stream))
    for projection in (p for p in atlas.info.projections if p.stream == stream.name):
        layout = atlas.layout(projection)
        assert layout.shape == (LAYERS, HEADS, points, projection.dims)
        assert np.isfinite(layout).all()
    measures = atlas.measures(stream)
    for name in ("umap2d", "attention3d"):
        values = measures.get("best_near", name).values
        assert np.isfinite(values).all()
    own = own_alignment(atlas, stream, 1, 2)
    assert own.c == pytest.approx(head_alignment(atlas, stream, 1, 2).c)


# --- what is shown and exported


def test_exported_attention_is_of_shown_pairs(atlas, stream):
    table = export.attention_table(atlas, stream, 1, 2).to_pylist()
    assert len(table) == sum(int(shown(atlas, stream, index).sum()) for index in range(len(atlas.inputs)))
    for row in table[::7]:
        assert shown(atlas, stream, row["input"])[row["query_position"], row["key_position"]]
        block = atlas.attention(stream).block(row["input"], 1, 2)
        assert row["weight"] == pytest.approx(float(block[row["query_position"], row["key_position"]]))
    tokens = export.tokens_table(atlas, stream, 1, 2)
    assert tokens.num_rows == sum(atlas.points(stream))


def test_the_token_table_says_what_a_key_receives_from_queries_that_see_it(atlas, stream):
    received = columns_of(atlas, stream, 1, 2)["received"]
    queries = atlas.points(stream)[0]
    assert np.isnan(received[:queries]).all()
    rows = atlas.tokens(stream.key_table).rows(1)
    visible, block = shown(atlas, stream, 1), atlas.attention(stream).block(1, 1, 2).astype(float)
    expected = block.sum(axis=0) / np.maximum(visible.sum(axis=0), 1)
    np.testing.assert_allclose(received[queries:][rows], expected)


def test_a_pair_says_whether_it_is_shown(atlas, stream):
    visible = shown(atlas, stream, 1)
    for query, key in ((0, 0), (5, 1), (1, 5), (6, 5), (0, 6)):
        found = pair_numbers(atlas, stream, 1, 1, 2, query, key)
        assert found.visible == visible[query, key]
        assert found.agrees
        if not found.visible:
            assert (found.softmax, found.weight) == (0, 0)


def test_the_sentence_view_is_told_how_many_pairs_there_are(atlas, stream):
    sides = scene.input_sides(atlas, stream, 1)
    assert sides["pairs"] == shown(atlas, stream, 1).sum()
    raw = np.frombuffer(scene.attention(atlas, stream, 1, 1, 2), "<u2").reshape(shown(atlas, stream, 1).shape)
    assert not raw[~shown(atlas, stream, 1)].any()


def test_findings_fit_the_stream(atlas, stream):
    found = findings.findings(atlas, stream)
    assert found is not None
    if stream.name == "cross":  # there is no token before or after
        assert not {"previous", "next", "self"} & {one.kind for one in found}
    if stream.name == "self":
        assert "next" not in {one.kind for one in found}
    assert all(0 <= one.layer < LAYERS and 0 <= one.head < HEADS and one.strength >= 1 for one in found)


def test_a_search_finds_the_tokens_of_both_tables(atlas):
    found = hits_by_input(atlas, atlas.stream("cross"), Question("it", "token"))
    read, written = (list(atlas.tokens(table).text) for table in ("tokens", "decoder_tokens"))
    assert (found["queries"], found["keys"]) == (written.count("it"), read.count("it"))


def test_the_tables_name_their_global_tokens_and_nothing_else_more(atlas):
    assert "global" in pq.read_schema(atlas.path / "tokens.parquet").names
    assert "global" not in pq.read_schema(atlas.path / "decoder_tokens.parquet").names
