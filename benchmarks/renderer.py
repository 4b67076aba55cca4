"""What Dash's page costs the browser: seconds of its main thread, with assets/01-renderer.js and without, side by side.

    python -m benchmarks.renderer http://127.0.0.1:8050/ [--runs 3]

The dashboard must be running, on an atlas of at least two layers and heads. Each visit is a browser context of its own.
Seconds are of the main thread (Chromium's TaskDuration) until it rests, so other work on the machine counts little.
"""

import argparse
import statistics
from collections.abc import Callable

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.scene import ARGUMENTS, chromium_path

SCENE = "document.querySelector('#scene')?.atlasScene"
REST = 1000  # milliseconds without a request or a frame drawn that count as rest
# a list that keeps its own push: the script's is dropped
WITHOUT = """window.dash_stores = new Proxy([], {
  set: (list, name, value) => name === "push" || Reflect.set(list, name, value),
})"""

STEPS: dict[str, Callable[[Page, str], object]] = {
    "open all heads": lambda page, url: page.goto(url),
    "a head": lambda page, _: page.evaluate("atlasChoose.head({ layer: 1, head: 1 })"),
    "the next head": lambda page, _: page.keyboard.press("ArrowRight"),
    "a token": lambda page, _: page.evaluate("atlasChoose.token({ input: 0, token: 5, side: 'query' })"),
    "a search": lambda page, _: page.locator("#search-box").fill("the"),
    "open a head by its link": lambda page, url: page.goto(f"{url}?layer=1&head=1"),
}


def rested(page: Page, devtools: CDPSession) -> float:
    """Seconds of the main thread so far, once it rests."""
    page.wait_for_function(f"{SCENE}?.stats().frames > 0", timeout=120_000)
    busy = -1.0
    while True:
        page.wait_for_timeout(REST)
        values = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
        if values["TaskDuration"] - busy < 0.02:
            return values["TaskDuration"]
        busy = values["TaskDuration"]


def visit(browser: Browser, url: str, plain: bool) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    context.add_init_script("localStorage.setItem('atlas-tour-seen', '1')")
    if plain:
        context.add_init_script(WITHOUT)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    found = {}
    for step, go in STEPS.items():
        before = 0.0 if step.startswith("open") else rested(page, devtools)
        go(page, url)
        found[step] = rested(page, devtools) - before
    context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for _ in range(options.runs):  # in turn, so that a busy moment hits both
            for plain, found in runs.items():
                found.append(visit(browser, options.url, plain))
        browser.close()
    print("| main thread, seconds | Dash alone | with the script | ratio |\n|---|--:|--:|--:|")
    for step in STEPS:
        before, after = (statistics.median(run[step] for run in runs[plain]) for plain in (True, False))
        print(f"| {step} | {before:.2f} | {after:.2f} | {before / max(after, 0.01):.1f}× |")


if __name__ == "__main__":
    main()
