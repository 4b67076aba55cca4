"""`app.py verify`: is an atlas on disk what its build wrote, and is what we capture of a model its attention?"""

import argparse
import sys
from pathlib import Path

from services.atlas import open_atlas, verify
from services.atlas.library import Library
from services.commands.build import add_model_options
from services.errors import AtlasError, AtlasFormatError
from services.models.files import check_model_name
from services.settings import load_settings

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"
_TEXTS = ("The keys to the old house were on the table because she had left them there.", "It rained.")


def add_options(cli: argparse.ArgumentParser) -> None:
    """Which atlases, or which model."""
    cli.add_argument("atlas", nargs="*", help="folder, or name below ATLAS_HOME/atlases (default: all that are there)")
    cli.add_argument(
        "--model",
        metavar="NAME",
        help="instead of atlases: hold what is captured of this model to hooks on its projections (default: none)",
    )
    cli.add_argument("--revision", help="branch, tag or commit of a hub model (default: its main branch)")
    add_model_options(cli)


def run(options: argparse.Namespace) -> int:
    """One line an atlas, and one for each file that differs; or one a layer of a model.

    Returns: 0 when all are whole or equal; 1 when a model's attention is not what is captured; else 2.
    """
    try:
        if options.model is not None:
            return _of_model(options)
        atlases = load_settings().atlases
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    folders = [folder_of(name, atlases) for name in options.atlas]
    if not options.atlas:
        folders = [atlases / entry.slug for entry in Library(atlases).entries()]
        if not folders:
            print(f"There is no atlas in {atlases}.")
    damaged = [folder for folder in folders if not _is_whole(folder)]
    return 2 if damaged else 0


def folder_of(name: str, atlases: Path) -> Path:
    """The folder of an atlas that a command line names."""
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


def _of_model(options: argparse.Namespace) -> int:
    if options.atlas:
        raise AtlasError("Name atlases, or a model with --model: one of them at a time.")
    check_model_name(options.model)
    from services.capture import TokenisedInput, load_model, tokenise  # torch is behind it
    from services.capture.by_hooks import TOLERANCE, check_by_hooks
    from services.modalities.registry import modality_named

    loaded = load_model(
        options.model,
        revision=options.revision,
        tokenizer=options.tokenizer,
        library_code=options.library_code,
    )
    inputs = [modality_named(loaded.modality).trial(loaded)]
    if isinstance(inputs[0], TokenisedInput):
        inputs += tokenise(loaded, list(_TEXTS))
    print(f"{loaded.info.id}: attention from hooks on its projections, the largest difference from")
    print(f"{'':24}the model's own   what is captured   products of queries and keys (relative)")
    coloured, failed, unchecked = sys.stdout.isatty(), False, False
    for stream in check_by_hooks(loaded, inputs):
        if stream.unchecked:
            unchecked = True
            print(f"{stream.stream:<12}not checked, because {stream.unchecked}.")
        for layer in stream.layers:
            bad = layer.layer in stream.failed
            failed |= bad
            line = f"{stream.stream:<12}{f'L{layer.layer}':<12}{layer.model:<18.1e}{layer.captured:<19.1e}"
            line += f"{layer.products:.1e}{'   DIFFERS' if bad else ''}"
            print(f"{_RED}{line}{_PLAIN}" if bad and coloured else line)
    if failed:
        print(f"What differs by more than {TOLERANCE:g} is not what the model does: do not trust pictures of it.")
    elif not unchecked:
        print(f"All is equal to {TOLERANCE:g}.")
    return 1 if failed else 0
