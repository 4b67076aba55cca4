"""The adapter for models whose attention is worked out in code of their own, past transformers' AttentionInterface.

Each way in READERS stands beside the model's code for one run: it takes queries and keys as the model dots them, and
the terms that it adds to their products, from the functions and modules that make them. Nothing is computed again that
the model computes, except a rotation that stands between two lines of one function.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from services.atlas.schema import StreamInfo
from services.capture.describe import describe
from services.capture.recorder import STREAM, Call, Recording, as_it_runs
from services.modalities.contract import ModelInput

Note = Callable[[Call], None]
Undo = Callable[[], None]
# Sees one attention module for a while: tells `note` of each call; what it returns takes it away again.
Reader = Callable[[Any, Note], Sequence[Undo]]


class OwnCodeAdapter:
    """See `services.capture.adapters.Adapter`."""

    kinds: tuple[str, ...] = (STREAM,)
    notes: tuple[str, ...] = ()

    def accepts(self, config: Any, model_class: Any) -> bool:
        return config.model_type in READERS and not _mixes_heads(config)

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        with self.recording(model, keep_masks=True) as record:
            model(**arguments)
        own = self.own_attentions(model, arguments)[STREAM]
        layers = model.config.num_hidden_layers
        return (describe(STREAM, record.calls(STREAM), own, layers, f"{name} ({type(model).__name__})"),)

    @contextmanager
    def recording(self, model: Any, *, keep_masks: bool = False) -> Iterator[Recording]:
        record = Recording(keep_masks)
        kind, read = READERS[model.config.model_type]

        def note(call: Call) -> None:
            if not keep_masks:
                call.mask = None
            record.add(STREAM, call)

        with undone() as undo:
            for module in model.modules():
                if type(module).__name__ == kind:
                    undo += read(module, note)
            with as_it_runs(model):
                yield record

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[Tensor]]:
        with as_it_runs(model):
            return {STREAM: model(**arguments, output_attentions=True).attentions or ()}

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        return None


def _mixes_heads(config: Any) -> bool:
    """Whether scores of several heads are mixed before and after the softmax (DeBERTa's talking heads)."""
    return bool(getattr(config, "talking_head", False))


# --- seeing ---------------------------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[list[Undo]]:
    """A list of what is taken back at the end, the last first, whatever happens."""
    undo: list[Undo] = []
    try:
        yield undo
    finally:
        for step in reversed(undo):
            step()


def replaced(module: Any, method: str, with_: Callable[..., Any]) -> Undo:
    """Put a function before a method of one module; `with_` takes the method and its arguments."""
    original = getattr(module, method)
    setattr(module, method, lambda *args, **kwargs: with_(original, *args, **kwargs))
    return lambda: delattr(module, method)


def _norms(values: Tensor) -> Tensor:
    return torch.linalg.vector_norm(values.float(), dim=-1)


def _by_heads(flat: Tensor, head_dim: int) -> Tensor:
    """[B, n, heads · head_dim] → [B, heads, n, head_dim]."""
    return flat.unflatten(-1, (-1, head_dim)).transpose(1, 2)


class _Watch:
    """What one module's forward pass was given and went through, by name; the first of each name counts."""

    def __init__(self, module: Any, note: Note, read: Callable[[Any, "_Watch"], Call]) -> None:
        self.seen: dict[str, Any] = {}
        self.given: Mapping[str, Any] = {}
        self.output: Any = None
        signature = inspect.signature(type(module).forward)

        def before(_module: Any, _args: Any, _kwargs: Any) -> None:
            self.seen.clear()

        def after(_module: Any, args: Any, kwargs: Any, output: Any) -> None:
            self.given, self.output = signature.bind(module, *args, **kwargs).arguments, output
            note(read(module, self))
            self.seen.clear()

        self.undo: list[Undo] = [
            module.register_forward_pre_hook(before, with_kwargs=True).remove,
            module.register_forward_hook(after, with_kwargs=True).remove,
        ]

    def answer_of(self, part: Any, name: str) -> None:
        """Keep what a part of the module answers."""

        def keep(_part: Any, _args: Any, answer: Any) -> None:
            self.seen.setdefault(name, answer)

        self.undo.append(part.register_forward_hook(keep).remove)

    def asked_of(self, part: Any, name: str) -> None:
        """Keep what a part of the module is asked with."""

        def keep(_part: Any, args: Any) -> None:
            self.seen.setdefault(name, args[0])

        self.undo.append(part.register_forward_pre_hook(keep).remove)

    def result_of(self, module: Any, method: str, name: str) -> None:
        """Keep what a method of the module returns."""

        def keep(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return self.seen.setdefault(name, original(*args, **kwargs))

        self.undo.append(replaced(module, method, keep))


# --- the architectures ----------------------------------------------------------------------------------------------


def _scored_apart(module: Any, note: Note) -> Sequence[Undo]:
    """GPT-J, CodeGen, GPT-Neo: a method `_attn` gets queries and keys, rotated where they are."""

    def attend(original: Callable[..., Any], query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None):  # type: ignore[no-untyped-def]
        output, weights = original(query, key, value, mask)
        factor = 1 / float(getattr(module, "scale_attn", 1.0))
        note(Call(query, key, _norms(value), weights, factor, _with_own_mask(module, mask, *weights.shape[-2:])))
        return output, weights

    return [replaced(module, "_attn", attend)]


def _with_own_mask(module: Any, mask: Tensor | None, queries: int, keys: int) -> Tensor | None:
    """With GPT-Neo's buffer of who sees whom, which hides more in its local layers."""
    shown = getattr(module, "bias", None)
    if not isinstance(shown, Tensor) or shown.dtype != torch.bool:
        return mask
    own = torch.zeros(1, 1, queries, keys, device=shown.device).masked_fill(
        ~shown[:, :, keys - queries : keys, :keys], torch.finfo(torch.float32).min
    )
    return own if mask is None else own + mask


def _bloom(module: Any, note: Note) -> Sequence[Undo]:
    def read(module: Any, watch: _Watch) -> Call:
        query, key, value = watch.seen["qkv"]
        alibi = watch.given["alibi"].unflatten(0, (len(query), -1))
        mask = watch.given["attention_mask"]
        return Call(query, key, _norms(value), watch.output[1], module.inv_norm_factor, mask, bias=module.beta * alibi)

    watch = _Watch(module, note, read)
    watch.result_of(module, "_reshape", "qkv")
    return watch.undo


def _falcon(module: Any, note: Note) -> Sequence[Undo]:
    def read(module: Any, watch: _Watch) -> Call:
        query, key, value = (part.transpose(1, 2) for part in watch.seen["qkv"])
        if module.new_decoder_architecture:  # its code repeats the keys that heads share
            key, value = (part[:, :: module.num_heads // module.num_kv_heads] for part in (key, value))
        alibi, mask = watch.given.get("alibi"), watch.given["attention_mask"]
        if alibi is None:
            rotate = sys.modules[type(module).__module__].apply_rotary_pos_emb  # type: ignore[attr-defined]
            query, key = rotate(query, key, *watch.given["position_embeddings"])
        else:
            alibi = alibi.view(len(query), module.num_heads, 1, -1) * module.inv_norm_factor
        return Call(query, key, _norms(value), watch.output[1], module.inv_norm_factor, mask, bias=alibi)

    watch = _Watch(module, note, read)
    watch.result_of(module, "_split_heads", "qkv")
    return watch.undo


def _mpt(module: Any, note: Note) -> Sequence[Undo]:
    def read(module: Any, watch: _Watch) -> Call:
        mixed = watch.seen["qkv"]
        if module.clip_qkv:
            mixed = mixed.clamp(-module.clip_qkv, module.clip_qkv)
        query, key, value = (_by_heads(part, module.head_dim) for part in mixed.chunk(3, dim=2))
        bias, hidden = watch.given["position_bias"], watch.given.get("attention_mask")
        n_queries, n_keys = query.shape[2], key.shape[2]
        bias = bias[:, max(0, bias.size(1) - n_queries) :, max(0, bias.size(2) - n_keys) :]
        mask = None if hidden is None else ~hidden
        return Call(query, key, _norms(value), watch.output[1], module.softmax_scale, mask, bias=bias[None])

    watch = _Watch(module, note, read)
    watch.answer_of(module.Wqkv, "qkv")
    return watch.undo


def _mpnet(module: Any, note: Note) -> Sequence[Undo]:
    def read(module: Any, watch: _Watch) -> Call:
        size = module.attention_head_size
        query, key, value = (_by_heads(watch.seen[name], size) for name in "qkv")
        mask, bias = watch.given.get("attention_mask"), watch.given.get("position_bias")
        return Call(query, key, _norms(value), watch.seen["weights"], size**-0.5, mask, bias=bias)

    watch = _Watch(module, note, read)
    for name in "qkv":
        watch.answer_of(getattr(module, name), name)
    watch.asked_of(module.dropout, "weights")
    return watch.undo


def _deberta(module: Any, note: Note) -> Sequence[Undo]:
    """Content with content is q·k; content with position, either way, is what is added."""

    def read(module: Any, watch: _Watch) -> Call:
        size = module.attention_head_size
        query, key, value = module.transpose_for_scores(watch.seen["qkv"]).chunk(3, dim=-1)
        query, value = (
            part + module.transpose_for_scores(bias[None, None, :])
            for part, bias in ((query, module.q_bias), (value, module.v_bias))
        )
        factor = (size * (1 + len(module.pos_att_type))) ** -0.5
        bias = watch.seen.get("bias")
        mask = watch.given["attention_mask"].bool()
        return Call(query, key, _norms(value), watch.seen["weights"], factor, mask, bias=_tensor(bias))

    watch = _Watch(module, note, read)
    watch.answer_of(module.in_proj, "qkv")
    watch.result_of(module, "disentangled_att_bias", "bias")
    watch.asked_of(module.dropout, "weights")
    return watch.undo


def _deberta_v2(module: Any, note: Note) -> Sequence[Undo]:
    """As DeBERTa; its projections may also be asked with position vectors, after the content."""

    def read(module: Any, watch: _Watch) -> Call:
        size = module.attention_head_size
        query, key, value = (_by_heads(watch.seen[name], size) for name in ("query", "key", "value"))
        terms = 1 + sum(kind in module.pos_att_type for kind in ("c2p", "p2c"))
        bias = _tensor(watch.seen.get("bias"))
        if bias is not None:
            bias = bias.view(-1, module.num_attention_heads, *bias.shape[-2:])
        mask = watch.given["attention_mask"].bool()
        factor = (size * terms) ** -0.5
        return Call(query, key, _norms(value), watch.seen["weights"], factor, mask, bias=bias)

    watch = _Watch(module, note, read)
    for name in ("query", "key", "value"):
        watch.answer_of(getattr(module, f"{name}_proj"), name)
    watch.result_of(module, "disentangled_attention_bias", "bias")
    watch.asked_of(module.dropout, "weights")
    return watch.undo


def _xlnet(module: Any, note: Note) -> Sequence[Undo]:
    """Queries with the bias that content is asked with; what is asked of distances and segments is added."""

    def score(  # type: ignore[no-untyped-def]
        original, q_head, k_head_h, v_head_h, k_head_r, seg_mat=None, attn_mask=None, output_attentions=False
    ):
        mixed, weights = original(q_head, k_head_h, v_head_h, k_head_r, seg_mat, attn_mask, True)
        query, key, value = (side.permute(1, 2, 0, 3) for side in (q_head + module.r_w_bias, k_head_h, v_head_h))
        bias = torch.einsum("ibnd,jbnd->bnij", q_head + module.r_r_bias, k_head_r)
        bias = module.rel_shift_bnij(bias, klen=key.shape[2])
        if seg_mat is not None:
            segment = torch.einsum("ibnd,snd->ibns", q_head + module.r_s_bias, module.seg_embed)
            bias = bias + torch.einsum("ijbs,ibns->bnij", seg_mat, segment)
        mask = None if attn_mask is None else -1e30 * attn_mask.permute(2, 3, 0, 1)
        own = weights.permute(2, 3, 0, 1)
        note(Call(query, key, _norms(value), own, module.scale, mask, bias=bias * module.scale))
        return (mixed, weights) if output_attentions else mixed

    return [replaced(module, "rel_attn_core", score)]


def _tensor(term: Any) -> Tensor | None:
    """A term of the scores; a model that adds none says 0."""
    return term if isinstance(term, Tensor) else None


# model_type → name of its attention module, and how that is read
READERS: Mapping[str, tuple[str, Reader]] = {
    "bloom": ("BloomAttention", _bloom),
    "codegen": ("CodeGenAttention", _scored_apart),
    "deberta": ("DisentangledSelfAttention", _deberta),
    "deberta-v2": ("DisentangledSelfAttention", _deberta_v2),
    "falcon": ("FalconAttention", _falcon),
    "gpt_neo": ("GPTNeoSelfAttention", _scored_apart),
    "gptj": ("GPTJAttention", _scored_apart),
    "mpnet": ("MPNetSelfAttention", _mpnet),
    "mpt": ("MptAttention", _mpt),
    "xlnet": ("XLNetRelativeAttention", _xlnet),
}
