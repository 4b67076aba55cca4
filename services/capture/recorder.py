"""Listens to a transformer while it runs: what every attention layer was given and what it answered.

`transformers` sends nearly every architecture through one table of attention functions. Ours stands in
that table under a name of its own, notes its arguments, and hands the work to the `eager_attention_forward`
of the model's own file, which knows soft caps, sinks and grouped keys and returns the weights.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from services.capture.content import Rotations
from services.streams.registry import CONTENT, SELF

IMPLEMENTATION = "atlas_capture"
STREAM = SELF  # of encoders and of decoders


@dataclass
class Call:
    """One attention layer in one forward pass; B inputs in the batch, all on the model's device.

    queries [B, heads, n_q, head_dim] · keys [B, key_heads, n_k, head_dim] · value_norms [B, key_heads, n_k]
    attention [B, heads, n_q, n_k], None of content
    mask: what is added to the scores, [B, 1 or heads, n_q, n_k] or None
    softcap: bound c of c·tanh(score/c) or None · sinks: one more score a head in the softmax, [heads] or None
    bias: scores added besides the mask, or None. layer: its number in the path of its module; -1: unknown.
    """

    queries: torch.Tensor
    keys: torch.Tensor
    value_norms: torch.Tensor
    attention: torch.Tensor | None
    scaling: float
    mask: torch.Tensor | None = None
    softcap: float | None = None
    sinks: torch.Tensor | None = None
    bias: torch.Tensor | None = None
    layer: int = -1

    @property
    def additive(self) -> bool:
        """Whether the scores hold more than q·k and a mask that only hides."""
        if self.softcap is not None or self.sinks is not None:
            return True
        if self.bias is not None and bool(self.bias.any()):  # T5 hands zeros to layers that have none
            return True
        if self.mask is None or self.mask.dtype == torch.bool:
            return False
        # A mask hides with the dtype's lowest number (or −inf); anything between that and 0 is a bias.
        return bool(((self.mask != 0) & (self.mask > -1e30)).any())


class Hand(Protocol):
    """Looks at the attention layers of one run while they work, and may change what they do."""

    def before(self, stream: str, layer: int, given: "Given") -> torch.Tensor | None:
        """The mask that the layer is to use, as in transformers: added, or of truth; None where nothing is hidden."""
        ...

    def after(
        self, stream: str, layer: int, given: "Given", output: torch.Tensor, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the layer is to answer: [B, n_q, heads, head_dim] before the output projection, and its weights."""
        ...


@dataclass(frozen=True)
class Given:
    """What an attention layer was given; shapes as in `Call`, value: [B, key_heads, n_k, value_dim]."""

    module: Any
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None


@dataclass
class Recording:
    """The calls of one or more forward passes by stream, in the order in which the layers ran.

    The order, and not the modules' own `layer_idx`, tells the layer: many have none, and ALBERT's layers are
    one module.
    """

    keep_masks: bool = False
    stream_of: Mapping[int, str] = field(default_factory=dict)  # by the id of a module; STREAM for the others
    layer_of: Mapping[int, int] = field(default_factory=dict)  # by the id of a module
    streams: dict[str, list[Call]] = field(default_factory=dict)
    parts: list["Recording"] = field(default_factory=list)  # of several adapters that listen at the same time
    hand: Hand | None = None
    rotations: Rotations | None = None  # then what was dotted is also kept as it was before, in the stream CONTENT

    def add(self, stream: str, call: Call) -> None:
        self.streams.setdefault(stream, []).append(call)

    def calls(self, stream: str) -> list[Call]:
        """The calls of one stream."""
        return [call for record in (self, *self.parts) for call in record.streams.get(stream, [])]


# Per thread and per task, so that two captures of two models do not mix.
_recording: ContextVar[Recording | None] = ContextVar("atlas_recording", default=None)


