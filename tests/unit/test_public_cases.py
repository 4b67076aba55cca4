"""Public cases of more than one part: hostile texts (D4), equal labels (D3), bands of Longformer (E5), files (C9).

The others bear their names where they are at home: test_right_model (A), test_right_tokens (B), test_pairs (B7),
test_brought_files and test_corpora (C), test_gold (C3), test_chats (C6).
"""

import csv
import io
import re

import numpy as np
import pytest
import torch

from components.export_html import head_html
from services.atlas import open_atlas
from services.attributes.registry import PLAIN
from services.capture.windows import unbanded
from services.export import write_csv
from services.export.tables import attention_table, tokens_table
from services.modalities.corpora import read_corpus
from services.modalities.corpora.decoding import ENTRY_CHARACTERS
from services.pipeline.build import build
from services.pipeline.progress import Progress
from tests.unit.building import request_for, write_corpus
from tests.unit.tiny_models import save_model

HOSTILE = "<!-- <script> </s> </script> &amp; =1+1 <b>"
TWICE = "the cat and the dog and the cat"


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    place = tmp_path_factory.mktemp("public")
    model = save_model(place / "model", "gpt2")  # every letter and sign is a token
    corpus = write_corpus(place / "texts.txt", (HOSTILE, TWICE, "it was tired"))
    build(request_for(model, corpus, dims=(2,), pos="none"), place / "atlas", Progress("made", bar=False))
    return open_atlas(place / "atlas")


def test_d4_markup_in_texts_is_text_in_a_figure_that_stands_alone(atlas):
    stream = atlas.info.default_stream
    page = head_html(atlas, stream, atlas.info.projections[0], (0, 0), PLAIN)
    assert HOSTILE in atlas.inputs.text[0]
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<!--" not in outside.replace("<!DOCTYPE", "")
    assert outside.rstrip().endswith("</html>")  # no script of a text has swallowed the rest of the page
    data = page[page.rindex("<script") :]
    assert "<!--" not in data
    assert "</s>" not in data


def test_d4_formulas_in_texts_are_texts_in_tables(atlas):
    table = tokens_table(atlas, atlas.info.default_stream, 0, 0)
    assert "=" in table["text"].to_pylist()  # a token of its own, for CSV to guard
    written = write_csv(table).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
    assert not any(cell.startswith("=") for cell in cells)


def test_d3_equal_tokens_are_rows_and_columns_of_their_own(atlas):
    tokens = atlas.tokens("tokens")
    rows = tokens.rows(1)
    count = rows.stop - rows.start
    assert len(set(tokens.text[rows])) < count - 2
    table = attention_table(atlas, atlas.info.default_stream, 0, 0, 1)
    assert table.num_rows == count * (count + 1) // 2  # a query and each token before it
    of_query = np.repeat(np.arange(count), np.arange(1, count + 1))
    assert np.bincount(of_query, np.asarray(table["weight"])) == pytest.approx(1, abs=2e-3)


def test_e5_columns_of_a_band_are_brought_to_the_places_of_their_keys():
    n, window, heads = 9, 2, 2
    flags = torch.zeros(1, n, dtype=torch.bool)
    flags[0, [0, 4]] = True
    band = torch.rand(1, n, heads, 2 + 2 * window + 1)
    found = unbanded(band, flags)
    wanted = torch.zeros(1, heads, n, n)
    for head in range(heads):
        for query in range(n):
            for column in range(2 + 2 * window + 1):
                weight = band[0, query, head, column]
                key = (0, 4)[column] if column < 2 else query + column - 2 - window
                if 0 <= key < n:
                    wanted[0, head, query, key] += weight
    assert torch.allclose(found, wanted)


def test_c9_numbers_that_json_has_not_and_line_separators_in_texts(tmp_path):
    lines = ['{"text": "One.", "score": NaN}', '{"text": "Two\u2028still two.", "score": 1e400}', '{"text": "Three."}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    corpus = read_corpus(tmp_path / "a.jsonl")
    assert corpus.texts == ("One.", "Two\u2028still two.", "Three.")
    assert corpus.columns["score"] == ("nan", "inf", "")


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_c9_ends_of_lines_of_all_systems_and_quoted_ones(tmp_path, end):
    (tmp_path / "a.csv").write_bytes(f'\ufeffid,text{end}1,"A line,{end}and another"{end}2,Last{end}'.encode())
    assert [" ".join(text.split()) for text in read_corpus(tmp_path / "a.csv").texts] == ["A line, and another", "Last"]


def test_c9_texts_too_long_are_skipped_and_said(tmp_path):
    (tmp_path / "a.txt").write_text(f"Short.\n{'x' * (ENTRY_CHARACTERS + 1)}\nשלום\n", encoding="utf-8")
    corpus = read_corpus(tmp_path / "a.txt")
    assert corpus.texts == ("Short.", "שלום")
    assert any("longer than" in note for note in corpus.notes)
