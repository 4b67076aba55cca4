"""The Sentence and Average tabs in a browser; the test names say which bugs of the original must not come back."""

import pytest
from playwright.sync_api import Page, expect

from services.atlas import open_atlas
from services.atlas.inputs import first_to_show
from services.measures.averages import mean_attention
from tests.browser.walking import open_page, quiet
from tests.real_home import SLUG

pytestmark = pytest.mark.browser
HEAD = "method=pca&layer=2&head=3"
STATS = """async () => {
  const view = document.querySelector('#sentence').atlasSentence;
  await view.ready();
  return view.stats();
}"""


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


def stats(page: Page) -> dict:
    quiet(page)
    return page.evaluate(STATS)


def lines_on_map(page: Page) -> int:
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")
    return page.evaluate("document.querySelector('#scene').atlasScene.stats().lines")


def wait_for_address(page: Page, name: str, value: str | None) -> None:
    page.wait_for_function("([name, value]) => new URL(location).searchParams.get(name) === value", arg=[name, value])


def hide(page: Page, side: str, index: int) -> None:
    """By keyboard: move to a token, H."""
    page.evaluate(
        "([side, index]) => document.querySelector('#sentence').atlasSentence.scrollTo(side, index)", [side, index]
    )
    page.locator("#sentence [role=application]").focus()
    page.keyboard.press("ArrowRight" if side == "key" else "ArrowLeft")
    page.keyboard.press("Home")
    for _ in range(index):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("h")


def test_an_empty_tab_offers_a_first_input_and_leads_through_all(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}")
    page.get_by_role("button", name="Look at one input").click()
    first = first_to_show(atlas, "tokens")
    expect(page.locator("#input-says")).to_have_text(f"Input {first} · {len(atlas.inputs)} in all")
    page.get_by_role("button", name="Next input").click()
    wait_for_address(page, "input", str(first + 1))
    page.locator("#input-picker > summary").click()
    page.locator("#input-search").fill("bank clerk")
    page.get_by_role("button", name="words to a bank clerk").click()
    wait_for_address(page, "input", "0")
    expect(page.get_by_role("button", name="Previous input")).to_be_disabled()
    assert stats(page)["queries"] == atlas.tokens().counts[0]


