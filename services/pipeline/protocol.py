"""What only the model itself can tell of its heads: repeated random tokens, and what it does with random weights.

Both run once, where a build has the model at hand, and are stored as a part of the table of measures.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from services.atlas.measure_table import Row
from services.atlas.schema import StreamInfo
from services.capture.adapters import global_tokens
from services.capture.run import InputCapture, capture
from services.errors import AtlasError
from services.measures.attention_scores import Scored, scores
from services.measures.estimate import Estimate
from services.measures.names import UNTRAINED
from services.measures.of_repeats import NO_REPEATS, REPEATED
from services.measures.pair_marks import TEXT, Side
from services.modalities.contract import ModelInput
from services.modalities.text.modality import of_ids
from services.modalities.text.repeats import sequences
from services.models.loading import LoadedModel
from services.models.untrained import untrained

TOO_SHORT = "the model takes too few tokens at once for them to come twice"
CANNOT = "the model cannot read random tokens"


Layers = list[dict[str, list[Estimate | str]]]  # by layer, measure, head
Scores = dict[str, Layers]  # by stream


def repeats(loaded: LoadedModel) -> Scores:
    """Scores of attention on random tokens that come twice; of streams whose queries and keys are those tokens.

    The last token of the first round is followed by position 0, and what goes there is sink: it is no repeat yet, so it
    does not count.

    Raises:
        AtlasError: the model cannot read them.
    """
    random = sequences(loaded)
    streams = {s.name: s for s in loaded.streams if s.mask.same_positions and s.attention == "dense"}
    if not streams:
        return {}
    seen: dict[str, list[InputCapture]] = {name: [] for name in streams}
    items: list[ModelInput] = [
        of_ids(loaded, ids.tolist(), lambda item: global_tokens(loaded.model, item)) for ids in random
    ]
    for one in capture(loaded, items):
        if one.stream in streams and one.attention is not None:
            seen[one.stream].append(one)
    return {
        name: [_of_layer(streams[name], found, random, layer) for layer in range(streams[name].layers)]
        for name, found in seen.items()
        if found
    }


def _of_layer(
    stream: StreamInfo, found: Sequence[InputCapture], random: Sequence[np.ndarray], layer: int
) -> dict[str, list[Estimate | str]]:
    seen, marks = _scored(stream, found, random, layer), REPEATED.values()
    return scores(seen, stream.heads, same_positions=True, modality=TEXT, marks_alone=marks)


def _scored(
    stream: StreamInfo, found: Sequence[InputCapture], random: Sequence[np.ndarray], layer: int
) -> Iterator[Scored]:
    for one in found:
        assert one.attention is not None
        weights = one.attention[layer]
        ids = random[one.index][: weights.shape[1]]
        flags = np.zeros(len(ids), bool)
        side = Side(ids.astype(np.int64), flags, {"punctuation": flags})
        yield Scored(weights, stream.mask.visible(len(ids), len(ids)), side, side)


def model_rows(loaded: LoadedModel, fresh: Callable[[], LoadedModel | None] | None = None) -> dict[str, list[Row]]:
    """REPEATED of every head as rows of the table of measures, by stream, also of the model untrained.

    What cannot be had is a row with the reason; models of images have none. fresh: gives the model untrained.
    """
    if loaded.modality != TEXT:
        return {}
    own, why = _tried(loaded)
    plain = (fresh() if fresh else untrained(loaded)) if own else None
    by_chance = _tried(plain)[0] if plain else {}
    found: dict[str, list[Row]] = {}
    for stream in loaded.streams:
        reason = why if stream.mask.same_positions and stream.attention == "dense" else NO_REPEATS
        found[stream.name] = list(_rows(stream, own.get(stream.name), None, reason))
        if stream.name in by_chance:
            found[stream.name] += _rows(stream, by_chance[stream.name], UNTRAINED, reason)
    return found


def _tried(loaded: LoadedModel) -> tuple[Scores, str]:
    """Scores, and why a stream has none."""
    try:
        return repeats(loaded), TOO_SHORT
    except AtlasError:
        return {}, CANNOT


def _rows(stream: StreamInfo, layers: Layers | None, space: str | None, why: str) -> Iterator[Row]:
    for layer in range(stream.layers):
        for name, of in REPEATED.items():
            for head in range(stream.heads):
                yield row_of(name, space, layer, head, layers[layer][of][head] if layers else why)


def row_of(name: str, space: str | None, layer: int, head: int, value: Estimate | str) -> Row:
    """One score of one head in the table of measures."""
    if isinstance(value, str) or not math.isfinite(value.value):
        return Row(name, space, layer, head, None, value if isinstance(value, str) else "not a finite number")
    return Row(name, space, layer, head, value.value, None, value.base, value.low, value.high, value.count)
