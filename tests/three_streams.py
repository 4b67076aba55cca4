"""A model of three streams whose attention is known, its adapter, and an atlas of it, built as any other is.

    python -m tests.three_streams HOME     build HOME/atlases/three

`self` is causal with a sliding window, two heads on one key head; `local` sees a window on either side and a global
token, worked out in bands as Longformer does; `cross` asks with the tokens of one text and answers with those of
another. Every layer runs all three. The model is registered with transformers, its adapter in ADAPTERS.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from services.atlas.schema import StreamInfo
from services.capture import adapters
from services.capture.describe import describe
from services.capture.recorder import Call, Recording
from services.modalities.contract import ModelInput
from services.streams import StreamMask

LAYERS, HEADS, HEAD_DIM = 2, 4, 8
SELF_WINDOW, LOCAL_WINDOW = 4, 2
MASKS = {
    "self": StreamMask(kind="sliding", window=SELF_WINDOW),
    "local": StreamMask(kind="local", window=LOCAL_WINDOW),
    "cross": StreamMask(kind="cross"),
}
KEY_HEADS = {"self": 2, "local": HEADS, "cross": HEADS}
TEXTS = (
    ("the cat sat on the mat because it was tired.", "a dog sat"),
    ("the dog, the cat and the mat sat: the cat sat on the mat.", "it was the cat, because the dog sat on the mat"),
    ("a cat.", "the mat was tired, a cat sat on it."),
    ("because it was tired the dog sat on the mat", "the dog was tired"),
    ("it was a cat", "it was it"),
    ("the mat, the cat, the dog and the mat: a cat, a dog.", "cat, dog, mat."),
    ("was it the dog because the dog was tired, the cat sat", "was it the cat"),
    ("on the mat the tired cat sat because it was a cat.", "on a mat, a cat sat: the cat."),
)


class ThreeStreamsConfig(PretrainedConfig):
    model_type = "three_streams"

    def __init__(self, vocab_size: int = 100, **more: Any) -> None:
        self.vocab_size = vocab_size
        self.num_hidden_layers = LAYERS
        self.max_position_embeddings = 64
        more["is_encoder_decoder"] = True
        super().__init__(**more)


class Attention(nn.Module):
    """Queries of one text over keys of another or the same; what it worked with is left in `seen`."""

    def __init__(self, stream: str) -> None:
        super().__init__()
        width = HEADS * HEAD_DIM
        self.stream = stream
        self.query, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.key, self.value = (nn.Linear(width, KEY_HEADS[stream] * HEAD_DIM) for _ in range(2))

    def forward(self, queries: Tensor, keys: Tensor, *masks: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """queries [B, n_q, width] → output and {"q", "k", "v", …}: [B, heads, n, head_dim] each, and the weights."""
        q, k, v = (
            part(of).unflatten(2, (-1, HEAD_DIM)).transpose(1, 2)
            for part, of in ((self.query, queries), (self.key, keys), (self.value, keys))
        )
        wide_k, wide_v = (side.repeat_interleave(HEADS // KEY_HEADS[self.stream], dim=1) for side in (k, v))
        mixed, weights = self.attend(q * HEAD_DIM**-0.5, wide_k, wide_v, *masks)
        return self.output(mixed.transpose(1, 2).flatten(2)), {"q": q, "k": k, "v": v, **weights}

    def attend(self, q: Tensor, k: Tensor, v: Tensor, hidden: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """hidden: bool [B, n_q, n_k]."""
        weights = (q @ k.transpose(2, 3)).masked_fill(hidden[:, None], -torch.inf).softmax(-1).nan_to_num(0)
        return weights @ v, {"weights": weights}


class LocalAttention(Attention):
    """In bands: each token looks at 2·window + 1 places around it and at the global token; the global token at all."""

    def attend(  # type: ignore[override]
        self, q: Tensor, k: Tensor, v: Tensor, padding: Tensor, is_global: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """padding, is_global: bool [B, n]; one global token an input."""
        n, width = q.shape[2], 2 * LOCAL_WINDOW + 1
        place = torch.arange(n)[:, None] + torch.arange(-LOCAL_WINDOW, LOCAL_WINDOW + 1)
        outside, place = (place < 0) | (place >= n), place.clamp(0, n - 1)
        first = is_global.int().argmax(1)
        rows = torch.arange(len(q))
        near = (q[:, :, :, None] * k[:, :, place]).sum(-1)  # [B, heads, n, width]
        gone = outside | padding[:, place] | is_global[:, place]  # the global key has a place of its own
        far = (q @ k[rows, :, first].unsqueeze(3)).masked_fill(padding[rows, first][:, None, None, None], -torch.inf)
        band = torch.cat([near.masked_fill(gone[:, None], -torch.inf), far], 3).softmax(-1).nan_to_num(0)
        mixed = (band[..., :width, None] * v[:, :, place]).sum(3) + band[..., width:] * v[rows, :, first].unsqueeze(2)
        asked = q[rows, :, first].unsqueeze(2) @ k.transpose(2, 3)  # what the global token asks of all
        whole = asked.masked_fill(padding[:, None, None], -torch.inf).softmax(-1)
        chosen = is_global[:, None, :, None]
        return torch.where(chosen, whole @ v, mixed), {
            "band": band,
            "place": place,
            "whole": whole,
            "global": is_global,
        }


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own, self.local, self.cross = Attention("self"), LocalAttention("local"), Attention("cross")


class ThreeStreamsModel(PreTrainedModel):
    config_class = ThreeStreamsConfig
    main_input_name = "input_ids"

    def __init__(self, config: ThreeStreamsConfig) -> None:
        super().__init__(config)
        width = HEADS * HEAD_DIM
        self.tokens, self.places = nn.Embedding(config.vocab_size, width), nn.Embedding(64, width)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.tokens

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        decoder_input_ids: Tensor,
        decoder_attention_mask: Tensor,
        global_attention_mask: Tensor | None = None,
    ) -> Tensor:
        read, written = (
            self.tokens(ids) + self.places(torch.arange(ids.shape[1])) for ids in (input_ids, decoder_input_ids)
        )
        padding = attention_mask == 0
        is_global = torch.zeros_like(padding) if global_attention_mask is None else global_attention_mask == 1
        if not is_global.any():
            is_global[:, 0] = True
        apart = torch.arange(input_ids.shape[1])[:, None] - torch.arange(input_ids.shape[1])
        window = (apart < 0) | (apart >= SELF_WINDOW) | padding[:, None]
        across = padding[:, None].expand(-1, decoder_input_ids.shape[1], -1)
        for layer in self.layers:
            read = read + layer.own(read, read, window)[0]
            read = read + layer.local(read, read, padding, is_global)[0]
            written = written + layer.cross(written, read, across)[0]
        return written


def dense(seen: Mapping[str, Tensor]) -> Tensor:
    """The weights [B, heads, n_q, n_k] of a layer, whatever it worked in."""
    if "weights" in seen:
        return seen["weights"]
    band, place, width = seen["band"], seen["place"], 2 * LOCAL_WINDOW + 1
    batch, heads, n, _ = band.shape
    found = torch.zeros(batch, heads, n, n)
    found.scatter_add_(3, place.expand(batch, heads, n, width), band[..., :width])
    first = seen["global"].int().argmax(1)
    for row in range(batch):
        found[row, :, :, first[row]] += band[row, :, :, width]
        found[row, :, first[row]] = seen["whole"][row, :, 0]
    return found


class ThreeStreamsAdapter:
    """See `services.capture.adapters.Adapter`: hooks on the attention modules."""

    kinds: tuple[str, ...] = tuple(MASKS)
    notes: tuple[str, ...] = ()

    def accepts(self, config: Any, model_class: Any) -> bool:
        return config.model_type == ThreeStreamsConfig.model_type

    def describe(self, model: Any, arguments: Mapping[str, Any], item: ModelInput, name: str) -> tuple[StreamInfo, ...]:
        with self.recording(model) as record:
            model(**arguments)
        own = self.own_attentions(model, arguments)
        return tuple(
            describe(kind, record.calls(kind), own[kind], LAYERS, name, mask=mask) for kind, mask in MASKS.items()
        )

    @contextmanager
    def recording(self, model: Any, *, keep_masks: bool = False) -> Iterator[Recording]:
        record = Recording(keep_masks)

        def note(module: Attention, _arguments: Any, answer: tuple[Tensor, dict[str, Tensor]]) -> None:
            seen = answer[1]
            norms = torch.linalg.vector_norm(seen["v"], dim=-1)
            record.add(module.stream, Call(seen["q"], seen["k"], norms, dense(seen), HEAD_DIM**-0.5))

        hooks = [one.register_forward_hook(note) for one in model.modules() if isinstance(one, Attention)]
        try:
            with torch.inference_mode():
                yield record
        finally:
            for hook in hooks:
                hook.remove()

    def own_attentions(self, model: Any, arguments: Mapping[str, Any]) -> Mapping[str, Sequence[Tensor]]:
        """From what each module returns, without the recorder."""
        found: dict[str, list[Tensor]] = {kind: [] for kind in MASKS}
        parts = [one for one in model.modules() if isinstance(one, Attention)]
        hooks = [
            one.register_forward_hook(lambda one, _, answer: found[one.stream].append(dense(answer[1])))
            for one in parts
        ]
        try:
            with torch.inference_mode():
                model(**arguments)
        finally:
            for hook in hooks:
                hook.remove()
        return found

    def global_tokens(self, model: Any, item: ModelInput) -> Sequence[bool] | None:
        """The first token of each input."""
        return [True] + [False] * (item.lengths["tokens"] - 1)


def register() -> None:
    """Make the model and its adapter known in this process."""
    AutoConfig.register(ThreeStreamsConfig.model_type, ThreeStreamsConfig, exist_ok=True)
    AutoModel.register(ThreeStreamsConfig, ThreeStreamsModel, exist_ok=True)
    adapters.ADAPTERS = (*adapters.ADAPTERS, ThreeStreamsAdapter())


def save(folder: Path) -> Path:
    """The model with seeded weights, and a tokenizer."""
    from tests.unit.tiny_models import make_tokenizer

    tokenizer = make_tokenizer("wordpiece")
    torch.manual_seed(11)
    model = ThreeStreamsModel(ThreeStreamsConfig(vocab_size=len(tokenizer)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def build_home(home: Path) -> Path:
    """An atlas of the model with every map, below `home`; its model lies beside it."""
    import csv

    from services.pipeline.build import build
    from services.pipeline.progress import Progress
    from services.pipeline.request import BuildRequest

    register()
    model = save(home / "model")
    corpus = home / "pairs.csv"
    with corpus.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "target"), *TEXTS])
    request = BuildRequest(model=str(model), corpus=str(corpus), column="text", title="Three streams", pos="none")
    return build(request, home / "atlases" / "three", Progress("three", bar=False))


if __name__ == "__main__":
    build_home(Path(sys.argv[1]))
