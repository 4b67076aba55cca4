"""Models load safely, and each thing that can be wrong with one is one clear line."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from fake_hub import COMMIT, serve
from safetensors.torch import load_file, save_file
from tiny_models import SMALL, make_tokenizer, save_model

from services.capture import load_model
from services.capture.refusals import REASONS
from services.errors import ModelError
from services.models import files as model_files
from services.models import weights
from services.models.files import check_model_name
from services.settings import Settings
from tests.patience import ends

torch.set_num_threads(1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bert(tmp_path):
    return save_model(tmp_path / "model", "bert")


def change_config(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusal(name, **options):
    """The message of the ModelError that loading gives: one line that names the model."""
    with pytest.raises(ModelError) as caught:
        load_model(str(name), **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    assert Path(name).name in message
    return message


# Names


@pytest.mark.parametrize("name", ["minilm", "org/name", "gpt2", "sentence-transformers/all-MiniLM-L6-v2", "a/b.c_d-e"])
def test_names_that_may_be_models(name):
    assert check_model_name(name) == name


def test_folder_is_a_name(tmp_path):
    assert check_model_name(f" {tmp_path} ") == str(tmp_path)


@pytest.mark.parametrize("name", ["", "  ", "a b", "x\x00y", "a\nb", "org/na me", "-x", "a..b/c", None, 7, "é/x"])
def test_names_that_cannot_be(name):
    with pytest.raises(
        ModelError,
        match=r"is no model name: give 'minilm', .*'rxnmapper', a hub id like 'org/name', or a folder\.",
    ):
        check_model_name(name)


@pytest.mark.parametrize("name", ["./none", "/none/at/all", "~/none-such", "../../etc/none", "a/b/c", "C:\\models"])
def test_paths_without_folder(name):
    with pytest.raises(ModelError, match=r"There is no folder .*: check the path of the model\."):
        check_model_name(name)


def test_address_is_not_a_name():
    with pytest.raises(ModelError, match="is an address: give the model's id alone, like 'org/name'"):
        check_model_name("https://huggingface.co/org/name")


def test_a_name_is_checked_without_torch():
    code = "import sys, services.models.loading; from services.models.files import check_model_name;"
    code += "check_model_name('minilm');"
    code += "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# What works


def test_minilm_needs_no_network(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the network was asked"))
    loaded = load_model("minilm")
    assert loaded.info.id == "sentence-transformers/all-MiniLM-L6-v2"
    assert loaded.info.architecture == "BertModel"
    assert loaded.info.parameters == 22_713_216
    assert loaded.max_tokens == 512
    assert loaded.device == "cpu"
    assert not loaded.model.training
    weights = model_files.find_model("minilm").weights[0]
    assert loaded.info.revision == f"sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()}"
    again = model_files.find_model(loaded.info.id, revision=loaded.info.revision)  # as an atlas records it
    assert again.revision == loaded.info.revision


def test_folder_with_a_task_head_on_top(tmp_path):
    tokenizer = make_tokenizer("wordpiece")
    config = transformers.BertConfig(**SMALL, vocab_size=len(tokenizer))
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path))
    saved = load_file(tmp_path / "model.safetensors")["bert.encoder.layer.1.attention.self.query.weight"]
    assert torch.equal(loaded.model.encoder.layer[1].attention.self.query.weight, saved)


def test_half_precision_weights_become_float32(tmp_path, bert):
    half = load_file(bert / "model.safetensors")
    save_file({key: tensor.half() for key, tensor in half.items()}, bert / "model.safetensors", {"format": "pt"})
    assert {parameter.dtype for parameter in load_model(str(bert)).model.parameters()} == {torch.float32}


def test_sharded_weights_and_their_revision(bert):
    tensors = load_file(bert / "model.safetensors")
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for file, keys in shards.items():
        save_file({key: tensors[key] for key in keys}, bert / file, {"format": "pt"})
    (bert / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {key: file for file, keys in shards.items() for key in keys}}
    (bert / "model.safetensors.index.json").write_text(json.dumps(index))
    content = b"".join((bert / file).read_bytes() for file in sorted(shards))
    assert load_model(str(bert)).info.revision == f"sha256:{hashlib.sha256(content).hexdigest()}"

    (bert / "model-00002-of-00002.safetensors").unlink()
    assert "the weight file model-00002-of-00002.safetensors is missing" in refusal(bert)
    index["weight_map"][names[0]] = "../../secret.safetensors"
    (bert / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "names no weight files" in refusal(bert)


def test_positions_behind_the_padding_row_are_counted(tmp_path):
    """RoBERTa's table of 64 rows serves 62 tokens: one more would read outside it."""
    assert load_model(str(save_model(tmp_path, "roberta"))).max_tokens == 62


