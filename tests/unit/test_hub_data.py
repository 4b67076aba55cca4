"""Data sets of the hub as corpora: one split from its Parquet files, from the cache without a network, or one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_hub import serve

from services.errors import CorpusError
from services.modalities.corpora.hub import HubCorpus, choose, hub_corpus
from tests.one_line import one_line

ROOT = Path(__file__).parents[2]
READ = """
import json, sys
from services.errors import CorpusError
from services.modalities.corpora import read_corpus
try:
    corpus = read_corpus(sys.argv[1], column=sys.argv[2] or None, max_inputs=int(sys.argv[3]))
    print(json.dumps([corpus.name, corpus.source, corpus.texts, corpus.notes]))
except CorpusError as error:
    print(json.dumps(str(error)))
"""


def read(source, address, cache, column="", offline=False, most=100_000):
    """In a process of its own: the hub's client reads its address once."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(cache), "HF_HUB_OFFLINE": str(int(offline))}
    command = [sys.executable, "-c", READ, source, column, str(most)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def data(tmp_path):
    for subset, split, texts in (
        ("en", "train", ["One.", "Two."]),
        ("en", "test", ["Three."]),
        ("de", "train", ["Ja."]),
    ):
        folder = tmp_path / "data" / subset / split
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"text": texts, "label": list(range(len(texts)))}), folder / "0000.parquet")
    return tmp_path / "data"


def test_a_split_is_fetched_once_and_read_from_the_cache_without_a_network(data, tmp_path):
    with serve({"org/set": data}) as (address, asked):
        found = read("dataset:org/set:train:en", address, tmp_path / "hf")
        assert found[:3] == ["set-en-train", "org/set, en, train", ["One.", "Two."]]
        assert not any("test" in path for path in asked)
        assert "which subset? Name one of" in read("dataset:org/set", address, tmp_path / "hf")
        assert 'has no split "dev"; it has "train"' in read("dataset:org/set:dev:de", address, tmp_path / "hf")
        assert "there is no such data set on the hub" in read("dataset:org/none", address, tmp_path / "hf")
        assert "is gated" in read("dataset:org/gated", address, tmp_path / "hf")
    again = read("dataset:org/set:train:en", address, tmp_path / "hf", offline=True)
    assert again[2] == ["One.", "Two."]
    gone = read("dataset:org/set:train:en", address, tmp_path / "hf")
    assert gone[2] == ["One.", "Two."]
    for offline, why in ((True, "the network is off (offline)"), (False, "the hub cannot be reached")):
        said = read("dataset:org/other", address, tmp_path / "hf", offline=offline)
        assert said == f'"org/other": is not on this machine and {why}; connect once to fetch it, or give a file'


def test_files_of_a_split_are_fetched_as_far_as_its_texts_are_needed(tmp_path):
    folder = tmp_path / "data" / "default" / "train"
    folder.mkdir(parents=True)
    for number in range(4):
        texts = [f"Text {number}.{row}" for row in range(150)]
        pq.write_table(pa.table({"text": texts}), folder / f"{number:04}.parquet")
    cache = tmp_path / "hf"

    def fetched():
        return sorted(one.rpartition("/")[2] for one in set(asked) if one.endswith(".parquet"))

    with serve({"org/set": tmp_path / "data"}) as (address, asked):
        some = read("dataset:org/set", address, cache, most=200)
        assert len(some[2]) == 200
        assert some[2][149:151] == ["Text 0.149", "Text 1.0"]
        assert fetched() == ["0000.parquet", "0001.parquet"]
        assert "Read the first 2 of 4 files of this split." in some[3]
        off = read("dataset:org/set", address, cache, offline=True)
        assert len(off[2]) == 300
        assert off[3] == [
            "Read without a network, from what is on this machine: the first 2 files of this split; it may have more."
        ]
        whole = read("dataset:org/set", address, cache)
        assert (len(whole[2]), whole[2][-1], whole[3]) == (600, "Text 3.149", [])
        pq.write_table(pa.table({"text": [1, 2]}), folder / "0001.parquet")
        assert "file 2 has other columns than the first" in read("dataset:org/set", address, tmp_path / "new")


def test_which_files_a_split_has():
    names = [
        "a/train/0001.parquet",
        "a/train/0000.parquet",
        "a/partial-test/0000.parquet",
        "README.md",
        "a/x/y/0.parquet",
    ]
    chosen, files = choose(HubCorpus("org/set"), names)
    assert (chosen.split, chosen.subset, files) == ("train", "", ["a/train/0000.parquet", "a/train/0001.parquet"])
    assert choose(HubCorpus("org/set", "test"), names)[1] == ["a/partial-test/0000.parquet"]
    with pytest.raises(CorpusError, match="keeps no Parquet files"):
        choose(HubCorpus("org/set"), ["data.csv"])


@pytest.mark.parametrize("name", ["dataset:", "dataset:../x", "dataset:a/b/c", "dataset:org/x:a/b", "dataset:a:b:c:d"])
def test_names_that_cannot_be_are_one_line(name):
    with pytest.raises(CorpusError, match="names no data set") as caught:
        hub_corpus(name)
    assert one_line(caught)


def test_a_file_is_no_data_set():
    assert hub_corpus("texts.txt") is None
    assert hub_corpus(Path("dataset:x")) is None
    assert hub_corpus(HubCorpus("org/set", "train").source) == HubCorpus("org/set", "train")
