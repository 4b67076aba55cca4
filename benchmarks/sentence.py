"""How long SentenceView takes from data to picture, and to follow the pointer, in Chromium.

    python benchmarks/sentence.py [--repeats 5] [--tokens 128 512]

Prints a Markdown table. A contestant is a function `(browser, tokens, repeats) -> list of Row`; another
viewer of the same attention is added to CONTESTANTS. Wall time is what a reader waits for: picture from
asking for another head (its data not yet fetched, the server local) until its pixels exist; hover from the
pointer's event until its pixels exist. Both contain one wait for the screen's refresh (up to 17 ms).
`of it work` is the main thread's part: computing and issuing the drawing.
"""

import argparse
import logging
import os
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, sync_playwright

from tests.browser.sentence_app import Server, create_app, serve

INPUT_OF = {8: 0, 40: 1, 128: 2, 512: 3}

# In the page: one time a head, from the prop to the frame after it was painted.
PICTURE = """async (head) => {
  const view = document.querySelector('#view').atlasSentence;
  const url = `/${head}`;
  const started = performance.now();
  window.dash_clientside.set_props('view', { head });
  let stats;
  do stats = await view.ready();
  while (!stats.url || !stats.url.endsWith(url) || stats.state !== 'ready');
  // Drawing on a canvas is deferred; reading one pixel waits for it.
  for (const canvas of document.querySelectorAll('#view canvas')) {
    canvas.getContext('2d').getImageData(0, 0, 1, 1);
  }
  const { compute, draw } = stats.timings;
  return [performance.now() - started, compute + draw];
}"""

HOVER = """async (count) => {
  const root = document.querySelector('#view');
  const view = root.atlasSentence;
  const box = root.getBoundingClientRect();
  const stage = root.querySelector('.atlas-sv-stage');
  const times = [];
  for (let i = 0; i < count; i++) {
    const place = view.tokenPosition(i % 2 ? 'key' : 'query', i % 30);
    const at = { clientX: box.x + place.x, clientY: box.y + place.y, bubbles: true, pointerType: 'mouse' };
    await new Promise((done) => requestAnimationFrame(done));
    const started = performance.now();
    stage.dispatchEvent(new PointerEvent('pointermove', at));
    const stats = await view.ready();
    root.querySelector('.atlas-sv-front').getContext('2d').getImageData(0, 0, 1, 1);
    times.push([performance.now() - started, stats.timings.hover]);
  }
  return times;
}"""


@dataclass
class Row:
    """Medians over the repeats, in milliseconds."""

    contestant: str
    view: str
    tokens: int
    lines: int
    picture: float
    picture_work: float
    hover: float
    hover_work: float


def median(times: list[list[float]], column: int) -> float:
    return statistics.median(time[column] for time in times)


def sentence_view(browser: Browser, tokens: int, repeats: int) -> list[Row]:
    rows = []
    for mode in ("lines", "heatmap"):
        page = browser.new_page(viewport={"width": 420, "height": 800}, device_scale_factor=2)
        with serve(create_app(Server())) as url:
            page.goto(url)
            page.wait_for_selector("#view .atlas-sv-stage")
            props = {"input": INPUT_OF[tokens], "mode": mode, "head": 0}
            page.evaluate("props => dash_clientside.set_props('view', props)", props)
            page.wait_for_timeout(1000)
            pictures = [page.evaluate(PICTURE, head) for head in range(1, repeats + 1)]
            stats = page.evaluate("document.querySelector('#view').atlasSentence.stats()")
            hovers = page.evaluate(HOVER, 12 * repeats)
            lines = stats["lines"] if mode == "lines" else stats["queries"] * stats["keys"]
            measured = (median(pictures, 0), median(pictures, 1), median(hovers, 0), median(hovers, 1))
            rows.append(Row("SentenceView", mode, tokens, lines, *measured))
        page.close()
    return rows


CONTESTANTS = (sentence_view,)


def table(rows: list[Row]) -> str:
    lines = [
        "| viewer | view | tokens | marks | picture (ms) | of it work | hover (ms) | of it work |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.contestant} | {row.view} | {row.tokens} | {row.lines:,} | {row.picture:.0f} "
            f"| {row.picture_work:.0f} | {row.hover:.1f} | {row.hover_work:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tokens", type=int, nargs="+", default=[128, 512], choices=sorted(INPUT_OF))
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    if chromium is None:
        sys.exit("No Chromium: set CHROMIUM_PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        rows = [
            row
            for tokens in options.tokens
            for contestant in CONTESTANTS
            for row in contestant(browser, tokens, options.repeats)
        ]
        print(f"Chromium {browser.version}, {os.cpu_count()} cores, medians of {options.repeats} pictures\n")
        print(table(rows))
        browser.close()


if __name__ == "__main__":
    main()
