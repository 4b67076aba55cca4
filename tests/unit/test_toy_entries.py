"""One more token attribute and one more projection method in the registries are everywhere."""

import argparse
import importlib
import io
import json

import numpy as np
import pytest
from building import request_for, write_corpus
from tiny_models import save_model

from components import glossary_terms, help_texts
from components.catalogue import catalogue, dims_options, method_options, scene_colour
from components.colouring import colour_field
from components.export_html import head_html
from components.legend import legend
from components.palettes import NAMES, THEMES, palette
from components.state.atlas_page import AtlasPage
from components.state.tables import tables
from services.alignment.variants import scale_variant
from services.atlas import ProjectionRef, open_atlas
from services.attributes import registry as attributes
from services.attributes.attribute import CUBE, SIDE_STEPS, Column, TokenAttribute
from services.commands.build import add_options
from services.export import coordinates_table, facts, tokens_table, write_csv
from services.jobs.scaled_maps import made_by_jobs
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.projection import registry as methods
from services.projection.placing import place_by_distance
from services.search.token_table import columns_of, page, table_columns
from tools.documents import projection_methods, token_attributes

TEXTS = ["the cat sat on the mat.", "because it was tired, the dog sat.", "a cat, a dog and the mat", "it was the cat"]


def vowels(tokens):
    return np.array([sum(letter in "aeiou" for letter in text) for text in tokens.text], float)


VOWELS = TokenAttribute(
    name="vowels",
    label="Vowels",
    kind="sequential",
    explain="How many vowels the token has.",
    numbers=vowels,
    form="{:.0f} vowels",
    low="few",
    high="many",
    column=Column("vowels", "Vowels", "int32", "Number of vowels.", order=55, export="vowel_count"),
    in_column=lambda tokens: vowels(tokens).astype(int),
)
PARITY = TokenAttribute(
    name="parity",
    label="Parity",
    kind="categorical",
    explain="Whether the position is even.",
    of_tokens=lambda tokens: tokens.position % 2,
    categories=("even", "odd"),
)
OWN_COLOUR = TokenAttribute(
    name="own_colour",
    label="Own colour",
    kind="colour",
    explain="A colour of its own.",
    of_tokens=lambda tokens: np.stack([tokens.position * 20, tokens.input * 60, 0 * tokens.input], 1).astype(np.uint8),
)
LOST = TokenAttribute(
    name="lost",
    label="Lost",
    kind="categorical",
    explain="Nothing has it.",
    of_tokens=lambda tokens: tokens.position,
    categories=("a", "b"),
    lacks=lambda atlas: "No atlas has this.",
)
OF_IMAGES = TokenAttribute(
    name="tint",
    label="Tint",
    kind="cyclic",
    explain="Of an image.",
    modality="image",
    of_tokens=lambda tokens: tokens.position,
    categories=("a", "b"),
)
TOYS = (VOWELS, PARITY, OWN_COLOUR, LOST, OF_IMAGES)


class ShearMethod:
    """The start, sheared: so that what is built can be worked out here."""

    name = "shear"
    label = "Shear"
    in_text = "sheared map"
    made = "A sheared map is sheared"
    trust = "is not to be believed."
    term = ("shear", "Shear", "Moving each point along by its height.")
    preserves = "nothing"
    gives_up = "everything"
    needs = "vectors"
    follows_alignment = True
    shows_shape = False
    judged_by = "best_near"
    sizes = ""
    study_space = None

    def parameters(self, dims, engine, points):
        return {"engine": engine, "slope": 0.5}

    def iterations(self, points):
        return 1

    def fit(self, head, dims):
        head.watch.check()
        layout = head.target(dims).copy()
        layout[:, 0] += 0.5 * layout[:, 1]
        return layout

    def refine(self, head, dims):
        return self.fit(head, dims)

    def fit_together(self, heads, dims):
        return None

    def place(self, points, new, layout, head):
        return place_by_distance(points, new, layout, head)


SHEAR = ShearMethod()
MAP = ProjectionRef("shear", 2)


@pytest.fixture
def toys(monkeypatch):
    """More entries in both registries; words that are made of them when a module is read are made anew."""
    monkeypatch.setattr(attributes, "ATTRIBUTES", (*attributes.ATTRIBUTES, *TOYS))
    monkeypatch.setattr(methods, "PROJECTION_METHODS", (*methods.PROJECTION_METHODS, SHEAR))


@pytest.fixture(scope="module")
def model_and_corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    return save_model(folder / "bert", "bert"), write_corpus(folder / "lines.txt", TEXTS)


@pytest.fixture
def atlas(toys, model_and_corpus, tmp_path):
    request = request_for(*model_and_corpus, ("pca", "shear"), (2,))
    return open_atlas(build(request, tmp_path / "one", Progress("one", None, bar=False)))


