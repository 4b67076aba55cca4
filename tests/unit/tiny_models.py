"""Tiny models with random weights, one of each architecture, and tiny tokenizers, for tests."""

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

WORDS = ["the", "cat", "sat", "on", "mat", "because", "it", "was", "tired", ".", ",", "dog", "##ed"]
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
POSITIONS = {"max_position_embeddings": 64}
NO_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
GROUPED = {**SMALL, **POSITIONS, **NO_ENDS, "num_key_value_heads": 2}

# name → (configuration class, its arguments, kind of tokenizer)
ARCHITECTURES = {
    "bert": ("BertConfig", {**SMALL, **POSITIONS}, "wordpiece"),
    "roberta": ("RobertaConfig", {**SMALL, **POSITIONS, "pad_token_id": 1}, "bytes"),
    "distilbert": (
        "DistilBertConfig",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, **POSITIONS},
        "wordpiece",
    ),
    "electra": ("ElectraConfig", {**SMALL, **POSITIONS, "embedding_size": 16}, "wordpiece"),
    "albert": ("AlbertConfig", {**SMALL, **POSITIONS, "embedding_size": 16}, "wordpiece"),
    "modernbert": (
        "ModernBertConfig",
        {**SMALL, **POSITIONS, **NO_ENDS, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 6,
         "layer_types": ["full_attention", "sliding_attention"]},
        "wordpiece",
    ),
    "gpt2": (
        "GPT2Config",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "scale_attn_by_inverse_layer_idx": True,
         "bos_token_id": 1, "eos_token_id": 2},
        "bytes",
    ),
    "gpt_neox": ("GPTNeoXConfig", {**SMALL, **POSITIONS, **NO_ENDS}, "bytes"),
    "opt": (
        "OPTConfig",
        {**SMALL, **POSITIONS, "ffn_dim": 48, "word_embed_proj_dim": 32,
         "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2},
        "bytes",
    ),
    "llama": ("LlamaConfig", GROUPED, "metaspace"),
    "mistral": ("MistralConfig", {**GROUPED, "sliding_window": 5}, "metaspace"),
    "qwen2": ("Qwen2Config", GROUPED, "bytes"),
    "qwen3": ("Qwen3Config", {**GROUPED, "head_dim": 16}, "bytes"),
    "phi": ("PhiConfig", {**SMALL, **POSITIONS, **NO_ENDS}, "bytes"),
    "gemma2": (
        "Gemma2Config",
        {**GROUPED, "head_dim": 8, "query_pre_attn_scalar": 20, "attn_logit_softcapping": 2.0,
         "sliding_window": 5},
        "metaspace",
    ),
    "gpt_oss": (
        "GptOssConfig",
        {**GROUPED, "head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1, "sliding_window": 5},
        "bytes",
    ),
}  # fmt: skip


def save_model(folder: Path, name: str, **changes: object) -> Path:
    """Save a tiny model of an architecture in ARCHITECTURES, its configuration changed, and a tokenizer."""
    config_class, arguments, kind = ARCHITECTURES[name]
    tokenizer = make_tokenizer(kind)
    config = getattr(transformers, config_class)(**{**arguments, "vocab_size": len(tokenizer), **changes})
    torch.manual_seed(7)
    model = transformers.AutoModel.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # The usual small weights make attention nearly uniform, which would hide errors.
            parameter.add_(torch.randn_like(parameter) * 0.2)
    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer(kind: str) -> transformers.PreTrainedTokenizerFast:
    """A small tokenizer like BERT's ("wordpiece"), GPT-2's ("bytes", no padding) or Llama's ("metaspace")."""
    make = {"wordpiece": _wordpiece, "bytes": _bytes, "metaspace": _metaspace}[kind]
    tokenizer, names = make()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def _wordpiece() -> tuple[Tokenizer, dict[str, str]]:
    letters = [chr(c) for c in range(97, 123)]
    special = [f"[{name}]" for name in ("PAD", "CLS", "SEP", "UNK", "MASK")]
    pieces = [*special, *letters, *("##" + letter for letter in letters), *WORDS]
    tokenizer = Tokenizer(models.WordPiece(_numbered(pieces), unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return tokenizer, {f"{name[1:-1].lower()}_token": name for name in special}


def _bytes() -> tuple[Tokenizer, dict[str, str]]:
    pieces = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġc", "at", "Ġcat"]
    tokenizer = Tokenizer(models.BPE(_numbered(pieces), [("Ġ", "c"), ("a", "t"), ("Ġc", "at")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>"}


def _metaspace() -> tuple[Tokenizer, dict[str, str]]:
    letters, bytes_ = [chr(c) for c in range(33, 127)], [f"<0x{b:02X}>" for b in range(256)]
    pieces = ["<unk>", "<s>", "</s>", *bytes_, "▁", *letters, "▁c", "at", "▁cat"]
    merges = [("▁", "c"), ("a", "t"), ("▁c", "at")]
    model = models.BPE(_numbered(pieces), merges, byte_fallback=True, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def _numbered(pieces: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(pieces)}
