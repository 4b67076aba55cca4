"""A LoRA adapter given as a model is merged into its base, and attends as the two do side by side (A4)."""

import json

import pytest
import torch
import transformers
from safetensors.torch import save_file

from services.capture import capture, load_model, tokenise
from services.errors import ModelError
from services.models.files import find_model
from tests.one_line import one_line
from tests.unit.tiny_models import save_model

TEXT = "the cat sat on the mat"
RANK, ALPHA = 3, 12


class Beside(torch.nn.Module):
    """A layer with its adapter beside it: W x + s B (A x), as peft computes it while it is not merged."""

    def __init__(self, layer, a, b, scale):
        super().__init__()
        self.layer, self.a, self.b, self.scale = layer, a, b, scale

    def forward(self, x):
        if isinstance(self.layer, torch.nn.Embedding):
            return self.layer(x) + self.scale * (self.a.T[x] @ self.b.T)
        return self.layer(x) + self.scale * (x @ self.a.T @ self.b.T)


def adapter(folder, base, modules, scale=ALPHA / RANK, **config):
    """Write an adapter of some modules; and the base with the adapter beside its layers."""
    model = transformers.AutoModel.from_pretrained(base, attn_implementation="eager").eval()
    torch.manual_seed(3)
    tensors = {}
    for name in modules:
        layer = model.get_submodule(name)
        conv = type(layer).__name__ == "Conv1D"
        embedding = isinstance(layer, torch.nn.Embedding)
        out, into = layer.weight.T.shape if conv or embedding else layer.weight.shape
        a, b = torch.randn(RANK, into) * 0.3, torch.randn(out, RANK) * 0.3
        kind = "embedding_" if embedding else ""
        ending = "" if embedding else ".weight"
        tensors |= {
            f"base_model.model.{name}.lora_{kind}A{ending}": a,
            f"base_model.model.{name}.lora_{kind}B{ending}": b,
        }
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, Beside(layer, a, b, scale))
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    told = {"peft_type": "LORA", "base_model_name_or_path": str(base), "r": RANK, "lora_alpha": ALPHA, **config}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    return model


def agrees(folder, model, text=TEXT):
    """Largest difference of captured attention from that of the model with its adapter beside it."""
    loaded = load_model(str(folder))
    (item,) = tokenise(loaded, [text])
    (found,) = capture(loaded, [item])
    with torch.no_grad():
        own = model(input_ids=torch.tensor([item.ids]), output_attentions=True).attentions
    return float(abs(torch.from_numpy(found.attention) - torch.stack(own)[:, 0]).max()), loaded


@pytest.mark.parametrize(
    ("name", "modules", "scale", "config"),
    [
        ("bert", ["encoder.layer.0.attention.self.query", "encoder.layer.1.attention.self.key"], ALPHA / RANK, {}),
        ("bert", ["encoder.layer.0.attention.self.value"], ALPHA / RANK**0.5, {"use_rslora": True}),
        ("bert", ["encoder.layer.0.attention.self.query"], 5 / RANK, {"alpha_pattern": {"query": 5}}),
        ("bert", ["embeddings.word_embeddings", "encoder.layer.0.attention.self.key"], ALPHA / RANK, {}),
        ("gpt2", ["h.0.attn.c_attn", "h.1.attn.c_proj"], ALPHA / RANK, {"fan_in_fan_out": True}),
        ("llama", ["layers.0.self_attn.q_proj", "layers.1.self_attn.k_proj", "layers.0.mlp.down_proj"], 4.0, {}),
    ],
)
def test_what_is_captured_is_the_base_with_its_adapter_beside_it(name, modules, scale, config, tmp_path):
    base = save_model(tmp_path / "base", name)
    model = adapter(tmp_path / "tuned", base, modules, scale, **config)
    apart, loaded = agrees(tmp_path / "tuned", model)
    assert apart < 1e-5
    plain, _ = agrees(base, model)
    assert plain > 1e-3  # the base alone is another model
    note = "It is base with a LoRA adapter merged into its weights (rank 3, alpha 12)."
    assert note in loaded.info.notes
    assert loaded.info.id == "tuned"


