"""The routes and callbacks behind the page "Scaling" and the tab "Align", asked rightly and wrongly."""

import json

import numpy as np
import pytest

from components.state.atlas_page import AlignState, AtlasPage
from components.state.scaling_page import ScalingPage, ScalingState
from services.alignment.live import LiveAlignment, live_head, own_alignment
from services.alignment.scale_metrics import METRICS
from services.alignment.study import scales
from services.atlas import open_atlas
from services.atlas.layouts import draw_order
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def base(atlas):
    return f"/payload/{SLUG}/{atlas.info.key}"


@pytest.fixture(scope="module")
def dependencies(client):
    return {one["output"]: one for one in client.get("/_dash-dependencies").json}


def post(client, dependencies, part, values):
    """Post to the callback whose outputs contain `part`, as a browser (or anyone) would."""
    one = next(d for output, d in dependencies.items() if part in output and not d["clientside_function"])
    places = one["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), place.rsplit(".", 1), strict=True)) for place in places]

    def filled(kind):
        return [{**item, "value": values.get(item["id"])} for item in one[kind]]

    body = {
        "output": one["output"],
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": filled("inputs"),
        "state": filled("state"),
        "changedPropIds": [f"{one['inputs'][0]['id']}.{one['inputs'][0]['property']}"],
    }
    return client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")


def undo(content, dims, points):
    """Slot order and quantisation undone: up to size, the layout."""
    values = np.frombuffer(content, "<u2").reshape(points, dims) / 65535 - 0.5
    layout = np.empty((points, dims))
    layout[draw_order(points)] = values
    return layout


@pytest.mark.parametrize("dims", [2, 3])
def test_live_positions_are_the_pca_of_that_alignment(client, atlas, base, dims):
    stream = atlas.info.streams[0]
    alignment = LiveAlignment(0.4, True, "cosine")
    response = client.get(f"{base}/live/self/2/3/{dims}/{alignment.name}")
    assert "immutable" in response.headers["Cache-Control"]
    wanted = live_head(atlas, stream, 2, 3).pca(alignment, dims)
    found = undo(response.data, dims, len(wanted))
    far = [np.linalg.norm(one - one[0], axis=1) for one in (found, wanted)]
    assert np.allclose(far[0] / far[0].max(), far[1] / far[1].max(), atol=1e-3)


def test_agreement_tells_the_atlas_and_the_present_way_apart(client, atlas, base):
    own = client.get(f"{base}/agreement/self/2/3/pca/2/own").json
    lifted = client.get(f"{base}/agreement/self/2/3/pca/2/1-asis-lift").json
    stream = atlas.info.streams[0]
    assert own["alignment"] == own_alignment(atlas, stream, 2, 3).name
    assert lifted["aligned"]["query_spearman"] == pytest.approx(-1, abs=1e-6)
    assert -1 < own["aligned"]["query_spearman"] < 0
    waiting = client.get(f"{base}/agreement/self/2/3/umap/2/0.3-translated-euclidean").json
    assert waiting["pending"] is True


@pytest.mark.parametrize(
    "path",
    [
        "live/self/2/3/4/1-translated-euclidean",
        "live/self/2/3/2/1-translated-manhattan",
        "live/self/2/3/2/0-translated-euclidean",
        "live/self/2/3/2/nan-translated-euclidean",
        "live/self/2/99/2/1-translated-euclidean",
        "live/cross/0/0/2/1-translated-euclidean",
        "refined/self/2/3/umap/2/1-translated-euclidean",
        "refined/self/2/3/pca/2/1-translated-euclidean",
        "refined/self/2/3/..%2fumap/2/1-translated-euclidean",
        "agreement/self/2/3/none/2/own",
        "agreement/self/2/3/pca/9/own",
        "agreement/self/2/3/pca/2/else",
        "positions/self/pca_norms2d-000000000000/0",
        "positions/self/pca_none2d-000000000000/0",
        "positions/self/constants_pca_2_3_10000-000000000000/0",
        "positions/self/constants_pca_99_3_10000-000000000000/0",
        "positions/self/constants_umap_2_3_10000-000000000000/0",
    ],
)
def test_wrong_addresses_answer_404(client, base, path):
    response = client.get(f"{base}/{path}")
    assert response.status_code == 404
    assert len(response.text.splitlines()) == 1


STATE = {"atlas": SLUG, "stream": "self", "layer": 2, "head": 3, "metric": "pearson"}


def test_the_constants_are_drawn_from_pca_of_each(client, dependencies, atlas, base):
    answer = post(client, dependencies, "scaling-scene.projection", {"scaling-state": STATE, "tab-nonce": "a"})
    projection = answer.json["response"]["scaling-scene"]["projection"]
    chunk = client.get(f"{base}/positions/self/{projection['name']}-{projection['key']}/0").data
    points = sum(atlas.points(atlas.info.streams[0]))
    assert len(chunk) == 8 * min(points, 1000) * 2 * 2
    titles = post(client, dependencies, "scaling-scene.cellTitles", {"scaling-state": STATE}).json["response"]
    study = scales(atlas, atlas.info.streams[0])
    chosen = study["pearson"]["grid"][2, 3]
    named = [title for title in titles["scaling-scene"]["cellTitles"] if "chosen" in title]
    assert named == [f"c = {chosen:g} · chosen"]


def test_heatmaps_hold_the_study_and_figure_4_its_correlations(client, dependencies, atlas):
    answer = post(client, dependencies, "scaling-map-weighted.figure", {"scaling-state": STATE}).json["response"]
    study = scales(atlas, atlas.info.streams[0])
    for metric in METRICS:
        shown = np.array(answer[f"scaling-map-{metric}"]["figure"]["data"][0]["z"], float)
        assert np.allclose(10**shown, study[metric]["grid"], equal_nan=True)
    assert "scaled by this" in answer[f"scaling-in-use-{atlas.info.alignment.scale}"]["children"]
    table = post(client, dependencies, "scaling-density.figure", {"scaling-state": STATE}).json["response"]
    assert "Spearman" in json.dumps(table["scaling-density-table"])


HOSTILE = [
    5,
    "x",
    [],
    [1, 2],
    {"atlas": 7},
    {"atlas": "../../etc"},
    {"atlas": SLUG, "layer": "x"},
    {"atlas": SLUG, "layer": 10**9, "head": 10**9},
    {"atlas": SLUG, "stream": "cross", "metric": "none"},
    {"atlas": SLUG, "on": True, "c": 1e300, "space": "else"},
    {"atlas": SLUG, "layer": 2, "head": 3, "scale": "' or 1"},
]


@pytest.mark.parametrize("data", HOSTILE, ids=str)
def test_whatever_is_posted_gets_an_answer_and_no_traceback(client, dependencies, data):
    everything = dict.fromkeys(("scaling-state", "view", "align", "tab-nonce", "scale-select", "theme"), data)
    for part in ("scaling-map-weighted.figure", "scaling-scene.projection", "scaling-scene.cellTitles",
                 "scaling-curves.figure", "scaling-density.figure", "align-optima.tree", "align-refined.data",
                 "scale-note.children", "scaling-study-note.children", "scaling-scene.colour"):  # fmt: skip
        assert post(client, dependencies, part, everything).status_code in (200, 204), part


def test_links_are_read_and_what_is_wrong_is_dropped_with_a_sentence(atlas):
    page = ScalingPage.from_query(
        {"layer": "4", "head": "11", "metric": "norms", "values": "best", "method": "umap", "pairs": "all"}, atlas
    )
    state = page.scaling
    assert (state.layer, state.head, state.metric, state.values, page.dropped) == (4, 11, "norms", "best", ())
    wrong = {"layer": "99", "head": "-1", "metric": "<b>", "values": "", "distance": "x" * 500, "stream": "none"}
    page = ScalingPage.from_query(wrong, atlas)
    assert page.scaling == ScalingState(atlas=SLUG, stream="self")
    assert len(page.dropped) == len(wrong)
    aligned = AtlasPage.from_query({"align": "0.5-translated-cosine"}, atlas)
    assert aligned.alignment == AlignState(on=True, c=0.5, space="cosine")
    page = AtlasPage.from_query({"align": "<script>"}, atlas)
    own = own_alignment(atlas, atlas.info.streams[0], 0, 0)
    assert page.alignment == AlignState(on=False, c=own.c, space=own.space)
    assert len(page.dropped) == 1
