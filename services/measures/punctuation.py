"""How much of its attention a head spends on punctuation."""

import numpy as np

from services.measures.layer import Layer
from services.measures.measure import SHARE, Measure, Values
from services.modalities.text.marks import is_punctuation


def _compute(layer: Layer) -> Values:
    return layer.weight_on(np.array([is_punctuation(text) for text in layer.key_tokens.text], bool))


PUNCTUATION = Measure(
    name="punctuation",
    label="Punctuation",
    sentence="The weight on punctuation and other signs, mean over queries.",
    compute=_compute,
    form=SHARE,
    best=1.0,
    modality="text",
)
