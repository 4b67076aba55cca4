"""What a search found, for the list under the search box: counts, and the first hits in their context."""

import json
from typing import Any

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.modalities.text.columns import words
from services.search.query import Question, search

MOST_INPUTS = 50
MOST_BYTES = 16_000
_CONTEXT = 44  # characters on each side of a hit
_LONGEST = 60  # characters of a hit


def side_masks(atlas: Atlas, stream: StreamInfo, question: Question) -> tuple[np.ndarray, np.ndarray]:
    """bool [queries] and bool [keys]; one mask for both where the stream has one table.

    Raises:
        SearchError: as `search`.
    """
    queries = search(atlas, stream.query_table, question)
    return queries, queries if stream.key_table == stream.query_table else search(atlas, stream.key_table, question)


def hits_by_input(atlas: Atlas, stream: StreamInfo, question: Question) -> dict[str, Any]:
    """Counts and the first matching inputs, at most `MOST_BYTES` as UTF-8 JSON.

    Returns:
        `queries`, `keys`: numbers of matching points in each head; `inputs`: number of inputs with a match; `list`:
        the first inputs, each with `input`, the row `token` and the `side` of its first hit, the hit in its context
        (`before`, `hit`, `after`) and the number of hits in that input.

    Raises:
        SearchError: as `search`.
    """
    queries, keys = side_masks(atlas, stream, question)
    sides = [("query", stream.query_table, queries)]
    if stream.key_table != stream.query_table:
        sides.append(("key", stream.key_table, keys))
    found: dict[int, tuple[str, str, int]] = {}
    counts: dict[int, int] = {}
    for side, table, mask in sides:
        tokens = atlas.tokens(table)
        rows = np.flatnonzero(mask)
        inputs, first, number = np.unique(tokens.input[rows], return_index=True, return_counts=True)
        for index, at, count in zip(inputs.tolist(), first.tolist(), number.tolist(), strict=True):
            found.setdefault(index, (side, table, int(rows[at])))
            counts[index] = counts.get(index, 0) + count
    word = {table: words(atlas.tokens(table)) for _, table, _ in sides}
    entries: list[dict[str, Any]] = []
    size = 0
    for index in sorted(found)[:MOST_INPUTS]:
        side, table, row = found[index]
        entry = {
            "input": index,
            "token": row,
            "side": side,
            "hits": counts[index],
            **_context(atlas.tokens(table), word[table], row),
        }
        size += len(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"))
        if size > MOST_BYTES:
            break
        entries.append(entry)
    return {"queries": int(queries.sum()), "keys": int(keys.sum()), "inputs": len(found), "list": entries}


def _context(tokens: TokenTable, word: np.ndarray, row: int) -> dict[str, str]:
    """A token between the tokens around it, with blanks between words as far as the tokens tell.

    word: of each token, as services.modalities.text.columns.words
    """
    first, end = (int(n) for n in tokens.offsets[tokens.input[row] : tokens.input[row] + 2])
    begin, stop = max(first, row - _CONTEXT), min(end, row + 1 + _CONTEXT)
    before = "".join(_joined(tokens, word, n, first) + _readable(tokens, n) for n in range(begin, row))
    before += _joined(tokens, word, row, first)
    after = "".join(_joined(tokens, word, n, first) + _readable(tokens, n) for n in range(row + 1, stop))
    hit = _readable(tokens, row)
    return {
        "before": "…" + before[-_CONTEXT:] if begin > first or len(before) > _CONTEXT else before,
        "hit": hit if len(hit) <= _LONGEST else hit[:_LONGEST] + "…",
        "after": after[:_CONTEXT] + "…" if stop < end or len(after) > _CONTEXT else after,
    }


def _readable(tokens: TokenTable, row: int) -> str:
    return tokens.text[row].removeprefix("##").strip("▁") or "␣"


def _joined(tokens: TokenTable, word: np.ndarray, row: int, first: int) -> str:
    """What stands between a token and the one before it: nothing within a word, else a blank."""
    if row <= first:
        return ""
    same_word = word[row] >= 0 and word[row] == word[row - 1]
    return "" if same_word or tokens.text[row].startswith("##") else " "
