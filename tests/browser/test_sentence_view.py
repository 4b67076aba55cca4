"""SentenceView in a real Chromium, on made-up attention."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.sentence_app import (
    BASE,
    FIRST,
    NASTY,
    Server,
    attention,
    create_app,
    key_tokens,
    serve,
    tokens,
    value_norms,
)
from tests.browser.walking import quiet

pytestmark = pytest.mark.browser

ROOT = "document.querySelector('#view')"


class Sentence:
    """One page with one SentenceView, driven as a reader and as Dash would."""

    def __init__(self, page, server, url, errors):
        self.page, self.server, self.errors, self.input = page, server, errors, None
        page.goto(url)
        page.wait_for_selector("#view .atlas-sv-stage")

    def until(self, condition):
        """Wait for something of the view's statistics, in JavaScript."""
        self.page.wait_for_function(f"(() => {{ const s = {ROOT}.atlasSentence.stats(); return {condition} }})()")

    def set(self, **props):
        """Properties; `input` and `selected` (a token of it and its side, or None) are those of `selection`."""
        if "input" in props or "selected" in props:
            self.input = props.pop("input", self.input)
            selected = props.pop("selected", None) or {"token": None, "side": "query"}
            props["selection"] = None if self.input is None else {"input": self.input, **selected}
        self.page.evaluate("props => dash_clientside.set_props('view', props)", props)
        quiet(self.page)
        return self.stats()

    def stats(self):
        return self.page.evaluate(f"{ROOT}.atlasSentence.ready()")

    def at(self, side, index):
        place = self.page.evaluate(
            f"([side, index]) => {{ const p = {ROOT}.atlasSentence.tokenPosition(side, index);"
            f" const b = {ROOT}.getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; }}",
            [side, index],
        )
        return tuple(place)

    def cell(self, query, key):
        return tuple(
            self.page.evaluate(
                f"([q, k]) => {{ const p = {ROOT}.atlasSentence.cellPosition(q, k);"
                f" const b = {ROOT}.getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; }}",
                [query, key],
            )
        )

    def hover(self, side, index):
        self.page.mouse.move(*self.at(side, index))
        return self.stats()

    def click(self, side, index):
        self.page.mouse.click(*self.at(side, index))
        quiet(self.page)
        return self.stats()

    def leave(self):
        self.page.mouse.move(2, self.page.viewport_size["height"] - 3)
        return self.stats()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        quiet(self.page)
        return self.stats()

    def out(self):
        """What the server has been told; a hover is told some time after it began, see `told_hover`."""
        quiet(self.page)
        return json.loads(self.page.text_content("#out"))

    def told_hover(self, query=None, key=None):
        """The hover, once the server has been told of this query and key; None for neither."""
        self.page.wait_for_function(
            """([query, key]) => {
              const { hover } = JSON.parse(document.querySelector('#out').textContent || '{"hover": {}}');
              return (hover?.query ?? null) === query && (hover?.key ?? null) === key;
            }""",
            arg=[query, key],
        )
        return self.out()["hover"]

    def text(self, selector):
        return self.page.text_content(f"#view {selector}")


@pytest.fixture
def sentence(page, console_errors):
    server = Server()
    page.set_viewport_size({"width": 420, "height": 800})
    with serve(create_app(server)) as url:
        yield Sentence(page, server, url, console_errors)


def test_starts_with_a_sentence_that_says_what_to_do(sentence):
    assert sentence.stats()["state"] == "empty"
    assert "Click a token in the map" in sentence.text(".atlas-sv-message")
    assert sentence.server.requests == []


def test_shows_input_layer_and_head_zero(sentence):
    stats = sentence.set(input=0, head=0)
    assert (stats["state"], stats["queries"], stats["keys"]) == ("ready", 8, 8)
    assert stats["lines"] == np.count_nonzero(attention("self", 0, 0))
    assert stats["url"] == f"{BASE}/attention/self/0/0/0"
    painted = sentence.page.evaluate(
        f"""() => {{ const c = {ROOT}.querySelector('.atlas-sv-base');
        const {{ data }} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        return data.some((value, i) => i % 4 === 3 && value) }}"""
    )
    assert painted


