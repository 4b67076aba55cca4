"""The page "Scaling" and the tab "Align" in a browser, as a reader of the study uses them."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import open_page, parameter

pytestmark = pytest.mark.browser


def ready(page: Page, scene: str) -> None:
    page.wait_for_function(f"document.querySelector('#{scene}')?.atlasScene")
    page.wait_for_function(f"document.querySelector('#{scene}').atlasScene.stats().loadedChunks > 0")
    page.evaluate(f"document.querySelector('#{scene}').atlasScene.ready()")


def places(page: Page) -> list[list[float]]:
    return page.evaluate(
        """() => [0, 1, 7, 40].map((p) => document.querySelector('#scene').atlasScene.screenPosition(p))
          .map((at) => [at.x, at.y])"""
    )


def live(page: Page) -> str | None:
    return page.evaluate("document.querySelector('#scene').atlasScene.stats().live")


def test_walk_from_the_heatmaps_to_one_head_and_into_the_atlas(page: Page, dashboard):
    page.goto(f"{dashboard}/scaling")
    expect(page.locator("#scaling-title")).to_have_text("Layer 0 · Head 0")
    expect(page.locator("#scaling-layer")).to_have_value("0")
    page.locator("#scaling-layer").select_option("1")
    page.locator("#scaling-head").select_option("2")
    expect(page.locator("#scaling-title")).to_have_text("Layer 1 · Head 2")
    for metric in ("weighted", "scaled", "norms", "pearson"):
        expect(
            page.locator(f"#scaling-map-{metric} .hm, #scaling-map-{metric} .heatmaplayer image").first
        ).to_be_attached()
    expect(page.locator(".in-use").filter(has_text="scaled by this")).to_have_count(1)
    ready(page, "scaling-scene")
    before = page.evaluate("document.querySelector('#scaling-scene').atlasScene.props().projection.name")

    page.locator("#scaling-map-norms").scroll_into_view_if_needed()
    cell = page.evaluate(
        """() => { const plot = document.querySelector('#scaling-map-norms .js-plotly-plot');
          const { xaxis, yaxis } = plot._fullLayout, frame = plot.getBoundingClientRect();
          return [frame.x + xaxis._offset + xaxis.l2p(7), frame.y + yaxis._offset + yaxis.l2p(3)]; }"""
    )
    page.mouse.move(*cell)
    page.mouse.click(*cell)
    expect(page.locator("#scaling-title")).to_have_text("Layer 3 · Head 7")
    expect(page.locator("#scaling-layer")).to_have_value("3")
    page.wait_for_function(
        f"document.querySelector('#scaling-scene').atlasScene.props().projection.name !== {before!r}"
    )
    assert (parameter(page, "layer"), parameter(page, "head")) == ("3", "7")
    assert page.evaluate("document.querySelector('#scaling-scene').atlasScene.stats().cells") == 8
    expect(page.locator("#scaling-curves .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#scaling-density-table")).to_contain_text("Before alignment")
    numbers = page.locator("#scaling-density-table").inner_text()
    page.get_by_text("cosine", exact=True).click()
    expect(page.locator("#scaling-density-table")).not_to_have_text(numbers)

    page.select_option("#scaling-head", "5")
    expect(page.locator("#scaling-title")).to_have_text("Layer 3 · Head 5")
    page.locator("#scaling-link").click()
    expect(page.locator("#crumb")).to_have_text("Layer 3 · Head 5")
    expect(page.locator("#align-slider")).to_be_visible()


@pytest.mark.slow
def test_the_slider_moves_the_points_with_their_labels_and_resets(page: Page, dashboard):
    page.goto(f"{dashboard}/?layer=2&head=3&tab=align&method=pca")
    ready(page, "scene")
    own = places(page)
    assert live(page) is None
    cell = page.locator('[data-value="now-aligned-query_spearman"]')
    expect(cell).not_to_have_text("–")
    before = cell.inner_text()
    page.locator("#align-slider").focus()
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().live")
    ready(page, "scene")
    moved = places(page)
    assert max(abs(a - b) for one, two in zip(own, moved, strict=True) for a, b in zip(one, two, strict=True)) > 2
    expect(cell).not_to_have_text(before)
    assert parameter(page, "align")
    # picking follows: the point is found where it is drawn now
    frame = page.locator("#scene").bounding_box()
    x, y = moved[3]
    page.mouse.move(frame["x"] + x, frame["y"] + y)
    page.mouse.click(frame["x"] + x, frame["y"] + y)
    page.wait_for_function("new URL(location).searchParams.has('token')")

    page.locator("#panel-tab label", has_text="Align").click()
    page.locator("#align-space label", has_text="exact lift").click()
    expect(cell).to_have_text("−1.000")
    page.locator("#align-reset").click()
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().live === null")
    ready(page, "scene")
    assert parameter(page, "align") is None
    assert all(
        abs(a - b) < 1 for one, two in zip(own, places(page), strict=True) for a, b in zip(one, two, strict=True)
    )


@pytest.mark.slow
def test_the_c_of_a_link_stays_as_it_is_though_the_slider_has_steps(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=1&head=2&tab=align&align=0.738-translated-cosine")
    expect(page.locator("#align-c")).to_have_text("c = 0.738")
    page.locator("#align-space").get_by_text("Euclidean", exact=True).click()
    page.wait_for_function("new URL(location).searchParams.get('align') === '0.738-translated-euclidean'")
    page.locator("#align-slider").press("ArrowRight")
    page.wait_for_function("!new URL(location).searchParams.get('align').startsWith('0.738-')")


@pytest.mark.slow
def test_umap_stays_until_the_layout_process_has_refined_it(page: Page, dashboard):
    page.goto(f"{dashboard}/?layer=2&head=3&tab=align&method=umap&align=0.6-translated-cosine")
    ready(page, "scene")
    page.wait_for_function(
        "document.querySelector('#scene').atlasScene.stats().live?.startsWith('refined/')", timeout=90_000
    )
    expect(page.locator('[data-value="now-screen-pearson"]')).not_to_have_text("…")


def test_another_metric_swaps_the_maps_of_all_heads_and_stays_in_the_link(page: Page, dashboard):
    page.goto(f"{dashboard}/?layer=2&head=3&tab=align&method=pca")
    ready(page, "scene")
    page.select_option("#scale-select", "weighted")
    shown = "document.querySelector('#scene').atlasScene.stats().projection"
    name = "document.querySelector('#scene').atlasScene.props().projection.name"
    page.wait_for_function(f"{name} === 'pca_weighted2d'")
    page.wait_for_function(f"{shown} === document.querySelector('#scene').atlasScene.props().projection.key")
    expect(page.locator("#scale-note")).to_contain_text("UMAP")
    assert parameter(page, "scale") == "weighted"
    other = page.context.new_page()  # another tab is not disturbed
    other.goto(f"{dashboard}/?method=pca")
    ready(other, "scene")
    assert other.evaluate(name) == "pca2d"
    page.reload()
    ready(page, "scene")
    assert page.evaluate(name) == "pca_weighted2d"
    expect(page.locator("#scale-select")).to_have_value("weighted")
