"""Heads and tokens switched off: as a model with zeros in W_O's columns, as a mask without the token, nothing else."""

import copy

import numpy as np
import pytest
import torch

from services.atlas import open_atlas
from services.capture import load_model
from services.capture.predictions import predicted, run
from services.capture.switches import Switches, draws
from services.errors import ProbeError
from services.modalities.registry import modality_named
from services.modalities.text.modality import of_ids
from services.modalities.text.repeats import sequences
from services.models.predictor import load_predictor
from services.pipeline.ablation import SEQUENCES, rises, told
from services.probe.models import WarmModels
from services.probe.question import SwitchQuestion
from services.probe.switched import switch
from tests.unit.architectures import ROWS, save
from tests.unit.tiny_models import save_model

IDS = [5, 9, 7, 11, 6, 9, 7, 12]
# name → the output projection of layer 1, and whether its weight is [in, out]
OUT = {
    "bert": ("encoder.layer.1.attention.output.dense", False),
    "gpt2": ("h.1.attn.c_proj", True),
    "llama": ("layers.1.self_attn.o_proj", False),
    "gpt_neox": ("layers.1.attention.dense", False),
    "modernbert": ("layers.1.attn.Wo", False),
}


def nothing(*_):
    pass


@pytest.fixture(scope="module", params=OUT)
def case(request, tmp_path_factory):
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    return name, load_model(str((save if name in ROWS else save_model)(folder, name)))


def outputs(loaded, off):
    answer, record = run(loaded, of_ids(loaded, IDS, nothing), off)
    return answer.last_hidden_state[0], [call.attention[0] for call in record.calls("self")]


def test_a_head_that_is_off_is_zeros_in_its_columns_of_w_o(case):
    name, loaded = case
    out, turned = OUT[name]
    other = copy.deepcopy(loaded.model)
    weight = dict(other.named_modules())[out].weight
    dim = loaded.streams[0].head_dim
    with torch.no_grad():
        for head in (1, 3):
            part = slice(head * dim, (head + 1) * dim)
            weight[part if turned else (slice(None), part)] = 0
        arguments = modality_named("text").arguments(loaded, [of_ids(loaded, IDS, nothing)])
        expected = other(**arguments).last_hidden_state[0]
    found, _ = outputs(loaded, Switches("self", frozenset({(1, 1), (1, 3)})))
    assert torch.allclose(found, expected, atol=1e-5)
    plain, _ = outputs(loaded, None)
    assert not torch.allclose(found, plain, atol=1e-3)


@pytest.mark.parametrize("key", [0, 2, 7])
def test_a_key_that_is_off_is_a_mask_without_it(case, key):
    _, loaded = case
    arguments = modality_named("text").arguments(loaded, [of_ids(loaded, IDS, nothing)])
    arguments["attention_mask"][0, key] = 0
    with torch.no_grad():
        expected = loaded.model(**arguments).last_hidden_state[0]
    found, weights = outputs(loaded, Switches("self", key=key))
    blind = loaded.streams[0].mask.visible(len(IDS), len(IDS)).copy()
    blind[:, key] = False
    sees = blind.any(axis=1)  # a query without any key attends anywhere in transformers, and to nothing here
    assert torch.allclose(found[sees], expected[sees], atol=1e-4)
    assert all(float(layer[:, :, key].max()) < 1e-9 for layer in weights)
    assert all(float(layer[:, ~sees].sum()) == 0 for layer in weights)


def test_nothing_changes_upstream_and_nothing_at_all_without_a_switch(case):
    _, loaded = case
    plain, weights = outputs(loaded, None)
    same, again = outputs(loaded, Switches("self"))
    assert torch.equal(plain, same)
    _, off = outputs(loaded, Switches("self", frozenset({(0, 2)})))
    assert torch.equal(off[0], weights[0])  # its own attention, too
    assert not torch.equal(off[1], weights[1])
    _, late = outputs(loaded, Switches("self", frozenset({(1, 2)})))
    assert all(torch.equal(one, other) for one, other in zip(late, weights, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(again, weights, strict=True))


def lm_folder(tmp_path, name, kind):
    import transformers

    folder = (save if name in ROWS else save_model)(tmp_path, name)
    model = getattr(transformers, kind).from_pretrained(folder)
    model.save_pretrained(folder)
    return folder, model.eval()


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_the_loss_is_that_of_transformers(tmp_path, name):
    folder, model = lm_folder(tmp_path, name, "AutoModelForCausalLM")
    loaded = load_model(str(folder))
    predictor = load_predictor(loaded)
    assert predictor.predicts == "next"
    with torch.no_grad():
        ids = torch.tensor([IDS])
        expected = model(ids, labels=ids).loss.item()
    found = predicted(loaded, predictor, of_ids(loaded, IDS, nothing), None)
    assert found.mean == pytest.approx(expected, rel=1e-4)
    assert found.places.tolist() == list(range(1, len(IDS)))
    off = predicted(loaded, predictor, of_ids(loaded, IDS, nothing), Switches("self", frozenset({(0, 1), (1, 3)})))
    assert abs(off.mean - found.mean) > 1e-3


def test_rises_are_of_the_second_round_alone(tmp_path):
    folder, model = lm_folder(tmp_path, "gpt2", "AutoModelForCausalLM")
    loaded = load_model(str(folder))
    before, after, random = rises(loaded, [(0, 1), (1, 3)])
    losses = []
    for ids in sequences(loaded)[:SEQUENCES]:
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor(ids)[None]).logits[0], dim=-1)
        half = len(ids) // 2
        losses += [-logs[place - 1, ids[place]].item() for place in range(half + 1, len(ids))]
    assert before == pytest.approx(np.mean(losses), rel=1e-4)
    assert after != pytest.approx(before, rel=1e-3)
    assert len(random) == 5
    ((text, passed),) = told(loaded, [(0, 1), (1, 3)])
    assert "without L0H1, L1H3 the loss" in text
    assert passed == (after - before > max(0, max(one - before for one in random)))


