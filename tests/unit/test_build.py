"""A build ends in a whole atlas, goes on after any stop, and says in one line why it cannot."""

import itertools
import json
import os
import signal
from pathlib import PurePath

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from building import TEXTS, arrays_of, copy, everything, request_for, same_arrays, write_corpus
from tiny_models import save_model

from services import __version__
from services.atlas import arrays, open_atlas, schema, upgrade, verify
from services.capture import load_model
from services.commands import build as command
from services.commands.line import parser
from services.errors import BuildError, BusyError, Cancelled, CaptureError, ModelError
from services.jobs.local import LocalJobs
from services.models.device import AUTO
from services.pipeline import build as pipeline
from services.pipeline import capture_stage, layout_stage, publish
from services.pipeline.build import build
from services.pipeline.journal import Journal
from services.pipeline.lock import build_lock
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest, default_folder, same_vectors
from services.settings import Settings, load_settings
from services.streams import CAUSAL

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "bert", "bert")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpora") / "lines.txt")


@pytest.fixture(scope="module")
def tiny_atlas(tmp_path_factory, bert, corpus):
    """The tiny model with PCA only; tests copy it."""
    return build(request_for(bert, corpus), tmp_path_factory.mktemp("tiny") / "tiny", quiet())


@pytest.fixture
def out(tmp_path):
    return tmp_path / "atlases" / "one"


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """The command in this process: its exit code and the lines on stderr. The home folder is `tmp_path / "home"`."""
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    load_settings.cache_clear()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        capsys.readouterr()
        try:
            code = command.run(parser("build").parse_args(["build", "--quiet", *map(str, arguments)]))
        except SystemExit as end:
            code = end.code
        return code, capsys.readouterr().err.splitlines()

    yield run
    load_settings.cache_clear()
    for number, handler in before.items():
        signal.signal(number, handler)


def quiet(slug="one", file=None):
    return Progress(slug, file, bar=False)


class StopsAfter(Progress):
    """Asks the build to stop when a stage has done so many steps."""

    def __init__(self, stage, steps):
        super().__init__("one", None, bar=False)
        self._when = stage, steps

    def update(self, done):
        if (self._stage, done) >= self._when and self._stage == self._when[0]:
            self.stop()
        super().update(done)


@pytest.fixture
def captured(monkeypatch):
    """Lengths of all inputs that are captured for the arrays, in order."""
    seen = []
    plain = capture_stage.capture

    def capture(loaded, inputs, **options):
        for item in plain(loaded, inputs, **options):
            seen.append(len(inputs[item.index]))
            yield item

    monkeypatch.setattr(capture_stage, "capture", capture)
    return seen


@pytest.fixture
def laid_out(monkeypatch):
    """(layer, names of layouts) of all units of layout work, in order."""
    seen = []
    plain = layout_stage.layout_unit

    def unit(folder, stream, layer, requests, *rest):
        seen.append((layer, tuple(request.name for request in requests)))
        return plain(folder, stream, layer, requests, *rest)

    monkeypatch.setattr(layout_stage, "layout_unit", unit)
    return seen


# ---- what a build gives


def test_an_atlas_has_all_arrays_in_their_shapes(bert, corpus, out):
    projections = ("pca", "umap", "tsne", "attention")
    build(request_for(bert, corpus, projections), out, quiet())
    atlas = open_atlas(out)
    stream = atlas.stream("self")
    tokens = len(atlas.tokens())
    assert (stream.layers, stream.heads, stream.key_heads, stream.head_dim) == (2, 4, 4, 8)
    assert atlas.array("self/queries").shape == atlas.array("self/keys").shape == (2, 4, tokens, 8)
    assert atlas.array("self/value_norms").shape == (2, 4, tokens)
    assert atlas.array("self/attention").shape == (2 * 4 * sum(int(n) ** 2 for n in atlas.tokens().counts),)
    names = [projection.name for projection in atlas.info.projections]
    assert sorted(names) == sorted(f"{method}{dims}d" for method in projections for dims in (2, 3))
    for projection in atlas.info.projections:
        layout = atlas.layout(projection)
        assert layout.shape == (2, 4, 2 * tokens, projection.dims)
        assert np.isfinite(layout).all()
        assert np.ptp(layout, axis=2).min() > 0
    assert atlas.info.corpus.inputs == len(atlas.inputs) == len(TEXTS)
    assert list(atlas.inputs.text) == list(TEXTS)
    assert verify(out) == []
    assert everything(out.parent) == everything_of_one(out)


