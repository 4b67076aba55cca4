"""A walk through the running dashboard over a real atlas, as a user takes it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from services.atlas import open_atlas
from tests.browser.walking import clear_of_missing_pages, open_page, parameter, settle
from tests.real_home import SLUG

pytestmark = pytest.mark.browser


def box(page: Page) -> dict:
    found = page.locator("#scene").bounding_box()
    assert found
    return found


def centre_of_head(page: Page, layer: int, head: int) -> tuple[float, float]:
    """A place on screen inside a cell, found by asking the scene which head lies where."""
    frame = box(page)
    place = page.evaluate(
        """([width, height, layer, head]) => {
          const scene = document.querySelector('#scene').atlasScene, hits = [];
          for (let y = 4; y < height; y += 6) for (let x = 4; x < width; x += 6) {
            const at = scene.headAt(x, y);
            if (at && at.layer === layer && at.head === head) hits.push([x, y]);
          }
          return hits.length && [0, 1].map((axis) => hits.reduce((sum, hit) => sum + hit[axis], 0) / hits.length);
        }""",
        [frame["width"], frame["height"], layer, head],
    )
    assert place, "the head is not on screen"
    return frame["x"] + place[0], frame["y"] + place[1]


def click_token(page: Page, point: int) -> None:
    frame = box(page)
    place = page.evaluate("(id) => document.querySelector('#scene').atlasScene.screenPosition(id)", point)
    page.mouse.move(frame["x"] + place["x"], frame["y"] + place["y"])
    page.mouse.click(frame["x"] + place["x"], frame["y"] + place["y"])


def test_walk_from_all_heads_to_one_sentence_and_back(page: Page, dashboard):
    open_page(page, dashboard)
    assert page.evaluate("window.dash_stores[0].subscribe.name") == "rarely", "Dash's store no longer comes that way"
    expect(page.locator("#crumb")).to_have_text("All heads")
    x, y = centre_of_head(page, 2, 3)
    page.mouse.move(x, y)
    expect(page.locator("#scene").get_by_text("L2 H3").first).to_be_visible()
    page.mouse.click(x, y)
    expect(page.locator("#crumb")).to_have_text("Layer 2 · Head 3")
    settle(page)
    click_token(page, 5)
    expect(page.locator("#panel")).to_be_visible()
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    page.wait_for_function("new URL(location).searchParams.get('token') !== null")
    page.locator("#search-box").fill("bank")
    expect(page.locator("#search-count")).to_contain_text(re.compile(r"\d+ quer"))
    page.get_by_text("PCA", exact=True).click()
    page.wait_for_function("new URL(location).searchParams.get('method') === 'pca'")
    page.get_by_text("3D", exact=True).click()
    page.wait_for_function("new URL(location).searchParams.get('dims') === '3'")
    settle(page)
    before = page.url
    page.reload()
    settle(page)
    assert page.url == before
    expect(page.locator("#crumb")).to_have_text("Layer 2 · Head 3")
    expect(page.locator("#panel")).to_be_visible()
    expect(page.locator("#search-box")).to_have_value("bank")
    expect(page.locator("#search-count")).to_contain_text(re.compile(r"\d+ quer"))
    assert page.locator("#dims-select input[value='3']").is_checked()
    page.get_by_role("button", name="All heads").click()
    expect(page.locator("#crumb")).to_have_text("All heads")
    expect(page.locator("#panel")).to_be_hidden()
    assert parameter(page, "layer") is None


def test_the_sentence_view_shows_the_input_of_the_clicked_token(page: Page, dashboard, dashboard_home):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=0")
    click_token(page, 40)
    page.wait_for_function("new URL(location).searchParams.get('token') !== null")
    token, side = int(parameter(page, "token") or -1), parameter(page, "side")
    atlas = open_atlas(dashboard_home / "atlases" / SLUG)
    tokens = atlas.tokens()
    stats = page.evaluate(
        """async () => {
          const element = document.querySelector('#sentence');
          await element.atlasSentence.ready();
          return element.atlasSentence.stats();
        }"""
    )
    assert side in ("query", "key")
    assert stats["queries"] == tokens.length[token]
    assert stats["url"].endswith(f"/attention/self/{tokens.input[token]}/1/0")


def test_keyboard_alone_opens_and_leaves_a_head(page: Page, dashboard):
    open_page(page, dashboard)
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#crumb")).to_have_text(re.compile(r"Layer \d+ · Head \d+"))
    settle(page)
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#crumb")).to_have_text("All heads")


def test_escape_and_slash_work_wherever_the_focus_is(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    page.keyboard.press("Escape")
    expect(page.locator("#crumb")).to_have_text("All heads")
    page.keyboard.press("/")
    expect(page.locator("#search-box")).to_be_focused()


@pytest.mark.slow
def test_browser_back_leads_from_a_head_to_all_heads(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.wait_for_function("new URL(location).searchParams.get('atlas') !== null")
    x, y = centre_of_head(page, 0, 1)
    page.mouse.click(x, y)
    expect(page.locator("#crumb")).to_have_text("Layer 0 · Head 1")
    page.wait_for_function("new URL(location).searchParams.get('layer') === '0'")
    page.go_back()
    expect(page.locator("#crumb")).to_have_text("All heads")


def test_search_lights_all_heads_and_clears(page: Page, dashboard):
    open_page(page, dashboard)
    page.locator("#search-box").fill("zzzz")
    expect(page.locator("#search-count")).to_have_text("No token matches")
    page.locator("#search-box").fill("the")
    expect(page.locator("#search-count")).to_contain_text("queries")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator("#search-box")).to_have_value("")
    expect(page.locator("#search-count")).to_have_text("")
    page.wait_for_function("new URL(location).searchParams.get('q') === null")


def test_colour_by_position_changes_legend_and_picture(page: Page, dashboard):
    open_page(page, dashboard)
    before = page.locator("#scene").screenshot()
    page.locator("#colour-select").select_option("position")
    expect(page.locator("#legend")).to_contain_text("first")
    settle(page)
    assert page.locator("#scene").screenshot() != before


def test_two_browsers_do_not_see_each_others_state(page: Page, dashboard, open_context):
    other = open_context(bypass_csp=True).new_page()
    open_page(page, f"{dashboard}/?layer=1&head=1&q=the")
    open_page(other, dashboard)
    expect(page.locator("#crumb")).to_have_text("Layer 1 · Head 1")
    expect(other.locator("#crumb")).to_have_text("All heads")
    expect(other.locator("#search-box")).to_have_value("")
    other.locator("#colour-select").select_option("position")
    other.wait_for_function("new URL(location).searchParams.get('colour') === 'position'")
    assert page.locator("#colour-select").input_value() == "type"


def test_the_content_security_policy_breaks_nothing(open_context, dashboard):
    context = open_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    answer = page.goto(f"{dashboard}/?method=pca&layer=0&head=0&token=3")
    assert answer
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    expect(page.locator("#crumb")).to_have_text("Layer 0 · Head 0")
    expect(page.locator("#sentence canvas").first).to_be_visible()
    page.get_by_role("link", name="Guide").click()
    expect(page.locator("h1")).to_have_text("How to read the atlas")
    assert errors == []


def test_tokens_that_look_like_markup_stay_text(page: Page, dashboard):
    page.add_init_script("window.alert = () => { window.hacked = true; }")
    open_page(page, f"{dashboard}/?method=pca&layer=0&head=0&token=3")
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    page.locator("#search-box").fill("<script>alert(1)</script>")
    expect(page.locator("#search-count")).to_have_text("No token matches")
    assert page.evaluate("window.hacked") is None


def test_a_bad_link_says_what_it_dropped(page: Page, dashboard):
    open_page(page, f"{dashboard}/?layer=99&head=0&colour=plaid&atlas=minilm-sample")
    expect(page.locator(".notice")).to_contain_text("There is no head")
    expect(page.locator(".notice")).to_contain_text("plaid")
    expect(page.locator("#crumb")).to_have_text("All heads")


@pytest.mark.slow
def test_theme_follows_the_system_and_the_button(page: Page, dashboard):
    page.emulate_media(color_scheme="dark")
    open_page(page, dashboard)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


@pytest.mark.slow
def test_while_it_loads_the_page_says_so_and_a_dark_one_is_never_white(page: Page, dashboard):
    waiting: list[Route] = []
    page.route("**/*react-dom*", lambda route: waiting.append(route))  # a slow network
    page.emulate_media(color_scheme="dark")
    with page.expect_request("**/*react-dom*"):
        page.goto(dashboard, wait_until="commit")
    expect(page.get_by_text("Loading...")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 64
    waiting[0].continue_()
    settle(page)
    expect(page.get_by_text("Loading...")).to_have_count(0)


def test_without_webgl_the_matrix_is_a_picture_one_can_click(page: Page, dashboard):
    page.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
           HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
             return kind === 'webgl2' ? null : get.call(this, kind, ...more); };"""
    )
    open_page(page, f"{dashboard}/?method=pca")
    cell = page.get_by_role("button", name=re.compile(r"Layer 3.*Head 4|L3 H4", re.I)).first
    cell.click()
    expect(page.locator("#crumb")).to_have_text("Layer 3 · Head 4")


@pytest.mark.parametrize("path", ["/guide", "/glossary"])
def test_other_pages_open(page: Page, dashboard, path):
    answer = page.goto(dashboard + path)
    assert answer
    assert answer.status == 200
    expect(page.locator("h1").first).to_be_visible()


def test_an_unknown_page_says_so_and_leads_back(page: Page, dashboard, console_errors):
    answer = page.goto(f"{dashboard}/nowhere")
    assert answer
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("There is no such page")
    page.get_by_role("link", name="the atlas", exact=True).click()
    expect(page.locator("#crumb")).to_have_text("All heads")
    clear_of_missing_pages(console_errors)


def test_a_phone_shows_map_and_sentence_below_each_other(page: Page, dashboard):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{dashboard}/?method=pca&layer=0&head=0&token=3")
    scene, panel = page.locator("#scene").bounding_box(), page.locator("#panel").bounding_box()
    assert scene
    assert panel
    assert panel["y"] >= scene["y"] + scene["height"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
