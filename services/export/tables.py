"""Tables to take away: all heads in numbers, the tokens, their places in one head's picture, its attention."""

import json
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.atlas import Atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.attribute import Column
from services.attributes.registry import Attribute, in_atlas, listed, says_side_only, why_not
from services.measures import registry
from services.measures.contrast import Contrast
from services.measures.kinds import KindMatrix
from services.measures.layer import SPACES
from services.measures.names import UNTRAINED
from services.search.token_table import columns_of, table_columns

MOST_CSV_ROWS = 2_000_000
MOST_PARQUET_ROWS = 20_000_000
PART_ROWS = 200_000
_DIGITS = 5  # of what is worked out for a file: beyond, processors differ
_LENGTH = Column("length", "Input length", "int32", "Tokens of the input.", order=45, export="input_length")


class TooLargeError(ValueError):
    """More rows than a file of this kind may have; the message says how many, and what to do."""


def check_rows(rows: int, kind: str) -> None:
    """Raises: TooLargeError."""
    most = MOST_CSV_ROWS if kind == "csv" else MOST_PARQUET_ROWS
    if rows > most:
        advice = "take Parquet, or one input" if kind == "csv" else "take one input"
        raise TooLargeError(f"{rows:,} rows are more than the {most:,} of a {kind} file: {advice}.")


def tokens_table(atlas: Atlas, stream: StreamInfo, layer: int, head: int, mask: np.ndarray | None = None) -> pa.Table:
    """One row a point: the token and everything a point can be coloured by.

    Args:
        mask: bool [queries + keys], rows to keep.

    Raises:
        IndexError: no such head.
    """
    columns = columns_of(atlas, stream, layer, head)
    out: dict[str, pa.Array] = {
        "point": pa.array(np.arange(len(columns["kind"])), pa.int64()),
        "side": pa.array(columns["kind"], pa.string()),
        "token_row": pa.array(columns["row"], pa.int64()),
        "token": pa.array(_both(atlas, stream, "token"), pa.string()),
    }
    for column in sorted((*table_columns(atlas), _LENGTH), key=lambda one: one.export_order or one.order):
        if column.name != "kind":
            out[column.export or column.name] = _column(columns[column.name], column)
    for attribute in listed():
        own = attribute.column is not None or attribute.name in out
        if own or attribute.scope != "token" or says_side_only(attribute) or why_not(atlas, attribute):
            continue
        scaled = attribute.kind == "sequential"
        out[f"{attribute.name}_scaled" if scaled else attribute.name] = _attribute_column(atlas, stream, attribute)
    table = pa.table(out)
    return table if mask is None else table.filter(pa.array(mask))


def _both(atlas: Atlas, stream: StreamInfo, name: str) -> list[str]:
    return [text for table in (stream.query_table, stream.key_table) for text in getattr(atlas.tokens(table), name)]


def _column(values: np.ndarray, column: Column) -> pa.Array:
    if column.dtype == "bool":
        return pa.array(values == "yes", pa.bool_())
    missing = np.isnan(values) if column.dtype == "float64" else None
    return pa.array(values, pa.type_for_alias(column.dtype), mask=missing)


def _attribute_column(atlas: Atlas, stream: StreamInfo, attribute: Attribute) -> pa.Array:
    """Category names, numbers from 0 to 1 as the legend's scale, or colours as #rrggbb."""
    attribute = in_atlas(atlas, attribute)
    values = attribute.values(atlas, stream)
    if attribute.kind == "colour":
        return pa.array([f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in values.tolist()], pa.string())
    if attribute.categories:
        names = np.asarray(attribute.categories, dtype=object)
        return pa.array(names[np.clip(values.astype(int), 0, len(names) - 1)], pa.string())
    return pa.array(values.astype(np.float64), pa.float64())


def coordinates_table(
    atlas: Atlas, stream: StreamInfo, projection: ProjectionInfo, layer: int, head: int, mask: np.ndarray | None = None
) -> pa.Table:
    """One row a point: where the projection puts it, in the projection's own units.

    Raises:
        IndexError: no such head.
    """
    if not (0 <= layer < stream.layers and 0 <= head < stream.heads):
        raise IndexError(head)
    layout = np.asarray(atlas.layout(projection)[layer, head])
    columns = columns_of(atlas, stream, layer, head)
    out = {
        "point": pa.array(np.arange(len(layout)), pa.int64()),
        "side": pa.array(columns["kind"], pa.string()),
        "token_row": pa.array(columns["row"], pa.int64()),
        "text": pa.array(columns["text"], pa.string()),
        "input": pa.array(columns["input"], pa.int32()),
        "position": pa.array(columns["position"], pa.int32()),
        **{axis: pa.array(layout[:, i], pa.float32()) for i, axis in enumerate("xyz"[: projection.dims])},
    }
    table = pa.table(out)
    return table if mask is None else table.filter(pa.array(mask))


def kinds_table(matrix: KindMatrix) -> pa.Table:
    """A head's attention from kind to kind, one row a cell: `services.measures.kinds`."""
    cells = [(query, key) for query in range(len(matrix.names)) for key in range(len(matrix.columns))]
    numbers = {"weight": matrix.weight, "even": matrix.even, "times_even": matrix.lift}
    numbers |= {"low": matrix.low, "high": matrix.high}
    return pa.table(
        {
            "from": pa.array([matrix.names[query] for query, _ in cells], pa.string()),
            "to": pa.array([matrix.columns[key] for _, key in cells], pa.string()),
            **{
                name: pa.array(np.round(grid.ravel().astype(float), _DIGITS), from_pandas=True)
                for name, grid in numbers.items()
            },
            "queries": pa.array(matrix.queries.ravel(), pa.int64()),
        }
    )


