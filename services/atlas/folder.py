"""The atlas folder: open it, check it, map its arrays. See `docs/atlas-format.md`.

Opening reads only `atlas.json` and the headers of the arrays, so it takes milliseconds; arrays are memory-mapped
and shared by all processes through the page cache.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from services.atlas import arrays, upgrade
from services.atlas.attention import ATTENTION, AttentionBlocks
from services.atlas.measure_table import FOLDER, REQUIRED, MeasureTable, parts_of, read_table
from services.atlas.schema import SCHEMA_VERSION, AtlasInfo, ProjectionInfo, StreamInfo
from services.atlas.vectors import KEYS, QUERIES, VectorStore, vector_shapes
from services.errors import AtlasFormatError, OutdatedAtlasError
from services.streams import Places, StreamTokens

INFO = "atlas.json"
INPUTS = "inputs.parquet"
HEADS = "heads.parquet"
SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class TokenTable:
    """All tokens of one table, one row a token, in input order.

    columns: what the modality of the inputs knows of its tokens beside these (services.modalities): arrays of numbers,
    or lists of texts.
    """

    token: Sequence[str]  # what tells tokens apart: of text as the tokenizer's vocabulary holds it
    text: Sequence[str]  # for a reader
    input: np.ndarray  # int32 [tokens]
    position: np.ndarray  # int32 [tokens], from 0
    special: np.ndarray  # bool [tokens]
    offsets: np.ndarray  # uint32 [inputs + 1], first row of each input
    is_global: np.ndarray | None = None  # bool [tokens]: sees and is seen by all; None: no token is
    columns: Mapping[str, np.ndarray | Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.token)

    @property
    def counts(self) -> np.ndarray:
        """int64 [inputs]: number of tokens of each input."""
        offsets = self.offsets.astype(np.int64)
        return offsets[1:] - offsets[:-1]

    @property
    def length(self) -> np.ndarray:
        """int32 [tokens]: number of tokens in the token's input."""
        return self.counts[self.input].astype(np.int32)

    def rows(self, index: int) -> slice:
        """The rows of an input."""
        first, end = self.offsets[index : index + 2].tolist()
        return slice(first, end)

    @property
    def places(self) -> Places:
        """Where the tokens stand."""
        return Places(self.input, self.position, self.is_global, self.special)


def token_table(columns: Mapping[str, list[Any]], inputs: int) -> TokenTable:
    """The columns of a token table, in the order of so many inputs."""
    rows = np.asarray(columns["input"], dtype=np.int32)
    counts = np.bincount(rows, minlength=inputs)
    return TokenTable(
        token=columns["token"],
        text=columns["text"],
        input=rows,
        position=np.asarray(columns["position"], dtype=np.int32),
        special=np.asarray(columns["special"], dtype=bool),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        is_global=np.asarray(columns["global"], dtype=bool) if "global" in columns else None,
        columns={name: _column(values) for name, values in columns.items() if name not in _OWN_COLUMNS},
    )


@dataclass(frozen=True)
class InputTable:
    """One row an input."""

    text: Sequence[str]
    columns: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.text)


