"""The page Compare as a reader uses it: point, choose, search and sort in one pane, and see the other follow."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from app import create_app
from services.settings import Settings
from tests.browser.serving import serving
from tests.browser.test_accessibility import violations
from tests.unit.changed_atlas import changed_copy

pytestmark = pytest.mark.browser

READY = "async (n) => { await document.getElementById(`compare-scene-${n}`).atlasScene.ready(); return true; }"
PLACE = """([n, point]) => {
  const node = document.getElementById(`compare-scene-${n}`), box = node.getBoundingClientRect();
  const at = node.atlasScene.screenPosition(point); return at && { x: box.x + at.x, y: box.y + at.y }; }"""
PROP = "([n, name]) => document.getElementById(`compare-scene-${n}`).atlasScene.props()[name] ?? null"


def turned(layouts: np.ndarray) -> np.ndarray:
    """Mirrored, turned and twice as large, but for the first point."""
    made = layouts @ np.array([[0.0, 2.0], [2.0, 0.0]], np.float32)
    made[:, :, 0] += 3 * np.abs(made).max()
    return made


@pytest.fixture(scope="module")
def compared(dashboard_home, tmp_path_factory):
    """The address of a dashboard on two atlases: in the second flat PCA maps are turned, but for one token."""
    home = tmp_path_factory.mktemp("compare")
    source = next((dashboard_home / "atlases").iterdir())
    changed_copy(source, home / "atlases" / "one", title="Run, step 10")
    changed_copy(source, home / "atlases" / "two", title="Run, step 20", arrays={"self/pca2d.npy": turned})
    with serving(create_app(Settings(home=home, demo=False)).server) as url:
        yield url


def test_one_pane_follows_the_other(page, compared):
    page.goto(f"{compared}/compare?atlas=one&layer=2&head=3&map=pca2d")
    summary = page.locator(".compare-summary")
    expect(summary).to_contain_text("of the spread of shared points remains after fitting")
    for number in (1, 2):
        assert page.evaluate(READY, number)
    first, second = (page.evaluate(PLACE, [number, 40]) for number in (1, 2))
    box = page.locator("#compare-scene-2").bounding_box()
    offset = box["x"] - page.locator("#compare-scene-1").bounding_box()["x"]
    assert abs(second["x"] - offset - first["x"]) < 12  # brought onto the first, though it was turned
    assert abs(second["y"] - first["y"]) < 12

    page.mouse.move(first["x"], first["y"])
    page.wait_for_function(f"() => ({PROP})([2, 'pointed']) !== null")
    hovered, pointed = page.evaluate(PROP, [1, "hovered"]), page.evaluate(PROP, [2, "pointed"])
    assert hovered == pointed
    page.mouse.click(first["x"], first["y"])
    expect(page).to_have_url(re.compile(r"token=a\d+[qk]"))
    chosen = [page.evaluate(PROP, [number, "selection"]) for number in (1, 2)]
    assert chosen[0] == chosen[1]
    assert chosen[0]["token"] == hovered["row"]
    expect(page.locator(".compare-line")).to_have_count(2)

    # What differs most is what was moved on purpose, and it leads to both panes.
    rows = page.locator(".compare-rows tbody tr")
    expect(rows.first).to_contain_text("query 0 of input 0")
    rows.first.get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"token=a0q"))
    expect(rows.first).to_have_class(re.compile("marked"))
    page.get_by_role("button", name="Attends differently").click()
    expect(page.locator(".compare-table .compare-says")).to_contain_text("their mean is 0.000")
    page.get_by_label("Find tokens").fill("the")
    expect(page.locator(".compare-pane .compare-says").nth(1)).to_contain_text("keys found")
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) > 100
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    assert download.value.path().read_text().startswith("<svg")

    # All heads: a job compares them, and a cell of the matrix opens that head in both panes.
    page.get_by_role("button", name="All heads").click()
    cells = page.locator(".compare-matrix button")
    expect(cells).to_have_count(72)
    expect(page.locator(".compare-heads tbody tr")).to_have_count(72)
    cells.nth(2 * 12 + 3).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"layer=2&head=4&.*layer2=2&head2=4"))
    expect(page.locator(".compare-pane").nth(1).get_by_label("Head", exact=True)).to_have_value("4")
    assert violations(page) == []
    page.get_by_role("button", name="Tokens", exact=True).click()

    # Both atlases are named as checkpoints of one run: the slider takes the second pane through them.
    slider = page.get_by_label("Checkpoint of the second head")
    expect(page.locator(".compare-steps output")).to_have_text("step 20, 2 of 2")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".compare-steps output")).to_have_text("step 10, 1 of 2")
    expect(summary).to_contain_text("identical")
    expect(page).to_have_url(re.compile("with=one"))
    page.keyboard.press("ArrowRight")
    expect(summary).to_contain_text("remains after fitting")

    # The same head twice is said to be that, and the link shows it all again.
    page.reload()
    expect(page.locator(".compare-line")).to_have_count(2)
    expect(page.get_by_label("Find tokens")).to_have_value("the")
    page.goto(f"{compared}/compare?atlas=one&with=one&layer=1&head=1&layer2=1&head2=1")
    expect(summary).to_contain_text("identical")
