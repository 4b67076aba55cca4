"""Getting from head to head: neighbours, jump, minimap, keys, back and forward."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter, settle, wait_for_address_to_rest, wait_for_head

pytestmark = pytest.mark.browser


def test_neighbours_keep_everything_and_stop_at_the_edge(page: Page, dashboard):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{dashboard}/?method=pca&colour=position&layer=0&head=0&token=40&side=key&q=the")
    expect(page.locator("#head-left")).to_be_disabled()
    expect(page.locator("#head-up")).to_be_disabled()
    page.locator("#head-right").click()
    wait_for_head(page, 0, 1)
    page.locator("#head-down").click()
    wait_for_head(page, 1, 1)
    for name, value in {"token": "40", "side": "key", "q": "the", "colour": "position", "method": "pca"}.items():
        assert parameter(page, name) == value
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    assert any(url.endswith("/1/1") and "/attention/" in url for url in asked)
    expect(page.locator("#head-left")).to_be_enabled()
    page.locator("#head-up").click()
    page.locator("#head-left").click()
    wait_for_head(page, 0, 0)
    expect(page.locator("#head-left")).to_be_disabled()


def test_frames_of_every_point_are_a_switch_that_links_carry(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1&whole=on")
    assert page.evaluate("document.getElementById('scene').atlasScene.stats().frame") == "all"
    expect(page.locator("#outside")).to_contain_text("Every point in its frame")
    page.locator("#outside-switch").click()
    page.wait_for_function("!new URL(location).searchParams.has('whole')")
    page.wait_for_function("document.getElementById('scene').atlasScene.stats().frame === 'middle'")
    page.locator("#display > summary").click()
    page.get_by_label("Every point, however far out").check()
    page.wait_for_function("new URL(location).searchParams.get('whole') === 'on'")


def test_arrow_keys_move_among_heads_but_not_inside_a_control(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    wait_for_head(page, 2, 2)
    page.locator("#search-box").fill("bank")
    page.keyboard.press("ArrowLeft")
    page.locator("#dims-select input[value='2']").focus()
    page.keyboard.press("ArrowRight")  # the next choice of the control itself
    page.wait_for_function("new URL(location).searchParams.get('dims') === '3'")
    wait_for_head(page, 2, 2)


def test_the_selects_lead_to_any_head_and_follow_it(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.keyboard.press("g")
    expect(page.locator("#jump-layer")).to_be_focused()
    page.locator("#jump-layer").select_option("3")
    wait_for_head(page, 3, 0)
    page.locator("#jump-head").select_option("7")
    wait_for_head(page, 3, 7)
    page.keyboard.press("Escape")
    wait_for_head(page, None, None)
    expect(page.locator("#jump-layer")).to_have_value("none")
    expect(page.locator("#jump-head")).to_have_value("none")


def test_escape_closes_a_menu_then_the_selection_then_the_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1&token=40")
    page.locator("#display > summary").click()
    expect(page.locator("#display-labels")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#display-labels")).to_be_hidden()
    assert parameter(page, "token") == "40"
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("new URL(location).searchParams.get('token') === null")
    wait_for_head(page, 1, 1)
    page.keyboard.press("Escape")
    wait_for_head(page, None, None)


def test_the_minimap_shows_names_and_opens_heads(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    expect(page.locator("#minimap")).to_be_hidden()
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=3")
    expect(page.locator(".minimap-name")).to_have_text("L2 H3")
    canvas = page.locator("#minimap canvas")
    frame = canvas.bounding_box()
    assert frame
    cell = frame["width"] / 12
    page.mouse.move(frame["x"] + 5.5 * cell, frame["y"] + 4.5 * cell)
    expect(page.locator(".minimap-name")).to_have_text("L4 H5")
    canvas.click(position={"x": 5.5 * cell, "y": 4.5 * cell})
    wait_for_head(page, 4, 5)
    page.locator("#minimap").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".minimap-name")).to_have_text("L3 H5")
    wait_for_head(page, 4, 5)
    page.keyboard.press("Enter")
    wait_for_head(page, 3, 5)


@pytest.mark.slow
def test_on_a_phone_the_minimap_is_folded_and_nothing_is_wider_than_the_screen(page: Page, dashboard):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=3")
    expect(page.locator("#minimap")).to_be_hidden()
    page.locator(".minimap-title").click()
    expect(page.locator("#minimap")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_the_map_comes_first_and_its_controls_on_demand(page: Page, dashboard):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{dashboard}/?method=pca")
    above = page.locator("#scene").bounding_box()
    assert above
    assert above["y"] < 300
    toggle = page.get_by_role("button", name="View", exact=True)
    expect(page.locator("#search-box")).to_be_visible()
    expect(page.locator("#method-select")).to_be_hidden()
    expect(page.locator("#order-select")).to_be_hidden()
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    page.locator("#method-select").get_by_text("UMAP", exact=True).click()
    page.wait_for_function("new URL(location).searchParams.get('method') === 'umap'")
    expect(page.locator("#order-select")).to_be_visible()
    toggle.click()
    expect(page.locator("#method-select")).to_be_hidden()
    page.set_viewport_size({"width": 1200, "height": 800})
    expect(page.locator("#method-select")).to_be_visible()
    expect(toggle).to_be_hidden()


@pytest.mark.slow
def test_back_and_forward_walk_through_the_heads_again_and_again(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    for _ in range(2):  # the second round meets addresses that the router has seen before
        page.locator("#jump-head").select_option("4")
        wait_for_head(page, 0, 4)
        page.locator("#head-down").click()
        wait_for_head(page, 1, 4)
        page.go_back()
        wait_for_head(page, 0, 4)
        page.go_back()
        wait_for_head(page, None, None)
        page.go_forward()
        wait_for_head(page, 0, 4)
        page.go_back()
        wait_for_head(page, None, None)
        settle(page)
    expect(page.locator("#crumb")).to_have_text("All heads")


@pytest.mark.slow
def test_the_name_of_the_app_leads_to_its_first_state_also_a_second_time(page: Page, dashboard):
    open_page(page, dashboard)
    for _ in range(2):
        page.locator("#jump-head").select_option("4")
        wait_for_head(page, 0, 4)
        page.locator(".brand").click()
        wait_for_head(page, None, None)
        page.wait_for_function("new URL(location).searchParams.get('atlas') !== null")


def test_labels_and_point_size_change_the_picture_and_are_part_of_the_link(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    stats = "document.querySelector('#scene').atlasScene.stats()"
    before = page.evaluate(stats)
    assert before["labels"]
    page.locator("#display > summary").click()
    page.get_by_label("Token labels in a head").uncheck()
    page.get_by_text("Large", exact=True).click()
    page.wait_for_function("new URL(location).searchParams.get('size') === '7'")
    settle(page)
    after = page.evaluate(stats)
    assert after["labels"] == []
    assert after["diameter"] == pytest.approx(7, rel=0.01)
    page.reload()
    settle(page)
    again = page.evaluate(stats)
    assert (again["labels"], again["diameter"]) == ([], pytest.approx(7, rel=0.01))
    page.locator("#display > summary").click()
    expect(page.get_by_label("Token labels in a head")).not_to_be_checked()


@pytest.mark.slow
def test_recentre_brings_a_moved_picture_back(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    camera = "document.querySelector('#scene').atlasScene.stats().camera"
    home = page.evaluate(camera)
    frame = page.locator("#scene").bounding_box()
    assert frame
    page.mouse.move(frame["x"] + 300, frame["y"] + 300)
    page.mouse.wheel(0, -300)
    settle(page)
    assert page.evaluate(camera)["scale"] > home["scale"]
    page.locator("#recentre").click()
    settle(page)
    assert page.evaluate(camera)["scale"] == pytest.approx(home["scale"])
    page.mouse.move(frame["x"] + 300, frame["y"] + 300)
    page.mouse.wheel(0, -300)
    page.keyboard.press("0")
    settle(page)
    assert page.evaluate(camera) == pytest.approx(home)


LOOKS = """() => {
  const { camera, turn } = document.querySelector('#scene').atlasScene.stats();
  return { ...camera, ...turn };
}"""


def wait_for_viewpoint(page: Page, given: bool = True) -> str | None:
    """The viewpoint in the address, once that has stopped changing."""
    page.wait_for_function("(given) => new URL(location).searchParams.has('at') === given", arg=given)
    wait_for_address_to_rest(page)
    return parameter(page, "at")


def drag(page: Page, dx: float, dy: float) -> None:
    frame = page.locator("#scene").bounding_box()
    assert frame
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


@pytest.mark.parametrize(
    ("dims", "place"),
    [
        (2, "&layer=1&head=1"),
        (3, ""),
        pytest.param(2, "", marks=pytest.mark.slow),
        pytest.param(3, "&layer=1&head=1", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_link_looks_from_where_it_was_taken(page: Page, dashboard, dims, place):
    open_page(page, f"{dashboard}/?method=pca&dims={dims}{place}")
    assert parameter(page, "at") is None
    drag(page, 80, 40)  # in an open head of three dimensions this turns it
    page.mouse.wheel(0, -60)
    settle(page)
    at = wait_for_viewpoint(page)
    assert at
    assert len(at.split("_")) == (5 if dims == 3 and place else 3)
    seen = page.evaluate(LOOKS)
    open_page(page, page.url)
    assert page.evaluate(LOOKS) == pytest.approx(seen, rel=1e-3, abs=1e-3)
    assert wait_for_viewpoint(page) == at
    assert page.locator(".notice").count() == 0
    page.locator("#recentre").click()
    wait_for_viewpoint(page, given=False)


def test_a_viewpoint_belongs_to_its_head_and_comes_back_with_it(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    drag(page, 80, 40)
    at = wait_for_viewpoint(page)
    page.locator("#head-right").click()
    wait_for_head(page, 1, 2)
    assert parameter(page, "at") is None
    wait_for_viewpoint(page, given=False)
    page.go_back()
    wait_for_head(page, 1, 1)
    settle(page)
    assert wait_for_viewpoint(page) == at


@pytest.mark.slow
def test_a_viewpoint_shows_the_same_part_in_a_window_of_another_size(page: Page, dashboard):
    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1&panel=closed&at=0.2_-0.1_3")
    before = page.evaluate(LOOKS)
    page.set_viewport_size({"width": 1000, "height": 700})
    settle(page)
    after = page.evaluate(LOOKS)
    assert after["scale"] < 0.9 * before["scale"]
    assert wait_for_viewpoint(page) == "0.2_-0.1_3"


@pytest.mark.slow
def test_no_link_leads_away_from_the_map(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1&at=999_-999_0.0001")
    expect(page.locator("#crumb")).to_have_text("Layer 1 · Head 1")
    frame = page.locator("#scene").bounding_box()
    assert frame
    corner = [0.06 * frame["width"], 0.94 * frame["height"]]
    found = page.evaluate("([x, y]) => document.querySelector('#scene').atlasScene.headAt(x, y)", corner)
    assert found == {"layer": 1, "head": 1}


@pytest.mark.slow
def test_hints_say_what_to_do_next_until_it_has_been_done(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    expect(page.locator("#hint")).to_have_text("Click a head to open it")
    page.locator("#jump-head").select_option("2")
    expect(page.locator("#hint")).to_have_text("Click a token to see its attention")
    settle(page)
    place = page.evaluate("document.querySelector('#scene').atlasScene.screenPosition(5)")
    page.locator("#scene").click(position=place)
    expect(page.locator("#hint")).to_have_text("")
    page.reload()
    settle(page)
    expect(page.locator("#hint")).to_have_text("")
    open_page(page, f"{dashboard}/?method=pca")
    expect(page.locator("#hint")).to_have_text("")


@pytest.mark.parametrize("dims", ["2", "3"])
@pytest.mark.slow
def test_both_spaces_work_in_the_matrix_and_in_a_head(page: Page, dashboard, dims):
    for place in ("", "&layer=1&head=1"):
        open_page(page, f"{dashboard}/?method=pca&dims={dims}{place}")
        stats = page.evaluate("document.querySelector('#scene').atlasScene.stats()")
        assert stats["dims"] == int(dims)
        assert stats["drawnPoints"] > 0
