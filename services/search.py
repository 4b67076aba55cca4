"""Find tokens by their text: a mask over the rows of a token table."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from services.atlas import Atlas, TokenTable

Mode = Literal["token", "word", "contains"]
MODES: tuple[str, ...] = get_args(Mode)
MAX_QUERY = 200


def without_marks(text: str) -> str:
    """A token's text without the marks of subwords and spaces; a token of nothing but marks stays as it is."""
    return text.removeprefix("##").strip("·▁ ") or text


def bare(text: str) -> str:
    """A token's text as people type it: without marks and case."""
    return without_marks(text).casefold()


@lru_cache(maxsize=8)
def _bare_texts(atlas: Atlas, table: str) -> np.ndarray:
    return np.asarray([bare(text) for text in atlas.tokens(table).text], dtype=object)


@lru_cache(maxsize=8)
def _words(atlas: Atlas, table: str) -> np.ndarray:
    """The whole word behind each token row, put together from its pieces."""
    tokens, texts = atlas.tokens(table), _bare_texts(atlas, table)
    starts = _word_starts(tokens)
    group = np.cumsum(starts) - 1
    joined = ["" for _ in range(int(group[-1]) + 1)] if len(group) else []
    for row, number in enumerate(group):
        joined[number] += texts[row]
    return np.asarray([joined[number] for number in group], dtype=object)


def _word_starts(tokens: TokenTable) -> np.ndarray:
    starts = np.ones(len(tokens), dtype=bool)
    same = (tokens.input[1:] == tokens.input[:-1]) & (tokens.word[1:] == tokens.word[:-1])
    starts[1:] = ~(same & (tokens.word[1:] >= 0))
    return starts


def search(atlas: Atlas, table: str, query: str, mode: str = "token") -> np.ndarray:
    """Which rows match.

    Args:
        query: what to look for, without regard to case; longer than MAX_QUERY is cut.
        mode: `token` the whole token, `word` the whole word over its pieces, `contains` a part of the token.

    Returns:
        bool [tokens]; all False for an empty query or an unknown mode.

    Raises:
        KeyError: no such table.
    """
    rows = len(atlas.tokens(table))
    wanted = query[:MAX_QUERY].strip().casefold()
    matcher = _MATCHERS.get(mode)
    if not wanted or matcher is None:
        return np.zeros(rows, dtype=bool)
    return matcher(atlas, table, wanted)


def _by_token(atlas: Atlas, table: str, wanted: str) -> np.ndarray:
    raw = np.fromiter((t.casefold() == wanted for t in atlas.tokens(table).token), bool)
    return raw | (_bare_texts(atlas, table) == wanted)


def _by_word(atlas: Atlas, table: str, wanted: str) -> np.ndarray:
    return _words(atlas, table) == wanted


def _by_part(atlas: Atlas, table: str, wanted: str) -> np.ndarray:
    return np.fromiter((wanted in text for text in _bare_texts(atlas, table)), bool)


_MATCHERS: dict[str, Callable[[Atlas, str, str], np.ndarray]] = {
    "token": _by_token,
    "word": _by_word,
    "contains": _by_part,
}
