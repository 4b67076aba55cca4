"""The adapter for models whose attention goes through transformers' AttentionInterface: nearly every architecture."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from services.atlas.schema import StreamInfo
from services.capture.describe import describe
from services.capture.recorder import STREAM, Recording, attention_implementation, recording
from services.capture.refusals import refused
from services.modalities.contract import ModelInput


class InterfaceAdapter:
    """See `services.capture.adapters.Adapter`."""

    kinds: tuple[str, ...] = (STREAM,)

    def accepts(self, config: Any, model_class: Any) -> bool:
        return not refused(config) and bool(model_class._can_set_attn_implementation())

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        """What is described was seen, not read from the configuration: layers' own calls give shapes and factors."""
        with recording(model, keep_masks=True) as record:
            model(**arguments)
        calls = record.calls(STREAM)
        layers = getattr(model.config, "num_hidden_layers", len(calls))
        return (describe(STREAM, calls, self._own(model, arguments), layers, f"{name} ({type(model).__name__})"),)

    def recording(self, model: Any, *, keep_masks: bool = False) -> AbstractContextManager[Recording]:
        return recording(model, keep_masks=keep_masks)

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[torch.Tensor]]:
        return {STREAM: self._own(model, arguments)}

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        return None

    def _own(self, model: Any, arguments: Mapping[str, Any]) -> tuple[torch.Tensor, ...]:
        with attention_implementation(model, "eager"):
            attentions = model(**arguments, output_attentions=True).attentions
        return tuple(weights for weights in attentions or () if weights is not None)
