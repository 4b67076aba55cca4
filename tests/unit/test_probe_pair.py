"""Why a pair, asked of the model: against the model's own modules by name, and its own attention."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from services.atlas import open_atlas
from services.capture import load_model
from services.errors import ProbeError
from services.payloads.why import corpus_row, step
from services.probe.models import WarmModels
from services.probe.pair import explain
from services.probe.question import PairQuestion, find, keep
from tests.unit.architectures import ROWS, save
from tests.unit.tiny_models import save_model

TEXT = "the cat sat on the mat, the cat"
LAYER, HEAD, QUERY, KEY = 1, 3, 5, 2


def nothing(*_):
    pass


def opened(name, tmp_path_factory):
    loaded = load_model(str((save if name in ROWS else save_model)(tmp_path_factory.mktemp(name), name)))
    atlas = SimpleNamespace(
        info=SimpleNamespace(
            stream=lambda wanted: next((one for one in loaded.streams if one.name == wanted), None), key="tiny"
        )
    )
    return atlas, loaded


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return cache(lambda name: opened(name, tmp_path_factory))


def asked(stream="self", **changes):
    place = {"layer": LAYER, "head": HEAD, "query": QUERY, "key": KEY}
    return PairQuestion(text=TEXT, stream=stream, **{**place, **changes})


def seen(loaded, names):
    """What some modules answer to TEXT, by name, and the model's own attention."""
    answers, hooks = {}, []
    modules = dict(loaded.model.named_modules())
    for name in names:
        hooks.append(modules[name].register_forward_hook(lambda _m, _a, out, name=name: answers.update({name: out[0]})))
    with torch.no_grad():
        ids = torch.tensor([loaded.tokenizer(TEXT).input_ids])
        found = loaded.model(ids, output_attentions=True)
    for hook in hooks:
        hook.remove()
    return {name: value.double().numpy() for name, value in answers.items()}, found, modules


def by_head(flat, dim, head):
    return flat[:, head * dim : (head + 1) * dim]


# name → modules of queries, keys, values and output; how a fused one is cut
NAMED = {
    "bert": ("encoder.layer.1.attention.self.query", "encoder.layer.1.attention.self.key",
             "encoder.layer.1.attention.self.value", "encoder.layer.1.attention.output.dense"),
    "gpt2": ("h.1.attn.c_attn",) * 3 + ("h.1.attn.c_proj",),
    "llama": tuple(f"layers.1.self_attn.{part}_proj" for part in "qkvo"),
    "gpt_neox": ("layers.1.attention.query_key_value",) * 3 + ("layers.1.attention.dense",),
}  # fmt: skip


