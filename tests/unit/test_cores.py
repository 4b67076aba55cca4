"""Work is spread over the cores that a process may use, not over all that the machine has."""

import os

import pytest

from services.models import cores as module
from services.models.cores import cores


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("300000 100000", 3),
        ("990000 100000", 4),
        ("max 100000", 4),
        ("?", 4),
    ],
)
def test_a_containers_share_counts_where_it_is_less(tmp_path, monkeypatch, share, expected):
    file = tmp_path / "cpu.max"
    file.write_text(f"{share}\n")
    monkeypatch.setattr(module, "_QUOTA", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 5}, raising=False)
    assert cores() == expected


def test_without_a_container_it_is_what_the_process_may_run_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_QUOTA", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3}, raising=False)
    assert cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
