"""Pages open whatever the URL says, callbacks survive whatever is posted, and the web process stays small."""

import json
import subprocess
import sys

import pytest

from components.job_banner import MEANWHILE, bar_words
from components.state.atlas_page import AtlasPage, Colouring, Picture, Search, Selection, View
from services.atlas import open_atlas
from services.attributes.norms import norm_ranges
from services.jobs.spec import Job
from tests.real_home import ROOT, SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


def test_an_empty_query_gives_the_default_state(atlas):
    state = AtlasPage.from_query({}, atlas)
    assert (state.view.method, state.view.dims, state.view.at_head) == ("umap", 2, False)
    assert state.selection == Selection()
    assert state.search == Search()
    assert state.dropped == ()


def test_a_whole_link_gives_its_state(atlas):
    query = {"method": "pca", "dims": "3", "colour": "position", "layer": "2", "head": "0", "token": "0", "q": "bank"}
    query |= {"mode": "regex", "case": "1", "palette": "original", "bynorm": "on"}
    state = AtlasPage.from_query(query, atlas)
    assert state.view == View(atlas=SLUG, stream="self", method="pca", dims=3, layer=2, head=0)
    assert state.colouring == Colouring(colour="position", palette="original")
    assert state.picture == Picture(bynorm=True)
    assert (state.selection.token, state.selection.input, state.selection.side) == (0, 0, "query")
    assert state.search == Search(query="bank", mode="regex", case=True)
    assert state.dropped == ()


@pytest.mark.parametrize(
    "query",
    [
        {"method": "isomap"},
        {"dims": "7"},
        {"dims": "2; drop"},
        {"colour": "<script>"},
        {"layer": "99", "head": "0"},
        {"layer": "-1", "head": "0"},
        {"layer": "1"},
        {"layer": "1e9", "head": "nan"},
        {"layer": "9" * 400, "head": "0"},
        {"token": "123456789"},
        {"token": "x"},
        {"stream": "cross"},
        {"mode": "magic", "q": "a"},
        {"q": "x" * 10_000},
        {"palette": "<script>"},
        {"bynorm": "huge"},
    ],
)
def test_a_foreign_parameter_is_dropped_with_a_sentence(atlas, query):
    state = AtlasPage.from_query(query, atlas)
    assert state.view.stream == "self"
    assert not state.view.at_head
    assert len(state.dropped) == 1


@pytest.mark.parametrize(
    "data",
    [None, 7, "x", [], True, {"dims": "many"}, {"layer": -4}, {"dims": 4}, {"tab": "none"}, {"palette": "plaid"},
     {"atlas": "x" * 65}, {"scale": "none"}, {"dims": 3, "layer": "x"}],
)  # fmt: skip
def test_a_view_that_is_none_becomes_the_default(data):
    assert View.from_store(data) == View()


@pytest.mark.parametrize("data", [None, 7, [], {"token": -1}, {"side": "both"}, {"input": "x", "side": "key"}])
def test_a_selection_that_is_none_becomes_the_default(data):
    assert Selection.from_store(data) == Selection()


@pytest.mark.parametrize("data", [None, "x", {"query": "q" * 999}, {"mode": "magic"}, {"query": 7}, {"case": "maybe"}])
def test_a_search_that_is_none_becomes_the_default(data):
    assert Search.from_store(data) == Search()


def test_a_good_store_is_read_as_it_is():
    view = {"dims": 3, "layer": 1, "head": 2, "tab": "align", "panel": False, "stranger": 1}
    assert View.from_store(view) == View(dims=3, layer=1, head=2, tab="align", panel=False)
    assert Selection.from_store({"token": 7, "side": "key"}) == Selection(token=7, side="key")
    assert Search.from_store({"query": "a", "case": True}) == Search(query="a", case=True)


def post(client, output, inputs, state=()):
    several = output.startswith("..")
    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in output.strip(".").split("...")
    ]
    body = {
        "output": output,
        "outputs": outputs if several else outputs[0],
        "inputs": [{"id": i, "property": p, "value": v} for i, p, v in inputs],
        "state": [{"id": i, "property": p, "value": v} for i, p, v in state],
        "changedPropIds": [f"{inputs[0][0]}.{inputs[0][1]}"],
    }
    return client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")


HOSTILE = [
    None, 5, [], "x", {"a": 1}, "x" * 100_000, {"colour": "pos", "palette": []}, {"colour": ["type"]},
    {"colour": "norm", "palette": "original"}, {"colour": "norm_common"}, {"layer": 1, "head": 0},
    {"layer": "1", "head": None}, {"layer": True, "head": 10**30}, {"layer": -1, "head": 0},
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:30])
def test_recolour_answers_whatever_is_posted(client, value):
    inputs = [("colouring", "data", value), ("theme", "data", value)]
    response = post(client, "scene.colour", inputs, [("view", "data", {"atlas": SLUG, "stream": "self"})])
    assert response.status_code == 200
    assert len(response.json["response"]["scene"]["colour"]["palette"]) == 256
    assert post(client, "scene.colour", inputs, [("view", "data", value)]).status_code in (200, 204)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:30])
def test_the_legend_answers_whatever_is_posted(client, value):
    for colouring in ({"colour": "norm"}, value):
        inputs = [("colouring", "data", colouring), ("theme", "data", value), ("scene", "head", value)]
        response = post(client, "legend.children", inputs, [("view", "data", {"atlas": SLUG, "stream": "self"})])
        assert response.status_code == 200
    assert post(client, "legend.children", inputs, [("view", "data", value)]).status_code in (200, 204)


def texts_of(component, name):
    """Texts of all components of a CSS class, in order."""
    if isinstance(component, dict):
        if component.get("className") == name:
            yield component["children"]
        for value in component.values():
            yield from texts_of(value, name)
    if isinstance(component, list):
        for value in component:
            yield from texts_of(value, name)


def test_the_legend_of_norms_has_the_numbers_of_the_open_head(client, atlas):
    def ends(colour, head):
        inputs = [("colouring", "data", {"colour": colour}), ("theme", "data", "light"), ("scene", "head", head)]
        answer = post(client, "legend.children", inputs, [("view", "data", {"atlas": SLUG, "stream": "self"})])
        return list(texts_of(answer.json["response"], "legend-end"))

    ranges = norm_ranges(atlas, atlas.stream("self"))
    low, high = ranges[1, 2]
    assert ends("norm", {"layer": 1, "head": 2})[:2] == [f"{low:.3g}", f"{high:.3g}"]
    assert ends("norm", None)[:2] == ["shortest", "longest"]
    assert ends("norm_common", None)[:2] == [f"{ranges.min():.3g}", f"{ranges.max():.3g}"]


@pytest.mark.parametrize("value", [None, 5, [], "x", {"atlas": "../../etc"}, {"atlas": SLUG, "stream": "none"}])
def test_the_tick_answers_whatever_is_posted(client, value):
    response = post(
        client,
        "..catalogue.data...method-select.options...dims-select.options..",
        [("jobs", "data", value), ("method-select", "value", value), ("scale-select", "value", value)],
        [("catalogue", "data", value), ("view", "data", value)],
    )
    assert response.status_code in (200, 204)


SERVE_EVERYTHING = """
import sys, json
from pathlib import Path
from app import create_app
from services.settings import Settings
from services.atlas import open_atlas
from services.payloads.scene import projection_key

home = Path(sys.argv[1])
app = create_app(Settings(home=home, demo=False))
client = app.server.test_client()
atlas = open_atlas(next(p for p in (home / "atlases").iterdir() if p.is_dir()))
base = f"/payload/{atlas.slug}/{atlas.info.key}"
paths = ["/", "/guide", "/glossary", "/_dash-layout", "/_dash-dependencies", "/healthz"]
paths += [f"{base}/order/self", f"{base}/attribute/self/position", f"{base}/offsets/tokens", f"{base}/tokens/tokens/0"]
paths += [f"{base}/search/tokens?q=a&mode=contains", f"{base}/input/self/0", f"{base}/attention/self/0/0/0"]
paths += [f"{base}/values/self/0/0/0", f"{base}/headattribute/self/norm_common/5/11"]
paths += [f"{base}/search/tokens?q=(a%2B)%2B$&mode=regex", f"{base}/found/self?q=NOUN&mode=pos"]
for p in atlas.info.projections:
    place = f"{p.name}-{projection_key(p)}"
    paths += [f"{base}/positions/self/{place}/0", f"{base}/sprite/self/{place}/type/dark.png"]
    paths += [f"{base}/concentration/self/{place}?q=the", f"{base}/sprite/self/{place}/norm/light.png?q=the"]
paths += [f"{base}/live/self/1/2/3/0.5-translated-cosine", f"{base}/agreement/self/1/2/pca/2/own", "/scaling"]
for path in paths:
    assert client.get(path).status_code == 200, path
assert client.get("/nowhere").status_code == 404
for pathname in ("/", "/scaling", "/guide", "/nowhere"):
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": pathname},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }
    answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, (pathname, answer.data[:300])
heavy = {"torch", "transformers", "sklearn", "umap", "numba", "scipy", "HanTa", "spacy"} & set(sys.modules)
# of this process alone: getrusage would count what the tests' own process had at the fork
status = open("/proc/self/status").readlines() if sys.platform == "linux" else ["VmHWM: 0"]
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps({"heavy": sorted(heavy), "rss_mb": peak / 1024}))
"""


def test_the_web_process_imports_no_torch_and_stays_below_300_mb(dashboard_home):
    done = subprocess.run(
        [sys.executable, "-c", SERVE_EVERYTHING, str(dashboard_home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["heavy"] == []
    if sys.platform == "linux":
        assert result["rss_mb"] < 300


def test_debug_is_off_under_wsgi(dashboard_home):
    code = "import wsgi; assert not wsgi.server.debug"
    env = {"ATLAS_HOME": str(dashboard_home), "ATLAS_DEMO": "false", "PATH": "/usr/bin:/bin"}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=False).returncode == 0


def test_while_a_build_goes_on_the_bar_says_that_what_is_there_can_be_looked_at():
    job = Job(id="build-1", kind="build", arguments={}, title="Build of some", subject="/home/some", state="running")
    job = job.changed(label="UMAP", done=1, total=4)
    says = [str(bar_words([job], atlases)[0]) for atlases in ({"some"}, {"other"})]
    assert all("UMAP · 25 %" in text for text in says)
    assert [MEANWHILE in text for text in says] == [True, False]
    assert MEANWHILE not in str(bar_words([job.changed(state="waiting")], {"some"})[0])
