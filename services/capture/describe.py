"""What a stream of a model is, from what its layers did in a trial run; what would be captured wrongly is refused."""

from collections.abc import Sequence

import torch

from services.atlas.schema import StreamInfo
from services.capture.recorder import Call
from services.errors import ModelError
from services.streams import CAUSAL, FULL, StreamMask
from services.streams.registry import kind_named


def describe_layers(
    kind: str, calls: Sequence[Call], own: Sequence[torch.Tensor], layers: int, numbers: Sequence[int], name: str
) -> tuple[StreamInfo, ...]:
    """As `describe`, where only some layers attend, or heads differ between layers: then a stream for each shape.

    numbers: the layer of each call, as the model's modules are named
    """
    shapes = [_shape(call) for call in calls]
    if len(calls) == layers and len(set(shapes)) < 2:
        return (describe(kind, calls, own, layers, name),)
    if len(own) != len(calls) or not _are_layers(numbers, len(calls), layers):
        raise ModelError(
            f"Model {name} cannot be captured: {len(calls)} of its {layers} layers showed their attention, and which"
            " these are cannot be told for sure."
        )
    found = []
    for shape in dict.fromkeys(shapes):
        mine = [row for row, other in enumerate(shapes) if other == shape]
        one = describe(
            kind,
            [calls[row] for row in mine],
            [own[row] for row in mine],
            len(mine),
            name,
            stream=kind if len(set(shapes)) == 1 else _name_of(kind, shape, shapes),
        )
        found.append(
            one.model_copy(update={"layer_numbers": tuple(numbers[row] for row in mine), "model_layers": layers})
        )
    return tuple(found)


def _shape(call: Call) -> tuple[int, int, int]:
    """Heads, key heads, size of a head."""
    return call.queries.shape[1], call.keys.shape[1], call.queries.shape[3]


def _name_of(kind: str, shape: tuple[int, int, int], shapes: Sequence[tuple[int, int, int]]) -> str:
    """ "self_4x256": heads and their size; with key heads between them where only these differ."""
    heads, key_heads, size = shape
    alike = {other for other in shapes if (other[0], other[2]) == (heads, size)}
    return f"{kind}_{heads}x{size}" if len(alike) == 1 else f"{kind}_{heads}x{key_heads}x{size}"


def _are_layers(numbers: Sequence[int], count: int, layers: int) -> bool:
    """Whether they can be what a model numbers its layers by: rising, one a call, within the model."""
    return len(numbers) == count and sorted(set(numbers)) == list(numbers) and all(0 <= n < layers for n in numbers)


def describe(
    kind: str,
    calls: Sequence[Call],
    own: Sequence[torch.Tensor],
    layers: int,
    name: str,
    *,
    mask: StreamMask | None = None,
    stream: str | None = None,
) -> StreamInfo:
    """A stream of a kind from the calls of its layers on one input.

    own: the weights that the model itself reports, a layer each · layers: how many there should be
    name: of the model, for messages · mask: None: the kind's, or what the layers hid · stream: its name, the kind's
    Raises: ModelError when layers are missing or differ in their heads, or when what they answered is not what the
    model reports.
    """
    cannot = f"Model {name} cannot be captured:"
    if not calls:
        raise ModelError(f"{cannot} none of its layers showed its attention.")
    if len(calls) != layers or len(own) != len(calls):
        raise ModelError(
            f"{cannot} {len(calls)} of its {layers} layers showed their attention; layers of other kinds are not"
            " supported."
        )
    for layer, call in enumerate(calls):
        _check_call(call, own[layer], f"{cannot} layer {layer}")
    shapes = {_shape(call) for call in calls}
    if len(shapes) > 1:
        text = "; ".join(f"{h} heads, {k} key heads of size {d}" for h, k, d in sorted(shapes))
        raise ModelError(
            f"{cannot} its heads differ between layers ({text}), and an atlas needs the same heads in every layer."
        )
    heads, key_heads, head_dim = shapes.pop()
    of_kind = kind_named(kind)
    return StreamInfo(
        name=stream or kind,
        kind=kind,
        layers=len(calls),
        heads=heads,
        key_heads=key_heads,
        head_dim=head_dim,
        mask=mask or of_kind.mask or seen_mask(calls),
        attention=of_kind.layout,
        scaling=tuple(call.scaling for call in calls),
        additive=any(call.additive for call in calls),
        query_table=of_kind.query_table,
        key_table=of_kind.key_table,
    )


def seen_mask(calls: Sequence[Call]) -> StreamMask:
    """The narrowest mask of a decoder or encoder that fits every layer: one that hides less in one layer hides less.

    A window is seen in a trial that is longer than it, and believed when a layer's mask has it: weights may be 0 also
    where nothing is hidden.
    """
    if any(call.attention is not None and call.attention.triu(1).any() for call in calls):
        return FULL
    windows = [_window(call) for call in calls]
    known = [window for window in windows if window is not None]
    return StreamMask(kind="sliding", window=max(known)) if len(known) == len(calls) else CAUSAL


def _window(call: Call) -> int | None:
    """How many positions up to its own a query sees, by the mask of a layer under which it sees none after it."""
    if call.mask is None:
        return None
    hidden = ~call.mask if call.mask.dtype == torch.bool else call.mask <= -1e30
    shown = ~hidden.reshape(-1, *hidden.shape[-2:])[0]
    n = shown.shape[-1]
    apart = torch.arange(n)[:, None] - torch.arange(n)  # query position − key position
    shown = shown.cpu()
    reach = int(apart[shown].max()) + 1
    return reach if reach < n and torch.equal(shown, (apart >= 0) & (apart < reach)) else None


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
