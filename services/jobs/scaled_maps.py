"""The kind "maps": all heads laid out with the c of another metric than the atlas's own.

PCA needs no job (services.alignment.variants). A map that is there already is left alone; finished layers of one that
was stopped are kept beside it and not made again.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from services.alignment import align
from services.alignment.fitting import fitted_of_head
from services.alignment.transform import points_of_layer
from services.alignment.variants import ScaleVariant, scale_variant, write_array
from services.atlas import Atlas, arrays, open_atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.errors import BuildError, Cancelled
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import Job, JobSpec
from services.models.cores import cores
from services.projection import START, methods, start_map

if TYPE_CHECKING:
    from services.projection import LayerPoints


class MapArguments(Arguments):
    """The folder of the atlas, and which maps: those of every method in every number of dimensions."""

    atlas: str
    stream: str | None = Field(default=None, description="None: the atlas's first")
    metric: Literal["weighted", "scaled", "norms", "pearson"]
    methods: tuple[str, ...] = Field(default_factory=lambda: tuple(made_by_jobs()), min_length=1)
    dims: tuple[Literal[2, 3], ...] = (2,)

    @field_validator("methods", "dims", mode="before")
    @classmethod
    def _parts(cls, value: Any) -> Any:
        """As a terminal gives them, with commas."""
        if not isinstance(value, str):
            return value
        return [int(part) if part.strip().isdecimal() else part.strip() for part in value.split(",")]

    @field_validator("methods")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in value if name not in made_by_jobs()]
        if wrong:
            raise ValueError(f"must be some of {', '.join(made_by_jobs())}, not {', '.join(wrong)}")
        return value


def made_by_jobs() -> list[str]:
    """Methods whose maps change with c and take a while."""
    return [method.name for method in methods() if method.follows_alignment and method is not START]


def map_spec(atlas: Atlas, stream: StreamInfo, metric: str, methods: list[str], dims: int, owner: str = "") -> JobSpec:
    values = {"atlas": str(atlas.path), "stream": stream.name, "metric": metric, "methods": methods, "dims": [dims]}
    return JobSpec.of(MAPS.name, MAPS.read(values), owner)


@dataclass(frozen=True)
class MapStatus:
    """How the maps of one metric and number of dimensions stand.

    missing: methods without a map by this metric · job: what makes them, or did lately
    """

    missing: list[str]
    job: Job | None

    @property
    def under_way(self) -> bool:
        return self.job is not None and self.job.active


def map_status(
    jobs: Backend, folder: Path, atlas: Atlas, stream: StreamInfo, metric: str, dims: int
) -> MapStatus | None:
    """None when the atlas has no study of the metric.

    folder: of the maps in the cache
    """
    variant = scale_variant(atlas, stream, metric, folder)
    if variant is None:
        return None
    missing = [p.method for p in variant.missing(dims)]
    wanted = {"atlas": str(atlas.path), "stream": stream.name, "metric": metric, "dims": [dims]}
    ours = [job for job in jobs.list() if job.kind == MAPS.name and _has(job, wanted)]
    return MapStatus(missing, max(ours, key=lambda job: (job.active, job.updated), default=None))


def _has(job: Job, values: dict[str, Any]) -> bool:
    return all(job.arguments.get(name) == value for name, value in values.items())


def make_maps(arguments: MapArguments, running: Running) -> None:
    """Lay out every head by several methods, each with the c of the metric, and keep the maps in the cache.

    Raises:
        Cancelled: a stop was asked for.
        AtlasError: the atlas has no study, or the disk is full.
    """
    from services.projection import layout_layer

    atlas, metric = open_atlas(Path(arguments.atlas)), arguments.metric
    stream = atlas.info.stream(arguments.stream) if arguments.stream else atlas.info.default_stream
    if stream is None:
        raise BuildError(f"{arguments.atlas} has no attention {arguments.stream!r}.")
    variant = scale_variant(atlas, stream, metric, running.settings.maps)
    if variant is None:
        raise BuildError(f"{atlas.slug} has no scaling study of {metric}.")
    label, heads = f"Maps of {atlas.slug} by {metric}", stream.heads
    requests = {projection.ref.own: projection for projection in _missing(variant, arguments)}
    threads = running.settings.jobs or cores()
    for layer in range(stream.layers if requests else 0):
        todo = [request for request, projection in requests.items() if not _part(variant, projection, layer).is_file()]

        def told(done: int, _total: int, layer: int = layer) -> bool:
            return running.report(label, layer * heads + done, stream.layers * heads)

        if told(0, heads):
            raise Cancelled("Stopped.")
        if not todo:
            continue
        points = _layer_points(atlas, stream, variant, layer)
        start = {dims: np.array(_pca(variant, stream, dims)[layer]) for dims in {request.dims for request in todo}}
        found = layout_layer(points, todo, start=start, seed=0, jobs=threads, progress=told)
        for request, layout in found.items():
            write_array(_part(variant, requests[request], layer), layout)
    for projection in requests.values():
        parts = [_part(variant, projection, layer) for layer in range(stream.layers)]
        write_array(variant.file(projection), np.stack([arrays.read(part) for part in parts]))
        with suppress(OSError):
            shutil.rmtree(parts[0].parent)


def _part(variant: ScaleVariant, projection: ProjectionInfo, layer: int) -> Path:
    """Where a finished layer waits for the others: float32 [heads, points, dims]."""
    file = variant.file(projection)
    return file.with_name(f"{file.stem}.layers") / f"{layer}.npy"


def _missing(variant: ScaleVariant, wanted: MapArguments) -> list[ProjectionInfo]:
    return [p for p in variant.missing() if p.method in wanted.methods and p.dims in wanted.dims]


def _pca(variant: ScaleVariant, stream: StreamInfo, dims: int) -> np.ndarray:
    found = next(p for p in variant.info.projections if p.ref.own == start_map(dims))
    return variant.layout(found)


def _layer_points(atlas: Atlas, stream: StreamInfo, variant: ScaleVariant, layer: int) -> "LayerPoints":
    queries, keys = atlas.vectors(stream).layer(layer)
    distance = atlas.info.alignment.distance
    aligned = [
        align(q, k, float(variant.c[layer, head]), distance, fitted_of_head(atlas, stream, q, k))[2]
        for head, (q, k) in enumerate(zip(queries, keys, strict=True))
    ]
    return points_of_layer(queries, keys, aligned, atlas.stream_tokens(stream))


MAPS = JobKind(
    name="maps",
    arguments=MapArguments,
    title=lambda arguments: f"Making the maps of {Path(arguments.atlas).name} by {arguments.metric}",
    subject=lambda arguments: arguments.atlas,
    run=make_maps,
)
