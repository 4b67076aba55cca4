"""How the attention of a running model is seen: one adapter for each way, looked up by kind of attention.

A new architecture outside the interface is one class that keeps `Adapter`, and one entry of ADAPTERS.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

import torch

from services.atlas.schema import StreamInfo
from services.capture.content import Rotations
from services.capture.interface import EncoderDecoderAdapter, InterfaceAdapter
from services.capture.own_code import OwnCodeAdapter
from services.capture.recorder import Call, Hand, Recording
from services.capture.windows import WindowAdapter
from services.modalities.contract import ModelInput
from services.streams.registry import KINDS

Arguments = Mapping[str, Any]


class Adapter(Protocol):
    """Sees the attention of some architectures.

    kinds: which kinds of attention (services.streams.registry) · notes: what a reader should know of all its models
    """

    kinds: tuple[str, ...]
    notes: tuple[str, ...]

    def accepts(self, config: Any, model_class: Any) -> bool:
        """Whether it can see into models of this configuration and class; nothing is loaded yet."""
        ...

    def describe(self, model: Any, arguments: Arguments, item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        """The streams of a model, from a trial run on one input. name: for messages. Raises: ModelError."""
        ...

    def recording(self, model: Any, *, keep_masks: bool = False) -> AbstractContextManager[Recording]:
        """Inside the block every forward pass adds its calls; afterwards the model is as it was, also on errors."""
        ...

    def own_attentions(self, model: Any, arguments: Arguments) -> Mapping[str, Sequence[torch.Tensor]]:
        """The model's own weights from an ordinary run, by stream: of each layer [inputs, heads, queries, keys]."""
        ...

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        """Which tokens of an input are global; None for models that have none."""
        ...


ADAPTERS: tuple[Adapter, ...] = (InterfaceAdapter(), EncoderDecoderAdapter(), OwnCodeAdapter(), WindowAdapter())


def adapter_for(kind: str, config: Any, model_class: Any) -> Adapter | None:
    """The adapter that sees a kind of attention in models of a configuration and class."""
    return next((one for one in ADAPTERS if kind in one.kinds and one.accepts(config, model_class)), None)


def adapters_for(config: Any, model_class: Any) -> list[Adapter]:
    """Every adapter that sees into such models, each once; none when they cannot be captured."""
    found = (adapter_for(kind.name, config, model_class) for kind in KINDS)
    return list(dict.fromkeys(adapter for adapter in found if adapter is not None))


def adapters_of(model: Any) -> list[Adapter]:
    """The adapters of a loaded model."""
    return adapters_for(model.config, type(model))


def layers_of(stream: StreamInfo, streams: Sequence[StreamInfo], found: Sequence[Any]) -> list[Any]:
    """Of what was found in every layer that shows a kind of attention, one after the other, the stream's part.

    streams: all of the model
    """
    if not stream.layer_numbers:
        return list(found)
    every = sorted(number for one in streams if one.kind == stream.kind for number in one.layer_numbers)
    return [layer for number, layer in zip(every, found, strict=True) if number in stream.layer_numbers]


def seat(stream: StreamInfo, streams: Sequence[StreamInfo], row: int) -> tuple[str, int]:
    """Under which name, and as which call of it, a recording (and a `Hand`) knows a layer of a stream."""
    if stream.name == stream.kind or not stream.layer_numbers:
        return stream.name, row
    every = sorted(number for one in streams if one.kind == stream.kind for number in one.layer_numbers)
    return stream.kind, every.index(stream.number(row))


def of_stream(stream: StreamInfo, streams: Sequence[StreamInfo], found: Mapping[str, Sequence[Any]]) -> list[Any]:
    """What adapters found of a stream, by its name or else by its kind."""
    return layers_of(stream, streams, found[stream.name if stream.name in found else stream.kind])


def calls_of(record: Recording, stream: StreamInfo, streams: Sequence[StreamInfo]) -> list[Call]:
    """What a recording holds of a stream, a call a layer. streams: all of the model"""
    calls = record.calls(stream.name) or record.calls(stream.kind)
    return layers_of(stream, streams, calls) if calls else []


@contextmanager
def recording(
    model: Any, *, keep_masks: bool = False, hand: Hand | None = None, content: bool = False
) -> Iterator[Recording]:
    """Record the attention of every stream of a model inside the block.

    hand: looks at the layers while they work; only those of transformers' AttentionInterface know it (`has_hand`).
    content: also what rotary models dot as it was before rotation, as the stream CONTENT; of the same layers
    """
    record = Recording(keep_masks)
    with ExitStack() as stack:
        for part in [stack.enter_context(one.recording(model, keep_masks=keep_masks)) for one in adapters_of(model)]:
            part.hand = hand
            record.parts.append(part)
            if content:
                part.rotations = Rotations()
                stack.enter_context(part.rotations.watching(model))
        yield record


def has_hand(model: Any) -> bool:
    """Whether the layers of a model can be looked at, and changed, while they work."""
    return all(isinstance(one, InterfaceAdapter | EncoderDecoderAdapter) for one in adapters_of(model))


def own_attentions(model: Any, arguments: Arguments) -> dict[str, Sequence[torch.Tensor]]:
    """The model's own weights of every stream, see `Adapter.own_attentions`."""
    found: dict[str, Sequence[torch.Tensor]] = {}
    for adapter in adapters_of(model):
        found |= adapter.own_attentions(model, arguments)
    return found


def global_tokens(model: Any, item: ModelInput) -> Sequence[bool] | None:
    """Which tokens of an input are global, as the first adapter that knows of such says."""
    said = (adapter.global_tokens(model, item) for adapter in adapters_of(model))
    return next((flags for flags in said if flags is not None), None)
