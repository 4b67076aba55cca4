"""`app.py verify`: is an atlas on disk what its build wrote?"""

import argparse
import sys
from pathlib import Path

from services.atlas import open_atlas, verify
from services.atlas.library import Library
from services.errors import AtlasError, AtlasFormatError
from services.settings import load_settings


def add_options(cli: argparse.ArgumentParser) -> None:
    """Which atlases."""
    cli.add_argument("atlas", nargs="*", help="folder, or name below ATLAS_HOME/atlases (default: all that are there)")


def run(options: argparse.Namespace) -> int:
    """One line an atlas, and one for each file that differs. Returns 0 when all are whole, else 2."""
    try:
        atlases = load_settings().atlases
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    folders = [_folder(name, atlases) for name in options.atlas]
    if not options.atlas:
        folders = [atlases / entry.slug for entry in Library(atlases).entries()]
        if not folders:
            print(f"There is no atlas in {atlases}.")
    damaged = [folder for folder in folders if not _is_whole(folder)]
    return 2 if damaged else 0


def _folder(name: str, atlases: Path) -> Path:
    given = Path(name).expanduser()
    return given if given.is_dir() or given.is_absolute() else atlases / name


def _is_whole(folder: Path) -> bool:
    try:
        problems = verify(folder)
        info = open_atlas(folder).info
    except AtlasFormatError as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        heads = sum(stream.layers * stream.heads for stream in info.streams)
        print(f"{folder.name}: {len(info.files)} files are whole; {info.title}, {heads} heads.")
    return not problems