def test_hover_shows_what_a_query_reads_and_who_reads_a_key(sentence):
    sentence.set(input=0)
    weights = attention("self", 0, 3) / 65535
    stats = sentence.hover("query", 2)
    assert stats["focus"] == {"side": "query", "index": 2}
    assert stats["focusLines"] == np.count_nonzero(weights[2])
    assert sentence.page.evaluate(f"{ROOT}.querySelector('.atlas-sv-base').style.opacity") == "0"
    best = int(weights[2].argmax())
    said = sentence.page.locator("#view [aria-live]")
    expect(said).to_contain_text(f"Query “cat” attends most to “{tokens('self', 0)[0][best]}” {weights[2, best]:.2f}")
    assert sentence.told_hover(2) == {"query": 2, "key": None, "weight": None}
    stats = sentence.hover("key", 0)
    assert stats["focus"] == {"side": "key", "index": 0}
    expect(said).to_have_text(re.compile("^Key “\\[CLS\\]” is read most by"))
    assert sentence.leave()["focus"] is None
    assert sentence.told_hover() is None


def test_click_pins_a_token_row_and_click_or_escape_unpins(sentence):
    sentence.set(input=1)
    stats = sentence.click("query", 0)
    assert stats["pinned"] == {"side": "query", "index": 0}
    assert sentence.out()["selected"] == {"token": FIRST[1], "side": "query"}
    assert sentence.click("query", 0)["pinned"] is None
    assert sentence.out()["selected"] is None
    sentence.click("key", 7)
    assert sentence.out()["selected"] == {"token": FIRST[1] + 7, "side": "key"}
    assert sentence.press("Escape")["pinned"] is None
    assert sentence.out()["selected"] is None


def test_selected_from_outside_pins_and_foreign_rows_do_not(sentence):
    sentence.set(input=3, selected={"token": FIRST[3] + 400, "side": "key"})
    stats = sentence.stats()
    assert stats["pinned"] == {"side": "key", "index": 400}
    _, y = sentence.at("key", 400)
    assert 0 < y < 800
    for row in (FIRST[3] - 1, FIRST[3] + 512, -5, 1.5, "x", None):
        assert sentence.set(selected={"token": row, "side": "key"})["pinned"] is None
    assert sentence.set(selected={"token": FIRST[3], "side": "other"})["pinned"] is None


def test_pair_of_a_pinned_query_and_a_hovered_key(sentence):
    sentence.set(input=0, selected={"token": FIRST[0] + 2, "side": "query"})
    stats = sentence.hover("key", 3)
    assert (stats["focus"], stats["pair"]) == ({"side": "query", "index": 2}, {"query": 2, "key": 3})
    weight = attention("self", 0, 3)[2, 3] / 65535
    hover = sentence.told_hover(2, 3)
    assert (hover["query"], hover["key"]) == (2, 3)
    assert hover["weight"] == pytest.approx(weight, abs=1e-5)
    assert f"{weight:.2f}"[:4] in sentence.text(".atlas-sv-tip")
    sentence.set(pair={"query": 2, "key": 3, "rows": [["q·k", "12.5"], ["<b>x</b>", "<i>"]]})
    assert "q·k12.5<b>x</b><i>" in sentence.text(".atlas-sv-tip")
    sentence.set(pair={"query": 2, "key": 4, "rows": [["q·k", "99"]]})
    assert "99" not in sentence.text(".atlas-sv-tip")


def shown(stream, number, head, hidden_keys=(), norms=None):
    weights = attention(stream, number, head).astype(float) / 65535
    if norms is not None:
        weights = weights * norms
    weights[:, list(hidden_keys)] = 0
    return weights / weights.sum(1, keepdims=True)


def pair_weight(sentence, query, key):
    """The weight of a pair as the reader sees it: pin the query, hover the key."""
    sentence.set(selected={"token": FIRST[1] + query, "side": "query"})
    sentence.leave()
    sentence.hover("key", key)
    return sentence.told_hover(query, key)["weight"]


