"""Every setting is documented as it is, and a wrong value is answered with one line."""

import re
from pathlib import Path

import pytest

from services.errors import AtlasError
from services.jobs.builds import check_demo
from services.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def fresh():
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def documented():
    """variable → (default, meaning) from the table in docs/settings.md."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return {
        name: (default, meaning)
        for name, default, meaning in re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.M)
    }


def test_the_documentation_and_the_settings_agree():
    expected = {}
    for name, field in Settings.model_fields.items():
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        default = "not set" if value is None else f"`{value}`"
        default = "the machine's name" if name == "worker" else default
        expected[f"ATLAS_{name.upper()}"] = (default, field.description)
    assert documented() == expected


def test_variables_are_read_and_empty_ones_are_not(monkeypatch, tmp_path):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.setenv("ATLAS_PORT", "9000")
    monkeypatch.setenv("ATLAS_HOST", "")
    settings = load_settings()
    assert (settings.home, settings.port, settings.host) == (tmp_path, 9000, "127.0.0.1")
    load_settings.cache_clear()
    monkeypatch.setenv("ATLAS_HOME", "")
    assert load_settings().home == Path("~/.local/share/attention-atlas").expanduser()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATLAS_PORT", "eighty"),
        ("ATLAS_PORT", "0"),
        ("ATLAS_PORT", "65536"),
        ("ATLAS_DEMO", "perhaps"),
        ("ATLAS_DEMO_PROJECTIONS", "pca,isomap"),
        ("ATLAS_DEMO_PROJECTIONS", ","),
        ("ATLAS_OPEN_BROWSER", "2"),
        ("ATLAS_URL_PREFIX", "atlas"),
        ("ATLAS_URL_PREFIX", "/atlas"),
        ("ATLAS_URL_PREFIX", "//"),
        ("ATLAS_URL_PREFIX", "/a b/"),
        ("ATLAS_JOBS", "-1"),
        ("ATLAS_HOME", "~nobody-of-that-name/atlas"),
    ],
)
def test_a_wrong_value_is_answered_with_one_line_that_names_the_variable(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(AtlasError) as error:
        check_demo(load_settings())
    assert str(error.value).startswith(f"{name}: ")
    assert "\n" not in str(error.value)


def test_the_secret_key_is_never_shown():
    assert "swordfish" not in repr(Settings(secret_key="swordfish"))


def test_folders_are_made_for_the_user_alone(tmp_path):
    settings = Settings(home=tmp_path / "home")
    settings.make_folders()
    for folder in (settings.atlases, settings.job_folder, settings.cache):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AtlasError, match="ATLAS_HOME"):
        Settings(home=tmp_path / "file").make_folders()
    with pytest.raises(AtlasError, match="ATLAS_HOME"):
        Settings(home=tmp_path / "file" / "below").make_folders()
