"""Queries and keys of one head brought into one space in which near means attended: the formula and its study."""

from services.alignment.transform import (
    DISTANCES,
    SCALES,
    Alignment,
    align,
    alignments,
    head_alignment,
    scale_by_norms,
    unit_length,
)

__all__ = [
    "DISTANCES",
    "SCALES",
    "Alignment",
    "align",
    "alignments",
    "head_alignment",
    "scale_by_norms",
    "unit_length",
]
