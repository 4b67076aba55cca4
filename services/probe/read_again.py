"""An input for the atlas's model: a reader's own, or one of the corpus as the build cut it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.atlas import Atlas
from services.capture import global_tokens
from services.errors import CorpusError, ProbeError
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.modalities.text.inputs import corpus_of
from services.modalities.text.targets import GIVEN, TARGET_COLUMN
from services.models.loading import LoadedModel
from services.probe.asked import Asked
from services.probe.question import Question
from services.probe.seen import COLUMNS, image_of, kept_columns, prepare
from services.streams.registry import TOKENS, WRITTEN

Columns = Mapping[str, dict[str, list[Any]]]  # of each token table, as a probe keeps them


def input_of(
    atlas: Atlas,
    loaded: LoadedModel,
    question: Question,
    most_tokens: int,
    check: Callable[[], None],
    folder: Path | None = None,
) -> tuple[ModelInput, Columns]:
    """The input, and what is kept of its tokens. folder: of probes, for the images that readers bring.

    Raises:
        ProbeError: a text that is too long, or an input that the tokenizer here cuts otherwise than the build did.
    """
    if question.input is None:
        prepared = prepare(loaded, Asked(question.text), most_tokens, check, folder)
        return prepared.inputs[0], {table: kept_columns(prepared, table) for table in prepared.columns}
    index = question.input
    if loaded.modality == "image":
        return image_of(atlas, loaded, index), {TOKENS: _stored(atlas, index)}
    tables = {table for stream in atlas.info.streams for table in stream.tables}
    written = _written(atlas, index) if WRITTEN in tables else ""
    corpus = corpus_of(atlas, index, written)
    try:
        prepared = modality_named(loaded.modality).prepare(
            loaded,
            corpus,
            max_tokens=max(len(atlas.tokens(table).token[atlas.tokens(table).rows(index)]) for table in tables),
            tags="none",
            is_global=lambda item: global_tokens(loaded.model, item),
        )
    except CorpusError as error:
        raise ProbeError(f"{error}") from error
    for table in tables:
        tokens = atlas.tokens(table)
        if list(prepared.columns[table]["token"]) != list(tokens.token[tokens.rows(index)]):
            raise ProbeError(
                f"Input {index} is cut into other tokens here than when the atlas was built, so that places would not"
                " be the same: type it as your own text."
            )
    return prepared.inputs[0], {table: kept_columns(prepared, table) for table in tables}


def _stored(atlas: Atlas, index: int) -> dict[str, list[Any]]:
    tokens = atlas.tokens()
    return {name: np.asarray(getattr(tokens, name)[tokens.rows(index)]).tolist() for name in COLUMNS}


def _written(atlas: Atlas, index: int) -> str:
    """The target of an input, from the column that the build has kept it in."""
    given = next((note for note in atlas.info.corpus.notes if note.startswith(GIVEN)), "")
    name = given.removeprefix(GIVEN).strip().removesuffix(".")
    column = atlas.inputs.columns.get(name or TARGET_COLUMN)
    if column is None:
        raise ProbeError("The atlas does not say what its model wrote: type the input as your own text.")
    return str(column[index])
