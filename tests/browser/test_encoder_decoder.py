"""A T5 in a browser: cross-attention between what is read and what is written, and its position bias by itself."""

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from services.atlas import open_atlas
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.settings import Settings
from tests.browser.serving import serving
from tests.browser.walking import open_page, quiet
from tests.unit.architectures import save

pytestmark = pytest.mark.browser
SLUG = "t5"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("t5")
    file = home / "pairs.csv"
    file.write_text("source,written\nthe cat sat,a dog\nthe dog was tired,the cat sat on the mat\n", encoding="utf-8")
    request = BuildRequest(
        model=str(save(home / "model", "t5")), corpus=str(file), column="source", target="written",
        projections=("pca",), dims=(2,), pos="none",
    )  # fmt: skip
    build(request, home / "atlases" / SLUG, Progress(SLUG, bar=False))
    return home


@pytest.fixture(scope="module")
def dashboard(home):
    with serving(create_app(Settings(home=home, demo=False)).server) as url:
        yield url


def test_what_is_written_looks_at_what_is_read(page: Page, dashboard, home):
    atlas = open_atlas(home / "atlases" / SLUG)
    written, read = (atlas.tokens(table) for table in ("decoder_tokens", "tokens"))
    row = written.rows(1).start + 3  # "cat", behind the start token, [CLS] and "the"
    assert written.text[row] == "cat"
    open_page(page, f"{dashboard}/?atlas={SLUG}&stream=cross&method=pca&layer=2&head=1&token={row}&side=query")
    stats = page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    assert (stats["queries"], stats["keys"]) == (int(written.counts[1]), int(read.counts[1]))
    assert stats["pinned"] == {"side": "query", "index": 3}
    weights = atlas.attention(atlas.stream("cross")).block(1, 2, 1)
    assert stats["candidates"] == (weights >= 0.05).sum()
    page.get_by_text("1 note on the inputs").click()
    expect(page.get_by_text("What the model writes comes from the column written.")).to_be_visible()


def test_the_position_bias_stands_apart(page: Page, dashboard, home):
    atlas = open_atlas(home / "atlases" / SLUG)
    bias = atlas.vectors(atlas.stream("decoder")).position_bias(1, 2)
    open_page(page, f"{dashboard}/?atlas={SLUG}&stream=decoder&method=pca&layer=1&head=2&tab=head")
    quiet(page)
    table = page.locator("#tab-head table", has_text="Bias")
    expect(table.locator("th")).to_contain_text(["Key", "-2", "-1", "0", "Bias"])  # no key comes after the query
    expect(table.locator("td").last).to_have_text(f"{bias[len(bias) // 2]:+.2f}")
    open_page(page, f"{dashboard}/?atlas={SLUG}&stream=decoder&method=pca&layer=1&head=2&input=1&read=heatmap")
    page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")
    place = page.evaluate("document.querySelector('#sentence').atlasSentence.cellPosition(3, 1)")
    page.locator("#sentence").hover(position=place)
    tip = page.locator("#sentence .atlas-sv-tip")
    expect(tip).to_contain_text("added for its place")
    expect(tip).to_contain_text("✓")  # with it the softmax is the model's own weight
