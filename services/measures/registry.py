"""How the measures of services.measures.fidelity are named, explained and graded for a reader."""

from dataclasses import dataclass

GRADES = ("poor", "fair", "good", "very good")


@dataclass(frozen=True)
class Measure:
    """One measure: its name, a sentence on what it says, and where its grades begin."""

    name: str
    label: str
    sentence: str
    bounds: tuple[float, float, float]  # from here on fair, good, very good
    best: float = 1.0
    zero: float = 0.0  # the value of a map that says nothing

    def score(self, value: float) -> float:
        """0 for a map that says nothing or worse, 1 for the best there is."""
        return min(1.0, max(0.0, (value - self.zero) / (self.best - self.zero)))

    def grade(self, value: float) -> str:
        """One of GRADES."""
        toward = 1.0 if self.best > self.zero else -1.0
        return GRADES[sum(toward * value >= toward * bound for bound in self.bounds)]

    def worse(self, value: float, other: float) -> bool:
        return abs(self.best - value) > abs(self.best - other)

    @property
    def is_share(self) -> bool:
        return self.name in SHARES

    def text(self, value: float) -> str:
        """The value as a reader sees it."""
        return f"{100 * value:.0f} %" if self.is_share else f"{value:.2f}".replace("-", "−")


SHARES = ("best_near", "attended_near", "recall", "mixing")
_CORRELATION = (-0.3, -0.6, -0.8)
_FOUND = (0.15, 0.35, 0.6)

MEASURES: tuple[Measure, ...] = (
    Measure(
        "best_near",
        "Best keys near",
        "Of each query's 10 best keys by q·k in the whole corpus, the share that is among the 100 keys nearest to it.",
        _FOUND,
    ),
    Measure(
        "attended_near",
        "Attended keys near",
        "Of each query's 5 most attended keys, the share that is among the 15 keys nearest to it, of all inputs.",
        _FOUND,
    ),
    Measure(
        "query_spearman",
        "Order of keys",
        "For each query, how well distance ranks the keys of its input as attention does: a rank correlation, "
        "averaged; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    Measure(
        "spearman",
        "Distance and score, ranks",
        "Over all pairs within an input, how well distance follows the dot product q·k as ranks; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    Measure(
        "pearson",
        "Distance and score, values",
        "Over all pairs within an input, how well distance follows the dot product q·k as values; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    Measure(
        "trustworthiness",
        "Trustworthiness",
        "Whether points that are neighbours on the map are neighbours in the head's own space; 0.5 is chance.",
        (0.85, 0.92, 0.97),
        zero=0.5,
    ),
    Measure(
        "recall",
        "Neighbours kept",
        "Of the 15 points nearest in the head's own space, the share that is among the 15 nearest on the map.",
        (0.15, 0.3, 0.5),
    ),
    Measure(
        "mixing",
        "Queries and keys mixed",
        "Of the 15 nearest points, the share of the other kind, against a perfect mixture: 0 % means that queries "
        "and keys lie apart.",
        (0.25, 0.5, 0.75),
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}
DEFAULT = "best_near"
