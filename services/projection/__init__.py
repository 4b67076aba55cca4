"""Lays out the queries and keys of every attention head in 2D and 3D.

The methods are the objects of `registry.py` (docs/projection.md says what each preserves and gives up). Importing this
package is light: compiled kernels, umap-learn, openTSNE and PyTorch are imported when they are first used.
"""

from services.numerics.linear import lift
from services.projection.layout import layout_layer, place, warm_up
from services.projection.linear import align_axes, pca_layer
from services.projection.parameters import ENGINES
from services.projection.points import LayerPoints
from services.projection.registry import (
    START,
    ProjectionMethod,
    follows_alignment,
    is_method,
    label_of,
    made_earlier,
    method_label,
    method_names,
    method_of,
    methods,
    methods_named,
    name_in_text,
    start_map,
)

__all__ = [
    "ENGINES",
    "START",
    "LayerPoints",
    "ProjectionMethod",
    "align_axes",
    "follows_alignment",
    "is_method",
    "label_of",
    "layout_layer",
    "lift",
    "made_earlier",
    "method_label",
    "method_names",
    "method_of",
    "methods",
    "methods_named",
    "name_in_text",
    "pca_layer",
    "place",
    "start_map",
    "warm_up",
]
