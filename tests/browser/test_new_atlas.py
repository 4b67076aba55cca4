"""A new atlas as a new user makes one: paste sentences or choose photographs, build, explore."""

import base64
import os
import re
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from services.atlas import open_atlas
from services.settings import Settings
from tests.browser.test_accessibility import violations
from tests.browser.walking import open_page, settle
from tests.gunicorn_server import ROOT, Gunicorn
from tests.job_processes import kill_all
from tests.patience import PATIENCE
from tests.unit.fake_hub import serve

pytestmark = pytest.mark.browser
PLACES = ("on the mat", "by the river", "in the bank", "in town", "at noon")
SENTENCES = "\n".join(
    f"{who} {did} {where}."
    for who in ("The cat", "A dog")
    for did in ("sat", "ran", "slept", "sang", "stood")
    for where in PLACES
)


@contextmanager
def serving(settings, **environment):
    """A server; its jobs are left alone when it ends."""
    server = Gunicorn(settings.home, **environment)
    try:
        server.workers()
        yield server
    finally:
        server.close()


@pytest.fixture
def settings(tmp_path):
    found = Settings(home=tmp_path / "home", demo=False)
    found.make_folders()
    yield found
    kill_all(found)


def test_pasted_sentences_become_an_atlas_though_the_server_is_killed(page: Page, settings, open_context):
    with serving(settings) as server:
        page.goto(f"{server.url}/new")
        expect(page.get_by_text("Paste some text, one input a line.")).to_be_visible()
        page.get_by_label("One input a line").fill(SENTENCES)
        expect(page.get_by_text("BERT, 6 × 12 heads, encoder; 50 inputs, about 430 tokens")).to_be_visible()
        expect(page.get_by_text(re.compile("^About .* of disk; up to .* of memory"))).to_be_visible()
        assert not violations(page)
        page.get_by_label("Name").fill("Cats & dogs")
        build = page.get_by_role("button", name="Build")
        expect(build).to_be_enabled()
        build.click()
        order = page.locator("#order-minilm-cats-dogs")
        expect(order.get_by_role("button", name="Stop")).to_be_visible()
        page.goto("about:blank")
        server.die()
    with serving(settings) as server:
        page.goto(f"{server.url}/new")
        expect(order).to_contain_text("50 inputs")
        expect(order.get_by_role("link", name="Explore")).to_be_visible()
        expect(order.get_by_text("Done.")).to_be_visible()
        expect(order).to_contain_text(re.compile("Estimated: .* It took .*, memory "))
        order.get_by_text("Log").click()
        expect(order.locator("pre")).to_contain_text("Preference map: layer 5 is laid out")
        order.get_by_role("link", name="Explore").click()
        settle(page)
        expect(page.locator("#atlas-select")).to_contain_text("Cats & dogs")
        expect(page.locator(".facts")).to_contain_text("50 inputs")
        _ask(page, server.url, "minilm-cats-dogs", open_context)
        _keep(page, server.url, "minilm-cats-dogs")


def _ask(page: Page, url: str, slug: str, open_context) -> None:
    """Type a sentence, read it in a head, and give somebody else the link."""
    open_page(page, f"{url}/?atlas={slug}&layer=2&head=3&method=pca")
    page.get_by_role("button", name="Your text").click()
    page.fill("#probe-text-a", "The cat slept in town.")
    expect(page.locator("#probe-says-a")).to_have_text("8 tokens · placed exactly")
    expect(page.locator("#input-says")).to_have_text("Your text A")
    settle(page)
    other = open_context(bypass_csp=True).new_page()
    open_page(other, page.url)
    expect(other.locator("#probe-text-a")).to_have_value("The cat slept in town.")
    expect(other.locator("#probe-says-a")).to_have_text("8 tokens · placed exactly")
    expect(other.locator("#input-says")).to_have_text("Your text A")
    other.close()


