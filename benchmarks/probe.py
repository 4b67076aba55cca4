"""How long a probe takes, cold and warm, how exact its places are, and what ten of them leave behind.

    python -m benchmarks.probe HOME ATLAS            # every own map of the atlas; in a copy of the home folder

Asks as a page does: a job, and a look every 20 ms. Cold: no process runs and nothing is kept. attention, placed:
seconds until the attention of all heads can be read, until the tokens are placed in all heads of a map; error: the
median and the largest over the heads of how far off tokens are placed, in percent of the frame's width.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from services.atlas import Atlas, open_atlas
from services.atlas.schema import ProjectionInfo
from services.jobs.local import LocalJobs
from services.jobs.probes import DIED, PROBE, probe_wish
from services.jobs.wishes import want
from services.probe.asked import Asked
from services.probe.kept import errors, find
from services.settings import Settings

TEXT = "the cat sat on the mat because it was tired"


def probed(
    jobs: LocalJobs, settings: Settings, atlas: Atlas, text: str, projection: ProjectionInfo
) -> tuple[float, float, int]:
    """Seconds until its attention is there and until it is placed, and its tokens."""
    start, asked, attention = time.perf_counter(), Asked(text), 0.0
    wish = probe_wish(settings, atlas, asked, projection, "benchmark")
    while True:
        status = want(jobs, PROBE, [wish], "benchmark", DIED)[0]
        kept = find(settings.probes, atlas, asked.id(atlas))
        attention = attention or (time.perf_counter() - start if kept else 0.0)
        if kept and kept.places(projection) is not None:
            return attention, time.perf_counter() - start, max(kept.lengths(atlas.info.default_stream))
        if status.state in ("failed", "busy"):
            raise SystemExit(status.message)
        time.sleep(0.02)


def process_of(settings: Settings) -> psutil.Process:
    """The one with the model."""
    for process in psutil.process_iter():
        line = process.cmdline()
        ours = "services.jobs.run" in line and PROBE.name in line
        if ours and process.environ().get("ATLAS_HOME") == str(settings.home):
            return process
    raise SystemExit("The process has ended.")


def main() -> None:
    cli = argparse.ArgumentParser(prog="python -m benchmarks.probe", description=__doc__)
    cli.add_argument("home", type=Path)
    cli.add_argument("atlas", help="slug")
    cli.add_argument("--text", default=TEXT)
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(options.home / "atlases" / options.atlas, home / "atlases" / options.atlas)
        if (options.home / "models").is_dir():
            (home / "models").symlink_to((options.home / "models").resolve())
        settings = Settings(home=home, demo=False)
        settings.make_folders()
        jobs = LocalJobs(settings)
        atlas = open_atlas(settings.atlases / options.atlas)
        maps = [one for one in atlas.info.projections if one.stream == atlas.info.default_stream.name]
        attention, placed, tokens = probed(jobs, settings, atlas, options.text, maps[0])
        print(f"{tokens} tokens; cold: attention {attention:.1f} s, placed in {maps[0].name} {placed:.1f} s")
        for projection in maps:
            probed(jobs, settings, atlas, options.text, projection)
            while (found := errors(settings.probes, atlas, projection)) is None:
                wish = probe_wish(settings, atlas, Asked(options.text), projection, "benchmark")
                want(jobs, PROBE, [wish], "benchmark", DIED)
                time.sleep(0.02)
            texts = [f"{options.text} {'!' * (number + 1)}{projection.name[0]}" for number in range(3)]
            warm = np.median([probed(jobs, settings, atlas, text, projection)[:2] for text in texts], axis=0)
            error = f"{100 * np.nanmedian(found):.2g} / {100 * np.nanmax(found):.2g} %"
            print(f"{projection.name:14} warm: attention {warm[0]:.2f} s, placed {warm[1]:.2f} s; error {error}")
        process = process_of(settings)
        before = process.memory_info().rss, process.num_fds()
        for number in range(10):
            probed(jobs, settings, atlas, f"{options.text} {number}", maps[0])
        after = process.memory_info().rss, process.num_fds()
        told = [f"{size / 1e6:.0f} MB, {files} open files" for size, files in (before, after)]
        print(f"process: {told[0]}; after ten more {told[1]}")
        jobs.close()


if __name__ == "__main__":
    main()
