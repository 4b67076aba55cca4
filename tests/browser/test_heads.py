"""The page Heads as a reader uses it: ask, see, choose, look at the choice in the matrix, open one, find its like."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser


def test_from_a_question_to_heads_in_the_matrix_and_their_like(page, dashboard):
    page.goto(f"{dashboard}/heads")
    rows = page.locator(".finder-table tbody tr[data-cell]")
    expect(page.locator(".finder-says")).to_have_text("72 heads")
    caption = page.locator(".finder-figure figcaption")
    expect(caption).to_contain_text("attend alike")  # the job has compared them
    expect(page.locator(".finder-family").first).to_contain_text("1")

    line = page.get_by_label("Show heads where")
    line.fill("previous >")
    expect(page.locator("#finder-error")).to_contain_text("a measure or a number is needed")
    line.fill("previous > 0.25 and layer < 3")
    expect(page.locator("#finder-error")).to_be_empty()
    expect(page.locator(".finder-says")).to_contain_text(" of 72 heads")
    expect(page).to_have_url(re.compile("previous"))
    page.get_by_role("button", name="Previous token", exact=True).click()
    assert violations(page) == []
    shares = [float(text.split()[0]) for text in rows.locator("td:nth-child(3)").all_text_contents()]
    assert shares
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 25
    count = len(shares)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) == count + 1

    # The pointer on a head shows it, and a key walks.
    page.reload()
    expect(rows).to_have_count(count)
    page.locator(".finder-chart canvas").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".finder-card")).to_contain_text("Open L")

    page.get_by_role("link", name=f"See these {count} in the matrix").click()
    chip = page.locator("#head-set-bar")
    expect(chip).to_contain_text(f"{count} of 72 heads")
    seen = page.locator(".atlas-scene-live")
    page.locator(".atlas-scene-stage").focus()
    expect(seen).to_contain_text("in focus")
    chip.get_by_role("button", name="Show all heads").click()
    expect(chip).to_be_hidden()
    expect(page).not_to_have_url(re.compile("heads="))

    page.goto(f"{dashboard}/?layer=1&head=3&tab=head")
    page.get_by_role("link", name="Heads like this one").click()
    expect(page.locator(".finder-like")).to_contain_text("Heads like L1 H3")
    expect(rows.first).to_contain_text("L1 H3")  # nothing is more like it than itself
    expect(page.locator(".finder-likes a:not(.finder-beside)")).to_have_count(8)


def test_an_outline_makes_a_set_that_the_link_keeps(page, dashboard):
    page.goto(f"{dashboard}/heads?by=measures&x=layer&y=head")
    expect(page.locator(".finder-says")).to_have_text("72 heads")
    box = page.locator(".finder-chart").bounding_box()
    left, top, width, height = box["x"], box["y"], box["width"], box["height"]
    around = [(0.02, 0.02), (0.3, 0.02), (0.5, 0.02), (0.5, 0.5), (0.5, 0.98), (0.3, 0.98), (0.02, 0.98), (0.02, 0.5)]
    corners = [(left + x * width, top + y * height) for x, y in around]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()
    expect(page.locator(".finder-says")).to_have_text("36 of 72 heads")  # layers 0, 1 and 2
    expect(page).to_have_url(re.compile("heads=0.0-2.11"))
    page.reload()
    expect(page.locator(".finder-says")).to_have_text("36 of 72 heads")
    page.get_by_role("button", name="Clear the set").click()
    expect(page.locator(".finder-says")).to_have_text("72 heads")
