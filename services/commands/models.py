"""`app.py models`: which models are at hand without a network, and what the attention of one looks like."""

import argparse
import sys

from services.commands.build import add_model_options
from services.errors import AtlasError
from services.models.files import at_hand, check_model_name


def add_options(cli: argparse.ArgumentParser) -> None:
    """Which model to describe, if any."""
    cli.add_argument("model", nargs="?", help="name, Hugging Face id, or folder: load it and describe it")
    cli.add_argument("--revision", help="branch, tag or commit of a hub model (default: its main branch)")
    add_model_options(cli)


def run(options: argparse.Namespace) -> int:
    """Returns 0, or 2 when the model cannot be captured; the reason is one line."""
    if options.model is None:
        for name, words in at_hand():
            print(f"{name:<45} {words}")
        return 0
    try:
        check_model_name(options.model)
        from services.capture import load_model  # torch is behind it: not for a list

        loaded = load_model(
            options.model,
            revision=options.revision,
            tokenizer=options.tokenizer,
            library_code=options.library_code,
        )
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    info = loaded.info
    print(f"{info.id}: {info.architecture}, {info.parameters / 1e6:.1f} million parameters, revision {info.revision}")
    print(f"inputs of at most {loaded.max_tokens:,} tokens, cut by {info.tokenizer}")
    for stream in loaded.streams:
        shared = f", {stream.key_heads} key heads" if stream.key_heads < stream.heads else ""
        some = (
            f" of {stream.model_layers} ({', '.join(map(str, stream.layer_numbers))})" if stream.layer_numbers else ""
        )
        print(
            f"attention {stream.name}: {stream.layers} layers{some} × {stream.heads} heads of {stream.head_dim}{shared}"
        )
    for note in info.notes:
        print(f"note: {note}")
    return 0
