"""How pages and files travel: compressed, not twice, and with the theme before anything is seen."""

import gzip
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from app import create_app
from components.server import memory
from components.server.application import ROOT, THEME
from components.server.bundles import script_text, scripts, style_text, styles
from services.atlas import open_atlas
from services.settings import Settings
from tests.real_home import SLUG

STYLES = "/assets/10-bootstrap.min.css"
OVER_HTTP = {"Accept-Encoding": "gzip, deflate"}  # what browsers ask for without TLS
OPENED = {"gzip": gzip.decompress, "deflate": zlib.decompress}

SMAPS = Path("/proc/self/smaps")


@pytest.mark.parametrize("path", [STYLES, "/assets/clientside.js", "/_dash-layout", "/_dash-dependencies"])
def test_text_travels_compressed_and_opens_to_the_same(client, path):
    plain = client.get(path)
    small = client.get(path, headers=OVER_HTTP)
    assert "Content-Encoding" not in plain.headers
    assert len(small.data) < 0.5 * len(plain.data)
    opened = OPENED[small.headers["Content-Encoding"]](small.data)
    assert same_but_for_the_tab(opened, plain.data)


def same_but_for_the_tab(one: bytes, other: bytes) -> bool:
    """Each layout numbers its tab anew."""
    number = rb'"data":"[0-9a-f]{32}"'
    return re.sub(number, b"", one) == re.sub(number, b"", other)


def test_positions_and_pictures_go_as_they_are(client, dashboard_home):
    atlas = open_atlas(dashboard_home / "atlases" / SLUG)
    answer = client.get(f"/payload/{SLUG}/{atlas.info.key}/order/self", headers=OVER_HTTP)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("prefix", ["/", "/deep/atlas/"])
def test_a_file_that_has_not_changed_is_not_sent_again(dashboard_home, prefix):
    client = create_app(Settings(home=dashboard_home, demo=False, url_prefix=prefix)).server.test_client()
    path = prefix.rstrip("/") + STYLES
    first = client.get(path, headers=OVER_HTTP)
    again = client.get(path, headers={**OVER_HTTP, "If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


@pytest.mark.parametrize("prefix", ["/", "/deep/atlas/"])
def test_the_theme_is_set_before_any_style_is_read(dashboard_home, prefix):
    client = create_app(Settings(home=dashboard_home, demo=False, url_prefix=prefix)).server.test_client()
    page = client.get(prefix).get_data(as_text=True)
    [theme] = re.findall(r'<script src="([^"]*00-theme\.js[^"]*)"', page)
    assert page.index(theme) < page.index('rel="stylesheet"')
    assert client.get(theme).status_code == 200


@pytest.mark.parametrize("prefix", ["/", "/deep/atlas/"])
def test_our_scripts_are_one_file_and_our_styles_another(dashboard_home, prefix):
    client = create_app(Settings(home=dashboard_home, demo=False, url_prefix=prefix)).server.test_client()
    page = client.get(prefix).get_data(as_text=True)
    assert "_dash-component-suites/components" not in page
    [script] = re.findall(rf'<script src="({prefix}scripts/[0-9a-f]{{12}}\.js)"', page)
    [style] = re.findall(rf'<link rel="stylesheet" href="({prefix}assets/[0-9a-f]{{12}}\.css)"', page)
    assert page.index("react") < page.index(script) < page.index("dash_renderer")
    ours, sheets = list(scripts(ROOT / "assets", THEME)), list(styles(ROOT / "assets"))
    for address, text in ((script, script_text(ROOT / "assets", THEME)), (style, style_text(ROOT / "assets"))):
        answer = client.get(address)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.text == text
    assert all(path.read_text(encoding="utf-8") in script_text(ROOT / "assets", THEME) for path in ours)
    assert len(ours) == len(set(ours)) > 70
    assert len(sheets) == len(set(sheets)) > 15


def test_fonts_lie_beside_the_styles_and_drawings_in_them(client):
    named = set(re.findall(r'url\("([^"]+)"\)', style_text(ROOT / "assets")))
    drawn = {unquote(name.partition(",")[2]) for name in named if name.startswith("data:image/svg+xml,")}
    files = {path.read_text(encoding="utf-8") for path in (ROOT / "assets").rglob("*.svg")}
    assert len(files & drawn) > 9
    fonts = [name for name in named if not name.startswith("data:")]
    assert fonts
    for name in fonts:
        answer = client.get(f"/assets/{name}")
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True), name


@pytest.mark.parametrize("encodings", ["gzip", "br", ""])
def test_a_library_is_compressed_once_and_told_to_stay(client, encodings, monkeypatch):
    address = next(a for a in re.findall(r'src="([^"]+)"', client.get("/").text) if "react-dom" in a)
    first = client.get(address, headers={"Accept-Encoding": encodings})
    monkeypatch.setattr("flask_compress.flask_compress._compress_data", lambda *_: pytest.fail("compressed again"))
    again = client.get(address, headers={"Accept-Encoding": encodings})
    assert (again.data, again.headers["Content-Type"]) == (first.data, first.headers["Content-Type"])
    assert again.headers.get("Content-Encoding", "") == first.headers.get("Content-Encoding", "") == encodings
    assert "immutable" in again.headers["Cache-Control"]
    had = {"Accept-Encoding": encodings, "If-None-Match": again.headers["ETag"]}
    assert client.get(address, headers=had).status_code == 304


def test_a_file_is_kept_in_the_form_that_the_browser_reads(client):
    small = client.get(STYLES, headers=OVER_HTTP)
    plain = client.get(STYLES)
    assert OPENED[small.headers["Content-Encoding"]](small.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert client.get(STYLES, headers={"Range": "bytes=0-9"}).data == plain.data[:10]


def test_the_files_of_components_are_known_before_the_first_request(dashboard_home):
    """Of two requests that come at once the second would else find none: a page without its styles."""
    app = create_app(Settings(home=dashboard_home, demo=False))
    assert {"components.head_scene", "components.average_view", "dash"} <= set(app.registered_paths)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what of a file is in memory")
def test_arrays_do_not_stay_in_memory_beyond_the_bound_and_are_read_again(client, dashboard_home, monkeypatch):
    atlas = open_atlas(dashboard_home / "atlases" / SLUG)
    projection = atlas.info.projections[0]
    file = (atlas.path / "self" / f"{projection.name}.npy").resolve()

    def in_memory():
        """Bytes of the map's file that this process has."""
        found = re.findall(rf"^\S+ .* {re.escape(str(file))}\n(?:\w+: .*\n)*?Rss: +(\d+) kB", SMAPS.read_text(), re.M)
        return 1024 * sum(map(int, found))

    def positions():
        return np.array(atlas.layout(projection)).tobytes()

    monkeypatch.setattr(memory, "MOST", 2**40)
    before = positions()
    client.get("/healthz")
    assert in_memory() >= len(before)
    monkeypatch.setattr(memory, "MOST", 0)
    client.get("/healthz")
    assert in_memory() == 0
    assert positions() == before


def test_tables_of_a_server_take_memory_that_goes_back():
    """However it is started: Arrow reads from the environment which pool to use, once, when it is imported."""
    code = "import app, pyarrow, sys; sys.exit(pyarrow.default_memory_pool().backend_name != 'system')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0
