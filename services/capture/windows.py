"""The adapter for attention within windows and to a few global tokens, with projections of their own: Longformer, LED.

Its code works in bands: of each token the weights of global keys, then of the keys around it. Here they are put where
their keys stand. The first token of an input is global, as for classification.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from services.atlas.schema import StreamInfo
from services.capture.describe import describe
from services.capture.interface import CROSS, DECODER
from services.capture.own_code import replaced, undone
from services.capture.recorder import Call, Recording, as_it_runs
from services.modalities.contract import ModelInput
from services.streams import StreamMask

LOCAL, GLOBAL = "local", "global"
_PARTS = ("query", "key", "value", "query_global", "key_global", "value_global")
_DECODER_PARTS = ("q_proj", "k_proj", "v_proj")
NOTE = (
    "The first token of each input is global: it sees all others, by queries and keys of its own (global attention),"
    " and they see it. Its query in local attention is a vector that the model makes and does not use."
)


class WindowAdapter:
    """See `services.capture.adapters.Adapter`."""

    kinds: tuple[str, ...] = (LOCAL, GLOBAL, DECODER, CROSS)
    notes: tuple[str, ...] = (NOTE,)

    def accepts(self, config: Any, model_class: Any) -> bool:
        return config.model_type in ("longformer", "led") and not dilated(config)

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        first = torch.zeros_like(arguments["input_ids"])
        first[:, 0] = 1
        arguments = {**arguments, "global_attention_mask": first}
        with self.recording(model) as record:
            model(**arguments)
        own, shown = self.own_attentions(model, arguments), f"{name} ({type(model).__name__})"
        window = max(module.one_sided_attn_window_size for module in _modules(model))
        mask = StreamMask(kind="local", window=window, global_asks=False)
        return tuple(
            describe(kind, record.calls(kind), own[kind], len(own[kind]), shown, mask=mask if kind == LOCAL else None)
            for kind in self.kinds
            if kind in own
        )

    @contextmanager
    def recording(self, model: Any, *, keep_masks: bool = False) -> Iterator[Recording]:
        record = Recording(keep_masks)
        width = 0
        seen: dict[str, Tensor] = {}

        def begin(_model: Any, _args: Any, kwargs: Any) -> None:
            nonlocal width
            width = kwargs["input_ids"].shape[1]  # its code pads to a whole number of windows

        def keep(name: str) -> Any:
            def hook(_part: Any, _args: Any, answer: Tensor) -> None:
                seen[name] = answer.clone()  # its code divides queries in place

            return hook

        def mixed(original: Any, *args: Any, **kwargs: Any) -> Any:
            seen["band"] = kwargs["attn_probs"]
            return original(*args, **kwargs)

        def asked(original: Any, *args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            seen["whole"] = answer[1]
            return answer

        def after(module: Any, args: Any, kwargs: Any, _output: Any) -> None:
            flags = kwargs["is_index_global_attn"] if "is_index_global_attn" in kwargs else args[3]
            for stream, call in _calls(module, seen, flags[:, :width], width):
                if not keep_masks:
                    call.mask = None
                record.add(stream, call)
            seen.clear()

        def written(module: Any, args: Any, kwargs: Any, output: Any) -> None:
            query, key, value = (
                seen.pop(name).unflatten(-1, (-1, module.head_dim)).transpose(1, 2) for name in _DECODER_PARTS
            )
            mask = kwargs.get("attention_mask") if keep_masks else None
            norms = torch.linalg.vector_norm(value.float(), dim=-1)
            stream = DECODER if kwargs.get("key_value_states") is None else CROSS
            record.add(stream, Call(query, key, norms, output[1], module.scaling, mask))

        with undone() as undo:
            for module in model.modules():
                if type(module).__name__ == "LEDDecoderAttention":
                    undo += [getattr(module, name).register_forward_hook(keep(name)).remove for name in _DECODER_PARTS]
                    undo.append(module.register_forward_pre_hook(_with_weights, with_kwargs=True).remove)
                    undo.append(module.register_forward_hook(written, with_kwargs=True).remove)
            undo.append(model.register_forward_pre_hook(begin, with_kwargs=True).remove)
            for module in _modules(model):
                undo += [getattr(module, name).register_forward_hook(keep(name)).remove for name in _PARTS]
                undo.append(replaced(module, "_compute_attn_output_with_global_indices", mixed))
                undo.append(replaced(module, "_compute_global_attn_output_from_hidden", asked))
                undo.append(module.register_forward_hook(after, with_kwargs=True).remove)
            with as_it_runs(model):
                yield record

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[Tensor]]:
        with as_it_runs(model):
            found = model(**arguments, output_attentions=True)
        flags, width = arguments["global_attention_mask"] == 1, arguments["input_ids"].shape[1]
        writes = "encoder_attentions" in found
        bands, wholes = (
            (found.encoder_attentions, found.encoder_global_attentions)
            if writes
            else (found.attentions, found.global_attentions)
        )
        own = {
            LOCAL: [unbanded(weights.transpose(1, 2)[:, :width], flags) for weights in bands],
            GLOBAL: [weights.transpose(2, 3)[..., :width] for weights in wholes],
        }
        return own | ({DECODER: found.decoder_attentions, CROSS: found.cross_attentions} if writes else {})

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        n = item.lengths["tokens"]
        return [True] + [False] * (n - 1) if n else []


def _with_weights(_module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The same question, answered with the weights."""
    return args, {**kwargs, "output_attentions": True}


