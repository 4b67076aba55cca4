"""The maps of an atlas beside each other: what they keep of attention, of position and words, and how heads differ.

    python -m benchmarks.maps ATLAS                    # every 2D map of the atlas, a folder
    python -m benchmarks.maps ATLAS --dims 3 --stream self
    python -m benchmarks.maps ATLAS --heads 12         # heads spread over all layers

best, order: the share of each query's 10 best keys among its 100 nearest (mean / worst head), and the mean per-query
Spearman of distance with q·k within its input (−1 is perfect). own: the same by (q − q̄)·k, what the preference map
is made of. mixing: queries among keys, 1 is perfect (median). trust, recall: neighbours kept. told: by 15 neighbours,
kNN-R² (mean), and in brackets as a share of the best of the maps of vectors (PCA, UMAP, t-SNE), over heads where that
is at least 0.1. looks: mean Hellinger distance, effective number, clusters (2D only).
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.map_looks import looks
from services.atlas import Atlas, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.layer import Layer
from services.measures.signature import signature, targets
from services.projection import is_method, method_of

FIDELITY = ("best_near", "query_spearman", "preferred_near", "preference_order", "mixing", "trustworthiness", "recall")
LEAST = 0.1

Found = dict[tuple[int, int], dict[str, float]]  # by layer and head, by measure


def measured(atlas: Atlas, stream: StreamInfo, names: list[str], cells: list[tuple[int, int]]) -> dict[str, Found]:
    """Every measure of some heads on maps by their names (umap2d); NaN where one is not defined."""
    found: dict[str, Found] = {name: {} for name in names}
    for number in sorted({layer for layer, _ in cells}):
        heads = [head for layer, head in cells if layer == number]
        layer = Layer(atlas, stream, number, names)
        for name in names:
            on = layer.on(name)
            columns = {measure: on.fidelity(measure) for measure in FIDELITY}
            columns |= {target.name: signature(target, on) for target in targets(atlas.info.modality)}
            for head in heads:
                values = {measure: column[head] for measure, column in columns.items()}
                found[name][number, head] = {
                    measure: value if isinstance(value, float) else np.nan for measure, value in values.items()
                }
    return found


def rows(atlas: Atlas, stream: StreamInfo, names: list[str], cells: list[tuple[int, int]]) -> list[list[str]]:
    found = measured(atlas, stream, names, cells)
    of_vectors = [name for name in names if _sees_vectors(name)]
    told = [target.name for target in targets(atlas.info.modality)]
    table = [["map", "best", "order", "own", "own order", "mixing", "trust", "recall", *told, "looks"]]
    for name in names:
        values = {m: np.array([found[name][cell][m] for cell in cells]) for m in (*FIDELITY, *told)}
        row = [
            name,
            f"{np.nanmean(values['best_near']):.3f} / {np.nanmin(values['best_near']):.3f}",
            f"{np.nanmean(values['query_spearman']):.2f}",
            f"{np.nanmean(values['preferred_near']):.3f} / {np.nanmin(values['preferred_near']):.3f}",
            f"{np.nanmean(values['preference_order']):.2f}",
            f"{np.nanmedian(values['mixing']):.2f}",
            f"{np.nanmean(values['trustworthiness']):.2f}",
            f"{np.nanmean(values['recall']):.2f}",
        ]
        for target in told:
            best = np.max([[found[other][cell][target] for cell in cells] for other in of_vectors or names], axis=0)
            tells = best >= LEAST
            share = f"{(values[target][tells] / best[tells]).mean():.2f}" if tells.any() else "–"
            row.append(f"{np.nanmean(values[target]):.2f} ({share})")
        if name.endswith("2d"):
            layouts = atlas.array(f"{stream.name}/{name}")
            seen = looks(np.stack([layouts[cell] for cell in cells]), atlas.points(stream)[0])
            row.append(f"{seen.distance:.2f} / {seen.effective:.0f} / {seen.clusters}")
        else:
            row.append("–")
        table.append(row)
    return table


def _sees_vectors(name: str) -> bool:
    method = name[:-2]
    return is_method(method) and method_of(method).needs == "vectors"


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("atlas", type=Path, help="folder of an atlas")
    cli.add_argument("--stream", help="by default the first")
    cli.add_argument("--dims", type=int, choices=(2, 3), default=2)
    cli.add_argument("--heads", type=int, help="only so many heads, spread over all layers")
    asked = cli.parse_args()
    atlas = open_atlas(asked.atlas)
    stream = atlas.stream(asked.stream) if asked.stream else atlas.info.streams[0]
    names = [p.name for p in atlas.info.projections if p.stream == stream.name and p.dims == asked.dims]
    if not names:
        raise SystemExit(f"this atlas has no {asked.dims}D map of {stream.name}")
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    if asked.heads and asked.heads < len(cells):
        cells = [cells[i] for i in np.linspace(0, len(cells) - 1, asked.heads).astype(int)]
    print(f"{len(cells)} heads of {atlas.info.title}, {sum(atlas.points(stream))} points, {asked.dims}D\n")
    for number, row in enumerate(rows(atlas, stream, names, cells)):
        print("| " + " | ".join(row) + " |")
        if not number:
            print("|" + "---|" * len(row))


if __name__ == "__main__":
    main()
