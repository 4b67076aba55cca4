"""Images in a browser: patches on the map, the gallery, what a patch reads, and the way between heads."""

from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from services.atlas import open_atlas
from services.search.concentration import concentrations
from services.settings import Settings
from tests.browser.test_accessibility import violations
from tests.browser.walking import open_page, parameter, quiet, settle
from tests.gunicorn_server import two_workers
from tests.image_home import NAMES, SIDE, SLUG, TOKENS

pytestmark = pytest.mark.browser
HEAD = "method=pca&layer=4&head=2"
CAT = 1
PATCH = 1 + 6 * SIDE + 8  # position of a patch in the middle of its image


@pytest.fixture(scope="module")
def dashboard(image_home):
    with two_workers(Settings(home=image_home, demo=False)) as url:
        yield url


@pytest.fixture(scope="module")
def atlas(image_home):
    return open_atlas(image_home / "atlases" / SLUG)


def stats(page: Page) -> dict:
    quiet(page)
    return page.evaluate("document.querySelector('#sentence').atlasImage.ready()")


def scene(page: Page) -> dict:
    quiet(page)
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")
    return page.evaluate("document.querySelector('#scene').atlasScene.stats()")


def click_patch(page: Page, position: int) -> None:
    place = page.evaluate("(at) => document.querySelector('#sentence').atlasImage.position(at)", position)
    page.locator("#sentence").click(position=place)


