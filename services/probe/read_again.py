"""An input for the atlas's model: a reader's own text, or an input of the corpus cut as the build cut it."""

from collections.abc import Callable

from services.atlas import Atlas
from services.capture import global_tokens
from services.errors import CorpusError, ProbeError
from services.modalities.contract import ModelInput, Prepared
from services.modalities.registry import modality_named
from services.modalities.text.inputs import corpus_of
from services.modalities.text.targets import GIVEN, TARGET_COLUMN
from services.models.loading import LoadedModel
from services.probe.asked import Asked
from services.probe.question import Question
from services.probe.seen import prepare
from services.streams.registry import WRITTEN


def input_of(
    atlas: Atlas, loaded: LoadedModel, question: Question, most_tokens: int, check: Callable[[], None]
) -> tuple[ModelInput, Prepared]:
    """
    Raises:
        ProbeError: a text that is too long, or an input that the tokenizer here cuts otherwise than the build did.
    """
    if question.input is None:
        prepared = prepare(loaded, Asked(question.text), most_tokens, check)
        return prepared.inputs[0], prepared
    index = question.input
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
    return prepared.inputs[0], prepared


def _written(atlas: Atlas, index: int) -> str:
    """The target of an input, from the column that the build has kept it in."""
    given = next((note for note in atlas.info.corpus.notes if note.startswith(GIVEN)), "")
    name = given.removeprefix(GIVEN).strip().removesuffix(".")
    column = atlas.inputs.columns.get(name or TARGET_COLUMN)
    if column is None:
        raise ProbeError("The atlas does not say what its model wrote: type the input as your own text.")
    return str(column[index])