def test_masked_tokens_are_predicted_one_by_one(tmp_path):
    folder, model = lm_folder(tmp_path, "bert", "AutoModelForMaskedLM")
    loaded = load_model(str(folder))
    predictor = load_predictor(loaded)
    assert predictor.predicts == "masked"
    ids = loaded.tokenizer("the cat sat on the mat").input_ids
    found = predicted(loaded, predictor, of_ids(loaded, ids, nothing), None)
    assert found.places.tolist() == list(range(1, len(ids) - 1))
    for place, loss in zip(found.places, found.loss, strict=True):
        masked = torch.tensor([ids])
        masked[0, place] = loaded.tokenizer.mask_token_id
        with torch.no_grad():
            logs = torch.log_softmax(model(masked).logits[0, place], dim=-1)
        assert loss == pytest.approx(-logs[ids[place]].item(), rel=1e-3)


def test_a_model_without_a_head_predicts_nothing(case):
    name, loaded = case
    if name in ("bert", "modernbert"):
        assert load_predictor(loaded) is None


def test_random_heads_are_of_the_same_layers_and_none_of_those_that_are_off(case):
    _, loaded = case
    stream = loaded.streams[0]
    off = frozenset({(0, 1), (1, 2)})
    found = draws(stream.heads, off)
    assert len(found) == 5
    assert all(sorted(layer for layer, _ in one) == [0, 1] and not one & off for one in found)
    everything = frozenset((layer, head) for layer in range(2) for head in range(4))
    assert draws(stream.heads, everything) == draws(stream.heads, frozenset()) == []


@pytest.fixture(scope="module")
def minilm(small_atlas, tmp_path_factory):
    atlas = open_atlas(small_atlas)
    return atlas, WarmModels().of(atlas, tmp_path_factory.mktemp("models"), nothing)


def test_an_input_of_the_corpus_beside_itself(minilm, tmp_path):
    from services.probe.kept import find

    atlas, loaded = minilm
    question = SwitchQuestion(input=2, stream="self", heads=((1, 3),), key=4)
    found = switch(atlas, loaded, None, question, tmp_path, 64, nothing)
    assert found["predicts"] == "vectors"
    assert len(found["cosine"]["tokens"]) == int(atlas.tokens().counts[2])
    assert found["cosine"]["mean"] < 0.9999
    grid = np.array(found["heads"]["self"])
    assert grid.shape == (6, 12)
    kept, plain = (find(tmp_path, atlas, found[name]) for name in ("after", "before"))
    stored = atlas.attention(atlas.stream("self")).of_layer(2, 3).astype(float)
    weights = [one.array(atlas.stream("self"), "attention")[3] / 65535 for one in (plain, kept)]
    assert np.abs(weights[0] - stored).max() < 1e-3
    assert weights[1][:, :, 4].max() == 0
    expected = np.abs(weights[0] - weights[1]).sum(axis=-1).mean(axis=-1) / 2
    np.testing.assert_allclose(grid[3], expected, atol=1e-3)
    untouched = switch(atlas, loaded, None, question.untouched, tmp_path, 64, nothing)
    assert np.array(untouched["heads"]["self"]).max() == 0
    assert untouched["cosine"]["mean"] == pytest.approx(1)


def test_every_head_can_be_off(minilm, tmp_path):
    atlas, loaded = minilm
    everything = tuple((layer, head) for layer in range(6) for head in range(12))
    found = switch(
        atlas, loaded, None, SwitchQuestion(text="the cat sat", stream="self", heads=everything), tmp_path, 64, nothing
    )
    assert np.isfinite(found["cosine"]["tokens"]).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"heads": ((6, 0),)}, "no head L6H0: the model has layers 0 to 5 of heads 0 to 11"),
        ({"key": 99}, "There is no key 99"),
        ({"input": 99}, "There is no input 99"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(minilm, changes, says):
    atlas, _ = minilm
    with pytest.raises(ProbeError, match=says):
        SwitchQuestion(**{"input": 2, "stream": "self", **changes}).checked(atlas, 64)
