"""Tokens without the marks that tokenizers add for spaces and pieces of words."""

import re

_PUNCTUATION = re.compile(r"([^\w\s]|_)+")


def is_punctuation(text: str) -> bool:
    """Whether a token holds nothing but punctuation, emoji and other signs."""
    return _PUNCTUATION.fullmatch(text.strip()) is not None


def without_marks(text: str) -> str:
    """A token's text without the marks of subwords and spaces; a token of nothing but marks stays as it is."""
    return text.removeprefix("##").strip("·▁ ") or text


def bare(text: str) -> str:
    """A token's text as people type it: without marks and case."""
    return without_marks(text).casefold()
