"""Resident memory of the web process after a browser's worth of requests, for each atlas of a home folder.

    python -m benchmarks.memory HOME

Prints a Markdown table. HOME holds `atlases/`; make a large one with `python -m benchmarks.synthetic_atlas`.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

from services.atlas import Atlas
from services.atlas.library import Library
from services.payloads.scene import chunk_count, projection_key

ROOT = Path(__file__).parents[1]


def requests_of(atlas: Atlas) -> list[str]:
    """What a browser asks for when it shows every map of an atlas, one sentence and one search."""
    stream = atlas.info.default_stream
    base = f"/payload/{atlas.slug}/{atlas.info.key}"
    points = sum(atlas.points(stream))
    paths = ["/", "/_dash-layout", "/_dash-dependencies", f"{base}/order/{stream.name}", f"{base}/offsets/tokens"]
    paths += [f"{base}/attribute/{stream.name}/position", f"{base}/tokens/tokens/0"]
    paths += [f"{base}/search/tokens?q=a&mode=contains", f"{base}/attention/{stream.name}/0/0/0"]
    for projection in atlas.info.projections:
        place = f"{projection.stream}/{projection.name}-{projection_key(projection)}"
        paths += [f"{base}/positions/{place}/{chunk}" for chunk in range(chunk_count(points))]
    return paths


def measure(home: Path, atlas: Atlas) -> tuple[float, float, float]:
    """Resident MB after start, after all requests, and the MB that were sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ATLAS_HOME": str(home), "ATLAS_PORT": str(port), "ATLAS_DEMO": "false"}
    server = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process = psutil.Process(server.pid)
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        start = process.memory_info().rss / 2**20
        sent = sum(len(urllib.request.urlopen(url + path, timeout=60).read()) for path in requests_of(atlas))
        return start, process.memory_info().rss / 2**20, sent / 2**20
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.memory HOME")
    home = Path(sys.argv[1]).absolute()
    print("| atlas | heads × points | maps | at start, MB | after all maps, MB | sent, MB |")
    print("|---|---|---|---|---|---|")
    for entry in Library(home / "atlases").entries():
        if entry.atlas is None:
            continue
        stream = entry.atlas.info.default_stream
        start, after, sent = measure(home, entry.atlas)
        size = f"{stream.layers * stream.heads} × {sum(entry.atlas.points(stream)):,}"
        print(
            f"| {entry.slug} | {size} | {len(entry.atlas.info.projections)} | {start:.0f} | {after:.0f} | {sent:.1f} |"
        )


if __name__ == "__main__":
    main()