def everything_of_one(out):
    """What a finished build leaves in the folder of atlases."""
    files = [f"one/{name}" for name in ("build.json", "atlas.json", *open_atlas(out).info.files)]
    folders = {str(folder) for name in files for folder in PurePath(name).parents}
    return sorted({*files, *folders} - {"."})


def test_attention_in_the_atlas_is_the_softmax_of_its_queries_and_keys(tiny_atlas):
    atlas = open_atlas(tiny_atlas)
    stream, tokens = atlas.stream("self"), atlas.tokens()
    for index in range(len(atlas.inputs)):
        rows = slice(*tokens.offsets[index : index + 2])
        queries = atlas.array("self/queries")[1, 2, rows].astype(float)
        keys = atlas.array("self/keys")[1, 2, rows].astype(float)
        weights = np.exp(queries @ keys.T * stream.scaling[1])
        weights /= weights.sum(axis=1, keepdims=True)
        assert np.abs(atlas.attention(stream).block(index, 1, 2) - weights).max() < 5e-3  # float16 vectors


def error_of_stored(atlas):
    """Largest difference between attention recomputed from the stored vectors and the stored weights."""
    stream, offsets = atlas.stream("self"), atlas.tokens().offsets
    queries, keys = (np.array(atlas.array(f"self/{side}"), float) for side in ("queries", "keys"))
    largest = 0.0
    for index, layer, head in itertools.product(range(len(atlas.inputs)), range(stream.layers), range(stream.heads)):
        rows = slice(*offsets[index : index + 2])
        scores = queries[layer, head, rows] @ keys[layer, head, rows].T * stream.scaling[layer]
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        largest = max(largest, np.abs(weights - atlas.attention(stream).block(index, layer, head)).max())
    return largest


def test_the_capture_error_is_that_of_the_stored_numbers(tiny_atlas):
    atlas = open_atlas(tiny_atlas)
    assert atlas.info.checked_inputs == 3  # from the middle length up
    found = error_of_stored(atlas)
    assert atlas.array("self/queries").dtype == np.float16
    assert 0 < atlas.info.capture_error < found + 3e-4 < 5e-3  # the weights beside it are rounded to float16 too
    assert atlas.info.program == __version__
    assert atlas.info.modality == "text"


def test_grouped_queries_work_through_to_projections(tmp_path, corpus, out):
    llama = save_model(tmp_path / "llama", "llama")
    build(request_for(llama, corpus, ("pca", "umap", "attention"), (2,)), out, quiet())
    atlas = open_atlas(out)
    stream, tokens = atlas.stream("self"), len(atlas.tokens())
    assert (stream.heads, stream.key_heads, stream.mask) == (4, 2, CAUSAL)
    assert atlas.array("self/keys").shape == (2, 2, tokens, 8)
    assert {p.name: atlas.layout(p).shape for p in atlas.info.projections} == dict.fromkeys(
        ("pca2d", "umap2d", "attention2d"), (2, 4, 2 * tokens, 2)
    )
    assert atlas.vectors(stream).value_norms(1, 3, atlas.tokens().rows(0)).shape == (atlas.tokens().counts[0],)


def test_a_real_model_gives_a_whole_atlas(small_atlas):
    atlas = open_atlas(small_atlas)
    assert (atlas.stream("self").layers, atlas.stream("self").heads) == (6, 12)
    assert {projection.name for projection in atlas.info.projections} == {"pca2d", "pca3d"}
    assert 1e-6 < atlas.info.capture_error < 2e-3  # of float16 vectors; before: tests/unit/test_capture.py
    assert atlas.info.model.id == "sentence-transformers/all-MiniLM-L6-v2"
    assert verify(small_atlas) == []


def test_no_file_of_an_atlas_tells_the_folders_of_its_maker(small_atlas):
    for name in ("atlas.json", "build.json"):
        assert str(small_atlas.parents[1]) not in (small_atlas / name).read_text()


STRANGE = (
    "a",
    "word " * 19_990 + "end",
    "cat \U0001f408\u200d\u2b1b and \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd \u0645\u0631\u062d\u0628\u0627",
    "<script>alert(1)</script><br>",
    "nul \x00 inside",
)


