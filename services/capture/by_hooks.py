"""A second look at a model's attention that shares nothing with the recorder: hooks on its query and key projections.

What the projections answer is made into attention here the naive way, by the formula of the architecture as its authors
state it (softmax(q·k·factor + what it adds)), and held against the model's own weights and against our capture. Layers
have the numbers that the model's modules have in their paths. Keys to which the model itself gives weight 0 count as
hidden; that they are hidden where the stream's mask says so is another check of the capture.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from services.atlas.schema import StreamInfo
from services.capture.adapters import of_stream, own_attentions
from services.capture.recorder import as_it_runs
from services.capture.run import InputCapture, capture
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel

TOLERANCE = 1e-4  # of a weight, and of a product q·k·factor beside the largest of its layer

_APART = (("q_proj", "k_proj"), ("query", "key"), ("q_lin", "k_lin"), ("q", "k"), ("Wq", "Wk"))
_TOGETHER = ("c_attn", "Wqkv", "query_key_value", "qkv_proj")
_NORMS = (("q_norm", "k_norm"), ("q_layernorm", "k_layernorm"), ("query_norm", "key_norm"))
_TABLE = "relative_attention_bias"  # of biases by distance
_NUMBER = re.compile(r"\.(\d+)\.")
_NEIGHBOURS = ("cohere", "cohere2", "glm", "glm4")  # rotate numbers 2i and 2i + 1 together, not i and i + d/2
_FACTORS = {"t5": 1.0, "mt5": 1.0, "umt5": 1.0, "gpt_neo": 1.0}
# Whose formula is known here, so that another result is a fault; of others it may be that the formula lacks something.
KNOWN = frozenset((
    "albert", "bamba", "bart", "bert", "biogpt", "blenderbot", "bloom", "clip_text_model", "cohere", "ctrl",
    "distilbert", "electra", "ernie", "esm", "eurobert", "falcon_h1", "gemma", "gemma2", "gemma3_text", "glm4",
    "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "granite", "granitemoehybrid", "jamba", "lfm2",
    "lfm2_moe", "llama", "m2m_100", "marian", "mbart", "mistral", "mixtral", "modernbert", "mpnet", "mt5",
    "nemotron_h", "nomic_bert", "olmo2", "olmo_hybrid", "opt", "pegasus", "phi", "phi3", "plbart", "qwen2", "qwen3",
    "qwen3_5_text", "qwen3_next", "roberta", "smollm3", "stablelm", "starcoder2", "t5", "umt5", "xmod",
))  # fmt: skip
# Whose scores hold more than what hooks on projections give, or whose vectors go through more on the way.
_UNSEEN = {
    "codegen": "its queries, keys and values are mixed in one projection and rotated in the middle of its code",
    "deberta": "its scores hold terms of content with position",
    "deberta-v2": "its scores hold terms of content with position",
    "deepseek_v2": "its keys are made of latents in several steps",
    "deepseek_v3": "its keys are made of latents in several steps",
    "falcon": "its projection mixes queries, keys and values by groups",
    "gptj": "its queries and keys are rotated in the middle of its code",
    "led": "its windows are cut in the middle of its code",
    "longformer": "its windows are cut in the middle of its code",
    "mpt": "its scores hold a penalty that is made in the middle of its code",
    "xlnet": "its scores hold terms of distance and of segment",
}


@dataclass(frozen=True)
class LayerCheck:
    """Largest differences of one layer, over inputs and heads, between attention by hooks and …

    model: the model's own weights · captured: the weights that we capture
    products: of q·k·factor by hooks and by our capture, as a share of the layer's largest (or of 1)
    """

    layer: int
    model: float
    captured: float
    products: float

    @property
    def largest(self) -> float:
        return max(self.model, self.captured, self.products)


@dataclass(frozen=True)
class StreamCheck:
    """unchecked: why hooks cannot see the stream; it then has no layers."""

    stream: str
    layers: tuple[LayerCheck, ...] = ()
    unchecked: str = ""

    @property
    def failed(self) -> list[int]:
        return [one.layer for one in self.layers if one.largest > TOLERANCE]


@dataclass
class _Seen:
    """What one attention module went through in one run."""

    path: str
    module: Any
    parts: dict[str, Tensor] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)  # inputs of the projections
    rotation: tuple[Tensor, Tensor] | None = None


def check_by_hooks(loaded: LoadedModel, inputs: Sequence[ModelInput]) -> list[StreamCheck]:
    """Every stream of a model on some inputs, which are captured in batches and looked at one by one.

    Raises: ModelError, CaptureError as `capture`.
    """
    kind = loaded.model.config.model_type
    if kind in _UNSEEN:
        return [StreamCheck(stream.name, unchecked=_UNSEEN[kind]) for stream in loaded.streams]
    found: dict[str, dict[int, list[LayerCheck]]] = {stream.name: {} for stream in loaded.streams}
    reasons: dict[str, str] = {}
    captures: dict[int, list[InputCapture]] = {}
    for captured in capture(loaded, inputs):
        captures.setdefault(captured.index, []).append(captured)
    for index, item in enumerate(inputs):
        if not captures[index]:
            continue
        arguments = modality_named(loaded.modality).arguments(loaded, [item])
        seen = _watched(loaded.model, arguments)
        own = own_attentions(loaded.model, arguments)
        for captured in captures[index]:
            stream = next(one for one in loaded.streams if one.name == captured.stream)
            if stream.name in reasons:
                continue
            try:
                for one in _compared(loaded, stream, seen, captured, of_stream(stream, loaded.streams, own)):
                    found[stream.name].setdefault(one.layer, []).append(one)
            except _UnseenError as reason:
                reasons[stream.name] = str(reason)
    return [_of_stream(stream.name, kind, found[stream.name], reasons.get(stream.name)) for stream in loaded.streams]


def _of_stream(name: str, kind: str, layers: Mapping[int, list[LayerCheck]], reason: str | None) -> StreamCheck:
    if reason:
        return StreamCheck(name, unchecked=reason)
    found = tuple(
        LayerCheck(layer, *(max(getattr(one, what) for one in some) for what in ("model", "captured", "products")))
        for layer, some in sorted(layers.items())
    )
    worst = max((one.model for one in found), default=0.0)
    if worst > TOLERANCE and kind not in KNOWN:
        return StreamCheck(
            name,
            unchecked="queries and keys go through more between projections and product than is known here of"
            f" {kind} (attention made of them is {worst:.2g} off the model's own)",
        )
    return StreamCheck(name, found)


class _UnseenError(Exception):
    """Why a stream cannot be checked, as the end of a sentence."""


# --- what the hooks see ---------------------------------------------------------------------------------------------


def _watched(model: Any, arguments: Mapping[str, Any]) -> list[_Seen]:
    """What each attention module went through in one run of a model, in the order in which they ran."""
    runs: list[_Seen] = []
    hooks: list[Any] = []
    shared: dict[str, Tensor] = {}

    def begins(path: str, module: Any, args: Any, kwargs: Any) -> None:
        given = inspect.signature(type(module).forward).bind(module, *args, **kwargs).arguments
        given |= given.get("kwargs", {})
        runs.append(_Seen(path, module, rotation=given.get("position_embeddings")))
        if shared:  # of a table of distances above the layers
            runs[-1].parts |= shared

    def note(name: str, _part: Any, args: Any, answer: Any) -> None:
        if not runs:
            shared[name] = answer
        else:
            runs[-1].parts[name] = answer.clone() if isinstance(answer, Tensor) else answer  # some divide in place
            runs[-1].asked.setdefault(name, args[0] if args else None)

    try:
        for path, module in model.named_modules():
            names = _projections(module)
            if not names:
                if path.endswith(f"encoder.{_TABLE}"):
                    hooks.append(module.register_forward_hook(partial(note, _TABLE)))
                continue
            hooks.append(module.register_forward_pre_hook(partial(begins, path), with_kwargs=True))
            for name in (*names, *_others(module)):
                hooks.append(getattr(module, name).register_forward_hook(partial(note, name)))
        with as_it_runs(model):
            model(**arguments)
    finally:
        for hook in hooks:
            hook.remove()
    return [one for one in runs if one.asked]


def _projections(module: Any) -> tuple[str, ...]:
    """Names of a module's projections of queries and keys; none where it is no attention module."""
    parts = dict(module.named_children())
    for pair in _APART:
        if all(name in parts and hasattr(parts[name], "weight") for name in pair):
            return pair
    return next(((name,) for name in _TOGETHER if name in parts and hasattr(parts[name], "weight")), ())


