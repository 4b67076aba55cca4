"""`app.py build`: an atlas from a model and a corpus."""

import argparse
import os
import sys
from pathlib import Path
from typing import get_args

from services.alignment import DISTANCES, SCALES
from services.alignment.fitting import WITHOUT as FITS
from services.atlas import open_atlas
from services.errors import AtlasError, BuildError, Cancelled
from services.jobs.builds import BUILD, BuildArguments, run_build
from services.jobs.here import here
from services.jobs.spec import JobSpec
from services.measures import registry
from services.modalities import registry as modalities
from services.modalities.corpora.chats import Chats
from services.modalities.corpora.hub import HubCorpus, hub_corpus
from services.modalities.registry import modality_of
from services.models.device import AUTO, CPU
from services.models.files import check_model_name, find_model
from services.models.memory import is_out_of_memory
from services.pipeline.request import DISTANCE, POS_CHOICES, SCALE, WITHOUT, BuildRequest, Precision, default_folder
from services.projection import ENGINES, method_names, methods_named
from services.settings import load_settings


def add_model_options(cli: argparse.ArgumentParser) -> None:
    """Options on how a model is loaded, of every command that loads one."""
    cli.add_argument(
        "--tokenizer", help="folder or name of the model whose tokenizer to use (default: the model's own)"
    )
    cli.add_argument(
        "--library-code",
        action="store_true",
        help="run transformers' own class for a model whose authors ship other code; every view then says so",
    )


def add_options(cli: argparse.ArgumentParser) -> None:
    """All options, each with its default in the help."""
    measured = " ".join(f"{group}: {' · '.join(labels)}." for group, labels in registry.labels().items())
    cli.epilog = f"Every head is measured. {measured} docs/measures.md explains each."
    cli.add_argument(
        "--model",
        default="minilm",
        help="'minilm' (text) or 'dinov2' (images), which come with the installation and need no network, 'smollm2' (a "
        "decoder, requirements-smollm2.txt), 'rxnmapper' (chemistry, requirements-rxnmapper.txt), a Hugging "
        "Face model id, or a local folder",
    )
    cli.add_argument("--revision", help="branch, tag or commit of a hub model (default: its main branch)")
    add_model_options(cli)
    cli.add_argument(
        "--corpus",
        default="demo",
        help=f"'demo', or {'; or '.join(f'of {one.label.lower()} {one.corpora}' for one in modalities.MODALITIES)}",
    )
    cli.add_argument(
        "--dataset", help="in place of --corpus: a data set of the Hugging Face hub, such as org/name (default: none)"
    )
    cli.add_argument("--split", help="of --dataset (default: the only one, or 'train')")
    cli.add_argument("--subset", help="of --dataset, where it has several (default: the only one, or 'default')")
    cli.add_argument(
        "--modality",
        choices=[one.name for one in modalities.MODALITIES],
        help="what an input of the corpus is (default: what the model reads)",
    )
    cli.add_argument(
        "--column", help="column of the corpus file that holds the inputs (default: the only one, or 'text', 'image')"
    )
    cli.add_argument(
        "--target",
        help="column with the texts that an encoder–decoder writes (default: 'target'; without one, the model writes "
        "them itself, greedily)",
    )
    cli.add_argument(
        "--pair",
        help="column with a second text that is read with the first, as of premise and hypothesis (default: none)",
    )
    cli.add_argument(
        "--chats",
        choices=get_args(Chats),
        help="a chat is one input, written by the model's own template, or each of its turns is (default: by the "
        "template where the model has one)",
    )
    cli.add_argument(
        "--encoding",
        help="of a corpus of text that is not UTF-8, such as cp1252 (default: UTF-8, or UTF-16 by its mark)",
    )
    cli.add_argument(
        "--paragraphs", action="store_true", help="lines of a plain file between empty lines are one input"
    )
    cli.add_argument(
        "--content",
        action="store_true",
        help="of a rotary model also maps of queries and keys before rotation, without place: not its attention",
    )
    cli.add_argument("--projections", default="all", help=f"all, or with commas, of: {', '.join(method_names())}")
    cli.add_argument("--dims", default="2,3", help="comma-separated, of: 2, 3")
    cli.add_argument("--out", type=Path, help="folder of the new atlas (default: under ATLAS_HOME/atlases)")
    cli.add_argument("--title", help="name of the atlas in the dashboard (default: model · corpus)")
    cli.add_argument("--max-tokens", type=int, help="cut inputs to so many tokens (default: the model's limit)")
    cli.add_argument("--max-inputs", type=int, default=100_000, help="use at most so many inputs")
    cli.add_argument(
        "--sample", action="store_true", help="draw the --max-inputs inputs at random, by --seed, and not the first"
    )
    cli.add_argument("--seed", type=int, default=0, help="seed of the layouts, and of --sample")
    cli.add_argument(
        "--engine",
        default="fast",
        choices=(*ENGINES, AUTO),
        help="layout kernels: our own, umap-learn and openTSNE, or batched PyTorch; auto: that on a GPU, else our own",
    )
    cli.add_argument(
        "--scale",
        choices=SCALES,
        help=f"what chooses c, by which queries are multiplied and keys divided, for each head (default: {SCALE})",
    )
    cli.add_argument(
        "--distance", choices=DISTANCES, help=f"between aligned vectors, for the layouts (default: {DISTANCE})"
    )
    cli.add_argument(
        "--fit-without",
        choices=FITS,
        help="tokens that centroids and PCA are not fitted to, though they are shown: the first of each input, special "
        f"tokens, those of outlying norm, or nothing (default: {WITHOUT})",
    )
    cli.add_argument(
        "--precision",
        default="auto",
        choices=get_args(Precision),
        help="of stored vectors; auto takes float16 where attention recomputed from it agrees, else float32",
    )
    cli.add_argument(
        "--pos",
        default="auto",
        help="tagger for parts of speech, offline: 'auto' tags English, German and Dutch corpora and leaves others "
        "untagged, 'none', 'hanta-en', 'hanta-de', 'hanta-nl', or 'spacy:<model>' for a spaCy model you have "
        "installed; counts for a new atlas",
    )
    cli.add_argument(
        "--device",
        default=CPU,
        help="device for the model and for --engine torch, for example cuda; auto: as ATLAS_DEVICE says",
    )
    cli.add_argument(
        "--dask-scheduler",
        help="lay out on a Dask cluster that shares this disk, for example tcp://host:8786 (default: on this machine)",
    )
    cli.add_argument("--jobs", type=int, default=0, help="processes for the layouts; 0: one for each core")
    cli.add_argument("--overwrite", action="store_true", help="replace a different or damaged atlas at the same place")
    cli.add_argument("--quiet", action="store_true", help="no progress bar")


