"""A model in which only some layers attend: wherever a layer is named, it is as the model counts it."""

import io

import pyarrow.parquet as pq
import pytest
from building import request_for, write_corpus

from app import create_app
from components.catalogue import cell_notes, scene_payload, stream_options
from components.compare_view import compare_address
from components.layers import layer_numbers, layer_options, shares_with, sharing_words, size_words
from components.state.atlas_page import View
from components.state.compare_page import ComparePage
from components.state.link import Link
from services.atlas import open_atlas
from services.atlas.library import Library
from services.capture.adapters import seat
from services.measures import change
from services.payloads import compare as payload
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.settings import Settings
from tests.unit.architectures import save

HYBRID, SIZES = "hybrid", "sizes"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("hybrids")
    corpus = write_corpus(home / "corpus.txt")
    for slug, name in ((HYBRID, "qwen3_next"), (SIZES, "gemma4_text")):
        model = save(home / "models" / slug, name)
        build(request_for(model, corpus, dims=(2,)), home / "atlases" / slug, Progress(slug, bar=False))
    return home


@pytest.fixture(scope="module")
def client(home):
    return create_app(Settings(home=home, demo=False)).server.test_client()


@pytest.fixture(scope="module")
def atlas(home):
    return open_atlas(home / "atlases" / HYBRID)


def test_the_atlas_knows_the_numbers_of_its_layers(atlas):
    stream = atlas.info.default_stream
    assert (stream.layer_numbers, stream.model_layers, stream.gaps) == ((3, 7), 8, [(0, 0, 2), (1, 4, 6)])
    assert [stream.row(number) for number in (3, 7, 0, 1, 8, None)] == [0, 1, None, None, None, None]
    assert stream.head_name(1, 2) == "L7 H2"


def test_layers_without_attention_are_named_between_the_others(atlas, home):
    texts = [gap["text"] for gap in scene_payload(atlas, atlas.info.default_stream, "/")["gaps"]]
    assert texts == ["Layers 0–2: no attention here", "Layers 4–6: no attention here"]
    other = open_atlas(home / "atlases" / SIZES)
    texts = [gap["text"] for gap in scene_payload(other, other.info.default_stream, "/")["gaps"]]
    assert texts == ["Layer 1: in another stream", "Layer 3: in another stream"]
    assert [one["label"] for one in stream_options(other)] == [
        "Self-attention · heads of 8, layers 0, 2",
        "Self-attention · heads of 16, layers 1, 3",
    ]


def test_notes_of_heads_are_found_by_the_models_numbers(atlas):
    assert cell_notes(["L7 head 2: all vectors are equal"], atlas.info.default_stream) == {
        "1-2": "all vectors are equal"
    }


def test_files_name_and_hold_the_models_numbers(client, atlas):
    base = f"/export/{HYBRID}/{atlas.info.key}/self"
    answer = client.get(f"{base}/7/2/tokens.csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{HYBRID}_L7H2_tokens.csv"'
    assert client.get(f"{base}/1/2/tokens.csv").status_code == 404
    assert client.get(f"{base}/0/0/attention.csv").status_code == 404
    table = pq.read_table(io.BytesIO(client.get(f"{base}/measures.parquet").data))
    assert sorted(set(table["layer"].to_pylist())) == [3, 7]
    assert client.get(f"{base}/facts?layer=7&head=1").json["title"].startswith("L7 H1 · ")


def test_pages_tell_their_scripts_and_their_readers(atlas):
    stream = atlas.info.default_stream
    assert layer_numbers(stream).to_plotly_json()["props"]["data-numbers"] == "[3, 7]"
    assert layer_options(stream, "L") == [{"label": "L3", "value": "0"}, {"label": "L7", "value": "1"}]
    assert size_words(stream) == "2 × 4 heads (layers 3, 7 of 8)"
    assert sharing_words(stream) == "heads between two lines share their keys"
    assert sharing_words(stream.model_copy(update={"key_heads": 1})) == "all heads share their keys"
    assert shares_with(stream, 0) == "Its keys are also those of H1."
    assert shares_with(stream, 3) == "Its keys are also those of H2."
    nine = stream.model_copy(update={"heads": 9, "key_heads": 3})
    assert shares_with(nine, 4) == "Its keys are also those of H3 and H5."
    assert sharing_words(stream.model_copy(update={"key_heads": 4})) == ""


@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ({"layer": "7", "head": "1"}, (1, 1), ""),
        ({"layer": "3", "head": "0"}, (0, 0), ""),
        ({"layer": "1", "head": "0"}, (None, None), "layers with attention are 3, 7"),
        ({"layer": "0", "head": "0"}, (None, None), "There is no head with layer='0'"),
    ],
)
def test_links_are_read_by_the_models_numbers(query, place, said, atlas):
    link = Link(query, ("layer", "head"))
    link.atlas = atlas
    view = View.read(link)
    assert (view.layer, view.head) == place
    assert said in " ".join(link.dropped)


def test_a_recording_knows_layers_of_several_sizes_by_their_place_among_all(home):
    small, large = open_atlas(home / "atlases" / SIZES).info.streams
    assert [seat(small, (small, large), row) for row in (0, 1)] == [("self", 0), ("self", 2)]
    assert [seat(large, (small, large), row) for row in (0, 1)] == [("self", 1), ("self", 3)]
    (hybrid,) = open_atlas(home / "atlases" / HYBRID).info.streams
    assert seat(hybrid, (hybrid,), 1) == ("self", 1)


def compared(home, **query):
    page = ComparePage.open({"atlas": HYBRID, "with": HYBRID, **query}, Library(home / "atlases"))
    assert page is not None
    return page[1]


def test_a_comparison_names_layers_by_the_models_numbers(client, atlas, home):
    found = compared(home, layer="3", head="1", layer2="7", head2="2")
    state = found.compare
    assert (state.layer, state.head, state.layer2, state.head2) == (0, 1, 1, 2)
    assert (state.numbers, state.numbers2, found.dropped) == ((3, 7), (3, 7), ())
    assert compared(home, layer="7").compare.layer2 == 1  # of the other pane, if it is not said, the same layer
    near = compared(home, layer="5", head="1")
    assert (near.compare.layer, near.dropped) == (0, ("layer '5' has none of this attention; showing 3.",))
    with client.application.app_context():
        address = compare_address("/", atlas, atlas.info.default_stream, (1, 2))
    assert address == "/compare?atlas=hybrid&stream=self&layer=7&head=2"


def test_a_layer_of_another_model_that_the_second_lacks_is_the_nearest(home):
    state = compared(home, layer="7", **{"with": SIZES}).compare
    assert state.numbers2[state.layer2] == 2  # of 0 and 2, heads of 8


def test_heads_of_other_layers_are_never_the_same_head(home):
    other = open_atlas(home / "atlases" / SIZES)
    small, large = other.info.streams
    found = change.make((other, small, other, large))
    assert found.change is None
    assert found.best is not None
    told = payload.changes(found, small, large)
    assert [one["numbers"] for one in told["shapes"]] == [[0, 2], [1, 3]]
    itself = change.make((other, small, other, small))
    assert itself.change is not None
    assert itself.change.max() == 0


def test_atlases_cut_into_other_tokens_are_answered_with_a_sentence(client, atlas, home):
    other = open_atlas(home / "atlases" / SIZES)
    where = f"/payload/{HYBRID}/{atlas.info.key}/shared/self/{SIZES}/{other.info.key}/{other.info.default_stream.name}"
    answer = client.get(where)
    assert answer.status_code == 200
    assert "none that both models cut into the same tokens" in answer.json["why"]
