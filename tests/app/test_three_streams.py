"""Every address below payload and export answers for each stream of an atlas of three, and the pages open on each."""

import numpy as np
import pytest

from app import create_app
from components.state.atlas_page import AtlasPage
from services.atlas import open_atlas
from services.settings import Settings
from tests.golden.addresses import addresses

STREAMS = ("self", "local", "cross")
PLENTY = 100  # addresses a stream, at least


@pytest.fixture(scope="module")
def server(three_streams_home):
    return create_app(Settings(home=three_streams_home, demo=False)).server


@pytest.fixture(scope="module")
def client(server):
    return server.test_client()


@pytest.fixture(scope="module")
def atlas(three_streams_home):
    return open_atlas(three_streams_home / "atlases" / "three")


@pytest.mark.parametrize("stream", STREAMS)
def test_every_address_answers(server, client, atlas, three_streams_home, stream):
    with server.app_context():
        asked = [one for one in addresses(three_streams_home, "three") if f"/{stream}" in one.path]
    assert len(asked) > PLENTY
    answers = {one.name: client.get(one.path) for one in asked}
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert {name: status for name, status in statuses.items() if status not in (200, 400, 404)} == {}
    # Some addresses are of what is not there, and say so in one line; each kind of them has what is.
    kinds: dict[str, list[int]] = {}
    for one in asked:
        route = one.path.split("?")[0].split(f"/{atlas.info.key}/")[1]
        kind = route.split("/")[-1] if one.path.startswith("/export") else route.split("/")[0]
        kinds.setdefault(kind, []).append(statuses[one.name])
    # A figure is of a map alone; nobody has asked for a refined layout, typed a text or had the heads compared.
    never = {
        "tokens.html",
        "attention.html",
        "measures.html",
        "kind.html",
        "refined",
        "probe",
        "offset",
    }  # the last is of images
    never |= {"headmap", "change", "thumbnails"}  # the last is of very many heads
    never |= {"rollout"} if stream == "cross" else set()
    assert {kind for kind, found in kinds.items() if 200 not in found} == never
    assert {"positions", "attention", "average", "pair", "sprite", "attention.csv", "tokens.parquet"} <= set(kinds)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_attention_of_an_input_is_a_block_of_its_own_tokens(client, atlas, stream):
    found = atlas.stream(stream)
    base = f"/payload/three/{atlas.info.key}"
    sides = client.get(f"{base}/input/{stream}/1").json
    raw = np.frombuffer(client.get(f"{base}/attention/{stream}/1/1/2").data, "<u2")
    shape = len(sides["queries"]["tokens"]), len(sides["keys"]["tokens"])
    assert raw.size == shape[0] * shape[1]
    assert (raw.reshape(shape) > 0).sum() <= sides["pairs"] == atlas.attention(found).visible(1).sum()
    np.testing.assert_allclose(raw.reshape(shape).sum(axis=1) / 65535, 1, atol=2e-3)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_link_to_a_stream_is_its_state(atlas, stream):
    query = {"stream": stream, "method": "tsne", "dims": "3", "layer": "1", "head": "3", "token": "4", "side": "key"}
    state = AtlasPage.from_query(query, atlas)
    assert state.dropped == ()
    assert (state.view.stream, state.view.method, state.view.dims, state.view.head) == (stream, "tsne", 3, 3)
    assert state.selection.input == int(atlas.tokens(atlas.stream(stream).key_table).input[4])


def test_without_a_stream_the_first_is_shown(atlas):
    assert AtlasPage.from_query({}, atlas).view.stream == "self"
