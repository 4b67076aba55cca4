"""Tokens without the marks that tokenizers add for spaces and pieces of words."""


def without_marks(text: str) -> str:
    """A token's text without the marks of subwords and spaces; a token of nothing but marks stays as it is."""
    return text.removeprefix("##").strip("·▁ ") or text


def bare(text: str) -> str:
    """A token's text as people type it: without marks and case."""
    return without_marks(text).casefold()