def test_hidden_tokens_outlive_heads_tabs_reload_and_end_with_reset_or_another_input(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input=2")
    stats(page)
    hide(page, "key", 1)
    wait_for_address(page, "hide", "k1")
    hide(page, "query", 2)
    wait_for_address(page, "hide", "q2k1")
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#crumb")).to_have_text("Layer 2 · Head 4")
    page.locator("#panel-tab").get_by_text("Average").click()
    page.locator("#panel-tab").get_by_text("Sentence").click()
    page.get_by_text("UMAP", exact=True).click()
    assert stats(page)["hidden"] == {"queries": [2], "keys": [1]}
    page.locator("#sentence-options > summary").click()
    page.get_by_text("Weight by value norm").first.click()
    assert stats(page)["hidden"] == {"queries": [2], "keys": [1]}, "the original forgot them here"
    page.wait_for_function("new URL(location).searchParams.get('read')?.includes('values')")
    open_page(page, page.url)
    found = stats(page)
    assert found["hidden"] == {"queries": [2], "keys": [1]}
    assert found["weighted"]
    page.locator("#sentence-options > summary").click()
    page.get_by_role("button", name="Reset").click()
    wait_for_address(page, "hide", None)
    assert stats(page)["hidden"] == {"queries": [], "keys": []}
    page.keyboard.press("Escape")
    hide(page, "key", 1)
    wait_for_address(page, "hide", "k1")
    page.get_by_role("button", name="Next input").click()
    wait_for_address(page, "hide", None)


@pytest.mark.slow
def test_a_link_names_hidden_tokens_only_with_their_input_which_still_remembers_them(page: Page, dashboard, atlas):
    first = first_to_show(atlas, "tokens")
    open_page(page, f"{dashboard}/?{HEAD}&input={first}&hide=k1")
    assert stats(page)["hidden"] == {"queries": [], "keys": [1]}
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("Escape")
    wait_for_address(page, "input", None)
    wait_for_address(page, "hide", None)
    page.get_by_role("button", name="Look at one input").click()
    wait_for_address(page, "hide", "k1")
    assert stats(page)["hidden"] == {"queries": [], "keys": [1]}


def test_weights_never_exceed_1_whatever_is_hidden_or_weighted(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input=2&hide=k1.2&read=special-values")
    stats(page)
    sums = page.evaluate(
        """async () => {
          const element = document.querySelector('#sentence');
          const { queries, keys } = await element.atlasSentence.ready();
          const fetched = performance.getEntriesByType('resource').map((it) => it.name);
          const url = fetched.find((it) => it.includes('/attention/'));
          const raw = new Uint16Array(await (await fetch(url)).arrayBuffer());
          const values = new Float32Array(await (await fetch(url.replace('/attention/', '/values/'))).arrayBuffer());
          const { shownMatrix, hiddenMask } = window.atlas_sentence_view.weights;
          const special = Array.from({ length: keys }, (_, i) => Number(i === 0 || i === keys - 1));
          const hiddenKeys = hiddenMask(keys, special, [1, 2], { hideSpecial: true });
          const { weights } = shownMatrix(raw, queries, keys, { hiddenKeys, valueNorms: values });
          const row = (q) => weights.slice(q * keys, (q + 1) * keys);
          return Array.from({ length: queries }, (_, q) => row(q).reduce((a, b) => a + b));
        }"""
    )
    assert all(total == pytest.approx(1, abs=1e-3) for total in sums)


@pytest.mark.slow
def test_lines_on_the_map_follow_what_is_hidden_and_the_switch(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input=2&read=from0")
    count = stats(page)["queries"]
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().lines > 0")
    everything = lines_on_map(page)
    hide(page, "query", 2)
    page.wait_for_function(
        "(most) => document.querySelector('#scene').atlasScene.stats().lines <= most", arg=everything - count + 3
    )
    page.locator("#sentence-options > summary").click()
    page.get_by_label("Strongest keys of each query").fill("1")
    page.wait_for_function("(n) => document.querySelector('#scene').atlasScene.stats().lines === n", arg=count - 1)
    wait_for_address(page, "read", "top1-from0")
    page.get_by_text("Lines on the map").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().lines === 0")


@pytest.mark.slow
def test_directions_turn_the_chosen_token_around(page: Page, dashboard, atlas):
    first = int(atlas.tokens().offsets[2])
    open_page(page, f"{dashboard}/?{HEAD}&token={first + 3}&side=query")
    assert stats(page)["pinned"] == {"side": "query", "index": 3}
    page.get_by_text("Read by", exact=True).click()
    wait_for_address(page, "side", "key")
    assert stats(page)["pinned"] == {"side": "key", "index": 3}
    page.locator("#sentence-direction").get_by_text("All", exact=True).click()
    wait_for_address(page, "input", "2")
    assert stats(page)["pinned"] is None
    chosen = "document.querySelector('#scene').atlasScene.state().selection"
    page.wait_for_function(f"{chosen}.side === 'query'")
    before = page.evaluate(chosen)
    open_page(page, page.url)
    assert page.evaluate(chosen) == before, "the link holds the whole state"


def test_pointing_at_a_pair_shows_its_raw_numbers(page: Page, dashboard, atlas):
    first = int(atlas.tokens().offsets[2])
    open_page(page, f"{dashboard}/?{HEAD}&token={first + 3}&side=query")
    stats(page)
    page.locator("#sentence [role=application]").focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator("#sentence .atlas-sv-tip")
    for words in ("q·k", "scaled score", "softmax of the scores", "aligned space", "on this map"):
        expect(tip).to_contain_text(words)


def test_the_average_marks_the_same_positions_of_the_input_and_chooses_its_query(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}&input=2&tab=average")
    canvas = page.locator("#average-picture canvas")
    canvas.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    mean = mean_attention(atlas, atlas.stream("self"), 2, 3)
    says = page.locator(".average-says")
    expect(says).to_contain_text("Query at 1 → key at 1")
    expect(says).to_contain_text(f"{mean.mean[1, 1]:.3f}" if mean.mean[1, 1] < 0.0995 else f"{mean.mean[1, 1]:.2f}")
    expect(says).to_contain_text(f"{mean.count[1, 1]} of {len(atlas.inputs)} inputs")
    first = int(atlas.tokens().offsets[2])
    expect(page.locator(".average-tokens .is-query")).to_have_text(atlas.tokens().text[first + 1])
    page.keyboard.press("Enter")
    wait_for_address(page, "token", str(first + 1))
    page.get_by_text("Relative to the query").click()
    expect(page.locator(".average-says")).to_contain_text("by distance")
    page.get_by_text("Without special tokens", exact=True).click()
    wait_for_address(page, "read", "special-offsets")
    assert stats(page)["hiddenKeys"] == int(atlas.tokens().special[first : first + int(atlas.tokens().counts[2])].sum())


def test_the_matrix_shows_heatmaps_and_a_click_still_opens_the_head(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    before = page.locator("#scene").screenshot()
    page.locator("#show-select").get_by_text("Average").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().average")
    wait_for_address(page, "read", "average")
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")
    assert page.locator("#scene").screenshot() != before
    box = page.locator("#scene").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2 + 20, box["y"] + box["height"] / 2)
    expect(page.locator("#crumb")).to_contain_text("Layer")
