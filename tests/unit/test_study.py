"""A build studies scales and measures its maps: what it stores equals the services' own answers and plain numpy."""

import json
import shutil
import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest
from building import everything, request_for, write_corpus
from scipy import stats
from tiny_models import save_model

from services.alignment import align, head_alignment, unit_length
from services.alignment.fitting import fitted_of_head
from services.alignment.pairs import head_pairs
from services.alignment.scale_metrics import CONSTANTS, METRICS, choose_scales, norm_ratio, study_head
from services.alignment.study import curves, scales
from services.atlas import open_atlas, verify
from services.atlas.measure_table import COLUMNS
from services.errors import BuildError, Cancelled
from services.measures import registry
from services.measures.attended import attended_in_atlas
from services.measures.fidelity import MEASURES, aligned_fidelity, head_sample, layout_fidelity
from services.measures.findings import findings
from services.measures.layer import SPACES
from services.measures.measure import GRADES, grade, score
from services.measures.names import UNTRAINED
from services.measures.report import head_report, report_key, report_payload
from services.pipeline import measure_stage
from services.pipeline.build import build
from services.pipeline.parallel import Journal
from services.pipeline.progress import Progress
from services.pipeline.study_stage import sampled_inputs

WORDS = ["the", "cat", "sat", "on", "a", "mat", "because", "it", "was", "tired", "and", "dog"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny model and a corpus of twelve inputs."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(6, 14))) + "." for _ in range(12)]
    return save_model(folder / "bert", "bert"), write_corpus(folder / "lines.txt", texts)


@pytest.fixture(scope="module")
def built(place, tmp_path_factory):
    """The default alignment, with two maps."""
    folder = tmp_path_factory.mktemp("built") / "one"
    return build(request_for(*place, ("pca", "umap"), (2,)), folder, quiet())


def quiet():
    return Progress("one", None, bar=False)


def vectors(atlas, layer, head):
    return (atlas.array(f"self/{side}")[layer, head].astype(np.float32) for side in ("queries", "keys"))


# ---- alignment


def test_maps_start_from_the_alignment_that_the_atlas_names(built):
    atlas = open_atlas(built)
    assert (atlas.info.alignment.scale, atlas.info.alignment.distance) == ("norms", "cosine")
    stream = atlas.stream("self")
    queries, keys = vectors(atlas, 1, 2)
    alignment = head_alignment(atlas, stream, 1, 2)
    assert alignment.c == pytest.approx(norm_ratio(queries, keys))
    moved = np.concatenate([alignment.queries(queries), alignment.keys(keys)]).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-6)
    counted = atlas.tokens(stream.query_table).position > 0  # the first token of an input is shown, and not fitted to
    by_hand = queries * alignment.c, keys / alignment.c
    shifted = by_hand[1] + by_hand[0][counted].mean(axis=0) - by_hand[1][counted].mean(axis=0)
    expected = np.concatenate([by_hand[0], shifted])
    np.testing.assert_allclose(moved, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    counted = np.concatenate([counted, counted])
    centred = moved[counted] - moved[counted].mean(axis=0)
    spread = np.linalg.svd(centred, compute_uv=False)[:2]
    shown = np.asarray(atlas.array("self/pca2d")[1, 2], np.float64)[counted]
    np.testing.assert_allclose(np.linalg.svd(shown, compute_uv=False), spread, rtol=1e-4)


def test_a_zero_vector_stays_zero_at_unit_length():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(unit_length(np.array([[0.0, 0.0], [3.0, 4.0]])), np.float32([[0, 0], [0.6, 0.8]]))
        _, _, alignment = align(np.zeros((3, 2)), np.zeros((2, 2)), None, "cosine")
        assert not alignment.queries(np.zeros((3, 2))).any()


def test_new_vectors_take_the_same_way(built):
    atlas = open_atlas(built)
    queries, keys = vectors(atlas, 0, 1)
    alignment = head_alignment(atlas, atlas.stream("self"), 0, 1)
    fitted = fitted_of_head(atlas, atlas.stream("self"), queries, keys)
    moved, moved_keys, own = align(queries, keys, alignment.c, "cosine", fitted)
    np.testing.assert_allclose(alignment.queries(queries[3:5]), moved[3:5], atol=1e-6)
    np.testing.assert_allclose(alignment.keys(keys[7]), moved_keys[7], atol=1e-6)
    np.testing.assert_allclose(alignment.translation, own.translation, atol=1e-6)


def test_an_atlas_from_before_still_opens(built, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(built, old)
    info = json.loads((old / "atlas.json").read_text())
    del info["alignment"]
    measured = [n for n in info["files"] if n.startswith("self/measures.parquet/")]
    for name in [*measured, "self/scaling.parquet"]:
        (old / name).unlink()
        del info["files"][name]
    table = pq.read_table(old / "heads.parquet").drop_columns(["scale", "distance"])
    pq.write_table(table, old / "heads.parquet")
    info["files"]["heads.parquet"] = {"bytes": (old / "heads.parquet").stat().st_size, "sha256": "0" * 64}
    (old / "atlas.json").write_text(json.dumps(info))
    atlas = open_atlas(old)
    stream = atlas.stream("self")
    assert (atlas.info.alignment.scale, atlas.info.alignment.distance) == ("norms", "euclidean")
    assert head_alignment(atlas, stream, 0, 0).distance == "euclidean"
    assert scales(atlas, stream) is None
    assert curves(atlas, stream, 0, 0) is None
    assert not atlas.measures(stream).measured
    report = head_report(atlas, stream, 0, 0, "pca2d")
    assert (report.of_map, report.of_head, report.spaces, report.scale) == ({}, {}, {}, "norms")
    payload = report_payload(atlas, stream)
    assert (payload["maps"], payload["spaces"], payload["heads"]["measures"]) == ({}, {}, {})
    assert findings(atlas, stream) is None


def test_c_can_come_from_the_study(place, tmp_path):
    folder = build(
        request_for(*place, ("pca",), (2,), scale="pearson", distance="euclidean"), tmp_path / "pearson", quiet()
    )
    atlas = open_atlas(folder)
    stream = atlas.stream("self")
    best = scales(atlas, stream)["pearson"]["best"]
    for layer in range(stream.layers):
        for head in range(stream.heads):
            assert head_alignment(atlas, stream, layer, head).c == pytest.approx(best[layer, head])
    assert set(atlas.heads["scale"]) == {"pearson"}
    assert build(request_for(*place, ("pca",), (2, 3)), folder, quiet()) == folder  # takes the atlas's own
    with pytest.raises(BuildError, match="aligned with --scale pearson --distance euclidean"):
        build(request_for(*place, ("pca",), (2,), scale="norms"), folder, quiet())


# ---- study


def test_the_stored_study_equals_a_plain_computation(built):
    atlas = open_atlas(built)
    stream = atlas.stream("self")
    queries, keys = (side.astype(np.float64) for side in vectors(atlas, 1, 3))
    inputs, counted = atlas.tokens().input, atlas.tokens().position > 0
    rows, columns = np.nonzero(inputs[:, None] == inputs)
    dots = (queries @ keys.T)[rows, columns]
    found = curves(atlas, stream, 1, 3)
    assert [row["c"] for row in found] == sorted(row["c"] for row in found)
    assert [row["c"] for row in found if row["on_grid"]] == list(CONSTANTS)
    for row in (row for row in found if row["on_grid"]):
        middles = queries[counted].mean(axis=0), keys[counted].mean(axis=0)
        moved = row["c"] * (queries - middles[0]), (keys - middles[1]) / row["c"]
        distances = np.linalg.norm(moved[0][rows] - moved[1][columns], axis=1)
        assert row["pearson"] == pytest.approx(stats.pearsonr(dots, distances).statistic, abs=1e-6)
        assert row["spearman"] == pytest.approx(stats.spearmanr(dots, distances).statistic, abs=1e-6)


def test_the_stored_choices_are_those_of_all_heads_together(built):
    atlas = open_atlas(built)
    stream = atlas.stream("self")
    pairs, studies = [], []
    for layer in range(stream.layers):
        for head in range(stream.heads):
            queries, keys = vectors(atlas, layer, head)
            fitted = fitted_of_head(atlas, stream, queries, keys)
            pairs.append(head_pairs(queries, keys, atlas.stream_tokens(stream), fitted=fitted))
            studies.append(study_head(pairs[-1], norm_ratio(queries, keys), spearman=False))
    expected = choose_scales(studies, pairs_of=lambda index: pairs[index])
    found = scales(atlas, stream)
    assert set(found) == set(METRICS)
    for index, choice in enumerate(expected):
        cell = divmod(index, stream.heads)
        for metric in METRICS:
            wanted = choice.grid[metric], choice.best[metric]
            got = found[metric]["grid"][cell], found[metric]["best"][cell]
            assert [None if np.isnan(v) else v for v in got] == pytest.approx(list(wanted), rel=1e-6)
            assert found[metric]["reasons"].get(cell) == choice.reasons.get(metric)


def test_a_sample_of_inputs_is_seeded_and_never_empty():
    counts = np.array([400, 100, 300, 25])
    assert sampled_inputs(counts, 2000).tolist() == [0, 1, 2, 3]
    some = sampled_inputs(counts, 600)
    assert 0 < counts[some].sum() <= 600
    assert some.tolist() == sampled_inputs(counts, 600).tolist()
    assert len(sampled_inputs(counts, 1)) == 1


# ---- fidelity


def test_the_stored_fidelity_is_that_of_the_service(built):
    atlas = open_atlas(built)
    stream = atlas.stream("self")
    queries, keys = vectors(atlas, 1, 0)
    alignment = head_alignment(atlas, stream, 1, 0)
    attention = attended_in_atlas(atlas, stream, 1, 0)
    moved = alignment.queries(queries), alignment.keys(keys)
    sample = head_sample(queries, keys, *moved, atlas.stream_tokens(stream), attended=attention.top)
    table = atlas.measures(stream)
    for name in ("pca2d", "umap2d"):
        expected = layout_fidelity(sample, atlas.array(f"self/{name}")[1, 0])
        found = {measure: table.of(measure, 1, 0, name) for measure in MEASURES}
        assert found == pytest.approx(expected.values, abs=1e-12)
    expected = aligned_fidelity(sample).values
    assert {name: table.of(name, 1, 0, "aligned") for name in expected} == pytest.approx(expected)
    assert table.get("trustworthiness", "aligned") is None
    assert table.get("query_spearman", "lift").values == pytest.approx(-1, abs=1e-6)
    for name in ("first_share", "last_share", "even_share"):
        assert table.of(name, 1, 0) == pytest.approx(getattr(attention, name))


def test_one_table_holds_every_number_once(built):
    """As pyarrow and pandas read it: a folder of parts is one table."""
    atlas = open_atlas(built)
    table = pq.read_table(built / "self/measures.parquet")
    assert table.schema.equals(COLUMNS)
    rows = table.to_pylist()
    rows = [row for row in rows if row["space"] != UNTRAINED]
    keys = [tuple(row[name] for name in COLUMNS.names[:4]) for row in rows]
    assert len(set(keys)) == len(keys)
    maps = {projection.name for projection in atlas.info.projections}
    wanted = {(m.name, space) for space in (None, *maps, *SPACES) for m in registry.of_space(space, "text")}
    assert {(measure, space) for measure, space, _, _ in keys} == wanted
    assert len(rows) == len(wanted) * 2 * 4
    known = atlas.measures(atlas.stream("self"))
    for row in rows:
        assert (row["value"] is None) == (row["reason"] is not None)
        assert known.of(row["measure"], row["layer"], row["head"], row["space"]) == row["value"]


def test_measures_of_vectors_and_attention_equal_a_plain_computation(built):
    atlas = open_atlas(built)
    stream, tokens = atlas.stream("self"), atlas.tokens()
    table = atlas.measures(stream)
    for layer, head in ((0, 0), (1, 3)):
        queries, keys = vectors(atlas, layer, head)
        assert table.of("query_norm", layer, head) == pytest.approx(np.median(np.linalg.norm(queries, axis=1)))
        assert table.of("key_norm", layer, head) == pytest.approx(np.median(np.linalg.norm(keys, axis=1)))
        assert table.of("c", layer, head) == head_alignment(atlas, stream, layer, head).c
        rows = {"previous": [], "special": [], "punctuation": [], "entropy": []}
        for index in range(len(atlas.inputs)):
            weights = atlas.attention(stream).block(index, layer, head).astype(float)
            mine = list(range(*tokens.offsets[index : index + 2]))
            marks = [not any(character.isalnum() for character in tokens.text[row]) for row in mine]
            for query, row in enumerate(weights):
                if query:
                    rows["previous"].append(row[query - 1])
                rows["special"].append(row[tokens.special[mine]].sum())
                rows["punctuation"].append(row[marks].sum())
                share = row / row.sum()
                rows["entropy"].append(-(share[share > 0] * np.log(share[share > 0])).sum() / np.log(len(row)))
        for name, values in rows.items():
            assert table.of(name, layer, head) == pytest.approx(np.mean(values), abs=1e-5), name
    assert np.nanmin(table.get("punctuation").values) > 0


class StopsAtTheFirstMeasuredLayer:
    """Stops a build when the journal first notes a layer of the maps that are measured last."""

    def __init__(self, monkeypatch):
        self.progress, self.units = quiet(), []
        plain_record, plain_unit = Journal.record, measure_stage.measure_unit

        def record(journal, stage, units):
            plain_record(journal, stage, units)
            if stage.startswith("self:measure") and self.of_umap():
                self.progress.stop()

        def unit(folder, stream, layer, *rest):
            self.units.append((layer, {space for _, space in rest[2]}))
            return plain_unit(folder, stream, layer, *rest)

        monkeypatch.setattr(Journal, "record", record)
        monkeypatch.setattr(measure_stage, "measure_unit", unit)

    def of_umap(self):
        return [layer for layer, spaces in self.units if "umap2d" in spaces]


def test_measuring_goes_on_after_a_stop_and_maps_are_there_before(place, built, tmp_path, monkeypatch):
    stopped = StopsAtTheFirstMeasuredLayer(monkeypatch)
    request = request_for(*place, ("pca", "umap"), (2,))
    folder = tmp_path / "one"
    with pytest.raises(Cancelled):
        build(request, folder, stopped.progress)
    atlas = open_atlas(folder)
    assert atlas.info.projection("umap2d", "self")
    assert "umap2d" not in atlas.measures(atlas.stream("self")).spaces
    assert stopped.of_umap() == [0]
    stopped.progress = quiet()
    monkeypatch.undo()
    again = []
    plain = measure_stage.measure_unit
    monkeypatch.setattr(
        measure_stage, "measure_unit", lambda f, s, layer, *r: again.append(layer) or plain(f, s, layer, *r)
    )
    build(request, folder, quiet())
    assert again == [1]
    assert verify(folder) == []
    assert everything(folder) == everything(built)
    for name in ("self/measures.parquet", "self/scaling.parquet"):
        assert pq.read_table(folder / name).equals(pq.read_table(built / name))


def test_the_key_of_an_atlas_stays_when_more_is_measured(built, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(built, bare)
    journal = Journal.load(bare)
    journal.drop(["self/measures.parquet/umap2d.parquet", "self/scaling.parquet"])
    journal.save()
    from services.pipeline.publish import write_info

    class Unchanged:
        title = None

    write_info(bare, Unchanged(), journal, quiet())
    less, more = open_atlas(bare), open_atlas(built)
    assert less.info.key == more.info.key
    assert report_key(less, less.stream("self")) != report_key(more, more.stream("self"))


def test_one_token_and_one_key_say_why_not(place, tmp_path):
    one = write_corpus(tmp_path / "one.txt", ["a"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        folder = build(request_for(place[0], one, ("pca",), (2,)), tmp_path / "tiny", quiet())
        atlas = open_atlas(folder)
        stream = atlas.stream("self")
        payload = report_payload(atlas, stream)
    assert all(metric["reasons"] or not np.isnan(metric["best"]).any() for metric in scales(atlas, stream).values())
    values = payload["maps"]["pca2d"]["measures"]
    assert "NaN" not in json.dumps(payload)
    for cell in range(stream.layers * stream.heads):
        name = f"{cell // stream.heads}-{cell % stream.heads}"
        for measure, known in values.items():
            assert (known[cell] is None) == (measure in payload["maps"]["pca2d"]["reasons"].get(name, {}))
    assert any("only" in note for note in payload["maps"]["pca2d"]["notes"]["0-0"])


# ---- words


@pytest.mark.parametrize("measure", registry.MEASURES, ids=lambda measure: measure.name)
def test_grades_rise_with_the_score(measure):
    if measure.best is None:
        assert (score(measure, 1.0), grade(measure, 1.0), measure.bounds) == (None, None, None)
        return
    values = np.linspace(measure.zero, measure.best, 21)
    assert [score(measure, value) for value in values] == pytest.approx(np.linspace(0, 1, 21))
    assert score(measure, 2 * measure.zero - measure.best) == 0
    if measure.bounds is None:
        assert grade(measure, measure.best) is None
        return
    grades = [GRADES.index(grade(measure, value)) for value in values]
    assert grades == sorted(grades)
    assert (grades[0], grades[-1]) == (0, 3)


def test_measures_name_all_there_are():
    names = [measure.name for measure in registry.measures()]
    assert len(set(names)) == len(names)
    assert set(MEASURES) <= set(names)
    assert registry.find("query_spearman").form.text(-0.25) == "−0.25"
    assert registry.find("best_near").form.text(0.336) == "34 %"
    assert registry.find("distance").form.text(3.14) == "3.1 tokens"
    with pytest.raises(KeyError):
        registry.find("beauty")