def sides(name, answers, stream):
    dim, group = stream.head_dim, stream.group
    q, k, v = (answers[one] for one in NAMED[name][:3])
    if name == "gpt2":
        q, k, v = np.split(q, 3, axis=1)
    if name == "gpt_neox":
        q, k, v = (q.reshape(len(q), stream.heads, 3, dim)[:, :, i].reshape(len(q), -1) for i in range(3))
    return by_head(q, dim, HEAD), by_head(k, dim, HEAD // group), by_head(v, dim, HEAD // group)


@pytest.mark.parametrize("name", NAMED)
def test_shares_contents_and_what_is_moved_are_the_models_own(tiny, name):
    atlas, loaded = tiny(name)
    stream = loaded.streams[0]
    found = explain(atlas, loaded, asked(), 64, nothing)
    answers, own, modules = seen(loaded, NAMED[name][:3])
    weights = own.attentions[LAYER][0, HEAD, QUERY].double().numpy()
    assert found["weight"] == pytest.approx(weights[KEY], abs=1e-6)
    assert found["share"] == pytest.approx(weights[KEY], abs=1e-6)
    queries, keys, values = sides(name, answers, stream)
    content = float(queries[QUERY] @ keys[KEY]) * stream.scaling[LAYER]
    basis = found["basis"]
    assert basis["content"] == pytest.approx(content, rel=1e-5, abs=1e-6)
    assert sum(value for _, value in basis["parts"]) + basis["rest"] == pytest.approx(content, rel=1e-4, abs=1e-6)
    assert basis["turned"] == (name in ("llama", "gpt_neox"))
    if not basis["turned"]:
        assert found["score"] == pytest.approx(content, rel=1e-5)
    weight = modules[NAMED[name][3]].weight.detach().double().numpy()
    weight = weight.T if name == "gpt2" else weight
    read = values @ by_head(weight, stream.head_dim, HEAD).T
    moved = weights * np.linalg.norm(read, axis=1)
    assert found["moved"]["norm"] == pytest.approx(moved[KEY], rel=1e-4, abs=1e-7)
    assert found["moved"]["share"] == pytest.approx(moved[KEY] / moved.sum(), rel=1e-4, abs=1e-7)
    assert found["moved"]["most"] == int(moved.argmax())


def test_directions_are_the_singular_vectors_of_the_weights(tiny):
    atlas, loaded = tiny("bert")
    _, _, modules = seen(loaded, ())
    part = slice(HEAD * 8, HEAD * 8 + 8)
    query, key = (modules[f"encoder.layer.1.attention.self.{side}"] for side in ("query", "key"))
    w_query, w_key = (one.weight[part].detach().double().numpy() for one in (query, key))
    answers, _, _ = seen(loaded, NAMED["bert"][:2])
    q, k = (by_head(answers[one], 8, HEAD) for one in NAMED["bert"][:2])
    left, sizes, right = np.linalg.svd(w_query.T @ w_key)
    # a residual stream x with W x = q, bias and all: any will do
    x, y = np.linalg.pinv(w_query) @ q[QUERY], np.linalg.pinv(w_key) @ k[KEY]
    expected = (x @ left[:, :8]) * sizes[:8] * (right[:8] @ y) * loaded.streams[0].scaling[LAYER]
    found = explain(atlas, loaded, asked(), 64, nothing)["basis"]
    for number, value in found["parts"]:
        assert value == pytest.approx(expected[number - 1], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("stream", "layer"), [("encoder", 1), ("decoder", 1), ("cross", 0)])
def test_t5_adds_its_bias_by_distance(tiny, stream, layer):
    atlas, loaded = tiny("t5")
    text = asked(stream, layer=layer, query=1 if stream != "encoder" else QUERY, key=0)
    found = explain(atlas, loaded, text, 64, nothing)
    assert found["share"] == pytest.approx(found["weight"], abs=1e-6)
    assert found["total"] == pytest.approx(found["score"] + sum(value for _, value in found["terms"]))
    if stream == "encoder":
        block = loaded.model.encoder.block[0].layer[0].SelfAttention
        n = len(loaded.tokenizer(TEXT).input_ids)
        bias = block.compute_bias(n, n)[0, HEAD, QUERY, 0].item()
        assert [name for name, _ in found["terms"]] == ["added for the place of the key"]
        assert found["terms"][0][1] == pytest.approx(bias, rel=1e-5)
    if stream == "cross":
        assert not found["terms"]


@pytest.mark.parametrize("name", ["deberta", "deberta-v2"])
def test_debertas_terms_are_told_apart(tiny, name):
    atlas, loaded = tiny(name)
    found = explain(atlas, loaded, asked(), 64, nothing)
    assert len(found["terms"]) == 2
    assert all(abs(value) > 1e-4 for _, value in found["terms"])
    assert found["total"] == pytest.approx(found["score"] + sum(value for _, value in found["terms"]), rel=1e-4)
    assert found["share"] == pytest.approx(found["weight"], abs=1e-5)
    assert found["basis"] is None
    assert found["why_no_basis"]
    again = explain(atlas, loaded, asked(), 64, nothing)  # the model is as it was
    assert again == found


def test_a_norm_by_head_between_projection_and_product_is_said(tiny):
    atlas, loaded = tiny("qwen3")
    found = explain(atlas, loaded, asked(), 64, nothing)
    assert found["basis"] is None
    assert "changes lengths" in found["why_no_basis"]
    assert found["share"] == pytest.approx(found["weight"], abs=1e-6)


@pytest.mark.parametrize("name", ["gemma2", "gpt_oss", "bloom", "mpnet"])
def test_soft_caps_sinks_and_penalties_are_in_the_share(tiny, name):
    atlas, loaded = tiny(name)
    found = explain(atlas, loaded, asked(), 64, nothing)
    assert found["share"] == pytest.approx(found["weight"], abs=1e-5)
    assert (found["cap"] is None, found["sink"] is None) == (name != "gemma2", name != "gpt_oss")


def test_a_hidden_key_has_no_share(tiny):
    atlas, loaded = tiny("gpt2")
    found = explain(atlas, loaded, asked(query=1, key=4), 64, nothing)
    assert (found["hidden"], found["share"], found["total"]) == (True, 0.0, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"query": 99}, "There is no query 99"),
        ({"key": 99}, "There is no key 99"),
        ({"layer": 9}, "There is no head L9H3: the model has layers 0 to 1"),
        ({"head": 4}, "There is no head L1H4"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(tiny, changes, says):
    atlas, loaded = tiny("bert")
    with pytest.raises(ProbeError, match=says):
        explain(atlas, loaded, asked(**changes), 64, nothing)


def test_an_input_of_the_corpus_is_the_one_that_is_stored(small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    loaded = WarmModels().of(atlas, tmp_path, nothing)
    question = PairQuestion(input=2, stream="self", layer=3, head=7, query=4, key=6)
    found = explain(atlas, loaded, question, 64, nothing)
    stored = step(corpus_row(atlas, atlas.stream("self"), 2, 3, 7, 4), 6)
    assert found["score"] == pytest.approx(stored.score, abs=0.05)
    assert found["weight"] == pytest.approx(stored.weight, abs=1e-3)
    for changes, says in [
        ({"input": 99}, "no input 99"),
        ({"query": 40}, "no query 40"),
        ({"stream": "x"}, "no atten"),
    ]:
        with pytest.raises(ProbeError, match=says):
            question.model_copy(update=changes).checked(atlas, 64)
    with pytest.raises(ProbeError, match="ATLAS_PROBE_TOKENS"):
        question.checked(atlas, 5)
    id = question.id(atlas)
    assert find(tmp_path, id) is None
    keep(tmp_path, id, found)
    assert find(tmp_path, id) == found
    assert question.model_copy(update={"key": 5}).id(atlas) != id
