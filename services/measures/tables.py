"""The fidelity of an atlas's maps as its tables hold it: one table a map, one for the spaces beneath, one of sinks."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.measures.fidelity import MEASURES, Fidelity

SUFFIX = "fidelity.parquet"
SPACES = ("aligned", "unaligned", "lift")
SPACES_FILE = f"spaces.{SUFFIX}"  # one row a head and space
SINKS_FILE = "sinks.parquet"  # one row a head
SHARES = ("sink_share", "first_share", "last_share", "even_share")  # services.measures.attended


@dataclass(frozen=True)
class FidelityTable:
    """Fidelity of every head on one map, or in one space."""

    values: dict[str, np.ndarray] = field(default_factory=dict)  # float64 [layers, heads], NaN where not defined
    reasons: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)

    def of(self, layer: int, head: int) -> Fidelity:
        """One head's measures; None, and a reason, where not defined."""
        found = {name: float(values[layer, head]) for name, values in self.values.items()}
        values = {name: None if np.isnan(value) else value for name, value in found.items()}
        return Fidelity(values, self.reasons.get((layer, head), {}))


def map_file(projection: str) -> str:
    """File of one map's table, below the stream's folder."""
    return f"{projection}.{SUFFIX}"


def map_fidelity(atlas: Atlas, stream: StreamInfo, projection: str) -> FidelityTable | None:
    """Fidelity of one map (for example umap2d); None when the build has not measured it yet."""
    return _table(_rows(atlas, f"{stream.name}/{map_file(projection)}"), stream)


def space_fidelity(atlas: Atlas, stream: StreamInfo, space: str) -> FidelityTable | None:
    """What distances tell in one of SPACES, before any projection; None when the build has not measured it yet."""
    rows = _rows(atlas, f"{stream.name}/{SPACES_FILE}")
    return None if rows is None else _table([row for row in rows if row["space"] == space], stream)


def sinks(atlas: Atlas, stream: StreamInfo) -> dict[tuple[int, int], dict[str, float | None]] | None:
    """SHARES of every (layer, head): how much of its attention one token takes; None when not measured yet."""
    rows = _rows(atlas, f"{stream.name}/{SINKS_FILE}")
    return None if rows is None else {(row["layer"], row["head"]): {n: row[n] for n in SHARES} for row in rows}


def _table(rows: list[dict[str, Any]] | None, stream: StreamInfo) -> FidelityTable | None:
    if rows is None:
        return None
    names = [name for name in MEASURES if any(name in row for row in rows)]
    table = FidelityTable({name: np.full((stream.layers, stream.heads), np.nan) for name in names})
    for row in rows:
        cell = row["layer"], row["head"]
        for name in names:
            table.values[name][cell] = np.nan if row[name] is None else row[name]
        if row["reasons"]:
            table.reasons[cell] = json.loads(row["reasons"])
    return table


def _rows(atlas: Atlas, name: str) -> list[dict[str, Any]] | None:
    info = atlas.info.files.get(name)
    return None if info is None else _read(atlas.path / name, info.sha256)


@lru_cache(maxsize=32)
def _read(path: Path, _sha256: str) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()
