"""Placing new points in every head of an atlas: time, and error against where the layout itself put those points.

    python -m benchmarks.placing ATLAS --tokens 50

The last tokens of the corpus are taken out of the finished maps and placed back among the others. The error of a point
is its distance from its place in the full map, in units of the median distance between two points of that map.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from services.atlas import ProjectionRef, open_atlas
from services.pipeline.units import layer_points
from services.projection import LayerPoints, place


def rows(points: LayerPoints, chosen: slice) -> LayerPoints:
    """The tokens of a layer in `chosen`, as queries and as keys."""
    vectors = ("queries", "keys", "aligned_queries", "aligned_keys")
    return dataclasses.replace(
        points,
        **{name: getattr(points, name)[:, chosen] for name in vectors},
        tokens=points.tokens.some(chosen, chosen),
    )


def typical_distance(layout: np.ndarray, rng: np.random.Generator) -> float:
    """Median distance of two points of one head's layout [points, dims]."""
    first, second = rng.integers(len(layout), size=(2, 4000))
    return float(np.median(np.linalg.norm(layout[first] - layout[second], axis=1)))


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("atlas", type=Path)
    cli.add_argument("--tokens", type=int, default=50)
    options = cli.parse_args()
    atlas, new = open_atlas(options.atlas), options.tokens
    stream, rng = atlas.info.default_stream, np.random.default_rng(0)
    seconds: dict[str, float] = {}
    errors: dict[str, list[float]] = {}
    chance: dict[str, list[float]] = {}
    for layer in range(stream.layers):
        points = layer_points(atlas.path, stream, layer)
        old, added = rows(points, slice(None, -new)), rows(points, slice(-new, None))
        for projection in atlas.info.projections:
            layout = np.array(atlas.layout(projection)[layer])
            n = layout.shape[1] // 2
            kept = np.concatenate([layout[:, : n - new], layout[:, n : 2 * n - new]], axis=1)
            true = np.concatenate([layout[:, n - new : n], layout[:, 2 * n - new :]], axis=1)
            request = ProjectionRef(projection.method, projection.dims)
            start = time.perf_counter()
            placed = place(old, added, {request: kept})[request]
            name = projection.name
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
            for head in range(stream.heads):
                unit = typical_distance(layout[head], rng) or 1.0
                random = kept[head][rng.integers(kept.shape[1], size=2 * new)]
                errors.setdefault(name, []).append(
                    float(np.median(np.linalg.norm(placed[head] - true[head], axis=1)) / unit)
                )
                chance.setdefault(name, []).append(float(np.median(np.linalg.norm(random - true[head], axis=1)) / unit))
    print(f"{new} new tokens (queries and keys) in {stream.layers * stream.heads} heads\n")
    print("| map | seconds, all heads | median error | of a random place |\n|---|--:|--:|--:|")
    for name, spent in seconds.items():
        print(f"| {name} | {spent:.2f} | {np.mean(errors[name]):.3f} | {np.mean(chance[name]):.2f} |")


if __name__ == "__main__":
    main()