def test_strange_texts_come_through_to_the_token_table(tmp_path, out):
    texts = [*STRANGE, "x" * 100_000]
    model = save_model(tmp_path / "gpt2", "gpt2")  # its tokens are bytes: nothing is unknown to it
    build(request_for(model, write_corpus(tmp_path / "strange.txt", texts)), out, quiet())
    atlas = open_atlas(out)
    tokens = atlas.tokens()
    assert len(atlas.inputs) == 5  # the two long lines are left out, with a note
    assert any("longer than 20,000 characters" in note for note in atlas.info.corpus.notes)
    by_input = ["".join(tokens.text[a:b]) for a, b in itertools.pairwise(tokens.offsets)]
    assert by_input[3] == STRANGE[4]
    assert by_input[4].replace("\u2581", " ") == "nul   inside"  # the corpus puts a space in place of a control
    assert tokens.counts.max() <= 64
    stored = pq.read_table(out / "tokens.parquet")
    assert stored.column_names == ["input", "position", "token", "text", "special", "word", "pos"]
    assert stored.num_rows == len(tokens)


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_a_corpus_of_one_token_gives_an_atlas(name, tmp_path, out):
    model = save_model(tmp_path / name, name)
    one = write_corpus(tmp_path / "one.txt", ["a"])
    build(request_for(model, one, ("pca", "umap", "tsne", "attention")), out, quiet())
    atlas = open_atlas(out)
    assert len(atlas.info.projections) == 8
    assert all(np.isfinite(atlas.layout(projection)).all() for projection in atlas.info.projections)


# ---- stops and going on


def test_cancelling_the_capture_keeps_finished_inputs(bert, corpus, out, captured):
    with pytest.raises(Cancelled, match="same command"):
        build(request_for(bert, corpus), out, StopsAfter("capture", 2))
    assert not out.exists()
    first = list(captured)
    captured.clear()
    build(request_for(bert, corpus), out, quiet())
    assert len(first) == 2
    assert sorted(first + captured) == sorted(int(n) for n in open_atlas(out).tokens().counts)


@pytest.fixture
def stops(monkeypatch):
    """Makes a Progress that stops a build when its first layer of layouts is done."""
    plain = layout_stage.Journal.record
    newest = []

    def record(self, stage, units):
        plain(self, stage, units)
        if newest and stage.startswith("self/"):
            newest.pop().stop()

    def make():
        newest.append(quiet())
        return newest[0]

    monkeypatch.setattr(layout_stage.Journal, "record", record)
    return make


def test_cancelling_the_layouts_keeps_finished_layers(tiny_atlas, bert, corpus, tmp_path, laid_out, stops):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    request = request_for(bert, corpus, ("umap", "tsne"), (2,))
    with pytest.raises(Cancelled, match="same command"):
        build(request, folder, stops())
    assert open_atlas(folder).info.projection("umap2d", "self") is None
    kept = np.array(arrays.reopen(folder / "self/umap2d.npy")[0])
    laid_out.clear()
    build(request, folder, quiet())
    assert laid_out == [(1, ("umap2d", "tsne2d"))]
    assert np.array_equal(open_atlas(folder).array("self/umap2d")[0], kept)


def test_the_map_that_a_page_opens_with_comes_first_and_is_measured(tiny_atlas, bert, corpus, tmp_path, laid_out):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    build(request_for(bert, corpus, ("umap", "preference", "attention"), (2, 3)), folder, quiet())
    maps = ("attention2d", "umap2d", "preference3d", "attention3d", "umap3d")
    assert laid_out == [(0, ("preference2d",)), (1, ("preference2d",)), (0, maps), (1, maps)]
    atlas = open_atlas(folder)
    assert all(atlas.measures(atlas.stream("self")).has("preferred_near", name) for name in ("preference2d", *maps))


def test_fewer_projections_after_a_stop_still_use_the_finished_layers(
    tiny_atlas, bert, corpus, tmp_path, laid_out, stops
):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    with pytest.raises(Cancelled):
        build(request_for(bert, corpus, ("umap", "tsne"), (2,)), folder, stops())
    laid_out.clear()
    build(request_for(bert, corpus, ("umap",), (2,)), folder, quiet())
    assert laid_out == [(1, ("umap2d",))]


def test_layers_of_another_seed_are_not_taken_over(tiny_atlas, bert, corpus, tmp_path, laid_out, stops):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    for seed in (0, 1):
        with pytest.raises(Cancelled):
            build(request_for(bert, corpus, ("umap",), (2,), seed=seed), folder, stops())
    laid_out.clear()
    build(request_for(bert, corpus, ("umap",), (2,)), folder, quiet())
    assert [layer for layer, _ in laid_out] == [0, 1]


class Crash(BaseException):
    """Ends a build as a kill would, without its error handling."""


