"""Choosing several tokens in map, table and sentence: all views follow, Escape undoes, a link brings it back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter, quiet, settle

pytestmark = pytest.mark.browser


def scene(page: Page, expression: str):
    quiet(page)
    return page.evaluate(f"document.querySelector('#scene').atlasScene.{expression}")


def box(page: Page) -> dict:
    """Of the canvas: the scene's own coordinates start inside its border."""
    found = page.locator("#scene .atlas-scene-points").bounding_box()
    assert found
    return found


def drawn_inside(page: Page, x0: float, y0: float, x1: float, y1: float) -> int:
    """Points on screen inside a rectangle, asked one by one."""
    return page.evaluate(
        """([x0, y0, x1, y1]) => {
          const scene = document.querySelector('#scene').atlasScene, { queries, keys } = scene.payload();
          let count = 0;
          for (let point = 0; point < queries + keys; point++) {
            const at = scene.screenPosition(point);
            if (at.x > x0 && at.x < x1 && at.y > y0 && at.y < y1) count++;
          }
          return count;
        }""",
        [x0, y0, x1, y1],
    )


def drag(page: Page, places: list[tuple[float, float]]) -> None:
    """Draw through places given from the middle of the scene."""
    frame = box(page)
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x + places[0][0], y + places[0][1])
    page.mouse.down()
    for dx, dy in places[1:]:
        page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def wait_for_set(page: Page, size: str = "> 0") -> int:
    page.wait_for_function(f"document.querySelector('#scene').atlasScene.stats().set {size}")
    expect(page.locator("#set-count")).to_contain_text("point")
    return scene(page, "stats().set")


@pytest.mark.parametrize("dims", [2, 3])
def test_a_box_holds_exactly_the_points_drawn_inside_it(page: Page, dashboard, dims):
    open_page(page, f"{dashboard}/?method=umap&dims={dims}&layer=2&head=3")
    page.keyboard.press("b")
    expect(page.locator("#tool input[value='box']")).to_be_checked()
    drag(page, [(-150, -130), (120, 90)])
    frame = box(page)
    x, y = frame["width"] / 2, frame["height"] / 2
    wanted = drawn_inside(page, x - 150, y - 130, x + 120, y + 90)
    assert wait_for_set(page) == wanted > 0


def test_shift_drag_draws_a_lasso_escape_clears_it_first_and_then_leaves_the_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3")
    page.keyboard.down("Shift")
    drag(page, [(-200, -200), (200, -200), (200, 200), (-200, 200)])
    page.keyboard.up("Shift")
    size = wait_for_set(page)
    text = page.locator("#set-count").inner_text()
    assert text.startswith(f"{size:,} points")
    link = page.url
    assert parameter(page, "set").startswith("m.2.3.umap2d.")
    page.keyboard.press("Escape")
    expect(page.locator("#set-clear")).to_be_hidden()
    expect(page.locator("#crumb")).to_have_text("Layer 2 · Head 3")
    page.wait_for_function("!new URL(location).searchParams.get('set')")
    page.keyboard.press("Escape")
    expect(page.locator("#crumb")).to_have_text("All heads")
    open_page(page, link)
    assert wait_for_set(page) == size
    expect(page.locator("#set-count")).to_have_text(text)
    page.get_by_role("button", name="All heads").click()
    expect(page.locator("#crumb")).to_have_text("All heads")
    settle(page)
    assert scene(page, "stats().marks") == size
    # The button covers neither the tools above the matrix nor heads.
    button, scene_box = page.locator("#set-clear").bounding_box(), box(page)
    assert button
    assert button["y"] >= scene_box["y"] + scene_box["height"]
    page.locator("#set-clear").click()
    expect(page.locator("#set-clear")).to_be_hidden()


def test_rows_of_the_table_choose_a_token_and_several_a_set(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&tab=tokens")
    rows = page.locator("#token-table .ag-center-cols-container .ag-row")
    expect(rows.first).to_be_visible()
    rows.nth(2).locator(".ag-cell").first.click()
    page.wait_for_function("new URL(location).searchParams.get('token') === '1'")
    expect(page.locator("#set-clear")).to_be_hidden()
    for number in (5, 7):
        rows.nth(number).locator(".ag-cell").first.click(modifiers=["Control"])
    assert wait_for_set(page, "=== 3") == 3
    expect(page.locator("#table-summary")).to_contain_text("1 query and 2 keys in 1 input")
    page.locator("#table-scope").get_by_text("Set", exact=True).click()
    expect(page.locator("#table-count")).to_have_text("3 rows")


@pytest.mark.slow
def test_the_grid_is_fetched_with_its_tab_and_not_with_the_page(page: Page, dashboard):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3")
    assert not [url for url in asked if "dash_ag_grid" in url]
    page.locator("#panel-tab").get_by_text("Tokens", exact=True).click()
    expect(page.locator("#token-table .ag-row").first).to_be_visible()
    assert [url for url in asked if "dash_ag_grid" in url]


def test_shift_click_in_map_and_sentence_change_one_set(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&token=3&side=query")
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    frame = page.locator("#sentence").bounding_box()
    at = page.evaluate("document.querySelector('#sentence').atlasSentence.tokenPosition('key', 1)")
    assert frame
    for size in (1, 0):
        page.mouse.move(frame["x"] + at["x"], frame["y"] + at["y"])
        page.keyboard.down("Shift")
        page.mouse.down()
        page.mouse.up()
        page.keyboard.up("Shift")
        if size:
            wait_for_set(page, "=== 1")
            page.wait_for_function("document.querySelector('#sentence').atlasSentence.stats().inSet === 1")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().set === null")


@pytest.mark.slow
def test_a_link_with_a_broken_set_says_so(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&set=r.0.0.umap2d.zz")
    expect(page.locator(".notice")).to_contain_text("The set of tokens in this link cannot be shown")
    assert scene(page, "stats().set") is None


@pytest.mark.slow
def test_the_table_works_under_the_content_security_policy(open_context, dashboard):
    context = open_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(f"{dashboard}/?method=umap&layer=2&head=3&tab=tokens")
    expect(page.locator("#token-table .ag-row").first).to_be_visible()
    assert errors == []


@pytest.mark.slow
def test_without_webgl_a_set_is_drawn_in_the_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&webgl=0&set=p.BQE")
    settle(page)
    assert scene(page, "stats().set") == 2
    assert scene(page, "stats().webgl") is False
    page.keyboard.press("Escape")
    expect(page.locator("#set-clear")).to_be_hidden()
