"""Atlases of sentence pairs and of content before rotation in a browser: what each offers, and what it does not."""

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from services.atlas import open_atlas
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.settings import Settings
from tests.browser.serving import serving
from tests.browser.walking import open_page, quiet
from tests.unit.building import request_for, write_corpus
from tests.unit.tiny_models import save_model

pytestmark = pytest.mark.browser
PAIRS = "premise,hypothesis\nthe cat sat on the mat.,it was tired\na dog,the dog was tired\nit was,the cat\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("kinds")
    (home / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    bert, llama = (save_model(home / "models" / name, name) for name in ("bert", "llama"))
    told = {"column": "premise", "pair": "hypothesis", "pos": "none", "dims": (2,)}
    build(request_for(bert, home / "pairs.csv", **told), home / "atlases" / "pairs", Progress("a", bar=False))
    of_content = request_for(llama, write_corpus(home / "a.txt"), pos="none", dims=(2,), content=True)
    build(of_content, home / "atlases" / "content", Progress("b", bar=False))
    return home


@pytest.fixture(scope="module")
def dashboard(home):
    with serving(create_app(Settings(home=home, demo=False)).server) as url:
        yield url


def test_a_pair_is_coloured_told_by_kind_and_read_within_or_across(page: Page, dashboard, home):
    atlas = open_atlas(home / "atlases" / "pairs")
    tokens = atlas.tokens("tokens")
    row = tokens.rows(0).start + 2  # "cat"
    open_page(page, f"{dashboard}/?atlas=pairs&method=pca&colour=segment&layer=1&head=2&token={row}&side=query")
    for name in ("first text", "second text"):
        expect(page.locator("#legend")).to_contain_text(name)
    sides = tokens.columns["segment"][tokens.rows(0)]
    weights = atlas.attention(atlas.info.default_stream).block(0, 1, 2)

    def read() -> int:
        quiet(page)
        return page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")["candidates"]

    def strong(hidden) -> int:
        """Weights from 5 % on of what remains of each row."""
        shown = weights.astype(float) * ~hidden
        rest = shown.sum(axis=1, keepdims=True)
        return int((shown / rest.clip(1e-9) >= 0.05).sum())

    across = (sides[:, None] != sides) & (sides[:, None] >= 0) & (sides >= 0)
    within = (sides[:, None] == sides) & (sides[:, None] >= 0) & (sides >= 0)
    assert read() == strong(weights < 0)
    page.locator("#tab-sentence summary", has_text="Options").click()
    page.get_by_label("Hide attention within a text").check()
    assert read() == strong(within)
    page.get_by_label("Hide attention within a text").uncheck()
    page.get_by_label("Hide attention across the texts").check()
    assert read() == strong(across)
    open_page(page, f"{dashboard}/?atlas=pairs&method=pca&layer=1&head=2&tab=head")
    expect(page.locator("#tab-head option", has_text="First or second text")).not_to_have_count(0)


def test_content_has_maps_and_says_everywhere_that_it_is_not_attention(page: Page, dashboard):
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    words = "not the model's attention"
    open_page(page, f"{dashboard}/?atlas=content&stream=content&method=pca&layer=1&head=2&token=3&side=query")
    expect(page.locator(".unattended")).to_contain_text(words)
    expect(page.locator("#sentence [role=status]")).to_contain_text(words)
    for tab in ("Why", "Average", "Head"):
        page.locator("#panel-tab label", has_text=tab).click()
        quiet(page)
        expect(page.locator(f"#tab-{tab.lower()}")).to_contain_text(words)
    open_page(page, f"{dashboard}/?atlas=content&stream=self&method=pca&layer=1&head=2")
    expect(page.locator(".unattended")).to_have_count(0)
    assert not wrong
