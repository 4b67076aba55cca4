"""PCA of an atlas's heads with sinks left out of the fit in different ways: what it keeps.

    python -m benchmarks.fits ATLAS --heads 24

shown: of the spread of all tokens but the first of each input, the share that the plane shows. best, order, mixing,
trust: as in benchmarks.maps, of all tokens. left out: of the keys, mean and most of a head.
"""

import argparse
from pathlib import Path

import numpy as np

from services.alignment import align
from services.alignment.fitting import WITHOUT, fitted_points, fitted_tokens
from services.alignment.transform import points_of_layer
from services.atlas import Atlas, open_atlas
from services.atlas.schema import StreamInfo, Without
from services.measures.fidelity import head_sample, layout_fidelity
from services.projection import pca_layer

MEASURES = ("best_near", "query_spearman", "mixing", "trustworthiness")


def measured(atlas: Atlas, stream: StreamInfo, cell: tuple[int, int], without: Without) -> list[float]:
    """shown, each of MEASURES, and the share of the keys left out, of one head."""
    tokens = atlas.stream_tokens(stream)
    queries, keys = atlas.vectors(stream).head(*cell)
    fitted = fitted_tokens(queries, keys, tokens, without)
    _, _, alignment = align(queries, keys, None, atlas.info.alignment.distance, fitted)
    points = points_of_layer(queries[None], keys[None], [alignment], tokens)
    layout = pca_layer(points, 2, fitted=fitted_points(points, without))[0]
    others = np.concatenate([tokens.queries.position != 0, tokens.keys.position != 0])
    cloud = np.concatenate([points.aligned_queries[0], points.aligned_keys[0]])[others].astype(np.float64)
    shown = layout[others].var(axis=0).sum() / cloud.var(axis=0).sum()
    sample = head_sample(queries, keys, points.aligned_queries[0], points.aligned_keys[0], tokens)
    values = layout_fidelity(sample, layout).values
    found = [values.get(name) for name in MEASURES]
    return [shown, *(np.nan if v is None else v for v in found), 0.0 if fitted is None else 1 - fitted[1].mean()]


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("atlas", type=Path, help="folder of an atlas")
    cli.add_argument("--stream", help="by default the first")
    cli.add_argument("--heads", type=int, default=24, help="so many heads, spread over all layers")
    asked = cli.parse_args()
    atlas = open_atlas(asked.atlas)
    stream = atlas.stream(asked.stream) if asked.stream else atlas.info.streams[0]
    cells = [(layer, head) for layer in range(stream.layers) for head in range(stream.heads)]
    cells = [cells[i] for i in np.linspace(0, len(cells) - 1, min(asked.heads, len(cells))).astype(int)]
    print(f"{len(cells)} heads of {atlas.info.title}, {sum(atlas.points(stream))} points, PCA, 2D\n")
    print("| fitted without | shown | best | order | mixing | trust | left out |\n" + "|---" * 7 + "|")
    for without in WITHOUT:
        rows = np.array([measured(atlas, stream, cell, without) for cell in cells], np.float64)
        means = [f"{value:.3f}" for value in np.nanmean(rows[:, :-1], axis=0)]
        print("|", " | ".join([without, *means, f"{rows[:, -1].mean():.3f}, {rows[:, -1].max():.3f}"]), "|", flush=True)


if __name__ == "__main__":
    main()
