"""Our projections beside umap-learn, openTSNE, scikit-learn and the recipe of the original's authors.

    python -m benchmarks.minilm_points points.npz            # real heads, once
    python -m benchmarks.projection points.npz --heads 4 --ways ours umap-learn opentsne scikit-learn authors
    python -m benchmarks.projection points.npz --heads 72    # ours alone, every head
    python -m benchmarks.projection --synthetic 5000 --heads 2

Prints one row a way and method: CPU seconds a head, trustworthiness and recall of 15 neighbours, KL
divergence, the mean per-query Spearman of on-screen distance with q·k over the corpus and within the query's
input (−1 is perfect), near: the distance to a query's ten best keys over that to all keys; top 10: the share
of its ten best keys among the 100 nearest on screen. Machines are noisy: compare rows of one run.
"""

import argparse
import resource
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import map_quality as quality
from services.projection import LayerPoints, pca_layer, warm_up
from services.projection.graph import Graph, affinity_graph
from services.projection.layout import HeadLayouts
from services.projection.methods.coupled import ATTENTION, PREFERENCE
from services.projection.methods.tsne import TSNE
from services.projection.methods.umap import UMAP
from services.projection.parameters import perplexity_for
from services.projection.points import Head
from services.projection.tsne_kernel import kl_divergence
from services.projection.watch import Watch
from services.streams import FULL, Places, StreamTokens

WAYS = ("ours", "umap-learn", "opentsne", "scikit-learn", "authors")
ATLAS_HEADS = 144

# Yields the name of each layout and a function that computes it.
Jobs = Iterator[tuple[str, Callable[[], np.ndarray]]]


def load(path: Path, heads: int, tokens: int | None) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    chosen = np.linspace(0, len(arrays["queries"]) - 1, min(heads, len(arrays["queries"]))).astype(int)
    length = tokens or arrays["queries"].shape[1]
    return {
        "queries": arrays["queries"][chosen, :length],
        "keys": arrays["keys"][chosen, :length],
        "inputs": arrays["inputs"][:length],
        "positions": arrays["positions"][:length],
    }


