"""The adapters for models whose attention goes through transformers' AttentionInterface: nearly every architecture."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from services.atlas.schema import StreamInfo
from services.capture.describe import describe, describe_layers
from services.capture.recorder import STREAM, Recording, attention_implementation, recording
from services.capture.refusals import refused
from services.modalities.contract import ModelInput

ENCODER, DECODER, CROSS = "encoder", "decoder", "cross"
# What transformers calls the part of a decoder's layer that looks at what the encoder has read.
_LOOKS_ACROSS = re.compile(r"(^|\.)(encoder_attn|EncDecAttention|cross_attn|cross_attention|crossattention)$")


class InterfaceAdapter:
    """Encoders, and decoders. See `services.capture.adapters.Adapter`."""

    kinds: tuple[str, ...] = (STREAM,)
    notes: tuple[str, ...] = ()

    def accepts(self, config: Any, model_class: Any) -> bool:
        return (
            not config.is_encoder_decoder and not refused(config) and bool(model_class._can_set_attn_implementation())
        )

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        """What is described was seen, not read from the configuration: layers' own calls give shapes and factors."""
        with recording(model, keep_masks=True) as record:
            model(**arguments)
        calls = record.calls(STREAM)
        own = self.own_attentions(model, arguments)[STREAM]
        layers = getattr(model.config, "num_hidden_layers", len(calls))
        numbers = [call.layer for call in calls]
        return describe_layers(STREAM, calls, own, layers, numbers, f"{name} ({type(model).__name__})")

    def recording(self, model: Any, *, keep_masks: bool = False) -> AbstractContextManager[Recording]:
        return recording(model, keep_masks=keep_masks)

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[torch.Tensor]]:
        with attention_implementation(model, "eager"):
            return {STREAM: _present(model(**arguments, output_attentions=True).attentions)}

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        return None


class EncoderDecoderAdapter:
    """Models that read one text and write another. See `services.capture.adapters.Adapter`."""

    kinds: tuple[str, ...] = (ENCODER, DECODER, CROSS)
    notes: tuple[str, ...] = ()

    def accepts(self, config: Any, model_class: Any) -> bool:
        from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING

        return (
            bool(config.is_encoder_decoder)
            and type(config) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
            and not refused(config)
            and bool(model_class._can_set_attn_implementation())
        )

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        with self.recording(model, keep_masks=True) as record:
            model(**arguments)
        own = self.own_attentions(model, arguments)
        shown = f"{name} ({type(model).__name__})"
        return tuple(describe(kind, record.calls(kind), own[kind], len(own[kind]), shown) for kind in self.kinds)

    def recording(self, model: Any, *, keep_masks: bool = False) -> AbstractContextManager[Recording]:
        return recording(model, keep_masks=keep_masks, streams=_parts(model))

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[torch.Tensor]]:
        with attention_implementation(model, "eager"):
            found = model(**arguments, output_attentions=True)
        named = (found.encoder_attentions, found.decoder_attentions, found.cross_attentions)
        return dict(zip(self.kinds, map(_present, named), strict=True))

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        return None


def _present(attentions: Any) -> tuple[torch.Tensor, ...]:
    return tuple(weights for weights in attentions or () if weights is not None)


def _parts(model: Any) -> dict[int, str]:
    """The stream of each module of an encoder–decoder, by its id."""
    found = {id(module): ENCODER for module in model.get_encoder().modules()}
    for name, module in model.get_decoder().named_modules():
        found[id(module)] = CROSS if _LOOKS_ACROSS.search(name) else DECODER
    return found
