"""The page Compare without a browser: its addresses, its state, bad input, and an atlas that goes while it is open."""

import io
import shutil

import pyarrow.csv as pacsv
import pytest

from app import create_app
from components.compare_view import compare_address, offer
from components.state.compare_page import ComparePage
from components.state.links import address
from services.atlas import open_atlas
from services.measures import change
from services.payloads.scene import projection_key
from services.settings import Settings
from tests.unit.changed_atlas import changed_copy


@pytest.fixture(scope="module")
def home(dashboard_home, tmp_path_factory):
    """A home of its own with two atlases of the same inputs, one of which has its heads in another order."""
    folder = tmp_path_factory.mktemp("compare")
    source = next((dashboard_home / "atlases").iterdir())
    first = shutil.copytree(source, folder / "atlases" / "one")
    changed_copy(first, folder / "atlases" / "two", title="Two")
    return folder


@pytest.fixture(scope="module")
def app(home):
    return create_app(Settings(home=home, demo=False))


@pytest.fixture(scope="module")
def client(app):
    return app.server.test_client()


@pytest.fixture(scope="module")
def one(home):
    return open_atlas(home / "atlases" / "one")


@pytest.fixture(scope="module")
def two(home):
    return open_atlas(home / "atlases" / "two")


def pair(one, two, place="1/3", other="1/3", name="pca2d"):
    def head(atlas, at):
        chosen = atlas.info.projection(name, "self")
        return f"self/{at}/{name}-{projection_key(chosen)}"

    return f"{head(one, place)}/two/{two.info.key}/{head(two, other)}"


def ask(client, url: str, status: int = 200):
    answer = client.get(url)
    assert answer.status_code == status, (url, answer.text[:200])
    return answer


def test_what_both_share_and_how_their_maps_fit(client, one, two):
    base = f"/payload/one/{one.info.key}"
    shared = ask(client, f"{base}/shared/self/two/{two.info.key}/self").json
    assert shared["inputs"] is None
    assert shared["count"] == len(one.inputs)
    assert ask(client, f"{base}/fit/{pair(one, two)}").json["disparity"] < 1e-9
    assert ask(client, f"{base}/fit/{pair(one, two, other='4/2')}").json["disparity"] > 0.01
    mine = ask(client, f"{base}/beside/first/{pair(one, two)}?frame=all").data
    its = pair(two, one).replace("/two/", "/one/").replace(two.info.key, one.info.key)
    assert ask(client, f"/payload/two/{two.info.key}/beside/second/{its}?frame=all").data == mine


def test_differences_as_a_table_a_file_and_colours(client, one, two):
    base, other = f"/payload/one/{one.info.key}", pair(one, two, other="4/2")
    ranked = ask(client, f"{base}/difference/attended/{other}").json
    assert ranked["rows"][0]["attended"] >= ranked["rows"][-1]["attended"] > 0
    answer = ask(client, f"{base}/differences.csv/{other}")
    assert 'filename="one-L1H3_two-L4H2.csv"' in answer.headers["Content-Disposition"]
    assert pacsv.read_csv(io.BytesIO(answer.data)).num_rows == sum(one.points(one.info.default_stream))
    colour = ask(client, f"{base}/differing/first/moved/{other}/light/safe").json
    assert len(colour["palette"]) == 256
    values = ask(client, f"{base}/{colour['path']}").data
    assert len(values) == sum(one.points(one.info.default_stream))
    nothing = pair(one, two).replace(pair(one, two).split("/")[3], "none", 1)
    assert "no map in common" in ask(client, f"{base}/difference/moved/{nothing}", 404).text
    assert ask(client, f"{base}/difference/attended/{nothing}").json["rows"][0]["moved"] is None


@pytest.mark.parametrize(
    "route",
    ["fit/{pair}x", "difference/neither/{pair}", "beside/third/{pair}", "differing/first/neither/{pair}/light/safe",
     "differing/first/moved/{pair}/pink/safe", "colour/self/nothing/light/safe", "shared/self/../0/self",
     "fit/{far}"],
)  # fmt: skip
def test_an_address_of_nothing_is_a_404(client, one, two, route):
    far = pair(one, two, other="1/99")
    ask(client, f"/payload/one/{one.info.key}/{route.format(pair=pair(one, two), far=far)}", 404)


def test_all_heads_are_served_once_they_have_been_compared(app, client, home, one, two):
    url = f"/payload/one/{one.info.key}/change/self/two/{two.info.key}/self"
    ask(client, url, 404)
    stream = one.info.default_stream
    streams = (one, stream, two, two.info.default_stream)
    change.write(change.file_of(streams, Settings(home=home, demo=False).head_maps), change.make(streams))
    found = ask(client, url).json
    assert max(found["change"]) == 0
    assert found["best"] == found["taken"] == list(range(stream.layers * stream.heads))