class Atlas:
    """One opened atlas folder. Use `open_atlas`."""

    def __init__(self, path: Path, info: AtlasInfo) -> None:
        self.path = path
        self.info = info

    @property
    def slug(self) -> str:
        return self.path.name

    def stream(self, name: str) -> StreamInfo:
        """Raises: KeyError when the atlas has no such stream."""
        stream = self.info.stream(name)
        if stream is None:
            raise KeyError(name)
        return stream

    def array(self, relative: str) -> np.memmap:
        """Map `<relative>.npy` read-only.

        Raises:
            AtlasFormatError: the file has been cut off since the atlas was opened; to read past its end would kill
                the process.
        """
        path, known = self.path / f"{relative}.npy", self.info.files[f"{relative}.npy"]
        try:
            left = os.stat(path).st_size
        except OSError:
            left = known.bytes  # deleted: what was mapped before stays readable
        if left < known.bytes:
            raise AtlasFormatError(
                f"{path} has been cut off to {left:,} of {known.bytes:,} bytes; build the atlas again."
            )
        return _map(path, known.sha256)

    def layout(self, projection: ProjectionInfo) -> np.memmap:
        """float32 [layers, heads, queries + keys, dims] of one projection."""
        return self.array(f"{projection.stream}/{projection.name}")

    def table_rows(self, table: str) -> int:
        """Rows of a token table, read from the Parquet footer alone."""
        return int(pq.read_metadata(self.path / f"{table}.parquet").num_rows)

    def has_column(self, table: str, column: str) -> bool:
        """Whether a token table holds a column, read from the Parquet footer alone."""
        return column in pq.read_schema(self.path / f"{table}.parquet").names

    def token_counts(self, table: str) -> np.ndarray:
        """int64 [inputs]: tokens of each input, without reading their texts.

        Raises:
            AtlasFormatError: its content makes no sense.
        """
        try:
            rows = pq.read_table(self.path / f"{table}.parquet", columns=["input"])["input"].to_numpy()
            counts = np.bincount(rows, minlength=self.info.corpus.inputs)
        except (OSError, ValueError, TypeError, pa.ArrowException) as error:
            raise AtlasFormatError(f"{self.path / table}.parquet cannot be read ({error}).") from error
        return counts.astype(np.int64)

    @cached_property
    def _tables(self) -> dict[str, TokenTable]:
        return {}

    def tokens(self, table: str = "tokens") -> TokenTable:
        """Read a token table once.

        Raises:
            KeyError: there is none of that name.
            AtlasFormatError: its content makes no sense.
        """
        if table not in token_tables(self.info):
            raise KeyError(table)
        if table not in self._tables:
            columns = self._columns(f"{table}.parquet")
            rows = np.asarray(columns["input"], dtype=np.int32)
            if np.any(np.diff(rows) < 0) or not 0 <= rows.min(initial=0) <= rows.max(initial=0) < len(self.inputs):
                raise AtlasFormatError(f"{self.path / table}.parquet is not in the order of the inputs.")
            self._tables[table] = token_table(columns, len(self.inputs))
        return self._tables[table]

    def stream_tokens(self, stream: StreamInfo) -> StreamTokens:
        """Where queries and keys of a stream stand, and who of them may attend to whom."""
        return StreamTokens(stream.mask, self.tokens(stream.query_table).places, self.tokens(stream.key_table).places)

    @cached_property
    def inputs(self) -> InputTable:
        columns = self._columns(INPUTS)
        return InputTable(text=columns.pop("text"), columns=columns)

    @cached_property
    def heads(self) -> dict[str, list[Any]]:
        """Columns of `heads.parquet`: stream, layer, head, c and translation."""
        return self._columns(HEADS)

    def measures(self, stream: StreamInfo) -> MeasureTable:
        """All numbers about the heads of a stream.

        Raises:
            AtlasFormatError: a part of the table cannot be read.
        """
        try:
            return read_table(self.path, stream, self.info.files)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise AtlasFormatError(
                f"{self.path / stream.name / FOLDER} cannot be read ({error}); build the atlas again."
            ) from error

    def _columns(self, name: str) -> dict[str, list[Any]]:
        try:
            return pq.read_table(self.path / name).to_pydict()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise AtlasFormatError(f"{self.path / name} cannot be read ({error}); build the atlas again.") from error

    def points(self, stream: StreamInfo) -> tuple[int, int]:
        """Number of query and of key points."""
        return self.table_rows(stream.query_table), self.table_rows(stream.key_table)

    def vectors(self, stream: StreamInfo) -> VectorStore:
        """Queries, keys and value norms of a stream."""
        return VectorStore(stream, self.array)

    def attention(self, stream: StreamInfo) -> AttentionBlocks:
        """The model's own attention weights of a stream.

        Raises:
            AtlasFormatError: as `array`.
        """
        flat = None if stream.attention == "none" else self.array(f"{stream.name}/{ATTENTION}")
        if stream not in self._attention:
            blocks = AttentionBlocks(stream, self.stream_tokens(stream), len(self.inputs), flat)
            self._attention[stream] = blocks
        return self._attention[stream]

    @cached_property
    def _attention(self) -> dict[StreamInfo, AttentionBlocks]:
        return {}


