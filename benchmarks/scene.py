"""HeadScene against one Plotly `scattergl` figure of the same points, side by side in one Chromium.

    python benchmarks/scene.py [--layers 12 --heads 12 --points 10000 --markdown FILE]

Plotly gets its two forms measured in the design: (b) one trace with a colour array, and (b2) its best form,
one trace of constant colour for each category with hover off. Software WebGL; wall times vary with the load
of the machine, so main-thread time and the CPU seconds of the GPU process are given too. "Click on a head" is a real
click, without motion (as for a reader who asked for less of it), until the whole head is drawn; Plotly's counterpart is
a figure of that head alone, fetched and drawn. With motion the frames of the flight are counted.
"""

import argparse
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import psutil
from dash import Dash, html
from flask import Response, request
from playwright.sync_api import CDPSession, Page, sync_playwright
from plotly.offline import get_plotlyjs
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[1]))
from components.head_scene import HeadScene
from components.server.table_route import serve_tables
from services.payloads.scene import chunk_size
from tests.synthetic_payload import PALETTES, Synthetic, blueprint

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
SIDE = 1200
WORD = "river"
UMAP = {"name": "umap2d", "method": "umap", "key": "k1", "dims": 2, "label": "UMAP"}
SCENE = "document.getElementById('scene').atlasScene"
PLOTLY_PAGE = f"""<!doctype html><script src="/plotly.js"></script>
<div id="plot" style="width:{SIDE}px;height:{SIDE}px"></div><script>
const twoFrames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
async function show(colour, head = "") {{
  const start = performance.now();
  const figure = await (await fetch(`/figure.json${{location.search}}&colour=${{colour}}&head=${{head}}`)).json();
  await Plotly.react("plot", figure.data, figure.layout);
  for (const canvas of document.querySelectorAll("#plot canvas")) {{
    const gl = canvas.getContext("webgl");
    if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }}
  await twoFrames();
  return performance.now() - start;
}}</script>"""
SCENE_CHANGE = f"""async (props) => {{
  const start = performance.now();
  dash_clientside.set_props("scene", props);
  await new Promise((done) => setTimeout(done));
  await {SCENE}.ready();
  return performance.now() - start;
}}"""
# From the click's last event to the whole picture.
TIME_CLICK = f"""() => {{
  window.timed = new Promise((resolve) => document.addEventListener("pointerup", async () => {{
    const start = performance.now();
    const {{ frames }} = {SCENE}.stats();
    await new Promise((done) => setTimeout(done));
    while ({SCENE}.stats().moving) await new Promise((done) => setTimeout(done, 5));
    const flight = {SCENE}.stats().frames - frames;
    await {SCENE}.ready();
    resolve({{ ms: performance.now() - start, flight }});
  }}, {{ once: true, capture: true }}));
}}"""

# By hand, as fast as frames come: 30 events that scroll, 15 that zoom out, 15 that zoom in. A frame is on the screen
# when the renderer's fence has passed: then the scene counts the next one.
MOVE = f"""async () => {{
  const canvas = document.querySelector("#scene canvas");
  const {{ left, top, width, height }} = canvas.getBoundingClientRect();
  const place = {{ clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true }};
  const events = [...Array(30).fill([40, false]), ...Array(15).fill([12, true]), ...Array(15).fill([-12, true])];
  let longest = 0;
  for (const [deltaY, ctrlKey] of events) {{
    const {{ frames }} = {SCENE}.stats();
    const start = performance.now();
    canvas.dispatchEvent(new WheelEvent("wheel", {{ ...place, deltaY, ctrlKey }}));
    while ({SCENE}.stats().frames === frames && performance.now() - start < 5000) {{
      await new Promise((done) => requestAnimationFrame(done));
    }}
    longest = Math.max(longest, performance.now() - start);
  }}
  return longest;
}}"""


