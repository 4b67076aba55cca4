"""HeadScene in a real Chromium, over synthetic payload routes."""

import io
import re

import numpy as np
import pytest
from dash import Dash, Input, Output, html
from PIL import Image
from playwright.sync_api import expect

from components.head_scene import HeadScene
from components.server.table_route import serve_tables
from services.atlas import overview
from tests.browser.serving import serving
from tests.browser.walking import quiet
from tests.synthetic_payload import HOSTILE, PALETTES, Synthetic, blueprint

pytestmark = pytest.mark.browser
DATA = Synthetic(layers=3, heads=4, points=2400)
STATS = "document.getElementById('scene').atlasScene.stats()"
UMAP = {"name": "umap2d", "method": "umap", "key": "k1", "dims": 2, "label": "UMAP"}
TSNE = {"name": "tsne2d", "method": "tsne", "key": "k2", "dims": 2, "label": "t-SNE"}
UMAP3 = {"name": "umap3d", "method": "umap", "key": "k3", "dims": 3, "label": "UMAP 3D"}
KIND = {"name": "kind", "scope": "token", "palette": PALETTES["kind"]}
NORM = {"name": "norm", "scope": "head", "palette": PALETTES["norm"]}


def make_app(data: Synthetic, ranges: bool = True, **props) -> Dash:
    app = Dash(__name__)
    serve_tables(app, "/")
    app.server.register_blueprint(blueprint(data, ranges))
    scene = HeadScene(
        **{
            "id": "scene",
            "style": {"height": "600px"},
            "payload": data.props(),
            "projection": UMAP,
            "colour": KIND,
            "sprite": "/payload/demo/k1/sprite/light.png",
            **props,
        }
    )
    app.layout = html.Div([scene, html.Div(id="said"), html.Div(id="counted")])
    app.callback(Output("said", "children"), Input("scene", "head"), Input("scene", "selection"))(
        lambda head, selection: repr((head, selection))
    )
    app.callback(Output("counted", "children"), Input("scene", "searchCount"))(repr)
    return app


@pytest.fixture(scope="module")
def site():
    with serving(make_app(DATA).server) as url:
        yield url


class Scene:
    """One scene on one page, spoken to as a user or a callback would."""

    def __init__(self, page, url: str, query: str = ""):
        self.page = page
        page.set_viewport_size({"width": 900, "height": 700})
        page.goto(f"{url}/{query}")
        page.wait_for_selector("#scene .atlas-scene-stage")
        page.wait_for_function(f"{STATS}.loadedChunks > 0 || {STATS}.thumbnails || !{STATS}.webgl")
        self.ready()
        self.box = page.locator("#scene").bounding_box()

    def call(self, expression: str):
        return self.page.evaluate(f"document.getElementById('scene').atlasScene.{expression}")

    def ready(self):
        self.call("ready()")

    def stats(self) -> dict:
        return self.call("stats()")

    def set(self, **props):
        self.page.evaluate("props => dash_clientside.set_props('scene', props)", props)
        quiet(self.page)
        self.ready()

    def cell(self, layer: int, head: int) -> tuple[float, float]:
        camera = self.stats()["camera"]
        x = (head + 0.5 - camera["x"]) * camera["scale"] + self.box["width"] / 2
        y = (layer + 0.5 - camera["y"]) * camera["scale"] + self.box["height"] / 2
        return self.box["x"] + x, self.box["y"] + y

    def point(self, point: int) -> tuple[float, float]:
        at = self.call(f"screenPosition({point})")
        return self.box["x"] + at["x"], self.box["y"] + at["y"]

    def colours(self) -> int:
        """Number of distinct colours on the canvas: an empty picture has one or two."""
        shot = self.page.locator("#scene canvas.atlas-scene-points").screenshot()
        return len(Image.open(io.BytesIO(shot)).convert("RGB").getcolors(1 << 24))

    def coloured(self) -> int:
        """Pixels of the canvas that are far from grey."""
        shot = self.page.locator("#scene canvas.atlas-scene-points").screenshot()
        rgb = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
        return int((rgb.max(axis=2) - rgb.min(axis=2) > 60).sum())

    def said(self, head, selection):
        expect(self.page.locator("#said")).to_have_text(repr((head, selection)))


@pytest.fixture
def scene(page, site):
    return Scene(page, site)