def _column(values: list[Any]) -> np.ndarray | list[str]:
    """Numbers as an array, texts as a list; what is neither becomes an empty text."""
    if values and all(isinstance(value, int | float) for value in values):
        return np.asarray(values)
    return [value if isinstance(value, str) else "" for value in values]


_mapped: WeakValueDictionary[tuple[Path, str], np.memmap] = WeakValueDictionary()


@lru_cache(maxsize=256)
def _map(path: Path, sha256: str) -> np.memmap:
    _mapped[path, sha256] = found = arrays.read(path)
    return found


def let_go_of_arrays() -> None:
    """Give up the memory in which this process sees the arrays of atlases; they stay mapped."""
    for array in list(_mapped.values()):
        arrays.let_go(array)


def open_atlas(path: Path) -> Atlas:
    """Open an atlas folder.

    Raises:
        AtlasFormatError: the folder or one of its files is missing, truncated, foreign or of a newer version;
            the message names the file.
        OutdatedAtlasError: it is of a version that cannot be upgraded.
    """
    info = _read_info(path)
    for name, expected in info.files.items():
        file = path / name
        try:
            if not _inside(path, file):
                raise AtlasFormatError(f"{path / INFO} names the file {name!r}, which lies outside the atlas.")
            if not file.is_file():
                raise AtlasFormatError(f"{file} is missing; build the atlas again.")
            size = file.stat().st_size
        except (OSError, ValueError) as error:  # no permission; a name that cannot be one
            raise AtlasFormatError(f"{path / INFO} names the file {name!r}, which cannot be read ({error}).") from error
        if size != expected.bytes:
            raise AtlasFormatError(
                f"{file} has {size} bytes instead of {expected.bytes}; "
                "it was cut off or changed. Build the atlas again."
            )
    atlas = Atlas(path, info)
    _check_tables(atlas)
    _check_arrays(atlas)
    return atlas


def _inside(folder: Path, file: Path) -> bool:
    return folder.resolve() in file.resolve().parents


