"""Whether induction heads do what they are called by: without them a model foretells less of what it has just read."""

from collections.abc import Iterator, Sequence

import numpy as np

from services.capture.adapters import global_tokens, has_hand
from services.capture.predictions import predicted
from services.capture.switches import Switches, draws
from services.modalities.text.modality import of_ids
from services.modalities.text.repeats import sequences
from services.models.loading import LoadedModel
from services.models.predictor import Predictor, load_predictor

SEQUENCES = 3
HEADS = 3  # the strongest


def rises(loaded: LoadedModel, heads: Sequence[tuple[int, int]]) -> tuple[float, float, list[float]] | None:
    """Loss of the second round of random tokens, nats: of the model as it is, without these heads of the stream self,
    and without as many random ones of the same layers, of several draws; None where it predicts no next token.

    The first token of the second round can be foretold by nobody and is left out.
    """
    if not has_hand(loaded.model) or not heads:
        return None
    predictor = load_predictor(loaded)
    random = sequences(loaded)[:SEQUENCES]
    if predictor is None or predictor.predicts != "next" or not random:
        return None
    stream = next((one for one in loaded.streams if one.name == "self"), None)
    if stream is None:
        return None
    off = frozenset(heads)
    return (
        _second(loaded, predictor, random, frozenset()),
        _second(loaded, predictor, random, off),
        [_second(loaded, predictor, random, one) for one in draws(stream.heads, off)],
    )


def _second(
    loaded: LoadedModel, predictor: Predictor, random: Sequence[np.ndarray], off: frozenset[tuple[int, int]]
) -> float:
    losses = []
    for ids in random:
        found = predicted(
            loaded,
            predictor,
            of_ids(loaded, ids.tolist(), lambda item: global_tokens(loaded.model, item)),
            Switches("self", off),
        )
        losses.append(found.loss[found.places > len(ids) // 2])
    return float(np.concatenate(losses).mean())


def told(loaded: LoadedModel, heads: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """A line on the heads that are called induction heads, and whether it is confirmed."""
    found = rises(loaded, heads)
    if found is None:
        return
    before, after, random = found
    names = ", ".join(f"L{layer}H{head}" for layer, head in heads)
    most = max((one - before for one in random), default=0.0)
    said = (
        f"as many random heads of the same layers {most:+.2f} at most" if random else "no other heads to compare with"
    )
    yield (
        f"without {names} the loss of what is said twice goes from {before:.2f} to {after:.2f} nats"
        f" ({after - before:+.2f}; {said})",
        after - before > max(most, 0.0),
    )
