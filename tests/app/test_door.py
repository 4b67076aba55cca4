"""Who is let in, from where, and what they may do."""

import base64
import io
import sys

import pytest
from flask import g, request
from werkzeug.routing import Rule

from app import create_app
from components.server.context import context
from components.server.permission import refusal
from services.access import User, entered, read_users, user_line
from services.errors import AtlasError, JobError
from services.jobs.spec import JobSpec
from services.settings import Settings

CALL = "/_dash-update-component"


@pytest.fixture(scope="module")
def made(dashboard_home):
    """The server of some settings, made once, with two routes of the test's own."""
    known = {}

    def make(**settings):
        key = tuple(sorted(settings.items()))
        if key not in known:
            known[key] = server = create_app(Settings(home=dashboard_home, demo=False, **settings)).server
            for name, view in {"try": attempt, "where": lambda: f"{request.url_root} {request.remote_addr}"}.items():
                server.url_map.add(Rule(f"/{name}", endpoint=name))
                server.view_functions[name] = view
        return known[key]

    return make


def attempt():
    """What the jobs say to a wish without its arguments: who is let in hears of those."""
    try:
        context().jobs.submit(JobSpec(request.args.get("kind", "build"), {}, "test"))
    except JobError as error:
        return str(error) if "look" in str(error) else "let in"
    return "started"


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    file = tmp_path_factory.mktemp("door") / "users"
    lines = [user_line("anna", "build", "s3cret:word"), user_line("bert", "view", "other"), "# a note", "carl:admin:"]
    file.write_text("\n".join(lines), "utf-8")
    return file


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_laptop_answers_to_its_own_names_only(made):
    client = made().test_client()
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "[::1]:8050"}).status_code == 200
    answer = client.get("/payload/catalogue", headers={"Host": "evil.example:8050"})
    assert answer.status_code == 400
    assert "evil.example" in answer.text
    assert "ATLAS_ALLOWED_HOSTS" in answer.text


def test_a_server_on_a_network_answers_to_any_name_until_it_is_told_its_own(made):
    assert made(host="0.0.0.0").test_client().get("/", headers={"Host": "lab.example"}).status_code == 200
    named = made(host="0.0.0.0", allowed_hosts="lab.example, atlas.example").test_client()
    assert named.get("/", headers={"Host": "atlas.example:443"}).status_code == 200
    assert named.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert named.get("/healthz", headers={"Host": "10.0.0.7:8050"}).status_code == 200


def test_a_large_body_is_refused_before_it_is_read(made):
    body = io.BytesIO(b"[" * (5 * 2**20))
    answer = made().test_client().post(CALL, input_stream=body, headers={"Content-Length": str(5 * 2**20)})
    assert answer.status_code == 413
    assert body.tell() == 0


def test_users_enter_by_password(made, users):
    client = made(auth=users).test_client()
    asked = client.get("/")
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get("/assets/favicon.svg").status_code == 401
    assert client.get("/healthz").status_code == 200
    for name, password in [("anna", "wrong"), ("nobody", "s3cret:word"), ("carl", ""), ("anna", "")]:
        assert client.get("/", headers=basic(name, password)).status_code == 401
    for _ in range(2):  # the second time by its digest
        assert client.get("/", headers=basic("anna", "s3cret:word")).status_code == 200


def asks(app, headers, *, address="127.0.0.1", kind="build"):
    """What a job asked for in a request gives: a line of refusal."""
    return app.test_client().get(f"/try?kind={kind}", headers=headers, environ_base={"REMOTE_ADDR": address}).text


def test_who_may_only_look_starts_no_job(made, users):
    app = made(auth=users)
    assert asks(app, basic("anna", "s3cret:word")) == "let in"
    assert "look" in asks(made(auth=users), basic("bert", "other"))
    assert "look" in asks(made(read_only=True), {})
    for kind in ("layout", "probe"):  # what a reader waits for is looking
        assert asks(made(read_only=True), {}, kind=kind) == "let in"
    assert asks(made(), {}) == "let in"


