"""Patches of images as points: our scene beside the same as plain points, and beside Plotly's layout images.

    python -m benchmarks.patches http://127.0.0.1:8050/ [--atlas dinov2-demo] [--plotly 500 2000]

The dashboard must be running with an atlas of images. Prints a Markdown table: the matrix and one head as points and as
patches, the image view, and one head in Plotly with so many of its patches as layout images.
"""

import argparse
import base64
import io
import statistics
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.scene import ARGUMENTS, chromium_path

SCENE = "document.querySelector('#scene').atlasScene"
VIEW = "document.querySelector('#sentence').atlasImage"
RUNS = 3
PACE = 2_000  # ms that a reader looks at one patch; clicks without a pause wait for the map to be drawn


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_function("document.querySelector('#scene')?.atlasScene")
    page.evaluate(f"{SCENE}.ready()")
    return page


def scene(browser: Browser, url: str) -> dict[str, float]:
    """First and full picture, bytes, heap, and scene frames a second while the head is turned or panned."""
    page = opened(browser, url)
    stats = page.evaluate(f"{SCENE}.stats()")
    heap = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize / 1e6 : 0")
    before = stats["frames"]
    page.mouse.move(500, 480)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(500 + 3 * step, 480 + step)
    page.mouse.up()
    after = page.evaluate(f"{SCENE}.stats()")["frames"]
    page.close()
    return {
        "first picture, ms": stats["firstMs"],
        "full picture, ms": stats["fullMs"],
        "on the wire, MB": stats["bytes"] / 1e6,
        "JavaScript heap, MB": heap,
        "frames in 60 steps of a drag": after - before,
    }


# From the event of a click to the first frame after the view's picture of the patch; the page's own clock.
SHOWN = f"""(at) => {{
  window.shown = new Promise((done) => addEventListener("click", ({{ timeStamp }}) => {{
    const look = () => {{
      if ({VIEW}.stats().chosen !== at) requestAnimationFrame(look);
      else requestAnimationFrame(() => done(performance.now() - timeStamp));
    }};
    look();
  }}, {{ once: true }}));
}}"""
# From the event of a click on a small picture to the image with its weights.
OPENED = f"""(name) => {{
  window.shown = new Promise((done) => addEventListener("click", ({{ timeStamp }}) => {{
    const look = () => {{
      const stats = {VIEW}.stats();
      if (stats.loading || stats.image === name) requestAnimationFrame(look);
      else requestAnimationFrame(() => done(performance.now() - timeStamp));
    }};
    requestAnimationFrame(look);
  }}, {{ capture: true, once: true }}));
}}"""


def image_view(browser: Browser, url: str) -> dict[str, float]:
    """From a click to the picture: the first patch, the next ones at a reader's pace, another image."""
    page = opened(browser, url)
    page.evaluate(f"{VIEW}.ready()")
    times = []
    for position in (120, 121, 137, 90):
        place = page.evaluate(f"(at) => {VIEW}.position(at)", position)
        box = page.locator("#sentence").bounding_box()
        assert box
        page.evaluate(SHOWN, position)
        page.mouse.click(box["x"] + place["x"], box["y"] + place["y"])
        times.append(page.evaluate("window.shown"))
        page.wait_for_timeout(PACE)
    page.evaluate(OPENED, page.evaluate(f"{VIEW}.stats().image"))
    page.locator(".gallery-entry:not([aria-current])").first.click()
    another = page.evaluate("window.shown")
    page.close()
    return {
        "a patch chosen, ms": times[0],
        "the next patch, ms": statistics.median(times[1:]),
        "another image, ms": another,
    }


def plotly(browser: Browser, url: str, atlas: str, key: str, facts: dict[str, Any], count: int) -> dict[str, float]:
    """One head with so many layout images, from the page's start to its picture."""
    with urlopen(f"{url}/payload/{atlas}/{key}/{facts['path']}") as answer:
        sheet = Image.open(io.BytesIO(answer.read())).convert("RGB")
    cell, across = facts["cell"], facts["across"]
    places = np.random.default_rng(0).random((count, 2))
    images = []
    for number, (x, y) in enumerate(places):
        left, top = number % across * cell, number // across * cell
        buffer = io.BytesIO()
        sheet.crop((left, top, left + cell, top + cell)).save(buffer, "PNG")
        data = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        images.append(
            {
                "source": data,
                "x": x,
                "y": y,
                "sizex": 0.03,
                "sizey": 0.03,
                "xref": "x",
                "yref": "y",
                "xanchor": "center",
            }
        )
    figure = go.Figure(go.Scatter(x=places[:, 0], y=places[:, 1], mode="markers"), {"images": images})
    content = figure.to_html(include_plotlyjs=True)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.set_content(content, wait_until="load")
    page.wait_for_function("document.querySelectorAll('.imagelayer image').length > 0")
    shown = page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))")
    moved = page.evaluate(
        """async () => {
          const plot = document.querySelector('.js-plotly-plot'), begin = performance.now();
          await Plotly.relayout(plot, {'xaxis.range': [0.2, 0.9]});
          await new Promise((done) => requestAnimationFrame(done));
          return performance.now() - begin;
        }"""
    )
    heap = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize / 1e6 : 0")
    page.close()
    return {
        "full picture, ms": shown,
        "on the wire, MB": len(content) / 1e6,
        "JavaScript heap, MB": heap,
        "one pan, ms": moved,
    }


def median_of(measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    found = [measure() for _ in range(RUNS)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("url")
    cli.add_argument("--atlas", default="dinov2-demo")
    cli.add_argument("--plotly", type=int, nargs="*", default=[500, 2000])
    options = cli.parse_args()
    url = options.url.rstrip("/")
    base = f"{url}/?atlas={options.atlas}&method=pca"
    print("| what | | |\n|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        page = opened(browser, base)
        payload = page.evaluate(f"{SCENE}.payload()")
        page.close()
        key = payload["base"].rsplit("/", 1)[1]

        def line(title: str, found: dict[str, float]) -> None:
            for name, value in found.items():
                print(f"| {title} | {name} | {value:,.1f} |", flush=True)

        for form in ("off", "border"):
            words = "points" if form == "off" else "patches"
            line(f"matrix, {words}", median_of(lambda form=form: scene(browser, f"{base}&patches={form}")))
            line(
                f"one head, {words}",
                median_of(lambda form=form: scene(browser, f"{base}&layer=4&head=2&patches={form}")),
            )
        view = f"{base}&layer=4&head=2&input=0&read=heatmap"
        line("image view", median_of(lambda: image_view(browser, view)))
        for count in options.plotly:
            line(
                f"Plotly, one head, {count} images", plotly(browser, url, options.atlas, key, payload["patches"], count)
            )
        browser.close()


if __name__ == "__main__":
    main()
