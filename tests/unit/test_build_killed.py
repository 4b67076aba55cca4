"""Builds in a process of their own: killed with SIGKILL, stopped with Ctrl-C, and short of disk space."""

import errno
import os
import shutil
import signal
import subprocess

import numpy as np
import psutil
import pytest
import torch
from building import (
    TEXTS,
    copy,
    everything,
    finish,
    kill,
    lines,
    noted,
    options_of,
    request_for,
    same_arrays,
    start,
    wait_for,
    write_corpus,
)
from tiny_models import save_model

from services.atlas import arrays, open_atlas, verify
from services.atlas.library import Library
from services.capture import load_model
from services.errors import BuildError
from services.jobs.local import LocalJobs
from services.pipeline import capture_stage
from services.pipeline.build import build
from services.pipeline.journal import Journal
from services.pipeline.progress import Progress
from services.settings import Settings

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "bert", "bert", num_hidden_layers=4)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Inputs of all lengths, so that a length tells which input it is."""
    texts = [" ".join(["cat"] * length) for length in range(1, 41)]
    return write_corpus(tmp_path_factory.mktemp("corpora") / "lines.txt", texts)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, bert, corpus):
    """The atlas that was never disturbed."""
    return build(request_for(bert, corpus, ("pca", "umap"), (2,)), tmp_path_factory.mktemp("whole") / "one", quiet())


@pytest.fixture(scope="module")
def pca_only(tmp_path_factory, bert, corpus):
    return build(request_for(bert, corpus, ("pca",), (2,)), tmp_path_factory.mktemp("pca") / "one", quiet())


def quiet():
    return Progress("one", None, bar=False)


def test_a_capture_killed_in_the_middle_goes_on_without_redoing_inputs(bert, corpus, whole, tmp_path):
    out, work = tmp_path / "one", tmp_path / "one.partial"
    log = tmp_path / "log"
    arguments = options_of(bert, corpus, out, "--projections", "pca,umap", "--jobs", "1")
    process = start(arguments, tmp_path / "home", log, "capture", seconds=0.3)
    wait_for(lambda: len(noted(work, "capture")) >= 5, process)
    kill(process)
    assert not out.exists()
    done = noted(work, "capture")
    kept = {index: np.array(arrays.reopen(work / "self/queries.npy")[:, :, rows_of(index)]) for index in done}
    log.unlink()
    assert finish(start(arguments, tmp_path / "home", log, "capture", seconds=0)) == (0, "")
    again = {int(length) - 3 for length in lines(log)}  # [CLS], [SEP], and counted from 0
    assert again == set(range(40)) - set(done)
    queries = open_atlas(out).array("self/queries")
    assert all(np.array_equal(queries[:, :, rows_of(index)], old) for index, old in kept.items())
    assert same_arrays(out, whole)
    assert verify(out) == []
    assert not work.exists()


def rows_of(index: int) -> slice:
    """Token rows of input `index`, which has index + 3 tokens."""
    first = sum(n + 3 for n in range(index))
    return slice(first, first + index + 3)


@pytest.mark.parametrize("jobs", ["2", pytest.param("1", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_layouts_killed_in_the_middle_go_on_without_redoing_layers(bert, corpus, whole, pca_only, tmp_path, jobs):
    out, log = copy(pca_only, tmp_path / "one"), tmp_path / "log"
    arguments = options_of(bert, corpus, out, "--projections", "pca,umap", "--jobs", jobs)
    process = start(arguments, tmp_path / "home", log, "layout", seconds=0.4)
    wait_for(lambda: noted(out, "self/umap2d"), process)
    kill(process)
    assert {projection.name for projection in open_atlas(out).info.projections} == {"pca2d"}
    done = noted(out, "self/umap2d")
    kept = np.array(arrays.reopen(out / "self/umap2d.npy")[done])
    log.unlink()
    assert finish(start(arguments, tmp_path / "home", log, "layout", seconds=0)) == (0, "")
    assert 0 < len(done) < 4
    assert lines(log) == ["umap2d"] * (4 - len(done))
    assert np.array_equal(open_atlas(out).array("self/umap2d")[done], kept)
    assert same_arrays(out, whole)
    assert verify(out) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "last",
    [
        "inputs.parquet",
        "self/attention.npy",
        "self/attention_mean.npy",
        "heads.parquet",
        "self/pca2d.npy",
        "self/measures.parquet/heads.parquet",
        "self/scaling.parquet",
        "self/measures.parquet/pca2d.parquet",
        "self/umap2d.npy",
        "self/measures.parquet/lift.parquet",
    ],
)
def test_a_build_killed_after_any_stage_leaves_no_half_atlas_and_no_process(bert, corpus, whole, tmp_path, last):
    """last: the file that the stage before has written."""
    out, work = tmp_path / "atlases" / "one", tmp_path / "atlases" / "one.partial"
    arguments = options_of(bert, corpus, out, "--projections", "pca,umap", "--jobs", "2")
    process = start(arguments, tmp_path / "home")

    def written():
        journals = (Journal.load(folder) for folder in (work, out))
        return any(journal is not None and journal.has_file(last) for journal in journals)

    wait_for(written, process)
    children = psutil.Process(process.pid).children(recursive=True)
    kill(process)
    assert not psutil.wait_procs(children, timeout=60)[1]
    for entry in Library(tmp_path / "atlases").entries():
        assert entry.problem is None
        assert entry.atlas.info.projections
    assert finish(start(arguments, tmp_path / "home")) == (0, "")
    assert same_arrays(out, whole)
    assert verify(out) == []
    assert not work.exists()


@pytest.mark.parametrize("jobs", ["2", pytest.param("1", marks=pytest.mark.slow)])
def test_ctrl_c_ends_with_130_and_one_line(bert, corpus, pca_only, tmp_path, jobs):
    out, log = copy(pca_only, tmp_path / "home" / "atlases" / "one"), tmp_path / "log"
    arguments = options_of(bert, corpus, out, "--projections", "umap", "--jobs", jobs)
    process = start(arguments, tmp_path / "home", log, "layout", seconds=0.3)
    wait_for(lambda: noted(out, "self/umap2d"), process)
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code == 130
    assert errors.splitlines() == ["Stopped. Run the same command again to go on where it stopped."]
    (job,) = LocalJobs(Settings(home=tmp_path / "home")).list()
    assert (job.title, job.state) == ("Build of one", "cancelled")
    assert open_atlas(out).info.projection("umap2d", "self") is None
    assert not list(out.rglob("counters*"))


def test_a_second_process_is_refused_while_the_first_builds(bert, corpus, pca_only, tmp_path):
    out, log = copy(pca_only, tmp_path / "one"), tmp_path / "log"
    arguments = options_of(bert, corpus, out, "--projections", "umap", "--jobs", "1")
    first = start(arguments, tmp_path / "home", log, "layout", seconds=1)
    wait_for(lambda: (tmp_path / ".one.lock").exists(), first)
    code, errors = finish(start(arguments, tmp_path / "home"))
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "Build of one is under way already" in errors
    assert finish(first) == (0, "")
    assert not (tmp_path / ".one.lock").exists()


# ---- a full disk


DISK = 2 * 2**20


class Disk:
    """A small file system that can be filled up."""

    def __init__(self, folder):
        self.folder = folder

    def leave(self, free: int) -> None:
        """Fill all but so many bytes."""
        self.make_room()
        status = os.statvfs(self.folder)
        (self.folder / "ballast").write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - free)))

    def make_room(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    """A mounted tmpfs of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this system does not let root mount a tmpfs")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture
def small_corpus(tmp_path):
    return write_corpus(tmp_path / "small.txt", TEXTS * 3)


@pytest.fixture
def one_load(monkeypatch, bert):
    loaded = load_model(str(bert))
    monkeypatch.setattr(capture_stage, "load_model", lambda *a, **k: loaded)


@pytest.mark.slow
def test_a_full_disk_ends_any_stage_with_one_line_and_space_lets_it_finish(
    bert, small_corpus, disk, tmp_path, one_load
):
    request = request_for(bert, small_corpus, ("pca", "umap"), (2,))
    undisturbed = build(request, tmp_path / "undisturbed", quiet())
    needed = sum(-(-file.stat().st_size // 4096) * 4096 for file in undisturbed.rglob("*.*"))
    stopped_at = set()
    for free in range(0, needed + 40_000, 24_576):
        folder = disk.folder / "one"
        disk.leave(free)
        try:
            build(request, folder, quiet())
        except BuildError as error:
            message = str(error)
        else:
            message = ""
        if message:
            assert message.startswith(f"No space left for {disk.folder}")
            assert "\n" not in message
            stopped_at.add(message.split(" ")[4].rstrip(".").rsplit("/", 1)[-1])
            if folder.exists():
                assert open_atlas(folder).info.projection("pca2d", "self")
            disk.make_room()
            build(request, folder, quiet())
        assert same_arrays(folder, undisturbed)
        assert verify(folder) == []
        assert [name for name in everything(disk.folder) if ".part" in name or "lock" in name] == [], free
        shutil.rmtree(folder)
    # The capture and the study; where the study's parts fit, this small layout does (its own refusal: the next test).
    assert "attention.npy" in stopped_at
    assert any(name.startswith("study.") for name in stopped_at)


@pytest.mark.parametrize("name", ["keys.npy", "pca2d.npy", "umap2d.npy", "tsne2d.npy"])
@pytest.mark.slow
def test_a_refused_reservation_leaves_no_array(name, bert, small_corpus, tmp_path, one_load, monkeypatch):
    """The same without root: the reservation of one array says that the disk is full."""
    out = tmp_path / "atlases" / "one"
    request = request_for(bert, small_corpus, ("pca", "umap", "tsne"), (2,))
    plain = arrays._reserve

    def reserve(descriptor, offset, size):
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(f"/{name}.part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(descriptor, offset, size)

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("needs /proc to tell files by their descriptors")
    with monkeypatch.context() as patch:
        patch.setattr(arrays, "_reserve", reserve)
        with pytest.raises(BuildError, match=f"No space left for .*{name}"):
            build(request, out, quiet())
    left = everything(out.parent)
    if name == "keys.npy":
        assert left == []
    elif name == "pca2d.npy":
        assert not out.exists()
    else:
        assert open_atlas(out).info.projection("pca2d", "self")
        assert not any(part.endswith(".part") for part in left)
    build(request, out, quiet())
    assert verify(out) == []


def test_space_is_reserved_where_the_file_system_cannot_allocate(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    array = arrays.create(tmp_path / "a.npy", (1000, 1000), "float32")
    assert array.shape == (1000, 1000)
    assert not array.any()
    status = arrays.part_of(tmp_path / "a.npy").stat()
    assert status.st_blocks * 512 >= 4_000_000
    array[:] = 1
    arrays.publish(tmp_path / "a.npy")
    assert arrays.read(tmp_path / "a.npy").sum() == 1_000_000