def test_revision_of_a_folder_is_checked(bert):
    revision = load_model(str(bert)).info.revision
    assert load_model(str(bert), revision=revision).info.revision == revision
    assert "is a local folder whose weights are sha256:" in refusal(bert, revision="sha256:00")
    assert "leave the revision out" in refusal(bert, revision="main")


def test_settings_of_transformers_are_left_alone(bert):
    before = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    load_model(str(bert))
    assert (transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()) == before


# What is wrong with a folder


def test_folder_without_config(tmp_path):
    message = refusal(tmp_path)
    assert "the folder has no config.json; save the model with save_pretrained(folder)" in message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe{}", b"[" * 100_000])
def test_config_that_is_no_json_object(bert, content):
    (bert / "config.json").write_bytes(content)
    assert "get the file again" in refusal(bert)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": None, "architectures": None}, "config.json names no model_type; add the line"),
        ({"model_type": "nonesuch"}, "is of type 'nonesuch', which transformers"),
        (
            {"model_type": "nonesuch", "auto_map": {"AutoModel": "code.Model"}},
            "needs code from its own repository",
        ),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "has quantised weights"),
        ({"is_encoder_decoder": True}, "that it writes one text while reading another, and it has no decoder"),
        ({"num_attention_heads": 5}, "describes no possible model"),
        ({"num_attention_heads": 0}, "Model "),
        ({"num_hidden_layers": "many"}, "transformers does not accept its config.json"),
        ({"hidden_size": 64}, "its weights cannot be loaded"),
        ({"num_hidden_layers": 3}, "of its weights are missing in the files, encoder.layer.2."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_config_that_does_not_fit(bert, changes, message):
    change_config(bert, **changes)
    assert message in refusal(bert)


def test_pickled_weights_are_tensors_or_are_refused_unopened(bert, monkeypatch):
    tensors = load_file(bert / "model.safetensors")
    (bert / "model.safetensors").unlink()
    torch.save(tensors, bert / "pytorch_model.bin")
    loaded = load_model(str(bert))
    assert torch.equal(loaded.model.embeddings.word_embeddings.weight, tensors["embeddings.word_embeddings.weight"])

    opened = bert / "opened"
    (bert / "pytorch_model.bin").write_bytes(f"cos\nsystem\n(S'touch {opened}'\ntR.".encode())
    assert "pytorch_model.bin is damaged, or holds more than tensors, which is never opened" in refusal(bert)
    torch.save(["no", "table"], bert / "pytorch_model.bin")
    assert "pytorch_model.bin is no table of tensors" in refusal(bert)
    assert not opened.exists()

    torch.save(tensors, bert / "pytorch_model.bin")
    monkeypatch.setattr(weights, "load_settings", lambda: Settings(pickled_weights=False))
    assert "only pytorch_model.bin, and ATLAS_PICKLED_WEIGHTS turns such files off" in refusal(bert)
    (bert / "pytorch_model.bin").unlink()
    assert "has no weights (model.safetensors)" in refusal(bert)


def test_sharded_pickled_weights(bert):
    tensors = load_file(bert / "model.safetensors")
    names = sorted(tensors)
    shards = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    for file, keys in shards.items():
        torch.save({key: tensors[key] for key in keys}, bert / file)
    index = {"weight_map": {key: file for file, keys in shards.items() for key in keys}}
    (bert / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (bert / "model.safetensors").unlink()
    assert load_model(str(bert)).info.parameters == sum(tensor.numel() for tensor in tensors.values())


def test_code_in_the_folder_is_never_run(bert):
    (bert / "code.py").write_text(f"open({str(bert / 'was-run')!r}, 'w')\nclass Model: pass\nclass Tokenizer: pass\n")
    change_config(bert, auto_map={"AutoModel": "code.Model", "AutoConfig": "code.Model"})
    file = bert / "tokenizer_config.json"
    content = json.loads(file.read_text()) | {"auto_map": {"AutoTokenizer": ["code.Tokenizer", "code.Tokenizer"]}}
    file.write_text(json.dumps(content))
    try:
        load_model(str(bert))
    except ModelError as error:
        assert bert.name in str(error)  # noqa: PT017 - either is fine, running the code is not
    assert not (bert / "was-run").exists()


def test_attention_named_in_the_config_is_not_fetched(bert):
    change_config(bert, _attn_implementation="somebody/kernel", attn_implementation="somebody/kernel")
    assert load_model(str(bert)).model.config._attn_implementation == "eager"


@pytest.mark.parametrize("kept", [0, 4, 100, 20_000])
def test_damaged_weights(bert, kept):
    file = bert / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    assert "the weight file model.safetensors is damaged or cut short; get it again" in refusal(bert)


def test_weights_that_are_not_numbers(bert):
    tensors = load_file(bert / "model.safetensors")
    tensors["encoder.layer.0.attention.self.query.weight"][:] = float("nan")
    save_file(tensors, bert / "model.safetensors", {"format": "pt"})
    assert "gives attention that is not a number; its weights may be damaged" in refusal(bert)


def test_folder_without_tokenizer(bert):
    (bert / "tokenizer.json").unlink()
    assert "has no tokenizer (no tokenizer.json or vocabulary file): save one" in refusal(bert)


def test_damaged_tokenizer(bert):
    (bert / "tokenizer.json").write_text("{")
    assert "its tokenizer cannot be read" in refusal(bert)


def test_tokenizer_of_another_model(bert):
    make_tokenizer("metaspace").save_pretrained(bert)
    assert "tokenizer and model do not belong together" in refusal(bert)


def test_memory_is_looked_at_before_it_is_taken(bert, monkeypatch):
    monkeypatch.setattr(model_files, "available_bytes", lambda: 2000)
    assert "needs 82 kB of memory and 2 kB are free: close other programs" in refusal(bert)


def test_a_huge_model_is_refused_at_once(bert):
    change_config(bert, hidden_size=2**20, num_attention_heads=2**10, intermediate_size=2**22)
    with ends():
        assert "GB are free" in refusal(bert)


def test_memory_that_runs_out_while_loading(bert, monkeypatch):
    def full(*_args, **_kwargs):
        raise MemoryError

    monkeypatch.setattr(transformers.BertModel, "from_pretrained", full)
    assert "does not fit into memory: choose a smaller model" in refusal(bert)


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", ""])
def test_devices_that_are_not_here(bert, device):
    assert f"there is no device {device!r} here: use 'cpu'" in refusal(bert, device=device)


# Architectures that would be captured wrongly


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (transformers.ViTMAEConfig(), "it hides three of four patches at random"),
        (transformers.BlipConfig(), "it joins several networks, and only models of text and of images"),
    ],
    ids=lambda value: getattr(value, "model_type", ""),
)
def test_architectures_refused_with_their_reason(tmp_path, config, reason):
    config.save_pretrained(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors", {"format": "pt"})
    make_tokenizer("bytes").save_pretrained(tmp_path)
    message = refusal(tmp_path)
    assert reason in message
    assert config.model_type in message


def test_heads_that_differ_between_layers_are_streams_of_their_own(bert, monkeypatch):
    def uneven(self, config, **kwargs):
        original(self, config, **kwargs)
        attention = self.layer[1].attention.self
        attention.num_attention_heads, attention.attention_head_size = 2, 16

    encoder = transformers.models.bert.modeling_bert.BertEncoder
    original = encoder.__init__
    monkeypatch.setattr(encoder, "__init__", uneven)
    found = [(one.name, one.layer_numbers) for one in load_model(str(bert)).streams]
    assert found == [("self_4x8", (0,)), ("self_2x16", (1,))]


def test_a_model_that_fails_in_the_trial_run(bert, monkeypatch):
    def broken(*_args, **_kwargs):
        raise TypeError("unexpected argument\nand more lines")

    monkeypatch.setattr(transformers.models.bert.modeling_bert.BertEncoder, "forward", broken)
    assert "cannot be captured: a trial run failed (unexpected argument)" in refusal(bert)


# The hub


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return monkeypatch


def test_offline_without_copy(no_cache):
    message = refusal("org/name", offline=True)
    assert "is not on this machine and the network is off (offline): connect once to fetch it" in message


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
def test_hub_that_cannot_be_reached(no_cache, kind):
    """A port where no one listens, and one that takes the call and says nothing."""
    from huggingface_hub import constants

    no_cache.setattr(model_files, "HUB_SECONDS", 0.5)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "is silent":
            listener.listen()
        no_cache.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with ends():
            message = refusal("org/name")
    assert "huggingface.co cannot be reached: connect once to fetch it, give a local folder, or use" in message


FIND = """
import sys
from services.errors import ModelError
from services.models.files import find_model
name, offline, revision = sys.argv[1:]
try:
    found = find_model(name, offline=offline == "offline", revision=revision or None)
    print(found.id, found.revision, sorted(file.name for file in found.path.iterdir()))
except ModelError as error:
    print("refused:", error)
"""


def find(name, address, home, *, offline="", revision=""):
    """`find_model` in a process of its own, since the hub's client reads its address when it is imported."""
    env = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    env = {key: value for key, value in env.items() if key not in {"HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"}}
    done = subprocess.run(
        [sys.executable, "-c", FIND, name, offline, revision],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_download_from_the_hub_and_back_from_the_cache(bert, tmp_path):
    (bert / "code.py").write_text("raise SystemExit")
    (bert / "pytorch_model.bin").write_bytes(b"pickle")
    (bert / "onnx").mkdir()
    (bert / "onnx" / "config.json").write_text("{}")
    files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    with serve({"org/tiny": bert}) as (address, asked):
        assert find("org/tiny", address, tmp_path / "hf") == f"org/tiny {COMMIT} {files}"
        assert not [path for path in asked if "resolve" in path and path.endswith((".py", ".bin", "onnx/config.json"))]
        before = len(asked)
        assert find("org/tiny", address, tmp_path / "hf", offline="offline").startswith(f"org/tiny {COMMIT}")
        assert len(asked) == before
    # The hub is gone: the copy serves.
    assert find("org/tiny", address, tmp_path / "hf").startswith(f"org/tiny {COMMIT}")
    assert find("org/tiny", address, tmp_path / "hf", revision=COMMIT).startswith(f"org/tiny {COMMIT}")


def test_what_the_hub_may_answer(bert, tmp_path):
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text("{}")
    (pickled / "pytorch_model.bin").write_bytes(b"pickle")
    with serve({"org/tiny": bert, "org/pickled": pickled}) as (address, asked):
        answer = find("org/none", address, tmp_path / "hf")
        assert answer.startswith("refused: There is no model org/none on the hub and no such folder here")
        answer = find("org/gated", address, tmp_path / "hf")
        assert answer.startswith("refused: Model org/gated is gated: accept its licence")
        answer = find("org/tiny", address, tmp_path / "hf", revision="no-such")
        assert answer.startswith("refused: Model org/tiny has no revision 'no-such' on the hub")
        answer = find("org/pickled", address, tmp_path / "hf")
        assert answer == f"org/pickled {COMMIT} ['config.json', 'pytorch_model.bin']"
        asked.clear()
        (pickled / "pytorch_model.bin").rename(pickled / "model.ckpt.pt")
        answer = find("org/pickled", address, tmp_path / "hf")
        assert answer.startswith("refused: Model org/pickled has no safetensors weights, only model.ckpt.pt")
        assert not [path for path in asked if "resolve" in path]


def test_every_reason_names_a_type_that_transformers_knows():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    assert set(REASONS) <= set(CONFIG_MAPPING)
