"""Two people, two roles: what one of them has is not there for the other, by any address, link, callback or button."""

import io
import json
import shutil
from typing import get_args

import pytest
from flask import g

from app import create_app
from components import palettes
from components.server.context import context
from components.server.guarded import GuardedJobs
from components.server.site import NO_ATLAS
from services.access import User, user_line
from services.atlas import open_atlas
from services.errors import BuildError, JobError, UploadError
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.settings import Settings
from services.workshop.keeping import Keeping
from services.workshop.orders import Workshop
from services.workshop.owners import Owners, Ownership
from services.workshop.quotas import Quotas
from services.workshop.uploads import Uploads
from services.workshop.wish import Wish
from tests.app.test_bad_input import body_of, navigate, server_callbacks
from tests.app.test_door import basic
from tests.app.test_library import press
from tests.real_home import SLUG
from tests.toy_jobs import Toy

ANNA, BERT, CARL = User("anna", "build"), User("bert", "build"), User("carl", "admin")
PASSWORDS = {"anna": "one", "bert": "two", "carl": "three"}
TITLE = "Of anna alone"


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    file = tmp_path_factory.mktemp("owners") / "users"
    roles = {"anna": "build", "bert": "build", "carl": "admin"}
    file.write_text("\n".join(user_line(name, roles[name], PASSWORDS[name]) for name in roles), "utf-8")
    return file


@pytest.fixture
def settings(dashboard_home, users, tmp_path):
    """A home with an atlas that is everyone's and one of anna's."""
    made = Settings(home=tmp_path / "home", demo=False, auth=users, start_jobs=False)
    made.make_folders()
    for slug in (SLUG, "annas"):
        shutil.copytree(dashboard_home / "atlases" / SLUG, made.atlases / slug)
    Keeping(made).describe("annas", TITLE, "")
    assert Owners(made.owners).claim("annas", Ownership(owner="anna"))
    return made


@pytest.fixture
def app(settings):
    return create_app(settings)


class As:
    """A client that one person uses."""

    def __init__(self, app, name):
        self.client, self.headers = app.server.test_client(), basic(name, PASSWORDS[name])

    def get(self, path, **more):
        return self.client.get(path, headers=self.headers, **more)

    def post(self, path, headers=(), **more):
        return self.client.post(path, headers={**self.headers, **dict(headers)}, **more)


@pytest.fixture
def people(app):
    return {name: As(app, name) for name in PASSWORDS}


def addresses(app, slug, key, other=None):
    """An address of every route that names an atlas; a second one that it names is `other`, or the first.

    With `other`, of those alone that name a second one.
    """
    values = {"slug": slug, "key": key, "stream": "self", "layer": 0, "head": 0, "kind": "csv", "rest": "x"}
    values |= {"slug2": other or slug, "key2": key, "stream2": "self"}
    values |= {"role": "first", "theme": "light", "palette": get_args(palettes.Name)[0]}
    with app.server.test_request_context("/"):
        adapter = app.server.url_map.bind("localhost")
        for rule in app.server.url_map.iter_rules():
            if ("slug2" if other else "slug") in rule.arguments:
                filled = {name: values.get(name, 0 if ":" in rule.rule else "x") for name in rule.arguments}
                yield adapter.build(rule.endpoint, filled)


def is_hidden(person, path):
    return person.get(path).data == NO_ATLAS.encode()


def test_no_address_of_anothers_atlas_answers(app, people, settings):
    key = open_atlas(settings.atlases / "annas").info.key
    found = list(addresses(app, "annas", key))
    assert len(found) > 25
    for path in found:
        answer = people["bert"].get(path)
        assert (answer.status_code, answer.text) == (404, NO_ATLAS), path
        mine = people["anna"].get(path)
        assert mine.data != NO_ATLAS.encode(), path
        assert "public" not in mine.headers.get("Cache-Control", "")
    Owners(settings.owners).share("annas", True)
    assert not any(is_hidden(people["bert"], path) for path in found)
    Owners(settings.owners).share("annas", False)
    assert all(is_hidden(people["bert"], path) for path in found)
    assert not any(is_hidden(people["carl"], path) for path in found)


