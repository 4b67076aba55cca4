"""What says how far maps can be believed: badges, the order of heads, rings, and the facts of one head."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from services.alignment import head_alignment
from services.atlas import open_atlas
from services.atlas.layouts import draw_order
from services.measures.measure import grade
from services.measures.registry import find, listed
from tests.browser.test_dashboard import box, centre_of_head
from tests.browser.walking import open_page, parameter, quiet, settle
from tests.real_home import SLUG

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


def stats(page: Page) -> dict:
    quiet(page)
    return page.evaluate("document.querySelector('#scene').atlasScene.stats()")


def wait_for_badges(page: Page) -> None:
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().badges === 72")


def wait_for_order(page: Page, wanted: list[int] | None) -> None:
    page.wait_for_function(
        """(order) => JSON.stringify(document.querySelector('#scene').atlasScene.stats().order)
          === JSON.stringify(order)""",
        arg=wanted,
    )


def values_of(atlas, projection: str, measure: str) -> np.ndarray:
    return atlas.measures(atlas.info.streams[0]).get(measure, projection).values


def best_first(atlas, projection: str, measure: str) -> list[int]:
    values = values_of(atlas, projection, measure).ravel()
    return np.argsort(-np.round(values, 4) if find(measure).best > 0 else np.round(values, 4), kind="stable").tolist()


def test_each_head_says_how_far_its_map_can_be_believed(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=umap")
    wait_for_badges(page)
    found = "umap2d"
    page.mouse.move(*centre_of_head(page, 1, 4))
    shown = find("best_near").form.text(values_of(atlas, found, "best_near")[1, 4])
    expect(page.locator("#scene [role=tooltip]")).to_contain_text(f"Best keys near: {shown}")
    page.locator("#badge-select").select_option("trustworthiness")
    page.wait_for_function("new URL(location).searchParams.get('badge') === 'trustworthiness'")
    page.mouse.move(*centre_of_head(page, 3, 2))
    shown = find("trustworthiness").form.text(values_of(atlas, found, "trustworthiness")[3, 2])
    expect(page.locator("#scene [role=tooltip]")).to_contain_text(f"Trustworthiness: {shown}")
    page.locator("#badge-select").select_option("none")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().badges === 0")


@pytest.mark.slow
def test_heads_in_the_order_of_a_measure_can_be_picked_reached_and_linked(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=umap")
    page.locator("#order-select").select_option("query_spearman")
    wanted = best_first(atlas, "umap2d", "query_spearman")
    wait_for_order(page, wanted)
    settle(page)
    frame = box(page)
    first = page.evaluate(
        """([width, height]) => {
          const scene = document.querySelector('#scene').atlasScene;
          for (let y = 2; y < height; y += 3) for (let x = 2; x < width; x += 3) {
            if (scene.headAt(x, y)) return scene.headAt(x, y);
          }
        }""",
        [frame["width"], frame["height"]],
    )
    layer, head = divmod(wanted[0], 12)
    assert first == {"layer": layer, "head": head}
    page.locator("#scene [role=application]").focus()
    page.keyboard.press("ArrowRight")
    place = wanted.index(stats(page)["focusCell"])
    assert place in (0, 1)
    page.keyboard.press("ArrowRight")
    assert stats(page)["focusCell"] == wanted[place + 1]
    page.keyboard.press("Enter")
    layer, head = divmod(wanted[place + 1], 12)
    expect(page.locator("#crumb")).to_have_text(f"Layer {layer} · Head {head}")
    page.wait_for_function("new URL(location).searchParams.has('layer')")
    assert parameter(page, "order") == "query_spearman"
    page.reload()
    settle(page)
    wait_for_order(page, wanted)
    expect(page.locator("#crumb")).to_have_text(f"Layer {layer} · Head {head}")
    place = page.evaluate("document.querySelector('#scene').atlasScene.screenPosition(0)")
    assert 0 < place["x"] < box(page)["width"]
    assert 0 < place["y"] < box(page)["height"]
    page.get_by_role("button", name="All heads").click()
    settle(page)
    page.mouse.click(*centre_of_head(page, *divmod(wanted[70], 12)))
    expect(page.locator("#crumb")).to_have_text("Layer {} · Head {}".format(*divmod(wanted[70], 12)))
    page.get_by_role("button", name="All heads").click()
    page.locator("#order-select").select_option("plain")
    wait_for_order(page, None)
    assert parameter(page, "order") is None


@pytest.mark.slow
def test_heads_are_sorted_without_webgl_too(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=umap&webgl=0&order=best_near")
    wanted = best_first(atlas, "umap2d", "best_near")
    wait_for_order(page, wanted)
    places = page.evaluate(
        """[...document.querySelectorAll('.atlas-scene-sprite button')].map((button) => {
          const { top, left } = button.getBoundingClientRect();
          return [button.title, Math.round(top), Math.round(left)];
        })"""
    )
    names = [name for name, *_ in sorted(places, key=lambda button: button[1:])]
    assert names == ["L{} H{}".format(*divmod(cell, 12)) for cell in wanted]
    page.get_by_role("button", name=f"Open {names[3]}", exact=True).click()
    expect(page.locator("#crumb")).to_have_text("Layer {} · Head {}".format(*divmod(wanted[3], 12)))


def test_a_token_under_the_pointer_has_what_it_attends_to_ringed(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=5")
    stream, tokens = atlas.info.streams[0], atlas.tokens()
    order = draw_order(2 * len(tokens))
    for point in (40, len(tokens) + 40):
        place = page.evaluate("(id) => document.querySelector('#scene').atlasScene.screenPosition(id)", point)
        frame = box(page)
        page.mouse.move(5, 5)
        page.wait_for_function("document.querySelector('#scene').atlasScene.stats().rings.length === 0")
        page.mouse.move(frame["x"] + place["x"], frame["y"] + place["y"])
        page.wait_for_function("document.querySelector('#scene').atlasScene.stats().rings.length > 0")
        seen = stats(page)
        side, row = divmod(int(order[seen["hoverSlot"]]), len(tokens))  # perhaps a neighbour on top of it
        assert side == point // len(tokens)
        index = int(tokens.input[row])
        first = int(tokens.offsets[index])
        weights = np.rint(atlas.attention(stream).block(index, 2, 5).astype(np.float64) * 65535) / 65535
        mine = weights[:, row - first] if side else weights[row - first]
        expected = [cell for cell in np.argsort(-mine, kind="stable")[:5] if mine[cell] > 0]
        ringed = [divmod(int(order[ring["slot"]]), len(tokens)) for ring in seen["rings"]]
        assert ringed == [(1 - side, first + cell) for cell in expected]
        assert [ring["weight"] for ring in seen["rings"]] == pytest.approx(mine[expected].tolist(), abs=1e-6)
    page.locator("#display summary").click()
    page.get_by_text("Ring what it attends to").click()
    page.wait_for_function("new URL(location).searchParams.get('rings') === 'off'")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().rings.length === 0")


def test_the_head_tab_tells_every_measure_in_words(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=umap&layer=1&head=2&tab=head")
    facts = page.locator("#head-facts")
    expect(facts).to_contain_text("UMAP 2D")
    table = atlas.measures(atlas.info.streams[0])
    for measure in listed("text"):
        value = table.of(measure.name, 1, 2, None if measure.scope == "head" else "umap2d")
        expect(facts).to_contain_text(measure.sentence)
        if value is not None:
            row = facts.locator(".facts-measure", has=page.get_by_text(measure.label, exact=True))
            words = re.escape(measure.form.text(value)) + ".*" + (grade(measure, value) or "median of all heads")
            expect(row.locator(".facts-line")).to_contain_text(re.compile(words))
    expect(facts).to_contain_text("Before any projection")
    expect(facts).to_contain_text(f"c = {head_alignment(atlas, atlas.info.streams[0], 1, 2).c:.3f}")
    page.get_by_text("PCA", exact=True).click()
    expect(facts).to_contain_text("PCA 2D")


@pytest.mark.parametrize("query", ["badge=<script>", "order=best_near,", "rings=maybe", "badge=order&order=badge"])
@pytest.mark.slow
def test_bad_links_are_dropped_with_a_sentence(page: Page, dashboard, query):
    open_page(page, f"{dashboard}/?method=pca&{query}")
    expect(page.locator("#notice")).to_contain_text("is not in this atlas")
    wait_for_badges(page)
    assert stats(page)["order"] is None


def test_a_cell_from_kind_to_kind_lights_up_its_pairs_and_leads_to_other_heads(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=9&tab=head")
    page.locator("#kinds").click()
    page.locator(".kinds-table tbody tr").first.locator("button").first.click()
    cell = page.locator("#kinds-cell")
    expect(cell).to_contain_text("times even attention")
    page.wait_for_function("new URLSearchParams(location.search).has('cell')")
    page.reload()
    expect(cell).to_contain_text("times even attention")  # the link brings table and cell back
    expect(cell.locator("ol a")).to_have_count(8)
    cell.get_by_role("link", name="Light up its strongest pairs").click()
    page.wait_for_function("(new URL(location).searchParams.get('set') || '').startsWith('p.')")
    expect(page.locator("#scene")).to_be_visible()


def test_the_parts_of_a_head_light_up_their_tokens(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca&layer=2&head=9&tab=head")
    page.locator("#parts").click()
    body = page.locator("#parts-body")
    expect(body).to_contain_text("tell these kinds apart")
    expect(body).to_contain_text("in the other half")
    body.get_by_role("link", name="Show").first.click()
    page.wait_for_function("(new URL(location).searchParams.get('set') || '').startsWith('p.')")
    expect(page.locator("#scene")).to_be_visible()
