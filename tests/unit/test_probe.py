"""A probe: seen by the model as an input of the corpus is, placed where its own points lie, refused in one sentence."""

import hashlib
import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from services.atlas import open_atlas
from services.atlas.layouts import head_frames
from services.capture.adapters import own_attentions
from services.errors import Cancelled, ProbeError
from services.modalities.registry import modality_named
from services.modalities.text.tokens import tokenise
from services.payloads.pair import pair_numbers
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.probe import kept, payload
from services.probe.asked import Asked, check_asked
from services.probe.compare import difference, jensen_shannon, matched_tokens
from services.probe.models import WarmModels, why_not
from services.probe.placed import measure_errors, place_probe
from services.probe.seen import check_same, look
from tests.unit.test_targets import writer_folder

TEXT = 3  # which sentence of the small atlas is probed


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def loaded(atlas, tmp_path_factory):
    return WarmModels().of(atlas, tmp_path_factory.mktemp("models"), quiet)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("probes")


def seen(atlas, loaded, folder, text):
    asked = Asked(text)
    look(atlas, loaded, asked, folder, 128, quiet)
    return kept.find(folder, atlas, asked.id(atlas))


@pytest.fixture(scope="module")
def probe(atlas, loaded, folder):
    return seen(atlas, loaded, folder, atlas.inputs.text[TEXT])


def test_an_input_of_the_corpus_gives_its_tokens_and_the_models_own_attention(atlas, loaded, probe):
    stream = atlas.info.default_stream
    tokens = atlas.tokens()
    rows = tokens.rows(TEXT)
    assert probe.tokens("tokens")["token"] == list(tokens.token[rows])
    assert probe.tokens("tokens")["special"] == list(tokens.special[rows])
    weights = probe.array(stream, "attention") / kept.UNIT
    arguments = modality_named("text").arguments(loaded, tokenise(loaded, [atlas.inputs.text[TEXT]]))
    own = np.stack([layer[0].detach().numpy() for layer in own_attentions(loaded.model, arguments)[stream.name]])
    assert np.abs(weights - own).max() < 1e-5
    for layer in range(stream.layers):
        stored = atlas.attention(stream).of_layer(TEXT, layer).astype(np.float64)
        assert (np.abs(weights[layer] - stored) <= 1e-5 + stored * 2**-11).all()  # kept in float16


@pytest.mark.parametrize("name", ["pca2d", "pca3d"])
def test_an_input_of_the_corpus_lies_on_its_own_points_in_pca(atlas, probe, name):
    stream = atlas.info.default_stream
    projection = atlas.info.projection(name, stream.name)
    assert probe.places(projection) is None
    place_probe(probe, projection, quiet)
    rows, queries = atlas.tokens().rows(TEXT), atlas.points(stream)[0]
    own = atlas.layout(projection)[:, :, np.r_[rows, queries + rows.start : queries + rows.stop]]
    side = head_frames(atlas, stream.name, name).half.reshape(*own.shape[:2], 1)
    away = np.linalg.norm(probe.places(projection) - own, axis=-1) / side
    assert away.max() < 2e-3  # one step of the rounding to float16, which a batch of other inputs can turn
    assert np.median(away) < 1e-6


def test_the_numbers_of_a_pair_are_those_of_the_same_input_of_the_corpus(atlas, probe):
    stream, projection = atlas.info.default_stream, atlas.info.projection("pca2d", "self")
    if probe.places(projection) is None:
        place_probe(probe, projection, quiet)
    for place, query, key in (((2, 3), 1, 4), ((5, 11), 3, 0)):
        own = payload.pair(probe, stream, place, query, key, projection)
        corpus = pair_numbers(atlas, stream, TEXT, *place, query, key, projection)
        for name, value in asdict(corpus).items():
            found = getattr(own, name)
            assert found is None if value is None else found == pytest.approx(value, rel=2e-2, abs=2e-3), name
        assert own.agrees
        assert payload.pair(probe, stream, place, query, key, None).screen is None
    with pytest.raises(IndexError):
        payload.pair(probe, stream, (0, 0), 0, 99, None)


def test_the_error_of_pca_is_none_and_it_is_kept(atlas, folder):
    projection = atlas.info.projection("pca2d", "self")
    assert kept.errors(folder, atlas, projection) is None
    measure_errors(folder, atlas, projection, quiet)
    found = kept.errors(folder, atlas, projection)
    assert found.shape == (6, 12)
    assert found.max() < 1e-5


def test_the_error_of_a_neighbour_map_is_that_of_tokens_left_out(dashboard_home, tmp_path):
    atlas = open_atlas(next((dashboard_home / "atlases").iterdir()))
    projection = atlas.info.projection("umap2d", "self")
    measure_errors(tmp_path, atlas, projection, quiet)
    found = kept.errors(tmp_path, atlas, projection)
    assert (found > 1e-4).all()  # nobody was placed by itself
    assert np.median(found) < 0.1  # of the frame, and not anywhere on it


