"""Where a model's files are: the packaged demo model, a local folder, or the Hugging Face hub.

Whatever the name, the end is one local folder, checked before anything in it is loaded (services.models.folders), and
no Python file is ever fetched.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from services.errors import ModelError
from services.models.folders import (
    ADAPTER,
    LIMITS,
    MODULES,
    TOKENIZER_FILES,
    TOKENIZER_STARTS,
    ModelFolder,
    is_adapter,
    pickled_files,
    read_folder,
    recorded_name,
    weight_files,
    with_adapter,
)
from services.models.lora import WEIGHTS as ADAPTER_WEIGHTS
from services.models.lora import Adapter, read_adapter
from services.models.memory import available_bytes, readable
from services.models.packaged import PACKAGED, is_installed, packaged
from services.models.weights import has_weights, no_weights

NAMES = ", ".join(repr(model.name) for model in PACKAGED)

HUB_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9_.-]{1,95})?")
HUB_SECONDS = 5.0  # to wait for the hub's answer: a person is waiting, and the cache is the next choice
SMALL_FILES = (
    "config.json", "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "bpe.codes", "chat_template.jinja", MODULES, LIMITS, ADAPTER, *TOKENIZER_FILES,
)  # fmt: skip
PART = "0_Transformer/"  # where older sentence-transformers repositories keep the model


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


def find_model(
    name: str, *, revision: str | None = None, offline: bool = False, hashed: bool = True, of: str = ""
) -> ModelFolder:
    """Find the files of model `name`, fetching them from the hub when needed; ModelError when that fails.

    `revision` is a branch, tag or commit of a hub model; for a folder it must be the hash recorded before
    ("sha256:…"), so that a changed folder is noticed. With `offline` only the hub's local cache is read; without
    `hashed` the weights of a folder are not, and its revision stays empty. of: the adapter that it is the base of.
    """
    name = check_model_name(name)
    # The hub's id of a packaged model means the same weights: no reason to fetch them.
    same = (one for one in PACKAGED if name in one.alike and (revision is None or revision.startswith("sha256:")))
    known = packaged(name) or next(same, None)
    if known is not None:
        own = known.find()
        if own is not None:
            return _local(own, known.id, known.id, revision, hashed)
        if known.name == name:
            raise ModelError(f"The model {name!r} is not installed: run '{known.install}'.")
    folder = _folder(name)
    if folder and is_adapter(folder):
        _check_no_chain(name, of)
        adapter = read_adapter(folder, name)
        base = find_model(_base_of(adapter), offline=offline, hashed=hashed, of=name)
        return _recorded(with_adapter(base, adapter, recorded_name(folder)), revision)
    if folder:
        return _local(folder, name, recorded_name(folder), revision, hashed)
    path = _from_hub(name, revision, offline)
    if is_adapter(path):
        _check_no_chain(name, of)
        adapter = read_adapter(path, name)
        if not HUB_ID.fullmatch(adapter.base) or _folder(adapter.base):
            raise ModelError(f"Model {name} is an adapter of {_shown(adapter.base)}, which is no model of the hub.")
        base = find_model(adapter.base, offline=offline, hashed=hashed, of=name)
        return replace(with_adapter(base, adapter, name), revision=path.name)
    # A snapshot's folder in the hub's cache is named after its commit.
    return read_folder(path, name, name, path.name)


def _check_no_chain(name: str, of: str) -> None:
    """Raises: ModelError: an adapter is the base of another, which might be its own in turn."""
    if of:
        raise ModelError(
            f"Model {_shown(of)} is an adapter of {_shown(name)}, an adapter itself: merge that one first."
        )


def _base_of(adapter: Adapter) -> str:
    """Where the model of a local adapter is: a folder, also one beside the adapter's, or a name."""
    beside = next((place for place in (adapter.path / adapter.base, adapter.path.parent / adapter.base)
                   if place.is_dir() and place.resolve() != adapter.path.resolve()), None)  # fmt: skip
    if packaged(adapter.base) or _folder(adapter.base) or beside is None:
        return adapter.base
    return str(beside)


def with_processor_of(folder: ModelFolder, name: str, *, offline: bool = False) -> ModelFolder:
    """A model with the tokenizer of a folder, a hub repository or a packaged model. Raises: ModelError."""
    known = packaged(check_model_name(name))
    place = known.find() if known else _folder(name) or _from_hub(name, None, offline, weights=False)
    if place is None or not any((place / file).is_file() for file in TOKENIZER_STARTS):
        raise ModelError(f"There is no tokenizer in {_shown(name)} for model {folder.id}: check its name.")
    shown = recorded_name(place) if _folder(name) else name
    return replace(folder.noting(f"Its tokenizer is that of {shown}, as was asked for."), processor=place)


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


