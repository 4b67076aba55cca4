"""Weight files: which there are, what their headers say, and their tensors under the names that a model has for them.

Safetensors first. Where there are none, `pytorch_model.bin` by PyTorch's restricted unpickler, which makes tensors and
plain containers and refuses everything else (`weights_only=True`); every other pickle stays closed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.settings import load_settings

WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"
PICKLED_INDEX = "pytorch_model.bin.index.json"
_PAIRS = ((WEIGHTS, WEIGHTS_INDEX), (PICKLED, PICKLED_INDEX))

# What torch.compile, DistributedDataParallel and FSDP put into the names of a wrapped model's weights.
_WRAPPERS = re.compile(r"(?:(?<=\.)|^)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
_PARALLEL = "module."
# Names by GPTQ, AWQ, MXFP4, FP8, compressed-tensors and bitsandbytes.
_PACKED = re.compile(
    r"(^|[._])(qweight|qzeros|g_idx|scales|blocks|weight_scale|weight_scale_inv|weight_packed|weight_zero_point|"
    r"input_scale|absmax|quant_map|SCB)$|\.quant_state\."
)
_ADAPTER = re.compile(r"\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|base_layer|ia3_l|adapters)\.")
_NUMBERS = {"F64", "F32", "F16", "BF16"}  # safetensors' names


@dataclass(frozen=True)
class Header:
    """A tensor without its numbers; plain: they are floating-point numbers of 16 bits or more."""

    shape: tuple[int, ...]
    plain: bool

    @property
    def size(self) -> int:
        found = 1
        for length in self.shape:
            found *= length
        return found


def read_json(file: Path, shown_id: str, missing: str) -> dict[str, Any]:
    """A JSON object. Raises: ModelError; `missing` begins the message when there is no such file."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{missing} save the model with save_pretrained(folder) and give that folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"Model {shown_id}: {file.name} cannot be read as JSON; get the file again.") from error
    if not isinstance(content, dict):
        raise ModelError(f"Model {shown_id}: {file.name} is not a JSON object; get the file again.")
    return content


def find_weights(path: Path, shown_id: str) -> tuple[Path, ...]:
    """The weight files of a folder, sorted by name. Raises: ModelError."""
    for whole, index_name in _PAIRS:
        if whole == PICKLED and not load_settings().pickled_weights:
            continue
        if (path / whole).is_file():
            return (path / whole,)
        if not (path / index_name).is_file():
            continue
        index = read_json(path / index_name, shown_id, "")
        shards = index.get("weight_map")
        names = sorted({str(name) for name in shards.values()}) if isinstance(shards, dict) else []
        if not names or any(Path(name).name != name for name in names):
            raise ModelError(f"Model {shown_id}: {index_name} names no weight files; get the file again.")
        lost = [name for name in names if not (path / name).is_file()]
        if lost:
            raise ModelError(f"Model {shown_id}: the weight file {lost[0]} is missing; get the model again.")
        return tuple(path / name for name in names)
    raise no_weights(shown_id, [file.name for file in path.glob("*")])


def has_weights(files: Iterable[str]) -> str | None:
    """The ending of those weight files among some that would be read: ".safetensors", ".bin"; None: there are none."""
    names = set(files)
    if names & {WEIGHTS, WEIGHTS_INDEX}:
        return ".safetensors"
    return ".bin" if names & {PICKLED, PICKLED_INDEX} and load_settings().pickled_weights else None


def no_weights(shown_id: str, files: Iterable[str]) -> ModelError:
    """The refusal of a folder of these files, none of which are weights that would be read."""
    others = sorted(name for name in files if Path(name).suffix in {".bin", ".pt", ".pth", ".h5", ".msgpack"})
    if PICKLED in others or any(re.fullmatch(r"pytorch_model-\d+-of-\d+\.bin", name) for name in others):
        return ModelError(
            f"Model {shown_id} has no safetensors weights, only {others[0]}, and ATLAS_PICKLED_WEIGHTS turns such files"
            " off: convert it with save_pretrained(folder) where you trust it."
        )
    others = [name for name in others if name not in {"training_args.bin", "optimizer.pt", "scheduler.pt"}]
    if others:
        return ModelError(
            f"Model {shown_id} has no safetensors weights, only {others[0]}, and such a file can run code"
            " when it is opened: convert it where you trust it, with save_pretrained(folder), and give that"
            " folder."
        )
    return ModelError(
        f"Model {shown_id} has no weights ({WEIGHTS}): save it with save_pretrained(folder) and give that folder."
    )


def read_headers(files: Iterable[Path], shown_id: str) -> dict[str, Header]:
    """Names, shapes and kinds of all tensors; no numbers are read. Raises: ModelError when a file is damaged."""
    found: dict[str, Header] = {}
    for file in files:
        if file.suffix == ".bin":
            for name, tensor in _unpickled(file, shown_id, "meta").items():
                found[name] = Header(tuple(tensor.shape), tensor.is_floating_point() and tensor.element_size() > 1)
            continue
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - not a dict
                    part = tensors.get_slice(name)
                    found[name] = Header(tuple(part.get_shape()), part.get_dtype() in _NUMBERS)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"Model {shown_id}: the weight file {file.name} is damaged or cut short; get it again."
            ) from error
    return found


def refuse_packed(headers: Mapping[str, Header], shown_id: str) -> None:
    """Raises: ModelError when tensors are not a model's own weights: quantised, or those of an adapter."""
    for name, header in headers.items():
        if _ADAPTER.search(f".{name}"):
            raise ModelError(
                f"Model {shown_id}: its weights hold an adapter that is not merged ({name[:80]}): merge it with"
                " model.merge_and_unload(), save the model, and give that folder."
            )
        if _PACKED.search(name) or (name.endswith(".weight") and not header.plain):
            raise ModelError(
                f"Model {shown_id} has quantised weights ({name[:80]}), though its config.json does not say so:"
                " choose its full-precision version."
            )


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Each name → the same without what wrappers of a model in training put into it."""
    found = {name: _WRAPPERS.sub("", name) for name in names}
    while found and all(name.startswith(_PARALLEL) for name in found.values()):
        found = {name: _WRAPPERS.sub("", short.removeprefix(_PARALLEL)) for name, short in found.items()}
    return found


def read_tensors(files: Iterable[Path], shown_id: str) -> dict[str, Any]:
    """All tensors by their plain names; those of safetensors are read when they are needed. Raises: ModelError."""
    from safetensors import safe_open

    found: dict[str, Any] = {}
    for file in files:
        if file.suffix == ".bin":
            found |= _unpickled(file, shown_id, "cpu")
        else:
            tensors = safe_open(file, framework="pt")
            found |= {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 - not a dict
    return {short: found[name] for name, short in plain_names(found).items()}


def _unpickled(file: Path, shown_id: str, device: str) -> dict[str, Any]:
    import torch

    try:
        content = torch.load(file, map_location=device, weights_only=True)
    except Exception as error:  # the unpickler's refusal, or whatever a damaged file makes of it
        raise ModelError(
            f"Model {shown_id}: {file.name} is damaged, or holds more than tensors, which is never opened: convert it"
            " where you trust it, with save_pretrained(folder), and give that folder."
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in content.items()
    ):
        raise ModelError(f"Model {shown_id}: {file.name} is no table of tensors; save it with save_pretrained(folder).")
    return content
