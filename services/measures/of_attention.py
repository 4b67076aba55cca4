"""What a head does with its attention: scores, each with its base rate, its interval and what heads are called by it.

How they are worked out: services.measures.attention_scores and .explained; definitions beside those of others:
docs/heads.md.
"""

from services.attributes.text import KIND, POSITION
from services.measures.attention_scores import EPSILON, NO_POSITIONS
from services.measures.attention_sums import REACH
from services.measures.explained import POSITIONS
from services.measures.layer import NO_ATTENTION, Layer
from services.measures.measure import (
    NUMBER,
    SHAPE_MAPS,
    SHARE,
    Called,
    Form,
    Measure,
    StandsOut,
    Values,
)
from services.measures.notes import SINK_SHARE, SINK_TIMES_EVEN
from services.measures.pair_marks import DIAGONAL, IMAGE, LOCAL, TEXT

PLACES, TOKENS, SPREAD = "Attention by place", "Attention by token", "How attention is spread"
PATCHES, TEXTS = "Attention between patches", "Attention between two texts"
# In inputs of ten tokens an even share is 0.1: four times that, so that the place alone must draw the attention.
OFFSET_SHARE = 0.4
# With 20 keys, entropy 0.85 of its largest is as wide as an even spread over 20^0.85 = 13 of them …
WIDE = 0.85
# … and 0.3 as narrow as one over 20^0.3 = 2.5.
NARROW = 0.3
# Of the queries that have a repeat at all, in natural text: where induction heads are known, they score 0.3 to 0.9.
REPEATS = 0.3
_FEW_KEYS = "no input has three keys"
_HIDDEN = "the mask hides that token"
_TOKENS, _KEYS, _NATS = Form(1, 1, " tokens"), Form(1, 1, " keys"), Form(1, 2, " nats")
_HOW = "(0: all to one key, 1: even), among the heads not named above"
_SINGLE = ("previous", "next", "self")  # a head that looks at one place near by is not called local as well


def _score(
    name: str,
    label: str,
    sentence: str,
    formula: str,
    group: str,
    *stands_out: StandsOut,
    form: Form = SHARE,
    best: float | None = 1.0,
    called: Called | None = None,
    modality: str | None = None,
    listed: bool = True,
    needs: str = "",
) -> Measure:
    """One of services.measures.attention_scores or .explained."""

    def compute(layer: Layer) -> Values:
        return layer.score(name)

    return Measure(
        name, label, sentence, compute, "head", group, form, best, 0.0, None, listed, modality, stands_out,
        estimated=True, called=called, formula=formula, needs=needs,
    )  # fmt: skip


def _received(name: str, label: str, sentence: str) -> Measure:
    """One of the shares of services.measures.attended."""

    def compute(layer: Layer) -> Values:
        found = [layer.attended(head) for head in range(layer.heads)]
        values = [None if one is None else getattr(one, name) for one in found]
        why = NO_ATTENTION if None in found else _FEW_KEYS
        return [why if value is None else value for value in values]

    return Measure(name, label, sentence, compute, group=SPREAD, form=SHARE, best=1.0, listed=False)


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
        name, label, sentence, compute, group=PLACES, form=SHARE, best=1.0, listed=False, stands_out=(stands_out,)
    )


def _looks(kind: str, title: str, where: str) -> StandsOut:
    text = f"{{value}} of its attention {where}: the most of all heads. Special tokens left out."
    return StandsOut(kind, title, text, OFFSET_SHARE, colour=POSITION.name, maps=SHAPE_MAPS)


def _sink(place: str) -> StandsOut:
    text = f"{{value}} of its attention goes to {place}: the strongest attention sink of all heads."
    return StandsOut("sink", "Attention sink", text, SINK_SHARE, colour=KIND.name, times_even=SINK_TIMES_EVEN)


