"""`python -m services.jobs.scaled_maps <atlas folder> --metric pearson`: maps made with the c of another metric.

PCA needs no build (services.alignment.variants). A map that is there already is left alone; SIGTERM stops, the maps
that are whole stay.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from services.alignment import align
from services.alignment.scale_metrics import METRICS
from services.alignment.variants import ScaleVariant, scale_variant, write_array
from services.atlas import Atlas, ProjectionRef, arrays, open_atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.errors import AtlasError, BuildError, Cancelled
from services.jobs.builds import ONE_THREAD, ROOT, Job, jobs
from services.settings import Settings, load_settings

if TYPE_CHECKING:
    from services.projection import LayerPoints


def job_name(slug: str, stream: str, metric: str) -> str:
    """How the job calls itself, and its progress file."""
    return f"{slug}-{stream}-{metric}"


def scale_job(settings: Settings, atlas: Atlas, stream: StreamInfo, metric: str) -> Job | None:
    """The build of these maps that runs or has just ended."""
    name = job_name(atlas.slug, stream.name, metric)
    return next((job for job in jobs(settings) if job.slug == name), None)


def start_scaled_build(
    settings: Settings, atlas: Atlas, stream: StreamInfo, metric: str, methods: list[str], dims: int
) -> None:
    """Make maps beside this process."""
    name = job_name(atlas.slug, stream.name, metric)
    arguments = ["--stream", stream.name, "--metric", metric, "--methods", ",".join(methods), "--dims", str(dims)]
    with (settings.progress / "build.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.jobs.scaled_maps", str(atlas.path), *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **ONE_THREAD, "ATLAS_HOME": str(settings.home)},
        )
    now = time.time()
    first = {"slug": name, "pid": process.pid, "state": "running", "label": "Starting", "updated": now}
    arrays.write_json(settings.progress / f"{name}.json", first)


def stop_scaled_build(settings: Settings, atlas: Atlas, stream: StreamInfo, metric: str) -> None:
    """Ask the build of these maps to end."""
    (settings.progress / f"{job_name(atlas.slug, stream.name, metric)}.stop").touch()


def make_maps(atlas: Atlas, stream: StreamInfo, metric: str, wanted: list[tuple[str, int]], settings: Settings) -> None:
    """Lay out every head by several methods, each with the c of the metric, and keep the maps in the cache.

    Raises:
        Cancelled: a stop was asked for.
        AtlasError: the atlas has no study, or the disk is full.
    """
    from services.pipeline.progress import Progress
    from services.projection import layout_layer

    name = job_name(atlas.slug, stream.name, metric)
    stop = settings.progress / f"{name}.stop"
    stop.unlink(missing_ok=True)
    progress = Progress(name, settings.progress / f"{name}.json", bar=False)
    signal.signal(signal.SIGTERM, lambda *_: progress.stop())
    try:
        variant = scale_variant(atlas, stream, metric, settings.maps)
        if variant is None:
            raise BuildError(f"{atlas.slug} has no scaling study of {metric}.")
        todo = _missing(variant, stream, wanted)
        requests = {projection.ref.own: projection for projection in todo}
        label = f"Maps of {atlas.slug} by {metric}"
        progress.stage("maps", label, stream.layers * stream.heads)
        points_of = sum(atlas.points(stream))
        layouts = {
            wanted: np.zeros((stream.layers, stream.heads, points_of, wanted.dims), np.float32) for wanted in requests
        }
        for layer in range(stream.layers if requests else 0):
            points = _layer_points(atlas, stream, variant, layer)
            start = {dims: np.array(_pca(variant, stream, dims)[layer]) for dims in {ref.dims for ref in requests}}

            def told(done: int, _total: int, layer: int = layer) -> bool:
                progress.show(layer * stream.heads + done)
                return progress.stopping or stop.is_file()

            threads = settings.jobs or os.cpu_count() or 1
            found = layout_layer(points, list(requests), start=start, seed=0, jobs=threads, progress=told)
            for request, layout in found.items():
                layouts[request][layer] = layout
        for request, projection in requests.items():
            write_array(variant.file(projection), layouts[request])
    except Cancelled:
        progress.finish("stopped", "Stopped.")
        raise
    except AtlasError as error:
        progress.finish("failed", str(error))
        raise
    except BaseException:
        progress.finish("failed", "It ended unexpectedly; start it again.")
        raise
    finally:
        stop.unlink(missing_ok=True)
    progress.finish("finished")


def _missing(variant: ScaleVariant, stream: StreamInfo, wanted: list[tuple[str, int]]) -> list[ProjectionInfo]:
    refs = {ProjectionRef(method, dims) for method, dims in wanted if method != "attention"}  # not changed by any c
    maps = [p for p in variant.info.projections if p.stream == stream.name]
    return [p for p in maps if p.ref.own in refs and not variant.ready(p)]


def _pca(variant: ScaleVariant, stream: StreamInfo, dims: int) -> np.ndarray:
    found = next(p for p in variant.info.projections if p.method == "pca" and p.dims == dims)
    return variant.layout(found)


def _layer_points(atlas: Atlas, stream: StreamInfo, variant: ScaleVariant, layer: int) -> "LayerPoints":
    queries, keys = atlas.vectors(stream).layer(layer)
    distance = atlas.info.alignment.distance
    pairs = zip(queries, keys, strict=True)
    aligned = [align(q, k, float(variant.c[layer, head]), distance)[:2] for head, (q, k) in enumerate(pairs)]
    from services.projection import LayerPoints

    return LayerPoints(
        queries=queries,
        keys=keys,
        aligned_queries=np.stack([q for q, _ in aligned]),
        aligned_keys=np.stack([k for _, k in aligned]),
        tokens=atlas.stream_tokens(stream),
    )


def main(arguments: list[str]) -> int:
    cli = argparse.ArgumentParser(prog="python -m services.jobs.scaled_maps", description=__doc__)
    cli.add_argument("folder", type=Path, help="the atlas")
    cli.add_argument("--stream", default="self", help="kind of attention (default: self)")
    cli.add_argument("--metric", required=True, choices=METRICS, help="what chooses the c of each head")
    cli.add_argument("--methods", default="umap,tsne", help="comma-separated, of: umap, tsne (default: both)")
    cli.add_argument("--dims", default="2", help="comma-separated, of: 2, 3 (default: 2)")
    options = cli.parse_args(arguments)
    try:
        settings = load_settings()
        settings.make_folders()
        wanted = [(m, int(d)) for m in options.methods.split(",") for d in options.dims.split(",")]
        atlas = open_atlas(options.folder)
        stream = atlas.info.stream(options.stream)
        if stream is None:
            raise BuildError(f"{options.folder} has no attention {options.stream!r}.")
        make_maps(atlas, stream, options.metric, wanted, settings)
    except (AtlasError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
