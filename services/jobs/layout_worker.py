"""`python -m services.jobs.layout_worker`: lays out single heads for the dashboard, which loads no compiled kernels.

One line of JSON a message. In: {"do": task} with the fields of services.jobs.refining.Task, {"cancel": id}. Out: {"id",
"state": "running" | "done" | "failed" | "stopped", "label", "share": 0..1, "message"}; the empty id is the process.
It ends when its input ends, or after ten idle minutes.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from services.alignment.head_maps import start_layout
from services.alignment.live import LiveAlignment, head_vectors, live_head
from services.alignment.variants import write_array
from services.atlas import ProjectionRef, open_atlas
from services.errors import AtlasError, Cancelled
from services.projection.layout import HeadLayouts, single_threaded_blas
from services.projection.parameters import EPOCHS, TSNE_ITERATIONS
from services.projection.points import Head, LayerPoints
from services.projection.watch import Watch
from services.streams import StreamTokens

IDLE = 600.0  # seconds without work after which the memory is given back
MOST_KEPT = 2000  # layouts of single heads that stay in the cache
STEPS = {"umap": EPOCHS, "tsne": TSNE_ITERATIONS}
Tell = Callable[..., None]


class Steps(Watch):
    """Counts the steps of one layout instead of heads; raises Cancelled when told to stop."""

    def __init__(self, told: Callable[[int], bool]) -> None:
        super().__init__(None, 1)
        self._told = told
        self._steps = 0

    def restart(self) -> None:
        self._steps = 0

    def check(self) -> None:
        self._steps += 1
        if self._told(self._steps):
            raise Cancelled("the layout was stopped")

    def head_done(self) -> None:
        pass


def lay_out_head(task: dict[str, Any], tell: Tell, stopped: Callable[[], bool]) -> np.ndarray:
    """One head under one alignment: float32 [points, dims].

    Starts from the atlas's own map of the head, or from PCA of the vectors as they are aligned now (`start`: "pca").

    Raises:
        Cancelled: it was told to stop.
    """
    atlas = open_atlas(Path(task["atlas"]))
    stream = atlas.stream(task["stream"])
    layer, head, alignment = int(task["layer"]), int(task["head"]), LiveAlignment.parse(task["alignment"])
    wanted = ProjectionRef(task["method"], int(task["dims"]))
    live = live_head(atlas, stream, layer, head)
    begin = wanted if task["start"] == "own" else ProjectionRef("pca", wanted.dims)
    own = start_layout(atlas, stream, layer, head, begin)
    start = live.pca(alignment, wanted.dims, own) if own is None or task["start"] == "pca" else own
    last = [0.0]
    phase: list[Any] = ["Finding neighbours", 0.0]

    def told(steps: int) -> bool:
        if time.monotonic() - last[0] > 0.1:
            last[0] = time.monotonic()
            share = phase[1] and min(1.0, phase[1] + 0.75 * steps / STEPS[wanted.method])
            tell(state="running", label=phase[0], share=share)
        return stopped()

    watch = Steps(told)
    notes: list[str] = []
    raw = head_vectors(atlas, stream, layer, head)
    points = _points(live.vectors(alignment), raw, atlas.stream_tokens(stream))
    layouts = HeadLayouts(Head(points, 0, notes.append), {wanted.dims: start[None]}, 0, "fast", watch)
    with single_threaded_blas():
        plain = layouts.plain(wanted)
        if plain is not None:
            return plain
        layouts.neighbors  # noqa: B018  (found here, so that its steps are not counted as the layout's)
        phase[:] = ["Laying out", 0.25]
        watch.restart()
        if wanted.method == "umap":
            found = layouts.turned(layouts.umap(wanted.dims))
        else:  # from where the points are, as a refinement should; the build's t-SNE starts from UMAP
            found = layouts.engine.tsne_layout(layouts.head.cloud, layouts.neighbors, start, 0, watch)
            found = layouts.turned(found)
    return found.astype(np.float32)


def _points(
    aligned: tuple[np.ndarray, np.ndarray], raw: tuple[np.ndarray, np.ndarray], tokens: StreamTokens
) -> LayerPoints:
    return LayerPoints(
        queries=raw[0][None],
        keys=raw[1][None],
        aligned_queries=aligned[0][None].astype(np.float32),
        aligned_keys=aligned[1][None].astype(np.float32),
        tokens=tokens,
    )


def prune(folder: Path) -> None:
    """Keep the newest MOST_KEPT layouts of single heads."""
    files = sorted(folder.glob("head-*.npy"), key=lambda file: -file.stat().st_mtime)
    for file in files[MOST_KEPT:]:
        file.unlink(missing_ok=True)


def serve(lines: IO[str], answers: IO[str]) -> None:
    """Work until the input ends."""
    tasks: queue.Queue[dict[str, Any] | None] = queue.Queue()
    cancelled: set[str] = set()
    lock = threading.Lock()

    def tell(id: str, **more: Any) -> None:
        with lock:
            answers.write(json.dumps({"id": id, **more}) + "\n")
            answers.flush()

    def read() -> None:
        for line in lines:
            message = json.loads(line)
            if "do" in message:
                cancelled.discard(message["do"]["id"])
                tasks.put(message["do"])
            else:
                cancelled.add(message["cancel"])
        tasks.put(None)
        cancelled.add("*")  # whoever asked is gone

    threading.Thread(target=read, daemon=True).start()
    tell("", state="ready")
    while True:
        try:
            task = tasks.get(timeout=IDLE)
        except queue.Empty:
            return
        if task is None:
            return
        one = task["id"]

        def stopped(one: str = one) -> bool:
            return one in cancelled or "*" in cancelled

        try:
            if stopped():
                raise Cancelled("stopped")
            out = Path(task["out"])
            if not out.is_file():
                layout = lay_out_head(task, lambda one=one, **more: tell(one, **more), stopped)  # type: ignore[misc]
                write_array(out, layout)
                prune(out.parent)
            tell(one, state="done")
        except Cancelled:
            tell(one, state="stopped")
        except (AtlasError, OSError, ValueError, KeyError, IndexError, MemoryError) as error:
            tell(one, state="failed", message=str(error) or type(error).__name__)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the dashboard, which closes our input
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing a library prints may look like an answer
    serve(sys.stdin, answers)
