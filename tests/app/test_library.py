"""The page Library without a browser: files go out and come in whole, and whatever is posted changes nothing else."""

import io
import json
import shutil
import zipfile

import pytest

from app import create_app
from components import static_atlas
from services.atlas import open_atlas
from services.errors import ExportError
from services.settings import Settings
from tests.app.test_bad_input import body_of, server_callbacks
from tests.real_home import SLUG


@pytest.fixture
def settings(dashboard_home, tmp_path):
    shutil.copytree(dashboard_home / "atlases" / SLUG, tmp_path / "atlases" / SLUG)
    return Settings(home=tmp_path, demo=False)


@pytest.fixture
def app(settings):
    return create_app(settings)


@pytest.fixture
def client(app):
    return app.server.test_client()


def press(app, client, deed, slug, titles=(), notes=()):
    """Press a button of the page; what the page then holds, as text."""
    ((output, callback),) = [(name, one) for name, one in server_callbacks(app).items() if "shelf.children" in name]
    body = body_of(output, callback, [])
    where = {"deed": deed, "kind": "shelf", "slug": slug}
    for part in body["inputs"]:
        if isinstance(part["id"], dict):
            part["value"] = None
    pressed = [{"id": where, "property": "n_clicks", "value": 1}]
    deeds = ["save", "delete", "restore", "purge", "share", "hide"]
    body["inputs"] = [
        {"id": "jobs", "property": "data", "value": None},
        *(pressed if one == deed else [] for one in deeds),
    ]
    slugs = [{"deed": "title", "kind": "shelf", "slug": name} for name in (SLUG, "other")]
    body["state"] = [
        [{"id": one, "property": "value", "value": text} for one, text in zip(slugs, titles, strict=False)],
        [
            {"id": {**one, "deed": "notes"}, "property": "value", "value": text}
            for one, text in zip(slugs, notes, strict=False)
        ],
        [{"id": one, "property": "id", "value": one} for one, _ in zip(slugs, titles, strict=False)],
    ]
    body["changedPropIds"] = [f"{json.dumps(where, separators=(',', ':'))}.n_clicks"]
    answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 204), answer.text[:300]
    return json.dumps(answer.json["response"], ensure_ascii=False) if answer.status_code == 200 else ""


def test_an_atlas_goes_out_as_a_zip_and_comes_in_again(client, settings):
    answer = client.get(f"/library/{SLUG}.zip")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as made:
        assert made.testzip() is None
    opened = client.post("/library/open?name=a.zip", data=answer.data)
    assert opened.json == {"slug": f"{SLUG}-2"}
    assert open_atlas(settings.atlases / f"{SLUG}-2").info == open_atlas(settings.atlases / SLUG).info


def test_a_static_page_goes_out_as_a_zip_whose_size_was_said(client, settings, monkeypatch):
    contents = static_atlas.choose(open_atlas(settings.atlases / SLUG), ["pca2d"], 2)
    monkeypatch.setattr("components.static_atlas.choose", lambda _: contents)
    answer = client.get(f"/library/{SLUG}/page.zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}-page.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as made:
        assert made.testzip() is None
        assert sum(file.file_size for file in made.infolist()) <= contents.bytes
        assert f"{SLUG}/index.html" in made.namelist()
    assert client.get("/library/none/page.zip").status_code == 404


def test_a_static_page_that_cannot_be_made_is_refused_with_one_sentence(client, monkeypatch):
    def too_large(_):
        raise ExportError("All heads on 9 maps need up to 9 GB, more than the 300 MB allowed.")

    monkeypatch.setattr("components.static_atlas.choose", too_large)
    answer = client.get(f"/library/{SLUG}/page.zip")
    assert (answer.status_code, answer.text[:9]) == (413, "All heads")


@pytest.mark.parametrize("slug", ["none", "..", "..%2f..%2fetc", ".incoming-0", f"{SLUG}.partial"])
def test_there_is_nothing_else_to_download(client, slug):
    assert client.get(f"/library/{slug}.zip").status_code == 404


def test_what_is_no_atlas_is_refused_with_one_sentence(client, settings):
    answer = client.post("/library/open?name=a.zip", data=b"no zip")
    assert answer.status_code == 400
    assert answer.text == "a.zip is no zip of an atlas, or is damaged; download it again."
    answer = client.post("/library/open", data=b"x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert [path.name for path in settings.atlases.iterdir()] == [SLUG]


def test_saving_deleting_and_taking_back(app, client, settings):
    page = press(app, client, "save", SLUG, ["<b>Cats</b>", "no"], ["Odd.", "no"])
    assert "Saved." in page
    info = open_atlas(settings.atlases / SLUG).info
    assert (info.title, info.about) == ("<b>Cats</b>", "Odd.")
    assert "it can be taken back for a day" in press(app, client, "delete", SLUG)
    assert not (settings.atlases / SLUG).exists()
    (thrown,) = settings.trash.iterdir()
    assert "It is back." in press(app, client, "restore", thrown.name)
    assert open_atlas(settings.atlases / SLUG)
    press(app, client, "delete", SLUG)
    (thrown,) = settings.trash.iterdir()
    assert "gone for good" in press(app, client, "purge", thrown.name)
    assert list(settings.trash.iterdir()) == []


@pytest.mark.parametrize("slug", ["none", "../x", None, 7, [], {}, "x" * 500])
@pytest.mark.parametrize("deed", ["save", "delete", "restore", "purge"])
def test_a_name_of_nonsense_changes_nothing(app, client, settings, deed, slug):
    before = (settings.atlases / SLUG / "atlas.json").read_bytes()
    press(app, client, deed, slug, [5], [[]])
    assert (settings.atlases / SLUG / "atlas.json").read_bytes() == before
