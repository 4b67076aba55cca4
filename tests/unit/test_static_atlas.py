"""A static page of an atlas: the same bytes as the dashboard serves, the same search, no larger than was said."""

import base64
import gzip
import json
import re
import zipfile

import numpy as np
import pytest

from components import static_atlas
from components.static_atlas.markup import to_html
from services.atlas import open_atlas
from services.errors import ExportError
from services.payloads import images, scene
from services.search.query import Question, search
from tests.node_runtime import run_node

SEARCH = [
    ("bank", "token"), ("Paris, the", "token"), ('",", cat', "token"), (",", "token"), ("ÜRICH", "contains"),
    ("strasse, caf", "prefix"), ("photosynthesis", "word"), ("##syn", "token"), ("syn", "token"), ("🍰", "token"),
    ("שלום", "word"), ("", "token"), ("zzz", "contains"),
]  # fmt: skip


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def folder(atlas, tmp_path_factory):
    target = tmp_path_factory.mktemp("page") / "small-page"
    static_atlas.write(static_atlas.choose(atlas), target)
    return target


def held(folder, name):
    """What a file of a page holds."""
    text = (folder / "data" / f"{name}.js").read_text()
    found = re.fullmatch(r'atlasFile\("([^"]+)","([A-Za-z0-9+/=]+)"\)\n', text)
    assert found[1] == name
    return gzip.decompress(base64.b64decode(found[2]))


def test_a_page_holds_the_bytes_that_the_dashboard_serves(folder, atlas):
    stream = atlas.info.streams[0]
    for projection in atlas.info.projections:
        assert held(folder, f"self/{projection.name}-0") == scene.positions(atlas, projection, 0)
    assert held(folder, "self/attribute-position") == scene.attribute(atlas, stream, "position")
    norms = held(folder, "self/attribute-norm-2")
    assert norms[len(norms) // 12 :][: len(norms) // 12] == scene.head_attribute(atlas, stream, "norm", 2, 1)
    assert json.loads(held(folder, "tokens/tokens-0")) == scene.token_page(atlas, "tokens", 0)
    assert json.loads(held(folder, "self/inputs-0"))[3] == scene.input_sides(atlas, stream, 3)
    one = scene.attention(atlas, stream, 4, 3, 7)
    start = (3 * stream.heads + 7) * len(one)
    assert held(folder, "self/attention-4-0")[start : start + len(one)] == one


def test_it_is_no_larger_than_was_said_and_names_nothing_outside(folder, atlas):
    files = [path for path in folder.rglob("*") if path.is_file()]
    contents = static_atlas.choose(atlas)
    assert sum(path.stat().st_size for path in files) <= contents.bytes
    assert "72 heads, 2 maps (pca2d, pca3d), attention on all 12 inputs: at most " in contents.words
    page = (folder / "index.html").read_text()
    assert not re.search(r'(?:src|href)="(?!static/|data/|data:)', page)
    styles = (folder / "static" / "style.css").read_text()
    assert not [
        address for address in re.findall(r"url\(([^)]*)", styles) if not address.strip("\"'").startswith("data:")
    ]


def test_attention_of_as_many_inputs_as_fit_and_clear_words_where_nothing_does(atlas):
    whole = static_atlas.choose(atlas).bytes
    fewer = static_atlas.choose(atlas, most=whole - 1)
    assert 0 < fewer.inputs < 12
    assert fewer.bytes < whole
    assert f"first {fewer.inputs} of 12 inputs" in fewer.words
    assert static_atlas.choose(atlas, ["pca2d"], 0).bytes < fewer.bytes
    with pytest.raises(ExportError, match=r"on 2 maps need up to .* allowed: name fewer maps, or allow more"):
        static_atlas.choose(atlas, most=1000)
    with pytest.raises(ExportError, match=r"There is no map 'umap9d' in this atlas; there are pca2d, pca3d\."):
        static_atlas.choose(atlas, ["umap9d"])
    with pytest.raises(ExportError, match=r"12 inputs needs up to .*: \d+ fit, or allow more"):
        static_atlas.choose(atlas, inputs=12, most=whole - 1)
    with pytest.raises(ExportError, match="choose from 0 to 12"):
        static_atlas.choose(atlas, inputs=13)


def test_nothing_is_written_over_and_nothing_half_is_left(atlas, tmp_path, monkeypatch):
    contents = static_atlas.choose(atlas, ["pca2d"], 1)
    target = tmp_path / "page.zip"
    size = static_atlas.write(contents, target)
    assert size == target.stat().st_size
    with zipfile.ZipFile(target) as made:
        assert made.testzip() is None
        assert f"{atlas.slug}/index.html" in made.namelist()
    with pytest.raises(ExportError, match="is there already"):
        static_atlas.write(contents, target)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene, "attention", full)
    with pytest.raises(ExportError, match="cannot be written: No space left on device"):
        static_atlas.write(contents, tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["page.zip"]


def test_the_search_of_a_page_finds_what_the_dashboard_finds(folder, atlas):
    table = held(folder, "tokens/search").decode()
    script = (
        "const { search } = require('./components/static_atlas/search.js');"
        f"const table = {table};"
        f"const asked = {json.dumps(SEARCH)};"
        "console.log(JSON.stringify(asked.map(([query, mode]) => Array.from(search(table, query, mode)))));"
    )
    done = run_node("-e", script)
    assert done.returncode == 0, done.stderr
    hits = 0
    for (query, mode), found in zip(SEARCH, json.loads(done.stdout), strict=True):
        wanted = search(atlas, "tokens", Question(query, mode))
        assert found == list(scene.pack_mask(wanted)), (query, mode)
        hits += int(np.count_nonzero(wanted))
    assert hits > 30


def test_objects_of_images_are_found_alike(image_home):
    from components.static_atlas.data import _searched

    atlas = open_atlas(next((image_home / "atlases").iterdir()))
    asked = [("cat", "object"), ("disc, cat", "object"), ("row 3", "contains")]
    script = (
        "const { search } = require('./components/static_atlas/search.js');"
        f"const table = {json.dumps(_searched(atlas, 'tokens'))};"
        f"console.log(JSON.stringify({json.dumps(asked)}.map(([q, mode]) => Array.from(search(table, q, mode)))));"
    )
    done = run_node("-e", script)
    assert done.returncode == 0, done.stderr
    for (query, mode), found in zip(asked, json.loads(done.stdout), strict=True):
        assert found == list(scene.pack_mask(search(atlas, "tokens", Question(query, mode)))), query
    assert images.has_images(atlas)


def test_texts_of_an_atlas_are_no_markup():
    from dash import dcc, html

    assert to_html(html.P(["<b>", html.Br(), html.Span("a", style={"--x": "1"}, title='"')], className="c")) == (
        '<p class="c">&lt;b&gt;<br><span style="--x: 1" title="&quot;">a</span></p>'
    )
    still = to_html(html.Div(html.Button("<x>", id={"a": 1}, n_clicks=3, className="v")), still=True)
    assert still == '<div><span class="v">&lt;x&gt;</span></div>'
    with pytest.raises(TypeError):
        to_html(dcc.Link("x", href="/"))
