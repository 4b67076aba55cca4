"""What a model is by its configuration and the headers of its weights alone: no torch, no numbers read."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.models.folders import ModelFolder

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers")
_HEADS = ("num_attention_heads", "n_head", "num_heads", "n_heads", "encoder_attention_heads")
_WIDTH = ("hidden_size", "n_embd", "d_model", "dim")
_LONGEST = ("max_position_embeddings", "n_positions", "max_sequence_length", "n_ctx")
_HEADER_MOST = 100_000_000  # bytes, as safetensors itself allows
# How families write themselves; one that is not here is written as its configuration does.
_SPELLED = {
    "bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT", "xlm-roberta": "XLM-R", "electra": "ELECTRA",
    "albert": "ALBERT", "deberta-v2": "DeBERTa", "mpnet": "MPNet", "modernbert": "ModernBERT", "gpt2": "GPT-2",
    "gpt_neo": "GPT-Neo", "gpt_neox": "GPT-NeoX", "opt": "OPT", "llama": "Llama", "mistral": "Mistral",
    "qwen2": "Qwen2", "qwen3": "Qwen3", "gemma": "Gemma", "gemma2": "Gemma 2", "phi": "Phi", "t5": "T5",
    "bart": "BART", "marian": "Marian", "vit": "ViT", "deit": "DeiT", "dinov2": "DINOv2", "dinov3_vit": "DINOv3",
    "clip": "CLIP", "siglip": "SigLIP", "beit": "BEiT", "longformer": "Longformer",
}  # fmt: skip
_DECODERS = (
    "gpt", "llama", "mistral", "mixtral", "qwen", "gemma", "phi", "opt", "bloom", "falcon", "smollm", "olmo", "granite",
    "cohere", "codegen", "starcoder",
)  # fmt: skip


WRITER = "encoder–decoder"


@dataclass(frozen=True)
class Part:
    """Attention layers of one shape."""

    layers: int
    heads: int
    key_heads: int
    head_dim: int


@dataclass(frozen=True)
class Outline:
    """family: as it writes itself · kind: encoder, decoder or encoder–decoder · parts: its kinds of attention
    parameters: numbers in its weights · longest: the most tokens of an input, None where it does not say
    """

    family: str
    kind: str
    parts: tuple[Part, ...]
    parameters: int
    longest: int | None

    @property
    def words(self) -> str:
        """ "BERT, 12 × 12 heads, encoder"."""
        first = self.parts[0]
        return f"{self.family}, {first.layers} × {first.heads} heads, {self.kind}"


def outline(folder: ModelFolder) -> Outline:
    """
    Raises:
        ModelError: its configuration does not say how many heads it has.
    """
    whole = folder.config
    config = whole.get("vision_config") if isinstance(whole.get("vision_config"), dict) else whole
    assert isinstance(config, dict)
    layers, heads, width = (_number(config, names) for names in (_LAYERS, _HEADS, _WIDTH))
    if not layers or not heads:
        raise ModelError(f"Model {folder.id}: its config.json does not say how many layers and heads it has.")
    dim = _number(config, ("head_dim", "d_kv")) or max(1, (width or 64 * heads) // heads)
    own = Part(layers, heads, _number(config, ("num_key_value_heads",)) or heads, dim)
    kind = str(whole.get("model_type") or "")
    parts: tuple[Part, ...] = (own,)
    if whole.get("is_encoder_decoder"):
        decoder = _number(config, ("num_decoder_layers", "decoder_layers")) or layers
        seen = Part(decoder, _number(config, ("decoder_attention_heads",)) or heads, own.key_heads, dim)
        parts = (own, seen, seen)  # itself, its own words, the words it translates
    return Outline(
        family=_SPELLED.get(kind, kind or "A model"),
        kind=WRITER if len(parts) > 1 else "decoder" if _decodes(whole, kind) else "encoder",
        parts=parts,
        parameters=sum(_numbers_in(file, folder.id) for file in folder.weights),
        longest=_number(config, _LONGEST),
    )


def _decodes(config: Mapping[str, Any], kind: str) -> bool:
    named = config.get("architectures") or ()
    causal = any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in named if isinstance(name, str))
    return bool(config.get("is_decoder")) or causal or kind.startswith(_DECODERS)


def _number(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    found = (config.get(name) for name in names)
    return next(
        (value for value in found if isinstance(value, int) and not isinstance(value, bool) and value > 0), None
    )


def _numbers_in(file: Path, shown_id: str) -> int:
    """Numbers in a weight file by its header; half the bytes of a pickle, which is not opened for that."""
    if file.suffix != ".safetensors":
        return file.stat().st_size // 2
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _HEADER_MOST:
                raise ValueError(length)
            tensors = json.loads(stream.read(length))
        total = 0
        for name, tensor in tensors.items():
            if name != "__metadata__":
                size = 1
                for side in tensor["shape"]:
                    size *= int(side)
                total += size
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as error:
        raise ModelError(
            f"Model {shown_id}: the weight file {file.name} is damaged or cut short; get it again."
        ) from error
    return total
