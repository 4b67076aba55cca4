"""The stage that measures every head at every constant c and notes which one each metric takes."""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from services.alignment.fitting import fitted_tokens
from services.alignment.pairs import HeadPairs, ScaleFigures, head_pairs
from services.alignment.scale_metrics import (
    METRICS,
    HeadChoice,
    HeadStudy,
    choose_scales,
    norm_ratio,
    scaled_metric,
    study_head,
)
from services.alignment.study import CURVES, measure_name
from services.atlas import arrays
from services.atlas.measure_table import Row, part_file, table_of
from services.atlas.schema import AlignmentInfo, StreamInfo, Without
from services.atlas.vectors import stored_vectors
from services.errors import Cancelled
from services.pipeline.journal import Journal
from services.pipeline.parallel import by_layer, forget_layers
from services.pipeline.progress import Progress, layer_counter
from services.pipeline.units import follow, stored_tokens
from services.pipeline.workers import Workers
from services.streams import StreamTokens

# Beyond so many pairs a head, those of a sample of inputs: a correlation over a million is known to three digits.
LARGEST = 1_000_000
# Fewer pairs of all heads than this are measured before a worker process has started.
WORTH_WORKERS = 1_000_000

_CURVE_SCHEMA = pa.schema(
    [("layer", pa.int32()), ("head", pa.int32()), ("c", pa.float64()), ("on_grid", pa.bool_())]
    + [(name, pa.float64()) for name in ("weighted", "weighted_each", "scaled", "pearson", "spearman")]
    + [("near", pa.int64())]
)


def study_stream(
    folder: Path, stream: StreamInfo, made: AlignmentInfo, journal: Journal, progress: Progress, workers: Workers
) -> None:
    """Write `<stream>/scaling.parquet` and the measures `c_…`, unless they are there."""
    curves, part = f"{stream.name}/{CURVES}", part_file(stream, "scales")
    if journal.has_file(curves) and journal.has_file(part):
        forget_layers(folder, stream, "study", journal)  # killed before it was done
        return
    pairs = int(_counts(stored_tokens(folder, stream)).sum()) * stream.layers * stream.heads
    layers = by_layer(
        folder, stream, "study", "Studying scales", study_unit, (made.without,), journal, progress, workers,
        alone=pairs < WORTH_WORKERS,
    )  # fmt: skip
    studies = [_study(head) for layer in layers for head in layer]

    @lru_cache(maxsize=1)
    def layer_pairs(layer: int) -> Callable[[int], HeadPairs]:
        progress.check()
        return pairs_of(folder, stream, layer, made.without)

    def pairs_at(index: int) -> HeadPairs:
        return layer_pairs(index // stream.heads)(index % stream.heads)

    choices = choose_scales(studies, pairs_of=pairs_at)
    for name, table in ((curves, _curve_table(stream, studies)), (part, _scale_table(stream, choices))):
        journal.record_file(name, arrays.write_table(folder / name, table))
    forget_layers(folder, stream, "study", journal)


def study_unit(
    folder: Path, stream: StreamInfo, layer: int, counters: Path, builder: int | None, without: Without
) -> list[dict[str, Any]]:
    """Every head of a layer: services.alignment.scaling.HeadStudy as a dictionary.

    Raises:
        Cancelled: the build was stopped.
    """
    follow(builder)
    count = layer_counter(counters, layer)
    pairs = pairs_of(folder, stream, layer, without)
    queries, keys = stored_vectors(folder, stream).layer(layer)
    found = []
    for head in range(stream.heads):
        study = study_head(pairs(head), norm_ratio(queries[head], keys[head]))
        found.append(dataclasses.asdict(study))
        if count(head + 1, stream.heads):
            raise Cancelled("Stopped.")
    return found


def pairs_of(folder: Path, stream: StreamInfo, layer: int, without: Without) -> Callable[[int], HeadPairs]:
    """Gives the pairs within inputs of each head of a layer, of a sample of inputs when there are very many."""
    queries, keys = stored_vectors(folder, stream).layer(layer)
    tokens = stored_tokens(folder, stream)
    inputs = sampled_inputs(_counts(tokens), LARGEST)
    rows, columns = np.isin(tokens.queries.input, inputs), np.isin(tokens.keys.input, inputs)
    chosen = tokens.some(rows, columns)

    def make(head: int) -> HeadPairs:
        fitted = fitted_tokens(queries[head], keys[head], tokens, without)
        counted = None if fitted is None else (fitted[0][rows], fitted[1][columns])
        return head_pairs(queries[head][rows], keys[head][columns], chosen, fitted=counted)

    return make


def sampled_inputs(counts: np.ndarray, largest: int, seed: int = 0) -> np.ndarray:
    """Inputs with at most `largest` pairs together, at least one input; all when they fit.

    counts: int64 [inputs], the pairs of each.
    """
    if counts.sum() <= largest:
        return np.arange(len(counts))
    order = np.random.default_rng(seed).permutation(len(counts))
    return np.sort(order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), largest, side="right")))])


def _counts(tokens: StreamTokens) -> np.ndarray:
    """int64 [inputs]: the query–key pairs of each input."""
    inputs = int(tokens.queries.input.max(initial=-1)) + 1
    return tokens.mask.pairs_in_inputs(tokens.queries, tokens.keys, inputs)


def _study(found: dict[str, Any]) -> HeadStudy:
    """A HeadStudy from what JSON made of it."""
    measures = {name: tuple(ScaleFigures(**one) for one in found[name]) for name in ("grid", "curve")}
    return HeadStudy(**(found | measures))


def _curve_table(stream: StreamInfo, studies: list[HeadStudy]) -> pa.Table:
    scaled = {kind: scaled_metric([getattr(study, kind) for study in studies]) for kind in ("grid", "curve")}
    rows = [
        {
            "layer": index // stream.heads,
            "head": index % stream.heads,
            "c": measures.c,
            "on_grid": kind == "grid",
            "weighted": measures.weighted_unscaled,
            "weighted_each": measures.weighted,
            "scaled": scaled[kind][index][place],
            "pearson": measures.pearson,
            "spearman": measures.spearman,
            "near": measures.near,
        }
        for index, study in enumerate(studies)
        for kind in ("grid", "curve")
        for place, measures in enumerate(getattr(study, kind))
    ]
    return pa.Table.from_pylist(rows, _CURVE_SCHEMA)


def _scale_table(stream: StreamInfo, choices: list[HeadChoice]) -> pa.Table:
    return table_of(
        Row(
            measure_name(metric, on_grid),
            None,
            *divmod(index, stream.heads),
            (choice.grid if on_grid else choice.best)[metric],
            choice.reasons.get(metric),
        )
        for metric in METRICS
        for on_grid in (False, True)
        for index, choice in enumerate(choices)
    )
