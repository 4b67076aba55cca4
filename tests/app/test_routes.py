"""The payload routes answer what the services hold, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image

from app import create_app
from services.alignment import head_alignment
from services.atlas import open_atlas
from services.atlas.layouts import draw_order, outside
from services.attributes.registry import attribute_of, point_values
from services.measures.report import report_key
from services.payloads.scene import projection_key
from services.search import token_sets
from services.search.concentration import concentrations
from services.settings import Settings
from tests.patience import ends
from tests.real_home import HOSTILE, SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def base(atlas):
    return f"/payload/{SLUG}/{atlas.info.key}"


@pytest.mark.parametrize("frame", ["middle", "all"])
def test_positions_of_every_chunk_undo_to_the_layout(client, atlas, base, frame):
    """But for the points at the edge of their frame, which a frame of all does not have."""
    info = atlas.info.projection("umap2d", "self")
    layout = atlas.layout(info).reshape(72, -1, 2)
    points = layout.shape[1]
    path = f"{base}/positions/self/umap2d-{projection_key(info)}"
    chunks = [
        np.frombuffer(client.get(f"{path}/{c}?frame={frame}").data, "<u2").reshape(72, -1, 2)
        for c in range(-(-points // 1000))
    ]
    slots = (np.concatenate(chunks, axis=1) / 65535 - 0.5) * 2
    wanted = layout[:, draw_order(points)]
    for head in (0, 35, 71):
        held = ~outside(slots)[head]
        assert held.mean() > 0.9
        assert held.all() or frame == "middle"
        spread, seen = (np.linalg.norm(of[head, held] - of[head, held][0], axis=1) for of in (wanted, slots))
        assert np.allclose(seen / seen.max(), spread / spread.max(), atol=1e-4)


def test_points_of_some_heads_are_those_of_the_chunks(client, atlas, base):
    info = atlas.info.projection("umap2d", "self")
    path = f"self/umap2d-{projection_key(info)}"
    chunk = np.frombuffer(client.get(f"{base}/positions/{path}/0").data, "<u2").reshape(72, -1, 2)

    def some(address: str) -> np.ndarray:
        return np.frombuffer(client.get(f"{base}/points/{path}/{address}").data, "<u2")

    assert np.array_equal(some("0-71?most=7"), chunk[:, :7].ravel())
    # 0, 5 and 133 are 1, 5 and 128 after the one before; 128 takes two bytes.
    assert np.array_equal(some("70-71?slots=AQWAAQ"), chunk[70:, [0, 5, 133]].ravel())


def test_attention_route_gives_the_stored_weights(client, atlas, base):
    stream = atlas.info.streams[0]
    stored = atlas.attention(stream).block(3, 2, 5).astype(float)
    sent = np.frombuffer(client.get(f"{base}/attention/self/3/2/5").data, "<u2").reshape(stored.shape) / 65535
    assert np.abs(sent - stored).max() < 1e-5
    assert np.allclose(sent.sum(axis=1), 1, atol=2e-3)


def test_tokens_travel_as_data_and_search_finds_them(client, atlas, base):
    page = client.get(f"{base}/tokens/tokens/0").json
    assert "script" in page["text"]
    assert client.get(f"{base}/input/self/0").json["text"] == HOSTILE
    mask = client.get(f"{base}/search/tokens?q=BANK").data
    hits = np.flatnonzero(np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little"))
    assert [page["text"][row] for row in hits] == ["bank"] * len(hits)
    assert len(hits) >= 1


def test_payloads_are_immutable_and_typed(client, base):
    response = client.get(f"{base}/order/self")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.mimetype == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "/payload/none/0000000000000000/order/self",
        "/payload/..%2f..%2fetc/0000000000000000/order/self",
        "{base}/order/cross",
        "{base}/order/self/../../",
        "{base}/positions/self/umap2d-000000000000/0",
        "{base}/positions/self/umap9d-{key}/0",
        "{base}/positions/self/umap2d-{key}/999",
        "{base}/positions/self/umap2d-{key}/-1",
        "{base}/points/self/umap2d-{key}/0-72?most=5",
        "{base}/points/self/umap2d-{key}/5-4?most=5",
        "{base}/points/self/umap2d-{key}/0-4",
        "{base}/points/self/umap2d-{key}/0-4?most=-5",
        "{base}/points/self/umap2d-{key}/0-4?slots=",
        "{base}/points/self/umap2d-{key}/0-4?slots=AA",
        "{base}/points/self/umap2d-{key}/0-4?slots=gA",
        "{base}/points/self/umap2d-{key}/0-4?slots=A",
        "{base}/points/self/umap2d-{key}/0-4?slots=_____________w",
        "{base}/points/self/umap2d-{key}/0-4?slots=____fw",
        "{base}/attribute/self/none",
        "{base}/tokens/none/0",
        "{base}/tokens/tokens/999",
        "{base}/input/self/99999",
        "{base}/attention/self/0/99/0",
        "{base}/attention/self/0/0/99",
        "{base}/attention/self/99999/0/0",
        "{base}/sprite/self/umap2d-{key}/none/light.png",
        "{base}/sprite/self/umap2d-{key}/type/blue.png",
        "{base}/search/none?q=a",
        "{base}/found/none?q=a",
        "{base}/concentration/self/umap9d-{key}?q=a",
        "{base}/concentration/none/umap2d-{key}?q=a",
        "{base}/headattribute/self/none/0/0",
        "{base}/headattribute/self/type/0/0",
        "{base}/headattribute/self/norm/0/99",
        "{base}/headattribute/self/norm/99/0",
        "{base}/attribute/self/norm",
        "{base}/sprite/self/umap2d-{key}/type/light.png?palette=plaid",
    ],
)
def test_wrong_payload_addresses_answer_a_plain_404(client, atlas, base, path):
    key = projection_key(atlas.info.projection("umap2d", "self"))
    response = client.get(path.format(base=base, key=key))
    assert (response.status_code, response.mimetype) == (404, "text/plain")
    assert len(response.text.splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/payload",
        "/payload/",
        "/payload/none",
        "/payload/none/0000000000000000",
        "{base}",
        "{base}/",
        "{base}/nothing/at/all",
        "/export",
        "/export/none/0000000000000000/self/facts",
        "{export}",
        "{export}/0/0/tokens",
        "{export}/0/0/tokens.xml",
        "{export}/0/0/nothing/at.all",
        "{export}/0/x/tokens.csv",
        "{export}/../facts",
        "/assets/nothing.js",
        "/_dash-component-suites/nothing/at.js",
    ],
)
def test_what_is_no_page_answers_a_line_of_text(client, base, path):
    response = client.get(path.format(base=base, export=base.replace("payload", "export") + "/self"))
    assert (response.status_code, response.mimetype) == (404, "text/plain")
    assert len(response.text.splitlines()) == 1


def page_at(client, pathname: str) -> str:
    """What the page router shows at an address, as JSON."""
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": pathname},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/guide/more", "/Guide", "/scaling.html", "/not-found-404", "/%00", "/<b>", "/" + "x" * 5000]
)
def test_an_unknown_page_is_a_404_that_says_so(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert b"react-entry-point" in response.data
    assert "There is no such page" in page_at(client, path)
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("path", ["/", "/guide", "/guide/", "/glossary", "/scaling", "/?method=none&layer=99"])
def test_a_page_that_is_there_answers_200(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert b"react-entry-point" in response.data
    assert "There is no such page" not in page_at(client, path.split("?")[0])


def test_below_a_prefix_the_same_holds(tmp_path):
    client = create_app(Settings(home=tmp_path, demo=False, url_prefix="/maps/")).server.test_client()
    wanted = {"/maps/": 200, "/maps/guide": 200, "/maps/nowhere": 404, "/maps/payload/a": 404, "/guide": 404, "/": 404}
    assert {path: client.get(path).status_code for path in wanted} == wanted


def test_sprite_is_a_png_of_all_heads(client, atlas, base):
    key = projection_key(atlas.info.projection("pca2d", "self"))
    response = client.get(f"{base}/sprite/self/pca2d-{key}/type/light.png")
    image = Image.open(io.BytesIO(response.data))
    assert image.width / image.height == 12 / 6
    again = client.get(f"{base}/sprite/self/pca2d-{key}/type/light.png")
    assert again.data == response.data


def test_one_head_of_a_chunk_can_be_asked_for_alone(client, atlas, base):
    path = f"{base}/positions/self/umap2d-{projection_key(atlas.info.projection('umap2d', 'self'))}/0"
    whole = client.get(path).data
    part = client.get(path, headers={"Range": "bytes=4000-7999"})
    assert part.status_code == 206
    assert part.data == whole[4000:8000]


def test_frames_hold_the_middle_or_all_and_nothing_else(client, atlas, base):
    path = f"{base}/positions/self/umap2d-{projection_key(atlas.info.projection('umap2d', 'self'))}/0"
    answers = {
        frame: client.get(f"{path}?frame={frame}") for frame in ("middle", "all", "", "half", "middle&frame=all")
    }
    codes = {frame: answer.status_code for frame, answer in answers.items()}
    assert codes == {"middle": 200, "all": 200, "": 404, "half": 404, "middle&frame=all": 200}
    assert answers["middle"].data == client.get(path).data
    assert len(answers["all"].data) == len(answers["middle"].data)


def test_norms_of_one_head_are_bytes_that_a_range_can_cut(client, atlas, base):
    stream = atlas.stream("self")
    whole = client.get(f"{base}/headattribute/self/norm/2/3")
    values = np.frombuffer(whole.data, np.uint8)
    tokens = len(atlas.tokens())
    assert values.tolist() == point_values(atlas, stream, attribute_of("norm"), (2, 3)).tolist()
    assert values[:tokens].max() < 128 <= values[tokens:].min()
    part = client.get(f"{base}/headattribute/self/norm/2/3", headers={"Range": f"bytes={tokens}-{2 * tokens - 1}"})
    assert (part.status_code, part.data) == (206, whole.data[tokens:])


NONSENSE = [
    "",
    "%00",
    "x" * 10_000,
    "%28a%2B%29%2B%24",
    "%28%28%28",
    "%5B",
    "<script>alert(1)</script>",
    "%ED%A0%80",
    ",",
]


@pytest.mark.parametrize("mode", ["token", "word", "prefix", "contains", "regex", "pos", "", "magic", "%00"])
@pytest.mark.parametrize("query", NONSENSE, ids=range(len(NONSENSE)))
def test_any_search_answers_and_never_with_an_error_of_ours(client, atlas, base, query, mode):
    place = f"umap2d-{projection_key(atlas.info.projection('umap2d', 'self'))}"
    asked = f"q={query}&mode={mode}&case=x&q=again"
    for path in ("search/tokens", "found/self", f"concentration/self/{place}", f"sprite/self/{place}/type/light.png"):
        with ends():
            response = client.get(f"{base}/{path}?{asked}")
        assert response.status_code in (200, 400), path
        if response.status_code == 400:
            assert response.mimetype == "text/plain"
            assert response.text.endswith(".")
        assert len(response.data) < 20_000 or path.startswith("sprite")


def test_what_is_found_is_counted_and_errors_are_sentences(client, atlas, base):
    found = client.get(f"{base}/found/self?q=the,bank").json
    texts = atlas.tokens().text
    assert found["queries"] == found["keys"] == sum(text in ("the", "bank") for text in texts)
    assert client.get(f"{base}/found/self?q=(&mode=regex").json == {
        "error": "The regular expression fails at character 1 (“(”): a “(” is never closed."
    }


def test_concentration_is_that_of_the_layout(client, atlas, base):
    info = atlas.info.projection("umap2d", "self")
    values = client.get(f"{base}/concentration/self/umap2d-{projection_key(info)}?q=the").json["values"]
    hits = np.array([text == "the" for text in atlas.tokens().text])
    layout = np.asarray(atlas.layout(info)).reshape(72, -1, 2)
    assert values == [round(float(value), 2) for value in concentrations(layout, hits, hits)]
    assert max(values) > 1.5
    half = len(hits)
    definition = token_sets.write_ids([*range(10), *range(half + 5, half + 25)])
    values = client.get(f"{base}/concentration/self/umap2d-{projection_key(info)}?s={definition}").json["values"]
    queries, keys = np.arange(half) < 10, np.isin(np.arange(half), range(5, 25))
    assert values == [round(float(value), 2) for value in concentrations(layout, queries, keys)]
    assert client.get(f"{base}/concentration/self/umap2d-{projection_key(info)}?s=nonsense").status_code == 400
    too_few = client.get(f"{base}/concentration/self/umap2d-{projection_key(info)}?q=zzz").json["values"]
    assert too_few == [None] * 72


def test_a_sprite_lights_the_hits_of_a_search(client, atlas, base):
    path = f"{base}/sprite/self/pca2d-{projection_key(atlas.info.projection('pca2d', 'self'))}/type/light.png"

    def colours(query):
        image = Image.open(io.BytesIO(client.get(path + query).data)).convert("RGBA")
        return {f"#{bytes(colour[:3]).hex()}" for _, colour in image.getcolors(1 << 20) if colour[3]}

    assert colours("") == {"#1f6fb4", "#d9631e"}
    assert colours("?palette=original") == {"#5fb96c", "#e3378f"}
    assert colours("?q=the") == {"#1f6fb4", "#d9631e", "#b9c0ca"}
    assert colours("?q=zzz") == {"#b9c0ca"}


def test_health_answers(client):
    assert client.get("/healthz").status_code == 200


def test_the_report_of_all_heads_is_json_under_an_address_that_changes_with_it(client, atlas, base):
    stream = atlas.info.streams[0]
    response = client.get(f"{base}/heads/self/{report_key(atlas, stream)}")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.mimetype == "application/json"
    report = response.json
    assert set(report["maps"]) == {projection.name for projection in atlas.info.projections}
    stored = atlas.measures(stream).get("best_near", "umap2d").values.ravel()
    assert report["maps"]["umap2d"]["measures"]["best_near"] == pytest.approx(stored.tolist(), abs=1e-4)
    assert report["heads"]["measures"]["c"] == pytest.approx(
        [head_alignment(atlas, stream, n // 12, n % 12).c for n in range(72)], abs=1e-4
    )
    assert len(response.data) < 200_000
    for wrong in ("0" * 12, "x", "../heads"):
        assert client.get(f"{base}/heads/self/{wrong}").status_code == 404
