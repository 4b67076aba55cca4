"""Reading a crowd: the legend and the axis of positions as a brush, names of groups, the outline of hits, the ghost."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter, quiet

pytestmark = pytest.mark.browser


def stats(page: Page, name: str):
    quiet(page)
    return page.evaluate(f"document.querySelector('#scene').atlasScene.stats().{name}")


def test_a_brush_greys_in_map_and_link_by_pointer_and_keyboard_and_ends_by_its_button(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&layer=2&head=3&colour=kind")
    page.locator(".legend-value[data-brush='kind'][data-value='1']").first.click()
    expect(page.locator("#brush-clear")).to_contain_text("punctuation")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().standing > 0")
    few = stats(page, "standing")
    assert parameter(page, "only") == "kind-1"
    assert 0 < few < stats(page, "points") / 2
    expect(page.locator(".legend-value[data-brush='kind'][data-value='1']").first).to_have_attribute(
        "aria-pressed", "true"
    )
    page.locator("#positions .brush-from").focus()
    page.keyboard.press("PageUp")
    expect(page.locator("#brush-clear")).to_contain_text("Position 8 %–100 %")
    page.wait_for_function(f"document.querySelector('#scene').atlasScene.stats().standing <= {few}")
    open_page(page, page.url)
    expect(page.locator("#positions .brush-from")).to_have_attribute("aria-valuenow", "10")
    page.locator("#brush-clear").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().standing === null")
    assert parameter(page, "only") is None


def test_groups_have_names_that_yield_to_a_search_whose_hits_have_an_outline(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&dims=2&layer=2&head=3")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().groups.length > 0")
    assert stats(page, "shaded")
    page.fill("#search-box", "the")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().outline > 0")
    assert stats(page, "groups") == []
    assert not stats(page, "shaded")


def test_the_ghost_is_of_the_head_before(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=umap&dims=2&layer=2&head=3&ghost=on")
    assert stats(page, "ghost") == -1
    page.click("#head-right")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().ghost === 2 * 12 + 3")