def test_the_whole_matrix_is_drawn(scene):
    stats = scene.stats()
    assert stats["webgl"]
    assert stats["drawnPoints"] == DATA.cells * DATA.points
    assert stats["bytes"] < DATA.cells * DATA.points * 4 + DATA.points * 5 + 1000
    assert scene.colours() > 5
    assert scene.call("headAt(3, 3)") is None


@pytest.mark.slow
def test_a_resized_picture_stays_until_the_next_one_is_drawn(scene):
    scene.page.evaluate(
        """async () => {
          window.requestAnimationFrame = () => 0;  // nothing is drawn from here on
          document.getElementById('scene').style.height = '500px';
          await new Promise((done) => setTimeout(done, 200));
        }"""
    )
    canvas = scene.page.locator("#scene canvas.atlas-scene-points")
    assert canvas.evaluate("(node) => node.height") == 500
    picture = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
    dark = sum(count for count, colour in picture.getcolors(1 << 24) if max(colour) < 40)
    assert dark < picture.width * picture.height / 2
    assert scene.colours() > 5


def test_click_opens_a_head_and_escape_leaves_it(scene):
    scene.page.mouse.click(*scene.cell(1, 2))
    scene.said({"layer": 1, "head": 2}, None)
    scene.ready()
    assert scene.stats()["drawnPoints"] == DATA.points
    expect(scene.page.locator(".atlas-scene-heading")).to_have_text("L1 H2")
    scene.page.keyboard.press("Escape")
    scene.said(None, None)
    scene.ready()
    assert scene.stats()["drawnPoints"] == DATA.cells * DATA.points  # heads that passed by with few points are whole


def test_the_server_opens_and_closes_a_head(scene):
    scene.set(head={"layer": 2, "head": 3})
    assert scene.stats()["open"] == 11
    scene.set(head=None)
    assert scene.stats()["mode"] == "matrix"
    scene.set(head={"layer": 99, "head": 0})
    assert scene.stats()["mode"] == "matrix"


def test_wheel_zooms_into_the_head_under_the_pointer_and_out_again(scene):
    scene.page.mouse.move(*scene.cell(2, 1))
    for _ in range(30):
        if scene.stats()["mode"] == "head":
            break
        scene.page.mouse.wheel(0, -120)
    scene.said({"layer": 2, "head": 1}, None)
    scene.ready()
    for _ in range(40):
        if scene.stats()["mode"] == "matrix":
            break
        scene.page.mouse.wheel(0, 120)
    scene.said(None, None)


def test_keyboard_alone(scene):
    page = scene.page
    page.keyboard.press("Tab")
    expect(page.locator(".atlas-scene-live")).to_contain_text("L0 H0 in focus")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".atlas-scene-live")).to_contain_text("L1 H1 in focus")
    page.keyboard.press("Enter")
    scene.said({"layer": 1, "head": 1}, None)
    expect(page.locator(".atlas-scene-live")).to_contain_text("L1 H1 is open")
    page.keyboard.press("ArrowLeft")
    scene.said({"layer": 1, "head": 0}, None)
    page.keyboard.press("ArrowLeft")
    scene.said({"layer": 1, "head": 0}, None)
    scene.ready()
    scale = scene.stats()["camera"]["scale"]
    page.keyboard.press("+")
    assert scene.stats()["camera"]["scale"] > scale
    page.keyboard.press("0")
    scene.ready()
    assert scene.stats()["camera"]["scale"] == pytest.approx(scale)
    page.keyboard.press("Escape")
    scene.said(None, None)


def test_hover_names_a_cell(scene):
    scene.page.mouse.move(*scene.cell(0, 3))
    expect(scene.page.locator(".atlas-scene-tooltip")).to_have_text("L0 H3")


