"""The vectors of a head and how they are aligned."""

import numpy as np

from services.alignment.scale_metrics import METRICS
from services.alignment.study import measure_name
from services.measures.layer import Layer
from services.measures.measure import Form, Measure, Values

GROUP = "Vectors and their alignment"
_C = Form(1, 3)
_BY = {
    "weighted": "the weighted correlation",
    "scaled": "the weighted correlation scaled by counts",
    "norms": "the ratio of norms",
    "pearson": "Pearson's correlation",
}


def _c(layer: Layer) -> Values:
    return [layer.alignment(head).c for head in range(layer.heads)]


def _query_norm(layer: Layer) -> Values:
    return _median_norms(layer.queries)


def _key_norm(layer: Layer) -> Values:
    return _median_norms(layer.keys)


def _median_norms(vectors: np.ndarray) -> Values:
    return [float(np.median(np.linalg.norm(one, axis=-1))) for one in vectors]


def _studied(metric: str, on_grid: bool) -> Measure:
    which = "The best of the study's seven constants" if on_grid else "The c"
    return Measure(
        measure_name(metric, on_grid),
        f"c by {_BY[metric]}" + (", on the grid" if on_grid else ""),
        f"{which} by {_BY[metric]}.",
        None,
        group=GROUP,
        form=_C,
        listed=False,
    )


VECTORS = (
    Measure(
        "c", "c", "Queries are multiplied by c and keys divided by it before a map is made.", _c, form=_C, group=GROUP
    ),
    Measure("query_norm", "Query length", "Median length of the queries.", _query_norm, group=GROUP),
    Measure("key_norm", "Key length", "Median length of the keys.", _key_norm, group=GROUP),
    *(_studied(metric, on_grid) for metric in METRICS for on_grid in (False, True)),
)