def test_hiding_renormalises_and_outlives_everything_else(sentence):
    sentence.set(input=1, head=1)
    sentence.hover("key", 0)
    sentence.page.click("#view .atlas-sv-hide")
    sentence.hover("query", 5)
    sentence.page.mouse.click(*sentence.at("query", 5))
    sentence.press("h")
    hidden = {"queries": [5], "keys": [0]}
    assert sentence.out()["hidden"] == hidden
    assert sentence.text(".atlas-sv-footer .atlas-sv-chip:last-child") == "Show hidden (2)"
    assert pair_weight(sentence, 6, 6) == pytest.approx(shown("self", 1, 1, [0])[6, 6], abs=1e-4)

    norms = value_norms(1, 1, 40)
    for change in (
        {"byValueNorm": True},
        {"byValueNorm": False},
        {"hideSpecial": True},
        {"hideSpecial": False},
        {"topk": 3},
        {"topk": 0, "mode": "heatmap"},
        {"mode": "lines"},
        {"head": 2},
        {"layer": 4, "head": 1},
    ):
        stats = sentence.set(**change)
        assert stats["hidden"] == hidden, change
        assert stats["hiddenQueries"] >= 1
        assert stats["hiddenKeys"] >= 1
    assert sentence.out()["hidden"] == hidden
    assert pair_weight(sentence, 6, 6) == pytest.approx(shown("self", 1, 1, [0])[6, 6], abs=1e-4)
    sentence.set(byValueNorm=True)
    assert pair_weight(sentence, 6, 7) == pytest.approx(shown("self", 1, 1, [0], norms)[6, 7], abs=1e-4)

    sentence.page.get_by_role("button", name="Show hidden (2)").click()
    assert sentence.out()["hidden"] == {"queries": [], "keys": []}
    assert sentence.stats()["hiddenKeys"] == 0


def test_showing_a_key_again_does_not_bring_hidden_queries_back(sentence):
    sentence.set(input=1, hidden={"queries": [3, 4], "keys": [0, 9]})
    sentence.hover("key", 9)
    assert sentence.page.get_attribute("#view .atlas-sv-hide", "aria-label") == (
        f"Show key “{key_tokens('self', 1)[0][9]}”"
    )
    sentence.page.click("#view .atlas-sv-hide")
    assert sentence.out()["hidden"] == {"queries": [3, 4], "keys": [0]}
    assert sentence.stats()["hiddenQueries"] == 2
    assert sentence.hover("query", 3)["focusLines"] == 0


@pytest.mark.slow
def test_another_input_begins_with_nothing_hidden_unless_told(sentence):
    sentence.set(input=1, hidden={"queries": [3], "keys": [0]})
    stats = sentence.set(input=0)
    assert stats["hiddenKeys"] == 0
    assert sentence.out()["hidden"] == {"queries": [], "keys": []}
    stats = sentence.set(input=1, hidden={"queries": [], "keys": [2, 99]})
    assert stats["hiddenKeys"] == 1
    assert sentence.out()["hidden"] == {"queries": [], "keys": [2, 99]}


@pytest.mark.slow
def test_another_input_forgets_the_hover(sentence):
    sentence.set(input=1)
    sentence.hover("query", 30)
    assert sentence.told_hover(30)["query"] == 30
    assert sentence.set(input=0)["focus"] is None
    assert sentence.told_hover() is None


@pytest.mark.slow
def test_options_that_hide(sentence):
    stats = sentence.set(input=1, hideSpecial=True)
    assert (stats["hiddenQueries"], stats["hiddenKeys"]) == (2, 2)
    stats = sentence.set(hideSpecial=False, hideFirst=True)
    assert (stats["hiddenQueries"], stats["hiddenKeys"]) == (1, 1)
    stats = sentence.set(payload={"base": BASE, "stream": "causal"})
    assert stats["hiddenKeys"] == 1
    assert sentence.hover("query", 0)["focusLines"] == 0


@pytest.mark.slow
def test_top_k_and_threshold_choose_lines_only(sentence):
    weights = attention("self", 1, 3) / 65535
    assert sentence.set(input=1, topk=2)["lines"] == 80
    assert "top 2" in sentence.text(".atlas-sv-note")
    stats = sentence.set(topk=0, threshold=0.1)
    assert stats["lines"] == np.count_nonzero(weights >= 0.1)
    sentence.set(threshold=0, topk=3)
    assert sentence.hover("key", 0)["focusLines"] == 3


def test_large_input_draws_the_strongest_and_says_so(sentence):
    stats = sentence.set(input=3)
    assert stats["lines"] == 5000
    assert "Showing the 5,000 strongest of 262,144 pairs" in sentence.text(".atlas-sv-note")
    assert stats["canvas"]["height"] < 900
    assert stats["contentHeight"] > 8000
    assert sentence.hover("query", 7)["focusLines"] == np.count_nonzero(attention("self", 3, 3)[7])
    assert sentence.at("query", 180)[1] > 1200
    sentence.page.mouse.wheel(0, 3000)
    sentence.page.wait_for_function(f"Math.abs({ROOT}.atlasSentence.tokenPosition('query', 180).y - 400) < 800")


