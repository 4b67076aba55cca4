"""Words of the corpus brought to the tokens: columns of a token table with what the corpus itself says."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from services.modalities.corpora.gold import Gold
from services.modalities.text.parts_of_speech import SPECIAL, UPOS, align
from services.modalities.text.tokens import TokenisedInput

# Columns of a token table.
TREE_WORD, TREE_HEAD, RELATION = "tree_word", "tree_head", "relation"
ENTITY, TAG = "entity", "corpus_tag"


def universal(gold: Sequence[Gold]) -> bool:
    """Whether a corpus has parts of speech, and writes them as Universal tags."""
    tags = {word.tag for one in gold for word in one.words} - {""}
    return bool(tags) and tags <= set(UPOS)


def word_columns(inputs: Sequence[TokenisedInput], gold: Sequence[Gold]) -> dict[str, Any]:
    """What is known of the words, for the tokens that stand for them; only columns that say anything.

    tree_word: int32, which word of its input's tree a token is of, −1 for none · tree_head: int32, the word that is
    its head, −1 for the root and where there is no tree · relation, entity, corpus_tag: texts, "" for none · pos in
    place of corpus_tag: where all tags are Universal ones
    """
    places = [_words(item, one) for item, one in zip(inputs, gold, strict=True)]
    carriers = [_carriers(one) for one in gold]
    words = [word for row in places for word in row]
    heads, columns = [], {name: list[str]() for name in (RELATION, ENTITY, TAG)}
    for item, one, row, carrier in zip(inputs, gold, places, carriers, strict=True):
        for word, special in zip(row, item.special, strict=True):
            known = one.words[word] if word >= 0 else None
            head = known.head if known is not None and known.head is not None else -1
            heads.append(carrier[head] if head >= 0 and carrier[head] != word else -1)
            columns[RELATION].append(known.relation if known is not None else "")
            columns[ENTITY].append(known.entity if known is not None else "")
            columns[TAG].append(known.tag if known is not None else SPECIAL if special else "")
    found: dict[str, Any] = {}
    if any(one.tree for one in gold):
        found |= {TREE_WORD: pa.array(words, pa.int32()), TREE_HEAD: pa.array(heads, pa.int32())}
        found[RELATION] = columns[RELATION]
    if any(columns[ENTITY]):
        found[ENTITY] = columns[ENTITY]
    if any(set(columns[TAG]) - {"", SPECIAL}):
        found["pos" if universal(gold) else TAG] = columns[TAG]
    return found


def _words(item: TokenisedInput, gold: Gold) -> list[int]:
    """Of each token the word of its text that it shares most characters with, −1 for none."""
    first = item.segments if item.segments is not None else (0,) * len(item)
    outside = [special or side != 0 for special, side in zip(item.special, first, strict=True)]
    spans = [(start, stop, str(word)) for word, (start, stop) in enumerate(gold.spans)]
    tags = align(spans, item.offsets, outside)
    return [int(tag) if tag not in ("", SPECIAL) else -1 for tag in tags]


def _carriers(gold: Gold) -> list[int]:
    """Of each word the one that its characters go by: the first of those that share them, as in a contraction."""
    first: dict[tuple[int, int], int] = {}
    return [first.setdefault(span, word) for word, span in enumerate(gold.spans)]
