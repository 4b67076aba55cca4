"""The job table: what is written is read by every process, what is no job is dropped unseen, a bad disk is one line."""

import multiprocessing
import os
import pickle
import sqlite3
import stat
import subprocess
from contextlib import suppress

import pytest

from services.errors import JobError
from services.jobs.spec import Job, JobSpec, one_line
from services.jobs.table import JobTable


@pytest.fixture
def table(tmp_path):
    one = JobTable(tmp_path / "table")
    yield one
    one.close()


def job(id="toy-1", **fields):
    return Job(id=id, kind="toy", arguments={"a": 1}, title="Toy", order=1, **fields)


def test_equal_wishes_are_one_job_and_owners_do_not_count():
    one, same = JobSpec("toy", {"a": 1, "b": [2]}, "ann"), JobSpec("toy", {"b": [2], "a": 1}, "bob")
    assert one.id == same.id
    assert len({one.id, JobSpec("toy", {"a": 1}).id, JobSpec("tox", one.arguments).id}) == 3


def test_a_row_comes_back_as_it_was_in_another_process_too(table, tmp_path):
    written = job(owners={"ann": 1.5}, state="running", label="Läuft", done=3, total=9, result={"x": [1, None]})
    table.put(written)
    assert table.get("toy-1") == written
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read, (tmp_path / "table", "toy-1")) == written
    table.drop("toy-1")
    assert table.get("toy-1") is None
    table.drop("toy-1")


def read(folder, id):
    return JobTable(folder).get(id)


def test_a_table_that_is_not_there_is_empty_and_reading_makes_none(table):
    assert table.get("toy-1") is None
    assert table.all() == []
    assert not table.folder.exists()


def test_the_folder_is_closed_to_others_even_when_it_was_open(table):
    table.folder.mkdir(mode=0o755)
    table.put(job())
    assert stat.S_IMODE(table.folder.stat().st_mode) == 0o700


def test_jobs_come_in_the_order_in_which_they_were_asked_for(table):
    for number in (3, 1, 2):
        table.put(job(f"toy-{number}").changed(order=number))
    assert [one.order for one in table.all()] == [1, 2, 3]
    first = table.next_order()
    assert table.next_order() > first


def count(folder, times):
    table = JobTable(folder)
    for _ in range(times):
        with table.transaction():
            row = table.get("toy-1")
            table.put(row.changed(done=row.done + 1))


def test_processes_that_write_at_once_lose_nothing(table):
    table.put(job())
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count, args=(table.folder, 50)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert table.get("toy-1").done == 150


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def foreign(table, key, raw, mode, filename, value):
    with sqlite3.connect(table.folder / "cache.db") as connection:
        connection.execute(
            "INSERT INTO Cache (key, raw, store_time, mode, filename, value) VALUES (?, ?, 0, ?, ?, ?)",
            (key, raw, mode, filename, value),
        )


@pytest.mark.parametrize(
    "row", ["pickled", "pickled in a file", "pickled key", "text file", "no JSON", "no job", "deep"]
)
def test_a_row_that_is_no_job_is_dropped_and_runs_nothing(table, tmp_path, row):
    table.put(job("toy-1"))
    bomb, mark = tmp_path / "bomb", tmp_path / "went-off"
    pickled = pickle.dumps(Bomb(mark))
    bomb.write_bytes(pickled)
    key, raw, mode, file, value = {
        "pickled": ("job/bad", 1, 4, None, pickled),
        "pickled in a file": ("job/bad", 1, 4, "../bomb", None),
        "pickled key": (pickled, 0, 1, None, "{}"),
        "text file": ("job/bad", 1, 3, "../bomb", None),
        "no JSON": ("job/bad", 1, 1, None, "{"),
        "no job": ("job/bad", 1, 1, None, '{"id": "bad", "state": "dancing"}'),
        "deep": ("job/bad", 1, 1, None, "[" * 100_000),
    }[row]
    foreign(table, key, raw, mode, file, value)
    assert [one.id for one in table.all()] == ["toy-1"]
    assert table.get("bad") is None
    table.put(job("bad"))  # the place is free, and the file that the row named is left alone
    assert table.get("bad") == job("bad")
    assert not mark.exists()
    assert bomb.exists()


def test_nothing_but_json_can_be_written(table):
    with pytest.raises((TypeError, ValueError)):
        table.put(job(result={"x": object()}))
    assert table.all() == []


def test_a_file_that_is_no_database_is_one_line(table):
    table.folder.mkdir()
    (table.folder / "cache.db").write_bytes(b"no database" * 1000)
    with pytest.raises(JobError, match="remove this folder") as caught:
        table.put(job())
    assert "\n" not in str(caught.value)


def test_a_table_kept_by_another_is_one_line(table, monkeypatch):
    monkeypatch.setattr("services.jobs.table.PATIENCE", 0.05)
    table.put(job())
    table.close()
    holder = sqlite3.connect(table.folder / "cache.db", isolation_level=None)
    table.get("toy-1")  # opens it
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JobError, match="try again in a moment"):
        table.put(job())
    holder.execute("ROLLBACK")
    table.put(job(done=2))
    assert table.get("toy-1").done == 2


@pytest.fixture
def disk(tmp_path):
    """A file system of 2 MB of our own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", folder], check=False).returncode:
        pytest.skip("this system does not let root mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(folder):
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("opened", [True, False])
def test_a_full_disk_is_one_line_and_space_lets_it_go_on(disk, opened):
    table = JobTable(disk / "table")
    if opened:
        table.put(job())
    fill(disk)

    def put_many():  # the log that SQLite writes has some room left
        for number in range(2000):
            with table.transaction():
                table.put(job(f"toy-{number}", message="x" * 1000))

    with pytest.raises(JobError, match=r"^No space left for ") as caught:
        put_many()
    assert "\n" not in str(caught.value)
    (disk / "ballast").unlink()
    table.put(job("later"))
    assert table.get("later") is not None
    table.close()


def test_a_read_only_disk_is_one_line(disk):
    table = JobTable(disk / "table")
    table.put(job())
    table.close()  # no disk with an open file becomes read-only
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(JobError, match=r"^Cannot write .*Read-only file system") as caught:
        table.put(job("toy-2"))
    assert "\n" not in str(caught.value)
    with pytest.raises(JobError, match=r"^Cannot write .*Read-only file system"), table.transaction():
        table.put(job("toy-2"))
    table.close()


def test_long_and_broken_text_becomes_one_line():
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("half \ud800") == "half ?"
    assert len(one_line("word " * 1000)) == 300
    assert one_line("word " * 1000).endswith("…")


def test_a_stage_that_goes_on_as_it_went_says_when_it_is_done(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("services.jobs.spec.time.time", lambda: clock[0])
    job = Job(id="build-1", kind="build", arguments={}, title="Build", state="running").at("Layout", 0, 10)
    assert job.left is None
    clock[0] += 6
    job = job.at("Layout", 3, 10)
    assert job.left == pytest.approx(14)
    clock[0] += 6
    assert job.at("Next", 1, 10).left is None, "another stage has just begun"
    assert job.at("Layout", 10, 10).left is None
