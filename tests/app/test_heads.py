"""The page Heads without a browser: its addresses, its state, bad input, and the job that compares heads."""

import json

import pytest
from flask.testing import FlaskClient

from app import create_app
from components.heads_view import likes_address
from components.state.heads_page import HeadsPage
from services.atlas import open_atlas
from services.measures import head_map, registry
from services.measures.report import report_key
from services.settings import Settings
from tests.app.test_bad_input import navigate


@pytest.fixture(scope="module")
def home(dashboard_home):
    return Settings(home=dashboard_home, demo=False)


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(next((dashboard_home / "atlases").iterdir()))


@pytest.fixture(scope="module")
def base(atlas):
    return f"/payload/{atlas.slug}/{atlas.info.key}"


def ask(client: FlaskClient, url: str, status: int = 200):
    answer = client.get(url)
    assert answer.status_code == status, (url, answer.text[:200])
    return answer.json if status == 200 else answer.text


def test_every_measure_of_the_registry_that_was_measured_is_served_in_its_group(client, atlas, base):
    stream = atlas.info.default_stream
    version = report_key(atlas, stream)
    found = ask(client, f"{base}/finder/self/{version}/pca2d")
    of_heads = [m.name for m in registry.of_space(None, "text") if atlas.measures(stream).has(m.name)]
    assert of_heads
    assert set(of_heads) <= set(found["values"])
    for measure in found["measures"]:
        assert measure["group"] == registry.find(measure["name"]).group
        assert len(found["values"][measure["name"]]) == stream.layers * stream.heads
    assert "best_near" not in ask(client, f"{base}/finder/self/{version}")["values"]
    ask(client, f"{base}/finder/self/0123456789ab", 404)
    ask(client, f"{base}/finder/self/{version}/umap9d", 404)


def test_the_map_of_heads_is_served_once_it_has_been_made(home, atlas, base, client):
    stream = atlas.info.default_stream
    address = f"{base}/headmap/self/{report_key(atlas, stream)}"
    file = head_map.file_of(atlas, stream, home.head_maps)
    file.unlink(missing_ok=True)
    ask(client, f"{address}/8", 404)
    head_map.write(file, head_map.make(atlas, stream))
    for families in (2, 8, 12, 99, 0):
        found = ask(client, f"{address}/{families}")
        count = max(found["family"]) + 1
        assert count == min(max(families, 2), found["most"]) == len(found["names"]) == len(found["reasons"])
    assert all(found["names"])
    ask(client, f"{address}/8?by=weights", 404)
    made = head_map.read(file)
    head_map.write(head_map.file_of(atlas, stream, home.head_maps, head_map.WEIGHTS), made)
    assert ask(client, f"{address}/8?by=weights") == ask(client, f"{address}/8")
    ask(client, f"{address}/8?by=nothing", 404)
    head_map.file_of(atlas, stream, home.head_maps, head_map.WEIGHTS).unlink()


def test_heads_like_one_come_with_what_they_were_compared_over(client, atlas, base):
    found = ask(client, f"{base}/alike/self/3/4")
    assert found["divergence"][3 * 12 + 4] < 1e-4
    assert found["rows"] > 10
    assert ask(client, f"{base}/alike/self/3/4?in={atlas.slug}")["divergence"] == found["divergence"]
    ask(client, f"{base}/alike/self/3/99", 404)
    ask(client, f"{base}/alike/self/3/4?in=nowhere", 404)
    ask(client, f"{base}/alike/self/3/4?in=../x", 404)


def test_a_head_has_a_picture_of_its_own(client, atlas, base):
    from services.payloads.scene import projection_key

    chosen = atlas.info.projection("pca2d", "self")
    address = f"{base}/headpicture/self/pca2d-{projection_key(chosen)}"
    one, other = (client.get(f"{address}/0/{head}/light.png") for head in (1, 2))
    assert one.mimetype == "image/png"
    assert one.data[:4] == b"\x89PNG"
    assert one.data != other.data
    ask(client, f"{address}/0/1/pink.png", 404)
    ask(client, f"{address}/0/12/light.png", 404)


def read(atlas, /, **query):
    return HeadsPage.from_query(query, atlas)


def test_a_link_to_a_state_is_read_back(atlas):
    query = {
        "q": "previous > 0.5",
        "by": "measures",
        "x": "layer",
        "order": "-entropy",
        "like": "3.4",
        "heads": "0.1-0.3",
    }
    page = read(atlas, **query, families="5", colour="unlike", map="pca2d", **{"in": "other-atlas"})
    assert page.dropped == ()
    state = page.heads
    assert (state.by, state.x, state.order, state.families) == ("measures", "layer", "-entropy", 5)
    assert (state.like, state.other, state.set, state.map) == ("3.4", "other-atlas", "0.1-0.3", "pca2d")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"x": "nothing"}, "x='nothing' is nothing that is known of heads"),
        ({"order": "--layer"}, "using layer"),
        ({"like": "9.99"}, "There is no head"),
        ({"like": "<b>"}, "There is no head"),
        ({"heads": "7.0"}, "there are 6 layers of 12"),
        ({"families": "99"}, "families"),
        ({"map": "map9d"}, "not in this atlas"),
        ({"q": "x" * 500}, "400 characters"),
        ({"in": "../etc"}, "no atlas"),
        ({"atlas": "nowhere"}, "no readable atlas"),
    ],
)
def test_a_bad_part_of_a_link_is_dropped_with_a_sentence(atlas, query, says):
    page = read(atlas, **query)
    assert any(says in sentence for sentence in page.dropped), page.dropped


def test_heads_like_this_one_is_a_link_from_every_head(atlas):
    link = likes_address("/", atlas, atlas.info.default_stream, 3, 4)
    assert link.startswith("/heads?")
    assert "like=3.4" in link


def test_without_an_atlas_the_page_says_so(tmp_path):
    app = create_app(Settings(home=tmp_path, demo=False))
    from pages.heads import layout

    with app.server.test_request_context():
        assert "There is no atlas yet" in json.dumps(
            layout().to_plotly_json(), default=lambda one: one.to_plotly_json()
        )


def test_the_job_writes_the_map_and_whoever_asks_again_finds_it(home, atlas, tmp_path):
    from types import SimpleNamespace

    from services.jobs import likeness

    told = []
    running = SimpleNamespace(report=lambda *words: told.append(words), check=lambda: None)
    out = tmp_path / "heads.npz"
    arguments = likeness.LikenessArguments(atlas=str(atlas.path), stream="self", out=str(out))
    likeness.compare_heads(arguments, running)
    assert head_map.read(out).places.shape == (72, 2)
    assert told[-1] == ("Comparing heads", 72, 72)
    before = len(told)
    likeness.compare_heads(arguments, running)
    assert len(told) == before


def test_a_link_opens_the_table_from_kind_to_kind_at_its_cell(client):
    def page(search: str) -> str:
        return json.dumps(navigate(client, search).json, ensure_ascii=False)

    found = page("?layer=1&head=2&tab=head&kinds=kind&cell=word%3Especial")
    assert "word → special: " in found
    assert "of a query's attention" in found
    assert "Light up its strongest pairs" in found
    without = page("?layer=1&head=2&tab=head&kinds=kind")
    assert "word → special: " in without
    assert "Light up its strongest pairs" not in without
    assert "word → special: " not in page("?layer=1&head=2&tab=head")
