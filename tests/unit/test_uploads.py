"""What people bring is taken whole or not at all, under harmless names; an archive holds plain files and no more."""

import io
import stat
import struct
import time
import zipfile
from types import SimpleNamespace

import pytest

from services.errors import UploadError
from services.settings import Settings
from services.workshop.archives import MOST_MEMBERS, check_archive
from services.workshop.limited import limited
from services.workshop.uploads import KEPT, Uploads

MOST = 10_000


class Untouched(io.RawIOBase):
    """A body that must not be read."""

    def read(self, _size=-1):
        raise AssertionError("the body was read")


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "uploads", MOST)


def receive(uploads, name, data, id=None):
    return uploads.receive(name, len(data), io.BytesIO(data), id)


def test_a_file_lies_whole_under_its_name_in_a_folder_of_its_own(uploads):
    found = receive(uploads, "My sentences.TXT", b"one\ntwo\n")
    assert found.corpus.name == "My sentences.txt"
    assert found.corpus.read_bytes() == b"one\ntwo\n"
    assert found.corpus.parent == uploads.folder / found.id
    assert uploads.get(found.id) == found
    assert [path.name for path in uploads.folder.iterdir()] == [found.id]


def test_several_images_are_one_corpus_and_equal_names_stay_apart(uploads):
    first = receive(uploads, "cat.png", b"1")
    receive(uploads, "cat.png", b"22", first.id)
    found = receive(uploads, "dog.jpg", b"333", first.id)
    assert found.corpus == uploads.folder / first.id / "images"
    assert found.files == ("cat-2.png", "cat.png", "dog.jpg")
    assert found.bytes == 6


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.csv", "boot.csv"),
        ("/absolute/path.jsonl", "path.jsonl"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n<script>.txt", "a b _script_.txt"),
        ("x" * 400 + ".txt", "x" * 100 + ".txt"),
        ("Gedanken über Zürich.parquet", "Gedanken über Zürich.parquet"),
        ("list.csv.gz", "list.csv.gz"),
    ],
)
def test_of_a_name_only_a_harmless_last_part_is_kept(uploads, name, kept):
    found = receive(uploads, name, b"x")
    if "x" * 100 in kept:
        assert found.files[0].endswith(".txt")
        assert len(found.files[0]) <= 110
    else:
        assert found.files == (kept,)
    assert found.corpus.parent == uploads.folder / found.id


@pytest.mark.parametrize(
    "name", ["", "noending", "run.py", "model.bin", "x.exe", ".txt", "a/", "archive.tar.gz", "a.png.gz"]
)
def test_other_kinds_of_file_are_refused_before_they_are_read(uploads, name):
    with pytest.raises(UploadError, match="no kind that can be read here"):
        uploads.receive(name, 5, Untouched())
    assert not uploads.folder.exists()


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (10**9, r"has 1\.0 GB; 10 kB are the most that can be uploaded here \(ATLAS_UPLOAD_BYTES\)"),
        (MOST + 1, "are the most"),
        (None, "does not say how large it is"),
        (0, "is empty"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_read(uploads, length, said):
    with pytest.raises(UploadError, match=said):
        uploads.receive("a.txt", length, Untouched())
    assert not uploads.folder.exists()


def test_the_limit_is_of_all_files_together(uploads):
    first = receive(uploads, "a.png", b"1" * 6000)
    with pytest.raises(UploadError, match="together"):
        receive(uploads, "b.png", b"1" * 6000, first.id)
    assert uploads.get(first.id) == first


def test_what_is_cut_short_leaves_nothing(uploads):
    with pytest.raises(UploadError, match="cut short"):
        uploads.receive("a.txt", 9, io.BytesIO(b"short"))
    assert list(uploads.folder.iterdir()) == []


def test_no_more_is_read_than_was_named(uploads):
    assert uploads.receive("a.txt", 3, io.BytesIO(b"123456")).corpus.read_bytes() == b"123"


def test_a_text_takes_no_second_file(uploads):
    first = receive(uploads, "a.txt", b"1")
    for name in ("b.txt", "b.png"):
        with pytest.raises(UploadError, match="one file, or several images"):
            receive(uploads, name, b"2", first.id)


@pytest.mark.parametrize("id", ["", "x", "../..", "0" * 31, "0" * 32, "0" * 33, "A" * 32, None, 7, ["0" * 32]])
def test_other_names_of_uploads_are_none(uploads, id):
    assert uploads.get(id) is None
    uploads.discard(id)
    if isinstance(id, str):
        with pytest.raises(UploadError, match="is gone"):
            receive(uploads, "a.png", b"1", id)


def test_uploads_of_which_nothing_was_made_are_swept_after_a_day(uploads):
    old, used = receive(uploads, "a.txt", b"1"), receive(uploads, "b.txt", b"1")
    (uploads.folder / ".half.part").write_bytes(b"x")
    uploads.sweep({used.id}, time.time() + KEPT - 60)
    assert uploads.get(old.id)
    uploads.sweep({used.id}, time.time() + KEPT + 60)
    assert [path.name for path in uploads.folder.iterdir()] == [used.id]


def test_a_disk_without_room_is_said(uploads, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=50))
    with pytest.raises(UploadError, match="no room"):
        receive(uploads, "a.txt", b"1")