def synthetic(heads: int, tokens: int, head_dim: int = 64) -> dict[str, np.ndarray]:
    """Clustered vectors of falling variance, queries and keys about different means."""
    rng = np.random.default_rng(0)
    scale = np.linspace(2, 0.2, head_dim)
    centres = rng.normal(size=(heads, 40, head_dim)) * scale

    def side() -> np.ndarray:
        members = centres[:, rng.integers(40, size=tokens)]
        return (members + 0.6 * rng.normal(size=members.shape) * scale + rng.normal(size=head_dim)).astype(np.float32)

    numbers = np.arange(tokens, dtype=np.int32)
    return {"queries": side(), "keys": side(), "inputs": numbers // 20, "positions": numbers % 20}


def aligned(arrays: dict[str, np.ndarray]) -> LayerPoints:
    """Scaled so that median norms agree, then translated so that the centroids coincide."""
    queries, keys = arrays["queries"], arrays["keys"]
    norm = [np.median(np.linalg.norm(side, axis=2), axis=1) for side in (queries, keys)]
    c = np.sqrt(norm[1] / norm[0])[:, None, None].astype(np.float32)
    scaled_queries, scaled_keys = queries * c, keys / c
    shift = scaled_queries.mean(1, keepdims=True) - scaled_keys.mean(1, keepdims=True)
    places = Places(arrays["inputs"], arrays["positions"])
    return LayerPoints(queries, keys, scaled_queries, scaled_keys + shift, StreamTokens(FULL, places, places))


def ours(layouts: HeadLayouts, dims: tuple[int, ...]) -> Jobs:
    yield "neighbours (shared)", lambda: layouts.neighbors.distances
    for d in dims:
        yield f"umap {d}D", lambda d=d: layouts.fitted(UMAP, d)
        yield f"tsne {d}D (from umap)", lambda d=d: layouts.fitted(TSNE, d)
    for method in (PREFERENCE, ATTENTION):
        yield f"{method.name} affinities", lambda method=method: method.problem(layouts).graph.weights
        for d in dims:
            yield f"{method.name} {d}D", lambda method=method, d=d: layouts.fitted(method, d)


def umap_learn(layouts: HeadLayouts, dims: tuple[int, ...]) -> Jobs:
    import umap

    for d in dims:
        yield (
            f"umap {d}D",
            lambda d=d: umap.UMAP(n_components=d, random_state=0, n_jobs=1).fit_transform(layouts.head.cloud),
        )


def opentsne(layouts: HeadLayouts, dims: tuple[int, ...]) -> Jobs:
    from openTSNE import TSNE

    for d in dims:
        method = "fft" if d == 2 else "bh"
        yield (
            f"tsne {d}D",
            lambda d=d, method=method: np.asarray(
                TSNE(d, negative_gradient_method=method, random_state=0, n_jobs=1).fit(layouts.head.cloud)
            ),
        )


def scikit_learn(layouts: HeadLayouts, dims: tuple[int, ...]) -> Jobs:
    from sklearn.manifold import TSNE

    for d in dims:
        yield f"tsne {d}D", lambda d=d: TSNE(d, random_state=0, n_jobs=1).fit_transform(layouts.head.cloud)


def authors(layouts: HeadLayouts, dims: tuple[int, ...]) -> Jobs:
    """AttentionViz's notebook: t-SNE of perplexity 50 in 300 iterations, UMAP with defaults, cosine."""
    import umap
    from sklearn.manifold import TSNE

    for d in dims:
        yield (
            f"tsne {d}D",
            lambda d=d: TSNE(d, perplexity=50, max_iter=300, metric="cosine", random_state=0, n_jobs=1).fit_transform(
                layouts.head.cloud
            ),
        )
        yield (
            f"umap {d}D",
            lambda d=d: umap.UMAP(n_components=d, metric="cosine", random_state=0, n_jobs=1).fit_transform(
                layouts.head.cloud
            ),
        )


def judged(layouts: HeadLayouts, affinities: Graph, layout: np.ndarray) -> list[float]:
    points, index = layouts.head.points, layouts.head.index
    queries, keys = points.queries[index], points.keys[index]
    return [
        *quality.neighbor_quality(layouts.head.cloud, layout, sample=200),
        kl_divergence(affinities, layout),
        quality.query_spearman(layout, queries, keys, sample=200),
        quality.input_spearman(layout, queries, keys, points.tokens.queries.input, points.tokens.keys.input, inputs=30),
        quality.top_keys_distance(layout, queries, keys, sample=500),
        quality.top_keys_share(layout, queries, keys, sample=500),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("points", type=Path, nargs="?", help="file of benchmarks.minilm_points")
    parser.add_argument("--synthetic", type=int, metavar="TOKENS", help="synthetic heads of 64 dimensions")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--tokens", type=int, help="use only this many queries and keys")
    parser.add_argument("--dims", type=int, nargs="+", default=(2, 3), choices=(2, 3))
    parser.add_argument("--ways", nargs="+", default=("ours",), choices=WAYS)
    given = parser.parse_args()
    if (given.points is None) == (given.synthetic is None):
        parser.error("give a file of points or --synthetic TOKENS")
    arrays = (
        synthetic(given.heads, given.synthetic) if given.synthetic else load(given.points, given.heads, given.tokens)
    )
    points = aligned(arrays)
    dims = tuple(given.dims)
    begin = time.process_time()
    start = {d: pca_layer(points, d) for d in dims}
    pca_seconds = (time.process_time() - begin) / points.heads / len(dims)
    warm_up()
    print(f"{points.heads} heads, {points.n_points} points of {points.queries.shape[2]} dimensions each")

    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    marks: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    makers = dict(zip(WAYS, (ours, umap_learn, opentsne, scikit_learn, authors), strict=True))
    peak = 0.0
    for way in given.ways:
        for index in range(points.heads):
            layouts = HeadLayouts(Head(points, index, print), start, 0, "fast", Watch(None, 1))
            affinities = affinity_graph(layouts.neighbors, perplexity_for(points.n_points))
            if way == "ours":
                for d in dims:
                    seconds[way, f"pca {d}D"].append(pca_seconds)
                    marks[way, f"pca {d}D"].append(judged(layouts, affinities, start[d][index]))
                layouts = HeadLayouts(layouts.head, start, 0, "fast", Watch(None, 1))
            for name, make in makers[way](layouts, dims):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    began = time.process_time()
                    layout = make()
                    seconds[way, name].append(time.process_time() - began)
                if layout.ndim == 2 and layout.shape[1] in (2, 3) and len(layout) == points.n_points:
                    marks[way, name].append(judged(layouts, affinities, layout))
            print(f"{way}: head {index + 1} of {points.heads}", file=sys.stderr, flush=True)
        if way == "ours":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

    columns = ("s/head", "trust", "recall", "KL", "ρq", "ρ input", "near", "top 10")
    print(f"{'way':13}{'layout':27}" + "".join(f"{column:>8}" for column in columns))
    for (way, name), spent in seconds.items():
        # The first head of a library pays its compilation: the median leaves it out.
        row = f"{way:13}{name:27}{np.median(spent):8.2f}"
        if marks[way, name]:
            t, r, kl, rho, rho_in, near, share = np.mean(marks[way, name], axis=0)
            row += f"{t:8.3f}{r:8.3f}{kl:8.2f}{rho:8.3f}{rho_in:8.3f}{near:8.3f}{share:8.3f}"
            low = min(mark[-1] for mark in marks[way, name])
            row += f"  (lowest {low:.2f})"
        print(row)
    for way in given.ways:
        total = sum(float(np.median(spent)) for (w, _), spent in seconds.items() if w == way)
        print(f"{way}: {total:.1f} CPU seconds a head, {total * ATLAS_HEADS / 60:.0f} minutes for {ATLAS_HEADS}")
    if peak:
        print(f"peak memory of ours: {peak:.0f} MB, with the points of all measured heads loaded")


if __name__ == "__main__":
    main()
