"""Search and colour in a real browser: modes, errors, steps, lists, palettes, norms."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from services.atlas import open_atlas
from tests.browser.test_dashboard import centre_of_head, open_page, parameter, settle
from tests.real_home import SLUG

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tokens(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG).tokens()


def marks(page: Page) -> int:
    settle(page)
    return page.evaluate("document.querySelector('#scene').atlasScene.stats().marks")


def selected(page: Page) -> int:
    return int(parameter(page, "token") or -1)


def test_enter_steps_through_the_hits_and_shift_enter_back(page: Page, dashboard, tokens):
    rows = [row for row, text in enumerate(tokens.text) if text == "the"]
    open_page(page, f"{dashboard}/?method=pca")
    box = page.locator("#search-box")
    expect(page.locator("#search-clear")).to_be_hidden()
    before = page.locator("#scene").bounding_box()
    box.fill("the")
    expect(page.locator("#search-count")).to_contain_text(f"{len(rows)} queries, {len(rows)} keys in ")
    expect(page.locator("#search-place")).to_have_text(f"{len(rows)} hits")
    expect(page.locator("#search-clear")).to_be_visible()
    assert page.locator("#scene").bounding_box() == before  # an answer moves nothing
    for number in (1, 2, 3):
        box.press("Enter")
        expect(page.locator("#search-place")).to_have_text(f"{number} of {len(rows)}")
    page.wait_for_function(f"new URL(location).searchParams.get('token') === '{rows[2]}'")
    box.press("Shift+Enter")
    expect(page.locator("#search-place")).to_have_text(f"2 of {len(rows)}")
    page.get_by_role("button", name="Hit before").click()
    page.get_by_role("button", name="Hit before").click()
    expect(page.locator("#search-place")).to_have_text(f"{len(rows)} of {len(rows)}")
    page.wait_for_function(f"new URL(location).searchParams.get('token') === '{rows[-1]}'")
    assert parameter(page, "layer") is None


def test_a_wrong_pattern_is_told_near_the_box_and_lights_nothing(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&q=the")
    expect(page.locator("#search-count")).to_contain_text("queries")
    assert marks(page) > 0
    page.locator("#search-mode").select_option("regex")
    page.locator("#search-box").fill("(the")
    expect(page.locator("#search-count")).to_contain_text("at character 1")
    assert marks(page) == 0
    page.locator("#search-box").fill("(a+)+$")
    expect(page.locator("#search-count")).to_contain_text("queries")
    assert marks(page) > 0
    page.locator("#search-box").fill("<img src=x onerror=alert(1)>")
    expect(page.locator("#search-count")).to_have_text("No token matches")


def test_modes_case_and_terms_are_part_of_the_link(page: Page, dashboard, tokens):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("#search-mode").select_option("prefix")
    page.get_by_text("Match case").locator("..").click()
    page.locator("#search-box").fill("th, Un")
    wanted = [text for text in tokens.text if text.removeprefix("##").startswith(("th", "Un"))]
    expect(page.locator("#search-count")).to_contain_text(f"{len(wanted)} queries")
    page.wait_for_function("new URL(location).searchParams.get('case') === '1'")
    page.reload()
    settle(page)
    expect(page.locator("#search-box")).to_have_value("th, Un")
    expect(page.locator("#search-mode")).to_have_value("prefix")
    expect(page.locator("#search-count")).to_contain_text(f"{len(wanted)} queries")
    page.locator("#search-mode").select_option("pos")
    page.locator("#search-box").fill("NOUN")
    expect(page.locator("#search-count")).to_contain_text(f"{tokens.columns['pos'].count('NOUN')} queries")


def test_the_lists_lead_to_inputs_and_heads(page: Page, dashboard, tokens):
    open_page(page, f"{dashboard}/?method=umap&q=the")
    page.locator("#search-details summary").click()
    entries = page.locator("#search-inputs button")
    inputs = {int(tokens.input[row]) for row, text in enumerate(tokens.text) if text == "the"}
    expect(entries).to_have_count(len(inputs))
    entries.nth(2).click()
    page.wait_for_function("new URL(location).searchParams.get('token') !== null")
    assert tokens.text[selected(page)] == "the"
    expect(entries.nth(2)).to_have_attribute("aria-current", "true")
    heads = page.locator("#search-heads .where-entry")
    expect(heads).to_have_count(15)
    figures = [float(text.removeprefix("×")) for text in page.locator("#search-heads .where-number").all_inner_texts()]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 1.5
    name = heads.first.locator(".where-name").inner_text()
    heads.first.click()
    layer, head = re.fullmatch(r"L(\d+) H(\d+)", name).groups()
    expect(page.locator("#crumb")).to_have_text(f"Layer {layer} · Head {head}")
    page.keyboard.press("Escape")
    expect(page.locator("#search-details")).not_to_have_attribute("open", "")
    expect(page.locator("#crumb")).to_have_text(f"Layer {layer} · Head {head}")


def cell_picture(page: Page, layer: int, head: int) -> np.ndarray:
    """The middle of a cell, blurred: a cell's place may differ by part of a pixel."""
    x, y = centre_of_head(page, layer, head)
    raw = page.screenshot(clip={"x": round(x) - 21, "y": round(y) - 18, "width": 42, "height": 42})
    return np.asarray(Image.open(io.BytesIO(raw)).convert("L"), float).reshape(7, 6, 7, 6).mean(axis=(1, 3))