def test_causal_and_cross_streams(sentence):
    stats = sentence.set(input=1, payload={"base": BASE, "stream": "causal"})
    assert stats["lines"] <= 40 * 41 / 2
    assert sentence.hover("key", 39)["focusLines"] <= 1
    stats = sentence.set(input=5, payload={"base": BASE, "stream": "cross"})
    assert (stats["queries"], stats["keys"]) == (12, 8)
    assert sentence.click("key", 7)["pinned"] == {"side": "key", "index": 7}


def test_heatmap_hover_pin_and_zoom(sentence):
    sentence.set(input=2, mode="heatmap")
    sentence.page.mouse.move(*sentence.cell(30, 29))
    stats = sentence.stats()
    assert stats["pair"] == {"query": 30, "key": 29}
    weight = attention("self", 2, 3)[30, 29] / 65535
    assert sentence.told_hover(30, 29)["weight"] == pytest.approx(weight, abs=1e-5)
    sentence.page.mouse.click(*sentence.cell(30, 29))
    assert sentence.out()["selected"] == {"token": FIRST[2] + 30, "side": "query"}
    sentence.page.mouse.click(*sentence.at("key", 4))
    assert sentence.out()["selected"] == {"token": FIRST[2] + 4, "side": "key"}
    sentence.page.get_by_role("button", name="Zoom in").click()
    sentence.set(selected={"token": FIRST[2] + 100, "side": "query"})
    sentence.until("s.zoomed")
    assert 0 < sentence.at("query", 100)[1] < 780


def test_heatmap_pixels_follow_the_weights(sentence):
    sentence.set(input=0, mode="heatmap", head=0)
    weights = attention("self", 0, 0)
    flat = weights.ravel()
    cells = [divmod(int(flat.argmax()), 8), divmod(int(flat.argmin()), 8)]
    brightness = []
    for query, key in cells:
        brightness.append(
            sentence.page.evaluate(
                f"""([q, k]) => {{
                const canvas = {ROOT}.querySelector('.atlas-sv-base');
                const at = {ROOT}.atlasSentence.cellPosition(q, k);
                const box = canvas.getBoundingClientRect(); const root = {ROOT}.getBoundingClientRect();
                const r = canvas.width / box.width;
                const d = canvas.getContext('2d').getImageData((at.x + root.x - box.x) * r,
                                                               (at.y + root.y - box.y) * r, 1, 1).data;
                return d[0] + d[1] + d[2] }}""",
                [query, key],
            )
        )
    assert brightness[0] < 250 < 700 < brightness[1]


def test_keyboard_alone(sentence):
    sentence.set(input=0)
    sentence.page.focus("#view .atlas-sv-scroller")
    assert sentence.press("ArrowDown")["focus"] == {"side": "query", "index": 0}
    assert sentence.press("ArrowDown", "ArrowDown")["focus"] == {"side": "query", "index": 2}
    assert sentence.press("ArrowRight")["focus"] == {"side": "key", "index": 2}
    sentence.press("Enter")
    assert sentence.out()["selected"] == {"token": FIRST[0] + 2, "side": "key"}
    assert sentence.press("ArrowLeft", "End")["pair"] == {"query": 7, "key": 2}
    sentence.press("h")
    assert sentence.out()["hidden"]["queries"] == [7]
    stats = sentence.press("Escape")
    assert (stats["focus"], stats["pinned"]) == (None, None)
    assert sentence.out()["hidden"]["queries"] == [7]


def test_table_for_screen_readers(sentence):
    sentence.set(input=0, selected={"token": FIRST[0] + 1, "side": "query"})
    expect(sentence.page.locator("#view caption")).to_have_text("What the query “the” reads")
    rows = sentence.page.locator("#view tbody tr").all_text_contents()
    weights = attention("self", 0, 3)[1] / 65535
    assert len(rows) == np.count_nonzero(weights)
    assert rows[0].endswith(f"{weights.max():.2f}")
    sentence.set(selected=None)
    expect(sentence.page.locator("#view tbody")).to_have_count(0)


