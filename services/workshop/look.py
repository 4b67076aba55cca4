"""A first look at a model and a corpus before anything is built: what they are, and about how many tokens they make.

Runs under limits (services.workshop.limited); the model's weights are not read, and torch is not imported.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.errors import AtlasError, CorpusError
from services.modalities.corpora import DEMO, peek
from services.modalities.corpora.hub import hub_corpus, split_of
from services.modalities.registry import modality_named, modality_of
from services.modalities.text.chats import has_template
from services.models.files import find_model
from services.models.folders import ModelFolder
from services.models.outline import WRITER, Outline, outline
from services.workshop.archives import check_archive

SAMPLED = 400  # texts or pictures of which the tokens are counted
TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
TEXT = "text"
_CHARACTERS = 4.0  # of a token, where the tokenizer cannot be read without its model


def run(values: dict[str, Any]) -> dict[str, Any]:
    """
    Args:
        values: model, revision; corpus (a path, "demo" or a data set that was fetched) or text; column; target;
            reading (`Wish.reading`); max_inputs; most_bytes of an unpacked zip.

    Returns: modality, model {words, parameters, parts}, and of the corpus columns, rows, column, notes, inputs, tokens
    (about, all inputs together), pairs (about, of tokens of one input); problem: why the corpus cannot be used, in
    which case only the first rows are told.

    Raises:
        ModelError: the model cannot be used.
    """
    folder = find_model(values["model"], revision=values.get("revision"), offline=True, hashed=False)
    model, modality = outline(folder), modality_of(folder.config)
    told: dict[str, Any] = {"modality": modality.name, "model": {**asdict(model), "words": model.words}}
    with tempfile.TemporaryDirectory() as aside:
        source, of_hub = values.get("corpus") or "", None
        if not source:
            file = Path(aside) / "pasted sentences.txt"
            file.write_text(values.get("text") or "", encoding="utf-8", errors="replace")
            source = str(file)
        try:
            reading = dict(values.get("reading") or {})
            of_hub = hub_corpus(source)
            table = source if of_hub is None else str(split_of(of_hub).file(0))
            told |= _first_rows(table, modality.name, reading.get("encoding"))
            if source != DEMO and Path(source).suffix.lower() == ".zip":
                check_archive(Path(source), values["most_bytes"])
            if modality.name == TEXT and "chats" not in reading and has_template(folder):
                reading["chats"] = "template"
            corpus = modality_named(modality.name).read_corpus(
                source,
                column=values.get("column"),
                target=values.get("target"),
                max_inputs=values["max_inputs"],
                **reading,
            )
            if values.get("target") and model.kind != WRITER:
                raise CorpusError(f"{folder.name} writes nothing while it reads: choose no column that it writes.")
            if corpus.chats and not has_template(folder):
                raise CorpusError(f"{folder.name} has no template for chats: read each turn as an input.")
            counts = _counts(corpus, folder, model, modality.name)
        except AtlasError as error:
            shown = of_hub.shown if of_hub else Path(source).name
            return {**told, "problem": " ".join(str(error).replace(source, shown).split())}
    inputs = len(corpus.texts)
    return {
        **told,
        "problem": None,
        "name": corpus.name,
        "inputs": inputs,
        "tokens": round(sum(counts) / len(counts) * inputs),
        "pairs": round(sum(count * count for count in counts) / len(counts) * inputs),
        "notes": list(corpus.notes),
    }


def _first_rows(source: str, modality: str, encoding: str | None) -> dict[str, Any]:
    """Columns and first rows of a table; nothing of what is none."""
    none: dict[str, Any] = {"columns": [], "rows": []}
    if source == DEMO or not any(source.lower().removesuffix(".gz").endswith(ending) for ending in TABLES):
        return none
    if modality == "image" and source.lower().endswith((".parquet", ".pq")):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return {**none, "columns": list(pq.read_schema(source).names)}
        except (OSError, ValueError, pa.ArrowException):
            return none
    found = peek(source, encoding=encoding)
    return {"columns": list(found.columns), "rows": [list(row) for row in found.rows]}


def _counts(corpus: Any, folder: ModelFolder, model: Outline, modality: str) -> list[int]:
    """Tokens of some inputs, evenly taken from all."""
    texts = [" ".join(both) for both in zip(corpus.texts, corpus.pair, strict=True)] if corpus.pair else corpus.texts
    if modality == "image":
        return _patches(corpus, folder)
    step = max(1, len(texts) // SAMPLED)
    counts = list(_lengths(texts[::step], folder))
    return [min(count, model.longest or count) for count in counts]


def _lengths(texts: Sequence[str], folder: ModelFolder) -> Iterable[int]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder.processor / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return [max(1, len(one.ids)) for one in tokenizer.encode_batch(list(texts))]
    except Exception:  # the library's own kinds of error, or there is no such file: an estimate all the same
        return [round(len(text) / _CHARACTERS) + 2 for text in texts]


def _patches(corpus: Any, folder: ModelFolder) -> list[int]:
    """Patches of an image and one token more, by the sizes that the configuration and its image processor name."""
    config = folder.config.get("vision_config") or folder.config
    try:
        processor = json.loads((folder.processor / "preprocessor_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        processor = {}
    crop = processor.get("crop_size") if processor.get("do_center_crop", True) else None
    height, width = _sides(crop) or _sides(processor.get("size")) or _sides(config.get("image_size")) or (224, 224)
    patch = _sides(config.get("patch_size")) or (16, 16)
    _check_first(corpus)
    return [max(1, height // patch[0]) * max(1, width // patch[1]) + 1]


def _check_first(corpus: Any) -> None:
    """
    Raises:
        CorpusError: none of the first pictures is one.
    """
    from itertools import islice

    from services.modalities.images.decoding import decode

    reason, seen = "", 0
    for file in islice(corpus.files(), 20):
        seen += 1
        try:
            decode(file.data)
            return
        except CorpusError as error:
            reason = f"{file.name} {error}"
    raise CorpusError(f"None of the first {seen} images can be used: {reason}")


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width as configurations write them: a number, two, or an object."""
    if isinstance(size, int) and size > 0:
        return size, size
    if isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size):
        return int(size[0]), int(size[1])
    if isinstance(size, dict):
        names = ("height", "width") if "height" in size else ("shortest_edge", "shortest_edge")
        return _sides([size.get(name) for name in names])
    return None
