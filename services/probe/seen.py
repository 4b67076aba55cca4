"""A probe before the model: cut into tokens and captured as an input of the corpus would be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.capture import STORED_TOLERANCE, InputCapture, TokenisedInput, capture, global_tokens, tokenise
from services.capture.run import visible_pairs
from services.errors import CorpusError, ProbeError
from services.modalities.contract import ModelInput, Prepared
from services.modalities.corpora import Corpus
from services.modalities.images.cutting import SeenImage
from services.modalities.registry import modality_named
from services.modalities.text.inputs import corpus_of
from services.modalities.text.targets import writes
from services.models.loading import LoadedModel
from services.payloads.images import has_images, image_facts, pixels
from services.probe.asked import WRITES, Asked
from services.probe.brought import MOST_TOKENS, folder_of
from services.probe.kept import INFO, PIXELS, UNIT, being_written, write
from services.streams.registry import TOKENS

COLUMNS = ("token", "text", "special")
SHORT = 3  # tokens, the least of an input on which a model is compared with its atlas


def look(
    atlas: Atlas, loaded: LoadedModel, asked: Asked, folder: Path, most_tokens: int, check: Callable[[], None]
) -> None:
    """Run the model on a probe and keep what it did. check: raises when nobody wants it any more.

    Raises:
        ProbeError: it has too many tokens, or none.
        ModelError, CaptureError: the model cannot read it.
    """
    prepared = prepare(loaded, asked, most_tokens, check, folder)
    item = prepared.inputs[0]
    check()
    with being_written(folder, asked.id(atlas)) as half:
        pairs = {}
        for found in capture(loaded, [item]):
            stream = atlas.stream(found.stream)
            visible = visible_pairs(stream, item)
            pairs[stream.name] = int(visible.sum())
            if stream.attention != "none":
                write(half / stream.name / "attention.npy", _quantised(stream, found, visible))
            precision = atlas.vectors(stream).precision  # rounded as the atlas's own are, equal inputs are equal points
            with np.errstate(over="ignore"):
                for name in ("queries", "keys"):
                    write(half / stream.name / f"{name}.npy", getattr(found, name).astype(precision))
            write(half / stream.name / "value_norms.npy", found.value_norms)
        info: dict[str, Any] = {
            "key": atlas.info.key,
            "text": asked.text,
            "tables": {table: kept_columns(prepared, table) for table in prepared.columns},
            "global": {table: kept_flags(item.global_tokens(table)) for table in prepared.columns},
            "pairs": pairs,
        }
        info |= keep_image(half, item)
        (half / INFO).write_text(json.dumps(info), encoding="utf-8")


def keep_image(half: Path, item: ModelInput) -> dict[str, Any]:
    """Keep what a model saw of an image; what is told of it, nothing of a text."""
    if not isinstance(item, SeenImage):
        return {}
    write(half / PIXELS, item.pixels)
    height, width = item.pixels.shape[:2]
    rows, columns = item.grid
    grid = {"height": height, "width": width, "rows": rows, "columns": columns}
    return {"image": grid | {"name": item.name, "label": item.label}}


def prepare(
    loaded: LoadedModel, asked: Asked, most_tokens: int, check: Callable[[], None], folder: Path | None = None
) -> Prepared:
    """What an encoder–decoder is not told to write, it writes itself. folder: of probes, for their images.

    Raises:
        ProbeError: it has too many tokens, or none.
    """
    modality = modality_named(loaded.modality)
    try:
        if loaded.modality == "image":
            place = folder_of(folder or Path(), asked)
            corpus, most = modality.read_corpus(str(place), column=None, max_inputs=1), MOST_TOKENS
        else:
            corpus, most = _texts(loaded, asked, most_tokens), None
            corpus = modality.complete(loaded, corpus, max_tokens=most_tokens, report=lambda *_: check())
        return modality.prepare(
            loaded, corpus, max_tokens=most, tags="none", is_global=lambda item: global_tokens(loaded.model, item)
        )
    except CorpusError as error:
        raise ProbeError(f"{error}") from error


def _texts(loaded: LoadedModel, asked: Asked, most_tokens: int) -> Corpus:
    """Its text, and of an encoder–decoder what it is to write, where that is said."""
    source, target = asked.sides if writes(loaded) else (asked.text, "")
    for text in filter(str.strip, (source, target)):
        _check_length(loaded, tokenise(loaded, [text])[0], most_tokens)
    if not source:
        raise ProbeError(f"Type what the model is to read before {WRITES}.")
    columns = {"target": (target,)} if target else {}
    column = "target" if target else None
    return Corpus(name="probe", source="The probe", texts=(source,), columns=columns, sha256="", target=column)


def _check_length(loaded: LoadedModel, item: TokenisedInput, most_tokens: int) -> None:
    if len(item) <= most_tokens and not item.truncated:
        return
    count = f"more than {len(item):,}" if item.truncated else f"{len(item):,}"
    raise ProbeError(
        f"This probe has {count} tokens; {min(most_tokens, loaded.max_tokens):,} are the most"
        " (ATLAS_PROBE_TOKENS, and what the model takes)."
    )


def _quantised(stream: StreamInfo, found: InputCapture, visible: np.ndarray) -> np.ndarray:
    """uint16 [layers, heads, queries, keys], weight × 65535."""
    weights = found.attention
    if weights is None:
        raise ProbeError(f"The model shows no attention weights of its {stream.name} stream.")
    if stream.attention == "banded":
        whole = np.zeros((*weights.shape[:2], *visible.shape), np.float32)
        whole[..., visible] = weights
        weights = whole
    return np.rint(weights * UNIT).clip(0, UNIT).astype("<u2")


def kept_columns(prepared: Prepared, table: str) -> dict[str, list[Any]]:
    columns = prepared.columns[table]
    return {name: [value.as_py() if hasattr(value, "as_py") else value for value in columns[name]] for name in COLUMNS}


def kept_flags(flags: np.ndarray | None) -> list[bool] | None:
    return None if flags is None else [bool(flag) for flag in flags]


def check_same(atlas: Atlas, loaded: LoadedModel) -> None:
    """Hold a model to the atlas that was built with it: its streams, its tokens and its attention on one short input.

    Raises:
        ProbeError: what is here under the model's name is another model, or has another tokenizer.
    """
    name = atlas.info.model.id
    shapes = [(s.name, s.layers, s.heads, s.key_heads, s.head_dim) for s in atlas.info.streams]
    if loaded.modality != atlas.info.modality or shapes != [
        (s.name, s.layers, s.heads, s.key_heads, s.head_dim) for s in loaded.streams
    ]:
        raise ProbeError(f"The model {name} on this machine has other layers or heads than that of the atlas.")
    stream = next((one for one in atlas.info.streams if one.tables == (TOKENS, TOKENS)), None)
    if stream is None:
        return
    if loaded.modality == "image":
        _check_image(atlas, loaded, stream)
        return
    tokens = atlas.tokens(stream.query_table)
    long_enough = np.flatnonzero(tokens.counts >= SHORT)
    if not len(long_enough):
        return
    index = int(long_enough[np.argmin(tokens.counts[long_enough])])
    # What a decoder writes of it changes nothing of how it is read.
    corpus = corpus_of(atlas, index, atlas.inputs.text[index])
    try:
        prepared = modality_named(loaded.modality).prepare(
            loaded, corpus, max_tokens=None, tags="none", is_global=lambda item: global_tokens(loaded.model, item)
        )
    except CorpusError:
        prepared = None
    expected = list(tokens.token[tokens.rows(index)])
    got = list(prepared.columns[stream.query_table]["token"])[: len(expected)] if prepared else []
    if prepared is None or got != expected:
        raise ProbeError(f"The tokenizer of {name} on this machine cuts texts otherwise than that of the atlas.")
    blocks = atlas.attention(stream)
    if not blocks.kept or prepared.inputs[0].lengths[TOKENS] != len(expected) or stream.attention != "dense":
        return
    _check_attention(atlas, loaded, stream, index, prepared.inputs[0])


def _check_image(atlas: Atlas, loaded: LoadedModel, stream: StreamInfo) -> None:
    """Its first image, as the atlas keeps its pixels, before the model."""
    if not has_images(atlas) or not atlas.attention(stream).kept or stream.attention != "dense":
        return
    _check_attention(atlas, loaded, stream, 0, image_of(atlas, loaded, 0))


def image_of(atlas: Atlas, loaded: LoadedModel, index: int) -> SeenImage:
    """An image of the corpus as the model saw it, from the pixels that the atlas keeps."""
    if not loaded.tokenizer.learnt:
        loaded.tokenizer.learn(loaded.model)
    facts, tokens = image_facts(atlas, index), atlas.tokens()
    rows = tokens.rows(index)
    special = tuple(text for text, flag in zip(tokens.text[rows], tokens.special[rows], strict=True) if flag)
    grid = facts["rows"], facts["columns"]
    return SeenImage(pixels(atlas, index), grid, special, name=facts["name"], label=facts["label"])


def _check_attention(atlas: Atlas, loaded: LoadedModel, stream: StreamInfo, index: int, item: ModelInput) -> None:
    blocks = atlas.attention(stream)
    found = next(one for one in capture(loaded, [item]) if one.stream == stream.name)
    assert found.attention is not None
    apart = max(
        float(np.abs(found.attention[layer] - blocks.of_layer(index, layer)).max()) for layer in range(stream.layers)
    )
    if not apart <= STORED_TOLERANCE:
        name = atlas.info.model.id
        raise ProbeError(f"The model {name} on this machine attends otherwise than that of the atlas (by {apart:.2g}).")
