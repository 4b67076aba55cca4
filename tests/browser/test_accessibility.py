"""axe on every page and state; and every control by keyboard alone, with no trap."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import clear_of_missing_pages, open_page

pytestmark = pytest.mark.browser

# Dash's own: its dropdown hides an element that can take the focus (dash 4, aria-hidden-focus).
KNOWN = {"aria-hidden-focus": ".dash-dropdown"}


def violations(page: Page, part: str | None = None) -> list[tuple[str, list[str]]]:
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for violation in Axe().run(page, context=part).response["violations"]:
        known = KNOWN.get(violation["id"], "none").strip(".")
        nodes = [node["html"][:160] for node in violation["nodes"] if known not in node["html"]]
        if nodes:
            found.append((violation["id"], nodes))
    return found


def open_tour(page: Page) -> None:
    page.evaluate("window.atlasHelp.tour()")
    expect(page.locator(".tour")).to_be_visible()


def open_popover(page: Page) -> None:
    page.locator(".info-button:visible").first.click()
    expect(page.locator(".info-popover")).to_be_visible()


def open_help(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()


def open_menus(page: Page) -> None:
    page.locator("#findings > summary").click()
    expect(page.locator(".finding").first).to_be_visible()


def nothing(_page: Page) -> None:
    pass


# What opens, and the part of the page that is looked at: the rest is as it was.
STATES = {
    "closed": (nothing, None),
    "menu": (open_menus, "#findings"),
    "tour": (open_tour, ".tour"),
    "help": (open_help, "#help"),
    "popover": (open_popover, ".info-popover"),
}


def in_both_themes(page: Page, part: str | None = None) -> list:
    found = []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        found += [(theme, *violation) for violation in violations(page, part)]
    return found


def test_axe_finds_nothing_in_any_state_of_the_matrix(page: Page, dashboard):
    page.emulate_media(reduced_motion="reduce")  # colours on their way from theme to theme are nobody's colours
    open_page(page, f"{dashboard}/?method=pca")
    for name, (then, part) in STATES.items():
        then(page)
        assert (name, in_both_themes(page, part)) == (name, [])
        page.keyboard.press("Escape")


def test_axe_finds_nothing_in_any_tab_of_a_head(page: Page, dashboard):
    page.emulate_media(reduced_motion="reduce")
    open_page(page, f"{dashboard}/?method=pca&layer=0&head=0&token=3")
    tabs = page.locator("#panel-tab label")
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(page.locator("#panel-tab input").nth(number)).to_be_checked()
        assert (tabs.nth(number).inner_text(), in_both_themes(page)) == (tabs.nth(number).inner_text(), [])


@pytest.mark.parametrize(
    "path",
    ["/?method=none&layer=99&head=x", "/?method=pca&dims=3&layer=0&head=0", "/guide", "/glossary#sink", "/nowhere"],
)
@pytest.mark.slow
def test_axe_finds_nothing_on_other_pages(page: Page, dashboard, path, console_errors):
    page.emulate_media(reduced_motion="reduce")
    if "?" in path:
        open_page(page, dashboard + path)
    else:
        page.goto(dashboard + path)
    expect(page.locator("h1").first).to_be_visible()
    assert in_both_themes(page) == []
    if path == "/nowhere":
        clear_of_missing_pages(console_errors)


NAME = """const text = (node) => (node.role ? "" : node.textContent.trim().slice(0, 30));
  const name = (node) => node.id || node.dataset.help || text(node) || node.className;"""
# What Tab must reach: everything that can take the focus and is seen, radio groups as one stop.
REACHABLE = f"""() => {{
  {NAME}
  const seen = (node) => node.checkVisibility({{ checkVisibilityCSS: true }}) && !node.disabled && node.tabIndex >= 0;
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
  const stop = (node) => seen(node) && (node.type !== "radio" || node.checked) && !node.closest(".skip-link");
  return [...all].filter(stop).map(name);
}}"""
FOCUSED = f"""() => {{
  {NAME}
  return document.activeElement === document.body ? null : name(document.activeElement);
}}"""


@pytest.mark.parametrize("path", ["/?method=pca", "/?method=pca&layer=1&head=1&token=40", "/glossary"])
@pytest.mark.slow
def test_tab_reaches_every_control_and_leaves_again(page: Page, dashboard, path):
    if "?" in path:
        open_page(page, dashboard + path)
    else:
        page.goto(dashboard + path)
        expect(page.locator("h1").first).to_be_visible()
    wanted = set(page.evaluate(REACHABLE))
    assert len(wanted) > 5
    page.evaluate("document.activeElement?.blur()")
    reached: list[str] = []
    for _ in range(3 * len(wanted) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None and len(reached) > 3:
            break  # out of the page: no trap
        reached.append(at or "")
    else:
        pytest.fail(f"Tab never leaves the page; it ends in {reached[-12:]}")
    assert wanted - set(reached) == set()
