"""The walk of the guide: find induction heads, see them in the matrix, open one, ask why, switch it off, export."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from services.settings import Settings
from tests.conftest import own_copy
from tests.gunicorn_server import two_workers

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TEXTS = ("the cat sat on the mat", "a dog and a cat", "on the mat the cat sat", "cat and dog", "the dog sat", "at last")
MODEL = """
import sys
from pathlib import Path
from tests.unit.tiny_models import save_model
save_model(Path(sys.argv[1]), "gpt2")
"""


def build_gpt2(home: Path) -> None:
    """An atlas of a tiny GPT-2 with random weights, whose model is in the home's folder of models."""
    model, corpus = home / "models" / "tiny-gpt2", home / "texts.txt"
    model.parent.mkdir()
    corpus.write_text("\n".join(TEXTS), encoding="utf-8")
    build = ["app.py", "build", "--quiet", "--model", str(model), "--corpus", str(corpus), "--projections", "pca"]
    for command in (["-c", MODEL, str(model)], [*build, "--out", str(home / "atlases" / "tiny")]):
        subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "ATLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"},
            check=True,
            capture_output=True,
            timeout=300,
        )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    home = own_copy(tmp_path_factory, "tiny-gpt2", build_gpt2)
    with two_workers(Settings(home=home, demo=False)) as url:
        yield url


def test_from_the_finder_to_a_loss_that_rises(page, tiny):
    # find: all heads by how they answer repeated random tokens
    page.goto(f"{tiny}/heads?q=induction_repeated+%3E+0&order=-induction_repeated")
    rows = page.locator(".finder-table tbody tr[data-cell]")
    expect(rows.first).to_be_visible()
    strongest = rows.first.locator("th, td").first.inner_text()
    layer, head = map(int, re.search(r"L(\d+) ?H(\d+)", strongest).groups())

    # see those of its layer in the matrix
    page.get_by_label("Show heads where").fill(f"induction_repeated > 0 and layer = {layer}")
    page.get_by_role("link", name=re.compile("in the matrix")).click()
    expect(page.locator("#head-set-bar")).to_contain_text("of 8 heads")
    page.wait_for_function("document.querySelector('#scene')?.atlasScene?.ready")

    # open it, on an input, and ask why
    page.evaluate(f"window.atlasChoose.head({{ layer: {layer}, head: {head} }})")
    page.wait_for_function(f"new URLSearchParams(location.search).get('head') === '{head}'")
    page.evaluate("window.atlasChoose.token({ input: 0, token: 4, side: 'query' })")
    page.locator("#panel-tab").get_by_text("Why").click()
    expect(page.locator("#why-body h2")).to_contain_text(f"in L{layer}H{head}?")

    # switch it off where tokens repeat: the loss of the second round is another one
    page.locator(".why-off > summary").click()
    page.select_option("#off-on", "random")
    page.locator("#off-go").click()
    expect(page.locator("#off-body .why-loss")).to_have_count(2)
    expect(page.locator("#off-says")).to_have_text(f"Off: L{layer}H{head}.")
    change = float(page.locator("#off-body .why-loss").last.locator("[data-value]").get_attribute("data-value"))
    assert abs(change) > 1e-4
    for view in ("before", "after"):
        page.wait_for_function(f"document.querySelector('#off-{view}').atlasSentence.stats().state === 'ready'")
    link = page.url
    assert f"off={layer}.{head}" in link

    # what is no head is said; the whole is taken along; the link brings it back
    page.fill("#off-heads", "9.9")
    page.locator("#off-go").click()
    expect(page.locator("#off-said")).to_contain_text("There is no head L9 H9")
    page.locator("#export > summary").click()
    with page.expect_download() as saved:
        page.get_by_label("The tab Why as CSV").click()
    with open(saved.value.path(), encoding="utf-8-sig", newline="") as file:
        told = [row for row in csv.DictReader(file) if row["name"] == "loss, second round"]
    assert [float(row["value"]) for row in told] == [change]
    page.goto(link)
    expect(page.locator("#off-body .why-loss")).to_have_count(2)
    page.locator("#off-back").click()
    expect(page.locator("#off-body")).to_be_empty()
