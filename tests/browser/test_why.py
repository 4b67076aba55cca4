"""Why a pair: chosen by a click, by fields, by a link; told by the atlas and by the model; taken along as a file."""

import csv
import io

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter, wait_for_head

pytestmark = pytest.mark.browser

SENTENCE = "document.querySelector('#sentence').atlasSentence"


def numbers(page: Page, table: str) -> list[float]:
    """Full numbers of a list, its sum last."""
    return page.locator(table).first.evaluate("t => [...t.querySelectorAll('[data-value]')].map(e => +e.dataset.value)")


def test_a_pair_is_explained(page: Page, dashboard: str, open_context):
    open_page(page, dashboard + "/?method=pca&dims=2&layer=2&head=3&token=5&side=query")
    wait_for_head(page, 2, 3)
    page.locator("#panel-tab").get_by_text("Why").click()
    expect(page.locator("#why-body h2")).to_contain_text("in L2H3?")

    # every list adds up to its last line
    page.locator(".why-parts summary").get_by_text("By dimension").click()
    for number in range(page.locator(".why-bars").count()):
        *parts, total = numbers(page, f".why-bars >> nth={number}")
        assert sum(parts) == pytest.approx(total, abs=1e-6)

    # another key by the field: the link holds it, and shows it to somebody else
    before = page.locator("#why-body h2").inner_text()
    page.select_option("#why-key", "1" if page.input_value("#why-key") != "1" else "2")
    expect(page.locator("#why-body h2")).not_to_have_text(before)
    page.wait_for_function("new URLSearchParams(location.search).has('with')")
    said = page.locator("#why-body h2").inner_text()
    other = open_context(bypass_csp=True).new_page()
    open_page(other, page.url)
    expect(other.locator("#why-body h2")).to_have_text(said)
    other.close()

    # the model itself
    page.get_by_role("button", name="Ask the model itself").click()
    expect(page.locator("#why-model h3").first).to_be_visible(timeout=90_000)
    expect(page.locator("#why-model")).to_contain_text("W_O v")
    own, sentence = (
        page.locator(f"{where} .why-steps tr:last-child td").first for where in ("#why-model", "#why-body")
    )
    expect(own).to_have_text(sentence.inner_text())

    # a file of it
    page.locator("#export > summary").click()
    with page.expect_download() as saved:
        page.get_by_label("The tab Why as CSV").click()
    with open(saved.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(io.StringIO(file.read())))
    assert any(row["section"] == said for row in rows)
    assert any(row["name"] == "sum" and float(row["value"]) for row in rows)
    page.keyboard.press("Escape")

    # a line of the sentence opens it; another token forgets the key
    page.locator("#panel-tab").get_by_text("Sentence").click()
    page.wait_for_function(f"{SENTENCE}.stats().state === 'ready'")
    page.locator("#sentence .atlas-sv-scroller").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("w")
    expect(page.locator("#panel")).to_have_class("panel shows-why")
    page.evaluate("window.atlasChoose.token({ input: 0, token: 3, side: 'query' })")
    page.wait_for_function("!new URLSearchParams(location.search).has('with')")
    assert parameter(page, "token") == "3"


def test_heads_are_placed_by_the_models_weights(page: Page, dashboard: str):
    page.goto(dashboard + "/heads")
    caption = page.locator(".head-finder figcaption")
    expect(caption).to_contain_text("attend alike", timeout=60_000)
    page.get_by_label("Place heads by").select_option("weights")
    expect(caption).to_contain_text("W_Qᵀ W_K", timeout=90_000)
    assert parameter(page, "by") == "weights"
    page.reload()
    expect(caption).to_contain_text("W_Qᵀ W_K")  # kept, and in the link
    page.get_by_label("Place heads by").select_option("attention")
    expect(caption).to_contain_text("attend alike")