def test_heads_can_be_sorted_by_how_closely_they_keep_the_hits(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&q=the")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().badges === 72")
    heads = [(layer, head) for layer in range(6) for head in range(12)]
    before = {place: cell_picture(page, *place) for place in heads[::7]}
    page.locator("#search-details summary").click()
    best = page.locator("#search-heads .where-name").first.inner_text()
    page.get_by_role("button", name="Sort all heads by it").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().order !== null")
    page.keyboard.press("Escape")
    settle(page)
    order = page.evaluate("document.querySelector('#scene').atlasScene.stats().order")
    assert sorted(order) == list(range(72))
    assert f"L{order[0] // 12} H{order[0] % 12}" == best
    page.mouse.move(2, 2)
    # Heads are drawn at their new places: each looks more like itself before than any other does, but for twins.
    looks = []
    for place in before:
        now = cell_picture(page, *place)
        differences = {other: np.abs(known - now).mean() for other, known in before.items()}
        looks.append(min(differences, key=differences.__getitem__) == place)
    assert np.mean(looks) > 0.8
    page.get_by_role("button", name="Clear the search").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().order === null")


def test_norms_have_two_scales_and_show_their_numbers_in_a_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    expect(page.locator("#colour-variant-field")).to_be_hidden()
    page.locator("#colour-select").select_option("norm")
    expect(page.locator("#colour-variant-field")).to_be_visible()
    expect(page.locator("#legend")).to_contain_text("shortest")
    settle(page)
    own = page.locator("#scene").screenshot()
    page.get_by_text("all heads", exact=True).click()
    expect(page.locator("#legend .legend-end").first).to_have_text(re.compile(r"^[\d.]+$"))
    settle(page)
    assert page.locator("#scene").screenshot() != own
    page.get_by_text("each head", exact=True).click()
    page.mouse.click(*centre_of_head(page, 3, 4))
    expect(page.locator("#legend .legend-end").first).to_have_text(re.compile(r"^[\d.]+$"))
    page.wait_for_function("new URL(location).searchParams.get('colour') === 'norm'")


@pytest.mark.slow
def test_points_grow_with_their_norm_in_an_open_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=3&head=4")
    before = page.locator("#scene").screenshot()
    page.locator("#display > summary").click()
    page.get_by_label("Size by vector norm").check()
    page.keyboard.press("Escape")
    expect(page.locator("#display")).not_to_have_attribute("open", "")
    page.wait_for_function("new URL(location).searchParams.get('bynorm') === 'on'")
    settle(page)
    page.mouse.move(5, 5)
    assert page.locator("#scene").screenshot() != before
    page.reload()
    settle(page)
    expect(page.get_by_label("Size by vector norm")).to_be_checked()


@pytest.mark.slow
def test_the_original_palette_reaches_points_and_legend_and_stays_in_the_link(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("#display > summary").click()
    page.get_by_text("Original", exact=True).click()
    marker = page.locator("#legend .legend-marker-query").first
    expect(marker).to_have_css("background-color", "rgb(95, 185, 108)")
    page.wait_for_function("new URL(location).searchParams.get('palette') === 'original'")
    page.reload()
    settle(page)
    expect(marker).to_have_css("background-color", "rgb(95, 185, 108)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.slow
def test_axe_finds_nothing_while_searching(page: Page, dashboard, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    open_page(page, f"{dashboard}/?method=pca&q=the&colour=pos")
    page.locator("#search-details summary").click()
    expect(page.locator("#search-heads .where-entry").first).to_be_visible()
    found = Axe().run(page).response["violations"]
    page.keyboard.press("Escape")
    page.locator("#display > summary").click()
    found += Axe().run(page).response["violations"]
    assert [(v["id"], [node["html"][:160] for node in v["nodes"]]) for v in found] == []


@pytest.mark.slow
def test_without_webgl_the_picture_lights_the_hits(page: Page, dashboard):
    page.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
           HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
             return kind === 'webgl2' ? null : get.call(this, kind, ...more); };"""
    )
    open_page(page, f"{dashboard}/?method=pca")
    before = page.locator("#scene").screenshot()
    page.locator("#search-box").fill("the")
    expect(page.locator("#scene img")).to_have_attribute("src", re.compile(r"[?&]q=the"))
    expect(page.locator("#search-count")).to_contain_text("queries")
    page.wait_for_function("document.querySelector('#scene img').complete")
    assert page.locator("#scene").screenshot() != before
