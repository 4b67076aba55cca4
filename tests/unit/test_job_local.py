"""Jobs in processes of their own: in line, told about, stopped, killed, taken up again; never lost, never doubled."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from services.errors import BusyError, Cancelled, JobError
from services.jobs.here import here
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.settings import Settings
from tests.job_processes import ended, kill_all, processes
from tests.patience import PATIENCE, until
from tests.toy_jobs import know_toys, noted


@pytest.fixture
def settings(tmp_path, monkeypatch):
    know_toys(monkeypatch, tmp_path / "hook")
    one = Settings(home=tmp_path / "home", demo=False)
    one.make_folders()
    yield one
    kill_all(one)


@pytest.fixture
def toy(tmp_path):
    def make(name="one", kind="toy", owner="ann", **choices):
        return JobSpec(kind, {"folder": str(tmp_path), "name": name, **choices}, owner)

    return make


def test_a_job_runs_once_and_tells_what_it_did(jobs, toy, tmp_path):
    job = jobs.submit(toy(steps=3))
    assert (job.state, job.title, job.subject) == ("waiting", "Toy one", "one")
    done = ended(jobs, job)
    assert (done.state, done.done, done.total, done.label, done.result) == ("finished", 3, 3, "Step 3", {"steps": 3})
    assert noted(tmp_path, "ended") == ["one"]
    assert jobs.log(job.id) == "one begins\n"
    assert done.sentence == "Toy one is done."


def test_equal_wishes_run_once_and_have_two_owners(jobs, settings, toy, tmp_path):
    others = LocalJobs(settings)
    first = jobs.submit(toy(hold="go", owner="ann"))
    second = others.submit(toy(hold="go", owner="bob"))
    assert first.id == second.id
    assert set(second.owners) == {"ann", "bob"}
    assert [job.id for job in jobs.list("bob")] == [first.id]
    assert jobs.list("eve") == []
    (tmp_path / "go").touch()
    assert ended(jobs, first).state == "finished"
    assert noted(tmp_path, "ended") == ["one"]
    assert len(noted(tmp_path, "began")) == 1


def test_what_has_ended_can_be_asked_for_again(jobs, toy, tmp_path):
    job = jobs.submit(toy())
    ended(jobs, job)
    jobs.submit(toy())
    until(lambda: len(noted(tmp_path, "ended")) == 2)
    assert ended(jobs, job).attempt == 1


def test_jobs_wait_in_order_and_as_many_run_as_the_kind_allows(jobs, toy, tmp_path):
    one = [jobs.submit(toy(f"a{number}", hold="go")) for number in range(3)]
    two = [jobs.submit(toy(f"b{number}", "pair", hold="go")) for number in range(4)]

    def running(of):
        return [jobs.status(job.id).state for job in of].count("running")

    until(lambda: running(one) == 1 and running(two) == 2)
    time.sleep(0.5)  # for one too many to begin
    assert (running(one), running(two)) == (1, 2)
    (tmp_path / "go").touch()
    assert all(ended(jobs, job).state == "finished" for job in (*one, *two))
    assert [name for name in noted(tmp_path, "ended") if name.startswith("a")] == ["a0", "a1", "a2"]
    assert len({line.split()[2] for line in noted(tmp_path, "began")}) == 7  # a fresh process each


def test_what_waits_begins_when_the_one_before_ends_though_nobody_asks(jobs, toy, tmp_path):
    jobs.submit(toy("first", steps=4, seconds=0.2))
    jobs.submit(toy("second"))
    until(lambda: noted(tmp_path, "ended") == ["first", "second"])


def test_a_failure_is_said_in_one_line_and_the_traceback_is_in_the_log(jobs, toy):
    said, unsaid = jobs.submit(toy("said", fail="said")), jobs.submit(toy("unsaid", fail="unsaid"))
    assert (ended(jobs, said).state, ended(jobs, said).message) == ("failed", "This toy is broken.")
    failed = ended(jobs, unsaid)
    assert failed.message == "ZeroDivisionError: a fault"
    assert failed.sentence == "Toy unsaid failed: ZeroDivisionError: a fault"
    assert "Traceback" in jobs.log(unsaid.id)
    assert "Traceback" not in jobs.log(said.id)


def test_wrong_wishes_are_refused_at_the_door(jobs, toy):
    with pytest.raises(JobError, match="no kind of job 'dance'"):
        jobs.submit(JobSpec("dance", {}))
    with pytest.raises(JobError, match="toy: folder: Field required"):
        jobs.submit(JobSpec("toy", {"name": "x"}))
    with pytest.raises(JobError, match=r"toy: steps: .*'many'"):
        jobs.submit(JobSpec("toy", {"folder": "x", "steps": "many"}))
    with pytest.raises(JobError, match="toy: colour"):
        jobs.submit(JobSpec("toy", {"folder": "x", "colour": "red"}))
    assert jobs.list() == []


def test_more_than_may_wait_are_refused(jobs, toy):
    for number in range(4):
        jobs.submit(toy(str(number), "warm", steps=100, seconds=0.1))
    with pytest.raises(JobError, match="try again in a moment"):
        jobs.submit(toy("4", "warm"))
    jobs.submit(toy("3", "warm", steps=100, seconds=0.1, owner="bob"))  # that one is there


def test_the_end_of_a_job_is_told_for_a_while(jobs, toy, monkeypatch):
    job = jobs.submit(toy())
    assert ended(jobs, job).state == "finished"
    assert [one.id for one in jobs.list()] == [job.id]
    monkeypatch.setattr("services.jobs.local.RECENT", 0.0)
    assert jobs.list() == []
    assert jobs.status(job.id).state == "finished"


def test_the_stamp_changes_when_a_job_begins_and_ends_and_not_while_it_runs(jobs, settings, toy, tmp_path):
    other, idle = LocalJobs(settings), jobs.stamp()
    assert other.stamp() == idle
    job = jobs.submit(toy(steps=20, seconds=0.05, hold="go"))
    until(lambda: jobs.status(job.id).state == "running")
    begun = other.stamp()
    assert begun != idle
    (tmp_path / "go").touch()
    until(lambda: jobs.status(job.id).done > 2)
    assert other.stamp() == jobs.stamp() == begun
    ended(jobs, job)
    assert other.stamp() == jobs.stamp() not in (begun, idle)
    quiet = jobs.submit(toy(kind="warm", hold="never"))  # not announced
    assert jobs.stamp() == other.stamp()
    assert quiet.active


# ---- stopping


def test_a_job_is_stopped_from_another_place_and_goes_on_when_asked_again(jobs, settings, toy, tmp_path):
    spec = toy(steps=6, hold="go", after=2)
    job = jobs.submit(spec)
    until(lambda: jobs.status(job.id).done == 2)
    stopping = LocalJobs(settings).cancel(job.id)
    assert stopping.sentence == "Toy one: stopping"
    stopped = ended(jobs, job)
    assert (stopped.state, stopped.message, stopped.sentence) == ("cancelled", "Stopped.", "Toy one was stopped.")
    assert noted(tmp_path, "ended") == []
    (tmp_path / "go").touch()
    jobs.submit(spec)
    assert ended(jobs, job).state == "finished"
    assert len(noted(tmp_path, "steps")) == 6


def test_a_waiting_job_is_stopped_at_once(jobs, toy, tmp_path):
    first, second = jobs.submit(toy("first", hold="go")), jobs.submit(toy("second"))
    assert jobs.cancel(second.id).state == "cancelled"
    (tmp_path / "go").touch()
    assert ended(jobs, first).state == "finished"
    assert noted(tmp_path, "ended") == ["first"]


def test_only_the_last_owner_stops_a_job(jobs, toy):
    job = jobs.submit(toy(hold="never", owner="ann"))
    jobs.submit(toy(hold="never", owner="bob"))
    assert not jobs.cancel(job.id, "ann").cancel
    until(lambda: jobs.status(job.id).state == "running")
    assert jobs.cancel(job.id, "bob").cancel
    assert ended(jobs, job).state == "cancelled"


def test_wanted_again_before_it_had_stopped_it_is_done(jobs, settings, toy, tmp_path):
    spec = toy(steps=6, hold="go", after=2)
    job = jobs.submit(spec)
    until(lambda: jobs.status(job.id).done == 2)
    (process,) = processes(settings)
    process.suspend()  # so that it cannot hear of the stop before it is wanted again
    jobs.cancel(job.id)
    jobs.submit(spec)
    (tmp_path / "go").touch()
    process.resume()
    assert ended(jobs, job).state == "finished"
    assert noted(tmp_path, "steps") == [f"one {step}" for step in range(6)]


def test_a_job_that_does_not_hear_is_ended(jobs, toy, tmp_path):
    hook = tmp_path / "hook" / "sitecustomize.py"
    hook.write_text(hook.read_text() + "import services.jobs.running as running\nrunning.GRACE = 0.5\n")
    job = jobs.submit(toy(fail="deaf"))
    until(lambda: noted(tmp_path, "began"))
    jobs.cancel(job.id)
    assert ended(jobs, job).state == "cancelled"


def test_sigterm_stops_the_job(jobs, settings, toy, tmp_path):
    job = jobs.submit(toy(steps=600, seconds=0.05))
    until(lambda: jobs.status(job.id).done >= 2)
    (process,) = processes(settings)
    process.terminate()
    assert ended(jobs, job).state == "cancelled"


# ---- killing


def test_a_killed_job_is_lost_and_goes_on_for_whoever_asks(jobs, settings, toy, tmp_path):
    spec = toy(steps=6, hold="go", after=3)
    job = jobs.submit(spec)
    until(lambda: jobs.status(job.id).done == 3)
    processes(settings)[0].kill()
    lost = ended(LocalJobs(settings), job)
    assert lost.state == "lost"
    assert lost.sentence == "Toy one ended unexpectedly; start it again: it goes on where it stopped."
    LocalJobs(settings).submit(spec)
    resumed = until(lambda: (now := jobs.status(job.id)).state == "running" and now)
    assert resumed.sentence.startswith("Toy one, taken up again: ")
    (tmp_path / "go").touch()
    assert ended(jobs, job).state == "finished"
    assert noted(tmp_path, "steps") == [f"one {step}" for step in range(6)]


def test_a_job_killed_before_its_first_word_begins_again(jobs, settings, toy, tmp_path):
    job = jobs.submit(toy())
    kill_all(settings)
    assert ended(jobs, job).state in ("finished", "lost")
    if jobs.status(job.id).state == "lost":
        jobs.submit(toy())
        assert ended(jobs, job).state == "finished"
    assert noted(tmp_path, "ended") == ["one"]


ASK = """
import sys
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.settings import Settings
jobs = LocalJobs(Settings(home=sys.argv[1], demo=False))
if sys.argv[3] == "unstarted":
    jobs.start_waiting = lambda kind: print("written", flush=True) or sys.stdin.read()