def test_patches_are_drawn_in_the_matrix_in_every_form_and_stay_in_the_link(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    assert scene(page)["patches"] == "border"
    page.get_by_text("Display").click()
    page.locator("#display-patches").get_by_text("Tinted").click()
    assert parameter(page, "patches") == "fill"
    assert scene(page)["patches"] == "fill"
    page.locator("#display-patches").get_by_text("As points").click()
    assert scene(page)["patches"] is None
    open_page(page, f"{dashboard}/?method=pca&dims=3&patches=bare")
    assert scene(page)["patches"] == "bare"


def test_a_picture_of_the_gallery_is_lit_in_all_heads_and_put_out_again(page: Page, dashboard):
    open_page(page, f"{dashboard}/?method=pca")
    expect(page.locator(".gallery-entry")).to_have_count(len(NAMES))
    page.get_by_role("button", name="cat.webp").click()
    assert parameter(page, "input") == str(CAT)
    assert scene(page)["marks"] == 2 * TOKENS
    expect(page.get_by_role("button", name="cat.webp")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="cat.webp").click()
    assert parameter(page, "input") is None


def test_one_image_is_read_patch_by_patch(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    found = stats(page)
    assert (found["image"], found["tokens"], found["chosen"]) == ("cat.webp", TOKENS, -1)
    block = atlas.attention(atlas.info.default_stream).block(CAT, 4, 2).astype(float)
    assert found["line"] == pytest.approx(block.mean(axis=0), abs=1e-3)
    click_patch(page, PATCH)
    first = atlas.tokens().rows(CAT).start
    assert parameter(page, "token") == str(first + PATCH)
    found = stats(page)
    assert (found["chosen"], found["side"]) == (PATCH, "query")
    assert found["line"] == pytest.approx(block[PATCH], abs=1e-4)
    assert found["maps"] == 6 + 12
    expect(page.locator(".image-legend")).to_contain_text("What row 6 column 8 reads")
    # Who reads it.
    page.locator("#sentence-direction").get_by_text("Read by").click()
    found = stats(page)
    assert found["side"] == "key"
    assert found["line"] == pytest.approx(block[:, PATCH], abs=1e-4)
    # The number of a patch under the pointer, with what stands behind it.
    place = page.evaluate("(at) => document.querySelector('#sentence').atlasImage.position(at)", PATCH + 1)
    page.locator("#sentence").hover(position=place)
    expect(page.locator(".image-tip")).to_contain_text("row 6 column 9")
    expect(page.locator(".image-tip")).to_contain_text("q·k")
    # Another click takes the choice back.
    click_patch(page, PATCH)
    assert parameter(page, "token") is None


def test_quick_clicks_are_shown_at_once_and_the_page_follows_to_the_last(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    stats(page)
    shown = page.evaluate(
        """(positions) => {
          const element = document.querySelector("#sentence");
          const view = element.atlasImage, stage = element.querySelector(".image-stage");
          const box = element.getBoundingClientRect();
          return positions.map((at) => {
            const { x, y } = view.position(at);
            const place = { clientX: box.left + x, clientY: box.top + y, bubbles: true };
            stage.dispatchEvent(new PointerEvent("pointermove", place));
            stage.dispatchEvent(new MouseEvent("click", place));
            return view.stats().chosen;
          });
        }""",
        [PATCH, PATCH + 3, PATCH, PATCH + 5],
    )
    assert shown == [PATCH, PATCH + 3, PATCH, PATCH + 5]
    first = atlas.tokens().rows(CAT).start
    assert parameter(page, "token") == str(first + PATCH + 5)
    assert stats(page)["chosen"] == PATCH + 5
    # A choice made elsewhere is followed as before.
    page.evaluate("(token) => atlasChoose.token({ input: 1, token, side: 'key' })", first + PATCH + 1)
    assert parameter(page, "token") == str(first + PATCH + 1)
    found = stats(page)
    assert (found["chosen"], found["side"]) == (PATCH + 1, "key")


def test_arrows_are_the_strongest_of_each_or_all_above_the_threshold(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}")
    block = atlas.attention(atlas.info.default_stream).block(CAT, 4, 2).astype(float)
    assert stats(page)["arrows"] == pytest.approx((block.max(axis=1) >= 0.05).sum(), abs=2)
    page.get_by_text("Options").click()
    page.locator("#image-arrows").get_by_text("All").click()
    assert parameter(page, "arrows") == "all"
    assert stats(page)["arrows"] == pytest.approx((block >= 0.05).sum(), abs=4)


@pytest.mark.slow
def test_the_same_patch_leads_to_other_heads_and_stays(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    click_patch(page, PATCH)
    stats(page)
    page.get_by_role("button", name="Open L9 H2").click()
    settle(page)
    assert parameter(page, "layer") == "9"
    found = stats(page)
    assert (found["chosen"], found["image"]) == (PATCH, "cat.webp")


def test_scale_cover_and_rollout_are_part_of_the_link(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    plain = stats(page)
    page.get_by_text("Options").click()
    page.locator("#image-shade").get_by_text("Linear to 99 %").click()
    assert parameter(page, "shade") == "clipped"
    assert stats(page)["top"] < plain["top"]
    page.locator("#image-cover").get_by_text("Weights").click()
    page.locator("#image-flow").get_by_text("Rollout").click()
    assert parameter(page, "cover") == "100"
    found = stats(page)
    assert found["source"] == "rollout"
    expect(page.locator(".image-legend")).to_contain_text("attention rollout over layers 0 to 4")
    page.reload()
    settle(page)
    again = stats(page)
    assert (again["source"], again["top"]) == ("rollout", pytest.approx(found["top"]))


@pytest.mark.slow
def test_patches_like_one_are_lit_as_a_set(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    click_patch(page, PATCH)
    stats(page)
    page.get_by_role("button", name="in this head").click()
    page.wait_for_function("new URL(location).searchParams.get('set') !== null")
    assert scene(page)["marks"] == 60


def test_a_rectangle_on_the_image_is_a_set_by_which_heads_are_ordered(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    stats(page)
    box = page.locator("#sentence").bounding_box()
    first, last = (
        page.evaluate("(at) => document.querySelector('#sentence').atlasImage.position(at)", at)
        for at in (PATCH, PATCH + 2 * SIDE + 3)
    )
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + first["x"] - 4, box["y"] + first["y"] - 4)
    page.mouse.down()
    page.mouse.move(box["x"] + last["x"] + 4, box["y"] + last["y"] + 4, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_function("new URL(location).searchParams.get('set') !== null")
    assert scene(page)["marks"] == 2 * 3 * 4  # queries and keys of three rows of four patches
    assert parameter(page, "token") is None
    # Which head keeps the region together? The matrix says it on every head.
    page.get_by_role("button", name="All heads").click()
    quiet(page)
    page.locator("#order-select").select_option("search")
    page.wait_for_function("document.querySelector('#scene').atlasScene.stats().order !== null")
    info = atlas.info.projection("pca2d", "self")
    place = np.arange(len(atlas.tokens())) - atlas.tokens().rows(CAT).start
    row, column = np.divmod(place - 1, SIDE)
    region = (place > 0) & (place < TOKENS) & np.isin(row, [6, 7, 8]) & np.isin(column, [8, 9, 10, 11])
    values = concentrations(np.asarray(atlas.layout(info)).reshape(72, -1, 2), region, region)
    order = page.evaluate("document.querySelector('#scene').atlasScene.stats().order")
    assert np.all(np.diff(np.round(values, 2)[order]) <= 0)
    assert values[order[0]] > 1.5


@pytest.mark.slow
def test_the_image_is_taken_along_as_png_and_svg(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    click_patch(page, PATCH)
    stats(page)
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as png:
        page.get_by_role("button", name="Image as PNG").click()
    picture = Image.open(png.value.path())
    assert png.value.suggested_filename.endswith("_L4H2_pca2d.image.png")
    assert min(picture.size) > 500
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 5000  # a photograph
    with page.expect_download() as svg:
        page.get_by_role("button", name="Image as SVG").click()
    text = svg.value.path().read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    for words in ("cat.webp", "What row 6 column 8 reads", "square root", "DINOv2-small"):
        assert words in text


@pytest.mark.slow
def test_the_keyboard_walks_from_patch_to_patch(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    stats(page)
    page.locator(".image-stage").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    middle = 1 + SIDE * SIDE // 2
    assert stats(page)["chosen"] == middle + 1 + SIDE
    expect(page.locator(".image-says")).to_contain_text("row")


def test_objects_are_searched_for(page: Page, dashboard, atlas):
    open_page(page, f"{dashboard}/?method=pca")
    page.locator("#search-box").fill("disc")
    expect(page.locator("#search-count")).to_contain_text("in 2 inputs")
    discs = sum(name == "disc" for name in atlas.tokens().columns["object"])
    assert scene(page)["marks"] == 2 * discs


@pytest.mark.slow
def test_without_webgl_one_head_still_shows_its_patches(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&webgl=0")
    assert scene(page)["patches"] == "border"


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (390, 844, "dark")])
@pytest.mark.slow
def test_axe_finds_nothing_beside_an_image(open_context, dashboard, width, height, scheme):
    page = open_context(viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True).new_page()
    open_page(page, f"{dashboard}/?{HEAD}&input={CAT}&read=heatmap")
    click_patch(page, PATCH)
    stats(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_image_of_ones_own(page: Page, dashboard, image_home, open_context):
    open_page(page, f"{dashboard}/?{HEAD}")
    page.get_by_role("button", name="Your image").click()
    drop = page.locator("[data-letter=a].probe-image")
    with page.expect_file_chooser() as chooser:
        drop.click()
    chooser.value.set_files(image_home / "pictures" / NAMES[CAT])
    expect(page.locator("#probe-says-a")).to_have_text(f"{TOKENS} tokens · placed exactly")
    expect(drop).to_have_text(NAMES[CAT])
    page.wait_for_function(
        "(count) => document.querySelector('#scene').atlasScene.stats().probes.length === count", arg=2 * TOKENS
    )
    assert stats(page)["image"] == NAMES[CAT]
    expect(page.locator("#input-says")).to_have_text("Your image A")
    click_patch(page, PATCH)
    page.wait_for_function(f"document.querySelector('#sentence').atlasImage.stats().chosen === {PATCH}")
    own = stats(page)
    assert own["maps"] == 6 + 12  # the patch in all heads of the layer, in this head of all layers

    # what it reads in the corpus's image of the same pixels
    other = open_context(bypass_csp=True).new_page()
    token = CAT * TOKENS + PATCH
    open_page(other, f"{dashboard}/?{HEAD}&token={token}&side=query")
    np.testing.assert_allclose(own["line"], stats(other)["line"], atol=2e-3)
    # and the link shows it to somebody else
    open_page(other, page.url)
    expect(other.locator("#probe-says-a")).to_have_text(f"{TOKENS} tokens · placed exactly")
    assert stats(other)["chosen"] in (-1, PATCH)
    other.close()

    # an image of the corpus takes the panel back
    page.locator(".gallery-entry").nth(2).click()
    page.wait_for_function(f"document.querySelector('#sentence').atlasImage.stats().image === '{NAMES[2]}'")


def test_what_is_no_image_is_said_beside_its_field(page: Page, dashboard, console_errors):
    open_page(page, f"{dashboard}/?{HEAD}")
    page.get_by_role("button", name="Your image").click()
    says = page.locator("#probe-says-a")
    for name, content, words in (
        ("notes.txt", b"a cat", "notes.txt is no image: give a PNG, JPEG or WebP."),
        ("half.png", b"\x89PNG\r\n\x1a\n", "half.png"),
    ):
        with page.expect_file_chooser() as chooser:
            page.locator("[data-letter=a].probe-image").click()
        chooser.value.set_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
        expect(says).to_contain_text(words)
    console_errors.clear()  # the browser reports the refusals too


def test_a_head_switched_off_on_an_image_is_seen_in_both_runs(page: Page, dashboard):
    open_page(page, f"{dashboard}/?{HEAD}&tab=why&off=3.1")
    page.evaluate("(token) => window.atlasChoose.token({ input: 0, token, side: 'query' })", PATCH)
    expect(page.locator("#off-says")).to_have_text("Off: L3H1.", timeout=120_000)
    expect(page.locator("#off-body .why-losses [data-value]")).to_have_count(2)
    assert float(page.locator("#off-body .why-losses [data-value]").last.get_attribute("data-value")) < 1
    seen = [
        page.evaluate("(id) => document.getElementById(id).atlasImage.ready()", f"off-{view}")
        for view in ("before", "after")
    ]
    assert [(one["tokens"], one["message"]) for one in seen] == [(TOKENS, ""), (TOKENS, "")]
