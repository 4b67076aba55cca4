"""The points of one head as a table: columns, filters, order and pages, for up to hundreds of thousands of rows.

One row is one point: a token as a query, or the same token as a key.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.attributes.attribute import Column
from services.attributes.registry import Attribute, attributes, why_not

MOST_ROWS = 500  # a page
MOST_FILTER = 200  # characters
SIDES = ("query", "key")


# Columns that every point has beside those of attributes.
FIXED = (
    Column("text", "Token", "string", "The token, as it reads in its input.", order=10, width=110),
    Column(
        "kind",
        "Kind",
        "string",
        "A token appears as a query (it looks), as a key (it is found), or as both.",
        order=20,
        width=84,
    ),
    Column("input", "Input", "int32", "Number of the input the token belongs to, from 0.", order=30, width=84),
    Column("special", "Special", "bool", "Added by the tokenizer: [CLS], [SEP], <s> and the like.", order=60, width=88),
    Column(
        "received",
        "Received",
        "float64",
        "Keys: mean attention from the queries of the input that can see it.",
        order=80,
        width=112,
        export="received_attention",
    ),
)


def attributes_with_columns(atlas: Atlas) -> list[tuple[Attribute, Column]]:
    """Attributes that the atlas has and that have a column."""
    return [(one, one.column) for one in attributes() if one.column and why_not(atlas, one) is None]


def table_columns(atlas: Atlas) -> tuple[Column, ...]:
    """All columns an atlas has, in the order they are shown."""
    of_attributes = (column for _, column in attributes_with_columns(atlas))
    return tuple(sorted((*FIXED, *of_attributes), key=lambda column: column.order))


def _kinds() -> dict[str, str]:
    """Every column there can be and which filters it takes: which of them a table has, its arrays tell."""
    return {column.name: column.kind for column in (*FIXED, *(one.column for one in attributes() if one.column))}


@lru_cache(maxsize=4)
def token_columns(atlas: Atlas, stream: StreamInfo) -> dict[str, np.ndarray]:
    """The columns that are the same in every head, each [queries + keys] in point order.

    position, length and row are there whatever columns are shown: rows are ordered and named by them.
    """
    tables = [atlas.tokens(stream.query_table), atlas.tokens(stream.key_table)]

    def both(values: Callable[[TokenTable], Any], dtype: Any = None) -> np.ndarray:
        return np.concatenate([np.asarray(values(table), dtype=dtype) for table in tables])

    of_attributes = {
        column.name: attribute.column_values(atlas, stream)
        for attribute, column in attributes_with_columns(atlas)
        if attribute.scope == "token"
    }
    return {
        **of_attributes,
        "text": both(lambda t: list(t.text), object),
        "kind": np.repeat(np.asarray(SIDES, dtype=object), [len(table) for table in tables]),
        "input": both(lambda t: t.input),
        "position": both(lambda t: t.position),
        "length": both(lambda t: t.length),
        "special": both(lambda t: np.where(t.special, "yes", "no"), object),
        "row": both(lambda t: np.arange(len(t))),
    }


@lru_cache(maxsize=8)
def head_columns(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> dict[str, np.ndarray]:
    """`received`, and the columns of attributes that differ by head, each [queries + keys].

    `received` is NaN for queries, and of a stream whose weights the atlas does not keep.

    Raises:
        IndexError: no such head.
    """
    if not (0 <= layer < stream.layers and 0 <= head < stream.heads):
        raise IndexError(head)
    blocks, (n_queries, n_keys) = atlas.attention(stream), atlas.points(stream)
    received = np.full(n_keys, np.nan)
    for index, (block, visible) in enumerate(blocks.visible_of_head(layer, head) if blocks.kept else ()):
        weights = np.asarray(block, dtype=np.float64)
        received[blocks.rows(index)[1]] = weights.sum(axis=0) / np.maximum(visible.sum(axis=0), 1)
    of_attributes = {
        column.name: attribute.column_values(atlas, stream, (layer, head))
        for attribute, column in attributes_with_columns(atlas)
        if attribute.scope == "head"
    }
    return {**of_attributes, "received": np.concatenate([np.full(n_queries, np.nan), received])}


def columns_of(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> dict[str, np.ndarray]:
    """All columns of one head, in point order; treat them as read-only."""
    return {**token_columns(atlas, stream), **head_columns(atlas, stream, layer, head)}


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, wanted: wanted in value,
    "notContains": lambda value, wanted: wanted not in value,
    "equals": lambda value, wanted: value == wanted,
    "notEqual": lambda value, wanted: value != wanted,
    "startsWith": lambda value, wanted: value.startswith(wanted),
    "endsWith": lambda value, wanted: value.endswith(wanted),
}
_NUMBER_TESTS: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "equals": lambda values, a, _: values == a,
    "notEqual": lambda values, a, _: values != a,
    "lessThan": lambda values, a, _: values < a,
    "lessThanOrEqual": lambda values, a, _: values <= a,
    "greaterThan": lambda values, a, _: values > a,
    "greaterThanOrEqual": lambda values, a, _: values >= a,
    "inRange": lambda values, a, b: (values >= a) & (values <= b),
}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _condition(values: np.ndarray, kind: str, condition: Mapping[str, Any]) -> np.ndarray | None:
    """One condition of the grid's filter, or None when it is not one."""
    name, wanted = condition.get("type"), condition.get("filter")
    if kind == "text":
        test = _TEXT_TESTS.get(name) if isinstance(name, str) else None
        if test is None or not isinstance(wanted, str) or not wanted:
            return None
        needle = wanted[:MOST_FILTER].casefold()
        unique, inverse = _unique(values)
        return np.fromiter((test(text.casefold(), needle) for text in unique), bool, len(unique))[inverse]
    number_test = _NUMBER_TESTS.get(name) if isinstance(name, str) else None
    low, high = _number(wanted), _number(condition.get("filterTo"))
    if number_test is None or low is None or (name == "inRange" and high is None):
        return None
    return number_test(values, low, high or 0.0)


