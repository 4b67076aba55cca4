"""A LoRA adapter and the model that it is of, merged: W + α/r · B A (Hu et al. 2022, section 4.1).

Written from the paper and from the files that the library peft writes, which is not needed. What the formula does not
cover (DoRA, other kinds of adapters) is refused. Embeddings keep A for tokens and B for dimensions, so that theirs is
(B A)ᵀ; layers that store their weights the other way round (GPT-2) say so by `fan_in_fan_out`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.models.weights import read_json, read_tensors

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PART = re.compile(r"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB])(?:\.default)?(?:\.weight)?")
_PLAIN = re.compile(r"[\w.]+")
_PREFIX = "base_model.model."
# Choices of peft under which more happens than the formula says.
_OTHERWISE = ("use_dora", "lora_bias", "use_qalora", "alora_invocation_tokens", "trainable_token_indices")
_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")  # others take something away from the base's weights


@dataclass(frozen=True)
class Adapter:
    """An adapter's files. base: the name or folder of the model that it is of · shown: its name for messages"""

    path: Path
    shown: str
    config: Mapping[str, Any]

    @property
    def base(self) -> str:
        return str(self.config["base_model_name_or_path"])

    @property
    def file(self) -> Path:
        return self.path / WEIGHTS


def read_adapter(path: Path, shown: str) -> Adapter:
    """What an adapter says of itself.

    Raises:
        ModelError: it cannot be merged by the formula above, or its weights are not there.
    """
    config = read_json(path / CONFIG, shown, "")
    kind = config.get("peft_type")
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str) or not base.strip():
        raise ModelError(f"Model {shown} is an adapter, and its {CONFIG} does not name the model that it is of.")
    merged = f"merge it with {base[:100]} by model.merge_and_unload(), save_pretrained(folder), and give that folder"
    wrong = next((name for name in _OTHERWISE if config.get(name)), None)
    start = config.get("init_lora_weights")
    wrong = wrong if start in _STARTS else f"init_lora_weights {str(start)[:40]!r}"
    if kind != "LORA" or wrong:
        what = f"of the kind {str(kind)[:40]}" if kind != "LORA" else f"with {wrong}"
        raise ModelError(f"Model {shown} is an adapter {what}, which is not merged here: {merged}.")
    if not (path / WEIGHTS).is_file():
        raise ModelError(f"Model {shown} is an adapter without {WEIGHTS}: {merged}.")
    return Adapter(path, shown, config)


def merged(tensors: dict[str, Any], adapter: Adapter) -> dict[str, Any]:
    """A base's tensors with the adapter added.

    Raises:
        ModelError: it changes what the base does not have, or of another size.
    """
    parts: dict[str, dict[str, Any]] = {}
    found = dict(tensors)
    for name, values in read_tensors([adapter.file], adapter.shown).items():
        short = name.removeprefix(_PREFIX).replace(".modules_to_save", "").replace(".base_layer", "")
        part = _PART.fullmatch(short)
        if part is None:
            target = _target(found, short)
            if ".lora_" in short or (target is None and _inside(found, short)):
                raise ModelError(
                    f"Model {adapter.shown}: {name[:100]} of the adapter is not known here: merge it first."
                )
            if target is not None:  # trained as a whole; heads on top have no place and need none
                found[target] = _same_shape(adapter, target, values[...], found[target][...])
            continue
        parts.setdefault(part["module"], {})[part["side"]] = values[...].float()
        parts[part["module"]]["embedding"] = part["embedding"]
    for module, pair in parts.items():
        target = _target(found, f"{module}.weight")
        if target is None or not {"A", "B"} <= pair.keys():
            raise ModelError(
                f"Model {adapter.shown} is an adapter of another model than {adapter.base[:100]}: that has no"
                f" {module[:100]}."
            )
        own = found[target][...].float()
        added = _scale(adapter, module, pair["A"].shape[0]) * (pair["B"] @ pair["A"])
        if adapter.config.get("fan_in_fan_out") or pair["embedding"]:
            added = added.T
        found[target] = own + _same_shape(adapter, target, added, own)
    return found


def _scale(adapter: Adapter, module: str, rank: int) -> float:
    """α/r, or α/√r where the adapter says so (Kalajdzievski 2023); modules may have an α of their own."""
    alpha = _of_module(adapter.config.get("alpha_pattern"), module)
    value = float(adapter.config.get("lora_alpha", rank) if alpha is None else alpha)
    return value / (math.sqrt(rank) if adapter.config.get("use_rslora") else rank)


def _of_module(patterns: Any, module: str) -> Any:
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if not _PLAIN.fullmatch(pattern):
            raise ModelError(f"The adapter's alpha_pattern {pattern[:60]!r} is an expression: merge the adapter first.")
        if f".{module}".endswith(f".{pattern}"):
            return value
    return None


def _target(tensors: Mapping[str, Any], name: str) -> str | None:
    """The base's tensor of a name, which either may write with a prefix more."""
    if name in tensors:
        return name
    near = [one for one in tensors if one.endswith(f".{name}") or name.endswith(f".{one}")]
    return near[0] if len(near) == 1 else None


def _inside(tensors: Mapping[str, Any], name: str) -> bool:
    """Whether a tensor would belong into a layer of the base."""
    layer = re.search(r"[^.]+\.\d+\.", name)
    return layer is not None and any(layer[0] in one for one in tensors)


def _same_shape(adapter: Adapter, target: str, values: Any, own: Any) -> Any:
    if values.shape != own.shape:
        raise ModelError(
            f"Model {adapter.shown} is an adapter of another model than {adapter.base[:100]}: its {target[:80]} is"
            f" {list(values.shape)}, and there {list(own.shape)}."
        )
    return values