def words_of(part) -> str:
    return json.dumps(part, default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def help_of_build() -> str:
    cli = argparse.ArgumentParser()
    add_options(cli)
    return " ".join(cli.format_help().split())


# ---- a method


def test_a_build_makes_measures_and_records_the_map(atlas):
    stream = atlas.info.streams[0]
    info = atlas.info.projection(MAP, stream.name)
    assert info.parameters == {"engine": "fast", "slope": 0.5}
    assert atlas.measures(stream).has("best_near", "shear2d")
    pca, sheared = (np.asarray(atlas.array(f"self/{name}2d")[1, 2], float) for name in ("pca", "shear"))
    moved = pca.copy()
    moved[:, 0] += 0.5 * moved[:, 1]

    def distances(layout):
        return np.linalg.norm(layout[:, None] - layout[None], axis=-1)

    np.testing.assert_allclose(distances(sheared), distances(moved), atol=1e-3)  # turned onto the start, nothing more


def test_the_method_is_in_every_place(atlas, tmp_path):
    stream = atlas.info.streams[0]
    assert {"label": "Shear", "value": "shear", "disabled": False} in method_options(atlas, stream, False)
    assert [option["disabled"] for option in dims_options(atlas, stream, "shear")] == [False, True]
    known = catalogue(atlas, stream)["maps"]["shear2d"]
    assert (known["method"], known["label"], known["follows"]) == ("shear", "Shear", "later")
    chosen = AtlasPage.from_query({"method": "shear"}, atlas)
    assert (chosen.view.ref, chosen.dropped) == (MAP, ())
    said = facts(atlas, stream, atlas.info.projection(MAP, stream.name), (0, 1))
    assert "sheared map, 2D" in said["title"]
    table = coordinates_table(atlas, stream, atlas.info.projection(MAP, stream.name), 0, 1)
    assert np.asarray(table["x"]) == pytest.approx(np.asarray(atlas.array("self/shear2d")[0, 1, :, 0]))
    assert made_by_jobs()[-1] == "shear"
    assert "tsne, pca, shear" in help_of_build()
    assert "| **Shear** | `shear` | aligned vectors | nothing | everything |" in projection_methods()
    assert "- **Shear** is not to be believed." in help_texts.how_far_to_believe()


def test_a_scale_variant_of_the_map_is_one_more_to_make(atlas, tmp_path):
    stream = atlas.info.streams[0]
    variant = scale_variant(atlas, stream, "norms", tmp_path)
    assert [projection.name for projection in variant.missing()] == ["shear_norms2d"]


def test_the_words_of_a_method_reach_help_and_glossary(toys, monkeypatch):
    try:
        assert "A sheared map is sheared" in importlib.reload(help_texts).HELP["method-select"][1]
        assert importlib.reload(glossary_terms).GLOSSARY["shear"][0] == "Shear"
    finally:
        monkeypatch.undo()
        importlib.reload(help_texts)
        importlib.reload(glossary_terms)


def test_a_map_of_a_method_that_is_no_more_still_opens(model_and_corpus, toys, tmp_path, monkeypatch):
    request = request_for(*model_and_corpus, ("pca", "shear"), (2,))
    folder = build(request, tmp_path / "one", Progress("one", None, bar=False))
    monkeypatch.setattr(methods, "PROJECTION_METHODS", methods.PROJECTION_METHODS[:-1])
    atlas = open_atlas(folder)
    stream = atlas.info.streams[0]
    assert {"label": "shear", "value": "shear", "disabled": False} in method_options(atlas, stream, False)
    assert catalogue(atlas, stream)["maps"]["shear2d"]["follows"] == "never"
    assert facts(atlas, stream, atlas.info.projection(MAP, stream.name), (0, 1))["title"]
    assert AtlasPage.from_query({"method": "shear"}, atlas).dropped == ()


# ---- attributes


def test_attributes_are_in_menu_link_legend_and_scene(atlas):
    stream = atlas.info.streams[0]
    state = AtlasPage.from_query({"colour": "vowels"}, atlas)
    assert (state.colouring.colour, state.dropped) == ("vowels", ())
    menu = words_of(colour_field(atlas, state.colouring))
    for toy in (VOWELS, PARITY, OWN_COLOUR):
        assert f'"label": "{toy.label}", "value": "{toy.name}", "disabled": false, "title": "{toy.explain}"' in menu
    assert '"label": "Lost", "value": "lost", "disabled": true, "title": "No atlas has this."' in menu
    assert f'"value": "{OF_IMAGES.name}"' not in menu
    shown = words_of(legend(VOWELS, "light", scale=VOWELS.scale(atlas, stream)))
    most = int(vowels(atlas.tokens(stream.query_table)).max())
    assert "0 vowels" in shown
    assert f"{most} vowels" in shown
    assert VOWELS.explain in shown
    assert "odd" in words_of(legend(PARITY, "light"))
    colour = scene_colour(atlas, stream, "vowels", "light")
    assert (colour["name"], colour["values"][SIDE_STEPS - 1]) == ("vowels", f"{most} vowels")
    dropped = AtlasPage.from_query({"colour": "lost"}, atlas)
    assert (dropped.colouring.colour, dropped.dropped) == ("type", ("No atlas has this.",))


def test_points_that_have_colours_are_shown_in_them(atlas):
    stream = atlas.info.streams[0]
    tokens = atlas.tokens(stream.query_table)
    steps = attributes.point_values(atlas, stream, OWN_COLOUR)
    assert steps.max() % SIDE_STEPS < CUBE**3
    for name in NAMES:
        for theme in THEMES:
            colours = palette(OWN_COLOUR, theme, name)
            for point in (0, 5, len(tokens) + 3):
                red, green, blue = (int(colours[steps[point]][i : i + 2], 16) for i in (1, 3, 5))
                row = point % len(tokens)
                own = 20 * int(tokens.position[row]), 60 * int(tokens.input[row]), 0
                assert max(abs(a - b) for a, b in zip((red, green, blue), own, strict=True)) <= 255 / (CUBE - 1) / 2 + 1


def test_attributes_are_in_the_table_its_filters_and_the_exports(atlas):
    stream = atlas.info.streams[0]
    names = [column.name for column in table_columns(atlas)]
    assert names[names.index("count") : names.index("special") + 1] == ["count", "vowels", "special"]
    columns = columns_of(atlas, stream, 0, 1)
    everything = np.ones(len(columns["kind"]), bool)
    model = {"vowels": {"type": "greaterThan", "filter": 1}}
    sort = [{"colId": "vowels", "sort": "desc"}]
    request = {"startRow": 0, "endRow": 100, "filterModel": model, "sortModel": sort}
    rows, total = page(columns, everything, request)
    found = [row["vowels"] for row in rows]
    assert total == int((columns["vowels"] > 1).sum()) > 0
    assert found == sorted(found, reverse=True)
    table = tokens_table(atlas, stream, 0, 1)
    assert table["vowel_count"].to_pylist() == columns["vowels"].tolist()
    assert set(table["parity"].to_pylist()) == {"even", "odd"}
    assert table["own_colour"][1].as_py() == "#140000"
    assert not {"lost", "tint", "vowels_scaled"} & set(table.column_names)
    header = io.StringIO(write_csv(table).decode()).readline()
    assert '"vowel_count"' in header
    figure = head_html(atlas, stream, atlas.info.projection("pca2d", stream.name), (0, 1), PARITY)
    assert "Queries \\u00b7 odd" in figure or "Queries · odd" in figure


def test_attributes_are_in_the_document(toys):
    document = token_attributes()
    assert (
        "| `vowels` | Vowels | How many vowels the token has. | sequential | token | any | few … many | Vowels |"
        in document
    )
    assert "| `tint` | Tint | Of an image. | cyclic | token | image | a, b |  |" in document


def test_variants_reach_the_browser(toys, monkeypatch):
    other = TokenAttribute(
        name="vowels_log",
        label="Vowels",
        kind="sequential",
        explain="The same, logarithmic.",
        numbers=lambda tokens: vowels(tokens) + 1,
        logarithmic=True,
        family="vowels",
        choice="log",
    )
    monkeypatch.setattr(attributes, "ATTRIBUTES", (*attributes.ATTRIBUTES, other))
    options = tables("/")["variants"]["vowels"]["options"]
    assert [option["value"] for option in options] == ["vowels", "vowels_log"]
    assert other not in attributes.listed()


# ---- nothing else knows a name


@pytest.mark.parametrize("kind", ["methods", "attributes"])
def test_no_consumer_knows_an_entry_by_name(kind):
    """A name in quotes, outside the rooms that define it, is knowledge of its own."""
    from pathlib import Path

    root = Path(__file__).parents[2]
    rooms = {"methods": "services/projection/", "attributes": "services/attributes/"}
    names = {"methods": ("umap", "tsne", "pca"), "attributes": ("position5", "norm_common", "token_length")}
    files = [*root.glob("services/**/*.py"), *root.glob("components/**/*.py"), *root.glob("pages/*.py")]
    files += [*root.glob("assets/*.js"), *root.glob("components/**/*.js"), root / "app.py"]
    for file in files:
        path = str(file.relative_to(root))
        if path.startswith(rooms[kind]):
            continue
        text = file.read_text(encoding="utf-8")
        for name in names[kind]:
            assert f'"{name}"' not in text, f"{path} knows {name}"
            assert f"'{name}'" not in text, f"{path} knows {name}"
