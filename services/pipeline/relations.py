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
from services.models.loading import LoadedModel

MOST_SENTENCES = 500
LEAST_PAIRS = 20
_FIELDS = 10
_FARTHEST = 5  # words, of a fixed offset


@dataclass(frozen=True)
class Sentence:
    """words; heads: index of each word's head, −1 of the root; relations: as the treebank names them."""

    words: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Followed:
    """accuracy: float64 [layers, heads] · baseline: of the best fixed offset · pairs: dependents that were asked"""

    accuracy: np.ndarray
    baseline: float
    offset: int
    pairs: int


def read_trees(path: Path) -> list[Sentence]:
    """The first MOST_SENTENCES trees of a CoNLL-U file.

    Raises:
        CorpusError: it cannot be read, or its trees do not fit their words; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read as CoNLL-U ({error}).") from error
    found: list[Sentence] = []
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip() and not line.startswith("#"):
            rows.append((number, line.split("\t")))
        elif not line.strip() and rows:
            found.append(_sentence(rows, path))
            rows = []
        if len(found) == MOST_SENTENCES:
            break
    if not found:
        raise CorpusError(f"{path} holds no sentence: a CoNLL-U file with gold relations is needed.")
    return found


def _sentence(rows: list[tuple[int, list[str]]], path: Path) -> Sentence:
    words: list[str] = []
    heads: list[int] = []
    relations: list[str] = []
    for number, fields in rows:
        if len(fields) != _FIELDS:
            raise CorpusError(f"{path}: line {number:,} has {len(fields)} fields between tabs, and CoNLL-U {_FIELDS}.")
        if not fields[0].isdigit():
            continue  # a range of words written as one, or an empty node
        if fields[0] != str(len(words) + 1) or not fields[6].isdigit():
            raise CorpusError(f"{path}: line {number:,} is no word of a tree: its number or its head is missing.")
        words.append(fields[1])
        heads.append(int(fields[6]) - 1)
        relations.append(fields[7])
    if any(head >= len(words) for head in heads):
        raise CorpusError(f"{path}: line {rows[0][0]:,}: a word of this sentence has a head that is not there.")
    return Sentence(tuple(words), tuple(heads), tuple(relations))


def follow(loaded: LoadedModel, trees: Sequence[Sentence], relations: Sequence[str]) -> dict[str, Followed]:
    """How often each head of the first stream looks from a dependent to its head, by relation.

    A relation with fewer than LEAST_PAIRS pairs is not there. Sentences that the model cuts short, or whose words the
    tokenizer leaves nothing of, are passed over.
    """
    stream = loaded.streams[0]
    right = {name: np.zeros((stream.layers, stream.heads)) for name in relations}
    pairs: dict[str, list[int]] = {name: [] for name in relations}
    for tree, weights in _by_word(loaded, trees):
        guess = weights.argmax(axis=-1)  # [layers, heads, words]
        for word, (head, relation) in enumerate(zip(tree.heads, tree.relations, strict=True)):
            if relation in right and head >= 0:
                right[relation] += guess[:, :, word] == head
                pairs[relation].append(head - word)
    found = {}
    for name, gaps in pairs.items():
        if len(gaps) >= LEAST_PAIRS:
            offsets = [gap for gap in range(-_FARTHEST, _FARTHEST + 1) if gap]
            best = max(offsets, key=gaps.count)
            found[name] = Followed(right[name] / len(gaps), gaps.count(best) / len(gaps), best, len(gaps))
    return found


def _by_word(loaded: LoadedModel, trees: Sequence[Sentence]) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Each sentence with its attention between words, float64 [layers, heads, words, words], −1 on itself."""
    texts = [" ".join(tree.words) for tree in trees]
    items = tokenise(loaded, texts)
    usable = [number for number, item in enumerate(items) if not item.truncated]
    for one in capture(loaded, [items[number] for number in usable]):
        if one.stream != loaded.streams[0].name or one.attention is None:
            continue
        tree, item = trees[usable[one.index]], items[usable[one.index]]
        pieces = word_pieces(tree.words, item.offsets, item.special)
        if not (pieces.sum(axis=0) > 0).all():
            continue
        weights = between_words(one.attention, pieces)
        weights[..., np.arange(len(tree.words)), np.arange(len(tree.words))] = -1
        yield tree, weights


def word_pieces(words: Sequence[str], offsets: Sequence[tuple[int, int]], special: Sequence[bool]) -> np.ndarray:
    """float64 [tokens, words]: which word a token is of, when the words stand in a text between single spaces."""
    found = np.zeros((len(offsets), len(words)))
    begin = np.concatenate([[0], np.cumsum([len(word) + 1 for word in words])])
    for token, ((_, stop), extra) in enumerate(zip(offsets, special, strict=True)):
        if not extra and stop > 0:
            word = int(np.searchsorted(begin, stop, side="left")) - 1  # its end: its begin may be the space before
            found[token, min(word, len(words) - 1)] = 1
    return found


def between_words(attention: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Attention [layers, heads, tokens, tokens] between words: summed to a word's pieces, averaged from them."""
    to = attention.astype(np.float64) @ pieces
    return np.einsum("lhtw,tv->lhvw", to, pieces / pieces.sum(axis=0))
