"""The layout engines side by side on a finished atlas: seconds a head of each map, and what the maps keep.

    python -m benchmarks.engines ATLAS                                 # fast beside torch on the CPU
    python -m benchmarks.engines ATLAS --device cuda --layers 6        # torch on a GPU
    python -m benchmarks.engines ATLAS --device cuda --others torchdr  # and TorchDR, where it is installed

Wall seconds a head, the neighbours of each method included; `fast` lays out with one thread a core, as a build does.
best, order, own: of the first heads of each layer, as in benchmarks.maps. Compare rows of one run.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from services.atlas import Atlas, ProjectionRef, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.fidelity import head_sample, layout_fidelity
from services.pipeline.units import layer_points
from services.projection import LayerPoints, layout_layer, methods, pca_layer, start_map, warm_up
from services.projection.points import Head

JUDGED = 2  # heads of each layer whose maps are measured
MEASURES = ("best_near", "query_spearman", "preferred_near", "trustworthiness")
OTHERS = {"torchdr": ("tsne", "umap")}

Way = Callable[[LayerPoints, ProjectionRef, dict[int, np.ndarray]], np.ndarray]


def ours(engine: str, device: str) -> Way:
    def lay_out(points: LayerPoints, ref: ProjectionRef, start: dict[int, np.ndarray]) -> np.ndarray:
        jobs = 1 if engine == "torch" else os.cpu_count() or 1
        return layout_layer(points, [ref], start=start, seed=0, engine=engine, device=device, jobs=jobs)[ref]

    return lay_out


def torchdr(device: str) -> Way:
    """TorchDR's classes with their own defaults, a head after the other, on the same clouds; a few heads of a layer."""
    import torchdr as library

    classes = {"tsne": library.TSNE, "umap": library.UMAP}

    def lay_out(points: LayerPoints, ref: ProjectionRef, _start: dict[int, np.ndarray]) -> np.ndarray:
        found = []
        for number in range(min(JUDGED, points.heads)):
            head = Head(points, number, lambda _text: None)
            map_of = classes[ref.method](n_components=ref.dims, device=device, random_state=0, backend=None)
            found.append(head.spread(np.asarray(map_of.fit_transform(head.cloud.astype(np.float32)))))
        return np.stack(found)

    return lay_out


def judged(points: LayerPoints, layouts: np.ndarray) -> list[list[float]]:
    rows = []
    for number in range(min(JUDGED, points.heads)):
        sample = head_sample(
            points.queries[number],
            points.keys[number],
            points.aligned_queries[number],
            points.aligned_keys[number],
            points.tokens,
        )
        values = layout_fidelity(sample, layouts[number]).values
        rows.append([np.nan if values.get(name) is None else float(values[name] or 0) for name in MEASURES])
    return rows


def compare(atlas: Atlas, stream: StreamInfo, ways: dict[str, Way], layers: list[int], dims: tuple[int, ...]) -> None:
    print(f"{stream.heads} heads a layer, {len(layers)} layers, {sum(atlas.points(stream))} points\n")
    print("| map | by | s a head | best | order | own | trust |\n|---|---|---|---|---|---|---|")
    every = {layer: layer_points(atlas.path, stream, layer) for layer in layers}
    starts = {layer: {d: pca_layer(points, d) for d in dims} for layer, points in every.items()}
    for size in dims:
        for method in methods():
            ref = ProjectionRef(method.name, size)
            if ref == start_map(size):
                continue
            for name, way in ways.items():
                if name in OTHERS and method.name not in OTHERS[name]:
                    continue
                way(every[layers[0]], ref, starts[layers[0]])  # compile, and fill the allocator
                began = time.perf_counter()
                found = {layer: way(points, ref, starts[layer]) for layer, points in every.items()}
                seconds = (time.perf_counter() - began) / sum(map(len, found.values()))
                means = np.nanmean([row for layer in layers for row in judged(every[layer], found[layer])], axis=0)
                print(
                    f"| {ref.name} | {name} | {seconds:.3f} | " + " | ".join(f"{m:.2f}" for m in means) + " |",
                    flush=True,
                )


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("atlas", type=Path, help="folder of an atlas")
    cli.add_argument("--device", default="cpu", help="of the torch engine, and of the others")
    cli.add_argument("--layers", type=int, default=1, help="so many layers, spread over the model")
    cli.add_argument("--dims", type=int, nargs="+", choices=(2, 3), default=(2,))
    cli.add_argument("--others", nargs="+", choices=tuple(OTHERS), default=())
    asked = cli.parse_args()
    atlas = open_atlas(asked.atlas)
    stream = atlas.info.streams[0]
    layers = np.unique(np.linspace(0, stream.layers - 1, min(asked.layers, stream.layers)).astype(int)).tolist()
    ways = {"fast": ours("fast", "cpu"), f"torch on {asked.device}": ours("torch", asked.device)}
    ways |= {name: {"torchdr": torchdr}[name](asked.device) for name in asked.others}
    warm_up()
    compare(atlas, stream, ways, layers, tuple(asked.dims))


if __name__ == "__main__":
    main()
