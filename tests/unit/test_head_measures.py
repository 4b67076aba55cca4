"""Every measure of the registry is computed, shown, ordered by, exported and documented; so are two toy measures."""

import argparse
import json

import numpy as np
import pytest
from building import copy, request_for, write_corpus
from tiny_models import save_model

from components.badges import measure_fields
from components.panels.head_facts import head_facts
from components.state.atlas_page import AtlasPage
from components.state.tables import tables
from services.atlas import ProjectionRef, open_atlas
from services.commands.build import add_options
from services.export import measures_table
from services.measures import registry
from services.measures.findings import findings
from services.measures.measure import GRADES, SHARE, Measure, StandsOut, grade
from services.measures.registry import of_space
from services.measures.report import report_key, report_payload
from services.pipeline.build import build
from services.pipeline.progress import Progress
from tools.documents import DOCS, DOCUMENTS, head_measures

TEXTS = ["the cat sat on the mat.", "because it was tired, the dog sat.", "a cat, a dog and the mat", "it was the cat"]


def even_layers(layer):
    """1 for heads of even layers, no number for head 3, and in all layers 0 else."""
    return ["it is the last head" if head == 3 else float(layer.number % 2 == 0) for head in range(layer.heads)]


def spread(layer):
    return [float(np.ptp(layer.cloud(layer.space, head))) for head in range(layer.heads)]


TOYS = (
    Measure(
        name="even_layers",
        label="Even layers",
        sentence="Whether the layer of a head is even.",
        compute=even_layers,
        group="Toys",
        form=SHARE,
        best=1.0,
        bounds=(0.2, 0.4, 0.9),
        stands_out=(StandsOut("even", "An even head", "It is even: {value}.", 0.5),),
    ),
    Measure("spread", "Spread", "How wide a map is.", spread, "map", "Toys"),
)
PCA = ProjectionRef("pca", 2)
NAMES = [measure.name for measure in registry.listed("text")]
NAMES += [m.name for m in registry.MEASURES if not m.listed and m.modality is None]


@pytest.fixture(scope="module")
def model_and_corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measures")
    return save_model(folder / "bert", "bert"), write_corpus(folder / "lines.txt", TEXTS)


@pytest.fixture(scope="module")
def before(model_and_corpus, tmp_path_factory):
    """An atlas that was built before there were toys."""
    return build(request_for(*model_and_corpus, ("pca",), (2,)), tmp_path_factory.mktemp("before") / "one", quiet())


@pytest.fixture
def toys(monkeypatch):
    """Two more entries in the registry."""
    monkeypatch.setattr(registry, "MEASURES", (*registry.MEASURES, *TOYS))


def quiet():
    return Progress("one", None, bar=False)


def options(field, select) -> dict[str, str]:
    """Label of each value of a select."""
    fields = measure_fields(field, "text", cross=True).to_plotly_json()
    found = json.loads(json.dumps(fields, default=lambda part: part.to_plotly_json()))
    pending, selects = [found], {}
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if "options" in part:
                selects[part["id"]] = part["options"]
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return {option["value"]: option["label"] for option in selects[select] if not option.get("disabled")}


def words_of(parts) -> str:
    return json.dumps(parts, default=lambda part: part.to_plotly_json(), ensure_ascii=False)


def help_of_build() -> str:
    cli = argparse.ArgumentParser()
    add_options(cli)
    return " ".join(cli.format_help().split())


# ---- every entry of the registry


def test_the_documents_are_what_the_registries_say():
    for name, make in DOCUMENTS.items():
        assert (DOCS / name).read_text(encoding="utf-8") == make(), f"python -m tools.documents --write ({name})"


@pytest.mark.parametrize("name", NAMES)
def test_a_measure_is_complete_and_in_every_place(name, before):
    measure, atlas = registry.find(name), open_atlas(before)
    stream = atlas.info.streams[0]
    assert name.isidentifier()
    assert name == name.lower()
    assert len(name) <= 32
    assert measure.sentence.endswith(".")
    assert measure.bounds is None or measure.best is not None
    spaces = [space for space in (None, "pca2d", "aligned", "unaligned", "lift") if measure in of_space(space)]
    columns = measures_table(atlas, stream).column_names
    for space in spaces:
        found = atlas.measures(stream).get(name, space)
        defined = np.isfinite(found.values)
        assert all(found.reasons[cell] for cell in zip(*np.nonzero(~defined), strict=True))
        assert (name if space is None else f"{name}_{space}") in columns
    assert f"`{name}`" in head_measures()
    picture = AtlasPage.from_query({}, atlas).picture
    badges, orders = options(picture, "badge-select"), options(picture, "order-select")
    said = {entry["name"]: entry for entry in tables("/")["measures"]}
    assert (name in badges) == (name in orders) == (name in said) == measure.listed
    facts = words_of(head_facts(atlas, stream, 1, 2, PCA))
    assert (measure.sentence in facts) or not measure.listed
    if measure.listed:
        assert badges[name] == orders[name] == said[name]["label"] == measure.label
        assert measure.label in help_of_build()
        page = AtlasPage.from_query({"badge": name, "order": name}, atlas)
        assert (page.picture.badge, page.picture.order, page.dropped) == (name, name, ())


