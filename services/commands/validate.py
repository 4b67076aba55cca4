"""`app.py validate`: does a model's own behaviour show the heads that are known by name?"""

import argparse
import sys
from pathlib import Path

from services.commands.build import add_model_options
from services.errors import AtlasError, ModelError
from services.models.files import check_model_name

_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"
_HUB = (
    "GPT-2 (gpt2) and BERT-base (bert-base-uncased) are those whose heads are; they come from the hub: run this again "
    "where they are at hand."
)


def add_options(cli: argparse.ArgumentParser) -> None:
    """Which model, and which treebank."""
    cli.add_argument("--model", default="minilm", help="name, Hugging Face id, or folder")
    cli.add_argument(
        "--conllu", metavar="FILE", help="a treebank with gold relations, whose heads are found as well (default: none)"
    )
    cli.add_argument("--revision", help="branch, tag or commit of a hub model (default: its main branch)")
    add_model_options(cli)


def run(options: argparse.Namespace) -> int:
    """Returns 0, 1 when a known head is not where it should be, 2 when nothing could be run; the reason is one line."""
    try:
        lines = _lines(options)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    coloured = sys.stdout.isatty()
    for line in lines:
        mark = "" if line.passed is None else "  found" if line.passed else "  NOT FOUND"
        colour = _GREEN if line.passed else _RED
        print(f"{line.text}{colour}{mark}{_PLAIN}" if coloured and mark else f"{line.text}{mark}")
    judged = [line.passed for line in lines if line.passed is not None]
    if not judged:
        print(f"No head of this model is known by name. {_HUB}")
    return 1 if False in judged else 0


def _lines(options: argparse.Namespace) -> list:
    check_model_name(options.model)
    from services.capture import load_model  # torch is behind it
    from services.pipeline.relations import follow, read_trees
    from services.pipeline.validation import CLARK, Line, relations_report, repeats_report

    trees = read_trees(Path(options.conllu)) if options.conllu else None
    loaded = load_model(
        options.model,
        revision=options.revision,
        tokenizer=options.tokenizer,
        library_code=options.library_code,
    )
    if loaded.modality != "text":
        raise ModelError(f"Model {loaded.info.id} reads {loaded.modality}: known heads are of models of text.")
    lines = list(repeats_report(loaded))
    if trees is not None:
        lines += map(Line, trees.notes)
        lines += relations_report(loaded.info.id, follow(loaded, trees, list(CLARK)), list(CLARK), loaded.streams[0])
    return lines
