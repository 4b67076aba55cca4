"""Chats as a model reads them: written by the template that comes with its tokenizer, and whose words each token is of.

A template is a program in the language Jinja; transformers runs it in a sandbox without access to anything but the
chat. It is the one piece of a model's folder that runs, and it makes nothing but text.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from services.errors import ModelError
from services.modalities.corpora import Corpus
from services.modalities.corpora.chats import ROLE as SPEAKS
from services.modalities.corpora.chats import Turn
from services.modalities.text.tokens import TokenisedInput
from services.models.folders import ModelFolder
from services.models.loading import LoadedModel, first_line

TEMPLATE = "template"  # column of the table of inputs: true where a template has written them
ROLE = "role"  # column of a token table: who speaks; "" for what the template adds
FILE, SETTINGS = "chat_template.jinja", "tokenizer_config.json"
Spoken = tuple[int, int, str]  # characters of the text, and who speaks


def has_template(folder: ModelFolder) -> bool:
    """Whether a model's tokenizer has a template for chats; reads no weights."""
    if (folder.processor / FILE).is_file():
        return True
    try:
        settings = json.loads((folder.processor / SETTINGS).read_text(encoding="utf-8"))
        return bool(settings.get("chat_template"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def check_chats(loaded: LoadedModel, corpus: Corpus, *, writes: bool) -> None:
    """
    Raises:
        ModelError: the corpus holds chats, and the model has no template for them.
    """
    if corpus.chats and (writes or not getattr(loaded.tokenizer, "chat_template", None)):
        reads = "reads one text and writes another" if writes else f"has no chat template (no {FILE})"
        raise ModelError(
            f"Model {loaded.info.id} {reads}: read each turn of a chat as an input of its own with --chats turns, or"
            " choose a model that was made for chats."
        )


def rendered(loaded: LoadedModel, corpus: Corpus) -> tuple[Corpus, list[list[Spoken]], tuple[str, ...]]:
    """A corpus of chats as texts, the places of what is said in them, and notes; any other corpus as it is.

    Raises: ModelError when the template takes no such chats.
    """
    if not corpus.chats:
        return corpus, [], ()
    texts, spoken, lost = [], [], 0
    for number, turns in enumerate(corpus.chats, 1):
        text = _written(loaded, turns, number, corpus.source)
        places = _places(text, turns)
        lost += places is None
        texts.append(text)
        spoken.append(places or [])
    notes = [f"Chats are written by the chat template of {loaded.info.id}."]
    if lost:
        notes.append(f"The template changes what is said in {lost:,} chats: their tokens have no role.")
    return replace(corpus, texts=tuple(texts), chats=(), rendered=True), spoken, tuple(notes)


def _written(loaded: LoadedModel, turns: Sequence[Turn], number: int, source: str) -> str:
    chat = [{"role": turn.role, "content": turn.content} for turn in turns]
    try:
        return str(loaded.tokenizer.apply_chat_template(chat, tokenize=False))
    except Exception as error:  # a template raises what it likes, such as "roles must alternate"
        raise ModelError(
            f"{source}: chat {number:,} does not suit the template of {loaded.info.id} ({first_line(error)}): change"
            " it, or read each turn as an input of its own with --chats turns."
        ) from error


def _places(text: str, turns: Sequence[Turn]) -> list[Spoken] | None:
    """Where the turns stand in the text, one behind the other; None: not all are there as they were written."""
    found, at = [], 0
    for turn in turns:
        said = turn.content.strip()
        start = text.find(said, at)
        if start < 0:
            return None
        if said:
            found.append((start, start + len(said), turn.role))
        at = start + len(said)
    return found


def role_column(
    corpus: Corpus, inputs: Sequence[TokenisedInput], kept: Sequence[int], spoken: Sequence[Sequence[Spoken]]
) -> list[str]:
    """Of each token who speaks, "" where the template does. kept: which inputs of the corpus these are."""
    if corpus.by_turns:
        said = corpus.columns.get(SPEAKS, ("",) * len(corpus.texts))
        pairs = zip(inputs, kept, strict=True)
        return ["" if special else said[index] for item, index in pairs for special in item.special]
    return [role for item, index in zip(inputs, kept, strict=True) for role in _roles(item, spoken[index])]


def _roles(item: TokenisedInput, spoken: Sequence[Spoken]) -> list[str]:
    found, turn = [], 0
    for (start, stop), special in zip(item.offsets, item.special, strict=True):
        while turn < len(spoken) and spoken[turn][1] <= start:
            turn += 1
        inside = turn < len(spoken) and stop > spoken[turn][0] and stop > start
        found.append(spoken[turn][2] if inside and not special else "")
    return found
