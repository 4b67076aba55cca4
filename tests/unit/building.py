"""What the tests of builds share: tiny models, a corpus, the command run in this process or in one of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from services.pipeline.request import BuildRequest

ROOT = Path(__file__).parents[2]
TEXTS = (
    "the cat sat on the mat because it was tired.",
    "the dog sat.",
    "a cat, a dog and the mat",
    "it was the cat",
    "because the dog was tired, the cat sat on the mat.",
)

# Put on the path of a subprocess: logs each captured input and each laid out layer, and takes its time over them.
SLOW = """
import os, sys, time
if os.environ.get("SLOW_STAGE") == "capture":
    import services.capture
    plain = services.capture.capture
    def capture(loaded, inputs, **options):
        for item in plain(loaded, inputs, **options):
            time.sleep(float(os.environ["SLOW_SECONDS"]))
            with open(os.environ["SLOW_LOG"], "a") as log:
                log.write(f"{len(inputs[item.index])}\\n")
            yield item
    services.capture.capture = capture
elif os.environ.get("SLOW_STAGE") == "layout":
    import services.pipeline.units as units
    plain_layout = units.layout_layer
    def layout_layer(points, requests, **options):
        time.sleep(float(os.environ["SLOW_SECONDS"]))
        with open(os.environ["SLOW_LOG"], "a") as log:
            log.write(" ".join(request.name for request in requests) + "\\n")
        return plain_layout(points, requests, **options)
    units.layout_layer = layout_layer
"""


def write_corpus(file: Path, texts=TEXTS) -> Path:
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def request_for(model: Path, corpus: Path, projections=("pca",), dims=(2, 3), **choices) -> BuildRequest:
    return BuildRequest(model=str(model), corpus=str(corpus), projections=projections, dims=dims, **choices)


def start(arguments, home: Path, slow: Path | None = None, stage: str = "", seconds: float = 0.0) -> subprocess.Popen:
    """Start `python app.py build`; with `slow` a log of its steps is written there."""
    environment = {**os.environ, "ATLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    if slow is not None:
        (slow.parent / "path").mkdir(exist_ok=True)
        (slow.parent / "path" / "sitecustomize.py").write_text(SLOW)
        environment |= {
            "PYTHONPATH": os.pathsep.join([str(slow.parent / "path"), str(ROOT)]),
            "SLOW_LOG": str(slow),
            "SLOW_STAGE": stage,
            "SLOW_SECONDS": str(seconds),
        }
    return subprocess.Popen(
        [sys.executable, "app.py", "build", "--quiet", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def options_of(model, corpus, out, *more):
    """Arguments of a build in 2D."""
    return ["--model", model, "--corpus", corpus, "--dims", "2", "--out", out, *more]


def finish(process: subprocess.Popen) -> tuple[int, str]:
    """Wait for the end; exit code and what was written to stderr."""
    _, errors = process.communicate(timeout=150)
    return process.returncode, errors


def wait_for(condition, process: subprocess.Popen) -> None:
    """Until `condition()` holds; fails when the process ends before."""
    limit = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)  # ends when its workers have gone too


def noted(folder: Path, stage: str) -> list[int]:
    """Finished units of a stage, as the journal of a running build has them."""
    try:
        done = json.loads((folder / "build.json").read_text())["done"]
    except (OSError, ValueError):
        return []
    return [
        unit for name, ranges in done.items() if name.startswith(stage) for a, b in ranges for unit in range(a, b + 1)
    ]


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def everything(folder: Path) -> list[str]:
    """All files and folders below, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    return {str(file.relative_to(folder)): np.load(file) for file in sorted(folder.rglob("*.npy"))}


def same_arrays(first: Path, second: Path) -> bool:
    one, other = arrays_of(first), arrays_of(second)
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def copy(atlas: Path, to: Path) -> Path:
    shutil.copytree(atlas, to)
    return to
