"""What a token table of text holds beside the columns of any table: words, and parts of speech."""

from collections.abc import Sequence

import numpy as np

from services.atlas import Atlas, TokenTable, token_tables

WORD, POS = "word", "pos"


def words(tokens: TokenTable) -> np.ndarray:
    """int32 [tokens]: index of the token's word within its input, −1 for special tokens.

    Tokens of inputs that are no text are words of their own.
    """
    if WORD not in tokens.columns:
        return np.where(tokens.special, -1, tokens.position)
    return np.asarray(tokens.columns[WORD], dtype=np.int32)


def tags(tokens: TokenTable) -> Sequence[str] | None:
    """Universal part-of-speech tags, "" for none; None: the atlas was built without them."""
    found = tokens.columns.get(POS)
    return None if found is None else list(found) if isinstance(found, np.ndarray) else found


def has_tags(atlas: Atlas) -> bool:
    """Whether every token table holds parts of speech; reads none of them."""
    return all(atlas.has_column(table, POS) for table in sorted(token_tables(atlas.info)))
