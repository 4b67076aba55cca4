"""Layouts on a Dask cluster of one worker and of two against processes of this machine: `python -m benchmarks.cluster`.

An atlas of MiniLM with PCA alone is made once and copied for each; then two maps are added to each copy, one thread a
process. The second number is the same command again, which finds nothing to do: what starting and connecting cost.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.atlas import open_atlas

ROOT = Path(__file__).parents[1]
MAPS = ("umap", "tsne")


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Address of a scheduler with so many workers, each a process with one thread."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made.scheduler_address


def build(folder: Path, corpus: Path, maps: str, *more: str) -> float:
    """Seconds of a build's process."""
    command = [sys.executable, "app.py", "build", "--quiet", "--corpus", str(corpus), "--out", str(folder)]
    begun = time.monotonic()
    subprocess.run(
        [*command, "--projections", maps, "--dims", "2", *more],
        cwd=ROOT,
        env={**os.environ, "ATLAS_HOME": str(folder.parent), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
    )
    return time.monotonic() - begun


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--inputs", type=int, default=172, help="sentences of the demo's corpus")
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        place = Path(aside)
        corpus, first = place / "corpus.txt", place / "first"
        lines = (ROOT / "demo/corpus/sentences.jsonl").read_text(encoding="utf-8").splitlines()[: options.inputs]
        corpus.write_text("\n".join(json.loads(line)["text"] for line in lines), encoding="utf-8")
        build(first, corpus, "pca")
        print(f"{open_atlas(first).info.corpus.tokens:,} tokens, 72 heads, {' and '.join(MAPS)} in 2D")
        print(f"{'':34} {'wall':>9} {'nothing to do':>15}")

        def measure(name: str, *more: str) -> None:
            folder = place / re.sub("[^a-z0-9]+", "-", name.lower())
            shutil.copytree(first, folder)
            wall, empty = (build(folder, corpus, ",".join(("pca", *MAPS)), *more) for _ in range(2))
            print(f"{name:34} {wall:7.1f} s {empty:13.1f} s", flush=True)

        for count in (1, 2):
            measure(f"this machine, {count} process{'es' if count > 1 else ''}", "--jobs", str(count))
        for count in (1, 2):
            with cluster(count) as address:
                measure(f"Dask, {count} worker{'s' if count > 1 else ''}", "--dask-scheduler", address)


if __name__ == "__main__":
    main()
