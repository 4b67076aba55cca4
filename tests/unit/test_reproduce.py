"""The reproduction: small models end to end, models of the hub up to the download."""

import pytest

from benchmarks.reproduce import PUBLISHED, run
from tests.unit.tiny_models import save_model


@pytest.fixture
def offline(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("name", ["bert-base-uncased", "gpt2", "google/vit-base-patch32-224-in21k"])
def test_a_hub_model_that_cannot_be_fetched_is_one_line(name, offline, capsys):
    assert name in PUBLISHED
    assert run(["--model", name]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert f"Model {name} is not on this machine" in printed.err
    assert "Traceback" not in printed.err


def test_a_missing_corpus_is_one_line(capsys):
    assert run(["--corpus", "no-such-file.txt"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_report_of_a_tiny_model(name, tmp_path, capsys):
    folder = save_model(tmp_path / "model", name)
    assert run(["--model", str(folder), "--max-inputs", "12", "--heads", "3"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert "12 inputs" in lines[0]
    assert ("causal" in lines[0]) == (name == "gpt2")
    assert "published" in lines[1]
    for words in ("mean over heads", "weakest head", "median ‖q‖", "best c, the same, scaled", "L0 H0 Pearson by c"):
        assert words in printed
    assert "nan" not in printed