def test_one_changed_word_changes_the_picture_and_nothing_enters_the_atlas(atlas, loaded, folder, probe):
    def content():
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in atlas.path.rglob("*") if p.is_file()}

    before = content()
    other = seen(atlas, loaded, folder, atlas.inputs.text[TEXT].replace("letter", "song"))
    weights = [one.array(atlas.info.default_stream, "attention").astype(int) for one in (probe, other)]
    assert weights[0].shape == weights[1].shape
    assert np.abs(weights[0] - weights[1]).max() > 1000
    assert content() == before


def test_what_nobody_wants_any_more_leaves_nothing(atlas, loaded, tmp_path):
    def stop():
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        look(atlas, loaded, Asked("A cat."), tmp_path, 128, stop)
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_probes_make_room_and_the_one_at_work_stays(atlas, loaded, tmp_path):
    probes = [seen(atlas, loaded, tmp_path, text) for text in ("One.", "Two.", "Three.")]
    for age, one in enumerate(reversed(probes)):
        kept.os.utime(one.path, (1000 - age, 1000 - age))
    kept.prune(tmp_path, spare=probes[0].path.name, most_bytes=1)
    assert [path.name for path in tmp_path.iterdir()] == [probes[0].path.name]


@pytest.mark.parametrize(
    ("asked", "modality", "says"),
    [
        (Asked("a" * 100_000), "text", "A probe can have 2,048 characters; this one has 100,000."),
        (Asked("  \n"), "text", "Type a sentence"),
        (Asked("a cat"), "image", "reads images"),
    ],
)
def test_what_cannot_be_a_probe_is_refused_before_any_model_sees_it(asked, modality, says):
    with pytest.raises(ProbeError, match=says):
        check_asked(asked, modality, 128)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cat " * 130, r"has 132 tokens; 128 are the most"),
        ("cat " * 512, r"has more than 512 tokens"),
        ("\u200b", "makes no token"),
    ],
)
def test_too_many_tokens_or_none_are_refused(atlas, loaded, tmp_path, text, says):
    with pytest.raises(ProbeError, match=says):
        look(atlas, loaded, Asked(text), tmp_path, 128, quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["שלום עולם", "Zürich 🍰", "a\0b\ud800c", "<script>alert(1)</script>", "." * 100])
def test_any_text_can_be_a_probe(atlas, loaded, folder, text):
    probe = seen(atlas, loaded, folder, text)
    weights = probe.array(atlas.info.default_stream, "attention")
    assert np.allclose(weights.sum(axis=-1) / kept.UNIT, 1, atol=1e-3)


def described(small_atlas, tmp_path, **model):
    """The atlas, as of another model."""
    copy = tmp_path / "copy"
    shutil.copytree(small_atlas, copy)
    info = json.loads((copy / "atlas.json").read_text())
    info["model"].update(model)
    (copy / "atlas.json").write_text(json.dumps(info))
    return open_atlas(copy)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"id": "nobody/nothing", "revision": "0" * 40}, r"nobody/nothing is not on this machine: run 'hf download"),
        (
            {"id": "my/model", "revision": "sha256:00"},
            r"was a local folder: put it, .* as model into the folder of models",
        ),
        ({"id": "../..", "revision": "sha256:00"}, r"as model into the folder of models"),
    ],
)
def test_a_model_that_is_not_at_hand_is_told_without_loading_anything(small_atlas, tmp_path, model, says):
    atlas = described(small_atlas, tmp_path, **model)
    assert why_not(atlas, tmp_path) is not None
    with pytest.raises(ProbeError, match=says):
        WarmModels().of(atlas, tmp_path, quiet)


def test_another_model_or_tokenizer_under_the_same_name_is_refused(small_atlas, loaded, tmp_path):
    atlas = described(small_atlas, tmp_path)
    check_same(atlas, loaded)
    atlas.inputs.text[-1] = "Go."
    with pytest.raises(ProbeError, match=r"tokenizer of .* cuts texts otherwise"):
        check_same(atlas, loaded)
    atlas.inputs.text[-1] = "Stop."
    layer = loaded.model.encoder.layer[2].attention.self.query
    weight = layer.weight.data.clone()
    layer.weight.data *= 1.5
    try:
        with pytest.raises(ProbeError, match="attends otherwise"):
            check_same(atlas, loaded)
    finally:
        layer.weight.data = weight


