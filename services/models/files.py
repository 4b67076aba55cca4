"""Where a model's files are: the packaged demo model, a local folder, or the Hugging Face hub.

Whatever the name, the end is one local folder, checked before anything in it is loaded: weights as
safetensors only (pickled weights run code when they are opened), and no Python file is ever fetched.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.models.memory import available_bytes, readable
from services.models.packaged import PACKAGED, is_installed, packaged

DEMO_MODEL = PACKAGED[0].name
NAMES = " or ".join(repr(model.name) for model in PACKAGED)

HUB_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9_.-]{1,95})?")
HUB_SECONDS = 5.0  # to wait for the hub's answer: a person is waiting, and the cache is the next choice
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model", "spm.model", "tekken.json",
)  # fmt: skip
SMALL_FILES = (
    "config.json", "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", *TOKENIZER_FILES,
)  # fmt: skip
# What the hub is asked for; a repository's other formats (onnx, tf, pickles) and its Python code stay there.
WANTED_FILES = [*SMALL_FILES, WEIGHTS, WEIGHTS_INDEX, "model-*-of-*.safetensors"]
# merges.txt alone makes no tokenizer
TOKENIZER_STARTS = tuple(name for name in TOKENIZER_FILES if name != "merges.txt")


@dataclass(frozen=True)
class ModelFolder:
    """A folder with `config.json` and safetensors weights, and what cuts its inputs into tokens.

    `id` is what the atlas records as the model's name, `revision` the hub's commit, or "sha256:" and the
    hash of the weight files (of all of them in the order of their names, as `cat … | sha256sum` gives it).
    """

    path: Path
    id: str
    revision: str
    config: dict[str, Any]
    weights: tuple[Path, ...]


def check_model_name(name: str) -> str:
    """`name` when it can be a model's name: that of a packaged one, an existing folder, or a hub id like "org/name".

    Looks at the spelling and the local disk only. ModelError says what a name may be.
    """
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ModelError(f"{_shown(name)} is no model name: give {NAMES}, a hub id like 'org/name', or a folder.")
    name = name.strip()
    if packaged(name) or _folder(name):
        return name
    if "://" in name:
        raise ModelError(f"{_shown(name)} is an address: give the model's id alone, like 'org/name'.")
    if name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise ModelError(f"There is no folder {_shown(name)}: check the path of the model.")
    if not HUB_ID.fullmatch(name) or ".." in name or "--" in name:
        raise ModelError(f"{_shown(name)} is no model name: give {NAMES}, a hub id like 'org/name', or a folder.")
    return name


def find_model(name: str, *, revision: str | None = None, offline: bool = False) -> ModelFolder:
    """Find the files of model `name`, fetching them from the hub when needed; ModelError when that fails.

    `revision` is a branch, tag or commit of a hub model; for a folder it must be the hash recorded before
    ("sha256:…"), so that a changed folder is noticed. With `offline` only the hub's local cache is read.
    """
    name = check_model_name(name)
    # The hub's id of a packaged model means the same weights: no reason to fetch them.
    same = (one for one in PACKAGED if name in one.alike and (revision is None or revision.startswith("sha256:")))
    known = packaged(name) or next(same, None)
    if known is not None:
        own = known.find()
        if own is not None:
            return _local(own, known.id, revision)
        if known.name == name:
            raise ModelError(f"The model {name!r} is not installed: run '{known.install}'.")
    folder = _folder(name)
    if folder:
        return _local(folder, name, revision)
    path = _from_hub(name, revision, offline)
    # A snapshot's folder in the hub's cache is named after its commit.
    return _described(path, name, path.name)


def at_hand() -> list[tuple[str, str]]:
    """Models that need no network: (name, where it is), the packaged one first, then those in the hub's cache."""
    found = [(model.name, f"packaged ({model.id})") for model in PACKAGED if is_installed(model)]
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError):
        return found
    cached = sorted(repo.repo_id for repo in repositories if repo.repo_type == "model")
    return found + [(name, "in the cache of the Hugging Face hub") for name in cached]


def _shown(name: object) -> str:
    """A user's text for a message: quoted, one line, not endless."""
    text = repr(name)
    return text if len(text) <= 100 else text[:96] + "…'"


