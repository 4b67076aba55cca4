"""Folders as people have them: a Trainer's output, a sentence-transformers model, an adapter, a checkpoint alone."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.models.lora import CONFIG as ADAPTER
from services.models.lora import Adapter
from services.models.weights import PICKLED, PICKLED_INDEX, WEIGHTS, WEIGHTS_INDEX, find_weights, read_json

TOKENIZER_FILES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model", "spm.model", "tekken.json",
)  # fmt: skip
# merges.txt alone makes no tokenizer; a model of images has a preprocessor in its place
TOKENIZER_STARTS = tuple(name for name in TOKENIZER_FILES if name != "merges.txt")
_PROCESSOR_STARTS = (*TOKENIZER_STARTS, "preprocessor_config.json")
MODULES = "modules.json"
LIMITS = "sentence_bert_config.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class ModelFolder:
    """A folder with `config.json` and weights, and what cuts its inputs into tokens.

    `id`: the model's name for messages, as it was asked for · `revision`: the hub's commit, or "sha256:" and the
    hash of the weight files (of all of them in the order of their names, as `cat … | sha256sum` gives it)
    name: what the atlas records, without the folders of the machine · processor: where the tokenizer is
    notes: what a reader of every picture should know · used_tokens: how many sentence-transformers would read, if it
    says so · adapter: that is to be merged into the weights
    """

    path: Path
    id: str
    revision: str
    config: dict[str, Any]
    weights: tuple[Path, ...]
    name: str
    processor: Path
    notes: tuple[str, ...] = ()
    used_tokens: int | None = None
    adapter: Adapter | None = None

    def noting(self, *notes: str) -> "ModelFolder":
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def read_folder(path: Path, shown_id: str, name: str, revision: str) -> ModelFolder:
    """Look at a folder's own description of itself. Raises: ModelError when it holds no whole model."""
    root, path = path, _transformer_of(path, shown_id)
    if not (path / "config.json").is_file():
        _refuse_checkpoints(path, shown_id)
    config = read_json(path / "config.json", shown_id, f"Model {shown_id}: the folder has no config.json;")
    weights = find_weights(path, shown_id)
    if (path / ADAPTER).is_file():
        raise ModelError(
            f"Model {shown_id} has an adapter beside its weights ({ADAPTER}), which would be left out: move the"
            " adapter's files away to see the model without it, or give a folder with these files alone to see both"
            " merged."
        )
    processor, notes = _processor_of(path, root)
    used = read_json(path / LIMITS, shown_id, "").get("max_seq_length") if (path / LIMITS).is_file() else None
    return ModelFolder(
        path, shown_id, revision, config, weights, name, processor, notes, used if isinstance(used, int) else None
    )


def with_adapter(base: ModelFolder, adapter: Adapter, name: str) -> ModelFolder:
    """A model with an adapter, under the adapter's name; the tokenizer is the adapter's where it has one."""
    own = any((adapter.path / file).is_file() for file in TOKENIZER_STARTS)
    digest = hashlib.sha256(base.revision.encode())
    try:
        digest.update(adapter.file.read_bytes())
        digest.update((adapter.path / ADAPTER).read_bytes())
    except OSError as error:
        raise ModelError(f"Model {adapter.shown}: its adapter cannot be read ({error.strerror}).") from error
    rank, alpha = (str(adapter.config.get(key))[:10] for key in ("r", "lora_alpha"))
    found = replace(
        base,
        id=adapter.shown,
        name=name,
        revision=f"sha256:{digest.hexdigest()}",
        processor=adapter.path if own else base.processor,
        adapter=adapter,
    )
    return found.noting(f"It is {base.name} with a LoRA adapter merged into its weights (rank {rank}, alpha {alpha}).")


def recorded_name(path: Path) -> str:
    """What an atlas calls a local folder: an atlas may be published, its maker's folders not."""
    path = path.expanduser().absolute()
    parent = f"{path.parent.name}/" if _CHECKPOINT.fullmatch(path.name) else ""
    return f"{parent}{path.name}" or "model"


def _transformer_of(path: Path, shown_id: str) -> Path:
    """The folder of the transformer within a sentence-transformers model; the folder itself where it is none."""
    if not (path / MODULES).is_file() or any((path / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX)):
        return path
    try:
        modules = json.loads((path / MODULES).read_text(encoding="utf-8"))
        kinds = [(str(one["type"]).rsplit(".", 1)[-1], str(one["path"])) for one in modules]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError(f"Model {shown_id}: {MODULES} is no list of modules; get the file again.") from error
    part = next((part for kind, part in kinds if kind in {"Transformer", "CLIPModel"}), None)
    if part is None:
        raise ModelError(f"Model {shown_id}: its {MODULES} names no Transformer; it has no attention to be shown.")
    if part and (Path(part).name != part or part in {".", ".."}):
        raise ModelError(f"Model {shown_id}: {MODULES} names the folder {part[:60]!r}, which is not in it.")
    return path / part if part else path


def _refuse_checkpoints(path: Path, shown_id: str) -> None:
    steps = {int(found[1]) for entry in path.glob("checkpoint-*") if (found := _CHECKPOINT.fullmatch(entry.name))}
    if steps:
        names = [f"checkpoint-{step}" for step in sorted(steps, reverse=True)]
        others = f" or {', '.join(names[1:4])}{' …' if len(names) > 4 else ''}" if names[1:] else ""
        raise ModelError(
            f"Model {shown_id}: the folder has no config.json, but holds a Trainer's checkpoints:"
            f" did you mean {names[0]} (the newest){others}?"
        )


def is_adapter(path: Path) -> bool:
    """Whether a folder holds an adapter and no model."""
    return (path / ADAPTER).is_file() and not (path / "config.json").is_file()


def _processor_of(path: Path, root: Path) -> tuple[Path, tuple[str, ...]]:
    """Where the tokenizer is: in the folder, or above a checkpoint of a Trainer or a part of sentence-transformers."""
    for place in (path, root, path.parent if _CHECKPOINT.fullmatch(path.name) else path):
        if any((place / name).is_file() for name in _PROCESSOR_STARTS):
            above = place == path.parent and root == path
            return place, (f"Its tokenizer is that of the folder above, {place.name}.",) if above else ()
    return path, ()


def weight_files(patterns_under: str = "") -> list[str]:
    """What to fetch of a repository's weights, below a folder of it; pickled ones only where there are no others."""
    return [patterns_under + name for name in (WEIGHTS, WEIGHTS_INDEX, "model-*-of-*.safetensors")]


def pickled_files(patterns_under: str = "") -> list[str]:
    """The same of pickled weights."""
    return [patterns_under + name for name in (PICKLED, PICKLED_INDEX, "pytorch_model-*-of-*.bin")]
