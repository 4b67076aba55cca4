"""The sentence view beside BertViz's head view and model view, on the same attention, in the same Chromium.

    python benchmarks/bertviz.py [--tokens 128 512] [--repeats 3] [--model-view-limit 300]

BertViz (Vig 2019) comes from the package index into a temporary folder, and the three scripts its pages ask a CDN for
(require.js, d3, jQuery) from the npm registry; Chromium gets those files in the CDN's place. Its pages ask for jQuery
2.0.0, which npm does not hold: 2.2.4 is served. Both viewers get 6 layers x 12 heads of one input.

`open` runs from asking for the page until its pixels exist; `switch` from asking for another layer (BertViz) or head
(ours) until then. The model view draws all heads at once and has no switch. A row that ran past the limit says so.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Error, Page, Route, sync_playwright

from benchmarks.sentence import INPUT_OF, PICTURE
from tests.browser.sentence_app import Server, attention, create_app, serve, tokens

LAYERS, HEADS = 6, 12
SCRIPTS = {  # part of the CDN's URL → npm package and file
    "require.js": ("requirejs@2.3.6", "package/require.js"),
    "d3": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery": ("jquery@2.2.4", "package/dist/jquery.min.js"),
}
# Runs with BertViz and torch on its path; writes the page that BertViz itself would save.
MAKE_PAGE = """
import sys, numpy, torch
from bertviz import head_view, model_view
view, source, target = sys.argv[1:]
data = numpy.load(source)
show = {"head": head_view, "model": model_view}[view]
page = show([torch.tensor(layer)[None] for layer in data["weights"]], data["tokens"].tolist(), html_action="return")
open(target, "w").write(f"<!doctype html><meta charset=utf-8><body>{page.data}</body>")
"""
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def install(folder: Path) -> dict[str, bytes]:
    """BertViz into `folder`; returns the CDN's scripts."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--target", str(folder)]
    subprocess.run([*pip, "--no-deps", "bertviz==1.4.1"], check=True)
    subprocess.run([*pip, "ipython", "boto3"], check=True)
    found = {}
    for part, (package, member) in SCRIPTS.items():
        packed = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
            content = archive.extractfile(member)
            assert content is not None
            found[part] = content.read()
    return found


def bertviz_page(folder: Path, view: str, size: int) -> Path:
    import numpy as np

    texts = tokens("self", INPUT_OF[size])[0]
    weights = np.stack(
        [
            np.stack([attention("self", INPUT_OF[size], layer * HEADS + head) for head in range(HEADS)])
            for layer in range(LAYERS)
        ]
    )
    source, target = folder / "attention.npz", folder / f"{view}-{size}.html"
    np.savez(source, weights=(weights / 65535).astype("float32"), tokens=texts)
    subprocess.run(
        [sys.executable, "-c", MAKE_PAGE, view, str(source), str(target)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    return target


def measure_bertviz(
    browser: Browser, page_file: Path, scripts: dict[str, bytes], view: str, repeats: int, limit: float
) -> tuple[list[float], list[float]]:
    opened, switched = [], []
    for _ in range(repeats if view == "head" else 1):
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(1000 * limit)

        def answer(route: Route) -> None:
            part = next(part for part in SCRIPTS if part in route.request.url)
            route.fulfill(body=scripts[part], content_type="text/javascript")

        page.route("https://cdnjs.cloudflare.com/**", answer)
        page.goto("about:blank")
        start = page.evaluate("performance.timeOrigin + performance.now()")
        page.goto(page_file.as_uri(), timeout=1000 * limit)
        page.wait_for_function("document.querySelectorAll('svg line, svg path, svg rect').length > 100")
        page.evaluate(PAINTED)
        opened.append(page.evaluate("performance.timeOrigin + performance.now()") - start)
        if view == "head":
            switched += [switch_layer(page, layer) for layer in range(1, 4)]
        page.close()
    return opened, switched


def switch_layer(page: Page, layer: int) -> float:
    return page.evaluate(
        """async (layer) => {
          const select = document.querySelector("[id$='layer'], #layer") || document.querySelectorAll('select')[0];
          const started = performance.now();
          select.value = String(layer);
          select.dispatchEvent(new Event('change', { bubbles: true }));
          await PAINTED;
          return performance.now() - started;
        }""".replace("PAINTED", PAINTED),
        layer,
    )


def measure_ours(browser: Browser, size: int, repeats: int) -> tuple[list[float], list[float]]:
    opened, switched = [], []
    with serve(create_app(Server())) as url:
        for _ in range(repeats):
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.goto("about:blank")
            start = page.evaluate("performance.timeOrigin + performance.now()")
            page.goto(url)
            page.wait_for_selector("#view .atlas-sv-stage")
            page.evaluate("input => dash_clientside.set_props('view', { input, head: 0 })", INPUT_OF[size])
            page.wait_for_function("document.querySelector('#view').atlasSentence.stats().state === 'ready'")
            page.evaluate(PAINTED)
            opened.append(page.evaluate("performance.timeOrigin + performance.now()") - start)
            switched += [page.evaluate(PICTURE, head)[0] for head in range(1, 4)]
            page.close()
    return opened, switched


def line(viewer: str, size: int, bytes_: int | None, times: tuple[list[float], list[float]], ours: float) -> str:
    opened, switched = (statistics.median(part) if part else None for part in times)
    assert opened is not None
    kilobytes = f"{bytes_ / 1000:,.0f}" if bytes_ else "–"
    switch = f"{switched:,.0f}" if switched is not None else "–"
    return f"| {viewer} | {size} | {kilobytes} | {opened:,.0f} | {opened / ours:.1f} × | {switch} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[128, 512], choices=sorted(INPUT_OF))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model-view-limit", type=float, default=300, help="seconds before a page is given up")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    if chromium is None or shutil.which("npm") is None:
        sys.exit("This benchmark needs Chromium (CHROMIUM_PATH) and npm.")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        scripts = install(folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        print(f"Chromium {browser.version}, {os.cpu_count()} cores, {LAYERS} x {HEADS} heads of one input, medians\n")
        print("| viewer | tokens | page (kB) | open (ms) | ratio | switch (ms) |\n|---|--:|--:|--:|--:|--:|")
        for size in options.tokens:
            ours = measure_ours(browser, size, options.repeats)
            first = statistics.median(ours[0])
            print(line("Attention Atlas, sentence view", size, None, ours, first), flush=True)
            for view in ("head", "model"):
                page_file = bertviz_page(folder, view, size)
                try:
                    times = measure_bertviz(
                        browser, page_file, scripts, view, options.repeats, options.model_view_limit
                    )
                    print(line(f"BertViz, {view} view", size, page_file.stat().st_size, times, first), flush=True)
                except Error as error:
                    why = json.dumps(str(error).splitlines()[0])
                    print(f"| BertViz, {view} view | {size} | {page_file.stat().st_size / 1000:,.0f} "
                          f"| not shown: {why} | – | – |", flush=True)  # fmt: skip
                    browser.close()
                    browser = playwright.chromium.launch(
                        executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
                    )
        browser.close()


if __name__ == "__main__":
    main()
