"""The first visit of a browser over networks of several speeds, with compressed text and without, side by side.

    python -m benchmarks.first_visit http://127.0.0.1:8050/ [--runs 3]

The dashboard must be running. Each run is a browser context of its own, so nothing is cached. Chromium slows the
network down; "compressed" is what it may ask of a server without TLS. Seconds are from the start of the visit: until
the page's controls are there, until points are drawn, until all points of the first map are.
"""

import argparse
import statistics
import time

from playwright.sync_api import Browser, sync_playwright

from benchmarks.scene import ARGUMENTS, chromium_path

NETWORKS = {"same machine": (0.0, 0), "10 MB/s, 10 ms": (10e6, 10), "1 MB/s, 50 ms": (1e6, 50)}
ENCODINGS = {"plain": "identity", "compressed": "gzip, deflate"}
SCENE = "document.querySelector('#scene')?.atlasScene"


def visit(browser: Browser, url: str, speed: float, latency: int, encodings: str) -> list[float]:
    """Bytes besides the map's data, and seconds to page, first points and whole map."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    context.add_init_script("localStorage.setItem('atlas-tour-seen', '1')")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    page.set_extra_http_headers({"Accept-Encoding": encodings})
    if speed:
        limits = {"offline": False, "latency": latency, "downloadThroughput": speed, "uploadThroughput": speed}
        devtools.send("Network.emulateNetworkConditions", limits)
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#scene", state="attached", timeout=120_000)
    seconds = [time.perf_counter() - start]
    page.wait_for_function(f"{SCENE}?.stats().frames > 1", timeout=120_000)
    seconds.append(time.perf_counter() - start)
    page.evaluate(f"{SCENE}.ready()")
    seconds.append(time.perf_counter() - start)
    size = page.evaluate(
        """[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
             .filter((entry) => !entry.name.includes('/payload/'))
             .reduce((sum, entry) => sum + entry.transferSize, 0)"""
    )
    context.close()
    return [size, *seconds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print("| network | text | kB | page | first points | whole map |\n|---|---|--:|--:|--:|--:|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for network, (speed, latency) in NETWORKS.items():
            found: dict[str, list[list[float]]] = {name: [] for name in ENCODINGS}
            for _ in range(options.runs):  # in turn, so that a busy moment hits both
                for name, encodings in ENCODINGS.items():
                    found[name].append(visit(browser, options.url, speed, latency, encodings))
            for name, runs in found.items():
                size, *seconds = [statistics.median(column) for column in zip(*runs, strict=True)]
                print(f"| {network} | {name} | {size / 1000:.0f} | " + " | ".join(f"{s:.2f} s" for s in seconds) + " |")
        browser.close()


if __name__ == "__main__":
    main()
