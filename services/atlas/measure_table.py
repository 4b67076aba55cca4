"""Numbers about heads: one long table a stream, in parts that are added and never changed.

`<stream>/measures.parquet` is a folder of Parquet files of one schema, which pyarrow, pandas and DuckDB read as one
table; which numbers there are and what they mean is in `services.measures.registry`. Parts, because a build adds to
the table while others read the atlas: a published file never changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.atlas.schema import FileInfo, StreamInfo

FOLDER = "measures.parquet"
COLUMNS = pa.schema(
    [
        ("measure", pa.string()),
        ("space", pa.string()),  # a map (umap2d), or vectors (aligned); null: of the head itself
        ("layer", pa.int32()),
        ("head", pa.int32()),
        ("value", pa.float64()),  # null: not defined, and then
        ("reason", pa.string()),  # tells why
        ("base", pa.float64()),  # what even attention would give; null where that is no question
        ("low", pa.float64()),  # 95 % interval over inputs
        ("high", pa.float64()),
        ("n", pa.int64()),  # queries, pairs or inputs that the value is a mean over
    ]
)
REQUIRED = COLUMNS.names[:6]  # older parts have no more
BESIDE = COLUMNS.names[6:]


class Row(NamedTuple):
    """One number about one head; see COLUMNS."""

    measure: str
    space: str | None
    layer: int
    head: int
    value: float | None
    reason: str | None = None
    base: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True)
class HeadValues:
    """One measure of every head of a stream, on one map, in one space, or of the head itself."""

    values: np.ndarray  # float64 [layers, heads], NaN where not defined
    reasons: Mapping[tuple[int, int], str] = field(default_factory=dict)  # (layer, head) → why not
    # base, low, high, n: float64 [layers, heads], NaN where there is none; empty: it has none of them
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def median(self) -> float | None:
        """Of all heads where it is defined; None where of none."""
        known = self.values[np.isfinite(self.values)]
        return float(np.median(known)) if known.size else None

    def of(self, layer: int, head: int) -> float | None:
        """The value of one head; None where not defined."""
        value = float(self.values[layer, head])
        return None if np.isnan(value) else value

    def beside_of(self, layer: int, head: int) -> dict[str, float | None]:
        """BESIDE of one head; empty where the measure has none."""
        found = {name: float(grid[layer, head]) for name, grid in self.beside.items()}
        return {name: None if np.isnan(value) else value for name, value in found.items()}


class MeasureTable:
    """All that is known of a stream's heads."""

    def __init__(self, known: Mapping[tuple[str, str | None], HeadValues]) -> None:
        self._known = known

    def get(self, measure: str, space: str | None = None) -> HeadValues | None:
        """A measure of all heads; None when it has not been measured (yet)."""
        return self._known.get((measure, space))

    def of(self, measure: str, layer: int, head: int, space: str | None = None) -> float | None:
        """A measure of one head; None when it is not defined or not measured."""
        found = self.get(measure, space)
        return found.of(layer, head) if found else None

    def has(self, measure: str, space: str | None = None) -> bool:
        return (measure, space) in self._known

    @property
    def measured(self) -> frozenset[tuple[str, str | None]]:
        """Pairs of measure and space."""
        return frozenset(self._known)

    @property
    def spaces(self) -> frozenset[str]:
        """Maps and spaces that something was measured in."""
        return frozenset(space for _, space in self._known if space is not None)


def parts_of(files: Iterable[str], stream: StreamInfo) -> list[str]:
    """Names of the parts of a stream's table among the files of an atlas."""
    return sorted(name for name in files if name.startswith(f"{stream.name}/{FOLDER}/"))


def part_file(stream: StreamInfo, part: str) -> str:
    """Name of a part among the files of an atlas."""
    return f"{stream.name}/{FOLDER}/{part}.parquet"


def read_table(folder: Path, stream: StreamInfo, files: Mapping[str, FileInfo]) -> MeasureTable:
    """The table of a stream; the folder need not be an atlas yet.

    Raises:
        OSError, ValueError: a part cannot be read.
    """
    parts = tuple((folder / name, files[name].sha256) for name in parts_of(files, stream))
    return _read(parts, stream.layers, stream.heads)


@lru_cache(maxsize=32)
def _read(parts: tuple[tuple[Path, str], ...], layers: int, heads: int) -> MeasureTable:
    known: dict[tuple[str, str | None], HeadValues] = {}
    for path, _ in parts:
        table = pq.read_table(path, schema=COLUMNS)
        layer, head = (table[name].to_numpy() for name in ("layer", "head"))
        if np.any((layer < 0) | (layer >= layers) | (head < 0) | (head >= heads)):
            raise ValueError(f"{path} has a row of a head that is not there")
        values, reasons = table["value"].to_numpy(), table["reason"].combine_chunks()
        told = reasons.is_valid().to_numpy(zero_copy_only=False)
        beside = {name: table[name].to_numpy().astype(np.float64) for name in BESIDE}
        for key, mine in _rows_of(table).items():
            estimated = bool(np.isfinite(beside["n"][mine]).any())
            if key in known and known[key].beside and not estimated:
                continue  # measured again by a later program, with more beside it
            place = layer[mine], head[mine]
            grid = _grid(values[mine], place, (layers, heads))
            more = {name: _grid(column[mine], place, grid.shape) for name, column in beside.items() if estimated}
            why = {(int(layer[row]), int(head[row])): reasons[row].as_py() for row in mine[told[mine]].tolist()}
            known[key] = HeadValues(grid, why, more)
    return MeasureTable(known)


def _rows_of(table: pa.Table) -> dict[tuple[str, str | None], np.ndarray]:
    """Numbers of the rows of each measure and space, in the order in which these first come."""
    names, codes = [], np.zeros(len(table), np.int64)
    for column in ("measure", "space"):
        coded = table[column].combine_chunks().dictionary_encode("encode")
        names.append(coded.dictionary.to_pylist())
        codes = codes * max(1, len(names[-1])) + coded.indices.to_numpy()
    every, first, number = np.unique(codes, return_index=True, return_inverse=True)
    parts = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])
    order = np.argsort(first, kind="stable").tolist()
    return {(names[0][every[at] // len(names[1])], names[1][every[at] % len(names[1])]): parts[at] for at in order}


def _grid(values: np.ndarray, place: tuple[np.ndarray, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    grid = np.full(shape, np.nan)
    grid[place] = values
    grid.flags.writeable = False  # shared by all who ask
    return grid


def table_of(rows: Iterable[Row]) -> pa.Table:
    """Rows as a part of the table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, COLUMNS.types, strict=True)], COLUMNS)