def test_what_cannot_be_compared_is_said_before_a_job_is_asked_for(app, home):
    from pages.compare import compare_all

    state = {"atlas": "one", "stream": "self", "other": "nowhere", "stream2": "self"}
    with app.server.test_request_context():
        answer, _ = compare_all(None, True, state, "tab")
        assert answer == {"state": "none", "says": "One of the atlases is no longer there."}
        assert compare_all(None, None, state, "tab")[1] == 0
        found, again = compare_all(None, True, state | {"other": "two"}, "tab")
        assert found["state"] == "ready"  # the test before has made them
        assert again == 0


def test_a_pane_is_told_of_another_atlas(client, two):
    answer = ask(client, f"/payload/two/{two.info.key}/pane/self")
    assert answer.json["payload"]["base"] == f"/payload/two/{two.info.key}"
    assert answer.json["title"] == "Two"
    assert "pca2d" in answer.json["maps"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_atlas_that_goes_while_the_page_is_open_is_said(client, home, one, two):
    url = f"/payload/one/{one.info.key}/shared/self/two/{two.info.key}/self"
    ask(client, url)
    gone = shutil.move(home / "atlases" / "two", home / "two")
    try:
        assert "deleted or built anew" in ask(client, url, 404).text
    finally:
        shutil.move(gone, home / "atlases" / "two")


def opened(app, **query):
    from components.server.context import context

    with app.server.app_context():
        return ComparePage.open(query, context().library)[1]


def test_a_link_is_read_back_and_one_without_a_second_atlas_finds_it(app, one):
    page = opened(
        app, atlas="one", layer="2", head="5", **{"with": "two"}, layer2="3", head2="1", token="b12k", at="0_0_2"
    )
    assert page.dropped == ()
    state = page.compare
    assert (state.layer, state.head, state.other, state.layer2, state.head2) == (2, 5, "two", 3, 1)
    assert (state.token, state.at, state.fit) == ("b12k", "0_0_2", True)
    assert opened(app, atlas="one", layer="2", head="5").compare.other == "two"
    itself = opened(app, atlas="one", layer="2", head="11", **{"with": "one"}).compare
    assert (itself.layer2, itself.head2) == (2, 0)  # a head is no news to itself
    with app.server.app_context():
        assert (
            compare_address("/", one, one.info.default_stream, (2, 5))
            == "/compare?atlas=one&stream=self&layer=2&head=5"
        )
    with pytest.raises(ValueError, match="no parameter"):
        address("/", ComparePage, {"nothing": "1"})


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"with": "nowhere"}, "There is no readable atlas 'nowhere' to compare with; showing Two."),
        ({"layer": "99"}, "There is no layer '99'"),
        ({"layer2": "-1"}, "There is no layer2 '-1'"),
        ({"head2": "x"}, "There is no head2 'x'"),
        ({"map": "map9d"}, "not in this atlas"),
        ({"colour": "pink"}, "not in this atlas"),
        ({"token": "c1q"}, "There is no token 'c1q'"),
        ({"token": "a999999q"}, "There is no token"),
        ({"at": "here"}, "no viewpoint"),
        ({"fit": "maybe"}, "fit='maybe'"),
        ({"q": "x" * 500}, "200 characters"),
        ({"order": "size"}, "nothing that can be shown"),
    ],
)
def test_a_bad_part_of_a_link_is_dropped_with_a_sentence(app, query, says):
    page = opened(app, atlas="one", **query)
    assert any(says in sentence for sentence in page.dropped), page.dropped


def test_the_library_offers_a_comparison_or_says_why_not(app, home):
    with app.server.test_request_context():
        link, note = offer("one", "two")
        assert link.href.startswith("/compare?atlas=one")
        assert "inputs shared" in note.children
        assert offer("one", "nowhere") == "One of these atlases is no longer there."
        assert offer("one", None) == ""
    changed_copy(
        home / "atlases" / "one", home / "atlases" / "three", title="Three", inputs=lambda t: [f"x {i}" for i in t]
    )
    try:
        with app.server.test_request_context():
            assert offer("one", "three").startswith("Three shares no input with")
    finally:
        shutil.rmtree(home / "atlases" / "three")


def test_without_an_atlas_the_page_says_so(tmp_path):
    from pages.compare import layout

    with create_app(Settings(home=tmp_path, demo=False)).server.test_request_context():
        assert "There is no atlas yet" in str(layout().to_plotly_json())
