"""Kinds of attention that a model may have: what each is called, whose tokens ask and answer, how weights are kept.

A new kind is one entry of KINDS. How its vectors are seen in a running model is an adapter's business
(services.capture.adapters), which is looked up by the kind's name.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from services.streams.mask import CAUSAL, CROSS, FULL, StreamMask

# dense: every pair of an input · banded: only the pairs that its mask shows · none: not kept
AttentionLayout = Literal["dense", "banded", "none"]

# Token tables: what a model reads, what it writes (or is given as written), and of what it reads the global tokens.
TOKENS, WRITTEN, GLOBAL = "tokens", "decoder_tokens", "global_tokens"
SELF = "self"  # the kind of nearly all models
CONTENT = "content"  # of rotary models, on request: no attention, and none is kept


class StreamKind(Protocol):
    """A kind of attention.

    label and words are for a reader; words is one sentence. mask: None where each model has its own.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def query_table(self) -> str: ...
    @property
    def key_table(self) -> str: ...
    @property
    def mask(self) -> StreamMask | None: ...
    @property
    def layout(self) -> AttentionLayout: ...


@dataclass(frozen=True)
class Kind:
    """A `StreamKind` as a record."""

    name: str
    label: str
    words: str
    query_table: str = TOKENS
    key_table: str = TOKENS
    mask: StreamMask | None = None
    layout: AttentionLayout = "dense"


KINDS: tuple[StreamKind, ...] = (
    Kind(SELF, "Self-attention", "Tokens of one input attend to each other, in a decoder only to those before."),
    Kind("encoder", "Encoder", "Tokens of the text that is read attend to each other.", mask=FULL),
    Kind(
        "decoder",
        "Decoder",
        "Tokens of the text that is written attend to themselves and to those before.",
        query_table=WRITTEN,
        key_table=WRITTEN,
        mask=CAUSAL,
    ),
    Kind(
        "cross",
        "Cross-attention",
        "Tokens of the text that is written attend to tokens of the text that is read.",
        query_table=WRITTEN,
        mask=CROSS,
    ),
    Kind(
        "local",
        "Local attention",
        "Tokens attend to their neighbours within a window, and to a few global tokens.",
        layout="banded",
    ),
    Kind(
        "global",
        "Global attention",
        "A few global tokens attend to all tokens of the text.",
        query_table=GLOBAL,
        mask=CROSS,
    ),
    Kind(
        CONTENT,
        "Content, before rotation",
        "Queries and keys of a rotary model before they are turned by their places: what they would have in common"
        " without place. It is not the model's attention, and no weights are shown.",
        layout="none",
    ),
)


def kind_named(name: str) -> StreamKind:
    """A kind of KINDS; one that this program does not know has no words but its name."""
    return next((kind for kind in KINDS if kind.name == name), Kind(name, name, ""))
