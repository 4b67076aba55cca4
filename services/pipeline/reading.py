"""The corpus of a build, read as its model can take it."""

from dataclasses import replace

from services.modalities.corpora import Corpus
from services.modalities.registry import modality_named
from services.modalities.text.chats import has_template
from services.models.files import find_model, with_processor_of
from services.pipeline.request import BuildRequest


def read(request: BuildRequest) -> Corpus:
    """What was asked for; chats as the model's own template writes them where it has one and nobody chose.

    Raises:
        CorpusError: it cannot be read. ModelError: there is no such model.
    """
    corpus = _read(request)
    if not corpus.by_turns or request.chats is not None:
        return corpus
    folder = find_model(request.model, revision=request.revision)
    if request.tokenizer is not None:
        folder = with_processor_of(folder, request.tokenizer)
    if has_template(folder):
        return _read(request.model_copy(update={"chats": "template"}))
    return replace(corpus, notes=(*corpus.notes, f"Model {folder.name} has no template for chats."))


def _read(request: BuildRequest) -> Corpus:
    return modality_named(request.modality).read_corpus(
        request.corpus, column=request.column, target=request.target, max_inputs=request.max_inputs, **request.reading()
    )
