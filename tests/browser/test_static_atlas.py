"""A static page in a real browser, opened from a disk: no server, no network, no console errors."""

import re

import pytest
from playwright.sync_api import Page, expect

from components import static_atlas
from services.atlas import open_atlas
from tests.image_home import SLUG as PICTURES
from tests.image_home import TOKENS
from tests.real_home import SLUG

pytestmark = pytest.mark.browser


def opened(page: Page, atlas, folder, words: str = "", **wishes):
    """Write the page of an atlas and open it from the disk."""
    if not folder.exists():
        static_atlas.write(static_atlas.choose(atlas, **wishes), folder)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{folder.as_uri()}/index.html{words}")
    expect(page.locator("#crumb")).not_to_be_empty()
    return asked


def stats(page: Page) -> dict:
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")
    return page.evaluate("document.querySelector('#scene').atlasScene.stats()")


def test_a_whole_atlas_is_explored_from_a_disk(page: Page, dashboard_home, tmp_path):
    atlas = open_atlas(dashboard_home / "atlases" / SLUG)
    asked = opened(page, atlas, tmp_path / "page")
    now = stats(page)
    assert (now["mode"], now["cells"]) == ("matrix", 72)
    assert now["drawnPoints"] > 0
    page.locator("#query").fill("the")
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d+ tokens$"))
    page.locator("#map").select_option("pca2d")
    page.locator("#colour").select_option("position")
    page.locator("#measure").select_option("entropy")
    page.locator("#scene .atlas-scene-stage").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_visible()
    name = page.locator("#crumb").inner_text()
    assert re.fullmatch(r"L\d H\d+", name)
    expect(page.locator("#facts")).to_contain_text("Entropy")
    page.locator("#number").fill("3")
    page.locator("#number").press("Enter")
    expect(page.locator("#text")).to_have_text(atlas.inputs.text[3])
    view = "document.querySelector('#sentence').atlasSentence"
    shown = page.evaluate(f"{view}.ready()")
    assert shown["queries"] == len(atlas.tokens().text[atlas.tokens().rows(3)])
    assert shown["lines"] > 0

    at = page.evaluate(f"{view}.tokenPosition('query', 2)")
    page.locator("#sentence").click(position=at)
    row = atlas.tokens().rows(3).start + 2
    expect(page).to_have_url(re.compile(rf"#.*map=pca2d.*input=3&token={row}&side=query&q=the&by=entropy"))

    link = page.url
    page.locator("#back").click()
    expect(page.locator("#panel")).to_be_hidden()
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#crumb")).to_have_text(name)
    expect(page.locator("#text")).to_have_text(atlas.inputs.text[3])
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", re.compile("dark|light"))
    assert all(url.startswith(("file:", "data:", "blob:", "about:")) for url in asked)


def test_attention_that_was_left_out_is_said(page: Page, dashboard_home, tmp_path):
    atlas = open_atlas(dashboard_home / "atlases" / SLUG)
    opened(page, atlas, tmp_path / "page", "#head=L1H2&input=5", maps=["pca2d"], inputs=2)
    expect(page.locator("#sentence")).to_contain_text("not in this page, which holds that of the first 2 of")
    page.locator("#before").click()
    page.locator("#number").fill("1")
    page.locator("#number").press("Enter")
    assert page.evaluate("document.querySelector('#sentence').atlasSentence.ready()")["lines"] > 0
    expect(page.locator(".static-source")).to_contain_text("Attention is here for the first 2 of")


def test_images_are_explored_from_a_disk(page: Page, image_home, tmp_path):
    atlas = open_atlas(image_home / "atlases" / PICTURES)
    opened(page, atlas, tmp_path / "page", f"#head=L3H2&input=1&token={TOKENS + 40}&q=cat")
    assert page.evaluate("document.querySelector('#sentence').atlasImage.ready()")["chosen"] == 40
    expect(page.locator("#count")).to_have_text("256 tokens")
    expect(page.locator(".image-strip-maps .image-map").first).to_be_visible()
    page.locator(".image-strip-maps .image-map").nth(1).click()
    expect(page.locator("#crumb")).not_to_have_text("L3 H2")
