"""A reader's own text, as one would use it: typed, read, edited, compared, shared by its link."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter, quiet, settle, wait_for_head

pytestmark = pytest.mark.browser

SCENE = "document.querySelector('#scene').atlasScene"
SENTENCE = "document.querySelector('#sentence').atlasSentence"
FIRST = "the cat sat on the mat"
SECOND = "the cats sat on the mat"
TOKENS = 8  # of each, with [CLS] and [SEP]


def marks(page: Page) -> list[dict]:
    return json.loads(page.evaluate(f"JSON.stringify({SCENE}.stats().probes)"))


def wait_for_marks(page: Page, count: int, other_than: list[dict] | None = None) -> list[dict]:
    """Wait until so many tokens of texts are drawn, elsewhere than before, and have come to rest."""
    page.wait_for_function(
        f"""([count, before]) => {{
          const now = {SCENE}.stats().probes;
          const place = ({{ x, y }}) => x.toFixed(1) + y.toFixed(1);
          return now.length === count && (!before || now.map(place).join() !== before.map(place).join());
        }}""",
        arg=[count, other_than],
    )
    settle(page)
    return marks(page)


def test_a_text_of_ones_own(page: Page, dashboard: str, open_context):
    open_page(page, dashboard + "/?method=pca&dims=2")
    page.get_by_role("button", name="Your text").click()
    expect(page.locator("#probe-text-a")).to_be_focused()
    page.keyboard.type(FIRST)
    in_matrix = wait_for_marks(page, 72 * 2 * TOKENS)
    expect(page.locator("#probe-says-a")).to_have_text(f"{TOKENS} tokens · placed exactly")
    assert {one["letter"] for one in in_matrix} == {"A"}

    # in a head: the same text in the sentence view, a token pinned by a click on the map
    page.evaluate("window.atlasChoose.head({ layer: 2, head: 3 })")
    wait_for_head(page, 2, 3)
    at_head = wait_for_marks(page, 2 * TOKENS)
    expect(page.locator("#input-says")).to_have_text("Your text A")
    page.wait_for_function(f"{SENTENCE}.stats().state === 'ready' && {SENTENCE}.stats().url.includes('/probe/')")
    assert page.evaluate(f"{SENTENCE}.stats().queries") == TOKENS
    cat = next(one for one in at_head if (one["text"], one["side"]) == ("cat", "query"))
    page.locator("#scene").click(position={"x": cat["x"], "y": cat["y"]})
    page.wait_for_function(f"{SENTENCE}.stats().pinned?.index === {cat['index']}")
    assert [one["text"] for one in marks(page) if one["pinned"]] == ["cat"]

    # edited: it moves
    page.fill("#probe-text-a", FIRST.replace("cat", "dog"))
    moved = wait_for_marks(page, 2 * TOKENS, at_head)
    assert {one["text"] for one in moved} >= {"dog"}
    page.fill("#probe-text-a", FIRST)
    wait_for_marks(page, 2 * TOKENS, moved)

    # beside another: heads ranked by how differently they attend
    page.get_by_role("button", name="Compare with another").click()
    expect(page.locator("#probe-text-b")).to_have_value(FIRST)
    page.fill("#probe-text-b", SECOND)
    page.wait_for_function(f"{SCENE}.stats().probes.some(({{ letter, text }}) => letter === 'B' && text === 'cats')")
    page.locator("#probe-differ summary").click()
    entries = page.locator(".probe-head")
    expect(entries).to_have_count(12)
    texts = [text.rsplit("0.", 1)[1] for text in entries.all_inner_texts()]
    assert texts == sorted(texts, reverse=True)
    layer, head = (int(entries.first.get_attribute(name)) for name in ("data-layer", "data-head"))
    entries.first.click()
    wait_for_head(page, layer, head)
    assert (parameter(page, "probe"), parameter(page, "probe2"), parameter(page, "reads")) == (FIRST, SECOND, "b")

    # the link shows it to somebody else
    other = open_context(bypass_csp=True).new_page()
    open_page(other, page.url)
    wait_for_marks(other, 4 * TOKENS)
    expect(other.locator("#input-says")).to_have_text("Your text B")
    other.close()

    # an input of the corpus takes the panel back; closed, all is gone
    page.locator("#input-next").click()
    page.wait_for_function(f"!{SENTENCE}.stats().url.includes('/probe/')")
    page.get_by_role("button", name="Close your texts").click()
    wait_for_marks(page, 0)
    assert parameter(page, "probe") is None


def test_too_long_and_too_many_tokens_are_said_in_a_line(page: Page, dashboard: str):
    open_page(page, dashboard)
    page.get_by_role("button", name="Your text").click()
    page.fill("#probe-text-a", "x" * 100_000)
    says = page.locator("#probe-says-a")
    expect(says).to_have_text("A text can have 2,048 characters; this one has 100,000.")
    page.fill("#probe-text-a", "cat " * 200)
    expect(says).to_contain_text("This probe has 202 tokens; 128 are the most")
    page.fill("#probe-text-a", "")
    quiet(page)
    expect(says).to_have_text("")