def _keep(page: Page, url: str, slug: str) -> None:
    """Rename it, take it away, delete it, take it back, open what was taken away: the same picture."""

    def picture(of: str) -> bytes:
        open_page(page, f"{url}/?atlas={of}&layer=0&head=1&method=pca")
        return page.locator("#scene").screenshot(animations="disabled")

    before = picture(slug)
    page.goto(f"{url}/library")
    card = page.locator(f"#shelf-{slug}")
    card.get_by_text("Name and notes").click()
    card.get_by_label("Name", exact=True).fill("My cats")
    card.get_by_label("Notes").fill("L0 H1 is odd.")
    assert not violations(page)
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("heading", name="My cats")).to_be_visible()
    expect(card.locator(".shelf-notes")).to_have_text("L0 H1 is odd.")
    expect(card.get_by_role("link", name="Static page")).to_have_text(re.compile(r"Static page, ≤ \d+ MB"))
    with page.expect_download() as download:
        card.get_by_role("link", name="Download").click()
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    expect(page.get_by_text("My cats: gone for good in 24 hours")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(card.get_by_role("heading", name="My cats")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open an atlas that was sent").click()
    chooser.value.set_files(download.value.path())
    opened = page.locator(f"#shelf-{slug}-2")
    expect(opened.get_by_role("heading", name="My cats")).to_be_visible()
    expect(page.get_by_text(f"It is here as {slug}-2.")).to_be_visible()
    expect(opened).to_contain_text("Same model and corpus: My cats")
    assert picture(f"{slug}-2") == before


@pytest.mark.slow
def test_photographs_become_an_atlas_that_opens_with_its_first_map(page: Page, settings):
    demo = ROOT / "demo" / "images"
    pictures = sorted(file for file in demo.glob("*.webp"))[:4] + sorted(demo.glob("*shapes-?.png"))[:2]
    assert len(pictures) == 6
    with serving(settings) as server:
        page.goto(f"{server.url}/new")
        page.get_by_label("Which model").select_option("dinov2")
        page.get_by_text("Upload", exact=True).click()
        expect(page.get_by_text("Choose a file, or several images.")).to_be_visible()
        _drop(page, pictures)
        expect(page.get_by_text(re.compile(r"^6 images, \d+ kB|^6 images, \d+ MB"))).to_be_visible()
        expect(page.get_by_text("DINOv2, 12 × 6 heads, encoder; 6 inputs, about 1,500 tokens")).to_be_visible()
        page.get_by_label("Preference map").uncheck()
        build = page.get_by_role("button", name="Build")
        expect(build).to_be_enabled()
        build.click()
        order = page.locator("#order-dinov2-images")
        order.get_by_role("link", name="Explore").click(timeout=2_000 * PATIENCE)
        settle(page)
        expect(page.locator(".facts")).to_contain_text("6 inputs")
        expect(page.locator("#gallery img").first).to_be_visible()


def _drop(page: Page, files) -> None:
    """Let files go over the field, as from the desktop."""
    held = [{"name": file.name, "bytes": base64.b64encode(file.read_bytes()).decode()} for file in files]
    dragged = page.evaluate_handle(
        """(held) => {
          const dragged = new DataTransfer();
          for (const { name, bytes } of held) {
            dragged.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name));
          }
          return dragged;
        }""",
        held,
    )
    page.get_by_role("button", name="Choose files").dispatch_event("drop", {"dataTransfer": dragged})


def test_a_data_set_of_the_hub_is_fetched_looked_at_and_built(page: Page, settings, tmp_path):
    for split, texts in (("train", SENTENCES.splitlines()), ("validation", ["The dog sat.", "Cats ran."])):
        folder = tmp_path / "set" / "default" / split
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"id": range(len(texts)), "what": texts}), folder / "0000.parquet")
    with serve({"org/set": tmp_path / "set"}) as (address, _asked):
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        with serving(settings, **environment) as server:
            page.goto(f"{server.url}/new")
            page.get_by_text("Data set", exact=True).click()
            page.get_by_label("Data set of the Hugging Face hub").fill("org/none")
            page.get_by_role("button", name="Fetch").click()
            says = page.locator("#new-set-says")
            expect(says).to_contain_text("there is no such data set on the hub")
            page.get_by_label("Data set of the Hugging Face hub").fill("org/set")
            page.keyboard.press("Enter")
            expect(says).to_contain_text(re.compile(r"^org/set, train: \d+ kB\.$"))
            expect(page.get_by_label("Split")).to_have_value("train")
            page.get_by_label("Split").select_option("validation")
            expect(says).to_contain_text("org/set, validation: ")
            page.get_by_label("Column with the inputs").select_option("what")
            expect(page.get_by_role("cell", name="The dog sat.")).to_be_visible()
            expect(page.locator("#new-check")).to_contain_text("2 inputs, about 11 tokens")
            assert not violations(page)
            page.get_by_label("Preference map").uncheck()
            page.get_by_role("button", name="Build").click()
            order = page.locator("#order-minilm-set-validation")
            expect(order.get_by_text("Done.")).to_be_visible()
    info = open_atlas(settings.atlases / "minilm-set-validation").info
    assert (info.corpus.source, info.corpus.inputs) == ("org/set, validation", 2)


def test_what_cannot_be_taken_is_said_beside_the_button(page: Page, settings, console_errors, tmp_path):
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        os.truncate(file.fileno(), 300_000_000)
    (tmp_path / "table.csv").write_text("who,what\ncat,The cat sat.\ndog,The dog ran.\n")
    (tmp_path / "run.py").write_text("print()")
    with serving(settings) as server:
        page.goto(f"{server.url}/new")
        page.get_by_text("Upload", exact=True).click()

        def choose(file):
            with page.expect_file_chooser() as chooser:
                page.get_by_role("button", name="Choose files").click()
            chooser.value.set_files(file)

        says = page.locator("#new-upload-says")
        choose(large)
        expect(says).to_have_text("It has 300 MB; 200 MB are the most that can be uploaded here.")
        choose(tmp_path / "run.py")
        expect(says).to_contain_text("run.py is of no kind that can be read here")
        console_errors.clear()  # the refusal's status
        choose(tmp_path / "table.csv")
        expect(page.locator("#new-check")).to_contain_text("which column holds the texts?")
        expect(page.get_by_role("cell", name="The cat sat.")).to_be_visible()
        expect(page.get_by_role("button", name="Build")).to_be_disabled()
        page.get_by_label("Column with the inputs").select_option("what")
        expect(page.get_by_text("2 inputs, about 12 tokens")).to_be_visible()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert not violations(page)
        expect(page.get_by_role("link", name="New atlas")).to_be_in_viewport()
