"""How an atlas becomes visible: `atlas.json` from the journal, and the folder put in its place."""

import ctypes
import importlib.metadata
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from services.atlas import INFO, arrays
from services.atlas.schema import (
    AlignmentInfo,
    AtlasInfo,
    CorpusInfo,
    ModelInfo,
    ProjectionInfo,
    StreamInfo,
    captured_key,
)
from services.errors import BuildError
from services.pipeline.journal import JOURNAL, Journal
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest


def write_info(folder: Path, request: BuildRequest, journal: Journal, progress: Progress) -> None:
    """Write `atlas.json` when it has changed: readers take a new file for new content."""
    facts = journal.facts
    facts["seconds"] = facts.get("seconds", {}) | progress.seconds
    facts.setdefault("created", datetime.now(UTC).isoformat(timespec="seconds"))
    if "title" not in facts or request.title not in (None, facts.get("asked_title")):
        facts["title"] = request.title or f"{facts['model']['id'].rsplit('/', 1)[-1]} · {facts['corpus']['name']}"
        facts["asked_title"] = request.title  # asked again by a build that goes on, it does not undo a renaming
    journal.save()
    content = arrays.json_bytes(_info(journal).model_dump(mode="json"))
    file = folder / INFO
    if not file.is_file() or file.read_bytes() != content:
        arrays.write_bytes(file, content)


def _info(journal: Journal) -> AtlasInfo:
    facts = journal.facts
    projections = tuple(ProjectionInfo.model_validate(p) for p in facts.get("projections", []))
    streams = tuple(StreamInfo.model_validate(stream) for stream in facts["streams"])
    return AtlasInfo(
        program=facts["program"],
        title=facts["title"],
        about=facts.get("about", ""),
        modality=facts["modality"],
        device=facts.get("device", ""),
        model=ModelInfo.model_validate(facts["model"]),
        corpus=CorpusInfo.model_validate(facts["corpus"]),
        streams=streams,
        projections=projections,
        alignment=AlignmentInfo.model_validate(facts.get("alignment", {})),
        capture_error=facts["capture_error"],
        checked_inputs=facts["checked_inputs"],
        libraries=facts["libraries"]
        | {name: importlib.metadata.version(name) for name in ("scikit-learn", "umap-learn", "openTSNE")},
        created=facts["created"],
        seconds=facts["seconds"],
        files=journal.files,
        notes=tuple(sorted(facts.get("notes", []))),
        key=captured_key(streams, journal.files),
    )


def check_place(folder: Path) -> None:
    """Refuse to build where something else is: a file, or a folder that no build has made.

    Raises:
        BuildError: --overwrite will not help, nothing of the user's is ever removed.
    """
    if not folder.is_dir():
        if folder.is_symlink() or folder.exists():
            raise BuildError(f"{folder} is a file; choose another folder with --out.")
    elif not is_free(folder) and not any((folder / name).is_file() for name in (INFO, JOURNAL)):
        raise BuildError(f"{folder} holds something that is no atlas; choose another folder with --out.")


def is_free(folder: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def remove(folder: Path) -> None:
    """Remove a folder of ours; what cannot be removed does no harm."""
    shutil.rmtree(folder, ignore_errors=True)


def put_in_place(work: Path, folder: Path) -> None:
    """Rename a finished folder to its final name; an atlas that is there is swapped out in one step and removed.

    Raises:
        BuildError: the folder cannot be renamed.
    """
    with arrays.disk_errors(folder):
        if is_free(folder):
            work.replace(folder)
            return
        if _swapped(work, folder):
            remove(work)
            return
        old = folder.with_name(f"{folder.name}.old.partial")
        remove(old)
        folder.replace(old)
        work.replace(folder)
        remove(old)


def _swapped(first: Path, second: Path) -> bool:
    """Exchange two folders in one step, where the system can: Linux renameat2, macOS renamex_np."""
    exchange = 2  # RENAME_EXCHANGE and RENAME_SWAP
    here = -100  # AT_FDCWD
    names = os.fsencode(first), os.fsencode(second)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return system.renamex_np(*names, ctypes.c_uint(exchange)) == 0
        return system.renameat2(here, names[0], here, names[1], ctypes.c_uint(exchange)) == 0
    except (OSError, AttributeError):
        return False
