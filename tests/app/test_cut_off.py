"""A file of an atlas that is cut off while the server has it open: a sentence, and the server goes on."""

import os
import shutil
from pathlib import Path

import pytest

from app import create_app
from services.atlas import open_atlas
from services.settings import Settings


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