def _folder(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _local(path: Path, shown_id: str, revision: str | None) -> ModelFolder:
    found = _described(path, shown_id, "")
    digest = hashlib.sha256()
    try:
        for file in found.weights:
            with file.open("rb") as stream:
                while block := stream.read(2**20):
                    digest.update(block)
    except OSError as error:
        raise ModelError(f"Model {shown_id}: cannot read {file.name} ({error.strerror}).") from error
    own = f"sha256:{digest.hexdigest()}"
    if revision is not None and revision != own:
        raise ModelError(
            f"Model {shown_id} is a local folder whose weights are {own[:19]}…, not revision"
            f" {_shown(revision)}: leave the revision out, or use the folder it was recorded from."
        )
    return ModelFolder(found.path, found.id, own, found.config, found.weights)


def _described(path: Path, shown_id: str, revision: str) -> ModelFolder:
    """Check that the folder holds what any model needs: config.json and safetensors weights."""
    config = _read_json(path / "config.json", shown_id, f"Model {shown_id}: the folder has no config.json;")
    weights = _weights(path, shown_id)
    return ModelFolder(path, shown_id, revision, config, weights)


def _read_json(file: Path, shown_id: str, missing: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{missing} save the model with save_pretrained(folder) and give that folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"Model {shown_id}: {file.name} cannot be read as JSON; get the file again.") from error
    if not isinstance(content, dict):
        raise ModelError(f"Model {shown_id}: {file.name} is not a JSON object; get the file again.")
    return content


def _weights(path: Path, shown_id: str) -> tuple[Path, ...]:
    """The weight files, sorted by name."""
    if (path / WEIGHTS).is_file():
        return (path / WEIGHTS,)
    if (path / WEIGHTS_INDEX).is_file():
        index = _read_json(path / WEIGHTS_INDEX, shown_id, "")
        shards = index.get("weight_map")
        names = sorted({str(name) for name in shards.values()}) if isinstance(shards, dict) else []
        if not names or any(Path(name).name != name for name in names):
            raise ModelError(f"Model {shown_id}: {WEIGHTS_INDEX} names no weight files; get the file again.")
        lost = [name for name in names if not (path / name).is_file()]
        if lost:
            raise ModelError(f"Model {shown_id}: the weight file {lost[0]} is missing; get the model again.")
        return tuple(path / name for name in names)
    raise _no_weights(shown_id, [file.name for file in path.glob("*")])


def _no_weights(shown_id: str, files: list[str]) -> ModelError:
    others = sorted(name for name in files if Path(name).suffix in {".bin", ".pt", ".pth", ".h5", ".msgpack"})
    if others:
        return ModelError(
            f"Model {shown_id} has no safetensors weights, only {others[0]}, and such a file can run code"
            " when it is opened: convert it where you trust it, with save_pretrained(folder), and give that"
            " folder."
        )
    return ModelError(
        f"Model {shown_id} has no weights ({WEIGHTS}): save it with save_pretrained(folder) and give that folder."
    )


def check_memory(shown_id: str, parameters: int) -> None:
    """ModelError when so many float32 numbers do not fit into the memory that is free."""
    free = available_bytes()
    if free is not None and 4 * parameters > free:
        raise ModelError(
            f"Model {shown_id} needs {readable(4 * parameters)} of memory and {readable(free)} are free:"
            " close other programs, or choose a smaller model."
        )


def _from_hub(name: str, revision: str | None, offline: bool) -> Path:
    """The local copy of a hub model's files, in the hub's own cache, fetched first when needed."""
    import httpx2
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    offline = offline or constants.HF_HUB_OFFLINE
    if offline:
        return _cached(name, revision, "the network is off (offline)")
    try:
        # Without retries: the hub's client would repeat a failed download for minutes, this fails in seconds.
        listing = HfApi().model_info(name, revision=revision, timeout=HUB_SECONDS)
    except GatedRepoError as error:
        raise ModelError(
            f"Model {name} is gated: accept its licence on huggingface.co and log in with 'hf auth login'."
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(f"Model {name} has no revision {_shown(revision)} on the hub: check its spelling.") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"There is no model {name} on the hub and no such folder here: check the spelling, or log in with"
            " 'hf auth login' if it is private."
        ) from error
    except (httpx2.TransportError, ConnectionError, TimeoutError):
        return _cached(name, revision, "huggingface.co cannot be reached")
    except (HfHubHTTPError, OSError, ValueError) as error:
        return _cached(name, revision, f"huggingface.co gave no answer ({type(error).__name__})")
    files = [file.rfilename for file in listing.siblings or []]
    if WEIGHTS not in files and WEIGHTS_INDEX not in files:
        raise _no_weights(name, files)
    check_memory(name, listing.safetensors.total if listing.safetensors else 0)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=WANTED_FILES, etag_timeout=HUB_SECONDS))
    except (httpx2.HTTPError, HfHubHTTPError, ConnectionError, TimeoutError) as error:
        raise ModelError(
            f"Model {name}: the download broke off ({type(error).__name__}); try again, it goes on where it stopped."
        ) from error
    except OSError as error:
        raise ModelError(
            f"Model {name} cannot be stored in {constants.HF_HUB_CACHE} ({error.strerror or error}): make room there."
        ) from error


def _cached(name: str, revision: str | None, why: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=WANTED_FILES))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise ModelError(
            f"Model {name} is not on this machine and {why}: connect once to fetch it, give a local folder,"
            " or use 'minilm', which needs no network."
        ) from error
