"""Words of the corpus brought to the tokens: columns of a token table with what the corpus itself says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from services.modalities.corpora.gold import Gold, Word
from services.modalities.text.parts_of_speech import SPECIAL, UPOS, align
from services.modalities.text.tokens import TokenisedInput

# Columns of a token table.
TREE_WORD, TREE_HEAD, RELATION = "tree_word", "tree_head", "relation"
ENTITY, TAG = "entity", "corpus_tag"


def universal(gold: Sequence[Gold]) -> bool:
    """Whether a corpus has parts of speech, and writes them as Universal tags."""
    tags = {word.tag for one in gold for word in one.words} - {""}
    return bool(tags) and tags <= set(UPOS)


@dataclass(frozen=True)
class TokenWord:
    """The word that a token stands for. number: of it in its input; of words that share characters, of the first ·
    head: number of the word that is its head, −1 for none
    """

    word: Word
    number: int
    head: int


def words_of_tokens(item: TokenisedInput, gold: Sequence[Gold]) -> list[TokenWord | None]:
    """Of each token the word of its text that it shares most characters with, None for none.

    gold: of the input's text, and of its second text where it is a pair; words are numbered on from one to the other.
    """
    found: list[TokenWord | None] = [None] * len(item)
    sides = item.segments if item.segments is not None else (0,) * len(item)
    before = 0
    for side, one in enumerate(gold):
        outside = [special or of != side for special, of in zip(item.special, sides, strict=True)]
        tags = align([(*span, str(word)) for word, span in enumerate(one.spans)], item.offsets, outside)
        first: dict[tuple[int, int], int] = {}  # of words that share characters, as in a contraction
        carriers = [first.setdefault(span, word) for word, span in enumerate(one.spans)]
        for token, tag in enumerate(tags):
            if tag not in ("", SPECIAL):
                number = int(tag)
                head = one.words[number].head
                above = -1 if head is None or head < 0 or carriers[head] == number else before + carriers[head]
                found[token] = TokenWord(one.words[number], before + number, above)
        before += len(one.words)
    return found


def word_columns(inputs: Sequence[TokenisedInput], gold: Sequence[Sequence[Gold]]) -> dict[str, Any]:
    """What is known of the words, for the tokens that stand for them; only columns that say anything.

    gold: of each input, as for `words_of_tokens`.

    tree_word: int32, which word of its input's tree a token is of, −1 for none · tree_head: int32, the word that is
    its head, −1 for the root and where there is no tree · relation, entity, corpus_tag: texts, "" for none · pos in
    place of corpus_tag: where all tags are Universal ones
    """
    rows = [words_of_tokens(item, own) for item, own in zip(inputs, gold, strict=True)]
    words = [word for row in rows for word in row]
    special = [flag for item in inputs for flag in item.special]
    every = [one for own in gold for one in own]
    found: dict[str, Any] = {}
    if any(one.tree for one in every):
        found[TREE_WORD] = pa.array([-1 if one is None else one.number for one in words], pa.int32())
        found[TREE_HEAD] = pa.array([-1 if one is None else one.head for one in words], pa.int32())
        found[RELATION] = ["" if one is None else one.word.relation for one in words]
    entities = ["" if one is None else one.word.entity for one in words]
    if any(entities):
        found[ENTITY] = entities
    tags = [one.word.tag if one else SPECIAL if extra else "" for one, extra in zip(words, special, strict=True)]
    if set(tags) - {"", SPECIAL}:
        found["pos" if universal(every) else TAG] = tags
    return found