def test_anothers_atlas_is_not_compared_with(app, people, settings):
    key = open_atlas(settings.atlases / SLUG).info.key
    assert key == open_atlas(settings.atlases / "annas").info.key
    found = list(addresses(app, SLUG, key, "annas"))
    assert len(found) > 5
    for path in found:
        assert is_hidden(people["bert"], path), path
        assert not is_hidden(people["anna"], path), path


@pytest.mark.parametrize("content", ["", "[]", '{"owner": 3}', "[" * 5000])
def test_an_owner_that_cannot_be_read_is_nobody(people, settings, content):
    (settings.owners / "annas.json").write_text(content)
    assert people["bert"].get("/library/annas.zip").status_code == 404
    assert people["bert"].get("/library/annas/page.zip").status_code == 404
    assert people["anna"].get("/library/annas.zip").status_code == 404
    assert people["carl"].get("/library/annas.zip").status_code == 200


def test_no_page_and_no_callback_tells_of_anothers_atlas(app, people):
    link = "?atlas=annas"
    for name, sees in [("bert", False), ("anna", True)]:
        page = navigate(people[name], link).text
        assert (TITLE in page) == sees
        assert ("There is no readable atlas" in page) != sees
    told = []
    for output, callback in server_callbacks(app).items():
        for value in ({"atlas": "annas", "stream": "self", "tab": "x"}, "annas", link):
            body = json.dumps(body_of(output, callback, value))
            for name in ("bert", "anna"):
                answer = people[name].post("/_dash-update-component", data=body, content_type="application/json")
                if TITLE in answer.text:
                    told.append(name)
    assert set(told) == {"anna"}


def test_the_owner_shares_and_only_who_owns_deletes(app, people, settings):
    bert, anna = people["bert"], people["anna"]
    for deed in ("save", "delete", "share", "hide"):
        assert "There is no such atlas." in press(app, bert, deed, "annas")
    assert '"Of anna"' not in press(app, bert, "save", SLUG)
    assert "takes the role admin" in press(app, anna, "delete", SLUG)  # everyone's
    assert "Everyone here sees it now." in press(app, anna, "share", "annas")
    shown = press(app, bert, "save", "none")
    assert TITLE in shown
    assert "Of anna" in shown
    assert "shelf-share" not in shown
    for deed in ("save", "delete", "hide"):
        assert "takes the role admin" in press(app, bert, deed, "annas")
    assert "owner and admins" in press(app, people["carl"], "hide", "annas")
    assert "taken back for a day" in press(app, anna, "delete", "annas")
    (thrown,) = settings.trash.iterdir()
    for deed in ("restore", "purge"):
        assert "gone for good" in press(app, bert, deed, thrown.name)
    assert TITLE not in press(app, bert, "save", "none")
    assert thrown.is_dir()
    assert "It is back." in press(app, anna, "restore", thrown.name)
    assert Owners(settings.owners).of("annas") == Ownership(owner="anna")
    assert people["bert"].get("/library/annas.zip").status_code == 404


def test_what_is_opened_from_a_file_is_whose_it_is(people, settings):
    content = people["anna"].get(f"/library/{SLUG}.zip").data
    slug = people["bert"].post("/library/open?name=a.zip", data=content).json["slug"]
    assert Owners(settings.owners).of(slug) == Ownership(owner="bert")
    assert people["anna"].get(f"/library/{slug}.zip").status_code == 404
    assert people["bert"].get(f"/library/{slug}.zip").status_code == 200