@contextmanager
def recording(model: Any, *, keep_masks: bool = False, streams: Mapping[int, str] | None = None) -> Iterator[Recording]:
    """Record the attention of `model` inside the block; afterwards the model is as it was, also on errors.

    streams: of modules by their id, in models with more than one.
    The model must not run elsewhere meanwhile: the choice of attention function is part of the model.
    """
    record = Recording(keep_masks, streams or {}, _layers(model))
    with attention_implementation(model, IMPLEMENTATION):
        token = _recording.set(record)
        try:
            yield record
        finally:
            _recording.reset(token)


def _layers(model: Any) -> dict[int, int]:
    """The number of the layer of each module, by its id: the first number in its path ("layers.3.self_attn")."""
    found = {}
    for path, module in model.named_modules():
        numbers = [part for part in path.split(".") if part.isdecimal()]
        if numbers:
            found[id(module)] = int(numbers[0])
    return found


@contextmanager
def attention_implementation(model: Any, name: str) -> Iterator[None]:
    """Run `model` with attention function `name` inside the block, in eval mode and without gradients."""
    before = model.config._attn_implementation
    try:
        model.set_attn_implementation(name)
        with as_it_runs(model):
            yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def as_it_runs(model: Any) -> Iterator[None]:
    """A model in eval mode and without gradients inside the block; afterwards as before."""
    training = model.training
    try:
        model.eval()
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def _record(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The attention function in transformers' table: note the arguments, let the model's own code answer."""
    record = _recording.get()
    stream = record.stream_of.get(id(module), STREAM) if record else STREAM
    layer = len(record.streams.get(stream, ())) if record else 0
    given = Given(module, query, key, value, attention_mask)
    if record is not None and record.hand is not None:
        attention_mask = record.hand.before(stream, layer, given)
    output, weights = own_attention(module)(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    if record is not None and record.hand is not None:
        output, weights = record.hand.after(stream, layer, given, output, weights)
    if record is not None:
        call = Call(
            queries=query,
            keys=key,
            value_norms=torch.linalg.vector_norm(value.float(), dim=-1),
            attention=weights,
            scaling=_factor(module, query, scaling),
            layer=record.layer_of.get(id(module), -1),
        )
        call.softcap, call.sinks, call.bias = _additive_terms(module, kwargs)
        if record.keep_masks:
            call.mask = attention_mask
        record.add(stream, call)
        if record.rotations is not None and stream == STREAM:
            before = record.rotations.before(module, query, key)
            if before is not None:
                record.add(CONTENT, replace(call, queries=before[0], keys=before[1], attention=None))
    return output, weights


def own_attention(module: Any) -> Callable[..., Any]:
    """`eager_attention_forward` as the code of this attention module sees it."""
    forward = inspect.unwrap(type(module).forward)
    eager = getattr(forward, "__globals__", {}).get("eager_attention_forward")
    if eager is None:
        raise NotImplementedError(f"{type(module).__name__} has no eager attention that returns its weights")
    return eager


def _factor(module: Any, query: torch.Tensor, scaling: float | None) -> float:
    if scaling is None:  # the default in every eager_attention_forward of transformers 5
        return float(getattr(module, "head_dim", query.shape[-1])) ** -0.5
    if isinstance(scaling, torch.Tensor) and scaling.numel() > 1:
        raise NotImplementedError(f"{type(module).__name__} scales each head differently")
    return float(scaling)


def _additive_terms(
    module: Any, kwargs: dict[str, Any]
) -> tuple[float | None, torch.Tensor | None, torch.Tensor | None]:
    """Soft cap, sinks and bias of a layer: how transformers 5 adds to q·k outside the mask."""
    sinks = kwargs.get("s_aux")
    if sinks is None:
        sinks = getattr(module, "sinks", None)  # GPT-OSS: its eager attention takes them from the layer
    return (
        kwargs.get("softcap"),
        sinks if isinstance(sinks, torch.Tensor) else None,
        kwargs.get("position_bias"),
    )


AttentionInterface.register(IMPLEMENTATION, _record)
AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)
