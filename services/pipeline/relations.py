"""Heads that follow a syntactic relation: Clark et al. 2019, section 4.2, on any treebank in CoNLL-U.

To a word that is cut into pieces attention is summed, from it averaged; special tokens and the word itself are left
out; the most attended word is the head's guess. A relation's baseline is the best fixed offset.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.capture import capture, tokenise
from services.errors import CorpusError
from services.modalities.corpora import Corpus, read_corpus
from services.modalities.corpora.gold import Gold
from services.modalities.corpora.wording import one_line
from services.modalities.text.tokens import TokenisedInput
from services.modalities.text.words import TokenWord, words_of_tokens
from services.models.loading import LoadedModel

MOST_SENTENCES = 500
LEAST_PAIRS = 20
_FARTHEST = 5  # words, of a fixed offset


@dataclass(frozen=True)
class Followed:
    """accuracy: float64 [layers, heads] · baseline: of the best fixed offset · pairs: dependents that were asked"""

    accuracy: np.ndarray
    baseline: float
    offset: int
    pairs: int


def read_trees(path: Path) -> Corpus:
    """The first MOST_SENTENCES sentences of a treebank, as any corpus is read; some of them have a tree.

    Raises:
        CorpusError: it cannot be read, or has no tree; one line.
    """
    found = read_corpus(path, max_inputs=MOST_SENTENCES)
    if not any(one.tree for one in found.gold):
        told = " ".join(("", *found.notes))
        raise CorpusError(
            f"{one_line(path.name)}: holds no tree.{told} A treebank in CoNLL-U (.conllu) with gold heads and relations"
            " is needed."
        )
    return found


def follow(loaded: LoadedModel, treebank: Corpus, relations: Sequence[str]) -> dict[str, Followed]:
    """How often each head of the first stream looks from a dependent to its head, by relation.

    A relation with fewer than LEAST_PAIRS pairs is not there. Sentences that the model cuts short, or whose words the
    tokenizer leaves nothing of, are passed over; words of a contraction that share characters are one, the first.
    """
    stream = loaded.streams[0]
    right = {name: np.zeros((stream.layers, stream.heads)) for name in relations}
    pairs: dict[str, list[int]] = {name: [] for name in relations}
    for words, weights in _by_word(loaded, treebank):
        guess = weights.argmax(axis=-1)  # [layers, heads, words]
        place = {one.number: index for index, one in enumerate(words)}
        for word, one in enumerate(words):
            if one.word.relation in right and one.head in place:
                head = place[one.head]
                right[one.word.relation] += guess[:, :, word] == head
                pairs[one.word.relation].append(head - word)
    found = {}
    for name, gaps in pairs.items():
        if len(gaps) >= LEAST_PAIRS:
            offsets = [gap for gap in range(-_FARTHEST, _FARTHEST + 1) if gap]
            best = max(offsets, key=gaps.count)
            found[name] = Followed(right[name] / len(gaps), gaps.count(best) / len(gaps), best, len(gaps))
    return found


def _by_word(loaded: LoadedModel, treebank: Corpus) -> Iterator[tuple[list[TokenWord], np.ndarray]]:
    """Words of each sentence with the attention between them, float64 [layers, heads, words, words], −1 on itself."""
    trees = [index for index, one in enumerate(treebank.gold) if one.tree]
    items = tokenise(loaded, [treebank.texts[index] for index in trees])
    usable = [number for number, item in enumerate(items) if not item.truncated]
    for one in capture(loaded, [items[number] for number in usable]):
        if one.stream != loaded.streams[0].name or one.attention is None:
            continue
        gold, item = treebank.gold[trees[usable[one.index]]], items[usable[one.index]]
        words, pieces = word_pieces(item, gold)
        if len(words) < len(set(gold.spans)):
            continue  # the tokenizer leaves nothing of one
        weights = between_words(one.attention, pieces)
        weights[..., np.arange(len(words)), np.arange(len(words))] = -1
        yield words, weights


def word_pieces(item: TokenisedInput, gold: Gold) -> tuple[list[TokenWord], np.ndarray]:
    """The words of a text that tokens stand for, in order, and which token is of which: float64 [tokens, words]."""
    of_token = words_of_tokens(item, (gold,))
    words = sorted({one.number: one for one in of_token if one is not None}.values(), key=lambda one: one.number)
    place = {one.number: index for index, one in enumerate(words)}
    found = np.zeros((len(of_token), len(words)))
    for token, one in enumerate(of_token):
        if one is not None:
            found[token, place[one.number]] = 1
    return words, found


def between_words(attention: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Attention [layers, heads, tokens, tokens] between words: summed to a word's pieces, averaged from them."""
    to = attention.astype(np.float64) @ pieces
    return np.einsum("lhtw,tv->lhvw", to, pieces / pieces.sum(axis=0))
