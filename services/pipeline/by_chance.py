"""Every score of the same architecture with random weights, on the inputs of the corpus: what needs no learning."""

import math
from collections.abc import Sequence

from services.atlas.measure_table import Row
from services.atlas.schema import StreamInfo
from services.capture.run import InputCapture, capture, visible_pairs
from services.errors import AtlasError
from services.measures import registry
from services.measures.attention_scores import Scored, scores
from services.measures.explained import explained
from services.measures.names import UNTRAINED
from services.measures.pair_marks import sides_of
from services.models.loading import LoadedModel
from services.pipeline.prepare import PreparedCorpus
from services.pipeline.protocol import row_of

MOST_WEIGHTS = 20_000_000  # of attention, which are held at once


def untrained_rows(plain: LoadedModel, prepared: PreparedCorpus) -> dict[str, list[Row]]:
    """The scores of attention of every head as rows of the table of measures, in the space UNTRAINED, by stream.

    plain: the model with random weights. Streams in bands have none, nor has a model that cannot read the inputs so;
    what is not defined is no row.
    """
    streams = {one.name: one for one in plain.streams if one.attention == "dense"}
    chosen = some_inputs(prepared, list(streams.values()))
    seen: dict[str, list[InputCapture]] = {name: [] for name in streams}
    try:
        for one in capture(plain, [prepared.inputs[index] for index in chosen]):
            if one.stream in streams and one.attention is not None:
                seen[one.stream].append(one)
    except AtlasError:
        return {}
    of = prepared, plain.modality
    return {name: _of_stream(streams[name], found, chosen, *of) for name, found in seen.items() if found}


def some_inputs(prepared: PreparedCorpus, streams: Sequence[StreamInfo]) -> list[int]:
    """All of them if their weights are no more than MOST_WEIGHTS, else as many as hold that, spread over the corpus."""
    sizes = [
        sum(one.layers * one.heads * item.lengths[one.query_table] * item.lengths[one.key_table] for one in streams)
        for item in prepared.inputs
    ]
    step, held, chosen = max(1, math.ceil(sum(sizes) / MOST_WEIGHTS)), 0, []
    for index in range(0, len(sizes), step):
        if sizes[index] and held + sizes[index] <= MOST_WEIGHTS:
            chosen.append(index)
            held += sizes[index]
    return chosen


def _of_stream(
    stream: StreamInfo, found: Sequence[InputCapture], chosen: Sequence[int], prepared: PreparedCorpus, modality: str
) -> list[Row]:
    tables = [prepared.token_table(name, chosen) for name in stream.tables]
    query, key = sides_of(*tables)
    wanted = {measure.name for measure in registry.of_space(None, modality)}
    rows = []
    for layer in range(stream.layers):
        inputs = []
        for one in found:
            assert one.attention is not None
            visible = visible_pairs(stream, prepared.inputs[chosen[one.index]])
            places = [table.rows(one.index) for table in tables]
            inputs.append(Scored(one.attention[layer], visible, query[places[0]], key[places[1]]))
        every = scores(
            inputs,
            stream.heads,
            same_positions=stream.mask.same_positions,
            modality=modality,
            objects="object" in tables[0].columns,
        ) | explained(lambda: inputs, stream.heads)  # noqa: B023 – read before the loop goes on
        for name in wanted & every.keys():
            made = (row_of(name, UNTRAINED, layer, head, value) for head, value in enumerate(every[name]))
            rows += [row for row in made if row.value is not None]
    return rows
