"""Find tokens by their text or part of speech: a mask over the rows of a token table."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from services.atlas import Atlas, TokenTable
from services.errors import SearchError
from services.modalities.text.columns import tags, words
from services.modalities.text.marks import without_marks
from services.modalities.text.parts_of_speech import NAMES, UNTAGGED, tags_named
from services.search.characters import split_characters
from services.search.patterns import Pattern

Mode = Literal["token", "word", "prefix", "contains", "regex", "pos", "object"]
MODES: tuple[str, ...] = get_args(Mode)
MAX_QUERY = 200
_TERM = re.compile(r'"([^"]*)"|([^,]+)')


@dataclass(frozen=True)
class Question:
    """What is looked for.

    query: one term or several, separated by commas, any of which may match; a term in double quotes may hold commas.
        A regular expression is one term.
    mode: `token` the whole token, `word` the whole word over its pieces, `prefix` the start of a token, `contains`
        a part of it, `regex` a pattern anywhere in it, `pos` the part of speech of its word; `object` of patches: what
        fills them by a mask, or a part of the name or label of their image.
    match_case: whether "May" and "may" differ.

    A character that was cut into several tokens is found by itself: all its tokens are hits.
    """

    query: str
    mode: str = "token"
    match_case: bool = False


def _folded(text: str, match_case: bool) -> str:
    return text if match_case else text.casefold()


@lru_cache(maxsize=16)
def _texts(atlas: Atlas, table: str, match_case: bool) -> np.ndarray:
    """object [tokens]: the text of each token without marks."""
    return np.asarray([_folded(without_marks(text), match_case) for text in atlas.tokens(table).text], dtype=object)


@lru_cache(maxsize=16)
def _raw(atlas: Atlas, table: str, match_case: bool) -> np.ndarray:
    """object [tokens]: each token as the vocabulary writes it."""
    return np.asarray([_folded(text, match_case) for text in atlas.tokens(table).token], dtype=object)


@lru_cache(maxsize=16)
def _words(atlas: Atlas, table: str, match_case: bool) -> np.ndarray:
    """object [tokens]: the whole word behind each token, put together from its pieces."""
    texts = _texts(atlas, table, match_case)
    group = np.cumsum(_word_starts(atlas.tokens(table))) - 1
    joined: list[list[str]] = [[] for _ in range(int(group[-1]) + 1)] if len(group) else []
    for row, number in enumerate(group):
        joined[number].append(texts[row])
    words = ["".join(pieces) for pieces in joined]
    return np.asarray([words[number] for number in group], dtype=object)


def _word_starts(tokens: TokenTable) -> np.ndarray:
    starts = np.ones(len(tokens), dtype=bool)
    word = words(tokens)
    same = (tokens.input[1:] == tokens.input[:-1]) & (word[1:] == word[:-1])
    starts[1:] = ~(same & (word[1:] >= 0))
    return starts


def terms_of(question: Question) -> list[str]:
    """The terms of a question, without blanks at their ends; [] when there is nothing to look for."""
    query = question.query.strip()
    if question.mode == "regex":
        return [query] if query else []
    found = [quoted or plain.strip() for quoted, plain in _TERM.findall(query)]
    # Nothing but commas is a search for the comma itself.
    return list(dict.fromkeys(term for term in found if term)) or ([query] if query else [])


def search(atlas: Atlas, table: str, question: Question) -> np.ndarray:
    """Which rows match.

    Returns:
        bool [tokens]; all False for an empty query.

    Raises:
        KeyError: no such table.
        SearchError: the question cannot be understood, in one sentence for the user.
    """
    rows = len(atlas.tokens(table))
    if question.mode not in MODES:
        raise SearchError(f"There is no way to search called {question.mode[:20]!r}; there are {', '.join(MODES)}.")
    if len(question.query) > MAX_QUERY:
        raise SearchError(f"A search can have {MAX_QUERY} characters; this one has {len(question.query):,}.")
    terms = terms_of(question)
    if not terms:
        return np.zeros(rows, dtype=bool)
    if question.mode == "regex":
        return _by_pattern(atlas, table, terms[0], question.match_case)
    if question.mode == "pos":
        return _by_tag(atlas, table, terms)
    if question.mode == "object":
        return _by_object(atlas, table, [_folded(term, question.match_case) for term in terms], question.match_case)
    matcher = _MATCHERS[question.mode]
    wanted = [_folded(term, question.match_case) for term in terms]
    mask = np.zeros(rows, dtype=bool)
    for term in wanted:
        mask |= matcher(atlas, table, term, question.match_case)
    for row, characters in split_characters(atlas, table).items():
        mask[row] |= any(_folded(character, question.match_case) in wanted for character in characters)
    return mask


def _equal(values: np.ndarray, wanted: str) -> np.ndarray:
    return np.fromiter((value == wanted for value in values), bool, len(values))


def _by_token(atlas: Atlas, table: str, wanted: str, match_case: bool) -> np.ndarray:
    return _equal(_raw(atlas, table, match_case), wanted) | _equal(_texts(atlas, table, match_case), wanted)


def _by_word(atlas: Atlas, table: str, wanted: str, match_case: bool) -> np.ndarray:
    return _equal(_words(atlas, table, match_case), wanted)


def _by_prefix(atlas: Atlas, table: str, wanted: str, match_case: bool) -> np.ndarray:
    texts = _texts(atlas, table, match_case)
    return np.fromiter((text.startswith(wanted) for text in texts), bool, len(texts))


def _by_part(atlas: Atlas, table: str, wanted: str, match_case: bool) -> np.ndarray:
    texts = _texts(atlas, table, match_case)
    return np.fromiter((wanted in text for text in texts), bool, len(texts))


_MATCHERS: dict[str, Callable[[Atlas, str, str, bool], np.ndarray]] = {
    "token": _by_token,
    "word": _by_word,
    "prefix": _by_prefix,
    "contains": _by_part,
}


def _by_pattern(atlas: Atlas, table: str, source: str, match_case: bool) -> np.ndarray:
    pattern = Pattern(source, match_case)
    texts = _texts(atlas, table, True)  # the pattern folds case itself
    answers = {text: pattern.found(text) for text in dict.fromkeys(texts)}
    return np.fromiter((answers[text] for text in texts), bool, len(texts))


def _by_object(atlas: Atlas, table: str, wanted: list[str], match_case: bool) -> np.ndarray:
    tokens = atlas.tokens(table)
    lines = [_folded(line, match_case) for line in atlas.inputs.text]
    named = np.fromiter((any(term in line for term in wanted) for line in lines), bool, len(lines))
    objects = [_folded(name, match_case) for name in tokens.columns.get("object", ())]
    found = named[tokens.input] & ~tokens.special
    if objects:
        found |= np.fromiter((name in wanted for name in objects), bool, len(objects))
    return found


def _by_tag(atlas: Atlas, table: str, terms: list[str]) -> np.ndarray:
    tags_of_rows = tags(atlas.tokens(table))
    if tags_of_rows is None:
        said = next((note for note in atlas.info.corpus.notes if note.startswith(UNTAGGED)), None)
        raise SearchError(said or f"{UNTAGGED}: this atlas was built without a tagger.")
    wanted: set[str] = set()
    for term in terms:
        named = tags_named(term)
        if not named:
            raise SearchError(f"{term[:30]!r} is no part of speech; there are {', '.join(NAMES)} and SPECIAL.")
        wanted |= named
    return np.fromiter((tag in wanted for tag in tags_of_rows), bool, len(tags_of_rows))
