"""Scores of random tokens that come twice: what a head does with a repeat when nothing else is to be read.

A build runs the model on them once (services.pipeline.protocol), as the corpus need not have repeats.
"""

from services.measures.measure import SHARE, Called, Measure
from services.measures.of_attention import TOKENS
from services.measures.pair_marks import TEXT

NO_REPEATS = "its queries and keys are not of one text, or its weights are kept in bands"
_HOW = "10 sequences of 50 random tokens, each said twice, without special tokens (TransformerLens' protocol)"


def _repeated(name: str, label: str, where: str, formula: str, called: str) -> Measure:
    sentence = f"On random tokens that come twice: the weight on {where}, mean over queries."
    return Measure(
        name, label, sentence, None, "head", TOKENS, SHARE, best=1.0, modality=TEXT, estimated=True,
        called=Called(called), formula=f"{formula}; {_HOW}.",
    )  # fmt: skip


REPEATED = {"induction_repeated": "induction", "duplicate_repeated": "duplicate", "previous_repeated": "previous"}
ON_REPEATS = (
    _repeated(
        "induction_repeated",
        "Induction, repeats",
        "the token that followed it the first time",
        "Mean of A[q, q − 50 + 1] over the second 50 (Olsson et al. 2022)",
        "induction head",
    ),
    _repeated(
        "duplicate_repeated",
        "Same token, repeats",
        "the same token the first time",
        "Mean of A[q, q − 50] over the second 50",
        "duplicate-token head",
    ),
    _repeated(
        "previous_repeated",
        "Previous token, random",
        "the token before it",
        "Mean of A[q, q − 1]",
        "previous-token head",
    ),
)
