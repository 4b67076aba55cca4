"""How far a map can be believed, and what the place of a point on it tells."""

from services.attributes.text import POSITION, SIDE
from services.measures.fidelity import MEASURES
from services.measures.layer import Layer
from services.measures.map_shape import attention_order, explained
from services.measures.measure import NUMBER, SHAPE_MAPS, SHARE, Form, Measure, Scope, StandsOut, Values

GROUP = "How far to believe the map"
SHAPES = "What the map shows"
_CORRELATION = (-0.3, -0.6, -0.8)
_FOUND = (0.15, 0.35, 0.6)
# Where a point lies tells at least half of what there is to know of its position: bands of colour that nobody misses.
POSITIONAL = 0.5
# Four fifths: queries and keys can be told by place alone; a quarter: on most of the map both lie side by side.
APART, MIXED = 0.8, 0.25
# Spearman −0.5 explains a quarter of the order in which a query attends to its keys: the eye can use that.
FAITHFUL = -0.5


def _fidelity(
    name: str,
    label: str,
    sentence: str,
    bounds: tuple[float, float, float],
    *,
    form: Form = NUMBER,
    best: float = 1.0,
    zero: float = 0.0,
    scope: Scope = "space",
) -> Measure:
    assert name in MEASURES

    def compute(layer: Layer) -> Values:
        return layer.fidelity(name)

    return Measure(name, label, sentence, compute, scope, GROUP, form, best, zero, bounds)


FIDELITY = (
    _fidelity(
        "best_near",
        "Best keys near",
        "Of each query's 10 best keys by q·k in the whole corpus, the share that is among the 100 keys nearest to it.",
        _FOUND,
        form=SHARE,
    ),
    _fidelity(
        "preferred_near",
        "Preferred keys near",
        "Of the 10 keys that each query scores highest beyond what the average query gives them, by (q − q̄)·k, the "
        "share that is among the 100 keys nearest to it: what the preference map is made to keep.",
        _FOUND,
        form=SHARE,
    ),
    _fidelity(
        "attended_near",
        "Attended keys near",
        "Of each query's 5 most attended keys, the share that is among the 15 keys nearest to it, of all inputs.",
        _FOUND,
        form=SHARE,
    ),
    _fidelity(
        "query_spearman",
        "Order of keys",
        "For each query, how well distance ranks the keys of its input as attention does: a rank correlation, "
        "averaged; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    _fidelity(
        "preference_order",
        "Order of preference",
        "As the order of keys, but by what a query gives a key beyond the average query: (q − q̄)·k.",
        _CORRELATION,
        best=-1.0,
    ),
    _fidelity(
        "spearman",
        "Distance and score, ranks",
        "Over all pairs within an input, how well distance follows the dot product q·k as ranks; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    _fidelity(
        "pearson",
        "Distance and score, values",
        "Over all pairs within an input, how well distance follows the dot product q·k as values; −1 is perfect.",
        _CORRELATION,
        best=-1.0,
    ),
    _fidelity(
        "trustworthiness",
        "Trustworthiness",
        "Whether points that are neighbours on the map are neighbours in the head's own space; 0.5 is chance.",
        (0.85, 0.92, 0.97),
        zero=0.5,
        scope="map",
    ),
    _fidelity(
        "recall",
        "Neighbours kept",
        "Of the 15 points nearest in the head's own space, the share that is among the 15 nearest on the map.",
        (0.15, 0.3, 0.5),
        form=SHARE,
        scope="map",
    ),
    _fidelity(
        "mixing",
        "Queries and keys mixed",
        "Of the 15 nearest points, the share of the other kind, against a perfect mixture: 0 % means that queries "
        "and keys lie apart.",
        (0.25, 0.5, 0.75),
        form=SHARE,
    ),
)
SHAPE = (
    Measure(
        "position_by_place",
        "Position, told by place",
        "How much of the variance of a token's position in its input the place on the map explains (ε² over squares "
        "of the map): high where the map follows the order of the words.",
        lambda layer: explained(layer, "position"),
        "map",
        SHAPES,
        SHARE,
        best=1.0,
        stands_out=(
            StandsOut(
                "positional",
                "Follows the position",
                "Where a token lies on the map explains {value} of its position in the input, more than in any other "
                "head (ε² over squares of the map).",
                POSITIONAL,
                colour=POSITION.name,
                maps=SHAPE_MAPS,
            ),
        ),
    ),
    Measure(
        "side_by_place",
        "Query or key, told by place",
        "How much the place on the map tells of whether a point is a query or a key (ε² over squares of the map).",
        lambda layer: explained(layer, "side"),
        "map",
        SHAPES,
        SHARE,
        best=1.0,
        stands_out=(
            StandsOut(
                "mixed",
                "Queries among keys",
                "Where a point lies tells only {value} of whether it is a query or a key (ε² over squares of the map).",
                MIXED,
                lowest=True,
                colour=SIDE.name,
                maps=SHAPE_MAPS,
            ),
            StandsOut(
                "apart",
                "Queries apart from keys",
                "Where a point lies tells {value} of whether it is a query or a key (ε² over squares of the map).",
                APART,
                colour=SIDE.name,
                maps=SHAPE_MAPS,
            ),
        ),
    ),
    Measure(
        "attention_order",
        "Order of attention",
        "For each query of a sample, how well distance on the map ranks the keys it sees by the model's own attention: "
        "a rank correlation, averaged; −1 is perfect.",
        attention_order,
        "map",
        SHAPES,
        best=-1.0,
        bounds=_CORRELATION,
        stands_out=(
            StandsOut(
                "faithful",
                "Near means attended",
                "On this map nearer means attended more than in any other head: distance and attention agree with a "
                "rank correlation of {value} (−1 would be perfect).",
                FAITHFUL,
                lowest=True,
            ),
        ),
    ),
)
