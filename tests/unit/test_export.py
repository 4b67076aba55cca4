"""Files to take away: true to the atlas when read back, and harmless to the program that opens them."""

import csv
import io
import json
import re

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.export_html import MOST_POINTS, TooManyPointsError, head_figure, head_html
from services import export
from services.atlas import open_atlas
from services.attributes.registry import attribute_of
from services.export.tables import check_rows

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1",
    "＠x",
    "'",
    "''=1",
    "'tis",
    "=",
    "-",
    "+",
]
PLAIN = ["", "a", "a=1", "Zürich 🍰", 'say "hi", twice', "a\nb", "[CLS]", "##ing", "שלום", " a"]


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.info.streams[0]


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("text", FORMULAS + PLAIN)
def test_a_guarded_cell_runs_nowhere_and_gives_its_text_back(text):
    cell = export.guard(text)
    assert export.unguard(cell) == text
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cell.startswith("'") == (text in FORMULAS)


def test_texts_survive_csv_as_a_whole():
    texts = FORMULAS + PLAIN
    table = pa.table({"text": pa.array(texts), "number": pa.array([-float(i) for i in range(len(texts))])})
    rows = read_csv(export.write_csv(table))
    assert [export.unguard(row["text"]) for row in rows] == texts
    assert [float(row["number"]) for row in rows] == table["number"].to_pylist()


def test_tokens_agree_with_the_atlas_in_both_formats(atlas, stream):
    table = export.tokens_table(atlas, stream, 1, 2)
    tokens = atlas.tokens()
    rows = read_csv(export.write_csv(table))
    file = io.BytesIO()
    export.write_parquet([table], {"title": "x"}, file)
    again = pq.read_table(io.BytesIO(file.getvalue()))
    assert again.to_pydict() == table.to_pydict()
    assert json.loads(again.schema.metadata[b"attention_atlas"]) == {"title": "x"}
    assert [export.unguard(row["text"]) for row in rows] == [*tokens.text, *tokens.text]
    assert [row["side"] for row in rows] == ["query"] * len(tokens) + ["key"] * len(tokens)
    norms = np.linalg.norm(np.asarray(atlas.array("self/queries")[1, 2], float), axis=1)
    assert [float(row["norm_in_head"]) for row in rows[: len(tokens)]] == pytest.approx(norms.tolist())
    assert {row["received_attention"] for row in rows[: len(tokens)]} == {""}


def test_coordinates_are_the_layout_and_a_set_keeps_its_points_only(atlas, stream):
    projection = atlas.info.projection("pca3d", "self")
    mask = np.zeros(sum(atlas.points(stream)), bool)
    mask[[3, 8, 200]] = True
    rows = read_csv(export.write_csv(export.coordinates_table(atlas, stream, projection, 1, 2, mask)))
    assert [int(row["point"]) for row in rows] == [3, 8, 200]
    layout = np.asarray(atlas.layout(projection))[1, 2, [3, 8, 200]]
    assert np.allclose([[float(row[axis]) for axis in "xyz"] for row in rows], layout, rtol=1e-6)


