"""Attention along the relations of a treebank: from words to their heads and from heads to their words.

A token asks for its word's head with the weight that it puts on all tokens of that word; a token of a head asks for its
words of one relation with what it puts on all of theirs. Even attention, intervals and counts are as from kind to kind
(services.measures.kinds), of which these are two columns: rows are relations.
"""

import sys
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType

import numpy as np

from services.atlas import Atlas, AttentionBlocks
from services.atlas.schema import StreamInfo
from services.measures import kinds
from services.measures.averages import MOST_FOR_ALL
from services.measures.kinds import MOST_KINDS, STRONGEST, KindMatrix, inputs_of
from services.modalities.text.words import RELATION, TREE_HEAD, TREE_WORD
from services.numerics.bootstrap import ratio_interval

NAME = "relation_pairs"
LABEL = "Relation between two words"
TO_HEAD, FROM_HEAD = "word → its head", "head → its word"
DIRECTIONS = (TO_HEAD, FROM_HEAD)


def known(atlas: Atlas, stream: StreamInfo) -> bool:
    """Whether the tokens of a stream are words of trees, queries and keys alike."""
    table = stream.query_table
    return stream.key_table == table and all(atlas.has_column(table, name) for name in (RELATION, TREE_HEAD, TREE_WORD))


def source_of(atlas: Atlas, stream: StreamInfo, name: str) -> ModuleType:
    """The module that works out a choice of kinds: this one under NAME, else `kinds`; they have functions of one form.

    Raises:
        KeyError: the stream has no relations.
    """
    if name != NAME:
        return kinds
    if not known(atlas, stream):
        raise KeyError(name)
    return sys.modules[__name__]