@pytest.fixture
def writes(monkeypatch):
    """Calls `at(number)` before and after each write to disk, numbered from 0."""
    state = {"count": 0, "at": lambda number: None}

    def watched(plain):
        def write(*arguments, **options):
            number = state["count"]
            state["count"] += 2
            state["at"](number)
            result = plain(*arguments, **options)
            state["at"](number + 1)
            return result

        return write

    for module, name in ((arrays, "create"), (arrays, "publish"), (arrays, "write_bytes"), (pipeline, "put_in_place")):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    return state


@pytest.fixture
def one_load(monkeypatch, bert):
    """The model is loaded once for many builds."""
    loaded = load_model(str(bert))
    monkeypatch.setattr(capture_stage, "load_model", lambda *a, **k: loaded)


@pytest.mark.slow
def test_a_build_that_dies_between_any_two_writes_goes_on_to_the_same_atlas(
    bert, corpus, tmp_path, writes, one_load, monkeypatch
):
    request = request_for(bert, corpus, ("pca", "umap"), (2,))
    whole = build(request, tmp_path / "whole", quiet())
    total = writes["count"]
    assert total > 40
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow, and of no use to a process that dies
    ends = [0, *range(1, total, 3)]  # before the first write, and after many
    for last in ends:
        folder = tmp_path / f"broken-{last}"

        def die(number, last=last):
            if number == last:
                raise Crash

        writes.update(count=0, at=die)
        with pytest.raises(Crash):
            build(request, folder, quiet())
        if folder.exists():
            assert open_atlas(folder).info.projection("pca2d", "self")  # visible only when its PCA maps are whole
        writes.update(count=0, at=lambda number: None)
        build(request, folder, quiet())
        assert same_arrays(folder, whole)
        assert verify(folder) == []
        assert {p.name for p in open_atlas(folder).info.projections} == {"pca2d", "umap2d"}
        assert open_atlas(folder).info.key == open_atlas(whole).info.key
        assert everything(folder) == everything(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["whole", *(f"broken-{n}" for n in ends)])


def test_an_array_cut_off_while_its_space_was_reserved_is_begun_again(bert, corpus, out, captured):
    with pytest.raises(Cancelled):
        build(request_for(bert, corpus), out, StopsAfter("capture", 2))
    part = out.with_name("one.partial") / "self" / "keys.npy.part"
    part.write_bytes(part.read_bytes()[:200])
    captured.clear()
    build(request_for(bert, corpus), out, quiet())
    assert len(captured) == len(TEXTS)
    assert verify(out) == []


def test_a_model_that_changed_meanwhile_is_captured_from_the_start(corpus, tmp_path, out, captured):
    model = save_model(tmp_path / "model", "bert")
    with pytest.raises(Cancelled):
        build(request_for(model, corpus), out, StopsAfter("capture", 2))
    patch_weights(model, lambda tensor: tensor * 0.9)
    captured.clear()
    build(request_for(model, corpus), out, quiet())
    assert len(captured) == len(TEXTS)


# ---- the same folder again


def test_the_same_request_again_redoes_nothing(tiny_atlas, bert, corpus, tmp_path, captured, laid_out):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    before = {
        file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.name != "build.json" and file.is_file()
    }
    build(request_for(bert, corpus), folder, quiet())
    assert captured == laid_out == []
    assert before == {file: file.stat().st_mtime_ns for file in before}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_more_projections_later_add_only_those(tiny_atlas, bert, corpus, tmp_path, captured, laid_out):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    old = arrays_of(folder)
    build(request_for(bert, corpus, ("pca", "umap"), (3,)), folder, quiet())
    assert captured == []
    assert laid_out == [(0, ("umap3d",)), (1, ("umap3d",))]
    new = arrays_of(folder)
    assert new.keys() - old.keys() == {"self/umap3d.npy"}
    assert all(np.array_equal(old[name], new[name]) for name in old)
    assert open_atlas(folder).info.key == open_atlas(tiny_atlas).info.key


def test_the_key_is_of_the_captured_files_whatever_else_joins(tiny_atlas, bert, corpus, tmp_path):
    """A derived table that nobody has thought of yet leaves the key, and so every address, alone."""
    folder = copy(tiny_atlas, tmp_path / "tiny")
    content = json.loads((folder / "build.json").read_text())
    for name in ("self/new.parquet", "self/new.npy", "new.parquet"):
        (folder / name).write_bytes(b"derived")
        content["files"][name] = arrays.describe(folder / name).model_dump()
    (folder / "build.json").write_text(json.dumps(content))
    build(request_for(bert, corpus, title="Another title"), folder, quiet())
    again = open_atlas(folder)
    assert {"self/new.parquet", "self/new.npy", "new.parquet"} <= set(again.info.files)
    assert again.info.key == open_atlas(tiny_atlas).info.key
    captured = schema.captured_files(again.info.streams)
    assert captured == {
        *("inputs.parquet", "tokens.parquet"),
        *("self/queries.npy", "self/keys.npy", "self/value_norms.npy", "self/attention.npy"),
    }
    for name in captured:
        content["files"][name]["sha256"] = "0" * 64
        (folder / "build.json").write_text(json.dumps(content))
        publish.write_info(folder, request_for(bert, corpus), Journal.load(folder), quiet())
        assert json.loads((folder / "atlas.json").read_text())["key"] != again.info.key


