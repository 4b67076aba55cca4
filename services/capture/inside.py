"""One attention layer of a running model from the inside: what its projections gave, found by what they computed.

Names of projections differ from architecture to architecture; what they compute does not. The projection of queries is
the linear layer, run since the attention layer before, of whose answer each head's part is as long as the head's query:
a rotation leaves lengths as they are. The output projection is the one that is asked with the layer's answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from services.capture.own_code import undone
from services.capture.recorder import Given

_SAME = 1e-4  # of the largest length, within which two are one
_RECENT = 12  # linear layers that are remembered while the attention layer is awaited


@dataclass(frozen=True)
class Projected:
    """One side before what stands between projection and product. vectors: [heads, n, d]; weight: [heads, d, width]."""

    vectors: Tensor
    weight: Tensor
    turned: bool


@dataclass
class Inside:
    """A hand (services.capture.recorder) that looks at one layer of one stream; the first input of the batch counts.

    value: [key_heads, n_k, d] · output: [n_q, heads, d], what its heads answer before the output projection
    queries, keys: None where what stands between projection and product changes lengths, as norms by head do
    out: weight of the output projection [width, heads · d]; None where none was found
    """

    stream: str
    layer: int
    value: Tensor | None = None
    output: Tensor | None = None
    queries: Projected | None = None
    keys: Projected | None = None
    out: Tensor | None = None
    _asked: list[tuple[Any, Tensor]] = field(default_factory=list)

    def before(self, stream: str, layer: int, given: Given) -> Tensor | None:
        if (stream, layer) == (self.stream, self.layer):
            self.value = given.value[0].detach().clone()
            self.queries = self._projection(given.query[0])
            self.keys = self._projection(given.key[0])
        return given.mask

    def after(self, stream: str, layer: int, given: Given, output: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        if (stream, layer) == (self.stream, self.layer):
            self.output = output[0].detach().clone()
        self._asked.clear()
        return output, weights

    @contextmanager
    def looking(self, model: Any) -> Iterator[None]:
        """Sees the linear layers of a model inside the block."""

        def ran(module: Any, args: Any, answer: Tensor) -> None:
            if self.output is not None and self.out is None:
                self.out = self._answers(module, args[0])
            elif self.output is None:
                self._asked.append((module, answer.detach()))
                del self._asked[:-_RECENT]

        with undone() as undo:
            for module in model.modules():
                if isinstance(module, torch.nn.Linear | Conv1D):
                    undo.append(module.register_forward_hook(ran).remove)
            yield

    def _answers(self, module: Any, asked: Tensor) -> Tensor | None:
        """The output projection's weight, if this is it."""
        assert self.output is not None
        flat = self.output.flatten(1)
        given = asked.reshape(-1, asked.shape[-1])
        same = given.shape[1] == flat.shape[1] and given.shape[0] >= flat.shape[0]
        if not same or not torch.allclose(given[: len(flat)], flat, atol=1e-6, rtol=1e-5):
            return None
        return _weight(module)

    def _projection(self, vectors: Tensor) -> Projected | None:
        """The linear layer whose answer became these vectors [heads, n, d]."""
        heads, n, dim = vectors.shape
        lengths = torch.linalg.vector_norm(vectors.float(), dim=-1)
        for module, answer in reversed(self._asked):
            flat = answer.reshape(-1, answer.shape[-1])
            if flat.shape[0] < n:
                continue
            for rows in _layouts(flat.shape[1], heads, dim):
                found = flat[:n][:, rows].reshape(n, heads, dim).transpose(0, 1)
                apart = (torch.linalg.vector_norm(found.float(), dim=-1) - lengths).abs().max()
                if apart <= _SAME * lengths.max():
                    turned = not torch.allclose(found, vectors, atol=float(_SAME * vectors.abs().max()))
                    return Projected(found.clone(), _weight(module)[rows].reshape(heads, dim, -1), turned)
        return None


def _layouts(width: int, heads: int, dim: int) -> Iterator[Tensor]:
    """Which numbers of a projection's answer may be those of some heads, head by head: int64 [heads · dim]."""
    size = heads * dim
    for start in range(0, width - size + 1, dim):  # queries, keys, values one after the other
        yield torch.arange(start, start + size)
    if width == 3 * size:  # the three of each head together
        places = torch.arange(width).reshape(heads, 3, dim)
        for number in range(3):
            yield places[:, number].reshape(-1)


def _weight(module: Any) -> Tensor:
    """[out, in]"""
    weight = module.weight.detach()
    return weight.T if isinstance(module, Conv1D) else weight


def read_by(out: Tensor, value: Tensor, head: int, group: int) -> Tensor:
    """[n_k, width]: W_O v of each key for one head, before weighting (Kobayashi et al. 2020, f(x))."""
    dim = value.shape[-1]
    return value[head // group] @ out[:, head * dim : (head + 1) * dim].T


def moved(weights: Tensor, out: Tensor, value: Tensor, head: int, group: int) -> Tensor:
    """[n_k]: ‖α W_O v‖ of each key, for the weights [n_k] of one query (Kobayashi et al. 2020, eq. 3)."""
    return weights * torch.linalg.vector_norm(read_by(out, value, head, group).float(), dim=-1)


def terms_apart(module: Any, undo: list[Any], seen: dict[str, Tensor]) -> Sequence[str]:
    """Have DeBERTa's attention module tell the terms that it adds one by one in `seen`; their names, none for others.

    Its own method is asked once more for each term alone; what it then leaves out is the other one.
    """
    method = next((m for m in ("disentangled_attention_bias", "disentangled_att_bias") if hasattr(module, m)), None)
    if method is None:
        return ()
    kinds = [kind for kind in ("c2p", "p2c") if kind in module.pos_att_type]
    original, own = getattr(module, method), getattr(type(module), method)

    def apart(*args: Any, **kwargs: Any) -> Any:
        whole = original(*args, **kwargs)
        known = module.pos_att_type
        try:
            for kind in kinds:
                module.pos_att_type = [kind]
                seen.setdefault(kind, own(module, *args, **kwargs))
        finally:
            module.pos_att_type = known
        return whole

    setattr(module, method, apart)
    undo.append(lambda: setattr(module, method, original))  # who watches the method as well takes itself away
    return kinds
