"""Queries and keys of rotary models before they are turned: their content, without place.

A rotary model turns each query and key by an angle that grows with its position (Su et al. 2021, RoFormer), in a
function that all of transformers' rotary architectures call by one name. What that function was given is noted beside
what it answered, and is believed where its answer is, number by number, what the attention layer then dots.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from services.atlas.schema import StreamInfo
from services.errors import ModelError
from services.streams.registry import CONTENT, SELF

_ROTATION = "apply_rotary_pos_emb"  # and names that begin with it
_STRETCH = 1e-5  # beyond which lengths were changed, as YaRN's factor does, and not rounded


@dataclass
class Rotations:
    """What was turned since the attention layer before: (given, answered) of queries, then of keys."""

    _watched: list[dict[str, Any]] = field(default_factory=list)
    _seen: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None] = field(default_factory=list)

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        """Notes the rotations of a model inside the block; afterwards its code is as it was."""
        undo: list[tuple[dict[str, Any], str, Callable[..., Any]]] = []
        for names in {id(one): one for one in map(_globals, model.modules())}.values():
            own = [name for name, one in names.items() if name.startswith(_ROTATION) and inspect.isfunction(one)]
            if own:
                self._watched.append(names)
            for name in own:
                undo.append((names, name, names[name]))
                names[name] = self._noting(names[name])
        try:
            yield
        finally:
            for names, name, original in undo:
                names[name] = original

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def rotate(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            pairs = list(zip(args[:2], answer, strict=False)) if isinstance(answer, tuple) else []
            known = len(pairs) == 2 and all(one.shape == other.shape for one, other in pairs)
            self._seen.append((pairs[0], pairs[1]) if known else None)
            return answer

        return rotate

    def before(self, module: Any, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor] | None:
        """An attention layer's queries and keys before they were turned; None where that was not seen.

        A layer that turns nothing, though its code could, has them as they are (SmolLM3's every fourth).
        """
        seen, self._seen = self._seen, []
        if not seen:
            return (queries, keys) if any(_globals(module) is names for names in self._watched) else None
        if len(seen) > 1 or seen[0] is None:
            return None
        query, key = (_put_back(whole, *pair) for whole, pair in zip((queries, keys), seen[0], strict=True))
        return None if query is None or key is None else (query, key)


def _globals(module: Any) -> dict[str, Any]:
    """What the code of a module knows by name."""
    return getattr(inspect.unwrap(type(module).forward), "__globals__", {})


def _put_back(whole: Tensor, given: Tensor, answered: Tensor) -> Tensor | None:
    """Vectors [B, heads, n, d] with what was given in place of what was answered, all of them or one end.

    As long as before: the factor by which some models stretch what they turn is no matter of place.
    """
    size = answered.shape[-1]
    for part in (slice(0, size), slice(whole.shape[-1] - size, None)):
        mine = whole[..., part]
        if mine.shape[:1] == answered.shape[:1] and _broadcasts(answered, mine) and bool((mine == answered).all()):
            factor = float(answered.float().norm() / given.float().norm().clamp_min(1e-30))
            found = whole.clone()
            found[..., part] = given if abs(factor - 1) <= _STRETCH else given * factor
            return found
    return None


def _broadcasts(one: Tensor, to: Tensor) -> bool:
    return one.dim() == to.dim() and all(own in (1, other) for own, other in zip(one.shape, to.shape, strict=True))


def content_streams(streams: Sequence[StreamInfo], dotted: Sequence[Any], before: Sequence[Any], name: str) -> tuple:
    """The streams of content beside a model's own.

    dotted, before: calls of every layer of a trial, as they are dotted and before rotation · name: of the model
    Raises: ModelError where nothing is turned, or a layer's turn was not seen.
    """
    own = [stream for stream in streams if stream.kind == SELF]
    if not own or len(before) != len(dotted):
        raise ModelError(
            f"Model {name}: its queries and keys before rotation cannot be seen: its code rotates in a way of its own,"
            " or not at all. Build without --content."
        )
    if all(torch.equal(one.queries, other.queries) for one, other in zip(dotted, before, strict=True)):
        raise ModelError(f"Model {name} rotates no queries: its content is what it dots. Build without --content.")
    return tuple(
        stream.model_copy(
            update={
                "name": stream.name.replace(SELF, CONTENT, 1),
                "kind": CONTENT,
                "attention": "none",
                "additive": False,
            }
        )
        for stream in own
    )