def test_a_request_field_that_only_another_version_knows_refuses_nothing(tiny_atlas, bert, corpus, tmp_path, captured):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    content = json.loads((folder / "build.json").read_text())
    del content["request"]["max_tokens"]  # by a program from before there was the choice
    content["request"]["later"] = "of a later program"
    (folder / "build.json").write_text(json.dumps(content))
    for overwrite in (False, True):
        build(request_for(bert, corpus), folder, quiet(), overwrite=overwrite)
    assert captured == []
    with pytest.raises(BuildError, match="other model, corpus or settings"):
        build(request_for(bert, corpus, max_tokens=5), folder, quiet())


def test_what_decides_the_vectors_is_declared_on_the_fields():
    one = BuildRequest(model="minilm", corpus="demo")
    how = {"library_code", "content", "max_tokens"}
    assert set(one.captured()) == {"model", "modality", "revision", "tokenizer", "target"} | how
    made = one.captured() | {"corpus_sha256": "a"}
    assert same_vectors(made, made | {"later": 1})
    assert same_vectors({"model": "minilm", "corpus_sha256": "a"}, made)
    assert not same_vectors(made, made | {"corpus_sha256": "b"})
    assert not same_vectors(made, made | {"revision": "v2"})
    assert not same_vectors({}, made)


def test_an_older_atlas_can_be_added_to_after_its_upgrade(tiny_atlas, bert, corpus, tmp_path, captured, monkeypatch):
    """A made-up version before the present one, in which the corpus was called the source: of atlas and journal."""

    def rename(old, new):
        return lambda content: {new if name == old else name: value for name, value in content.items()}

    older = schema.SCHEMA_VERSION - 1
    folder = copy(tiny_atlas, tmp_path / "tiny")
    for name in ("atlas.json", "build.json"):
        content = json.loads((folder / name).read_text())
        content["schema_version"] = older
        holder = content.get("facts", content)
        holder["source"] = holder.pop("corpus")
        (folder / name).write_text(json.dumps(content))
    monkeypatch.setitem(upgrade.STEPS, older, rename("source", "corpus"))
    build(request_for(bert, corpus, ("umap",), (2,)), folder, quiet())
    assert captured == []
    monkeypatch.undo()
    again = open_atlas(folder)
    assert again.info.projection("umap2d", "self")
    assert again.info.corpus == open_atlas(tiny_atlas).info.corpus
    assert again.info.key == open_atlas(tiny_atlas).info.key


def test_a_stopped_build_of_an_older_version_is_begun_again(bert, corpus, out, captured):
    with pytest.raises(Cancelled):
        build(request_for(bert, corpus), out, StopsAfter("capture", 2))
    journal = out.with_name("one.partial") / "build.json"
    content = json.loads(journal.read_text())
    journal.write_text(json.dumps(content | {"schema_version": 1}))
    captured.clear()
    build(request_for(bert, corpus), out, quiet())
    assert len(captured) == len(TEXTS)
    assert verify(out) == []


def test_a_new_title_is_taken(tiny_atlas, bert, corpus, tmp_path, captured):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    build(request_for(bert, corpus, title="Mine"), folder, quiet())
    assert open_atlas(folder).info.title == "Mine"
    assert captured == []