# ---- toys


def test_a_build_adds_what_is_new_in_the_registry_and_computes_nothing_else(
    model_and_corpus, before, tmp_path, toys, monkeypatch
):
    folder = copy(before, tmp_path / "one")
    old = open_atlas(folder)
    key, version = old.info.key, report_key(old, old.info.streams[0])
    parts = {file.name: file.read_bytes() for file in (folder / "self/measures.parquet").iterdir()}
    from services.measures import layer

    def never(*_):
        raise AssertionError("measured already")

    monkeypatch.setattr(layer, "fidelities", never)
    monkeypatch.setattr(layer, "attended_in_atlas", never)
    build(request_for(*model_and_corpus, ("pca",), (2,)), folder, quiet())
    atlas = open_atlas(folder)
    stream = atlas.info.streams[0]
    assert atlas.info.key == key
    assert report_key(atlas, stream) != version
    table = atlas.measures(stream)
    even = table.get("even_layers")
    assert even.values[:, :3].tolist() == [[1.0] * 3, [0.0] * 3]
    assert np.isnan(even.values[:, 3]).all()
    assert even.reasons == {(0, 3): "it is the last head", (1, 3): "it is the last head"}
    layout = np.asarray(atlas.array("self/pca2d"))
    expected = [[np.ptp(layout[layer, head]) for head in range(4)] for layer in range(2)]
    assert table.get("spread", "pca2d").values == pytest.approx(np.array(expected))
    assert not table.has("spread", "aligned")
    now = {file.name: file.read_bytes() for file in (folder / "self/measures.parquet").iterdir()}
    assert now.keys() - parts.keys() == {"heads-2.parquet", "pca2d-2.parquet"}
    assert all(now[name] == content for name, content in parts.items())
    _toys_are_everywhere(atlas, stream)


def _toys_are_everywhere(atlas, stream):
    picture = AtlasPage.from_query({"badge": "spread", "order": "even_layers"}, atlas)
    assert (picture.picture.badge, picture.picture.order, picture.dropped) == ("spread", "even_layers", ())
    for select in ("badge-select", "order-select"):
        found = options(picture.picture, select)
        assert (found["even_layers"], found["spread"]) == ("Even layers", "Spread")
    said = {entry["name"]: entry for entry in tables("/")["measures"]}
    assert (said["even_layers"]["scope"], said["spread"]["scope"]) == ("head", "map")
    assert said["even_layers"]["form"] == {"factor": 100, "digits": 0, "unit": " %"}
    facts = words_of(head_facts(atlas, stream, 0, 2, PCA))
    assert "Toys" in facts
    for measure in TOYS:
        assert measure.sentence in facts
    assert "100 %" in facts
    assert "it is the last head" in words_of(head_facts(atlas, stream, 0, 3, PCA))
    payload = report_payload(atlas, stream)
    assert payload["heads"]["measures"]["even_layers"] == [1, 1, 1, None, 0, 0, 0, None]
    assert payload["heads"]["reasons"]["1-3"]["even_layers"] == "it is the last head"
    assert len(payload["maps"]["pca2d"]["measures"]["spread"]) == 8
    exported = measures_table(atlas, stream).to_pydict()
    assert exported["even_layers"] == [1, 1, 1, None, 0, 0, 0, None]
    assert len(exported["spread_pca2d"]) == 8
    (finding,) = [one for one in findings(atlas, stream) if one.kind == "even"]
    assert (finding.title, finding.text, finding.layer) == ("An even head", "It is even: 100 %.", 0)
    document = head_measures()
    assert "## Toys" in document
    assert "| `even_layers` | Even layers | Whether the layer of a head is even. | a head | 100 % |" in document
    assert "Toys: Even layers · Spread." in help_of_build()
    assert grade(registry.find("even_layers"), 1.0) == GRADES[3]


def test_a_link_to_a_measure_that_is_no_more_is_dropped_with_a_sentence(before):
    page = AtlasPage.from_query({"badge": "even_layers"}, open_atlas(before))
    assert page.picture.badge == registry.DEFAULT
    assert "even_layers" in page.dropped[0]
