"""Work done a layer at a time by several processes: watched, stopped and taken up again in one way."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from services.atlas import arrays
from services.atlas.schema import StreamInfo
from services.errors import BuildError, Cancelled
from services.pipeline.journal import Journal
from services.pipeline.progress import Counters, Progress
from services.pipeline.workers import Workers


@contextmanager
def told(progress: Progress) -> Iterator[None]:
    """Say in the build's words why the workers ended."""
    try:
        yield
    except (Cancelled, TerminatedWorkerError) as error:
        progress.check()  # a SIGTERM for the whole group ends the workers first
        if isinstance(error, Cancelled):
            raise
        raise BuildError(
            "A worker process was killed, perhaps for lack of memory: "
            "run the same command again with fewer --jobs; finished layers are kept."
        ) from error


@contextmanager
def counted(folder: Path, stream: StreamInfo, finished: set[int], progress: Progress) -> Iterator[Counters]:
    """Counters of finished heads, watched by a thread that shows them and passes on a stop."""
    counters = Counters(folder / "counters.npy", stream.layers)
    counters.preset(finished, stream.heads)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            if progress.stopping:
                counters.stop()
            progress.show(counters.total())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield counters
        ended.set()
        watcher.join()
        progress.update(counters.total())
    finally:
        ended.set()
        watcher.join()
        counters.stop()
        counters.close()


def by_layer(
    folder: Path,
    stream: StreamInfo,
    name: str,
    label: str,
    unit: Callable[..., Any],
    arguments: Sequence[Any],
    journal: Journal,
    progress: Progress,
    workers: Workers,
    *,
    stage: str = "",
    alone: bool = False,
) -> list[Any]:
    """The results of `unit` for every layer, as JSON gives them back; finished layers survive a stop.

    Args:
        name: of the stage, without "/": finished layers lie in `<stream>/<name>.L<layer>.part` until all are there.
        stage: under which its seconds are counted, if not under `name`.
        unit: called as unit(folder, stream, layer, counters, builder, *arguments) in a worker process.
        alone: in this process: there is too little to do for others.
    """
    counted_as = _stage(stream, name)
    done = {layer for layer in journal.done(counted_as) if _result(folder, stream, name, layer) is not None}
    progress.stage(stage or name, label, stream.layers * stream.heads)
    with counted(folder, stream, done, progress) as counters, told(progress):
        units = (
            joblib.delayed(_numbered)(unit, folder, stream, layer, counters.path, workers.builder, *arguments)
            for layer in range(stream.layers)
            if layer not in done
        )
        with workers.results(units, alone=alone) as results:
            for layer, result in results:
                arrays.write_json(_part(folder, stream, name, layer), result)
                done.add(layer)
                journal.record(counted_as, done)
                progress.note(f"{label}: layer {layer} is done")
                progress.check()
    return [_result(folder, stream, name, layer) for layer in range(stream.layers)]


def forget_layers(folder: Path, stream: StreamInfo, kind: str, journal: Journal, keep: str = "") -> None:
    """Remove what `by_layer` kept of all stages whose names start with `kind`, but for the stage `keep`."""
    for part in (folder / stream.name).glob(f"{kind}*.L*.part"):
        if part.name.rpartition(".L")[0] != keep:
            part.unlink(missing_ok=True)
    prefix = _stage(stream, kind)
    if any(stage.startswith(prefix) and stage != _stage(stream, keep) for stage in journal.stages()):
        journal.forget(prefix, keep=_stage(stream, keep))


def _stage(stream: StreamInfo, name: str) -> str:
    """Under which name the journal counts finished layers."""
    return f"{stream.name}:{name}"


def _numbered(unit: Callable[..., Any], folder: Path, stream: StreamInfo, layer: int, *rest: Any) -> tuple[int, Any]:
    return layer, unit(folder, stream, layer, *rest)


def _part(folder: Path, stream: StreamInfo, name: str, layer: int) -> Path:
    return folder / stream.name / f"{name}.L{layer}.part"


def _result(folder: Path, stream: StreamInfo, name: str, layer: int) -> Any | None:
    try:
        return json.loads(_part(folder, stream, name, layer).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