def test_an_upload_is_found_by_who_made_it(people, settings):
    made = people["anna"].post("/upload?name=cat.png", data=b"1").json
    assert people["bert"].post(f"/upload/{made['id']}?name=dog.png", data=b"2").status_code == 400
    assert people["anna"].post(f"/upload/{made['id']}?name=dog.png", data=b"2").json["files"] == 2
    assert Uploads(settings.uploads, 9, "bert").get(made["id"]) is None
    assert Uploads(settings.uploads, 9).get(made["id"]).files == ("cat.png", "dog.png")


def workshop(settings, person, jobs):
    here = context()
    return Workshop(settings, here.library, jobs, here.rows, person.name or "", Quotas(settings, person.name or ""))


def order(app, settings, person, **values):
    wish = Wish.read({"model": "minilm", "corpus": "paste", "text": "The cat sat.\nA dog ran.", **values})
    with app.server.test_request_context("/"):
        g.user = person
        return workshop(settings, person, context().jobs).place(wish)


def test_a_build_is_its_owners_before_it_begins(app, people, settings):
    mine, other = order(app, settings, ANNA), order(app, settings, BERT)
    assert mine.slug != other.slug  # an equal wish, yet not one order
    assert order(app, settings, ANNA) == mine
    assert Owners(settings.owners).of(mine.slug) == Ownership(owner="anna")
    pages = {}
    for name in ("anna", "bert", "carl"):
        shown = people[name].post(
            "/_dash-update-component", data=json.dumps(page_of("/new")), content_type="application/json"
        )
        banner = next(name for name in server_callbacks(app) if "build-banner.children" in name or "banner" in name)
        body = body_of(banner, server_callbacks(app)[banner], None)
        bar = people[name].post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
        pages[name] = shown.text + bar.text
    assert f"order-{mine.slug}" in pages["anna"]
    assert f"order-{other.slug}" not in pages["anna"].replace(f"order-{mine.slug}", "")
    assert mine.slug not in pages["bert"].replace(other.slug, "")
    assert mine.slug in pages["carl"]
    assert other.slug in pages["carl"]


def page_of(path):
    inputs = {"pathname": path, "search": ""}
    return {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "inputs": [{"id": "_pages_location", "property": name, "value": value} for name, value in inputs.items()],
        "changedPropIds": ["_pages_location.pathname"],
    }


@pytest.fixture
def guarded(app, settings, monkeypatch):
    """Jobs as a person has them, of kinds that do nothing."""
    from services.jobs import registry
    from tests.toy_jobs import TOYS

    monkeypatch.setattr(registry, "KINDS", registry.KINDS + TOYS)
    raw = LocalJobs(settings, starts=False)
    jobs = GuardedJobs(raw, settings.model_copy(update={"quota_jobs": 2}))

    def act(person, deed, *arguments):
        with app.server.test_request_context("/"):
            g.user = person
            return getattr(jobs, deed)(*arguments)

    yield act
    raw.close()


def toy(name, owner="tab", kind="toy"):
    return JobSpec.of(kind, Toy(folder="x", name=name), owner)


def test_anothers_job_cannot_be_seen_or_stopped(guarded):
    job = guarded(ANNA, "submit", toy("a"))
    assert job.owners.keys() == {"tab"}
    for deed in ("status", "cancel"):
        assert guarded(BERT, deed, job.id) is None
    assert guarded(BERT, "cancel", job.id, "tab") is None
    assert guarded(BERT, "list") == []
    assert guarded(BERT, "list", "tab") == []
    assert guarded(BERT, "log", job.id) == ""
    assert [one.id for one in guarded(ANNA, "list", "tab")] == [job.id]
    assert guarded(ANNA, "status", job.id).active
    assert [one.id for one in guarded(CARL, "list")] == [job.id]
    assert guarded(CARL, "cancel", job.id).state == "cancelled"
    assert guarded(BERT, "list") == []  # nor how it ended