@pytest.mark.parametrize("projection", [UMAP, UMAP3], ids=["2d", "3d"])
def test_a_point_is_picked_selected_and_cleared(scene, projection):
    scene.set(head={"layer": 0, "head": 2}, projection=projection)
    inputs = DATA.offsets.searchsorted(range(DATA.queries), side="right") - 1
    # Points may lie under each other: take one that can be hit.
    for point in range(60):
        x, y = scene.point(point)
        scene.page.mouse.move(x, y)
        slot = scene.stats()["hoverSlot"]
        if slot >= 0 and DATA.order[slot] == point:
            break
    else:
        pytest.fail("no point could be hit")
    expect(scene.page.locator(".atlas-scene-tooltip")).to_contain_text(DATA.texts[point])
    expect(scene.page.locator(".atlas-scene-tooltip")).to_contain_text(f"pos {DATA.place[point]} of")
    scene.page.mouse.click(x, y)
    wanted = {"input": int(inputs[point]), "token": point, "side": "query"}
    expect(scene.page.locator("#said")).to_contain_text(f"'token': {point}")
    scene.said({"layer": 0, "head": 2}, wanted)
    scene.ready()
    size = int(DATA.offsets[inputs[point] + 1] - DATA.offsets[inputs[point]])
    assert scene.stats()["marks"] == 2 * size
    assert {label["text"] for label in scene.stats()["labels"]} <= set(DATA.texts)
    scene.page.mouse.click(scene.box["x"] + 4, scene.box["y"] + 595)
    scene.said({"layer": 0, "head": 2}, None)
    scene.ready()
    assert scene.stats()["marks"] == 0


def test_hostile_token_text_stays_text(scene):
    scene.set(head={"layer": 0, "head": 0}, selection={"input": 0, "token": 1, "side": "query"})
    assert any(label["text"].startswith("<script>") for label in scene.stats()["labels"])
    scene.page.mouse.move(*scene.point(1))
    expect(scene.page.locator(".atlas-scene-tooltip strong")).to_have_text(HOSTILE)
    assert scene.page.evaluate("window.hacked") is None


def test_lines_follow_the_selection_and_the_head(scene):
    scene.set(head={"layer": 0, "head": 0}, lines={"threshold": 0.05, "topk": 2})
    assert scene.stats()["lines"] == 0
    scene.set(selection={"input": 2, "token": int(DATA.offsets[2]), "side": "query"})
    size = int(DATA.offsets[3] - DATA.offsets[2])
    assert size <= scene.stats()["lines"] <= 2 * size
    scene.set(head=None)
    assert scene.stats()["lines"] == 0