def test_a_proxy_tells_the_user_only_from_a_trusted_address(made, users):
    settings = {"auth": users, "user_header": "X-User", "trusted_proxies": "10.0.0.0/8"}
    told = {"X-User": "carl", "X-Forwarded-For": "192.0.2.7"}
    assert asks(made(**settings), told, address="10.1.2.3") == "let in"
    assert "look" in asks(made(**settings), {"X-User": "someone new"}, address="10.1.2.3")
    assert "password" in asks(made(**settings), told, address="192.0.2.1")


def test_only_a_trusted_proxy_names_host_and_scheme(made):
    app = made(host="0.0.0.0", trusted_proxies="10.0.0.1")
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "lab.example", "X-Forwarded-For": "192.0.2.7"}
    client = app.test_client()
    assert client.get("/where", headers=told, environ_base={"REMOTE_ADDR": "10.0.0.1"}).text == (
        "https://lab.example/ 192.0.2.7"
    )
    assert client.get("/where", headers=told, environ_base={"REMOTE_ADDR": "10.0.0.2"}).text == (
        "http://localhost/ 10.0.0.2"
    )


def test_pages_are_framed_by_nobody_else(made):
    assert "frame-ancestors 'self'" in made().test_client().get("/").headers["Content-Security-Policy"]


def test_readiness_says_what_is_wrong(made, dashboard_home, tmp_path):
    assert made().test_client().get("/readyz").text == "ready"
    app = create_app(Settings(home=tmp_path / "home", demo=False, url_prefix="/lab/")).server
    (tmp_path / "home" / "atlases").rmdir()
    answer = app.test_client().get("/lab/readyz")
    assert answer.status_code == 503
    assert "atlases cannot be read" in answer.text


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "names nobody"), ("anna", "line 1"), ("# x\nanna:king:h", "line 2"), ("an na:view:h", "line 1")],
)
def test_a_wrong_file_of_users_ends_the_start_with_its_line(tmp_path, content, says):
    (tmp_path / "users").write_text(content, "utf-8")
    with pytest.raises(AtlasError, match=says) as raised:
        create_app(Settings(home=tmp_path / "home", demo=False, auth=tmp_path / "users"))
    assert "king" not in str(raised.value)


def test_the_command_writes_a_line_that_lets_in(tmp_path, monkeypatch, capsys):
    from services.commands.line import run

    monkeypatch.setattr(sys, "stdin", io.StringIO("päss word\n"))
    assert run(["password", "anna", "--role", "admin"], lambda *_: None) == 0
    (tmp_path / "users").write_text(capsys.readouterr().out, "utf-8")
    known = read_users(tmp_path / "users")
    found = entered(known, "anna", "päss word")
    assert found is not None
    assert found.may("admin")
    assert entered(known, "anna", "pass word") is None


@pytest.mark.parametrize("password", ["\n", ""])
def test_an_empty_password_is_refused(monkeypatch, capsys, password):
    from services.commands.line import run

    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    assert run(["password", "anna"], lambda *_: None) == 2
    assert "empty password" in capsys.readouterr().err


def test_wrong_networks_are_named(monkeypatch):
    from services import settings

    monkeypatch.setenv("ATLAS_TRUSTED_PROXIES", "10.0.0.0/99")
    settings.load_settings.cache_clear()
    with pytest.raises(AtlasError, match="ATLAS_TRUSTED_PROXIES"):
        settings.load_settings()
    settings.load_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "deed", "owner", "allowed"),
    [
        ("bert", "build", "", False),
        ("anna", "build", "", True),
        ("anna", "stop", "anna", True),
        ("anna", "stop", "bert", False),
        ("anna", "delete", "", False),
        ("carl", "stop", "bert", True),
        ("carl", "delete", "", True),
        (None, "delete", "", True),
    ],
)
def test_what_is_anothers_only_an_admin_changes(made, name, deed, owner, allowed):
    roles = {"anna": "build", "bert": "view", "carl": "admin", None: "admin"}
    with made().test_request_context("/"):
        g.user = User(name, roles[name])
        problem = refusal(deed, owner)
    assert (problem is None) == allowed
    assert allowed or "look" in problem


def test_who_may_only_look_brings_nothing(made, users):
    client = made(auth=users).test_client()
    for path in ("/upload?name=a.txt", "/library/open?name=a.zip"):
        answer = client.post(path, data=b"words", headers=basic("bert", "other"))
        assert answer.status_code == 403
        assert "look" in answer.text
