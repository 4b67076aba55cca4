"""Capture: queries, keys, value norms and attention of every head, for one corpus and one model.

    loaded = load_model("minilm")
    inputs = tokenise(loaded, ["The cat sat on the mat."], max_tokens=None)
    for captured in capture(loaded, inputs):
        captured.queries  # float32 [layers, heads, tokens, head_dim]

opening.py loads a model and tries it once, adapters.py knows the ways to see into models (interface.py is the one for
nearly all, recorder.py listens for it), describe.py says what a stream is, refusals.py why a model is refused, run.py
captures a corpus in batches, check.py compares the captured vectors with the model's own attention.
"""

from services.capture.adapters import global_tokens
from services.capture.check import (
    CAPTURE_TOLERANCE,
    STORED_TOLERANCE,
    OwnRuns,
    check_capture,
    check_precision,
    input_errors,
)
from services.capture.opening import load_model
from services.capture.position import position_bias
from services.capture.run import InputCapture, capture
from services.modalities.text.tokens import TokenisedInput, tokenise

__all__ = [
    "CAPTURE_TOLERANCE",
    "STORED_TOLERANCE",
    "InputCapture",
    "OwnRuns",
    "TokenisedInput",
    "capture",
    "check_capture",
    "check_precision",
    "global_tokens",
    "input_errors",
    "load_model",
    "position_bias",
    "tokenise",
]
