"""From stream to stream in a browser: each opens a head, a sentence, an average, its tokens and its alignment."""

import re

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from services.atlas import open_atlas
from services.settings import Settings
from tests.browser.serving import serving
from tests.browser.walking import open_page, parameter, quiet, settle

pytestmark = pytest.mark.browser
STREAMS = ("self", "local", "cross")
LABELS = {"self": "Self-attention", "local": "Local attention", "cross": "Cross-attention"}
MASKS = {
    "self": "the sliding window of 4 tokens hides this key from the query",
    "local": "the window of 2 tokens on either side hides this key from the query",
}


@pytest.fixture(scope="module")
def dashboard(three_streams_home):
    with serving(create_app(Settings(home=three_streams_home, demo=False)).server) as url:
        yield url


@pytest.fixture(scope="module")
def atlas(three_streams_home):
    return open_atlas(three_streams_home / "atlases" / "three")


def choose_stream(page: Page, stream: str) -> None:
    page.locator("#stream-select").select_option(label=LABELS[stream])
    page.wait_for_function("(name) => new URL(location).searchParams.get('stream') === name", arg=stream)
    settle(page)


def tab(page: Page, name: str) -> None:
    page.locator("#panel-tab").get_by_text(name, exact=True).click()
    quiet(page)


def test_each_stream_is_read_in_every_view(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?atlas=three&stream=self&method=pca")
    for name in ("cross", "local", "self"):
        choose_stream(page, name)
        stream = atlas.stream(name)
        blocks = atlas.attention(stream)
        open_page(page, f"{dashboard}/?atlas=three&stream={name}&method=umap&layer=1&head=2&input=1")
        quiet(page)
        # Sentence: as many queries, keys and pairs as the stream has, and lines for no other.
        tab(page, "Sentence")
        stats = page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
        visible = blocks.visible(1)
        assert (stats["queries"], stats["keys"]) == visible.shape
        weights = blocks.block(1, 1, 2)
        assert stats["candidates"] == (weights >= 0.05).sum() <= visible.sum()
        note = page.locator("#sentence .atlas-sv-note")
        expect(note).to_contain_text(f"of {visible.sum()} pairs")
        # Average: its heatmap, then its profile by distance, which cross-attention has not.
        tab(page, "Average")
        expect(page.locator("#average-picture canvas")).to_be_visible()
        page.get_by_text("Relative to the query").click()
        says = page.locator("#average-picture .average-says")
        expect(says).to_contain_text("there is no distance" if name == "cross" else "by distance of the key")
        page.get_by_text("By position", exact=True).click()
        # Tokens: a row for every point of both tables.
        tab(page, "Tokens")
        expect(page.locator("#panel")).to_contain_text("cat")
        # Head and alignment.
        tab(page, "Head")
        expect(page.locator("#panel")).to_contain_text("c =")
        tab(page, "Align")
        for part in ("aligned", "screen"):
            cell = page.locator(f'[data-value="own-{part}-query_spearman"]')
            expect(cell).to_have_text(re.compile(r"^−?\d\.\d{3}$"))
        quiet(page)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.slow
def test_a_hidden_pair_says_what_hides_it(page: Page, dashboard, name):
    open_page(
        page, f"{dashboard}/?atlas=three&stream={name}&method=pca&layer=1&head=2&input=1&tab=sentence&read=heatmap"
    )
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    place = page.evaluate("document.querySelector('#sentence').atlasSentence.cellPosition(3, 12)")
    page.locator("#sentence").hover(position=place)
    expect(page.locator("#sentence .atlas-sv-tip")).to_contain_text(MASKS[name])


@pytest.mark.slow
def test_the_scaling_page_of_each_stream(page: Page, dashboard):
    page.goto(f"{dashboard}/scaling?atlas=three&stream=self")
    for name in ("local", "cross", "self"):
        page.locator("#scaling-stream").select_option(label=LABELS[name])
        page.wait_for_function("(name) => new URL(location).searchParams.get('stream') === name", arg=name)
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length > 0")
        quiet(page)
        expect(page.locator("#scaling-stream")).to_have_value(name)


@pytest.mark.slow
def test_a_token_of_each_side_can_be_chosen_where_the_sides_are_different_texts(page: Page, dashboard, atlas):
    read, written = (atlas.tokens(table).rows(1).start for table in ("tokens", "decoder_tokens"))
    base = f"{dashboard}/?atlas=three&stream=cross&method=pca&layer=1&head=2"
    for side, row in (("query", written + 2), ("key", read + 2)):
        open_page(page, f"{base}&token={row}&side={side}")
        stats = page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
        assert stats["pinned"] == {"side": side, "index": 2}


def test_keys_are_sized_by_popularity_on_the_preference_map_until_it_is_switched_off(page: Page, dashboard):
    open_page(page, f"{dashboard}/?atlas=three&stream=cross&layer=1&head=2")
    assert parameter(page, "method") == "preference"
    legend, switch = page.locator("#size-legend"), page.get_by_label("Size by popularity")
    expect(legend).to_contain_text("popularity of a key")
    page.mouse.move(5, 5)
    sized = page.locator("#scene").screenshot()
    page.locator("#display > summary").click()
    expect(switch).to_be_checked()
    switch.uncheck()
    page.keyboard.press("Escape")
    page.wait_for_function("new URL(location).searchParams.get('mapsizes') === 'off'")
    settle(page)
    page.mouse.move(5, 5)
    expect(legend).to_be_empty()
    assert page.locator("#scene").screenshot() != sized
    # No other map has this size.
    open_page(page, f"{dashboard}/?atlas=three&stream=cross&layer=1&head=2&method=pca")
    expect(legend).to_be_empty()
