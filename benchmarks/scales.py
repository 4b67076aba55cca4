"""Which scale c, and which distance, maps should start from: fidelity of every head under each choice.

    python -m benchmarks.scales ATLAS [--heads 72] [--umap 12] [--sample 100] [--only "unit length"]

For each way to align: means over heads in the aligned space, on a PCA map of all heads, on a UMAP map of a few.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from services.alignment import align, unit_length
from services.alignment.pairs import PairChoice, head_pairs
from services.alignment.scale_metrics import norm_ratio, study_head
from services.atlas import Atlas, ProjectionRef, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.attended import attended_in_atlas
from services.measures.fidelity import aligned_fidelity, head_sample, layout_fidelity
from services.projection import LayerPoints, layout_layer, pca_layer
from services.streams import StreamTokens

SPACE = ("query_spearman", "attended_near", "best_near", "mixing")
MAP = (*SPACE, "recall")
Cloud = tuple[np.ndarray, np.ndarray]


def centred(queries: np.ndarray, keys: np.ndarray) -> Cloud:
    """Each cloud about its own mean, then to unit length: c makes no difference any more."""
    return unit_length(queries - queries.mean(axis=0)), unit_length(keys - keys.mean(axis=0))


def ways(queries: np.ndarray, keys: np.ndarray, tokens: StreamTokens) -> dict[str, Callable[[], Cloud]]:
    """Aligned vectors of a head by each choice of c and distance."""

    def best(distance: str) -> float:
        pairs = head_pairs(queries, keys, tokens, choice=PairChoice(distance=distance))
        return study_head(pairs, None, spearman=False).optimum["pearson"] or 1.0

    euclidean, cosine, norms = best("euclidean"), best("cosine"), norm_ratio(queries, keys) or 1.0
    return {
        "Euclidean, c = 1": lambda: align(queries, keys, 1.0)[:2],
        "Euclidean, norms": lambda: align(queries, keys, norms)[:2],
        "Euclidean, Pearson": lambda: align(queries, keys, euclidean)[:2],
        "unit length, c = 1": lambda: align(queries, keys, 1.0, "cosine")[:2],
        "unit length, norms": lambda: align(queries, keys, norms, "cosine")[:2],
        "unit length, Pearson": lambda: align(queries, keys, euclidean, "cosine")[:2],
        "unit length, Pearson of cosine": lambda: align(queries, keys, cosine, "cosine")[:2],
        "unit length about the means": lambda: centred(queries, keys),
    }


def measure(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, umap: bool, sample: int, only: str
) -> dict[tuple[str, str], dict]:
    """Measures of one head by (way, "space" | "PCA" | "UMAP")."""
    queries, keys = atlas.vectors(stream).head(layer, head)
    tokens = atlas.stream_tokens(stream)
    attention = attended_in_atlas(atlas, stream, layer, head)
    top = attention.top if attention else None
    found: dict[tuple[str, str], dict] = {}
    for name, make in ways(queries, keys, tokens).items():
        if only not in name:
            continue
        aligned = make()
        judged = head_sample(queries, keys, *aligned, tokens, attended=top, sample=sample)
        points = LayerPoints(queries[None], keys[None], aligned[0][None], aligned[1][None], tokens)
        found[name, "space"] = aligned_fidelity(judged).values
        start = pca_layer(points, 2)
        found[name, "PCA"] = layout_fidelity(judged, start[0]).values
        if umap:
            wanted = ProjectionRef("umap", 2)
            layout = layout_layer(points, [wanted], start={2: start}, seed=0)[wanted][0]
            found[name, "UMAP"] = layout_fidelity(judged, layout).values
    return found


def table(title: str, measured: list[dict[tuple[str, str], dict]], space: str, names: tuple[str, ...]) -> None:
    rows = [found for found in measured if any(kind == space for _, kind in found)]
    print(f"\n{title} ({len(rows)} heads)\n{'':32}" + "".join(f"{name:>16}" for name in names))
    for way in dict.fromkeys(way for found in rows for way, _ in found):
        means = [np.mean([v for f in rows if (v := f[way, space].get(name)) is not None]) for name in names]
        print(f"{way:32}" + "".join(f"{mean:16.3f}" for mean in means), flush=True)


def main() -> None:
    cli = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    cli.add_argument("atlas", type=Path)
    cli.add_argument("--heads", type=int, default=10_000, help="so many heads, evenly spread over all")
    cli.add_argument("--umap", type=int, default=12, help="UMAP maps of so many of them")
    cli.add_argument("--sample", type=int, default=100, help="sampled queries, and points, of each head")
    cli.add_argument("--only", default="", help="only ways whose name contains this")
    given = cli.parse_args()
    atlas = open_atlas(given.atlas)
    stream = atlas.info.default_stream
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    spread = np.linspace(0, len(cells) - 1, min(given.heads, len(cells))).round().astype(int)
    mapped = set(np.linspace(0, len(spread) - 1, min(given.umap, len(spread))).round().astype(int).tolist())
    measured = [
        measure(atlas, stream, *cells[place], index in mapped, given.sample, given.only)
        for index, place in enumerate(spread)
    ]
    table("Aligned space", measured, "space", SPACE)
    table("On PCA", measured, "PCA", MAP)
    table("On UMAP", measured, "UMAP", MAP)


if __name__ == "__main__":
    main()
