"""Memory of a server's workers after a browser's worth of requests, one atlas of a home folder after the other.

    python -m benchmarks.memory HOME

The server is started as the Dockerfile does, once: what was looked at earlier is in memory later. Prints a Markdown
table. HOME holds `atlases/`; make a large one with `python -m benchmarks.synthetic_atlas`.
"""

import sys
import urllib.request
from pathlib import Path

from benchmarks.load import largest, served
from services.atlas import Atlas
from services.atlas.library import Library
from services.payloads.scene import chunk_count, projection_key


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
        paths += [
            f"{base}/positions/{place}/{chunk}" for chunk in range(chunk_count(points, stream.layers * stream.heads))
        ]
    return paths


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.memory HOME")
    home = Path(sys.argv[1]).absolute()
    print("| atlas | heads × points | maps | sent, MB | MB of the largest worker: resident, own |")
    print("|---|---|--:|--:|--:|")
    with served(home) as (url, server):
        print(f"| at start | | | | {_memory(largest(server))} |")
        for entry in Library(home / "atlases").entries():
            if entry.atlas is None:
                continue
            stream = entry.atlas.info.default_stream
            sent = sum(len(urllib.request.urlopen(url + path, timeout=60).read()) for path in requests_of(entry.atlas))
            size = f"{stream.layers * stream.heads} × {sum(entry.atlas.points(stream)):,}"
            print(
                f"| {entry.slug} | {size} | {len(entry.atlas.info.projections)} | {sent / 2**20:.0f}"
                f" | {_memory(largest(server))} |",
                flush=True,
            )


def _memory(parts: tuple[int, int]) -> str:
    return ", ".join(f"{part / 2**20:.0f}" for part in parts)


if __name__ == "__main__":
    main()