jobs.submit(JobSpec("toy", {"folder": sys.argv[2], "name": "one", "steps": 10, "hold": "go", "after": 3}, "ann"))
print("submitted", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("moment", ["unstarted", "started"])
def test_the_death_of_the_asker_loses_nothing(jobs, settings, toy, tmp_path, moment):
    """Killed between writing the row and starting the process, or afterwards."""
    asker = subprocess.Popen(
        [sys.executable, "-c", ASK, str(settings.home), str(tmp_path), moment],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert asker.stdout.readline() == ("written\n" if moment == "unstarted" else "submitted\n")
    os.killpg(asker.pid, signal.SIGKILL)
    asker.wait()
    (tmp_path / "go").touch()
    (job,) = jobs.list()
    assert ended(jobs, job).state == "finished"
    assert noted(tmp_path, "ended") == ["one"]
    assert len(noted(tmp_path, "began")) == 1


def test_asker_and_job_killed_together_leave_a_job_that_goes_on(jobs, settings, toy, tmp_path):
    asker = subprocess.Popen(
        [sys.executable, "-c", ASK, str(settings.home), str(tmp_path), "started"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert asker.stdout.readline() == "submitted\n"
    until(lambda: len(noted(tmp_path, "steps")) == 3)
    asker.kill()
    processes(settings)[0].kill()
    asker.wait()
    (job,) = jobs.list()
    assert ended(jobs, job).state == "lost"
    (tmp_path / "go").touch()
    jobs.submit(toy(steps=10, hold="go", after=3))
    assert ended(jobs, job).state == "finished"
    assert len(noted(tmp_path, "steps")) == 10


def test_a_process_that_was_only_stopped_is_not_doubled(jobs, settings, toy, tmp_path, monkeypatch):
    """As on a laptop that slept: nothing was said for long, yet the job is still its process's."""
    spec = toy(steps=6, hold="go", after=2)
    job = jobs.submit(spec)
    until(lambda: jobs.status(job.id).done == 2)
    (process,) = processes(settings)
    process.suspend()
    monkeypatch.setattr("services.jobs.local.SILENT", 0.2)
    time.sleep(0.5)
    assert jobs.status(job.id).state == "running"
    assert jobs.submit(spec).state == "running"
    assert [one.pid for one in processes(settings)] == [process.pid]
    process.resume()
    (tmp_path / "go").touch()
    assert ended(jobs, job).state == "finished"
    assert len(noted(tmp_path, "began")) == 1


def test_a_job_whose_row_is_another_runs_ends(jobs, settings, toy, tmp_path):
    """The lease is lost: whoever holds the newer token has the job."""
    job = jobs.submit(toy(steps=600, seconds=0.05))
    until(lambda: jobs.status(job.id).done >= 2)
    (process,) = processes(settings)
    jobs.table.put(jobs.status(job.id).changed(run="another"))
    process.wait(PATIENCE)
    assert jobs.table.get(job.id).run == "another"
    assert noted(tmp_path, "ended") == []


@pytest.mark.parametrize("clock", [-86_400, 86_400])
def test_a_clock_that_jumps_loses_nothing(jobs, toy, monkeypatch, clock):
    job = jobs.submit(toy(hold="never"))
    until(lambda: jobs.status(job.id).state == "running")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + clock)
    assert jobs.status(job.id).state == "running"
    monkeypatch.undo()
    assert jobs.cancel(job.id).cancel


def test_many_askers_at_once_start_one_process(settings, toy, tmp_path):
    """As the workers of a server do when a page is opened by a class."""
    spec, errors = toy(steps=10, seconds=0.05), []

    def ask():
        try:
            LocalJobs(settings).submit(spec)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    jobs = LocalJobs(settings)
    (job,) = jobs.list()
    assert ended(jobs, job).state == "finished"
    assert len(noted(tmp_path, "began")) == 1


# ---- warm kinds


def test_a_warm_process_serves_many_jobs_and_ends_when_nobody_can_ask(jobs, settings, toy, tmp_path):
    first = jobs.submit(toy("w0", "warm"))
    until(lambda: "w0" in noted(tmp_path, "ended"))
    for number in range(1, 11):
        jobs.submit(toy(f"w{number}", "warm"))
        until(lambda number=number: f"w{number}" in noted(tmp_path, "ended"))
    assert len({line.split()[2] for line in noted(tmp_path, "began")}) == 1
    until(lambda: jobs.list() == [])  # such rows are not kept
    assert jobs.status(first.id) is None
    (process,) = processes(settings)
    jobs.close()
    process.wait(PATIENCE)


def test_a_warm_job_that_nobody_asks_for_any_more_is_dropped(jobs, toy, tmp_path):
    running, waiting = toy("w0", "warm", steps=600, seconds=0.05), toy("w1", "warm")
    first, second = jobs.submit(running), jobs.submit(waiting)
    # the second is never the one that was asked for last: it would begin when the first is dropped
    until(lambda: jobs.submit(running) and len(noted(tmp_path, "steps")) > 2)
    until(lambda: jobs.status(first.id) is None and jobs.status(second.id) is None)
    assert noted(tmp_path, "ended") == []


# ---- in this process


def test_a_job_in_a_terminal_is_seen_and_stopped_from_the_dashboard(jobs, settings, toy):
    def work():
        with here(settings, toy(owner="terminal")) as running:
            running.report("Step 1", 1, 9)
            seen = until(lambda: (found := jobs.list()) and found[0].done == 1 and found[0])
            assert (seen.state, seen.label, seen.total, set(seen.owners)) == ("running", "Step 1", 9, {"terminal"})
            jobs.cancel(seen.id)
            until(lambda: running.stopping)
            running.check()

    with pytest.raises(Cancelled):
        work()
    assert [job.state for job in jobs.list()] == ["cancelled"]
    assert list((settings.job_folder / "slots").iterdir()) == []


def test_the_same_job_twice_is_refused_in_the_terminal(jobs, settings, toy):
    with here(settings, toy()), pytest.raises(BusyError, match="Toy one is under way already"), here(settings, toy()):
        pass
    (job,) = jobs.list()
    assert job.state == "finished"
    with here(settings, toy()) as running:
        running.result = {"x": 1}
    assert jobs.status(job.id).result == {"x": 1}


def test_a_job_typed_in_a_terminal_runs_there(settings, tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "services.jobs.run", *arguments], capture_output=True, text=True, check=False,
            env={**os.environ, "ATLAS_HOME": str(settings.home)}, timeout=PATIENCE,
        )  # fmt: skip

    done = run("toy", f"folder={tmp_path}", "steps=2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one begins\n", "")
    assert noted(tmp_path, "ended") == ["one"]
    for arguments, said in (
        (["toy", f"folder={tmp_path}", "steps=two"], "steps"),
        (["toy", "folder"], "NAME=VALUE"),
        (["dance"], "no kind of job 'dance'"),
        (["toy", f"folder={tmp_path}", "fail=said"], "This toy is broken."),
    ):
        wrong = run(*arguments)
        assert wrong.returncode == 2
        assert said in wrong.stderr
        assert len(wrong.stderr.splitlines()) == 1


# ---- a disk that cannot be written


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB of our own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", folder], check=False).returncode:
        pytest.skip("this system does not let root mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_full_disk_starts_no_job_and_says_so_in_one_line(settings, small_disk, toy, tmp_path):
    home = Settings(home=small_disk / "home", demo=False)
    home.make_folders()
    jobs = LocalJobs(home)
    with (small_disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(JobError, match=r"^No space left for ") as caught:
        jobs.submit(toy())
    assert "no job can be started until some is free" in one_line(caught)
    assert jobs.list() == []
    assert processes(home) == []
    (small_disk / "ballast").unlink()
    assert ended(jobs, jobs.submit(toy())).state == "finished"
    assert noted(tmp_path, "ended") == ["one"]
    jobs.close()
    kill_all(home)


def test_a_read_only_disk_starts_no_job_and_says_so_in_one_line(settings, small_disk, toy):
    home = Settings(home=small_disk / "home", demo=False)
    home.make_folders()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    jobs = LocalJobs(home)
    assert jobs.list() == []
    assert jobs.stamp() == LocalJobs(home).stamp()
    with pytest.raises(JobError, match=r"^Cannot write .*Read-only file system") as caught:
        jobs.submit(toy())
    assert one_line(caught).endswith("no job can be started.")
    with pytest.raises(JobError, match="Read-only file system"):
        jobs.submit(toy(kind="warm"))
    assert jobs.list() == []
    assert processes(home) == []


def test_a_disk_that_fills_up_under_a_job_ends_it_with_a_word(settings, small_disk, toy):
    home = Settings(home=small_disk / "home", demo=False)
    home.make_folders()
    jobs = LocalJobs(home)
    job = jobs.submit(JobSpec("toy", {"folder": str(small_disk), "fail": "full"}, "ann"))
    failed = ended(jobs, job)
    assert failed.state == "failed"
    assert failed.message.startswith("The system refused something ([Errno 28] No space left on device)")
    jobs.close()
    kill_all(home)
