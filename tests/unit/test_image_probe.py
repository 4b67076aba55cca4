"""An image as a probe: seen as an image of the corpus is, placed on its own points, refused in one sentence."""

import io
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from services.atlas import open_atlas
from services.atlas.layouts import head_frames
from services.errors import ProbeError
from services.modalities.registry import modality_named
from services.payloads import images
from services.probe import brought, kept, payload
from services.probe.asked import Asked, check_asked, image_text
from services.probe.models import WarmModels
from services.probe.pair import explain
from services.probe.placed import place_probe
from services.probe.question import PairQuestion, SwitchQuestion, WeightsQuestion
from services.probe.seen import check_same, image_of, look
from services.probe.switched import switch
from services.probe.weights import by_weights, projections
from tests.image_home import SLUG, TOKENS

NAME = "cat.webp"


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def atlas(image_home):
    return open_atlas(image_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def loaded(atlas, tmp_path_factory):
    return WarmModels().of(atlas, tmp_path_factory.mktemp("models"), quiet)


@pytest.fixture(scope="module")
def probes(tmp_path_factory):
    return tmp_path_factory.mktemp("probes")


def bring(probes, digit, name, content):
    """Keep an image as an upload does."""
    id = digit * 32
    place = probes / brought.FOLDER / id / "images"
    place.mkdir(parents=True)
    (place / name).write_bytes(content)
    return Asked(image_text(id, name))


@pytest.fixture(scope="module")
def probe(atlas, loaded, probes, image_home):
    asked = bring(probes, "a", NAME, (image_home / "pictures" / NAME).read_bytes())
    assert check_asked(asked, "image", 128) == asked
    look(atlas, loaded, asked, probes, 128, quiet)
    return kept.find(probes, atlas, asked.id(atlas))


def test_an_image_of_the_corpus_is_seen_as_it_was(atlas, probe):
    index, stream = atlas.inputs.columns["file"].index(NAME), atlas.info.default_stream
    assert probe.image == images.image_facts(atlas, index)
    np.testing.assert_array_equal(probe.pixels(), images.pixels(atlas, index))
    assert payload.image(probe) == images.image_png(atlas, index)
    weights = probe.array(stream, "attention") / kept.UNIT
    for layer in range(stream.layers):
        stored = atlas.attention(stream).of_layer(index, layer).astype(np.float64)
        assert (np.abs(weights[layer] - stored) <= 1e-4 + stored * 2**-10).all()
    shape = (stream.layers, stream.heads, TOKENS)
    for side in ("query", "key"):
        own, corpus = (
            np.frombuffer(found, "<u2").reshape(shape).astype(int)
            for found in (payload.of_token(probe, stream, 40, side), images.of_token(atlas, stream, index, 40, side))
        )
        assert np.abs(own - corpus).max() < 70
    own, corpus = (
        np.frombuffer(found, "<u2").astype(int)
        for found in (payload.rolled_out(probe, stream, 5), images.rolled_out(atlas, stream, index, 5))
    )
    assert np.abs(own - corpus).max() < 70
    assert payload.sides(probe, stream)["image"]["name"] == NAME


def test_its_patches_lie_on_their_own_points(atlas, probe):
    index, stream = atlas.inputs.columns["file"].index(NAME), atlas.info.default_stream
    projection = atlas.info.projection("pca2d", stream.name)
    place_probe(probe, projection, quiet)
    rows, queries = atlas.tokens().rows(index), atlas.points(stream)[0]
    own = atlas.layout(projection)[:, :, np.r_[rows, queries + rows.start : queries + rows.stop]]
    side = head_frames(atlas, stream.name, "pca2d").half.reshape(*own.shape[:2], 1)
    assert np.median(np.linalg.norm(probe.places(projection) - own, axis=-1) / side) < 1e-3


def test_a_pair_of_patches_is_explained_by_the_model(atlas, loaded):
    index, stream = atlas.inputs.columns["file"].index(NAME), atlas.info.default_stream
    question = PairQuestion(input=index, stream=stream.name, layer=5, head=2, query=40, key=90)
    found = explain(atlas, loaded, question, 64, quiet)  # so few tokens are of a text; images have their own limit
    stored = float(atlas.attention(stream).block(index, 5, 2)[40, 90])
    assert found["share"] == pytest.approx(found["weight"], abs=1e-5)
    assert found["weight"] == pytest.approx(stored, abs=1e-4)
    basis = found["basis"]
    assert sum(part for _, part in basis["parts"]) + basis["rest"] == pytest.approx(found["score"], abs=1e-3)


def test_heads_switched_off_on_an_image_are_zeros_in_the_columns_of_w_o(atlas, loaded, probe, probes):
    index, stream = atlas.inputs.columns["file"].index(NAME), atlas.info.default_stream
    question = SwitchQuestion(input=index, stream=stream.name, heads=((4, 1),))
    found = switch(atlas, loaded, None, question, probes, 64, quiet)
    arguments = modality_named("image").arguments(loaded, [image_of(atlas, loaded, index)])
    dense = [one for name, one in loaded.model.named_modules() if name.endswith("attention.o_proj")]
    weight, part = dense[4].weight, slice(stream.head_dim, 2 * stream.head_dim)
    kept_weight = weight.detach().clone()
    with torch.no_grad():
        whole = loaded.model(**arguments).last_hidden_state[0].double()
        weight[:, part] = 0
        without = loaded.model(**arguments).last_hidden_state[0].double()
        weight[:] = kept_weight
    expected = torch.cosine_similarity(whole, without, dim=-1).numpy()
    assert expected.min() < 0.9999
    np.testing.assert_allclose(found["cosine"]["tokens"], expected, atol=2e-5)
    moved = np.array(found["heads"][stream.name])
    assert moved[:5].max() == 0  # nothing changes before or in the layer itself
    assert moved[5:].min() > 0
    before, after = (kept.find(probes, atlas, found[name]) for name in ("before", "after"))
    assert before.image["name"] == NAME
    np.testing.assert_array_equal(after.pixels(), images.pixels(atlas, index))
    one, other = (run.array(stream, "attention")[5, 0] / kept.UNIT for run in (before, after))
    assert np.abs(one - other).sum(axis=1).mean() / 2 == pytest.approx(moved[5, 0], abs=1e-3)

    own = SwitchQuestion(text=probe.text, stream=stream.name, heads=((4, 1),))
    again = switch(atlas, loaded, None, own, probes, 64, quiet)
    np.testing.assert_allclose(again["cosine"]["tokens"], found["cosine"]["tokens"], atol=1e-4)


def test_heads_of_a_model_of_images_are_compared_by_their_weights(atlas, loaded):
    stream = atlas.info.default_stream
    asks, answers = projections(loaded, stream, image_of(atlas, loaded, 0))
    layer = loaded.model.encoder.layer[3].attention
    for found, module in ((asks, layer.q_proj), (answers, layer.k_proj)):
        own = module.weight.detach().reshape(stream.heads, stream.head_dim, -1)
        torch.testing.assert_close(found[3 * stream.heads : 4 * stream.heads], own)
    made = by_weights(atlas, loaded, WeightsQuestion(stream=stream.name), 64, quiet)
    assert made.places.shape == (stream.layers * stream.heads, 2)


def test_images_whose_pixels_are_not_kept_or_that_are_too_large_are_refused_in_one_sentence(atlas, monkeypatch):
    question = SwitchQuestion(input=0, stream="self", heads=((0, 0),))
    monkeypatch.setattr("services.probe.question.MOST_TOKENS", 100)
    with pytest.raises(ProbeError, match="Input 0 has 257 tokens; 100 are the most"):
        question.checked(atlas, 512)
    monkeypatch.setattr("services.probe.question.has_images", lambda atlas: False)
    with pytest.raises(ProbeError, match="keeps no pixels of its images"):
        question.checked(atlas, 512)
    with pytest.raises(ProbeError, match="only models of text can read random tokens"):
        SwitchQuestion(stream="self", random=True).checked(atlas, 512)


def test_what_is_no_image_is_refused_in_one_sentence(atlas, loaded, probes):
    with pytest.raises(ProbeError, match="reads images: drop one here"):
        check_asked(Asked("a cat"), "image", 128)
    for asked, says in (
        (Asked(f"image:{'b' * 32}/x.png"), "no longer kept: drop it again"),
        (bring(probes, "c", "half.png", b"\x89PNG\r\n\x1a\n"), "half.png"),
        (bring(probes, "d", "bomb.png", _png((12_000, 12_000))), "million are the most"),
    ):
        with pytest.raises(ProbeError, match=says) as refused:
            look(atlas, loaded, asked, probes, 128, quiet)
        assert "\n" not in str(refused.value)
        assert kept.find(probes, atlas, asked.id(atlas)) is None


def test_an_image_of_too_many_patches_is_refused(atlas, loaded, probes, monkeypatch):
    monkeypatch.setattr("services.probe.seen.MOST_TOKENS", 100)
    asked = bring(probes, "e", "cat.png", _png((224, 224)))
    with pytest.raises(ProbeError, match=r"cat\.png has 257 tokens, more than allowed"):
        look(atlas, loaded, asked, probes, 128, quiet)


def _png(size):
    file = io.BytesIO()
    Image.new("1", size).save(file, "PNG")
    return file.getvalue()


def test_only_the_newest_images_are_kept(tmp_path):
    import os

    for number, digit in enumerate("0123"):
        bring(tmp_path, digit, "x.png", b"x")
        os.utime(tmp_path / brought.FOLDER / (digit * 32), (number, number))
    brought.forget_old(tmp_path, 2)
    assert sorted(place.name[0] for place in (tmp_path / brought.FOLDER).iterdir()) == ["2", "3"]
    shutil.rmtree(tmp_path / brought.FOLDER)
    brought.forget_old(tmp_path)


def test_another_model_of_images_under_the_same_name_is_refused(atlas, loaded):
    check_same(atlas, loaded)
    named = loaded.model.named_parameters()
    weight = next(one for name, one in named if "attention" in name and name.endswith("weight") and one.ndim == 2)
    before = weight.data.clone()
    weight.data *= 1.5
    try:
        with pytest.raises(ProbeError, match="attends otherwise"):
            check_same(atlas, loaded)
    finally:
        weight.data = before