def _local(path: Path, shown_id: str, name: str, revision: str | None, hashed: bool) -> ModelFolder:
    found = read_folder(path, shown_id, name, "")
    if not hashed:
        return found
    digest = hashlib.sha256()
    try:
        for file in found.weights:
            with file.open("rb") as stream:
                while block := stream.read(2**20):
                    digest.update(block)
    except OSError as error:
        raise ModelError(f"Model {shown_id}: cannot read {file.name} ({error.strerror}).") from error
    return _recorded(replace(found, revision=f"sha256:{digest.hexdigest()}"), revision)


def _recorded(found: ModelFolder, revision: str | None) -> ModelFolder:
    """A local folder, held to the revision that was asked for. Raises: ModelError."""
    if revision is not None and revision != found.revision:
        raise ModelError(
            f"Model {found.id} is a local folder whose weights are {found.revision[:19]}…, not revision"
            f" {_shown(revision)}: leave the revision out, or use the folder it was recorded from."
        )
    return found


def check_memory(shown_id: str, parameters: int) -> None:
    """ModelError when so many float32 numbers do not fit into the memory that is free."""
    free = available_bytes()
    if free is not None and 4 * parameters > free:
        raise ModelError(
            f"Model {shown_id} needs {readable(4 * parameters)} of memory and {readable(free)} are free:"
            " close other programs, or choose a smaller model."
        )


def _from_hub(name: str, revision: str | None, offline: bool, *, weights: bool = True) -> Path:
    """The local copy of a hub model's files, in the hub's own cache, fetched first when needed.

    weights: False: all but the weights, which nobody needs for a tokenizer.
    """
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
        return _cached(name, revision, "the network is off (offline)", weights)
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
        return _cached(name, revision, "huggingface.co cannot be reached", weights)
    except (HfHubHTTPError, OSError, ValueError) as error:
        return _cached(name, revision, f"huggingface.co gave no answer ({type(error).__name__})", weights)
    files = [file.rfilename for file in listing.siblings or []]
    wanted = _wanted(name, files) if weights else list(SMALL_FILES)
    if weights:
        check_memory(name, listing.safetensors.total if listing.safetensors else 0)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted, etag_timeout=HUB_SECONDS))
    except (httpx2.HTTPError, HfHubHTTPError, ConnectionError, TimeoutError) as error:
        raise ModelError(
            f"Model {name}: the download broke off ({type(error).__name__}); try again, it goes on where it stopped."
        ) from error
    except OSError as error:
        raise ModelError(
            f"Model {name} cannot be stored in {constants.HF_HUB_CACHE} ({error.strerror or error}): make room there."
        ) from error


def _wanted(name: str, files: list[str]) -> list[str]:
    """What to fetch of a repository of these files; its other formats (onnx, tf) and its Python code stay there.

    Raises: ModelError when it has no weights that would be read.
    """
    part = PART if f"{PART}config.json" in files and not has_weights(files) else ""
    kind = has_weights(file.removeprefix(part) for file in files)
    if kind is None and ADAPTER in files and "config.json" not in files:
        return [*SMALL_FILES, ADAPTER_WEIGHTS]
    if kind is None:
        raise no_weights(name, files)
    small = [*SMALL_FILES, *(PART + file for file in SMALL_FILES)] if part else list(SMALL_FILES)
    return small + (pickled_files(part) if kind == ".bin" else weight_files(part))


def _cached(name: str, revision: str | None, why: str, weights: bool) -> Path:
    """The copy in the hub's cache; weights: whether it must hold them. Raises: ModelError."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    reason: Exception | None = None
    # The hub's client gives a copy only if it holds all that is asked for, so each way to fetch one is asked for.
    for part in ("", PART):
        for kind in (weight_files, pickled_files):
            patterns = [*SMALL_FILES, ADAPTER_WEIGHTS, *(part + file for file in SMALL_FILES), *kind(part)]
            try:
                found = snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=patterns)
            except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
                reason = reason or error
                continue
            files = [file.name for file in (Path(found) / part).glob("*")]
            if not weights or has_weights(files) or {ADAPTER, ADAPTER_WEIGHTS} <= set(files):
                return Path(found)
    raise ModelError(
        f"Model {name} is not on this machine and {why}: connect once to fetch it, give a local folder,"
        " or use 'minilm', which needs no network."
    ) from reason