def _others(module: Any) -> list[str]:
    """Names of what queries and keys may go through next, and of what makes a bias."""
    parts = dict(module.named_children())
    wanted = [name for pair in _NORMS for name in pair] + [_TABLE]
    return [name for name in wanted if name in parts]


# --- attention the naive way ----------------------------------------------------------------------------------------


def _compared(
    loaded: LoadedModel,
    stream: StreamInfo,
    seen: Sequence[_Seen],
    captured: InputCapture,
    own: Sequence[Tensor],
) -> Iterator[LayerCheck]:
    config = loaded.model.config
    mine = [one for one in seen if _kind(one, loaded.streams) == stream.kind]
    numbers = _numbers(mine)
    if stream.layer_numbers:  # of several streams of one kind each has its own layers
        mine = [one for number, one in zip(numbers, mine, strict=True) if number in stream.layer_numbers]
        numbers = [number for number in numbers if number in stream.layer_numbers]
    if len(mine) != stream.layers:
        raise _UnseenError(f"hooks found projections of queries and keys in {len(mine)} layers of {stream.layers}")
    bias: Tensor | None = None
    for row, (layer, one) in enumerate(zip(numbers, mine, strict=True)):
        weights = own[row][0].double().cpu()
        n_queries, n_keys = weights.shape[1:]
        if min(n_queries, n_keys) == 0:
            continue
        queries, keys = _vectors(config, stream, one, n_queries, n_keys)
        factor = _factor(config, one.module, stream.head_dim, layer)
        products = queries @ keys.repeat_interleave(stream.group, 0).transpose(1, 2) * factor
        bias = _bias(one, bias)
        visible = weights > 0
        hooked = _softmax(config, one.module, products, bias, visible)
        ours = torch.from_numpy(captured.queries[row]).double() @ torch.from_numpy(
            np.repeat(captured.keys[row], stream.group, 0)
        ).double().transpose(1, 2)
        kept = captured.attention
        if kept is None or kept.ndim != 4:
            raise _UnseenError("its weights are kept for the pairs within windows alone")
        yield LayerCheck(
            layer,
            _number((hooked - weights).abs().max()),
            _number((hooked - torch.from_numpy(kept[row]).double()).abs().max()),
            _apart(products, ours * stream.scaling[row], visible),
        )


