"""The scale c of a head: how well distance stands for the dot product at every c, and which c to take.

The study of the second seed (Chen, Yeh, Wattenberg, Viégas); docs/alignment.md says how its definitions are read.
numba and SciPy are imported when a head is first measured.
"""

from services.scaling.pairs import HeadPairs, Measures, PairChoice, head_pairs
from services.scaling.study import (
    CONSTANTS,
    COUNT_RULES,
    METRICS,
    HeadChoice,
    HeadStudy,
    choose_scales,
    norm_ratio,
    scaled_by_counts,
    study_head,
)

__all__ = [
    "CONSTANTS",
    "COUNT_RULES",
    "METRICS",
    "HeadChoice",
    "HeadPairs",
    "HeadStudy",
    "Measures",
    "PairChoice",
    "choose_scales",
    "head_pairs",
    "norm_ratio",
    "scaled_by_counts",
    "study_head",
]
