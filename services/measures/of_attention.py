"""Where the attention of a head goes."""

from services.attributes.text import KIND, POSITION
from services.measures.attention_figures import NO_POSITIONS
from services.measures.attention_sums import REACH
from services.measures.layer import NO_ATTENTION, Layer
from services.measures.measure import NUMBER, SHAPE_MAPS, SHARE, Form, Measure, StandsOut, Values
from services.measures.notes import SINK_SHARE, SINK_TIMES_EVEN

GROUP = "Attention"
# In inputs of ten tokens an even share is 0.1: four times that, so that the place alone must draw the attention.
OFFSET_SHARE = 0.4
# With 20 keys, entropy 0.85 of its largest is as wide as an even spread over 20^0.85 = 13 of them …
WIDE = 0.85
# … and 0.3 as narrow as one over 20^0.3 = 2.5.
NARROW = 0.3
_FEW_KEYS = "no input has three keys"
_HIDDEN = "the mask hides that token"
_TOKENS = Form(1, 1, " tokens")
_HOW = "(0: all to one key, 1: even), among the heads not named above"


def _figure(
    name: str,
    label: str,
    sentence: str,
    *stands_out: StandsOut,
    form: Form = SHARE,
    best: float | None = 1.0,
) -> Measure:
    """One of services.measures.attention_figures."""

    def compute(layer: Layer) -> Values:
        return layer.figure(name)

    return Measure(name, label, sentence, compute, group=GROUP, form=form, best=best, stands_out=stands_out)


def _received(name: str, label: str, sentence: str, *, listed: bool = False) -> Measure:
    """One of the shares of services.measures.attended."""

    def compute(layer: Layer) -> Values:
        found = [layer.attended(head) for head in range(layer.heads)]
        values = [None if one is None else getattr(one, name) for one in found]
        why = NO_ATTENTION if None in found else _FEW_KEYS
        return [why if value is None else value for value in values]

    return Measure(name, label, sentence, compute, group=GROUP, form=SHARE, best=1.0, listed=listed)


def _without_special(name: str, token: str, offset: int, stands_out: StandsOut) -> Measure:
    """A column of the offset profile: key position − query position = offset."""

    def compute(layer: Layer) -> Values:
        mask, found = layer.stream.mask, layer.offsets()
        if not mask.same_positions:
            return [NO_POSITIONS] * layer.heads
        if not mask.sees(-min(offset, 0), max(offset, 0)):
            return [_HIDDEN] * layer.heads
        return [NO_ATTENTION] * layer.heads if found is None else found[:, offset + REACH].tolist()

    label = f"{token}, special tokens left out"
    sentence = f"{token}: its weight, special tokens left out on both sides and each row scaled to 1 first."
    return Measure(
        name, label, sentence, compute, group=GROUP, form=SHARE, best=1.0, listed=False, stands_out=(stands_out,)
    )


def _looks(kind: str, title: str, where: str) -> StandsOut:
    text = f"{{value}} of its attention {where}: the most of all heads. Special tokens left out."
    return StandsOut(kind, title, text, OFFSET_SHARE, colour=POSITION.name, maps=SHAPE_MAPS)


def _sink(place: str) -> StandsOut:
    text = f"{{value}} of its attention goes to {place}: the strongest attention sink of all heads."
    return StandsOut("sink", "Attention sink", text, SINK_SHARE, colour=KIND.name, times_even=SINK_TIMES_EVEN)


ATTENTION = (
    _figure("previous", "Previous token", "The weight that a query puts on the token before it, mean over queries."),
    _figure("next", "Next token", "The weight that a query puts on the token after it, mean over queries."),
    _figure("self", "Own token", "The weight that a query puts on its own token, mean over queries."),
    _figure(
        "first",
        "First token",
        "The weight on the first token of the input, mean over queries.",
        _sink("the first token of each input{first}"),
    ),
    _figure(
        "last",
        "Last token",
        "The weight on the last token of the input, mean over queries.",
        _sink("the last token of each input{last}"),
    ),
    _figure("special", "Special tokens", "The weight on special tokens, [CLS] and the like, mean over queries."),
    _received(
        "sink_share",
        "Attention sink",
        "Of all attention in an input, the share that its most attended token takes, mean over inputs.",
        listed=True,
    ),
    _figure(
        "entropy",
        "Entropy",
        "How widely a query spreads its attention: 0 when all goes to one key, 1 when it is even.",
        StandsOut(
            "wide",
            "Looks everywhere",
            f"It spreads its attention most evenly: entropy {{value}} {_HOW}.",
            WIDE,
            but_named=True,
        ),
        StandsOut(
            "narrow",
            "Sharp attention",
            f"Each query picks very few keys: entropy {{value}} {_HOW}.",
            NARROW,
            lowest=True,
            but_named=True,
        ),
        form=NUMBER,
    ),
    _figure(
        "distance",
        "Distance",
        "How far a query looks: mean distance to its keys in tokens, weighted by attention.",
        form=_TOKENS,
        best=None,
    ),
    _received("first_share", "First token, inputs alike", "As the sink, of the first token of each input."),
    _received("last_share", "Last token, inputs alike", "As the sink, of the last token of each input."),
    _received("even_share", "Even share", "What one token would take if attention were even, mean over inputs."),
    _without_special(
        "previous_word",
        "Previous token",
        -1,
        _looks("previous", "Looks back one token", "goes to the token just before"),
    ),
    _without_special(
        "next_word", "Next token", 1, _looks("next", "Looks ahead one token", "goes to the token just after")
    ),
    _without_special("own_word", "Own token", 0, _looks("self", "Looks at itself", "stays at the token itself")),
)
