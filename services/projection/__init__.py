"""Lays out the queries and keys of every attention head in 2D and 3D.

Four methods: `pca`, `umap`, `tsne`, and `attention`, our own layout of the attention scores themselves
(docs/projection.md says what each preserves and gives up). Importing this package is light: compiled kernels,
umap-learn, openTSNE and PyTorch are imported when they are first used.
"""

from services.numerics.linear import lift
from services.projection.layout import layout_layer, warm_up
from services.projection.linear import align_axes, pca_layer
from services.projection.parameters import ENGINES, parameters
from services.projection.placing import place
from services.projection.points import METHODS, LayerPoints

__all__ = [
    "ENGINES",
    "METHODS",
    "LayerPoints",
    "align_axes",
    "layout_layer",
    "lift",
    "parameters",
    "pca_layer",
    "place",
    "warm_up",
]