_BY_PLACE = (
    _score(
        "previous",
        "Previous token",
        "The weight that a query puts on the token before it, mean over queries.",
        "Σ A[q, q−1] / queries that have a token before them.",
        PLACES,
        called=Called("previous-token head"),
    ),
    _score(
        "next",
        "Next token",
        "The weight that a query puts on the token after it, mean over queries.",
        "Σ A[q, q+1] / queries that have and see a token after them.",
        PLACES,
        called=Called("next-token head"),
    ),
    _score(
        "self",
        "Own token",
        "The weight that a query puts on its own token, mean over queries.",
        "Σ A[q, q] / queries that see their own token.",
        PLACES,
        called=Called("own-token head"),
    ),
    _score(
        "first",
        "First token",
        "The weight on the first token of the input, mean over queries.",
        "Σ A[q, 0] / queries.",
        PLACES,
        _sink("the first token of each input{first}"),
        called=Called("first-token sink", also="first_far"),
    ),
    _score(
        "first_far",
        "First token, from afar",
        f"The weight on the first token of queries more than {LOCAL} tokens behind it: a head that looks back a few "
        "tokens is not a sink.",
        f"Σ A[q, 0] / queries at position {LOCAL + 1} or later.",
        PLACES,
        listed=False,
    ),
    _score(
        "last",
        "Last token",
        "The weight on the last token of the input, mean over queries.",
        "Σ A[q, n−1] / queries.",
        PLACES,
        _sink("the last token of each input{last}"),
    ),
    _score(
        "local",
        "Nearest tokens",
        f"The weight on the query's own token and {LOCAL} on either side, mean over queries.",
        f"Σ A[q, k] over |q − k| ≤ {LOCAL} / queries.",
        PLACES,
        called=Called("local head", unless=_SINGLE),
    ),
    _score(
        "distance",
        "Distance",
        "How far a query looks: mean distance to its keys in tokens, weighted by attention.",
        "Σ a[q, k]·|q − k| / queries; a: rows scaled to sum to 1.",
        PLACES,
        form=_TOKENS,
        best=None,
    ),
    _score(
        "positional",
        "Explained by position",
        "How much of a head's departure from even attention the two positions alone foretell: near 100 % it does the "
        "same whatever the words are.",
        "1 − Σ (A − mean of the other inputs at the same two positions)² / Σ (A − even)²; special tokens left out, "
        f"the first {POSITIONS} positions; 0 or below: positions tell nothing.",
        PLACES,
        called=Called("positional head", beyond=0.6, unless=(*_SINGLE, "first")),
    ),
)
_BY_TOKEN = (
    _score(
        "special",
        "Special tokens",
        "The weight on special tokens, [CLS] and the like, mean over queries.",
        "Σ A[q, special] / queries (Clark et al. 2019).",
        TOKENS,
        called=Called("special-token head"),
    ),
    _score(
        "punctuation",
        "Punctuation",
        "The weight on punctuation and other signs, mean over queries.",
        "Σ A[q, punctuation] / queries.",
        TOKENS,
        called=Called("punctuation head"),
        modality=TEXT,
    ),
    _score(
        "duplicate",
        "Same token earlier",
        "The weight on earlier occurrences of the query's own token, mean over queries that have one.",
        "Σ A[q, k] over k < q with token k = token q / queries that have such a key; special tokens left out.",
        TOKENS,
        StandsOut(
            "duplicate",
            "Finds the same token",
            "{value} of its attention goes to earlier occurrences of the same token, where there are any.",
            REPEATS,
            colour=KIND.name,
            times_base=3,
        ),
        called=Called("duplicate-token head", beyond=0.3),
        modality=TEXT,
    ),
    _score(
        "induction",
        "Induction",
        "The weight on tokens that followed an earlier occurrence of the query's token, mean over queries that have "
        "one: induction, over the repeats that the corpus happens to have.",
        "Σ A[q, k] over k < q with token k−1 = token q and token k ≠ token q / queries that have such a key; special "
        "tokens left out (prefix matching of Olsson et al. 2022, on natural text).",
        TOKENS,
        StandsOut(
            "induction",
            "Looks where it went on",
            "{value} of its attention goes to what followed the same token earlier, where there is an earlier one.",
            REPEATS,
            colour=KIND.name,
            times_base=3,
        ),
        called=Called("induction head", beyond=0.3),
        modality=TEXT,
    ),
    _score(
        "semantic",
        "Explained by the tokens",
        "How much of a head's departure from even attention the two tokens alone foretell, wherever they stand.",
        "1 − Σ (A − mean of the other pairs of the same two tokens)² / Σ (A − even)²; special tokens, pairs of a token "
        "with itself and the first token as key left out; 0 or below: tokens tell nothing.",
        TOKENS,
        called=Called("token-identity head", beyond=0.6),
    ),
)
_SPREAD = (
    _score(
        "sink_share",
        "Attention sink",
        "Of all attention in an input, the share that its most attended token takes, mean over inputs.",
        "Mean over inputs of max over k of the mean of A[q, k] over queries that see three keys or more.",
        SPREAD,
    ),
    _score(
        "sink_rate",
        "Inputs with a sink",
        f"The share of inputs whose first token takes more than {EPSILON:.0%} of the attention of the queries that "
        "see it.".replace("%", " %"),
        f"Sink₁^ε of Gu et al. 2025 with ε = {EPSILON}: α₁ = mean of A[q, 0] over the queries that see it; here inputs "
        "keep their length, there all have 64 tokens.",
        SPREAD,
    ),
    _score(
        "sink_spread",
        "Keys that share the attention",
        "How many keys of an input share all attention between them, as if each took the same: 1 where one takes all.",
        "Mean over inputs of exp(entropy of what each key receives of all queries).",
        SPREAD,
        form=_KEYS,
        best=None,
    ),
    _score(
        "entropy",
        "Entropy",
        "How widely a query spreads its attention: 0 when all goes to one key, 1 when it is even.",
        "Mean over queries of −Σ a ln a / ln(keys it sees).",
        SPREAD,
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
    _score(
        "entropy_nats",
        "Entropy in nats",
        "How widely a query spreads its attention, not divided by what is possible: it grows with the inputs' length.",
        "Mean over queries of −Σ a ln a (Clark et al. 2019 call a head broad above 3.8 nats, of inputs of 128 tokens).",
        SPREAD,
        form=_NATS,
        best=None,
    ),
    _received("first_share", "First token, inputs alike", "As the sink, of the first token of each input."),
    _received("last_share", "Last token, inputs alike", "As the sink, of the last token of each input."),
    _received("even_share", "Even share", "What one token would take if attention were even, mean over inputs."),
)
_BETWEEN_TEXTS = (
    _score(
        "monotone",
        "Goes forward",
        "Whether later queries attend further on: 1 always, 0 as even attention, −1 always further back.",
        "Mean over all pairs of queries of an input of P(later looks further on) − P(further back), their keys drawn "
        "by attention; mean over pairs.",
        TEXTS,
        form=NUMBER,
        called=Called("monotone head"),
        needs="cross",
    ),
    _score(
        "diagonal",
        "Along the diagonal",
        f"The weight on keys that lie as far into their text as the query into its own, to {DIAGONAL:.0%} of its "
        "length.".replace("%", " %"),
        f"Σ A[q, k] over |(k + ½)/keys − (q + ½)/queries| ≤ {DIAGONAL} / queries; at least one key.",
        TEXTS,
        called=Called("diagonal head"),
        needs="cross",
    ),
    _score(
        "coverage",
        "Coverage",
        "How much of the text that is read is attended to: 100 % when every key gets its even share of all attention.",
        "Mean over inputs and keys of min(1, keys · share of all attention that a key receives).",
        TEXTS,
        needs="cross",
    ),
)
ATTENTION = (
    *_BY_PLACE,
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
    *_BY_TOKEN,
    *_SPREAD,
    *_BETWEEN_TEXTS,
)


def _patches(name: str, label: str, where: str, formula: str, called: str) -> Measure:
    sentence = f"The weight on {where}, mean over {'queries' if '[q, ' in formula else 'patches that have one'}."
    return _score(name, label, sentence, formula, PATCHES, called=Called(called), modality=IMAGE)


_ALIKE = "Σ A over the other patches of the same {} / patches that have one."
ATTENTION_OF_PATCHES = (
    _patches("same_row", "Same row", "the other patches of its row", _ALIKE.format("row"), "row head"),
    _patches("same_column", "Same column", "the other patches of its column", _ALIKE.format("column"), "column head"),
    _patches(
        "neighbour",
        "Neighbouring patches",
        "the eight patches around a patch",
        "Σ A over patches at most one row and one column away, itself left out / patches that have one.",
        "neighbour head",
    ),
    _patches("same_object", "Same object", "other patches of its object", _ALIKE.format("object"), "object head"),
    _patches(
        "same_colour",
        "Same colour",
        "other patches of its colour (hue in sectors of 30°; grey has none)",
        _ALIKE.format("hue sector"),
        "colour head",
    ),
    _patches("class_token", "Class token", "the class token", "Σ A[q, class token] / queries.", "class-token head"),
    _patches(
        "registers", "Registers", "registers", "Σ A[q, registers] / queries (Darcet et al. 2024).", "register head"
    ),
)