def plotly_figure(data: Synthetic, colour: str, by_category: bool, head: int | None = None) -> go.Figure:
    """All heads (or one) on a grid in one pair of axes, as someone without a component of their own would."""
    cells = np.arange(data.cells) if head is None else np.array([head])
    values = data.quantised(2, "umap2d")[cells]
    column, row = cells % data.heads, cells // data.heads
    x = (values[..., 0] / 65535 * 0.9 + column[:, None]).astype(np.float32).ravel()
    y = (values[..., 1] / 65535 * 0.9 - row[:, None]).astype(np.float32).ravel()
    if colour == "search":
        hit = np.tile(np.array([text == WORD for text in data.texts]), 2)
        category, palette = hit.astype(np.uint8), ["#cccccc", "#d00000"]
    else:
        category, palette = data.attribute(colour), PALETTES[colour]
    if by_category:
        # Continuous colours in ten steps: a trace for each of 256 colours is slower still.
        steps = np.unique(category)[:: max(1, len(np.unique(category)) // 10)]
        category = steps[np.searchsorted(steps, category, side="right") - 1]
    category = np.tile(category[data.order], len(cells))
    layout = go.Layout(uirevision="keep", showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    if not by_category:
        scale = [[i / max(1, len(palette) - 1), hexed] for i, hexed in enumerate(palette)]
        marker = {"size": 2, "color": category, "colorscale": scale, "cmin": 0, "cmax": len(palette) - 1}
        return go.Figure(go.Scattergl(x=x, y=y, mode="markers", marker=marker), layout)
    figure = go.Figure(layout=layout)
    for index in np.unique(category):
        chosen = category == index
        marker = {"size": 2, "color": palette[index]}
        figure.add_scattergl(x=x[chosen], y=y[chosen], mode="markers", hoverinfo="skip", marker=marker)
    return figure


def make_app(data: Synthetic) -> Dash:
    app = Dash(__name__)
    serve_tables(app, "/")
    app.server.register_blueprint(blueprint(data))
    kind = {"name": "kind", "scope": "token", "palette": PALETTES["kind"]}
    size = {"width": f"{SIDE}px", "height": f"{SIDE}px"}
    app.layout = html.Div(HeadScene(id="scene", style=size, payload=data.props(), projection=UMAP, colour=kind))
    source = get_plotlyjs()

    @app.server.get("/plotly")
    def plotly_page():
        return PLOTLY_PAGE

    @app.server.get("/plotly.js")
    def plotly_source():
        return Response(source, mimetype="text/javascript")

    @app.server.get("/figure.json")
    def figure():
        head = int(request.args["head"]) if request.args.get("head") else None
        text = plotly_figure(data, request.args["colour"], request.args["form"] == "b2", head).to_json()
        return Response(text, mimetype="application/json")

    return app


class Meter:
    """Wall time, main-thread seconds, GPU-process seconds and bytes of one action."""

    def __init__(self, page: Page):
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("Performance.enable")
        self.cdp.send("Network.enable")
        self.bytes = 0
        self.cdp.on("Network.loadingFinished", self.arrived)

    def arrived(self, event: dict):
        self.bytes += event["encodedDataLength"]

    def metrics(self) -> dict[str, float]:
        return {item["name"]: item["value"] for item in self.cdp.send("Performance.getMetrics")["metrics"]}

    def measure(self, action: Callable[[], float]) -> dict[str, float]:
        before, gpu, self.bytes = self.metrics(), gpu_seconds(), 0
        wall = action()
        after = self.metrics()
        return {
            "ms": wall,
            "main": after["TaskDuration"] - before["TaskDuration"],
            "gpu": gpu_seconds() - gpu,
            "mb": self.bytes / 1e6,
        }

    def heap(self) -> float:
        self.cdp.send("HeapProfiler.enable")
        self.cdp.send("HeapProfiler.collectGarbage")
        return self.metrics()["JSHeapUsedSize"] / 1e6


def gpu_seconds() -> float:
    """CPU seconds of Chromium's GPU process: what software rendering costs, and a GPU would do."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=gpu-process" in process.cmdline():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.Error:
            continue
    return total


def chromium_path() -> str:
    """Ends the program where there is no Chromium."""
    return os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or sys.exit("no Chromium: set CHROMIUM_PATH")


def measure_scene(page: Page, url: str) -> dict:
    page.goto(url)
    page.wait_for_selector("#scene canvas")
    page.evaluate(f"{SCENE}.ready()")
    # Once more with everything but the data warm: shaders, fonts, the page itself.
    payload = page.evaluate(f"{SCENE}.payload()")
    page.evaluate(SCENE_CHANGE, {"payload": None})
    meter = Meter(page)
    meter.cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    result = {"load": meter.measure(lambda: page.evaluate(SCENE_CHANGE, {"payload": payload}))}
    stats = page.evaluate(f"{SCENE}.stats()")
    result["first"], result["full"] = stats["firstMs"], stats["fullMs"]
    result["moved"] = move(page)
    result["rest"] = meter.heap()
    position = {"name": "position", "scope": "token", "palette": PALETTES["position"]}
    result["recolour"] = meter.measure(lambda: page.evaluate(SCENE_CHANGE, {"colour": position}))
    result["search"] = meter.measure(lambda: page.evaluate(SCENE_CHANGE, {"search": {"query": WORD, "mode": "exact"}}))
    result["heap"] = meter.heap()
    page.evaluate(SCENE_CHANGE, {"search": None})
    page.emulate_media(reduced_motion="reduce")
    result["click"] = click_a_head(page)["ms"]
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate(SCENE_CHANGE, {"head": None})
    result["flight"] = click_a_head(page)["flight"]
    return result


def move(page: Page) -> float:
    """Scroll the matrix, zoom out of it and in again by hand: the longest time from an event to its frame, ms."""
    longest = page.evaluate(MOVE)
    page.focus(".atlas-scene-stage")
    page.keyboard.press("0")
    page.evaluate(f"{SCENE}.ready()")
    return longest


def click_a_head(page: Page) -> dict[str, float]:
    """Click the head in the middle of the matrix: ms to its whole picture, and frames of the flight.

    Raises:
        RuntimeError: no head has opened.
    """
    page.evaluate(TIME_CLICK)
    page.mouse.click(SIDE / 2 + 20, SIDE / 2 + 20)
    found = page.evaluate("window.timed")
    if page.evaluate(f"{SCENE}.stats().open") < 0:
        raise RuntimeError("the click opened no head")
    return found


def measure_plotly(page: Page, url: str, form: str) -> dict:
    page.goto(f"{url}/plotly?form={form}")
    page.wait_for_function("window.Plotly")
    meter = Meter(page)
    result = {"load": meter.measure(lambda: page.evaluate("show('kind')"))}
    result["first"] = result["full"] = result["load"]["ms"]
    result["recolour"] = meter.measure(lambda: page.evaluate("show('position')"))
    result["search"] = meter.measure(lambda: page.evaluate("show('search')"))
    result["heap"] = meter.heap()
    result["click"] = page.evaluate("show('kind', 0)")
    return result


ROWS: list[tuple[str, Callable[[dict], float], str]] = [
    ("points on the wire, MB", lambda r: r["load"]["mb"], ".2f"),
    ("first picture, ms", lambda r: r["first"], ",.0f"),
    ("full picture, ms", lambda r: r["full"], ",.0f"),
    ("… main thread, ms", lambda r: r["load"]["main"] * 1e3, ",.0f"),
    ("… GPU process, CPU s", lambda r: r["load"]["gpu"], ".2f"),
    ("recolour: wire, MB", lambda r: r["recolour"]["mb"], ".3f"),
    ("recolour: full picture, ms", lambda r: r["recolour"]["ms"], ",.0f"),
    ("… main thread, ms", lambda r: r["recolour"]["main"] * 1e3, ",.0f"),
    ("search: wire, MB", lambda r: r["search"]["mb"], ".4f"),
    ("search: full picture, ms", lambda r: r["search"]["ms"], ",.0f"),
    ("… main thread, ms", lambda r: r["search"]["main"] * 1e3, ",.0f"),
    ("click on a head: whole picture, ms", lambda r: r["click"], ",.0f"),
    ("JavaScript heap after, MB", lambda r: r["heap"], ".1f"),
]


def table(scene: dict, plotly: dict[str, dict]) -> str:
    lines = [
        "| | HeadScene |" + "".join(f" Plotly {form} | ratio |" for form in plotly),
        "|---|---|" + "---|---|" * len(plotly),
    ]
    for name, value, pattern in ROWS:
        own = value(scene)
        cells = [f"{own:{pattern}}"]
        for other in plotly.values():
            ratio = f"{value(other) / own:,.1f}×" if own > 0 else "–"
            cells += [f"{value(other):{pattern}}", ratio]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--points", type=int, default=10_000, help="points a head, queries and keys together")
    parser.add_argument("--skip-plotly", action="store_true", help="for sizes that Plotly does not survive")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    chromium = chromium_path()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    cells = arguments.layers * arguments.heads
    data = Synthetic(arguments.layers, arguments.heads, arguments.points, chunk_size(cells))
    data.quantised(2, UMAP["name"])
    if data.props()["thumbnail"]:
        data.thumbnails(UMAP["name"])
    server = make_server("127.0.0.1", 0, make_app(data).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)

        def with_page(measure: Callable[[Page], dict]) -> dict:
            page = browser.new_page(viewport={"width": SIDE, "height": SIDE})
            page.set_default_timeout(300_000)
            result = measure(page)
            page.close()
            return result

        scene = with_page(lambda page: measure_scene(page, url))
        plotly = {}
        for form in () if arguments.skip_plotly else ("b2", "b"):
            plotly[form] = with_page(lambda page, form=form: measure_plotly(page, url, form))
        version = browser.version
        browser.close()
    server.shutdown()
    size = f"{data.cells} heads × {data.points:,} points = {data.cells * data.points:,} points"
    machine = f"software WebGL, {os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}"
    text = f"{size}, {SIDE} × {SIDE} px, Chromium {version}, {machine}\n\n{table(scene, plotly)}\n"
    text += f"\nPan and zoom: at most {scene['moved']:.0f} ms from an event to its frame."
    text += f" Heap at rest {scene['rest']:.1f} MB.\n"
    text += f"\nThe flight into a head, 0.6 s: {scene['flight']} frames.\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()
