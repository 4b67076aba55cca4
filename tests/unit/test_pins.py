"""Dependency pins: every requirement is pinned, and refreshing touches nothing else."""

from pathlib import Path

import pytest

from tools.refresh_pins import FILES, PIN, refreshed

ROOT = Path(__file__).parents[2]
TEXT = "# why\ntorch==2.0.0\nscikit-learn==1.0\n-r other.txt\nPillow==9.0\n"


def test_a_refresh_changes_pins_alone_and_holds_torch():
    versions = {"torch": "3.0.0", "scikit-learn": "1.9.1", "pillow": "13.0.0", "unpinned": "1"}
    assert refreshed(TEXT, versions, {"torch"}) == TEXT.replace("==1.0", "==1.9.1").replace("==9.0", "==13.0.0")
    assert "torch==3.0.0" in refreshed(TEXT, versions, set())
    assert refreshed(TEXT, {}, set()) == TEXT


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_has_an_exact_pin(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []
