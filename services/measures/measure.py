"""What a head measure is: one number about every head, in words and as it is drawn, ordered and computed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from services.measures.estimate import Estimate
from services.measures.layer import Layer
from services.projection import methods

# head: of a head itself · map: of a head on a map · space: on a map, and among the vectors before any projection
Scope = Literal["head", "map", "space"]
GRADES = ("poor", "fair", "good", "very good")


# Of the heads of a layer: each a number, or why there is none, as a part of a sentence.
Values = Sequence[float | str | Estimate]


@dataclass(frozen=True)
class Called:
    """What a head is called when a score stands out.

    name: "previous-token head" · beyond: how far the score must be from its base rate towards 1,
    (value − base) / (1 − base), the low end of its interval as well as the value itself · also: a measure of which the
    same must hold · unless: measures by which it is called something narrower
    """

    name: str
    beyond: float = 0.4
    also: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """How a value is written: times `factor`, with so many digits after the point, and a unit."""

    factor: float = 1.0
    digits: int = 2
    unit: str = ""

    def text(self, value: float) -> str:
        return f"{self.factor * value:.{self.digits}f}{self.unit}".replace("-", "−")


NUMBER = Form()
SHARE = Form(100, 0, " %")


# Methods by which map shows shapes best, and which keeps attention best.
SHAPE_MAPS = tuple(method.name for method in sorted(methods(), key=lambda method: not method.shows_shape))
ATTENTION_MAPS = tuple(
    method.name for method in sorted(methods(), key=lambda m: (m.needs != "scores", m.judged_by != "best_near"))
)


@dataclass(frozen=True)
class StandsOut:
    """When the extreme head of a measure is a finding: a link in the menu "Findings".

    kind: one word; of several rules of one kind the strongest counts · bound: shown from here on · lowest: the head
    with the smallest number, not the largest · text: with {value}, and {first} and {last} for the tokens that open
    and close inputs · colour: what the linked view is coloured by · maps: methods, the first there is is shown
    against: a measure whose number {against} stands for
    times_even: and so many times what one token would take if attention were even · times_base: and so many times its
    own base rate · but_named: among heads that no
    other finding names
    """

    kind: str
    title: str
    text: str
    bound: float
    lowest: bool = False
    colour: str = ""
    maps: tuple[str, ...] = ATTENTION_MAPS
    against: str = ""
    times_even: float = 0.0
    times_base: float = 0.0
    but_named: bool = False


class HeadMeasure(Protocol):
    """What a measure must have; `Measure` has it all, and a default for most.

    name: in links, tables and files · label: in menus · sentence: what it says, for a reader
    scope: what a number is about · group: heading under which it stands in menus and documents
    best, zero: where its bar is full, which comes first in the order of heads, and where it is empty. Without them the
    bar runs from the lowest head to the highest, and the highest comes first
    bounds: from where on it is fair, good and very good; None where no value is better than another
    listed: offered as a badge, as an order and in the tab Head; the others stand in tables, exports and documents
    modality: of the inputs whose heads have it, None for all
    stands_out: findings that it gives
    estimated: each value comes as an `Estimate` · called: what heads are called by it · formula: how it is worked out
    and after whom, for documents and the help
    needs: what streams have it: "" all, "cross" only those of two texts
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def scope(self) -> Scope: ...
    @property
    def group(self) -> str: ...
    @property
    def form(self) -> Form: ...
    @property
    def best(self) -> float | None: ...
    @property
    def zero(self) -> float: ...
    @property
    def bounds(self) -> tuple[float, float, float] | None: ...
    @property
    def listed(self) -> bool: ...
    @property
    def modality(self) -> str | None: ...
    @property
    def stands_out(self) -> tuple[StandsOut, ...]: ...
    @property
    def estimated(self) -> bool: ...
    @property
    def called(self) -> Called | None: ...
    @property
    def formula(self) -> str: ...
    @property
    def needs(self) -> str: ...
    @property
    def compute(self) -> Callable[[Layer], Values] | None:
        """Numbers of all heads of a layer; `layer.space` says on which map or in which space.

        None: a stage of its own stores the measure (the study of scales, which looks at all layers together).
        """


@dataclass(frozen=True)
class Measure:
    """A `HeadMeasure` made of its parts."""

    name: str
    label: str
    sentence: str
    compute: Callable[[Layer], Values] | None
    scope: Scope = "head"
    group: str = "Attention"
    form: Form = NUMBER
    best: float | None = None
    zero: float = 0.0
    bounds: tuple[float, float, float] | None = None
    listed: bool = True
    modality: str | None = None
    stands_out: tuple[StandsOut, ...] = ()
    estimated: bool = False
    called: Called | None = None
    formula: str = ""
    needs: str = ""


def score(measure: HeadMeasure, value: float) -> float | None:
    """How full the bar of a value is, 0 … 1; None where that depends on the other heads."""
    if measure.best is None:
        return None
    return min(1.0, max(0.0, (value - measure.zero) / (measure.best - measure.zero)))


def grade(measure: HeadMeasure, value: float) -> str | None:
    """One of GRADES; None where no value is better than another."""
    if measure.bounds is None or measure.best is None:
        return None
    toward = 1.0 if measure.best > measure.zero else -1.0
    return GRADES[sum(toward * value >= toward * bound for bound in measure.bounds)]


def described(measure: HeadMeasure) -> dict[str, Any]:
    """What the browser must know of a measure (assets/50-badges.js)."""
    names = ("name", "label", "scope", "best", "zero")
    return {name: getattr(measure, name) for name in names} | {"form": asdict(measure.form)}