def test_the_base_may_stand_beside_the_adapter_and_be_named_with_a_head_on_top(tmp_path):
    base = save_model(tmp_path / "base", "bert")
    model = adapter(tmp_path / "tuned", base, ["encoder.layer.0.attention.self.query"])
    from safetensors.torch import load_file

    file = tmp_path / "tuned" / "adapter_model.safetensors"
    tensors = {name.replace("model.encoder", "model.bert.encoder"): one for name, one in load_file(file).items()}
    save_file(tensors | {"base_model.model.classifier.modules_to_save.weight": torch.ones(2, 32)}, file)
    config = json.loads((tmp_path / "tuned" / "adapter_config.json").read_text())
    (tmp_path / "tuned" / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "base"}))
    apart, _ = agrees(tmp_path / "tuned", model)
    assert apart < 1e-5


def test_a_part_that_was_trained_as_a_whole_takes_the_place_of_the_bases(tmp_path):
    base = save_model(tmp_path / "base", "bert")
    model = adapter(tmp_path / "tuned", base, ["encoder.layer.0.attention.self.query"])
    from safetensors.torch import load_file

    file = tmp_path / "tuned" / "adapter_model.safetensors"
    new = torch.randn_like(model.get_submodule("encoder.layer.1.attention.self.key").weight)
    name = "base_model.model.encoder.layer.1.attention.self.key.modules_to_save.weight"
    save_file(load_file(file) | {name: new}, file)
    with torch.no_grad():
        model.get_submodule("encoder.layer.1.attention.self.key").weight.copy_(new)
    apart, _ = agrees(tmp_path / "tuned", model)
    assert apart < 1e-5


def test_the_revision_changes_with_the_adapter(tmp_path):
    base = save_model(tmp_path / "base", "bert")
    adapter(tmp_path / "tuned", base, ["encoder.layer.0.attention.self.query"])
    first = find_model(str(tmp_path / "tuned")).revision
    assert first.startswith("sha256:")
    assert find_model(str(tmp_path / "tuned"), revision=first).revision == first
    config = tmp_path / "tuned" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"lora_alpha": ALPHA + 1}))
    with pytest.raises(ModelError, match="not revision"):
        find_model(str(tmp_path / "tuned"), revision=first)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"peft_type": "IA3"}, "an adapter of the kind IA3, which is not merged here"),
        ({"use_dora": True}, "an adapter with use_dora, which is not merged here"),
        ({"init_lora_weights": "pissa"}, "an adapter with init_lora_weights 'pissa'"),
        ({"base_model_name_or_path": None}, "does not name the model that it is of"),
        ({"base_model_name_or_path": "../../nowhere-at-all"}, "There is no folder"),
        ({"alpha_pattern": {"(a+)+$": 3}}, "is an expression"),
    ],
)
def test_what_the_formula_does_not_cover_is_one_line(config, words, tmp_path):
    base = save_model(tmp_path / "base", "bert")
    adapter(tmp_path / "tuned", base, ["encoder.layer.0.attention.self.query"], **config)
    with pytest.raises(ModelError, match=words) as caught:
        load_model(str(tmp_path / "tuned"))
    assert one_line(caught)


def test_an_adapter_of_another_model_is_one_line(tmp_path):
    base = save_model(tmp_path / "base", "bert")
    other = save_model(tmp_path / "other", "llama")
    adapter(tmp_path / "tuned", other, ["layers.0.self_attn.q_proj"])
    file = tmp_path / "tuned" / "adapter_config.json"
    file.write_text(file.read_text().replace(str(other), str(base)))
    with pytest.raises(ModelError, match=r"that has no layers\.0\.self_attn\.q_proj") as caught:
        load_model(str(tmp_path / "tuned"))
    assert one_line(caught)


def test_an_adapter_of_an_adapter_is_one_line_even_if_it_is_its_own(tmp_path):
    base = save_model(tmp_path / "base", "bert")
    adapter(tmp_path / "tuned", base, ["encoder.layer.0.attention.self.query"])
    file = tmp_path / "tuned" / "adapter_config.json"
    file.write_text(file.read_text().replace(str(base), str(tmp_path / "tuned")))
    with pytest.raises(ModelError, match="an adapter itself: merge that one first") as caught:
        load_model(str(tmp_path / "tuned"))
    assert one_line(caught)
