"""Exports over HTTP: a file with a name, or one sentence and a 4xx."""

import errno
import io

import pyarrow.parquet as pq
import pytest

from services.atlas import open_atlas
from services.measures.contrast import contrast
from services.measures.kinds import kind_matrix
from services.search import token_sets
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def base(atlas):
    return f"/export/{SLUG}/{atlas.info.key}/self"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("measures.csv", "measures.csv"),
        ("measures.parquet", "measures.parquet"),
        ("2/3/tokens.csv", "L2H3_tokens.csv"),
        ("2/3/coordinates/umap2d.parquet", "L2H3_umap2d_coordinates.parquet"),
        ("2/3/attention.csv?input=1", "L2H3_attention-input-1.csv"),
        ("2/3/figure/umap3d.html?colour=position", "L2H3_umap3d.html"),
        ("2/3/kinds/pos.csv", "L2H3_kinds_pos.csv"),
    ],
)
def test_a_file_comes_as_a_download_with_a_plain_name(client, base, path, name):
    answer = client.get(f"{base}/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}_{name}"'
    assert len(answer.data) > 1000


def test_a_set_chooses_the_rows(client, base):
    answer = client.get(f"{base}/2/3/tokens.parquet", query_string={"set": token_sets.write_ids([4, 9])})
    assert pq.read_table(io.BytesIO(answer.data))["point"].to_pylist() == [4, 9]


def test_a_parquet_file_that_cannot_be_put_together_is_one_sentence_and_csv_still_comes(client, base, monkeypatch):
    def full(*_arguments, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    answer = client.get(f"{base}/2/3/tokens.parquet")
    assert answer.status_code == 507
    assert "(No space left on device): take CSV" in answer.text
    assert client.get(f"{base}/2/3/tokens.csv").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("99/0/tokens.csv", 404),
        ("0/99/attention.csv", 404),
        ("0/0/tokens.exe", 404),
        ("measures.exe", 404),
        ("0/0/coordinates/nomap2d.csv", 404),
        ("0/0/attention.csv?input=999999", 404),
        ("0/0/attention.csv?input=-1", 404),
        ("0/0/attention.csv?input=x", 404),
        ("0/0/figure/umap2d.html?colour=plaid", 404),
        ("0/0/kinds/plaid.csv", 404),
        ("0/0/kinds/relation_pairs.csv", 404),
        ("0/0/parts/plaid.csv", 404),
        ("0/0/tokens.csv?set=garbage", 400),
        ("0/0/figure/umap2d.html?set=r.0.0.umap2d.zz", 400),
    ],
)
def test_what_is_not_there_is_a_4xx_without_a_traceback(client, base, path, status):
    answer = client.get(f"{base}/{path}")
    assert answer.status_code == status
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("query", ["", "layer=99&head=0", "layer=x", "projection=nothere", "layer=-1&head=-1"])
def test_facts_of_a_place_that_is_not_there_are_those_of_all_heads(client, base, query):
    answer = client.get(f"{base}/facts?{query}")
    assert answer.status_code == 200
    assert answer.json["title"].startswith("6 × 12 heads")


def test_another_atlas_or_key_is_a_404(client, atlas):
    assert client.get(f"/export/nothere/{atlas.info.key}/self/facts").status_code == 404
    assert client.get(f"/export/{SLUG}/{'0' * 16}/self/facts").status_code == 404
    assert client.get(f"/export/{SLUG}/{atlas.info.key}/cross/facts").status_code == 404


def test_kinds_and_parts_of_a_head_are_what_the_panel_shows(client, base, atlas):
    stream = atlas.info.default_stream
    table = pq.read_table(io.BytesIO(client.get(f"{base}/2/3/kinds/kind.parquet").data)).to_pylist()
    shown = kind_matrix(atlas, stream, 2, 3, "kind")
    assert len(table) == len(shown.names) ** 2
    first = table[0]
    assert (first["from"], first["to"], first["queries"]) == (*shown.names[:1] * 2, int(shown.queries[0, 0]))
    assert first["times_even"] == pytest.approx(float(shown.lift[0, 0]), abs=1e-5)
    rows = pq.read_table(io.BytesIO(client.get(f"{base}/2/3/parts/pos.parquet").data)).to_pylist()
    found = contrast(atlas, stream, 2, 3, "pos")
    assert len(rows) == len(found.parts) * 2 * len(found.names)
    strengths = [row["strength"] for row in rows[:: 2 * len(found.names)]]
    assert strengths == pytest.approx([part.strength for part in found.parts], abs=1e-5)
