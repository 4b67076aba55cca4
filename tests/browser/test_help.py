"""Popovers, the help dialog, the tour and the glossary, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from components.glossary_terms import GLOSSARY
from components.help_texts import HELP, TOUR
from tests.browser.walking import open_page, parameter, quiet, wait_for_head

pytestmark = pytest.mark.browser

REAL_VISITOR = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })"


def test_every_control_explains_itself_and_its_popover_leads_to_a_word(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    seen = set()
    for button in page.locator(".info-button:visible").all():
        button.click()
        popover = page.locator(".info-popover")
        name = popover.get_attribute("data-help") or ""
        expect(popover).to_contain_text(HELP[name][1])
        link = popover.locator("a")
        assert link.count() == (HELP[name][2] is not None)
        if link.count():
            assert (link.get_attribute("href") or "").endswith(f"/glossary#{HELP[name][2]}")
        frame = popover.bounding_box()
        assert frame
        assert frame["x"] >= 0
        assert frame["x"] + frame["width"] <= 1280
        seen.add(name)
        page.keyboard.press("Escape")
        expect(popover).to_have_count(0)
        expect(button).to_be_focused()
    wait_for_head(page, 1, 1)  # Escape closed popovers only
    assert len(seen) >= 10


def test_a_popover_is_reached_and_left_by_keyboard_alone(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("[data-help='method-select']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".info-popover")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".info-popover a")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".info-popover")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('#method-select') !== null")


def test_help_lists_the_keys_and_gives_the_focus_back(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=1")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Help")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Re-centre the view")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    wait_for_head(page, 1, 1)
    page.locator("#help-button").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close help").click()
    expect(page.locator("#help-button")).to_be_focused()
    page.locator("#search-box").fill("who?")
    page.locator("#search-box").press("?")
    expect(dialog).to_be_hidden()


def test_the_tour_points_at_what_is_there_and_is_recalled_from_help(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("#help-button").click()
    page.get_by_role("button", name="Show the tour").click()
    for number, (_, title, _) in enumerate(TOUR):
        tour = page.get_by_role("dialog", name=title)
        expect(tour).to_contain_text(f"{number + 1} of 5")
        ring, frame = page.locator(".tour-ring").bounding_box(), tour.bounding_box()
        assert ring
        assert frame
        assert ring["width"] > 20
        assert frame["x"] >= 0
        assert frame["y"] + frame["height"] <= 720
        page.keyboard.press("Enter")  # the focus is on Next, then on Done
    expect(page.locator(".tour")).to_have_count(0)
    expect(page.locator("#help-button")).to_be_focused()


def test_the_tour_meets_a_newcomer_once_and_leaves_the_page_usable(open_context, dashboard):
    context = open_context(bypass_csp=True)
    page = context.new_page()
    page.add_init_script(REAL_VISITOR)
    open_page(page, dashboard)
    expect(page.locator(".tour")).to_be_visible()
    page.locator("#colour-select").select_option("position")  # it does not block the page
    page.wait_for_function("new URL(location).searchParams.get('colour') === 'position'")
    page.keyboard.press("Escape")
    expect(page.locator(".tour")).to_have_count(0)
    open_page(page, dashboard)
    quiet(page)
    expect(page.locator(".tour")).to_have_count(0)


@pytest.mark.parametrize("link", ["/?tour=0", "/?layer=1&head=1", "/?colour=position"])
@pytest.mark.slow
def test_the_tour_does_not_cover_a_link_that_shows_something(open_context, dashboard, link):
    context = open_context(bypass_csp=True)
    page = context.new_page()
    page.add_init_script(REAL_VISITOR)
    open_page(page, dashboard + link)
    quiet(page)
    expect(page.locator(".tour")).to_have_count(0)


def test_the_glossary_shows_the_word_of_its_address(page: Page, dashboard):
    page.goto(f"{dashboard}/glossary#sink")
    expect(page.locator(".entry.at")).to_contain_text("Attention sink")
    expect(page.locator("#sink")).to_be_in_viewport()
    page.locator("#perplexity dt a").click()
    expect(page.locator(".entry.at")).to_contain_text("Perplexity")
    assert page.locator(".entry").count() == len(GLOSSARY)


@pytest.mark.slow
def test_a_visit_to_the_glossary_and_back_loses_nothing(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=1&token=40")
    page.locator(".topnav").get_by_role("link", name="Glossary").click()
    expect(page.locator("h1")).to_have_text("Glossary")
    page.go_back()
    wait_for_head(page, 2, 1)
    assert parameter(page, "token") == "40"


def test_a_finding_opens_its_view_and_back_returns(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("#findings > summary").click()
    link = page.locator(".finding").filter(has_text="Looks back one token")
    expect(link).to_contain_text("%")
    place = (link.locator(".finding-place").text_content() or "").split(" · ")[0]
    layer, head = (int(part[1:]) for part in place.split())
    link.click()
    wait_for_head(page, layer, head)
    assert parameter(page, "colour") == "position"
    expect(page.locator("#colour-select")).to_have_value("position")
    page.go_back()
    wait_for_head(page, None, None)
    assert parameter(page, "method") == "pca"