def names(atlas: Atlas, stream: StreamInfo, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of a choice of kinds what its rows and its columns are.

    Raises:
        KeyError: the stream has no such kinds.
    """
    if name == NAME and known(atlas, stream):
        return relations_of(atlas, stream), DIRECTIONS
    every = kinds.kinds_of(atlas, stream, name).names
    return every, every


def cell_text(query: str, key: str) -> str:
    """A cell in a link: "noun>pronoun"."""
    return f"{query}>{key}"


def place_of(atlas: Atlas, stream: StreamInfo, name: str, text: str) -> tuple[int, int]:
    """Row and column of a cell that a link names.

    Raises:
        KeyError: the stream has no such kinds, or no such cell.
    """
    rows, columns = names(atlas, stream, name)
    for row, query in enumerate(rows):
        for column, key in enumerate(columns):
            if cell_text(query, key) == text:
                return row, column
    raise KeyError(text)


@lru_cache(maxsize=16)
def relations_of(atlas: Atlas, stream: StreamInfo) -> tuple[str, ...]:
    """The MOST_KINDS most frequent relations that two words have."""
    tokens = atlas.tokens(stream.query_table)
    heads = np.asarray(tokens.columns[TREE_HEAD])
    names, counts = np.unique(np.asarray(list(tokens.columns[RELATION]), object)[heads >= 0], return_counts=True)
    order = sorted((-count, name) for name, count in zip(names.tolist(), counts.tolist(), strict=True) if name)
    return tuple(name for _, name in order[:MOST_KINDS])


def _trees(
    atlas: Atlas, stream: StreamInfo, blocks: AttentionBlocks
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each input: its index, bool [n, n] which key is of the head of which query, which are seen, and float32
    [n, relations] which relation each token's word has to its head.
    """
    tokens, names = atlas.tokens(stream.query_table), relations_of(atlas, stream)
    word, head = (np.asarray(tokens.columns[name]) for name in (TREE_WORD, TREE_HEAD))
    said = list(tokens.columns[RELATION])
    for index in inputs_of(blocks):
        rows = tokens.rows(index)
        own, above = word[rows], head[rows]
        joined = (above[:, None] == own[None, :]) & (above[:, None] >= 0)
        relation = np.array([[one == name for name in names] for one in said[rows]], np.float32)
        yield index, joined, blocks.visible(index), relation * (above >= 0)[:, None]


@lru_cache(maxsize=64)
def kind_matrix(atlas: Atlas, stream: StreamInfo, layer: int, head: int, _name: str = NAME) -> KindMatrix:
    """Of one head, with intervals: [relations, DIRECTIONS]."""
    blocks, names = atlas.attention(stream), relations_of(atlas, stream)
    above, even, asked = (np.zeros((blocks.inputs, len(names), 2)) for _ in range(3))
    for index, joined, visible, relation in _trees(atlas, stream, blocks):
        weights = blocks.block(index, layer, head).astype(np.float32)
        seen = visible.astype(np.float32) / np.maximum(visible.sum(axis=1, keepdims=True), 1)
        up, down = joined & visible, joined.T & visible
        for side, given in ((above, weights), (even, seen)):
            side[index, :, 0] = (given * up).sum(axis=1) @ relation
            side[index, :, 1] = ((given * down) @ relation).sum(axis=0)
        asked[index, :, 0] = up.any(axis=1).astype(np.float32) @ relation
        asked[index, :, 1] = ((down.astype(np.float32) @ relation) > 0).sum(axis=0)
    total = asked.sum(axis=0)
    low, high = ratio_interval(above.reshape(len(above), -1, 1), asked.reshape(len(asked), -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight, base = above.sum(axis=0) / total, even.sum(axis=0) / total
    shape = (len(names), 2)
    ends = low.reshape(shape), high.reshape(shape)
    return KindMatrix(names, weight, base, *ends, total.astype(np.int64), to=DIRECTIONS)


def _pairs(joined: np.ndarray, visible: np.ndarray, relation: np.ndarray, towards: str) -> np.ndarray:
    """bool [n, n]: the pairs of one relation, which a column of `relation` tells, in one direction."""
    related = joined & (relation > 0)[:, None]
    return (related if towards == TO_HEAD else related.T) & visible


def _place(atlas: Atlas, stream: StreamInfo, relation: str, towards: str) -> int:
    names = relations_of(atlas, stream)
    if relation not in names or towards not in DIRECTIONS:
        raise KeyError(f"{relation}: {towards}")
    return names.index(relation)


@lru_cache(maxsize=8)
def lift_of_all(atlas: Atlas, stream: StreamInfo, _name: str, relation: str, towards: str) -> np.ndarray | None:
    """float64 [layers, heads]: the lift of one cell in every head; None when the atlas is too large for it.

    Raises:
        KeyError: there is no such relation.
    """
    blocks, place = atlas.attention(stream), _place(atlas, stream, relation, towards)
    if blocks.length > MOST_FOR_ALL:
        return None
    above, even = np.zeros((stream.layers, stream.heads)), 0.0
    for index, joined, visible, relations in _trees(atlas, stream, blocks):
        pairs = _pairs(joined, visible, relations[:, place], towards)
        if not pairs.any():
            continue
        even += float((pairs.sum(axis=1) / np.maximum(visible.sum(axis=1), 1)).sum())
        for layer in range(stream.layers):
            above[layer] += (blocks.of_layer(index, layer) * pairs).sum(axis=(1, 2), dtype=np.float64)
    return above / even if even else np.full(above.shape, np.nan)


def strongest_pairs(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, _name: str, relation: str, towards: str
) -> list[int]:
    """Point ids of the STRONGEST pairs of a cell, queries and keys, ascending.

    Raises:
        KeyError: there is no such relation.
    """
    blocks, place = atlas.attention(stream), _place(atlas, stream, relation, towards)
    found: list[tuple[float, int, int]] = []
    points = atlas.points(stream)[0]
    for index, joined, visible, relations in _trees(atlas, stream, blocks):
        pairs = _pairs(joined, visible, relations[:, place], towards)
        weights = np.where(pairs, blocks.block(index, layer, head), 0)
        queries, keys = blocks.rows(index)
        for one in np.argsort(-weights, axis=None, kind="stable")[:STRONGEST].tolist():
            q, k = divmod(one, weights.shape[1])
            if weights[q, k] > 0:
                found.append((-float(weights[q, k]), queries.start + q, points + keys.start + k))
    return sorted({point for _, *pair in sorted(found)[:STRONGEST] for point in pair})
