"""The Export menu in a real browser: files really arrive, say what is on screen, and open by themselves."""

import io
import json
import xml.etree.ElementTree as ET  # of our own making

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, quiet

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"


def take(page: Page, what: str, tmp_path) -> bytes:
    menu = page.locator("#export")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with page.expect_download() as download:
        menu.locator(f"[data-export='{what}']").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    expect(page.locator("#export-status")).to_have_text("Saved.")
    return path.read_bytes()


def stats(page: Page) -> dict:
    quiet(page)
    return page.evaluate("document.querySelector('#scene').atlasScene.stats()")


def test_the_svg_of_a_head_holds_a_shape_a_point_and_real_text(page: Page, dashboard, tmp_path):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&set=p.BQEC&colour=kind")
    root = ET.fromstring(take(page, "svg", tmp_path))
    scene = next(group for group in root.iter(f"{SVG}g"))
    shapes = [path for path in scene.iter(f"{SVG}path") if path.get("fill") != "none"]
    rims = [path for path in scene.iter(f"{SVG}path") if path.get("stroke") == "#ffffff"]
    now = stats(page)
    assert len(shapes) == now["points"] + now["set"]
    assert len(rims) == now["set"] == 3
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert any("L2 H3 · UMAP, 2D" in (text or "") for text in texts)
    assert {label["text"] for label in now["labels"]} <= set(texts)
    assert {"Queries", "Keys", "punctuation"} <= set(texts)
    assert any("sentence-transformers" in (text or "") for text in texts)
    assert not list(root.iter(f"{SVG}image"))


def test_the_png_shows_the_scene_itself_at_the_chosen_scale(page: Page, dashboard, tmp_path):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&q=the")
    page.locator("#export > summary").click()
    page.locator("#export-scale").select_option("1")
    page.locator("#export-white").uncheck()
    image = np.asarray(Image.open(io.BytesIO(take(page, "png", tmp_path))).convert("RGB")).astype(int)
    page.keyboard.press("Escape")
    page.add_style_tag(content=".over-map, .set-frame, .atlas-scene-heading { display: none !important; }")
    page.mouse.move(2, 2)
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")
    shot = page.locator("#scene .atlas-scene-stage").screenshot()
    screen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    height, width = screen.shape[:2]
    part = image[24 + 30 : 24 + 30 + height, 24 : 24 + width]
    inner = (slice(10, -10), slice(10, -10))
    differ = np.abs(part[inner] - screen[inner]).max(axis=2) > 60
    assert part.shape == screen.shape
    assert np.unique(part.reshape(-1, 3), axis=0).shape[0] > 100
    assert differ.mean() < 0.01


@pytest.mark.slow
def test_the_picture_of_all_heads_is_white_and_large_and_its_svg_embeds_it(page: Page, dashboard, tmp_path):
    page.emulate_media(color_scheme="dark")
    open_page(page, f"{dashboard}/?method=umap")
    image = Image.open(io.BytesIO(take(page, "png", tmp_path)))
    view = page.evaluate("document.querySelector('#scene').clientWidth")
    assert image.width == 2 * (view + 48)
    assert image.convert("RGB").getpixel((3, 3)) == (255, 255, 255)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    root = ET.fromstring(take(page, "svg", tmp_path))
    assert len(list(root.iter(f"{SVG}image"))) == 1
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"head →", "layer ↓", "11"} <= texts


def test_the_html_file_opens_without_a_network_and_shows_a_token_on_hover(
    page: Page, open_context, dashboard, tmp_path
):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&colour=position")
    file = tmp_path / "head.html"
    file.write_bytes(take(page, "html", tmp_path))
    context = open_context(offline=True)
    alone = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("pageerror", lambda error: errors.append(str(error)))
    alone.add_init_script("window.alert = () => { window.hacked = true; }")
    alone.goto(file.as_uri())
    alone.wait_for_function("document.querySelector('.js-plotly-plot')?._fullLayout?.xaxis")
    points = alone.evaluate("document.querySelector('.js-plotly-plot')._fullData.map((trace) => trace.x.length)")
    assert sum(points) == stats(page)["points"]
    place = alone.evaluate(
        """() => {
          const plot = document.querySelector('.js-plotly-plot'), { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect(), trace = plot._fullData[1];
          return [box.left + xaxis._offset + xaxis.d2p(trace.x[40]), box.top + yaxis._offset + yaxis.d2p(trace.y[40])];
        }"""
    )
    alone.mouse.move(place[0] - 3, place[1])
    alone.mouse.move(*place)
    expect(alone.locator(".hoverlayer .hovertext")).to_contain_text("position")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    assert alone.evaluate("window.hacked") is None


def test_data_are_of_the_open_head_and_the_chosen_set(page: Page, dashboard, tmp_path):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&set=p.BQEC&token=30&side=query")
    rows = take(page, "tokens.csv", tmp_path).decode().splitlines()
    assert len(rows) == 1 + stats(page)["points"]
    page.locator("#export-set").check()
    rows = take(page, "coordinates.csv", tmp_path).decode().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["5", "6", "8"]
    rows = take(page, "attention-input.csv", tmp_path).decode().splitlines()
    assert {row.split(",")[0] for row in rows[1:]} == {str(page.evaluate("atlasStores.held('atlas').selection.input"))}
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&input=2")  # an input without a token will do
    rows = take(page, "attention-input.csv", tmp_path).decode().splitlines()
    assert {row.split(",")[0] for row in rows[1:]} == {"2"}


@pytest.mark.slow
def test_what_cannot_be_exported_says_why_and_the_menu_goes_on(page: Page, dashboard, console_errors):
    open_page(page, f"{dashboard}/?method=umap")
    page.locator("#export > summary").click()
    expect(page.locator("#export .export-none")).to_be_visible()
    expect(page.locator("#export [data-export='tokens.csv']")).to_be_hidden()
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3")
    page.locator("#export > summary").click()
    page.locator("[data-export='attention-input.csv']").click()
    expect(page.locator("#export-status")).to_contain_text("Choose a token or an input first")
    refusal = json.dumps("20,000,001 rows are more than the 20,000,000 of a parquet file: take one input.")
    page.route("**/attention.parquet", lambda route: route.fulfill(status=413, body=json.loads(refusal)))
    page.locator("[data-export='attention.parquet']").click()
    expect(page.locator("#export-status")).to_contain_text("take one input")
    expect(page.locator("[data-export='png']")).to_be_enabled()
    console_errors.clear()  # the browser reports the 413 by itself