def _read_info(path: Path) -> AtlasInfo:
    file = path / INFO
    if not path.is_dir():
        raise AtlasFormatError(f"There is no atlas folder {path}.")
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AtlasFormatError(f"{path} is no atlas: it holds no {INFO}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise AtlasFormatError(f"{file} cannot be read ({error}); build the atlas again.") from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise AtlasFormatError(
            f"{file} has schema version {version}; this program reads up to {SCHEMA_VERSION}. Update Attention Atlas."
        )
    try:
        return AtlasInfo.model_validate(upgrade.upgraded(raw))
    except upgrade.TooOldError:
        raise OutdatedAtlasError(
            f"{file} has schema version {version}, from before the first release; build the atlas again."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise AtlasFormatError(f"{file} is not a valid atlas: {where}: {first['msg']}.") from error


def token_tables(info: AtlasInfo) -> set[str]:
    """Names of the token tables, without their ending."""
    return {table for stream in info.streams for table in stream.tables}


def expected_shapes(atlas: Atlas) -> dict[str, tuple[int, ...]]:
    """Shape of each array file but the ragged attention, from the streams and the token tables."""
    shapes: dict[str, tuple[int, ...]] = {}
    for stream in atlas.info.streams:
        queries, keys = atlas.points(stream)
        base, heads = stream.name, (stream.layers, stream.heads)
        vectors = vector_shapes(stream, queries, keys)
        shapes |= {f"{base}/{name}.npy": shape for name, shape in vectors.items()}
        for projection in atlas.info.projections:
            if projection.stream == base:
                shapes[projection.ref.file(base)] = (*heads, queries + keys, projection.dims)
    return shapes


def _check_tables(atlas: Atlas) -> None:
    """Names of columns and numbers of rows, from the footers of the Parquet files."""
    info = atlas.info
    heads = sum(stream.layers * stream.heads for stream in info.streams)
    tables: list[tuple[str, set[str], int | None]] = [
        (INPUTS, {"text"}, info.corpus.inputs),
        (HEADS, {"stream", "layer", "head", "c"}, heads),
    ]
    tables += [(name, set(REQUIRED), None) for stream in info.streams for name in parts_of(info.files, stream)]
    tables += [(f"{table}.parquet", _TOKEN_COLUMNS, None) for table in sorted(token_tables(info))]
    for name, columns, rows in tables:
        file = _listed(atlas, name)
        try:
            found = pq.read_metadata(file)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise AtlasFormatError(f"{file} is not a Parquet file ({error}); build the atlas again.") from error
        missing = columns - set(found.schema.to_arrow_schema().names)
        if missing:
            raise AtlasFormatError(f"{file} has no column {min(missing)!r}; build the atlas again.")
        if rows is not None and found.num_rows != rows:
            raise AtlasFormatError(f"{file} has {found.num_rows} rows instead of {rows}; build the atlas again.")


_TOKEN_COLUMNS = {"input", "position", "token", "text", "special"}
_OWN_COLUMNS = {*_TOKEN_COLUMNS, "global"}


def _check_arrays(atlas: Atlas) -> None:
    """Shapes, number types and sizes, from the headers of the array files."""
    for name, shape in expected_shapes(atlas).items():
        found, dtype = _header(_listed(atlas, name))
        if found != shape:
            raise AtlasFormatError(
                f"{atlas.path / name} has the shape {found} instead of {shape}; build the atlas again."
            )
        allowed = ("float16", "float32") if name.endswith((f"/{QUERIES}.npy", f"/{KEYS}.npy")) else ("float32",)
        _check_type(atlas.path / name, dtype, allowed)
    for projection in atlas.info.projections:
        name = projection.ref.density_file(projection.stream)
        if name in atlas.info.files:
            stream = atlas.stream(projection.stream)
            found, dtype = _header(atlas.path / name)
            if found[:2] != (stream.layers, stream.heads) or len(found) != 4 or found[2] != found[3]:
                raise AtlasFormatError(f"{atlas.path / name} has the shape {found}, which is no square a head.")
            _check_type(atlas.path / name, dtype, ("uint8",))
    for stream in atlas.info.streams:
        if stream.attention == "none":
            continue
        file = _listed(atlas, f"{stream.name}/{ATTENTION}.npy")
        found, dtype = _header(file)
        if len(found) != 1 or found[0] % (stream.layers * stream.heads):
            raise AtlasFormatError(f"{file} has the shape {found}, which is not one block an input.")
        _check_type(file, dtype, ("float16",))


def _check_type(file: Path, dtype: np.dtype, allowed: tuple[str, ...]) -> None:
    if dtype.name not in allowed:
        raise AtlasFormatError(f"{file} holds {dtype.name} instead of {' or '.join(allowed)}; build the atlas again.")


def _listed(atlas: Atlas, name: str) -> Path:
    if name not in atlas.info.files:
        raise AtlasFormatError(f"{atlas.path / INFO} does not list {name}; build the atlas again.")
    return atlas.path / name


def _header(file: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and number type of an array file that holds as many bytes as its header says.

    Raises:
        AtlasFormatError: it is no array file, or one of Python objects: those are never loaded.
    """
    try:
        return arrays.header(file)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise AtlasFormatError(f"{file} is not a NumPy array file ({error}); build the atlas again.") from error


def verify(path: Path) -> list[str]:
    """Compare every file with its recorded hash.

    Returns:
        One sentence for each file that differs; empty when the atlas is whole.

    Raises:
        AtlasFormatError: as `open_atlas`.
    """
    atlas = open_atlas(path)
    return [
        f"{path / name} does not match its recorded SHA-256; build the atlas again."
        for name, expected in atlas.info.files.items()
        if arrays.describe(path / name) != expected
    ]
