"""The figures of Yeh et al. 2023 and of its notebooks beside ours, with the settings used.

    python -m benchmarks.reproduce --model bert-base-uncased
    python -m benchmarks.reproduce --model minilm --heads 8

The published figures are of Wiki-Auto sentences; ours of the corpus given (default: the demo corpus). Models other
than "minilm" and local folders are downloaded from the Hugging Face hub.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np

from services.alignment.pairs import HeadPairs, PairChoice, head_pairs
from services.alignment.scale_metrics import CONSTANTS, choose_scales, norm_ratio, study_head
from services.errors import AtlasError
from services.modalities.corpora import read_corpus
from services.streams import FULL, Places, StreamTokens

COSINE = PairChoice(distance="cosine", per_query=True)
EUCLIDEAN = PairChoice(distance="euclidean", per_query=True)
# The scaling study's code: Euclidean, no translation, a correlation for each query.
STUDY = PairChoice(translate=False, per_query=True)


@dataclass(frozen=True)
class Published:
    """What was printed for one model; empty where nothing was."""

    correlation: str = ""  # mean over heads, paper
    notebook: str = ""  # mean over heads, authors' notebook
    best: str = ""
    worst: str = ""
    layers: str = ""
    norm_difference: str = ""
    median_norms: str = ""
    first_token: str = ""
    constants: str = ""
    pearson_by_c: str = ""


PUBLISHED = {
    "bert-base-uncased": Published(
        correlation="−0.938",
        notebook="−0.926",
        best="L10 H3 −0.985",
        worst="L2 H10 −0.785",
        layers="L5 −0.942 … L11 −0.890",
        norm_difference="0.41",
        first_token="−0.008, +0.001",
    ),
    "gpt2": Published(
        correlation="−0.792",
        notebook="−0.781",
        best="L0 H1 −0.977",
        worst="L2 H7 −0.439",
        layers="L0 −0.869 … L6 −0.710",
        norm_difference="−4.59",
        median_norms="9.99, 14.58",
        first_token="−6.40, +9.04",
        constants="2.5 ×85, 1.25 ×25, 0.8 ×12, 5 ×10, 1 ×6, 0.4 ×6",
        pearson_by_c="5: −0.998, 2.5: −0.972, 1.25: −0.797, 1: −0.699, 0.4: −0.427, 0.2: −0.373",
    ),
    "google/vit-base-patch32-224-in21k": Published(correlation="−0.873 (COCO)"),
    "google/vit-base-patch16-224-in21k": Published(correlation="−0.884 (COCO)"),
}
ALIASES = {"google-bert/bert-base-uncased": "bert-base-uncased", "openai-community/gpt2": "gpt2"}


@dataclass(frozen=True)
class Captured:
    """Every head of a model on some texts."""

    model: str
    queries: np.ndarray  # float32 [layers, heads, tokens, head_dim]
    keys: np.ndarray  # float32 [layers, heads, tokens, head_dim]
    tokens: StreamTokens


def capture_texts(model: str, texts: Sequence[str], max_tokens: int | None = None) -> Captured:
    """Run a model (alias, hub id or folder) on texts and keep its queries and keys. Raises AtlasError."""
    from services.capture import capture, load_model, tokenise

    loaded = load_model(model)
    stream = loaded.streams[0]
    found = [one for one in capture(loaded, tokenise(loaded, texts, max_tokens)) if one.stream == stream.name]
    lengths = [one.queries.shape[2] for one in found]
    places = Places(
        np.repeat(np.arange(len(found), dtype=np.int32), lengths),
        np.concatenate([np.arange(length, dtype=np.int32) for length in lengths]),
    )
    return Captured(
        model=loaded.info.id,
        queries=np.concatenate([one.queries for one in found], axis=2),
        keys=np.repeat(np.concatenate([one.keys for one in found], axis=2), stream.group, axis=1),
        tokens=StreamTokens(stream.mask, places, places),
    )


def pairs_of(captured: Captured, cell: tuple[int, int], choice: PairChoice) -> HeadPairs:
    return head_pairs(
        captured.queries[cell],
        captured.keys[cell],
        captured.tokens,
        choice=choice,
    )


Row = tuple[str, str, str, str]


def correlation_rows(captured: Captured, cells: list[tuple[int, int]], published: Published) -> list[Row]:
    """The mean over queries of Spearman's correlation of q·k and distance, keys translated, c = 1."""
    rows = []
    cosine = _by_head(cells, lambda cell: pairs_of(captured, cell, COSINE).measure(1.0).spearman)
    euclidean = _by_head(cells, lambda cell: pairs_of(captured, cell, EUCLIDEAN).measure(1.0).spearman)
    small_c = _by_head(cells, lambda cell: pairs_of(captured, cell, COSINE).measure(0.2).spearman)
    paper = ", ".join(text for text in (published.correlation, published.notebook) if text)
    rows.append(("mean over heads", paper, _mean(cosine), "per query in its input, Spearman, cosine, c = 1"))
    if cosine:
        ordered = sorted(cosine, key=lambda cell: cosine[cell])
        rows.append(("best head", published.best, _named(ordered[0], cosine), "same"))
        rows.append(("weakest head", published.worst, _named(ordered[-1], cosine), "same"))
        layers = {layer: np.mean([v for (at, _), v in cosine.items() if at == layer]) for layer, _ in cosine}
        low, high = min(layers, key=lambda at: layers[at]), max(layers, key=lambda at: layers[at])
        text = f"L{low} {_number(layers[low])} … L{high} {_number(layers[high])}"
        rows.append(("best and weakest layer", published.layers, text, "same"))
    rows.append(("mean over heads", "", _mean(euclidean), "same, Euclidean"))
    rows.append(("mean over heads", "", _mean(small_c), "same, cosine, c = 0.2"))
    return rows


