"""The page New atlas without a browser: what is posted is checked, what is sent is stored or refused unread."""

import json
import shutil

import pytest

from app import create_app
from services.probe.asked import Asked
from services.probe.brought import folder_of
from services.settings import Settings
from tests.app.test_bad_input import body_of, server_callbacks
from tests.real_home import SLUG


@pytest.fixture
def settings(dashboard_home, tmp_path):
    shutil.copytree(dashboard_home / "atlases" / SLUG, tmp_path / "atlases" / SLUG)
    return Settings(home=tmp_path, demo=False, upload_bytes=50_000, start_jobs=False)


@pytest.fixture
def app(settings):
    return create_app(settings)


@pytest.fixture
def client(app):
    return app.server.test_client()


class Unread:
    """A body of a gigabyte that must not be read."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


def test_a_gigabyte_is_refused_before_it_is_read(client, settings):
    answer = client.post("/upload?name=a.txt", environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": str(10**9)})
    assert answer.status_code == 413
    assert answer.text == "a.txt has 1.0 GB; 50 kB are the most that can be uploaded here (ATLAS_UPLOAD_BYTES)."
    assert answer.headers["Connection"] == "close"
    assert not settings.uploads.exists()


def test_an_image_for_a_probe_is_kept_in_the_cache_alone_or_refused(client, settings):
    answer = client.post("/upload/probe?name=my%20cat.png", data=b"1").json
    asked = Asked(answer["text"])
    assert answer["name"] == "my cat.png"
    assert (folder_of(settings.probes, asked) / "my cat.png").read_bytes() == b"1"
    assert not settings.uploads.exists()
    for name, content, status, says in (
        ("run.py", b"1", 400, "of no kind that can be read"),
        ("a.txt", b"1", 400, "a.txt is no image: give a PNG, JPEG or WebP."),
        ("a.png", b"1" * 50_001, 413, "It has 50 kB; an image for a probe can have 50 kB."),
    ):
        answer = client.post(f"/upload/probe?name={name}", data=content)
        assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert len(list((settings.probes / "images").iterdir())) == 1


def test_an_upload_is_stored_and_more_images_join_it(client, settings):
    first = client.post("/upload?name=cat.png", data=b"1").json
    assert first == {"id": first["id"], "files": 1, "name": "cat.png", "bytes": 1}
    assert client.post(f"/upload/{first['id']}?name=dog.png", data=b"2").json["files"] == 2
    answer = client.post("/upload?name=run.py", data=b"1")
    assert answer.status_code == 400
    assert "no kind that can be read here" in answer.text
    assert client.post("/upload/nothing?name=a.png", data=b"1").status_code == 400
    assert client.get("/upload").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "nonsense"}, 403),
    ],
)
def test_what_changes_something_must_come_from_this_server(app, client, headers, status):
    assert client.post("/upload?name=a.txt", data=b"1", headers=headers).status_code == status
    body = json.dumps(body_of("new-says.children", server_callbacks(app)["new-says.children"], None))
    for kind in ("application/json", "text/plain"):
        answer = client.post("/_dash-update-component", data=body, content_type=kind, headers=headers)
        assert (answer.status_code == 403) == (status == 403)
    assert client.get("/new", headers=headers).status_code == 200


def post(app, client, output, changed, **values):
    """Post a callback with these values of its inputs and states, by id, and None for all others."""
    found = {name: one for name, one in server_callbacks(app).items() if output in name}
    ((name, callback),) = found.items()
    body = body_of(name, callback, None)
    for part in (*body["inputs"], *body["state"]):
        if isinstance(part["id"], str):
            part["value"] = values.get(part["id"].replace("-", "_"))
    body["changedPropIds"] = [changed]
    answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.text[:300]
    return json.dumps(answer.json["response"], ensure_ascii=False)


CHOICES = {
    "new_model": "minilm",
    "new_corpus": "paste",
    "new_text": "The cat sat.\nStop.",
    "new_inputs": 100,
    "new_seed": 0,
    "new_maps": ["umap"],
    "new_dims": [2],
    "new_start": 1,
}


def test_a_check_says_what_would_be_built(app, client):
    said = post(app, client, "new-check.children", "new-text.value", **CHOICES)
    assert "BERT, 6 × 12 heads, encoder; 2 inputs, about 10 tokens" in said
    assert '"disabled": false' in said
    said = post(app, client, "new-check.children", "new-text.value", **{**CHOICES, "new_text": ""})
    assert "Paste some text" in said
    assert '"disabled": true' in said


def test_a_build_is_asked_for_shown_and_given_up(app, client, settings):
    assert "Begun: minilm-pasted-sentences." in post(app, client, "new-says.children", "new-start.n_clicks", **CHOICES)
    page = post(app, client, "orders.children", "jobs.data")
    assert "Waiting for a worker" in page
    assert "Estimated: " in page
    for deed, says in (("stop", "was stopped"), ("go", "Waiting for a worker"), ("discard", "")):
        name = json.dumps({"deed": deed, "kind": "order", "slug": "minilm-pasted-sentences"}, separators=(",", ":"))
        ((output, callback),) = [(o, c) for o, c in server_callbacks(app).items() if o == "orders.children"]
        body = body_of(output, callback, None)
        body["inputs"][-1] = [{"id": json.loads(name), "property": "n_clicks", "value": 1}]
        body["changedPropIds"] = [f"{name}.n_clicks"]
        answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
        page = json.dumps(answer.json["response"])
        assert says in page, deed
    assert "minilm-pasted-sentences" not in page
    assert not list(settings.uploads.iterdir())
    assert not list(settings.orders.glob("*.json"))


SET = "dataset:org/set:train:en:0123456789abcdef0123456789abcdef01234567:1"


def test_a_data_set_is_asked_for_by_a_job_and_built_only_when_it_is_there(app, client, settings):
    asked = {"new_set_id": " org/set ", "new_fetch": 1}
    said = post(app, client, "new-set-job.data", "new-fetch.n_clicks", **asked)
    (job,) = app.server.config["ATTENTION_ATLAS"].rows.list()
    assert job.id in said
    assert (job.kind, job.arguments) == ("dataset", {"id": "org/set", "split": "", "subset": ""})
    followed = {"new_set_job": {"id": "org/set", "job": job.id, "asked": 1}}
    assert "Waiting for a worker" in post(app, client, "new-set-says.children", "new-set-job.data", **followed)
    for data, says in (
        (None, "Give the id of a data set and fetch it."),
        ({"corpus": "dataset:org/set"}, "Give the id of a data set and fetch it."),
        ({"corpus": "dataset:../x"}, "names no data set"),
        ({"corpus": "/etc/passwd"}, "Give the id of a data set and fetch it."),
        ({"corpus": SET}, "what was fetched of it has been removed; fetch it again"),
    ):
        wish = {**CHOICES, "new_corpus": "dataset", "new_set": data}
        assert says in post(app, client, "new-check.children", "new-set.data", **wish)
        assert says in post(app, client, "new-says.children", "new-start.n_clicks", **wish)
    assert not settings.orders.exists()


@pytest.mark.parametrize(("id", "says"), [("", "Give the id"), ("a b", "names no data set"), (7, "Give the id")])
def test_a_name_that_no_data_set_has_starts_no_job(app, client, id, says):
    said = post(app, client, "new-set-job.data", "new-fetch.n_clicks", new_set_id=id, new_fetch=1)
    assert says in said
    assert not app.server.config["ATTENTION_ATLAS"].rows.list()


@pytest.mark.parametrize("changed", [{"datasets": False}, {"upload_bytes": 0}, {"read_only": True}])
def test_where_data_sets_are_switched_off_none_is_asked_for_nor_built(settings, changed):
    app = create_app(settings.model_copy(update=changed))
    client = app.server.test_client()
    said = post(app, client, "new-set-job.data", "new-fetch.n_clicks", new_set_id="org/set", new_fetch=1)
    off = "You may look at what you see here" if "read_only" in changed else "switched off here (ATLAS_DATASETS"
    assert off in said
    wish = {**CHOICES, "new_corpus": "dataset", "new_set": {"corpus": SET}}
    assert off in post(app, client, "new-says.children", "new-start.n_clicks", **wish)
    assert not app.server.config["ATTENTION_ATLAS"].rows.list()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"new_model": "gpt2"}, "not on the list"),
        ({"new_model": ["x"]}, "model"),
        ({"new_corpus": "upload", "new_upload": {"id": "../../x"}}, "upload is gone"),
        ({"new_corpus": "upload", "new_upload": 7}, "Choose a file"),
        ({"new_inputs": 10**9}, "Inputs at most"),
        ({"new_maps": "umap"}, "projections"),
        ({"new_maps": ["isomap"]}, "isomap"),
        ({"new_text": 5}, "Text"),
        ({"new_title": "x" * 100}, "Name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_and_builds_nothing(app, client, settings, changed, said):
    for output, cause in (("new-check.children", "new-text.value"), ("new-says.children", "new-start.n_clicks")):
        assert said in post(app, client, output, cause, **{**CHOICES, **changed})
    assert not settings.orders.exists()