def parts_table(found: Contrast) -> pa.Table:
    """Parts of a head, one row a part, side and kind: `services.measures.contrast`."""
    rows = [
        (number, *np.round([part.strength, found.chance, part.gap], _DIGITS), side, name, round(float(mean), _DIGITS))
        for number, part in enumerate(found.parts, start=1)
        for side, means in (("query", part.queries), ("key", part.keys))
        for name, mean in zip(found.names, means, strict=True)
    ]
    names = ("part", "strength", "chance", "adds", "side", "kind", "mean_in_standard_deviations")
    types = (pa.int32(), pa.float64(), pa.float64(), pa.float64(), pa.string(), pa.string(), pa.float64())
    columns = [[row[at] for row in rows] for at in range(len(names))]
    return pa.table(
        {
            name: pa.array(column, kind, from_pandas=True)
            for name, column, kind in zip(names, columns, types, strict=True)
        }
    )


def measures_table(atlas: Atlas, stream: StreamInfo) -> pa.Table:
    """One row a head, one column a measure: `entropy`, and on each map and in each space `best_near_umap2d`.

    Scores of attention have columns beside them: `previous_base`, `previous_low`, `previous_high`, `previous_n`, and
    with random weights, where they were run, `previous_untrained`.

    Empty where a measure is not defined; `measures.parquet` of the atlas itself also says why.
    """
    known = atlas.measures(stream)
    maps = [projection.name for projection in atlas.info.projections if projection.stream == stream.name]
    out = {
        "layer": pa.array(np.repeat([stream.number(row) for row in range(stream.layers)], stream.heads), pa.int32()),
        "head": pa.array(np.tile(np.arange(stream.heads), stream.layers), pa.int32()),
    }
    for space in (None, *maps, *SPACES):
        for measure in registry.of_space(space):
            found = known.get(measure.name, space)
            if found is not None:
                values = found.values.ravel()
                name = measure.name if space is None else f"{measure.name}_{space}"
                out[name] = pa.array(values, pa.float64(), mask=np.isnan(values))
                chance = known.get(measure.name, UNTRAINED) if space is None else None
                for beside, grid in {**found.beside, **({UNTRAINED: chance.values} if chance else {})}.items():
                    out[f"{name}_{beside}"] = pa.array(grid.ravel(), pa.float64(), mask=np.isnan(grid.ravel()))
    return pa.table(out)


def attention_rows(atlas: Atlas, stream: StreamInfo, index: int | None = None) -> int:
    """Rows of `attention_table`."""
    tokens = atlas.stream_tokens(stream)
    pairs = tokens.mask.pairs_in_inputs(tokens.queries, tokens.keys, len(atlas.inputs))
    return int(pairs.sum() if index is None else pairs[index])


def attention_tables(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, index: int | None = None
) -> Iterator[pa.Table]:
    """One row a pair of query and key of the same input that its mask shows: the model's own attention weight.

    In parts of about `PART_ROWS` rows, whole inputs each, so that a large atlas is never in memory as a whole.

    Args:
        index: one input, or None for all.

    Raises:
        IndexError: no such head or input.
        NotStoredError: the atlas keeps no attention weights of the stream.
    """
    if not (0 <= layer < stream.layers and 0 <= head < stream.heads):
        raise IndexError(head)
    atlas.attention(stream).check_kept()
    if index is not None and not 0 <= index < len(atlas.inputs):
        raise IndexError(index)
    return _attention_parts(atlas, stream, layer, head, range(len(atlas.inputs)) if index is None else [index])


def _attention_parts(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, inputs: Iterable[int]
) -> Iterator[pa.Table]:
    queries, keys = atlas.tokens(stream.query_table), atlas.tokens(stream.key_table)
    texts = [pa.array(list(side.text), pa.string()) for side in (queries, keys)]
    blocks = atlas.attention(stream)
    held: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    rows = 0

    def table() -> pa.Table:
        query, key, weight = (np.concatenate(part) for part in zip(*held, strict=True))
        return pa.table(
            {
                "input": pa.array(queries.input[query], pa.int32()),
                "query_position": pa.array(queries.position[query], pa.int32()),
                "query": texts[0].take(pa.array(query)),
                "key_position": pa.array(keys.position[key], pa.int32()),
                "key": texts[1].take(pa.array(key)),
                "weight": pa.array(weight.astype(np.float32), pa.float32()),
            }
        )

    for number in inputs:
        visible, (first_query, first_key) = blocks.visible(number), (rows.start for rows in blocks.rows(number))
        query, key = np.nonzero(visible)
        held.append((query + first_query, key + first_key, blocks.block(number, layer, head)[visible]))
        rows += len(query)
        if rows >= PART_ROWS:
            yield table()
            held, rows = [], 0
    if held:
        yield table()


def attention_table(atlas: Atlas, stream: StreamInfo, layer: int, head: int, index: int | None = None) -> pa.Table:
    """`attention_tables` in one."""
    return pa.concat_tables(attention_tables(atlas, stream, layer, head, index))


def _with_source(schema: pa.Schema, provenance: dict) -> pa.Schema:
    return schema.with_metadata({**(schema.metadata or {}), b"attention_atlas": json.dumps(provenance).encode()})


def write_parquet(parts: Iterable[pa.Table], provenance: dict, out: IO[bytes]) -> None:
    """Tables of one schema as one Parquet file, with where it comes from in its metadata under `attention_atlas`."""
    writer: pq.ParquetWriter | None = None
    for part in parts:
        if writer is None:
            writer = pq.ParquetWriter(out, _with_source(part.schema, provenance), compression="zstd")
        writer.write_table(part)
    if writer is not None:
        writer.close()