@pytest.mark.parametrize(
    "change",
    [{"max_tokens": 5}, {"precision": "float32"}, {"corpus": "other"}, {"seed": 1}, {"engine": "reference"}],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_into_an_atlas_are_refused(tiny_atlas, bert, corpus, tmp_path, change, laid_out):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    if change.keys() & {"seed", "engine"}:
        build(request_for(bert, corpus, ("umap",), (2,)), folder, quiet())
    if "corpus" in change:
        change = {"corpus": str(write_corpus(tmp_path / "other.txt", ["the cat"]))}
    request = request_for(bert, corpus, ("umap",), (2,)).model_copy(update=change)
    before = everything(folder)
    with pytest.raises(BuildError, match="--overwrite") as refusal:
        build(request, folder, quiet())
    assert "\n" not in str(refusal.value)
    assert everything(folder) == before


def test_a_build_that_names_no_engine_takes_that_of_its_device_and_leaves_maps_of_another(
    tiny_atlas, bert, corpus, tmp_path
):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    build(request_for(bert, corpus, ("umap",), (2,)).model_copy(update={"engine": "reference"}), folder, quiet())
    before = (folder / "self" / "umap2d.npy").read_bytes()
    build(request_for(bert, corpus, ("umap", "tsne"), (2,)).model_copy(update={"engine": AUTO}), folder, quiet())
    made = {one.name: one.parameters["engine"] for one in open_atlas(folder).info.projections}
    assert (made["umap2d"], made["tsne2d"]) == ("reference", "fast")
    assert (folder / "self" / "umap2d.npy").read_bytes() == before
    assert {one.device for one in open_atlas(folder).info.projections} == {open_atlas(folder).info.device} == {""}


def test_overwriting_swaps_in_one_step(tiny_atlas, bert, corpus, tmp_path, writes, one_load):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    old_key = open_atlas(folder).info.key
    keys = []
    writes["at"] = lambda number: keys.append(open_atlas(folder).info.key)
    build(request_for(bert, corpus, precision="float32"), folder, quiet(), overwrite=True)
    new_key = open_atlas(folder).info.key
    assert [key for key, _ in itertools.groupby(keys)] == [old_key, new_key]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_overwriting_works_where_the_system_cannot_swap(tiny_atlas, bert, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_swapped", lambda *_: False)
    folder = copy(tiny_atlas, tmp_path / "tiny")
    copy(tiny_atlas, tmp_path / "tiny.old.partial")  # left by a build that was killed
    build(request_for(bert, corpus, precision="float32"), folder, quiet(), overwrite=True)
    assert open_atlas(folder).array("self/queries").dtype == np.float32
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_overwriting_with_an_equal_request_goes_on(tiny_atlas, bert, corpus, tmp_path, captured):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    build(request_for(bert, corpus, ("umap",), (2,)), folder, quiet(), overwrite=True)
    assert captured == []
    assert open_atlas(folder).info.projection("umap2d", "self")


def test_overwriting_adds_the_tags_that_an_atlas_lacks(bert, tmp_path, out):
    texts = write_corpus(tmp_path / "english.txt", ["The cat sat on the mat because it was tired of the rain."])
    build(request_for(bert, texts, pos="none"), out, quiet())
    assert "pos" not in open_atlas(out).tokens().columns
    build(request_for(bert, texts), out, quiet())
    assert "pos" not in open_atlas(out).tokens().columns  # nobody asked to replace it
    build(request_for(bert, texts), out, quiet(), overwrite=True)
    assert "NOUN" in open_atlas(out).tokens().columns["pos"]


def test_overwriting_repairs_a_damaged_atlas(tiny_atlas, bert, corpus, tmp_path):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    file = folder / "self" / "keys.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    build(request_for(bert, corpus), folder, quiet(), overwrite=True)
    assert verify(folder) == []
    assert same_arrays(folder, tiny_atlas)


def test_nothing_that_is_no_atlas_is_ever_replaced(bert, corpus, tmp_path):
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "cat.png").write_bytes(b"cat")
    file = tmp_path / "notes"
    file.write_text("notes")
    shadow = tmp_path / "atlas.partial"
    copy(mine, shadow)
    for place in (mine, file, tmp_path / "atlas"):
        for overwrite in (False, True):
            with pytest.raises(BuildError, match="--out"):
                build(request_for(bert, corpus), place, quiet(), overwrite=overwrite)
    assert everything(tmp_path) == ["atlas.partial", "atlas.partial/cat.png", "notes", "photos", "photos/cat.png"]


def test_an_empty_folder_may_be_built_into(bert, corpus, out):
    out.mkdir(parents=True)
    build(request_for(bert, corpus), out, quiet())
    assert verify(out) == []


def test_the_atlas_opens_at_every_moment_of_its_layouts(tiny_atlas, bert, corpus, tmp_path, writes):
    folder = copy(tiny_atlas, tmp_path / "tiny")
    seen = []
    writes["at"] = lambda number: seen.append(len(open_atlas(folder).info.projections))
    build(request_for(bert, corpus, ("umap", "tsne")), folder, quiet())
    assert seen == sorted(seen)
    assert set(seen) == {2, 6}  # all maps of a request come from one stage and join together


def test_a_second_build_into_a_folder_is_refused(bert, corpus, out, cli, tmp_path):
    with build_lock(out), pytest.raises(BusyError, match="Another build"):
        build(request_for(bert, corpus), out, quiet())
    assert everything(out.parent) == []
    folder = tmp_path / "home" / "atlases" / "one"
    folder.parent.mkdir(parents=True)
    with build_lock(folder):
        code, errors = cli("--model", bert, "--corpus", corpus, "--out", folder)
    assert (code, len(errors)) == (2, 1)
    assert LocalJobs(Settings(home=tmp_path / "home")).list() == []  # the first build's word stands, not ours


# ---- errors


def patch_weights(model, change):
    """Change the query and key weights of a saved BERT."""
    from safetensors.torch import load_file, save_file

    file = model / "model.safetensors"
    tensors = load_file(file)
    for name in tensors:
        if ".attention.self.key." in name:
            tensors[name] = change(tensors[name])
    save_file(tensors, file, {"format": "pt"})


def test_the_command_builds_and_says_where(cli, bert, corpus, tmp_path):
    assert cli("--model", bert, "--corpus", corpus, "--projections", "pca", "--dims", "2") == (0, [])
    folder = tmp_path / "home" / "atlases" / "bert-lines"
    assert [p.name for p in open_atlas(folder).info.projections] == ["pca2d"]
    (job,) = LocalJobs(Settings(home=tmp_path / "home")).list()
    assert (job.state, job.title, job.result["folder"]) == ("finished", "Build of bert-lines", str(folder))
    assert job.result["memory"] > 100_000_000


WRONG = {
    "no such model": (["--model", "nobody/no-such-model"], "nobody/no-such-model"),
    "impossible model name": (["--model", "a b"], "no model name"),
    "endless model name": (["--model", "x" * 5000], "no model name"),
    "no such corpus": (["--corpus", "missing.txt"], "missing.txt"),
    "empty corpus": (["--corpus", "empty.txt"], "empty.txt"),
    "blank corpus": (["--corpus", "blank.txt"], "blank.txt"),
    "no such column": (["--column", "words"], "words"),
    "unknown projection": (["--projections", "pca,isomap"], "--projections: isomap"),
    "no projection": (["--projections", ","], "--projections: nothing"),
    "impossible dims": (["--dims", "4"], "--dims: 4"),
    "unknown engine": (["--engine", "magic"], "--engine"),
    "negative seed": (["--seed", "-1"], "--seed"),
    "large seed": (["--seed", str(2**32)], "--seed"),
    "negative jobs": (["--jobs", "-1"], "--jobs"),
    "no inputs": (["--max-inputs", "0"], "--max-inputs"),
    "no room for text": (["--max-tokens", "2"], "limit of 2 tokens"),
    "a word for a number": (["--max-tokens", "ten"], "--max-tokens"),
    "unknown device": (["--device", "abacus"], "abacus"),
    "unknown option": (["--colour", "red"], "--colour"),
    "bad name": (["--out", "Not A Name"], "'Not A Name'"),
    "reserved name": (["--out", "one.partial"], "'one.partial'"),
    "a file in the way": (["--out", "blank.txt"], "blank.txt is a file"),
    "below a file": (["--out", "blank.txt/atlas"], "Cannot write"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_ends_with_one_line_and_leaves_nothing(case, cli, bert, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").touch()
    (tmp_path / "blank.txt").write_text(" \n\t\n")
    load_settings().make_folders()
    before = everything(tmp_path)
    arguments, told = WRONG[case]
    code, errors = cli("--model", bert, "--corpus", corpus, "--projections", "pca", *arguments)
    assert code == 2
    assert len(errors) == 1, errors
    assert told in errors[0]
    left = [name for name in everything(tmp_path) if name not in before and not name.startswith("home/jobs/")]
    assert left == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(cli, bert, corpus, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    code, errors = cli("--model", bert, "--corpus", corpus, "--out", closed / "atlas")
    assert (code, len(errors)) == (2, 1)
    assert "closed" in errors[0]


def test_a_read_only_place_is_named(cli, bert, corpus):
    code, errors = cli("--model", bert, "--corpus", corpus, "--out", "/proc/atlas")
    assert (code, len(errors)) == (2, 1)
    assert "/proc" in errors[0]


def test_a_model_that_gives_nan_leaves_nothing(corpus, tmp_path, out):
    model = save_model(tmp_path / "model", "bert")
    patch_weights(model, lambda tensor: tensor * torch.nan)
    with pytest.raises(ModelError) as error:
        build(request_for(model, corpus), out, quiet())
    assert "\n" not in str(error.value)
    assert everything(out.parent) == []


def test_vectors_too_large_for_float16_name_the_option_that_helps(corpus, tmp_path, cli):
    model = save_model(tmp_path / "model", "bert")
    patch_weights(model, lambda tensor: tensor * 1e5)
    out = tmp_path / "atlases" / "one"
    arguments = ["--model", model, "--corpus", corpus, "--projections", "pca", "--out", out]
    code, errors = cli(*arguments, "--precision", "float16")
    assert (code, len(errors)) == (2, 1)
    assert "--precision float32" in errors[0]
    assert everything(out.parent) == []
    assert cli(*arguments, "--precision", "float32") == (0, [])
    assert open_atlas(out).array("self/keys").dtype == np.float32
    assert np.abs(open_atlas(out).array("self/keys")).max() > 65504


@pytest.mark.parametrize(("factor", "stored"), [(1, "float16"), (2000, "float32"), (1e5, "float32")])
def test_vectors_are_stored_in_float32_where_float16_gives_other_attention(factor, stored, corpus, tmp_path, out):
    """Scores beyond ±10,000 keep no digit after the point in float16; keys beyond 65,504 are infinite in it."""
    model = save_model(tmp_path / "model", "bert")
    patch_weights(model, lambda tensor: tensor * factor)
    build(request_for(model, corpus), out, quiet())
    atlas = open_atlas(out)
    queries, keys = atlas.array("self/queries"), atlas.array("self/keys")
    assert queries.dtype == keys.dtype == stored
    assert error_of_stored(atlas) < 5e-3 + 3e-4
    assert atlas.info.capture_error < (5e-3 if stored == "float16" else 1e-3)
    with np.errstate(over="ignore"):
        scores = np.einsum("lhqd,lhkd->lhqk", np.array(queries, float), np.array(keys, float)) * 8**-0.5
        assert (np.abs(scores).max() > 1e4) == (stored == "float32")
        assert np.isinf(np.array(keys).astype("float16")).any() == (factor == 1e5)


def test_float16_that_was_asked_for_and_does_not_agree_is_refused(corpus, tmp_path, out):
    model = save_model(tmp_path / "model", "bert")
    patch_weights(model, lambda tensor: tensor * 2000)
    with pytest.raises(CaptureError, match=r"float16 differs from the model's own by .*--precision float32") as error:
        build(request_for(model, corpus, precision="float16"), out, quiet())
    assert "\n" not in str(error.value)
    assert everything(out.parent) == []


def test_what_outgrows_float16_in_the_middle_is_captured_again_in_float32(tmp_path, out, captured, monkeypatch):
    """No checked input tells: the first input alone has vectors that float16 cannot hold."""
    model = save_model(tmp_path / "model", "bert")
    corpus = write_corpus(tmp_path / "lines.txt", TEXTS)
    plain = capture_stage.capture

    def capture(loaded, inputs, **options):
        for item in plain(loaded, inputs, **options):
            if item.index == 1:
                item.keys[1, 2, 0] *= 1e6
            yield item

    monkeypatch.setattr(capture_stage, "capture", capture)
    build(request_for(model, corpus), out, quiet())
    atlas = open_atlas(out)
    assert atlas.array("self/keys").dtype == np.float32
    assert np.isfinite(atlas.array("self/keys")).all()
    assert len(captured) > len(TEXTS)
    assert verify(out) == []


def test_memory_that_runs_out_is_one_line(cli, bert, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "run_build", lambda *a, **k: (_ for _ in ()).throw(MemoryError))
    code, errors = cli("--model", bert, "--corpus", corpus, "--out", tmp_path / "one")
    assert (code, len(errors)) == (2, 1)
    assert "Memory ran out" in errors[0]


def test_columns_of_the_corpus_never_hide_ours(bert, tmp_path, out):
    corpus = tmp_path / "rows.csv"
    corpus.write_text("sentence,text,text_,tokens\nthe cat,one,two,three\nthe dog,four,five,six\n")
    build(request_for(bert, corpus, column="sentence"), out, quiet())
    inputs = open_atlas(out).inputs
    assert list(inputs.text) == ["the cat", "the dog"]
    assert {tuple(values) for name, values in inputs.columns.items() if name != "tokens"} == {
        ("one", "four"), ("two", "five"), ("three", "six"),
    }  # fmt: skip


def test_the_default_folder_is_a_name_an_atlas_may_have(tmp_path):
    for model, name in (("org/Some.Model_v2", "My Corpus!"), ("x" * 90, "y" * 90), ("\u2603", "\u2603")):
        folder = default_folder(tmp_path, model, name)
        assert pipeline.SLUG.fullmatch(folder.name)