def _kind(one: _Seen, streams: Sequence[StreamInfo]) -> str:
    """The kind of attention that a module makes, by its place and by what its projections are asked with."""
    kinds = {stream.kind for stream in streams}
    if len(kinds) == 1:
        return kinds.pop()
    if one.path.split(".")[0] == "encoder" or ".encoder." in one.path.split(".layers.")[0]:
        return "encoder"
    asked = list(one.asked.values())
    across = len(asked) > 1 and asked[0] is not asked[1] and asked[0].data_ptr() != asked[1].data_ptr()
    return "cross" if across else "decoder"


def _numbers(seen: Sequence[_Seen]) -> list[int]:
    """Layer numbers as the paths of the modules say; the order of the runs where one module serves several layers."""
    if len({one.path for one in seen}) < len(seen):
        return list(range(len(seen)))
    found = [_NUMBER.findall(f"{one.path}.") for one in seen]
    if not all(found):
        raise _UnseenError("the paths of its modules hold no layer numbers")
    return [int(numbers[0]) for numbers in found]


def _vectors(config: Any, stream: StreamInfo, one: _Seen, n_queries: int, n_keys: int) -> tuple[Tensor, Tensor]:
    """Queries [heads, n_q, d] and keys [key_heads, n_k, d] of one module, float64."""
    names = _projections(one.module)
    sizes = (stream.heads, n_queries), (stream.key_heads, n_keys)
    if len(names) == 1:
        pair: Sequence[Tensor] = _split(config, names[0], one.parts[names[0]], stream)
    else:
        norms = next((pair for pair in _NORMS if all(name in one.parts for name in pair)), names)
        pair = [one.parts[name] for name in norms]
    found = [_by_heads(part, *size, stream.head_dim) for part, size in zip(pair, sizes, strict=True)]
    if one.rotation is not None and getattr(one.module, "use_rope", True):
        cos, sin = (part[0].double().cpu() for part in one.rotation)
        found = [_rotated(part, cos, sin, config.model_type) for part in found]
    return found[0], found[1]


def _split(config: Any, name: str, mixed: Tensor, stream: StreamInfo) -> tuple[Tensor, Tensor]:
    """Queries and keys out of one projection: side by side, or head by head."""
    if name == "query_key_value":  # GPT-NeoX, BLOOM: of each head its query, key and value
        apart = mixed.unflatten(-1, (stream.heads, 3, stream.head_dim))
        return apart[..., 0, :].flatten(-2), apart[..., 1, :].flatten(-2)
    wide = stream.heads * stream.head_dim
    return mixed[..., :wide], mixed[..., wide : wide + stream.key_heads * stream.head_dim]


