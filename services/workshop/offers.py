"""The models that a page offers: a name that is not on this list is never looked for."""

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from services.errors import ModelError
from services.models.packaged import MADE, PACKAGED, is_installed
from services.settings import Settings

_CACHED = 30.0  # seconds for which the hub's cache is not read again
_DEEP = 2  # folders below the allowed one
_MOST = 500


@dataclass(frozen=True)
class Offer:
    """value: what a page posts · label: for a reader · name, revision: for find_model
    install: what to run first; "" where it can be used
    """

    value: str
    label: str
    name: str
    revision: str | None = None
    install: str = ""


def offers(settings: Settings) -> list[Offer]:
    """Packaged models, folders below the allowed one, and what lies in the hub's cache."""
    found = [
        Offer(one.name, f"{one.name} ({one.id})", one.name, install="" if is_installed(one) else one.install)
        for one in PACKAGED
    ]
    root = settings.model_folder
    found += [Offer(f"folder:{place}", f"{place} (folder)", str(root / place)) for place in _folders(root)]
    cached = _in_hub_cache(round(time.monotonic() / _CACHED))
    return found + [Offer(f"hub:{name}", f"{name} (hub, on this machine)", name, commit) for name, commit in cached]


def offered(value: object, settings: Settings) -> Offer:
    """The offer that a page posts.

    Raises:
        ModelError: there is none, or its package is not installed.
    """
    found = next((offer for offer in offers(settings) if offer.value == value), None)
    if found is None:
        raise ModelError("That model is not on the list of this machine; choose another one.")
    if found.install:
        raise ModelError(f"The model {found.label} is not installed; run: {found.install}")
    return found


def _folders(root: Path) -> list[str]:
    """Folders with a config.json, as paths below the root; none is reached through a link."""
    found: list[str] = []

    def walk(folder: Path, deep: int) -> None:
        try:
            inner = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
        except OSError:
            return
        for one in inner:
            if one.name.startswith(".") or one.name in MADE or len(found) >= _MOST or not one.name.isprintable():
                continue
            if (one / "config.json").is_file() or (one / "modules.json").is_file():
                found.append(one.relative_to(root).as_posix())
            elif deep < _DEEP:
                walk(one, deep + 1)

    walk(root, 1)
    return found


@lru_cache(maxsize=1)
def _in_hub_cache(_when: int) -> list[tuple[str, str]]:
    """(id, commit) of the models in the hub's cache that have files."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):
        return []
    found = []
    for repo in repositories:
        newest = repo.refs.get("main") or max(repo.revisions, key=lambda one: one.last_modified, default=None)
        if repo.repo_type == "model" and newest is not None and any(f.file_name == "config.json" for f in newest.files):
            found.append((repo.repo_id, newest.commit_hash))
    return sorted(found)[:_MOST]