def test_attention_is_the_models_own_pair_by_pair(atlas, stream):
    everything = export.attention_table(atlas, stream, 1, 2).to_pylist()
    tokens = atlas.tokens()
    at = 0
    for index in range(len(atlas.inputs)):
        block = np.asarray(atlas.attention(stream).block(index, 1, 2), dtype=np.float32)
        one = export.attention_table(atlas, stream, 1, 2, index).to_pylist()
        assert one == everything[at : at + block.size]
        at += block.size
        first = int(tokens.offsets[index])
        for row in one[:: max(1, len(one) // 7)]:
            q, k = row["query_position"], row["key_position"]
            assert row["weight"] == block[q, k]
            assert (row["query"], row["key"]) == (tokens.text[first + q], tokens.text[first + k])
    assert at == len(everything)


def test_a_file_written_in_parts_is_the_file_written_at_once(atlas, stream, monkeypatch):
    whole = export.attention_table(atlas, stream, 1, 2)
    monkeypatch.setattr("services.export.tables.PART_ROWS", 150)
    parts = list(export.attention_tables(atlas, stream, 1, 2))
    assert len(parts) > 3
    assert pa.concat_tables(parts).to_pydict() == whole.to_pydict()
    assert b"".join(export.csv_parts(parts)) == export.write_csv(whole)
    file = io.BytesIO()
    export.write_parquet(parts, {}, file)
    assert pq.read_table(io.BytesIO(file.getvalue())).to_pydict() == whole.to_pydict()


def test_too_many_rows_are_refused_with_what_to_do_instead():
    check_rows(export.MOST_CSV_ROWS, "csv")
    with pytest.raises(export.TooLargeError, match="take Parquet, or one input"):
        check_rows(export.MOST_CSV_ROWS + 1, "csv")
    with pytest.raises(export.TooLargeError, match="take one input"):
        check_rows(export.MOST_PARQUET_ROWS + 1, "parquet")


@pytest.mark.parametrize("place", [(99, 0), (0, 99), (-1, 0)])
def test_a_head_that_is_not_there_is_an_index_error(atlas, stream, place):
    for make in (export.tokens_table, export.attention_table):
        with pytest.raises(IndexError):
            make(atlas, stream, *place)
    with pytest.raises(IndexError):
        export.coordinates_table(atlas, stream, atlas.info.projection("pca2d", "self"), *place)


@pytest.mark.parametrize("colour", ["type", "position", "kind"])
@pytest.mark.parametrize("name", ["pca2d", "pca3d"])
def test_every_point_is_in_the_figure_once_and_where_the_layout_has_it(atlas, stream, colour, name):
    projection = atlas.info.projection(name, "self")
    figure = head_figure(atlas, stream, projection, (1, 2), attribute_of(colour))
    axes = "xyz"[: projection.dims]
    drawn = np.concatenate([np.stack([np.asarray(trace[axis]) for axis in axes], axis=1) for trace in figure["data"]])
    go.Figure(figure, skip_invalid=False)  # raises where Plotly would not read it
    layout = np.asarray(atlas.layout(projection))[1, 2]
    assert np.array_equal(drawn[np.lexsort(drawn.T)], layout[np.lexsort(layout.T)])


def test_the_html_file_holds_markup_tokens_as_text_and_names_no_address(atlas, stream):
    page = head_html(atlas, stream, atlas.info.projection("pca2d", "self"), (1, 2), attribute_of("type"))
    assert len(page) < 10_000_000
    ours = page[page.rindex("Plotly.newPlot") :]
    assert "script" in ours  # the token is there …
    assert not re.search(r"<(?!/?(?:script|p|div|body|html)\b)", ours)  # … and no tag but our own
    assert not re.search(r"<script[^>]+src=|<link[^>]+href=[\"']http", page)


def test_more_points_than_a_page_holds_are_refused(atlas, stream, monkeypatch):
    monkeypatch.setattr("components.export_html.MOST_POINTS", 10)
    with pytest.raises(TooManyPointsError, match="10"):
        head_figure(atlas, stream, atlas.info.projection("pca2d", "self"), (1, 2), attribute_of("type"))
    assert MOST_POINTS == 20_000


def test_the_caption_says_model_corpus_projection_and_scale(atlas, stream):
    words = export.facts(atlas, stream, atlas.info.projection("pca2d", "self"), (1, 2))
    caption = " ".join(words["caption"])
    row = 1 * stream.heads + 2
    assert words["title"].startswith("L1 H2 · PCA, 2D")
    assert atlas.info.model.id in caption
    assert f"{atlas.info.corpus.tokens:,} tokens" in caption
    assert f"c = {atlas.heads['c'][row]:.3f}" in caption
