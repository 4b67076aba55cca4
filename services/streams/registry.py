"""Kinds of attention that a model may have, and how the weights of each are kept."""

from typing import Literal

# dense: every pair of an input · banded: only the pairs that its mask shows · none: not kept
AttentionLayout = Literal["dense", "banded", "none"]
