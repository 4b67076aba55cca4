"""All heads of a stream by their weights: how alike the forms are that compare a query with a key.

A head scores two tokens by xᵀ W_Qᵀ W_K y. Two heads' matrices W_Qᵀ W_K are compared by their cosine, ⟨A, B⟩ / ‖A‖‖B‖
(Frobenius), which needs only the products of their projections, d × d: ⟨A, B⟩ = Σ (W_Q W_Q'ᵀ) ∘ (W_K W_K'ᵀ). 1 − cosine
is half of a squared Euclidean distance. Biases, norms before the projections, and what turns rotary models' vectors
are left out.
"""

from collections.abc import Callable

import numpy as np
import torch

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.capture.adapters import recording, seat
from services.capture.inside import Inside
from services.errors import ProbeError
from services.measures.head_map import HeadMap, of_distances
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel
from services.probe.question import WeightsQuestion, most_of
from services.probe.read_again import input_of

WORK = 3e12  # multiplications: about a minute
FEWEST = 3  # tokens of the input that projections are found with

Weights = tuple[torch.Tensor, torch.Tensor]  # float32 [layers · heads, d, width] and [layers · key heads, d, width]


def by_weights(
    atlas: Atlas, loaded: LoadedModel, question: WeightsQuestion, most_tokens: int, told: Callable[[int, int], None]
) -> HeadMap:
    """Lay the heads of a stream out by their weights; told: called with (done, of) now and then.

    Raises:
        ProbeError: the projections cannot be told apart, no input can be run, or it is too much work to wait for.
    """
    stream = question.checked(atlas, most_tokens)
    counts, most_tokens = atlas.tokens(stream.query_table).counts, most_of(atlas, most_tokens)
    fit = np.flatnonzero((counts >= FEWEST) & (counts <= most_tokens))
    if not len(fit):
        raise ProbeError("No input of this atlas is short enough to find the model's projections with.")
    shortest = question.model_copy(update={"input": int(fit[np.argmin(counts[fit])])})
    item, _ = input_of(atlas, loaded, shortest, most_tokens, lambda: told(0, 1))
    weights = projections(loaded, stream, item, lambda done: told(done, 2 * stream.layers))
    layers = stream.layers
    cosines = between(*weights, stream.group, lambda share: told(layers + int(share * layers), 2 * layers))
    return of_distances(2 * (1 - cosines), np.arange(len(cosines)))


def projections(
    loaded: LoadedModel, stream: StreamInfo, item: ModelInput, told: Callable[[int], None] = lambda done: None
) -> Weights:
    """Each layer's projections of queries and keys, found by what they compute for an input.

    Raises:
        ProbeError: a layer's cannot be found, or it would be too much to compare them.
    """
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    found: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for layer in range(stream.layers):
        inside = Inside(*seat(stream, loaded.streams, layer))
        with recording(loaded.model, hand=inside), inside.looking(loaded.model):
            loaded.model(**arguments)
        if inside.queries is None or inside.keys is None:
            raise ProbeError(
                f"The projections of layer {stream.number(layer)} cannot be seen apart: something stands between them"
                " and q·k that changes lengths, or the model works attention out in code of its own."
            )
        _, dim, width = inside.queries.weight.shape
        heads = stream.layers * stream.heads
        if 2 * heads**2 * dim**2 * width > WORK:
            raise ProbeError(f"{heads:,} heads of {dim} × {width} weights are too many to compare while you wait.")
        found[0].append(inside.queries.weight.float())
        found[1].append(inside.keys.weight.float())
        told(layer + 1)
    return torch.cat(found[0]), torch.cat(found[1])


def between(
    asks: torch.Tensor, answers: torch.Tensor, group: int, told: Callable[[float], None] = lambda share: None
) -> np.ndarray:
    """Cosines [heads, heads] of all heads' W_Qᵀ W_K, float64; a head of weights that are all 0 is like none but itself.

    group: heads that share a key head
    """
    heads, dim, width = asks.shape
    flat_asks, flat_answers = asks.reshape(-1, width), answers.reshape(-1, width)
    products = np.zeros((heads, heads))
    for head in range(heads):
        queries = (asks[head] @ flat_asks.T).reshape(dim, heads, dim)
        keys = (answers[head // group] @ flat_answers.T).reshape(dim, -1, dim).repeat_interleave(group, dim=1)
        products[head] = (queries * keys).sum(dim=(0, 2), dtype=torch.float64).numpy()
        told((head + 1) / heads)
    norms = np.sqrt(np.maximum(np.diag(products), 0))
    cosines = products / np.maximum(norms[:, None] * norms[None, :], 1e-30)
    np.fill_diagonal(cosines, 1.0)
    return np.clip((cosines + cosines.T) / 2, -1.0, 1.0)
