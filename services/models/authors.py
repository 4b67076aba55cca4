"""Does transformers run a model as its authors do? Shapes and names of weights may fit, and attention be another.

Attention recomputed from what was captured agrees with the model that was loaded, whichever that was. So what a model's
files say of themselves is held to what was made of them: a difference is refused, or said wherever the model is.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.atlas.schema import StreamInfo
from services.errors import ModelError
from services.models.folders import ModelFolder
from services.models.weights import Header

LIBRARY_CODE = "--library-code"
# Class names of decoders that were turned to look both ways: LlamaBiModel, Qwen2EncoderModel, MistralBiForMNTP.
_BOTH_WAYS = re.compile(r"Bi(?=[A-Z])|Bidirec|Encoder")
# Buffers that earlier versions of transformers wrote beside the weights.
_BUFFERS = re.compile(
    r"(^|\.)(position_ids|token_type_ids|masked_bias|inv_freq|num_batches_tracked|embed_positions\.weights|cached_mask)$"
)
_QUERY = re.compile(r"(^|[._])(q|query|q_proj|q_lin|query_proj|c_attn|query_key_value|qkv|Wqkv|qkv_proj)\.weight$")


def check_code(folder: ModelFolder, model_class: Any, *, library_code: bool) -> ModelFolder:
    """Hold config.json to the class that will run the model; notes what a reader should know.

    library_code: run transformers' own class though the authors ship another.
    Raises: ModelError.
    """
    own, kind = model_class.__name__, folder.config.get("model_type")
    named = folder.config.get("auto_map")
    code = (
        [str(value) for key, value in named.items() if key.startswith("AutoModel")] if isinstance(named, dict) else []
    )
    if code and not library_code:
        raise ModelError(
            f"Model {folder.id} runs with code of its authors ({code[0][:80]}), which may attend in another way than"
            f" transformers' own {own} and is never run here: choose another model, or see it with {own} by"
            f" {LIBRARY_CODE}, which every view then says."
        )
    if code:
        folder = folder.noting(
            f"The authors run this model with code of their own ({code[0][:80]}), which may attend in another way:"
            f" shown is transformers' {own}."
        )
    positions = folder.config.get("position_embedding_type")
    if positions not in (None, "absolute") and "position_embedding_type" not in _source(model_class):
        raise ModelError(
            f"Model {folder.id} ({kind}): its scores add a term for distance (position_embedding_type"
            f" {str(positions)[:40]!r}) that this version of transformers does not compute."
        )
    name = _architecture(folder)
    if name and not code and not _is_known(name):
        folder = folder.noting(
            f"Its config.json names the class {name[:60]}, which transformers does not have: shown is its {own}."
        )
    return folder


def check_direction(folder: ModelFolder, streams: Iterable[StreamInfo], *, library_code: bool) -> None:
    """Hold what config.json says of the direction of attention to the masks that were seen.

    Raises: ModelError.
    """
    both, backward = _looks_both_ways(folder), _looks_back(folder.config)
    for stream in streams:
        if both and stream.mask.kind != "full" and not library_code:
            raise ModelError(
                f"Model {folder.id} is meant to attend in both directions ({both}), and transformers lets a token see"
                f" only those before it: choose another model, or see it so by {LIBRARY_CODE}."
            )
        if backward and not both and stream.mask.kind == "full":
            raise ModelError(
                f"Model {folder.id} is meant to attend to earlier tokens alone ({backward}), and transformers lets it"
                " attend in both directions: it cannot be shown."
            )


def check_leftovers(folder: ModelFolder, model: Any, report: Mapping[str, Any], headers: Mapping[str, Header]) -> None:
    """Refuse weights that have no place in the model though they belong to a part of it, as terms of its scores do.

    headers: by plain names. Heads on top of the bare model, which no attention sees, are left out silently.
    Raises: ModelError.
    """
    prefix = f"{model.base_model_prefix}." if model.base_model_prefix else ""
    parts = {name for name, _ in model.named_modules() if name}
    for key in sorted(report["unexpected_keys"]):
        inside = key.startswith(prefix) if prefix else False
        name = key.removeprefix(prefix)
        if _is_buffer(name, headers.get(key)) or not (inside or name.split(".")[0] in parts) or "pooler" in name:
            continue
        layer = re.match(r"(.*?\.?(?:layers?|h|blocks?))\.(\d+)\.", name)
        if layer and layer[1] in parts and f"{layer[1]}.{layer[2]}" not in parts:
            raise ModelError(
                f"Model {folder.id}: its files hold weights of layer {layer[2]}, and its config.json describes fewer"
                " layers: get config.json and weights of the same model."
            )
        raise ModelError(
            f"Model {folder.id}: {name[:100]} in its files has no place in transformers' {type(model).__name__}, so"
            " its attention would be another than its authors': it cannot be shown."
        )


def check_shapes(folder: ModelFolder, model: Any, report: Mapping[str, Any]) -> None:
    """Refuse weights of other sizes than config.json says; pruned heads are counted. Raises: ModelError."""
    wrong = sorted(report.get("mismatched_keys") or (), key=lambda one: one[0])
    if not wrong:
        said = folder.config.get("pruned_heads")
        layers = [layer for layer, heads in said.items() if heads] if isinstance(said, dict) else []
        if layers:
            raise ModelError(
                f"Model {folder.id}: its config.json says that heads are pruned (layer {str(layers[0])[:10]}), and its"
                " files hold the weights of all: take pruned_heads out of config.json if the whole model is meant."
            )
        return
    pruned: dict[int, int] = {}
    for key, found, expected in wrong:
        layer = re.search(r"\.(\d+)\.", f".{key}")
        fewer = [(a, b) for a, b in zip(found, expected, strict=False) if a != b]
        if layer and _QUERY.search(key) and len(fewer) == 1:
            (rows, whole), parts = fewer[0], 3 if max(expected) == 3 * min(expected) else 1
            gone, rest = divmod(whole - rows, _head_dim(model.config) * parts)
            if not rest and gone > 0:
                pruned[int(layer[1])] = gone
    if pruned:
        listed = ", ".join(f"{n} of layer {layer}" for layer, n in sorted(pruned.items())[:6])
        raise ModelError(
            f"Model {folder.id} has pruned heads ({listed}), and layers with fewer heads cannot be shown yet:"
            " choose the model before pruning."
        )
    key, found, expected = wrong[0]
    raise ModelError(
        f"Model {folder.id}: its weights cannot be loaded ({key} is {list(found)} in the files and {list(expected)}"
        " by config.json): get both of the same model."
    )


def check_gaps(folder: ModelFolder, model: Any, report: Mapping[str, Any]) -> None:
    """Refuse a model of which weights are missing; transformers would fill them with random numbers.

    The pooler, behind all attention, may be missing. Raises: ModelError.
    """
    gaps = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if not gaps:
        return
    own = type(model).__name__
    if len(gaps) == 1 and "position" in gaps[0]:
        raise ModelError(
            f"Model {folder.id}: its files hold no {gaps[0]}: it tells positions in another way than transformers'"
            f" {own} does, by code of its authors, which is never run here."
        )
    strangers = sorted(report["unexpected_keys"])
    if len(gaps) > len(list(model.state_dict())) // 2 and strangers:
        raise ModelError(
            f"Model {folder.id}: {len(gaps)} of its weights are missing in the files, {gaps[0]} for one, which name"
            f" theirs otherwise ({strangers[0][:80]}): save the model with save_pretrained(folder)."
        )
    raise ModelError(
        f"Model {folder.id}: {len(gaps)} of its weights are missing in the files, {gaps[0]} for one;"
        " get the whole model again."
    )


def inferred_type(folder: ModelFolder) -> str | None:
    """The model_type that the class named in config.json has, for files that name no model_type; None: neither."""
    import transformers

    found = getattr(transformers, _architecture(folder) or "", None)
    config_class = getattr(found, "config_class", None)
    return getattr(config_class, "model_type", None) or None


def _architecture(folder: ModelFolder) -> str | None:
    named = folder.config.get("architectures")
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None


def _is_known(name: str) -> bool:
    import transformers

    return name.isidentifier() and hasattr(transformers, name)


def _looks_both_ways(folder: ModelFolder) -> str | None:
    """What in config.json asks for attention in both directions."""
    config = folder.config
    if config.get("is_causal") is False:
        return "is_causal: false"
    for key, value in config.items():
        if "bidirectional" in key.lower() and (value is True or value == "all"):
            return f"{key}: {str(value).lower()}"
    name = _architecture(folder) or ""
    return f"its class {name[:60]}" if _BOTH_WAYS.search(name) and not _is_known(name) else None


def _looks_back(config: Mapping[str, Any]) -> str | None:
    return next((f"{key}: true" for key in ("is_causal", "is_decoder") if config.get(key) is True), None)


def _source(model_class: Any) -> str:
    """The code of a model class and its neighbours."""
    file = getattr(sys.modules.get(model_class.__module__), "__file__", None)
    return Path(file).read_text(encoding="utf-8") if file else ""


def _is_buffer(name: str, header: Header | None) -> bool:
    """Whether a left-over entry is no weight: a counter, or GPT-2's triangle of ones."""
    if _BUFFERS.search(name):
        return True
    triangle = header is not None and len(header.shape) == 4 and header.shape[-1] == header.shape[-2]
    return triangle and name.rsplit(".", 1)[-1] == "bias"


def _head_dim(config: Any) -> int:
    given = getattr(config, "head_dim", None)
    return given if isinstance(given, int) else config.hidden_size // config.num_attention_heads
