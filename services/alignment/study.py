"""The scaling study of an atlas: every head's metrics at every constant, and the c that each metric chooses.

A build writes two tables a stream; docs/alignment.md says what the metrics are.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from services.atlas import Atlas
from services.atlas.schema import StreamInfo

CURVES = "scaling.parquet"  # one row a head and constant
SCALES = "scales.parquet"  # one row a head and metric


def scales(atlas: Atlas, stream: StreamInfo) -> dict[str, dict[str, Any]] | None:
    """The c of every head by each of services.alignment.scaling.METRICS; None when the atlas has no study.

    Returns:
        metric → {"grid": the best of CONSTANTS, "best": the best c between them, float64 [layers, heads] each and
        NaN where the metric is not defined, "reasons": {(layer, head): why not}}.
    """
    name = f"{stream.name}/{SCALES}"
    if name not in atlas.info.files:
        return None
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(atlas.path / name, atlas.info.files[name].sha256):
        empty = np.full((stream.layers, stream.heads), np.nan)
        metric = found.setdefault(row["metric"], {"grid": empty, "best": empty.copy(), "reasons": {}})
        cell = row["layer"], row["head"]
        for column in ("grid", "best"):
            metric[column][cell] = np.nan if row[column] is None else row[column]
        if row["reason"] is not None:
            metric["reasons"][cell] = row["reason"]
    return found


def curves(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> list[dict[str, Any]] | None:
    """One head at every constant, in ascending order of c; None when the atlas has no study.

    Returns:
        Rows with c, on_grid (one of CONSTANTS, else of CURVE), and what is None where not defined: weighted (under
        the threshold taken at c = 1), weighted_each (under the threshold at each c), scaled, pearson, spearman (on
        CONSTANTS only), near (pairs under the threshold taken at c = 1).
    """
    name = f"{stream.name}/{CURVES}"
    if name not in atlas.info.files:
        return None
    rows = _rows(atlas.path / name, atlas.info.files[name].sha256)
    mine = [row for row in rows if (row["layer"], row["head"]) == (layer, head)]
    return sorted(mine, key=lambda row: (row["c"], not row["on_grid"]))


@lru_cache(maxsize=16)
def _rows(path: Path, _sha256: str) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()