def test_tokens_are_never_markup(sentence):
    stats = sentence.set(input=4)
    assert stats["queries"] == len(NASTY)
    sentence.hover("query", NASTY.index("a" * 300))
    assert "a" * 300 in sentence.text(".atlas-sv-tip")
    for index, text in enumerate(NASTY):
        sentence.page.evaluate("document.querySelector('#view table')?.setAttribute('data-seen', '')")
        sentence.set(selected={"token": FIRST[4] + index, "side": "query"})
        sentence.hover("key", 1)
        sentence.page.wait_for_selector("#view table:not([data-seen])", state="attached")  # the reader came to rest
        assert sentence.page.locator("#view script, #view br").count() == 0, text
    assert "<script>alert(1)</script>" in sentence.text(".atlas-sv-tip")


def test_failed_fetch_says_so_and_retries(sentence):
    sentence.set(input=0)
    sentence.server.failing = True
    assert sentence.set(head=4)["state"] == "error"
    assert "The atlas is being rebuilt." in sentence.text(".atlas-sv-message")
    sentence.server.failing = False
    sentence.page.get_by_role("button", name="Retry").click()
    sentence.until("s.state !== 'error'")
    stats = sentence.stats()
    assert (stats["state"], stats["url"]) == ("ready", f"{BASE}/attention/self/0/0/4")
    assert sentence.page.locator("#view .atlas-sv-message").is_hidden()
    assert all("503" in error for error in sentence.errors)
    sentence.errors.clear()


@pytest.mark.slow
def test_unknown_input_and_back_to_none(sentence):
    assert sentence.set(input=77)["state"] == "error"
    sentence.errors.clear()
    assert sentence.set(input=None)["state"] == "empty"
    assert sentence.set(input=0)["state"] == "ready"


@pytest.mark.slow
def test_old_picture_stays_and_the_last_choice_wins(sentence):
    sentence.set(input=0, head=0)
    sentence.server.slow.clear()
    for head in (1, 2, 4):
        sentence.page.evaluate("head => dash_clientside.set_props('view', {head})", head)
        quiet(sentence.page)
    now = sentence.page.evaluate(f"{ROOT}.atlasSentence.stats()")
    assert (now["state"], now["url"]) == ("loading", f"{BASE}/attention/self/0/0/0")
    assert now["lines"] > 0
    sentence.server.slow.set()
    assert sentence.stats()["url"] == f"{BASE}/attention/self/0/0/4"


@pytest.mark.slow
def test_going_back_to_a_head_fetches_nothing(sentence):
    sentence.set(input=0, head=0)
    sentence.set(head=1)
    before = len(sentence.server.requests)
    assert sentence.set(head=0)["state"] == "ready"
    assert len(sentence.server.requests) == before


@pytest.mark.slow
def test_phone_by_touch(open_context):
    errors: list[str] = []
    context = open_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=3
    )
    with serve(create_app(Server())) as url:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        view = Sentence(page, None, url, errors)
        view.set(input=1)
        view.page.touchscreen.tap(*view.at("query", 4))
        view.until("s.pinned && s.pinned.side === 'query' && s.pinned.index === 4")
        view.page.wait_for_selector("#view .atlas-sv-hide", state="visible")
        view.page.touchscreen.tap(*view.at("query", 4))
        view.until("s.pinned === null")
        view.page.wait_for_function("document.documentElement.scrollWidth <= 390")
        assert view.stats()["canvas"]["width"] == 390 * 3
        assert view.errors == []


@pytest.mark.slow
def test_resize_and_theme_redraw(sentence):
    sentence.set(input=1)
    sentence.page.set_viewport_size({"width": 800, "height": 600})
    sentence.until("s.canvas.width >= 780 && s.canvas.width <= 800")
    sentence.set(theme="dark")
    colour = sentence.page.evaluate(f"getComputedStyle({ROOT}).backgroundColor")
    assert colour == "rgb(18, 23, 30)"


def test_no_accessibility_violation(sentence):
    axe = Axe()
    for props in (
        {"input": 1, "hidden": {"queries": [], "keys": [1]}},
        {"mode": "heatmap", "selected": {"token": FIRST[1] + 2, "side": "query"}},
        {"theme": "dark"},
        {"input": None},
    ):
        sentence.set(**props)
        expect(sentence.page.locator("#view caption")).to_have_count(
            int("selected" in props or props == {"theme": "dark"})
        )
        sentence.page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
        found = axe.run(sentence.page, context="#view").response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