def dilated(config: Any) -> bool:
    """Whether windows are to leave tokens out, as in the authors' own code; transformers knows none such."""
    given = getattr(config, "attention_dilation", None)
    return any(step > 1 for step in given) if isinstance(given, list | tuple) else False


def _modules(model: Any) -> list[Any]:
    return [module for module in model.modules() if hasattr(module, "one_sided_attn_window_size")]


def _calls(module: Any, seen: Mapping[str, Tensor], flags: Tensor, width: int) -> Iterator[tuple[str, Call]]:
    """The two calls of a layer. flags: bool [B, n], which tokens are global."""
    parts = {name: _by_heads(seen[name], module.head_dim) for name in _PARTS}
    norms = {name: torch.linalg.vector_norm(parts[name].float(), dim=-1) for name in ("value", "value_global")}
    factor = module.head_dim**-0.5
    band = seen["band"][:, :width].masked_fill(flags[:, :, None, None], 0)  # filler of tokens that ask elsewhere
    apart = torch.arange(width)[:, None] - torch.arange(width)
    near = (apart.abs() <= module.one_sided_attn_window_size).to(flags.device)
    yield (
        LOCAL,
        Call(
            parts["query"][:, :, :width],
            parts["key"][:, :, :width],
            norms["value"][..., :width],
            unbanded(band, flags),
            factor,
            mask=(near | flags[:, None, :])[:, None],
        ),
    )
    yield (
        GLOBAL,
        Call(
            parts["query_global"],
            parts["key_global"][:, :, :width],
            norms["value_global"][..., :width],
            seen["whole"][..., :width],
            factor,
        ),
    )


def _by_heads(flat: Tensor, head_dim: int) -> Tensor:
    """[n, B, heads · head_dim] → [B, heads, n, head_dim]."""
    return flat.unflatten(-1, (-1, head_dim)).permute(1, 2, 0, 3)


def unbanded(band: Tensor, flags: Tensor) -> Tensor:
    """[B, heads, n, n] of weights [B, n, heads, most global keys + 2 · window + 1]. flags: bool [B, n], global tokens.

    A band's first columns are the global keys of its input, in order; the others the places from −window to +window.
    """
    batch, n, heads, _ = band.shape
    most = int(flags.sum(1).max())
    window = (band.shape[3] - most - 1) // 2
    found = torch.zeros(batch, heads, n, n + 2 * window, dtype=band.dtype, device=band.device)
    place = torch.arange(n, device=band.device)[:, None] + torch.arange(2 * window + 1, device=band.device)
    weights = band.transpose(1, 2)
    found.scatter_(3, place.expand(batch, heads, -1, -1), weights[..., most:])
    found = found[..., window : window + n].contiguous()
    for row in range(batch):
        keys = flags[row].nonzero().flatten()
        found[row, :, :, keys] += weights[row, :, :, : len(keys)]
    return found