def test_of_a_job_that_two_want_only_ones_own_interest_ends(guarded):
    job = guarded(ANNA, "submit", toy("both"))
    assert guarded(BERT, "submit", toy("both")).id == job.id
    guarded(ANNA, "cancel", job.id)
    assert guarded(ANNA, "list") == []
    assert guarded(BERT, "status", job.id).active
    assert guarded(BERT, "cancel", job.id).state == "cancelled"


def test_as_many_jobs_as_one_may_have(guarded):
    for name in ("a", "b"):
        guarded(ANNA, "submit", toy(name))
    with pytest.raises(JobError, match=r"2 of your jobs .* 2 is the most .* \(ATLAS_QUOTA_JOBS\)"):
        guarded(ANNA, "submit", toy("c"))
    guarded(ANNA, "submit", toy("a"))  # that one is there
    guarded(ANNA, "submit", toy("w", kind="warm"))  # what a reader waits for
    guarded(BERT, "submit", toy("c"))
    for name in ("d", "e", "f"):
        guarded(CARL, "submit", toy(name))


def test_a_quota_refuses_with_its_limit(app, settings):
    wish = Wish.read({"model": "minilm", "corpus": "paste", "text": "The cat sat.\nA dog ran."})
    refusals = [
        ({"quota_atlases": 1}, "You have 1 atlas here, and 1 is the most a person may have (ATLAS_QUOTA_ATLASES)"),
        ({"quota_tokens": 5}, "12 tokens, and 5 are the most a build may have here (ATLAS_QUOTA_TOKENS)"),
        ({"quota_bytes": 100_000}, "100 kB are the most a person may have (ATLAS_QUOTA_BYTES)"),
    ]
    with app.server.test_request_context("/"):
        g.user = ANNA
        for limits, says in refusals:
            shop = workshop(settings.model_copy(update=limits), ANNA, context().jobs)
            assert says in shop.check(wish).problem
        with pytest.raises(BuildError, match="most"):
            shop.place(wish)
        assert shop.orders() == []
        free = Workshop(shop.settings, context().library, context().jobs, quotas=Quotas(shop.settings, ""))
        assert free.check(wish).problem is None
    assert [path.name for path in settings.owners.iterdir()] == ["annas.json"]


def test_bytes_of_uploads_atlases_and_trash_count_together(settings, dashboard_home):
    Uploads(settings.uploads, 10**6, "anna").receive("a.txt", 5, io.BytesIO(b"words"))
    held = Quotas(settings, "anna").held()
    size = sum(file.stat().st_size for file in (settings.atlases / "annas").rglob("*") if file.is_file())
    assert size + 5 <= held < size + 100
    Keeping(settings).delete("annas")
    assert abs(Quotas(settings, "anna").held() - held) < 1000
    assert Quotas(settings, "bert").held() == 0
    less = settings.model_copy(update={"quota_bytes": held})
    keeping = Keeping(less, "anna", Quotas(less, "anna"))
    with pytest.raises(BuildError, match="ATLAS_QUOTA_BYTES"):
        keeping.receive("a.zip", 1000, io.BytesIO(b"x" * 1000))
    with pytest.raises(UploadError, match="no zip"):
        Keeping(less, "bert", Quotas(less, "bert")).receive("a.zip", 1000, io.BytesIO(b"x" * 1000))


def test_without_names_everything_is_everyones(dashboard_home, settings):
    open_to_all = create_app(settings.model_copy(update={"auth": None}))
    assert open_to_all.server.test_client().get("/library/annas.zip").status_code == 200


def test_owners_of_what_never_came_are_forgotten(settings):
    owners = Owners(settings.owners)
    assert not owners.claim("annas", Ownership(owner="bert"))
    assert owners.claim("never", Ownership(owner="bert"))
    assert Keeping(settings).free_folder("never").name == "never-2"
    Keeping(settings).sweep()
    assert owners.is_claimed("never")
    Keeping(settings).sweep((settings.owners / "never.json").stat().st_mtime + 90_000)
    assert not owners.is_claimed("never")
    assert owners.of("annas") == Ownership(owner="anna")