def _unique(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    places: dict[str, int] = {}
    inverse = np.fromiter((places.setdefault(value, len(places)) for value in values), int, len(values))
    return list(places), inverse


def _filtered(columns: Mapping[str, np.ndarray], model: Any) -> np.ndarray:
    """bool [points]: rows that pass the grid's filter model; what is not one passes."""
    keep = np.ones(len(columns["kind"]), dtype=bool)
    if not isinstance(model, Mapping):
        return keep
    for name, kind in _kinds().items():
        entry = model.get(name)
        if not isinstance(entry, Mapping) or name not in columns:
            continue
        listed = entry.get("conditions")
        conditions: Sequence[Any] = listed[:4] if isinstance(listed, list) else [entry]
        found = [
            result
            for c in conditions
            if isinstance(c, Mapping) and (result := _condition(columns[name], kind, c)) is not None
        ]
        if found:
            keep &= np.logical_or.reduce(found) if entry.get("operator") == "OR" else np.logical_and.reduce(found)
    return keep


def _ranks(values: np.ndarray) -> np.ndarray:
    """Numbers that sort as the values do; texts without regard to case."""
    if values.dtype != object:
        return values
    unique, inverse = _unique(values)
    order = sorted(range(len(unique)), key=lambda i: (unique[i].casefold(), unique[i]))
    rank = np.empty(len(unique), dtype=int)
    rank[order] = np.arange(len(unique))
    return rank[inverse]


def _order(columns: Mapping[str, np.ndarray], rows: np.ndarray, model: Any) -> np.ndarray:
    """Rows in the order of the grid's sort model; by input, place and side where it leaves a choice."""
    kept = rows[np.lexsort((rows, columns["position"][rows], columns["input"][rows]))]
    names = set(_kinds()) & set(columns)
    entries = model[:4] if isinstance(model, list) else []
    for entry in reversed(entries):
        name = entry.get("colId") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or name not in names:
            continue
        ranks = _ranks(columns[name][kept]).astype(float)
        ranks = -ranks if entry.get("sort") == "desc" else ranks
        kept = kept[np.argsort(ranks, kind="stable")]  # NaN goes last either way
    return kept


def page(
    columns: Mapping[str, np.ndarray], shown: np.ndarray, request: Any, lit: np.ndarray | None = None
) -> tuple[list[dict[str, Any]], int]:
    """One page of the table for a request of the grid's infinite row model; hostile requests give an empty page.

    Args:
        columns: of `columns_of`.
        shown: bool [points], which rows are in the table at all.
        request: `{startRow, endRow, sortModel, filterModel}`.
        lit: bool [points], rows to mark.

    Returns:
        The rows, and the number of rows in all.
    """
    if not isinstance(request, Mapping):
        return [], 0
    start, end = _number(request.get("startRow")), _number(request.get("endRow"))
    if start is None or end is None or start < 0 or end <= start:
        return [], 0
    rows = np.flatnonzero(shown & _filtered(columns, request.get("filterModel")))
    ordered = _order(columns, rows, request.get("sortModel"))
    first = int(min(start, len(rows)))
    wanted = ordered[first : first + int(min(end - start, MOST_ROWS))]
    return [_row(columns, int(point), lit) for point in wanted], len(rows)


def _row(columns: Mapping[str, np.ndarray], point: int, lit: np.ndarray | None) -> dict[str, Any]:
    marked = bool(lit is not None and lit[point])
    out: dict[str, Any] = {"id": str(point), "token": int(columns["row"][point]), "lit": marked}
    for name in _kinds():
        if name not in columns:
            continue
        value = columns[name][point]
        if isinstance(value, str):
            out[name] = value
        elif np.issubdtype(type(value), np.floating):
            out[name] = None if math.isnan(value) else round(float(value), 5)
        else:
            out[name] = int(value)
    return out