# --- archives


def archive(path, *members, **more):
    with zipfile.ZipFile(path, "w", **more) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def linked(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def test_an_archive_of_plain_files_is_taken(tmp_path):
    check_archive(archive(tmp_path / "a.zip", ("a/cat.png", b"1"), ("dog.png", b"2")), MOST)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../out.png", b"1")], "leads outside"),
        ([("a/../../out.png", b"1")], "leads outside"),
        ([("/etc/x.png", b"1")], "leads outside"),
        ([("C:/x.png", b"1")], "leads outside"),
        ([("a\\b.png", b"1")], "leads outside"),
        ([("a//b.png", b"1")], "leads outside"),
        ([("a\nb.png", b"1")], "leads outside"),
        ([linked("a.png", "/etc/passwd")], "is a link or a device"),
        ([("a.png", b"1" * 6000), ("b.png", b"1" * 6000)], "unpacks to 12 kB; 10 kB are the most"),
        ([(f"{n}.png", b"") for n in range(MOST_MEMBERS + 1)], "are the most"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_archive_that_is_no_plain_one_is_refused(tmp_path, members, said):
    with pytest.raises(UploadError, match=said):
        check_archive(archive(tmp_path / "a.zip", *members), MOST)


def test_a_bomb_is_refused_by_what_it_says_of_itself(tmp_path):
    bomb = archive(tmp_path / "a.zip", ("a.png", bytes(20_000_000)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(UploadError, match="would unpack to 20 MB; that is no honest archive"):
        check_archive(bomb, 10**9)


def test_the_same_bytes_named_often_are_refused(tmp_path):
    """As in archives whose files overlap: each entry of the directory points at the same data."""
    path = archive(tmp_path / "a.zip", ("a.png", b"x" * 5000))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    entries = b"".join(entry.replace(b"a.png", f"{letter}.png".encode()) for letter in "abcdef")
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 6, 6)
    tail[12:16] = struct.pack("<I", len(entries))
    path.write_bytes(data[:start] + entries + bytes(tail))
    with pytest.raises(UploadError, match="names the same bytes as several files"):
        check_archive(path, 10**9)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_said(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(UploadError, match="is no zip archive, or is damaged"):
        check_archive(tmp_path / "a.zip", MOST)


# --- the process that looks


def test_a_task_that_takes_too_much_memory_is_refused_and_the_caller_lives(tmp_path, monkeypatch):
    monkeypatch.setattr("services.workshop.limited.TASKS", {})
    settings = Settings(home=tmp_path, demo=False)
    with pytest.raises(UploadError, match="more memory or time than is given"):
        limited("no such task", {}, settings)
