"""What kinds of attention a loaded model has; models that would be captured wrongly are refused."""

from collections.abc import Sequence
from typing import Any

import torch

from services.atlas.schema import StreamInfo
from services.capture.recorder import Call, attention_implementation, recording
from services.errors import ModelError
from services.streams import CAUSAL, FULL, StreamMask


def describe_streams(model: Any, ids: Sequence[int], name: str) -> tuple[StreamInfo, ...]:
    """Run `model` once on a few token `ids` (two at least) and describe its attention.

    What is described was seen, not read from the configuration: shapes, factors and causality come from the
    layers' own calls. `name` is for messages. ModelError when layers are missing or differ in their heads, or
    when what the layers answered is not what the model itself reports.
    """
    batch = torch.tensor([list(ids)], device=model.device)
    with recording(model, keep_masks=True) as record:
        model(**model_arguments(model, batch))
    own = own_attentions(model, batch)
    calls = record.calls
    architecture = type(model).__name__
    layers = getattr(model.config, "num_hidden_layers", len(calls))
    if not calls:
        raise ModelError(f"Model {name} ({architecture}) cannot be captured: none of its layers showed its attention.")
    if len(calls) != layers or len(own) != len(calls):
        raise ModelError(
            f"Model {name} ({architecture}) cannot be captured: {len(calls)} of its {layers} layers showed"
            " their attention; layers of other kinds are not supported."
        )
    for layer, call in enumerate(calls):
        _check_call(call, own[layer], f"Model {name} ({architecture}) cannot be captured: layer {layer}")
    shapes = {(call.queries.shape[1], call.keys.shape[1], call.queries.shape[3]) for call in calls}
    if len(shapes) > 1:
        text = "; ".join(f"{h} heads, {k} key heads of size {d}" for h, k, d in sorted(shapes))
        raise ModelError(
            f"Model {name} ({architecture}) cannot be captured: its heads differ between layers ({text}),"
            " and an atlas needs the same heads in every layer."
        )
    heads, key_heads, head_dim = shapes.pop()
    return (
        StreamInfo(
            name="self",
            layers=len(calls),
            heads=heads,
            key_heads=key_heads,
            head_dim=head_dim,
            mask=_mask(calls),
            scaling=tuple(call.scaling for call in calls),
            additive=any(call.additive for call in calls),
        ),
    )


def _mask(calls: Sequence[Call]) -> StreamMask:
    """The narrowest mask that fits every layer of a trial run."""
    if any(call.attention.triu(1).any() for call in calls):
        return FULL
    return CAUSAL


def model_arguments(model: Any, ids: torch.Tensor, mask: torch.Tensor | None = None) -> dict[str, Any]:
    """Keyword arguments of a forward pass: ids and mask int64 [B, n]; without a cache of keys."""
    arguments = {"input_ids": ids, "attention_mask": torch.ones_like(ids) if mask is None else mask}
    if getattr(model.config, "use_cache", False):
        arguments["use_cache"] = False
    return arguments


def own_attentions(model: Any, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The model's own attention weights from an ordinary run: for each layer [B, heads, n, n]."""
    with attention_implementation(model, "eager"):
        attentions = model(**model_arguments(model, ids), output_attentions=True).attentions
    return tuple(weights for weights in attentions or () if weights is not None)


def _check_call(call: Call, own: torch.Tensor, where: str) -> None:
    heads, key_heads = call.queries.shape[1], call.keys.shape[1]
    if call.attention is None or call.attention.shape != own.shape:
        raise ModelError(f"{where} does not give its attention weights token by token.")
    if heads % key_heads or call.keys.shape[-1] != call.queries.shape[-1]:
        raise ModelError(f"{where} has {heads} query heads for {key_heads} key heads of another size.")
    if call.value_norms.shape != call.keys.shape[:3]:
        raise ModelError(f"{where} has other heads for its values than for its keys.")
    if not torch.isfinite(call.attention).all():
        raise ModelError(f"{where} gives attention that is not a number; its weights may be damaged.")
