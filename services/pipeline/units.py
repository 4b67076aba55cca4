"""The work on one layer: read its vectors, align them, lay them out. Runs in worker processes."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from services.alignment import alignments
from services.alignment.transform import points_of_layer
from services.atlas import HEADS, ProjectionRef, arrays
from services.atlas.schema import StreamInfo
from services.atlas.vectors import stored_vectors
from services.measures.averages import Special
from services.pipeline.progress import layer_counter
from services.projection import LayerPoints, layout_layer, start_map
from services.streams import Places, StreamTokens


def stored_tokens(folder: Path, stream: StreamInfo) -> StreamTokens:
    """The tokens of a stream, in the order of its tables."""
    return StreamTokens(stream.mask, *(_places(folder, table) for table in (stream.query_table, stream.key_table)))


def _places(folder: Path, table: str) -> Places:
    file = pq.ParquetFile(folder / f"{table}.parquet")
    names = ["input", "position", "special", *(["global"] if "global" in file.schema_arrow.names else [])]
    columns = file.read(columns=names)
    flags = {name: columns[name].to_numpy(zero_copy_only=False).astype(bool) for name in names[2:]}
    return Places(columns["input"].to_numpy(), columns["position"].to_numpy(), flags.get("global"), flags["special"])


def special_tokens(folder: Path, stream: StreamInfo) -> Special:
    """Which rows of a stream's tables are special."""
    sides = (
        pq.read_table(folder / f"{table}.parquet", columns=["special"])["special"]
        for table in (stream.query_table, stream.key_table)
    )
    return Special(*(side.to_numpy(zero_copy_only=False).astype(bool) for side in sides))


def layer_points(folder: Path, stream: StreamInfo, layer: int) -> LayerPoints:
    """All that the projections need to know of one layer; `heads.parquet` says how its heads are aligned."""
    queries, keys = stored_vectors(folder, stream).layer(layer)
    known = alignments(pq.read_table(folder / HEADS).to_pydict(), stream.name)
    aligned = [known[layer, head] for head in range(stream.heads)]
    return points_of_layer(queries, keys, aligned, stored_tokens(folder, stream))


@lru_cache(maxsize=1)
def _serve(builder: int) -> None:
    """Make this process a worker of a build: deaf to Ctrl-C, which reaches the builder, and gone when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == builder:
            time.sleep(0.5)
        os._exit(1)  # killed: joblib's workers would wait for minutes

    threading.Thread(target=watch, daemon=True).start()


def follow(builder: int | None) -> None:
    """At the start of a unit of work: when another process of this machine builds, end with it."""
    if builder is not None and os.getpid() != builder:
        _serve(builder)


def layout_unit(
    folder: Path,
    stream: StreamInfo,
    layer: int,
    requests: Sequence[ProjectionRef],
    seed: int,
    engine: str,
    counters: Path,
    builder: int | None,
    device: str,
) -> tuple[int, list[str]]:
    """Lay out one layer and write it into the `.part` arrays of its projections.

    Args:
        builder: process id of the build, on the same machine; None for workers of a cluster.
        device: of the torch engine.

    Returns:
        The layer, and a sentence for each head that could not be laid out as asked.

    Raises:
        Cancelled: the build was stopped.
    """
    follow(builder)
    points = layer_points(folder, stream, layer)
    start = {
        dims: np.array(arrays.read(folder / start_map(dims).file(stream.name))[layer])
        for dims in {request.dims for request in requests}
    }
    notes: list[str] = []
    layouts = layout_layer(
        points,
        requests,
        start=start,
        seed=seed,
        engine=engine,
        device=device,
        progress=layer_counter(counters, layer),
        notes=notes,
    )
    for request, layout in layouts.items():
        array = arrays.reopen(folder / request.file(stream.name))
        array[layer] = layout
        array.flush()
    return layer, notes