def norm_rows(captured: Captured, cells: list[tuple[int, int]], published: Published) -> list[Row]:
    norms = [
        np.stack([np.linalg.norm(side[cell], axis=-1) for cell in cells]) for side in (captured.queries, captured.keys)
    ]
    difference = float((norms[0].mean(axis=1) - norms[1].mean(axis=1)).mean())
    medians = ", ".join(_number(float(np.median(side, axis=1).mean())) for side in norms)
    first = captured.tokens.queries.position == 0
    steps = []
    for side in norms:
        steps.append(_number(float(side[:, first].mean() - side[:, ~first].mean()), sign=True))
    return [
        ("mean ‖q‖ − ‖k‖", published.norm_difference, _number(difference), "before alignment, mean over heads"),
        ("median ‖q‖, ‖k‖", published.median_norms, medians, "same"),
        ("first token's norm less others'", published.first_token, ", ".join(steps), "query, key"),
    ]


def scaling_rows(captured: Captured, cells: list[tuple[int, int]], published: Published) -> list[Row]:
    """The scaling study. Its code divides queries by c and multiplies keys: its c is 1 / ours, and shown as ours."""
    studies = [
        study_head(
            pairs_of(captured, cell, PairChoice()),
            norm_ratio(captured.queries[cell], captured.keys[cell]),
            spearman=False,
        )
        for cell in cells
    ]
    choices = choose_scales(studies)
    rows = []
    for metric, label in (("weighted", "weighted correlation"), ("scaled", "the same, scaled"), ("norms", "norms")):
        chosen = [choice.grid[metric] for choice in choices]
        counts = sorted(((chosen.count(c), c) for c in CONSTANTS if c in chosen), reverse=True)
        text = ", ".join(f"{c:g} ×{count}" for count, c in counts)
        paper = published.constants if metric == "scaled" else ""
        rows.append((f"best c, {label}", paper, text, "pairs within an input, Euclidean, translated"))
    pairs = pairs_of(captured, cells[0], STUDY)
    text = ", ".join(f"{c:g}: {_number(pairs.measure(c, spearman=False).pearson)}" for c in reversed(CONSTANTS))
    rows.append(("L0 H0 Pearson by c", published.pearson_by_c, text, "per query, Euclidean, not translated"))
    return rows


def _by_head(cells: list[tuple[int, int]], measure: Callable) -> dict[tuple[int, int], float]:
    values = {cell: measure(cell) for cell in cells}
    return {cell: value for cell, value in values.items() if value is not None}


def _mean(values: dict[tuple[int, int], float]) -> str:
    return _number(float(np.mean(list(values.values())))) if values else "not defined"


def _named(cell: tuple[int, int], values: dict[tuple[int, int], float]) -> str:
    return f"L{cell[0]} H{cell[1]} {_number(values[cell])}"


def _number(value: float | None, sign: bool = False) -> str:
    if value is None:
        return "not defined"
    return (f"{value:+.3f}" if sign else f"{value:.3f}").replace("-", "−")


def report(captured: Captured, heads: int | None = None) -> list[Row]:
    """All rows: quantity, published, ours, settings. heads: only so many heads, spread over the model."""
    layers, per_layer = captured.queries.shape[:2]
    cells = [(layer, head) for layer in range(layers) for head in range(per_layer)]
    if heads is not None and heads < len(cells):
        cells = [cells[int(index)] for index in np.linspace(0, len(cells) - 1, max(heads, 1))]
    published = PUBLISHED.get(ALIASES.get(captured.model, captured.model), Published())
    return [
        *correlation_rows(captured, cells, published),
        *norm_rows(captured, cells, published),
        *scaling_rows(captured, cells, published),
    ]


def run(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reproduce", description=str(__doc__).splitlines()[0])
    parser.add_argument("--model", default="minilm", help="'minilm', a hub id such as bert-base-uncased, or a folder")
    parser.add_argument("--corpus", default="demo", help="'demo' or a file of texts")
    parser.add_argument("--column", help="column of the corpus file that holds the texts")
    parser.add_argument("--max-inputs", type=int, default=200, help="texts to use (default: 200, as the paper)")
    parser.add_argument("--heads", type=int, help="only so many heads, spread over the model")
    given = parser.parse_args(argv)
    try:
        corpus = read_corpus(given.corpus, column=given.column, max_inputs=given.max_inputs)
        captured = capture_texts(given.model, corpus.texts)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    layers, heads, tokens, head_dim = captured.queries.shape
    mask = captured.tokens.mask
    print(
        f"{captured.model} on {corpus.name}: {len(corpus.texts)} inputs, {tokens} tokens, "
        f"{layers} × {heads} heads of {head_dim}{'' if mask == FULL else f', {mask.kind}'}"
    )
    rows = [("quantity", "published (Wiki-Auto)", "ours", "settings of ours"), *report(captured, given.heads)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)), "", row[3])
    return 0


if __name__ == "__main__":
    sys.exit(run())
