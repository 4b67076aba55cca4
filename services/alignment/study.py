"""The scaling study of an atlas: every head's metrics at every constant, and the c that each metric chooses.

docs/alignment.md says what the metrics are. The choices are head measures, `c_pearson` and its like.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from services.alignment.scale_metrics import METRICS
from services.atlas import Atlas
from services.atlas.measure_table import MeasureTable
from services.atlas.schema import StreamInfo

CURVES = "scaling.parquet"  # one row a head and constant


def measure_name(metric: str, on_grid: bool = False) -> str:
    """The measure that holds the c a metric chooses: the best of CONSTANTS, or the best between them."""
    return f"c_{metric}_grid" if on_grid else f"c_{metric}"


def scales(atlas: Atlas, stream: StreamInfo) -> dict[str, dict[str, Any]] | None:
    """The c of every head by each of services.alignment.scale_metrics.METRICS; None when the atlas has no study.

    Returns:
        metric → {"grid": the best of CONSTANTS, "best": the best c between them, float64 [layers, heads] each and
        NaN where the metric is not defined, "reasons": {(layer, head): why not}}.
    """
    return chosen_scales(atlas.measures(stream))


def chosen_scales(measures: MeasureTable) -> dict[str, dict[str, Any]] | None:
    """`scales` from the table of a stream."""
    found: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        best, grid = (measures.get(measure_name(metric, on_grid)) for on_grid in (False, True))
        if best is None or grid is None:
            return None
        found[metric] = {"grid": grid.values, "best": best.values, "reasons": dict(best.reasons)}
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
