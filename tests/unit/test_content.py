"""Queries and keys before rotation: rotated plainly they are what the model dots, and never its attention."""

import architectures
import numpy as np
import pytest
import tiny_models
from tiny_models import save_model

from services.atlas import open_atlas
from services.capture import capture, load_model, tokenise
from services.capture.check import check_capture
from services.errors import ModelError, NotStoredError, ProbeError
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.probe.question import PairQuestion
from tests.one_line import one_line
from tests.unit.building import request_for, write_corpus

TEXTS = ["the cat sat on the mat because it was tired.", "a dog", "the dog, the cat and the mat sat: it was tired"]
THETA = 10_000.0
PLAIN = {"rope_type": "default", "rope_theta": THETA}


def turned(vectors: np.ndarray, size: int, theta: float = THETA) -> np.ndarray:
    """Vectors [..., n, d] rotated by RoFormer's equation 15, pairs (i, i + size/2) of the first `size` numbers."""
    half = size // 2
    angles = np.arange(vectors.shape[-2])[:, None] * theta ** (-np.arange(half) / half)
    whole = vectors.astype(np.float64)
    numbers = (whole[..., :half] + 1j * whole[..., half:size]) * np.exp(1j * angles)
    return np.concatenate([numbers.real, numbers.imag, whole[..., size:]], axis=-1)


def sides(loaded, texts=TEXTS):
    """Of each input (attention's capture, content's)."""
    found = list(capture(loaded, tokenise(loaded, texts)))
    own = [one for one in found if one.stream == "self"]
    return list(zip(own, [one for one in found if one.stream == "content"], strict=True))


@pytest.mark.parametrize(
    ("name", "changes", "size"),
    [
        ("llama", {}, 8),
        (
            "gpt_neox",
            {"rope_parameters": PLAIN | {"partial_rotary_factor": 0.25}},
            2,
        ),
        ("phi", {"rope_parameters": PLAIN | {"partial_rotary_factor": 0.5}}, 4),
        ("qwen3", {}, 16),  # norms of each head stand before the rotation, and are part of the content
    ],
)
def test_content_turned_by_a_plain_rotation_is_what_the_model_dots(name, changes, size, tmp_path):
    loaded = load_model(str(save_model(tmp_path, name, **changes)), content=True)
    assert [(one.name, one.attention) for one in loaded.streams] == [("self", "dense"), ("content", "none")]
    for own, content in sides(loaded):
        assert content.attention is None
        for side in ("queries", "keys"):
            mine, dotted = getattr(content, side), getattr(own, side)
            assert np.abs(turned(mine, size) - dotted).max() < 1e-4 * np.abs(dotted).max()
            if mine.shape[2] > 2:
                assert np.abs(mine - dotted).max() > 0.05 * np.abs(dotted).max()
            np.testing.assert_allclose(mine[:, :, 0], dotted[:, :, 0], atol=1e-6)  # place 0 is not turned
    assert check_capture(loaded, tokenise(loaded, TEXTS)) < 1e-4


def test_a_layer_that_turns_nothing_has_its_vectors_as_they_are(tmp_path):
    row = architectures.ROWS["smollm3"]
    tiny_models.ARCHITECTURES.setdefault("smollm3", (row.config, row.arguments, row.tokenizer))
    folder = save_model(tmp_path, "smollm3", no_rope_layers=[1, 0])
    loaded = load_model(str(folder), content=True)
    own, content = sides(loaded)[0]
    assert [bool((content.queries[layer] == own.queries[layer]).all()) for layer in (0, 1)] == [False, True]


def test_a_factor_that_stretches_what_is_turned_stays(tmp_path):
    """YaRN makes queries and keys longer while it turns them; content has the length of what is dotted."""
    rope = {"rope_type": "yarn", "rope_theta": THETA, "factor": 4.0, "original_max_position_embeddings": 16}
    loaded = load_model(str(save_model(tmp_path, "llama", rope_parameters=rope)), content=True)
    own, content = sides(loaded)[0]
    np.testing.assert_allclose(content.queries[:, :, 0], own.queries[:, :, 0], rtol=1e-4, atol=1e-5)
    lengths = [np.linalg.norm(one.queries, axis=-1) for one in (own, content)]
    np.testing.assert_allclose(*lengths, rtol=1e-4)


@pytest.mark.parametrize(("name", "says"), [("gpt2", "cannot be seen"), ("bert", "cannot be seen")])
def test_models_without_a_rotation_that_is_seen_are_refused_in_one_line(name, says, tmp_path):
    with pytest.raises(ModelError, match=says) as caught:
        load_model(str(save_model(tmp_path, name)), content=True)
    assert one_line(caught)
    assert "--content" in str(caught.value)


def test_the_model_s_code_is_as_it_was_afterwards(tmp_path):
    from transformers.models.llama import modeling_llama

    before = modeling_llama.apply_rotary_pos_emb
    loaded = load_model(str(save_model(tmp_path, "llama")), content=True)
    sides(loaded)
    assert modeling_llama.apply_rotary_pos_emb is before


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    place = tmp_path_factory.mktemp("content")
    model = save_model(place / "model", "llama")
    request = request_for(model, write_corpus(place / "a.txt"), dims=(2,), content=True, pos="none")
    build(request, place / "atlas", Progress("made", bar=False))
    return open_atlas(place / "atlas")


def test_an_atlas_keeps_it_as_a_stream_that_has_maps_and_no_attention(atlas):
    own, content = atlas.info.streams
    assert (own.name, content.name) == ("self", "content")
    for projection in ("pca2d",):
        assert atlas.info.projection(projection, "content") is not None
    assert not atlas.attention(content).kept
    with pytest.raises(NotStoredError, match="content"):
        atlas.attention(content).block(0, 0, 0)
    assert not any(name.startswith("content/attention") for name in atlas.info.files)
    rows = atlas.tokens("tokens").rows(0)
    queries, _ = atlas.vectors(content).head(1, 2)
    dotted, _ = atlas.vectors(own).head(1, 2)
    assert np.abs(turned(queries[rows], own.head_dim) - dotted[rows]).max() < 5e-3 * np.abs(dotted[rows]).max()
    assert atlas.info.capture_error < 5e-3


def test_what_is_asked_of_attention_is_refused_of_it(atlas):
    question = PairQuestion(stream="content", input=0, layer=0, head=0, query=1, key=0)
    with pytest.raises(ProbeError, match="is no attention of the model") as caught:
        question.checked(atlas, 64)
    assert one_line(caught)


def test_pages_to_take_away_leave_it_out(atlas):
    from components.static_atlas.contents import choose
    from components.static_atlas.data import data

    contents = choose(atlas)
    assert contents.words.startswith("8 heads, 1 map (pca2d)")
    names = [name for name, _ in data(contents)]
    assert any("self" in name and "pca2d" in name for name in names)
    assert not any("content" in name for name in names)