def test_the_distance_of_two_rows_is_that_of_scipy_over_the_union_of_their_keys():
    rng = np.random.default_rng(0)
    one, other = rng.dirichlet(np.ones(5), 3), rng.dirichlet(np.ones(6), 3)
    keys = matched_tokens(list("abcde"), list("abxcye"))
    assert keys.tolist() == [[0, 0], [1, 1], [2, 3], [4, 5]]
    left, right = np.zeros((3, 7)), np.zeros((3, 7))  # a b c d e x y
    left[:, :5] = one
    right[:, [0, 1, 5, 2, 6, 4]] = other
    expected = jensenshannon(left, right, base=2, axis=1)
    assert np.allclose(jensen_shannon(one, other, keys), expected)
    assert np.allclose(jensen_shannon(one, one, np.stack([np.arange(5)] * 2, axis=1)), 0)
    assert np.allclose(jensen_shannon(one, other, np.zeros((0, 2), int)), 1)


def test_heads_differ_only_where_the_probes_do(atlas, loaded, folder, probe):
    stream = atlas.info.default_stream
    same = difference(probe, probe, stream)
    assert same.distance.max() < 1e-6
    assert same.matched == same.queries[0]
    other = seen(atlas, loaded, folder, atlas.inputs.text[TEXT].replace("letter", "song"))
    changed = difference(probe, other, stream)
    assert changed.matched == same.matched - 1
    assert (changed.distance > 0).mean() > 0.9
    assert changed.distance.max() < 1
    nothing = difference(seen(atlas, loaded, folder, "x"), seen(atlas, loaded, folder, "y z"), stream)
    assert nothing.matched == 2  # [CLS] and [SEP]


def test_an_encoder_decoder_reads_the_probe_and_writes_its_own_answer(tmp_path):
    folder, _ = writer_folder(tmp_path / "models" / "t5")
    corpus = tmp_path / "texts.txt"
    corpus.write_text("\n".join(("the cat sat on the mat", "a dog", "it was tired because the mat was on the dog")))
    request = BuildRequest(model=str(folder), corpus=str(corpus), projections=("pca",), dims=(2,))
    atlas = open_atlas(build(request, tmp_path / "atlas", Progress("t5", bar=False)))
    loaded = WarmModels().of(atlas, tmp_path / "models", quiet)
    probe = seen(atlas, loaded, tmp_path / "probes", atlas.inputs.text[0])
    for stream in atlas.info.streams:
        stored = atlas.attention(stream).of_layer(0, 1).astype(np.float64)
        weights = probe.array(stream, "attention")[1] / kept.UNIT
        assert weights.shape == stored.shape
        assert (np.abs(weights - stored) <= 1e-5 + stored * 2**-11).all()
        projection = atlas.info.projection("pca2d", stream.name)
        place_probe(probe, projection, quiet)
        queries, keys = atlas.attention(stream).rows(0)
        first = atlas.points(stream)[0]
        own = atlas.layout(projection)[:, :, np.r_[queries, first + keys.start : first + keys.stop]]
        side = head_frames(atlas, stream.name, "pca2d").half.reshape(*own.shape[:2], 1)
        assert (np.linalg.norm(probe.places(projection) - own, axis=-1) / side).max() < 5e-3
    _is_told_what_to_write(atlas, loaded, tmp_path / "probes")


def _is_told_what_to_write(atlas, loaded, folder):
    """The same model again, which is slow to make."""
    source = atlas.inputs.text[0]
    target = "the dog was tired"
    probe = seen(atlas, loaded, folder, f"{source} => {target}")
    written = probe.tokens("decoder_tokens")
    words = [text for text, special in zip(written["text"], written["special"], strict=True) if not special]
    assert words == target.split()
    assert probe.tokens("tokens")["text"] == list(atlas.tokens("tokens").text[atlas.tokens("tokens").rows(0)])
    arguments = {"input_ids": source, "decoder_input_ids": target}
    ids = {name: loaded.tokenizer(text, return_tensors="pt").input_ids for name, text in arguments.items()}
    start = torch.full((1, 1), loaded.model.config.decoder_start_token_id)
    ids["decoder_input_ids"] = torch.cat([start, ids["decoder_input_ids"][:, :-1]], dim=1)
    with torch.inference_mode():
        own = loaded.model(**ids, output_attentions=True)
    for name, layers in (("cross", own.cross_attentions), ("decoder", own.decoder_attentions)):
        weights = probe.array(atlas.stream(name), "attention") / kept.UNIT
        assert np.abs(weights - np.stack([layer[0].numpy() for layer in layers])).max() < 1e-4
    with pytest.raises(ProbeError, match="Type what the model is to read before =>"):
        look(atlas, loaded, Asked(" => a dog"), folder, 128, quiet)
    with pytest.raises(ProbeError, match="are the most"):
        look(atlas, loaded, Asked(f"a dog => {'dog ' * 200}"), folder, 128, quiet)
