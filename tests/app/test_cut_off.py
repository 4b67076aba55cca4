"""An atlas cut off, replaced or removed while the server has it open, a home that is read-only: a sentence, no more."""

import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from app import create_app
from components.server.permission import HALTED
from services.atlas import open_atlas
from services.errors import AtlasError
from services.jobs.builds import start_demo_if_needed
from services.jobs.local import LocalJobs
from services.settings import Settings
from tests.gunicorn_server import ROOT, Gunicorn
from tests.patience import PATIENCE, until
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def home(small_atlas, tmp_path_factory):
    return Path(shutil.copytree(small_atlas.parents[1], tmp_path_factory.mktemp("cut") / "home"))


@pytest.mark.parametrize(
    ("part", "address"), [("pca2d", "positions/self/pca2d-{map}/0"), ("attention", "attention/self/0/1/0")]
)
def test_a_cut_file_is_named_without_its_folder_and_the_rest_is_served(home, part, address):
    (folder,) = (home / "atlases").iterdir()
    info = open_atlas(folder).info
    client = create_app(Settings(home=home, demo=False, open_browser=False)).server.test_client()
    projection = info.projection("pca2d", "self")
    base = f"/payload/{folder.name}/{info.key}"
    asked = f"{base}/{address.format(map=projection.sha256[:12])}"
    file = folder / "self" / f"{part}.npy"
    whole = file.read_bytes()
    assert client.get(asked).status_code == 200
    try:
        os.truncate(file, len(whole) // 3)
        answer = client.get(f"{asked}?x=1")
        assert answer.status_code == 500
        assert answer.text.startswith(f"{folder.name}/self/{part}.npy has been cut off to ")
        assert str(home) not in answer.text
        assert client.get(f"{base}/tokens/tokens/0").status_code == 200
    finally:
        file.write_bytes(whole)


def test_an_atlas_replaced_or_removed_while_it_is_open_is_said_and_the_new_one_is_there(home, dashboard_home, tmp_path):
    (folder,) = (home / "atlases").iterdir()
    mine = Path(shutil.copytree(home, tmp_path / "home")) / "atlases" / folder.name
    client = create_app(Settings(home=tmp_path / "home", demo=False, open_browser=False)).server.test_client()
    address = "/payload/{}/{}/tokens/tokens/0".format
    before = address(mine.name, open_atlas(mine).info.key)
    assert client.get(before).status_code == 200
    shutil.rmtree(mine)
    shutil.copytree(dashboard_home / "atlases" / SLUG, mine)
    answer = client.get(f"{before}?x=1")
    assert (answer.status_code, "it was deleted or built anew" in answer.text) == (404, True)
    assert client.get(address(mine.name, open_atlas(mine).info.key)).status_code == 200
    shutil.rmtree(mine)
    assert client.get(f"{address(mine.name, 'x')}?x=2").status_code == 404
    assert client.get("/").status_code == 200


@pytest.fixture
def place(tmp_path):
    """A disk of our own, which can be made read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root, and a system that lets it")
    yield place
    subprocess.run(["umount", "-l", place], check=False)


def remount(place, how):
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True)


def first_pages(settings):
    """The page, and addresses of the atlas's data."""
    (folder,) = settings.atlases.iterdir()
    atlas = open_atlas(folder)
    base, start = f"/payload/{folder.name}/{atlas.info.key}", atlas.info.projection("pca2d", "self")
    return "/", "/library", f"{base}/average/self/0/0", f"{base}/positions/self/pca2d-{start.sha256[:12]}/0"


@pytest.mark.parametrize("set_so", [True, False])
def test_a_read_only_home_is_served_unchanged_whether_it_is_set_so_or_not(home, place, set_so):
    shutil.copytree(home, place / "home")
    settings = Settings(home=place / "home", demo=True, open_browser=False, read_only=set_so)
    settings.make_folders()
    remount(place, "ro")
    start_demo_if_needed(settings, LocalJobs(settings))
    app = create_app(settings)
    client = app.server.test_client()
    for path in first_pages(settings):
        assert client.get(path).status_code == 200, path
    for path in ("/upload?name=a.txt", "/upload/probe?name=a.png", "/library/open?name=a.zip"):
        answer = client.post(path, data=b"x")
        assert (answer.status_code in (400, 403), len(answer.text.splitlines())) == (True, 1), answer.text
    assert client.get("/readyz").text == ("ready" if set_so else f"ready to look only: {HALTED}")
    assert client.get("/readyz").status_code == 200


def test_a_home_that_cannot_be_written_is_named_where_something_is_to_be_made_or_nothing_is_there(home, place):
    shutil.copytree(home, place / "home")
    settings = Settings(home=place / "home", demo=False, open_browser=False)
    settings.make_folders()
    remount(place, "ro")
    with pytest.raises(AtlasError, match=r"^Cannot write .*/home; set ATLAS_HOME to a folder you can write to\.$"):
        settings.make_folders()
    with pytest.raises(
        AtlasError, match=r"^Cannot create .*/nothing .*; set ATLAS_HOME to a folder you can write to\.$"
    ):
        create_app(settings.model_copy(update={"home": place / "nothing"}))


def test_workers_of_a_running_server_start_again_on_a_disk_that_has_turned_read_only(home, place):
    shutil.copytree(home, place, dirs_exist_ok=True)
    settings = Settings(home=place, demo=False)  # the server's log lies beside it
    settings.make_folders()
    server = Gunicorn(settings.home)
    worker = None

    def asked(path):
        try:
            return urllib.request.urlopen(f"{server.url}{path}", timeout=PATIENCE).read().decode(errors="replace")
        except OSError:  # between two workers
            return ""

    try:
        before = server.workers()
        assert asked("/")
        master = before[0].parent()
        master.suspend()  # no disk with files open for writing turns read-only
        for one in before:
            one.kill()
        read_only = ["mount", "-o", "remount,ro", place]
        until(lambda: not subprocess.run(read_only, capture_output=True).returncode, "files are open for writing")
        master.resume()
        until(lambda: not {one.pid for one in server.workers()} & {one.pid for one in before}, "no new workers")
        until(lambda: asked("/healthz"), "no answer")
        for path in first_pages(settings):
            assert asked(path), path
        assert asked("/readyz") == f"ready to look only: {HALTED}"
        worker = subprocess.Popen(
            [sys.executable, "app.py", "worker"],
            cwd=ROOT,
            env={**os.environ, "ATLAS_HOME": str(settings.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert "just now: jobs run here as soon as it can be written." in worker.stdout.readline()
        remount(place, "rw")
        assert worker.stdout.readline().startswith("Jobs of ")
        assert asked("/readyz") == "ready"
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    finally:
        server.close()
        if worker is not None and worker.poll() is None:
            worker.kill()
            worker.wait()
