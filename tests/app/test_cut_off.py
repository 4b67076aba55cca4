"""An atlas cut off, replaced or removed while the server has it open, a home that is read-only: a sentence, no more."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app import create_app
from services.atlas import open_atlas
from services.errors import AtlasError
from services.settings import Settings
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


def test_a_read_only_home_is_named_and_with_its_setting_served_unchanged(home, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root, and a system that lets it")
    try:
        shutil.copytree(home, place / "home")
        settings = Settings(home=place / "home", demo=False, open_browser=False)
        settings.make_folders()
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with pytest.raises(AtlasError, match=r"^Cannot write .*/home; set ATLAS_HOME to a folder you can write to\.$"):
            create_app(settings)
        client = create_app(settings.model_copy(update={"read_only": True})).server.test_client()
        (folder,) = settings.atlases.iterdir()
        atlas = open_atlas(folder)
        base, start = f"/payload/{folder.name}/{atlas.info.key}", atlas.info.projection("pca2d", "self")
        for path in ("/", "/library", f"{base}/average/self/0/0", f"{base}/positions/self/pca2d-{start.sha256[:12]}/0"):
            assert client.get(path).status_code == 200, path
        for path in ("/upload?name=a.txt", "/upload/probe?name=a.png", "/library/open?name=a.zip"):
            answer = client.post(path, data=b"x")
            assert (answer.status_code in (400, 403), len(answer.text.splitlines())) == (True, 1), answer.text
    finally:
        subprocess.run(["umount", "-l", place], check=False)