def test_search_lights_all_heads_and_costs_a_bit_a_token(scene):
    before = scene.stats()["bytes"]
    scene.set(search={"query": "river", "mode": "exact"})
    tokens = DATA.texts.count("river")
    assert scene.stats()["marks"] == 2 * tokens
    assert scene.stats()["bytes"] - before == -(-DATA.queries // 8)
    expect(scene.page.locator("#counted")).to_have_text(
        repr({"query": "river", "tokens": tokens, "points": 2 * tokens})
    )
    scene.set(search=None)
    assert scene.stats()["marks"] == 0


def test_recolour_costs_a_byte_a_point(scene):
    before = scene.stats()["bytes"]
    scene.set(colour={"name": "position", "scope": "token", "palette": PALETTES["position"]})
    assert scene.stats()["bytes"] - before == DATA.points
    scene.set(colour=NORM)
    assert scene.stats()["bytes"] - before == DATA.points * (1 + DATA.cells)


def test_a_change_of_projection_keeps_everything_else(scene):
    scene.set(head={"layer": 1, "head": 1}, search={"query": "city", "mode": "exact"})
    before = scene.stats()
    scene.set(projection=TSNE)
    after = scene.stats()
    assert after["projection"] == "k2"
    assert not after["moving"]
    assert [after[name] for name in ("open", "marks", "camera")] == [
        before[name] for name in ("open", "marks", "camera")
    ]


def test_far_points_stand_at_the_edge_are_counted_and_come_back(page):
    far = Synthetic(layers=1, heads=2, points=1200, far=9)
    with serving(make_app(far).server) as url:
        scene = Scene(page, url)
        assert scene.stats()["outside"] == {"points": 9, "heads": 1, "open": False}
        scene.set(head={"layer": 0, "head": 0})
        stats = scene.stats()
        assert stats["outside"] == {"points": 9, "heads": 1, "open": True}
        half = stats["camera"]["scale"] * 0.44
        middle = scene.cell(0, 0)

        def reach(point: int) -> float:
            x, y = scene.point(point)
            return max(abs(x - middle[0]), abs(y - middle[1])) / half

        spread = [reach(point) for point in range(far.points)]
        assert spread[:9] == pytest.approx([1] * 9, abs=1e-3)
        assert 0.9 < max(spread[9:]) < 0.97  # the others fill the frame
        scene.page.mouse.move(*scene.point(4))
        expect(page.locator(".atlas-scene-tooltip")).to_contain_text("shown at the edge")
        scene.page.mouse.move(*scene.point(700))
        expect(page.locator(".atlas-scene-tooltip")).not_to_contain_text("shown at the edge")
        scene.set(whole=True)
        assert scene.stats()["outside"] == {"points": 0, "heads": 0, "open": True}
        assert max(reach(point) for point in range(9, far.points)) < 0.97
        assert max(reach(point) for point in range(9)) < 0.97
        alone = scene.point(0)
        assert min(abs(scene.point(p)[0] - alone[0]) for p in range(9, 300)) > 100
        scene.set(whole=False, projection=UMAP3)
        assert scene.stats()["outside"]["points"] == 9


def test_a_deep_model_is_folded_scrolled_and_each_head_is_drawn_where_it_is_named(page):
    deep = Synthetic(layers=30, heads=9, points=400, seed=3)
    with serving(make_app(deep).server) as url:
        scene = Scene(page, url)
        stats = scene.stats()
        assert stats["scrolls"]
        assert stats["camera"]["scale"] == pytest.approx(44)
        assert (stats["rows"], stats["columns"]) == (19, 15)  # layers 0-14, a row for numbers, layers 15-29
        shot = page.locator("#scene canvas.atlas-scene-points").screenshot()
        picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

        for cell in (0, 8, 5 * 9 + 3, 15 * 9, 16 * 9 + 1):
            places = [scene.call(f"screenPosition({point}, {cell})") for point in range(0, 400, 9)]
            rgb = np.array([picture[round(at["y"]), round(at["x"])] for at in places])
            assert (rgb.max(axis=1) - rgb.min(axis=1) > 30).mean() > 0.9, cell
        place = scene.call(f"screenPosition(0, {16 * 9 + 1})")
        assert scene.call(f"headAt({place['x']}, {place['y']})") == {"layer": 16, "head": 1}
        page.mouse.move(scene.box["x"] + 450, scene.box["y"] + 300)
        page.mouse.wheel(0, 100)
        scene.ready()
        after = scene.stats()["camera"]
        assert (after["scale"], after["y"]) == (pytest.approx(44), pytest.approx(stats["camera"]["y"] + 100 / 44))
        page.locator("#scene .atlas-scene-stage").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowLeft")
        for _ in range(9):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # over the numbers between the blocks
        scene.said({"layer": 15, "head": 0}, None)


def test_a_drag_pans_in_2d_and_turns_in_3d(scene):
    def drag():
        x, y = scene.box["x"] + 450, scene.box["y"] + 300
        scene.page.mouse.move(x, y)
        scene.page.mouse.down()
        scene.page.mouse.move(x + 60, y + 30, steps=4)
        scene.page.mouse.up()
        scene.ready()

    scene.set(head={"layer": 0, "head": 0})
    before = scene.stats()
    drag()
    assert scene.stats()["camera"]["x"] < before["camera"]["x"]
    scene.set(projection=UMAP3)
    before = scene.stats()
    drag()
    assert scene.stats()["turn"]["yaw"] > before["turn"]["yaw"]
    assert scene.stats()["open"] == 0


@pytest.mark.slow
def test_two_fingers_zoom_in_and_one_pans(scene):
    cdp = scene.page.context.new_cdp_session(scene.page)

    def touch(kind: str, *places: tuple[float, float]):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = scene.cell(1, 1)
    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in (40, 60, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    scene.said({"layer": 1, "head": 1}, None)
    scene.ready()
    before = scene.stats()["camera"]
    touch("touchStart", (x, y))
    for step in (20, 40):
        touch("touchMove", (x + step, y))
    touch("touchEnd")
    assert scene.stats()["camera"]["x"] < before["x"]
    assert scene.stats()["camera"]["scale"] == before["scale"]


@pytest.mark.slow
def test_a_lost_context_comes_back(scene):
    before = scene.colours()
    scene.page.evaluate(
        """async () => {
          const gl = document.querySelector('#scene canvas.atlas-scene-points').getContext('webgl2');
          const extension = gl.getExtension('WEBGL_lose_context');
          extension.loseContext();
          await new Promise((done) => setTimeout(done, 200));
          extension.restoreContext();
          await new Promise((done) => setTimeout(done, 200));
        }"""
    )
    scene.ready()
    assert scene.stats()["drawnPoints"] == DATA.cells * DATA.points
    assert abs(scene.colours() - before) <= before / 4


def test_a_failed_fetch_says_so_and_can_be_retried(scene, console_errors):
    scene.page.route("**/search/**", lambda route: route.fulfill(status=500, body="no"))
    scene.page.evaluate("dash_clientside.set_props('scene', {search: {query: 'river', mode: 'exact'}})")
    message = scene.page.locator(".atlas-scene-message")
    expect(message).to_contain_text("500")
    scene.page.unroute("**/search/**")
    message.get_by_role("button", name="Retry").click()
    expect(message).to_be_hidden()
    scene.ready()
    assert scene.stats()["marks"] > 0
    console_errors[:] = [error for error in console_errors if "500" not in error]


@pytest.mark.slow
def test_without_webgl_the_matrix_is_a_picture_with_buttons(page, site):
    scene = Scene(page, site, "?webgl=0")
    assert not scene.stats()["webgl"]
    assert page.locator(".atlas-scene-sprite button").count() == DATA.cells
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    scene.said({"layer": 0, "head": 1}, None)
    scene.ready()
    stats = scene.stats()
    assert stats["drawnPoints"] == DATA.points
    assert stats["bytes"] < 2 * DATA.points * 4 + DATA.points * 5
    assert scene.colours() > 5
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open L2 H3").click()
    scene.said({"layer": 2, "head": 3}, None)


@pytest.mark.slow
@pytest.mark.slow
def test_many_mounts_leave_nothing_behind(page):
    app = Dash(__name__)
    serve_tables(app, "/")
    app.server.register_blueprint(blueprint(DATA))
    app.layout = html.Div([html.Button("swap", id="swap"), html.Div(id="place")])

    @app.callback(Output("place", "children"), Input("swap", "n_clicks"))
    def swap(clicks):
        if not clicks or clicks % 2 == 0:
            return html.P(f"empty {clicks}", id="empty")
        return HeadScene(id="scene", style={"height": "300px"}, payload=DATA.props(), projection=UMAP, colour=KIND)

    warnings = []
    page.on("console", lambda message: warnings.append(message.text) if "WebGL" in message.text else None)
    with serving(app.server) as url:
        page.goto(url)
        cdp = page.context.new_cdp_session(page)

        def mounts(times: int) -> int:
            """Mount and unmount so often; the bytes of JavaScript heap after that."""
            for selector in ["#scene canvas", "#empty"] * times:
                page.click("#swap")
                page.wait_for_selector(selector, state="attached")
            cdp.send("HeapProfiler.collectGarbage")
            return cdp.send("Runtime.getHeapUsage")["usedSize"]

        before = mounts(5)
        after = mounts(20)
        page.click("#swap")
        page.wait_for_selector("#scene canvas")
        page.evaluate("document.getElementById('scene').atlasScene.ready()")
        assert page.evaluate("document.getElementById('scene').atlasScene.stats().drawnPoints") > 0
    assert not [text for text in warnings if "Too many active" in text]
    assert after - before < 2e6, f"{(after - before) / 1e6:.1f} MB more after 20 mounts"


@pytest.mark.slow
def test_a_server_without_ranges_and_a_matrix_of_one(page):
    data = Synthetic(layers=1, heads=1, points=500, chunk=200)
    with serving(make_app(data, ranges=False).server) as url:
        scene = Scene(page, url, "?webgl=0")
        page.get_by_role("button", name="Open L0 H0").click()
        scene.ready()
        assert scene.stats()["drawnPoints"] == 500
        scene = Scene(page, url)
        scene.page.mouse.click(*scene.cell(0, 0))
        scene.said({"layer": 0, "head": 0}, None)
        scene.ready()
        for _ in range(10):
            scene.page.mouse.wheel(0, 120)
        scene.said(None, None)


@pytest.mark.slow
def test_who_wants_less_motion_sees_none(scene):
    scene.page.emulate_media(reduced_motion="reduce")
    scene.page.evaluate("dash_clientside.set_props('scene', {head: {layer: 1, head: 2}})")
    scene.page.wait_for_function("document.getElementById('scene').atlasScene.stats().open === 6")
    assert not scene.stats()["moving"]


@pytest.mark.slow
def test_a_double_click_opens_a_head_and_selects_nothing(scene):
    scene.page.mouse.dblclick(*scene.cell(0, 2))
    scene.ready()
    scene.said({"layer": 0, "head": 2}, None)


def test_no_payload_is_no_picture(page):
    with serving(make_app(DATA, payload=None).server) as url:
        page.goto(url)
        page.wait_for_selector("#scene .atlas-scene-stage")
        page.evaluate("document.getElementById('scene').atlasScene.ready()")
        page.mouse.wheel(0, 100)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")


def test_very_many_heads_are_first_seen_as_thumbnails_and_nearer_as_points(page, monkeypatch):
    """Counted in small here: 700 heads count as thousands, which alone keep their points back."""
    monkeypatch.setattr(overview, "MOST_POINTS", 100_000)
    data = Synthetic(layers=35, heads=20, points=400, chunk=100)
    with serving(make_app(data, projection=None).server) as url:
        page.set_viewport_size({"width": 900, "height": 700})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        page.wait_for_function("Boolean(document.getElementById('scene')?.atlasScene)")
        held, free = [], []
        page.route("**/positions/**", lambda route: route.continue_() if free else held.append(route))
        page.evaluate("props => dash_clientside.set_props('scene', props)", {"projection": UMAP})
        stats = "document.getElementById('scene').atlasScene.stats()"
        page.wait_for_function(f"{stats}.thumbnails === 'alone'")
        note = page.locator(".atlas-scene-note")
        expect(note).to_have_text("Density of queries and keys. Zoom in for points.")
        shot = Image.open(io.BytesIO(page.locator("#scene canvas.atlas-scene-points").screenshot())).convert("RGB")
        assert len(shot.getcolors(1 << 24)) > 500, "the heads are seen before any of their points"
        assert page.evaluate(f"{stats}.drawnPoints") == 0
        free.append(True)
        for route in held:
            route.continue_()
        expect(note).to_be_hidden()
        page.evaluate("document.getElementById('scene').atlasScene.ready()")
        assert page.evaluate(f"{stats}.drawnPoints") > 0
        assert sum("/thumbnails/self/umap2d-k1" in url for url in asked) == 1


def test_of_thousands_of_heads_only_what_is_in_view_is_fetched(page, monkeypatch):
    monkeypatch.setattr(overview, "MOST_POINTS", 100_000)
    data = Synthetic(layers=36, heads=36, points=400, chunk=100)
    with serving(make_app(data).server) as url:
        page.set_viewport_size({"width": 900, "height": 700})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        scene = Scene(page, url)
        assert scene.stats()["thumbnails"] == "alone"
        assert not any("/positions/" in url or "/points/" in url for url in asked)
        scene.set(search={"query": "nowhere", "mode": "exact"})
        assert scene.coloured() == 0, "beside what is lit thumbnails are grey"
        scene.set(search={"query": "river", "mode": "exact"})
        lit = [url for url in asked if "/points/" in url]
        assert lit
        assert all("slots=" in url for url in lit), "a search asks for its hits alone"
        assert scene.stats()["marks"] > 0
        assert scene.coloured() > 500
        scene.set(search=None)
        page.mouse.move(scene.box["x"] + 300, scene.box["y"] + 300)
        page.keyboard.down("Control")
        page.mouse.wheel(0, -60)
        page.keyboard.up("Control")
        page.wait_for_function(f"{STATS}.drawnPoints > 0")
        seen = {tuple(map(int, re.findall(r"/(\d+)-(\d+)\?most=400", url)[0])) for url in asked if "?most=" in url}
        assert 0 < sum(last - first + 1 for first, last in seen) < data.cells, "points of the heads in view come whole"
        assert not any("/positions/" in url for url in asked)


def test_layers_fold_by_their_numbers_and_by_keys_and_come_back(scene):
    page, stats = scene.page, scene.stats()
    camera = stats["camera"]
    left = scene.box["x"] + scene.box["width"] / 2 - camera["x"] * camera["scale"]
    top = scene.box["y"] + scene.box["height"] / 2 - camera["y"] * camera["scale"]
    page.mouse.click(left - 14, top + 1.5 * camera["scale"])
    assert scene.stats()["folded"] == [1]
    assert scene.stats()["rows"] * scene.stats()["columns"] < stats["rows"] * stats["columns"]
    page.keyboard.press("u")
    assert scene.stats()["folded"] == []
    scene.set(folded={"layers": "0"})
    assert scene.stats()["folded"] == [0]
    page.locator("#scene .atlas-scene-stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("F")
    focused = scene.stats()["focusCell"] // DATA.heads
    assert scene.stats()["folded"] == [row for row in range(DATA.layers) if row != focused]
    page.keyboard.press("Enter")  # a head opens from what is left
    assert scene.stats()["open"] // DATA.heads == focused