def _choices(text: str, allowed: tuple[str, ...], option: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    wrong = [value for value in values if value not in allowed]
    if wrong or not values:
        raise BuildError(
            f"{option}: {', '.join(wrong) or 'nothing'} is not possible; choose from {', '.join(allowed)}."
        )
    return values


def _request(options: argparse.Namespace) -> BuildRequest:
    """The options as a request.

    Raises:
        AtlasError: an option has a value that is not possible.
    """
    try:
        projections = methods_named(options.projections)
    except ValueError as error:
        raise BuildError(f"--projections: {error}.") from error
    dims = tuple(int(value) for value in _choices(options.dims, ("2", "3"), "--dims"))
    bounds = (("max_tokens", 1, None), ("max_inputs", 1, None), ("jobs", 0, None), ("seed", 0, 2**32 - 1))
    for name, least, most in bounds:
        value = getattr(options, name)
        if value is not None and (value < least or (most is not None and value > most)):
            allowed = f"at least {least}" if most is None else f"from {least} to {most}"
            raise BuildError(f"--{name.replace('_', '-')} must be {allowed}, not {value}.")
    model = check_model_name(options.model)
    modality = options.modality or modality_of(find_model(model, revision=options.revision).config).name
    return BuildRequest(
        model=model,
        corpus=_corpus(options),
        modality=modality,
        revision=options.revision,
        tokenizer=options.tokenizer,
        library_code=options.library_code,
        content=options.content,
        column=options.column,
        target=options.target,
        pair=options.pair,
        chats=options.chats,
        encoding=options.encoding,
        paragraphs=options.paragraphs,
        projections=projections,
        dims=dims,
        max_tokens=options.max_tokens,
        max_inputs=options.max_inputs,
        seed=options.seed,
        sample=options.sample,
        engine=options.engine,
        scale=options.scale,
        distance=options.distance,
        without=options.fit_without,
        precision=options.precision,
        title=options.title,
        pos=_pos(options.pos),
    )


def _corpus(options: argparse.Namespace) -> str:
    """
    Raises:
        CorpusError: a data set of no possible name. BuildError: parts of one, and none is named.
    """
    if options.dataset is None:
        if options.split or options.subset:
            raise BuildError("--split and --subset are of a data set of the hub: name it by --dataset org/name.")
        return str(options.corpus)
    source = HubCorpus(options.dataset, options.split or "", options.subset or "").source
    hub_corpus(source)
    return source


def _pos(choice: str) -> str:
    wanted = choice.strip()
    if not wanted.startswith("spacy:"):
        _choices(wanted, POS_CHOICES, "--pos")
    return wanted


def run(options: argparse.Namespace) -> int:
    """Build and report. Returns the exit code: 0, 2 after an error of the user's, 130 when stopped."""
    try:
        request = _request(options)
        settings = load_settings()
        settings.make_folders()
        of_hub = hub_corpus(request.corpus)
        name = of_hub.name if of_hub else "demo" if options.corpus == "demo" else Path(options.corpus).stem
        folder = Path(
            os.path.expanduser(options.out or default_folder(settings.atlases, options.model, name))
        ).absolute()
        arguments = BuildArguments(
            request=request,
            folder=str(folder),
            overwrite=options.overwrite,
            jobs=options.jobs,
            device=options.device,
            dask=options.dask_scheduler,
        )
        with here(settings, JobSpec.of(BUILD.name, arguments, "terminal")) as running:
            running.result = run_build(arguments, running, bar=not options.quiet)
    except (Cancelled, KeyboardInterrupt) as stop:
        return _end(130, str(stop) or "Stopped.")
    except AtlasError as error:
        return _end(2, str(error))
    except (MemoryError, OSError) as error:
        reason = "Memory ran out" if is_out_of_memory(error) else f"The system refused something ({error})"
        return _end(2, f"{reason}; run the same command again: it goes on where it stopped.")
    info = open_atlas(folder).info
    for note in (*info.model.notes, *info.corpus.notes):
        print(f"Note: {note}")
    print(f"The atlas is ready: {folder}")
    return 0


def _end(code: int, message: str) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code
