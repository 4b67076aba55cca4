"""Data sets of the hub as corpora: one split from its Parquet files, from the cache without a network, or one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_hub import COMMIT, serve

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


def fetch_as_a_job(home, address, hf, *values, **environment):
    """The job of the page New atlas in a terminal: its result, or its sentence."""
    settings = {"ATLAS_HOME": str(home), "HF_ENDPOINT": address, "HF_HOME": str(hf), "HF_HUB_OFFLINE": "0"}
    code = (
        "import json, sys\nfrom services.jobs import run, datasets\nfrom services.jobs.here import here\n"
        "from services.jobs.spec import JobSpec\nfrom services.settings import load_settings\n"
        "from services.errors import AtlasError\nfrom services.jobs.datasets import DATASET, DatasetArguments\n"
        "settings = load_settings(); settings.make_folders()\n"
        "asked = DatasetArguments(**dict(value.split('=') for value in sys.argv[1:]))\n"
        "try:\n"
        "    with here(settings, JobSpec.of('dataset', asked, 'terminal')) as running:\n"
        "        running.result = DATASET.run(asked, running)\n"
        "    print(json.dumps(running.result))\n"
        "except AtlasError as error:\n"
        "    print(json.dumps(str(error)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *values], cwd=ROOT, env={**os.environ, **settings, **environment},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_name_with_its_commit_is_read_as_it_was_fetched_whatever_the_hub_has_now(data, tmp_path):
    hf, only_first = tmp_path / "hf", "Read the first 1 of 2 files of this split."
    pq.write_table(pa.table({"text": ["More."], "label": [2]}), data / "en" / "train" / "0001.parquet")
    with serve({"org/set": data}) as (address, asked):
        name = fetch_as_a_job(tmp_path / "home", address, hf, "id=org/set", "subset=en")["corpus"]
        assert name == f"dataset:org/set:train:en:{COMMIT}:2"
        asked.clear()
        found = read(name, address, hf)
        assert found[:3] == ["set-en-train", "org/set, en, train", ["One.", "Two."]]
        assert found[3][-1] == only_first
        assert 'has no subset "de"; it has "en"' in read(name.replace("en", "de"), address, hf)
        lost = read(name, address, tmp_path / "empty")
        assert lost == '"org/set": is not on this machine and what was fetched of it has been removed; fetch it again'
        assert not asked
        assert read("dataset:org/set:train:en", address, hf)[2] == ["One.", "Two.", "More."]


def test_a_page_has_a_split_fetched_within_its_limits_and_without_the_servers_own_rights(data, tmp_path):
    home, hf = tmp_path / "home", tmp_path / "hf"
    with serve({"org/set": data, "org/private": data}) as (address, asked):
        found = fetch_as_a_job(home, address, hf, "id=org/set", "subset=en")
        size = (data / "en" / "train" / "0000.parquet").stat().st_size
        assert found == {
            "corpus": f"dataset:org/set:train:en:{COMMIT}:1",
            "shown": "org/set, en, train",
            "subset": "en",
            "split": "train",
            "subsets": ["de", "en"],
            "splits": ["test", "train"],
            "files": 1,
            "bytes": size,
        }
        asked.clear()
        large = fetch_as_a_job(home, address, tmp_path / "other", "id=org/set", "subset=en", ATLAS_UPLOAD_BYTES="100")
        assert "100 B are the most that can be fetched here (ATLAS_UPLOAD_BYTES)" in large
        assert not any("resolve" in path for path in asked)
        assert "no such data set" in fetch_as_a_job(home, address, hf, "id=org/private", "subset=en", HF_TOKEN="secret")
        assert "which subset? Name one of" in fetch_as_a_job(home, address, hf, "id=org/set")
    cached = fetch_as_a_job(home, address, hf, "id=org/set", "subset=en", HF_HUB_OFFLINE="1")
    assert cached["corpus"] == found["corpus"]
    assert "the hub cannot be reached; connect once" in fetch_as_a_job(home, address, hf, "id=org/other")


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


@pytest.mark.parametrize(
    "name",
    [
        "dataset:",
        "dataset:../x",
        "dataset:a/b/c",
        "dataset:org/x:a/b",
        "dataset:a:b:c:d",
        f"dataset:a:b:c:{COMMIT}",
        f"dataset:a:::{COMMIT}:1",
        f"dataset:a:b:c:{COMMIT}:0",
        f"dataset:a:b:c:{COMMIT}:1:x",
    ],
)
def test_names_that_cannot_be_are_one_line(name):
    with pytest.raises(CorpusError, match="names no data set") as caught:
        hub_corpus(name)
    assert one_line(caught)


def test_a_file_is_no_data_set():
    assert hub_corpus("texts.txt") is None
    assert hub_corpus(Path("dataset:x")) is None
    assert hub_corpus(HubCorpus("org/set", "train").source) == HubCorpus("org/set", "train")