def _by_heads(part: Tensor, heads: int, n: int, head_dim: int) -> Tensor:
    """[1, n, heads · d], [1, n, heads, d] or [1, heads, n, d] → [heads, n, d], float64."""
    part = part.double().cpu()
    if part.ndim == 4 and part.shape[0] == 1:
        part = part[0]
    elif part.ndim == 3 and part.shape[0] == 1 and part.numel() == heads * n * head_dim:
        part = part[0].unflatten(-1, (heads, head_dim))
    else:
        raise _UnseenError(f"its projections answer in a shape that is not known here ({tuple(part.shape)})")
    if part.shape == (n, heads, head_dim) and n != heads:
        return part.transpose(0, 1)
    if part.shape == (heads, n, head_dim) and n != heads:
        return part
    raise _UnseenError("an input has as many tokens as there are heads, which leaves their order open")


def _rotated(vectors: Tensor, cos: Tensor, sin: Tensor, kind: str) -> Tensor:
    """Su et al. 2021: pairs of numbers turned by an angle that grows with the position; the rest stays."""
    if kind == "gpt_oss":  # one angle a pair
        cos, sin = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    wide = cos.shape[-1]
    turned, rest = vectors[..., :wide], vectors[..., wide:]
    if kind in _NEIGHBOURS:
        cos, sin = (part[..., : wide // 2] if kind.startswith("glm") else part[..., ::2] for part in (cos, sin))
        first, second = turned[..., ::2], turned[..., 1::2]
        both = torch.stack([first * cos - second * sin, second * cos + first * sin], -1).flatten(-2)
    else:
        first, second = turned.chunk(2, -1)
        both = turned * cos + torch.cat([-second, first], -1) * sin
    return torch.cat([both, rest], -1)


def _factor(config: Any, module: Any, head_dim: int, layer: int) -> float:
    """1/√d unless the architecture says otherwise."""
    kind = config.model_type
    if kind in _FACTORS:
        return _FACTORS[kind]
    if kind.startswith("granite"):
        return float(config.attention_multiplier)
    if getattr(config, "query_pre_attn_scalar", None):
        return float(config.query_pre_attn_scalar) ** -0.5
    inverse = kind == "gpt2" and config.scale_attn_by_inverse_layer_idx
    return head_dim**-0.5 / (layer + 1 if inverse else 1)


def _bias(one: _Seen, before: Tensor | None) -> Tensor | None:
    """T5's bias by distance, [heads, n_q, n_k]: of the layer that has a table, and of those after it that have none."""
    table = one.parts.get(_TABLE)
    if table is None:
        return before
    return table.double().cpu().permute(2, 0, 1)


def _softmax(config: Any, module: Any, products: Tensor, bias: Tensor | None, visible: Tensor) -> Tensor:
    scores = products
    cap = getattr(config, "attn_logit_softcapping", None)
    if cap:
        scores = torch.tanh(scores / cap) * cap
    if config.model_type == "bloom":
        scores = scores + _alibi(*scores.shape)
    if bias is not None and bias.shape == scores.shape:
        scores = scores + bias
    scores = scores.masked_fill(~visible, -torch.inf)
    sinks = getattr(module, "sinks", None)
    if isinstance(sinks, Tensor):
        scores = torch.cat([scores, sinks.detach().double().cpu()[:, None, None].expand(-1, scores.shape[1], 1)], -1)
        return scores.softmax(-1)[..., :-1].nan_to_num()
    return scores.softmax(-1).nan_to_num()  # a query that sees nothing: 0


def _alibi(heads: int, n_queries: int, n_keys: int) -> Tensor:
    """Press et al. 2022: slopes 2^(−8i/heads) for i = 1 … heads (a power of two), times the distance."""
    if heads & (heads - 1):
        raise _UnseenError("its number of heads is no power of two, for which slopes are made otherwise")
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads)
    return slopes[:, None, None] * (torch.arange(n_keys) - torch.arange(n_queries)[:, None])


def _apart(products: Tensor, ours: Tensor, visible: Tensor) -> float:
    """Largest difference of products over the pairs that are visible, as a share of the largest product."""
    difference = (products - ours).abs().masked_fill(~visible, 0).max()
    return _number(difference / products.abs().masked_fill(~visible, 0).max().clamp(min=1.0))


def _number(value: Tensor) -> float:
    return float(value) if torch.isfinite(value) else float("inf")  # NaN compares as nothing
