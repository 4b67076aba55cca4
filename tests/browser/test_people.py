"""Two people with two browsers: one's atlas is not there for the other until its switch says so."""

import shutil

import pytest
from playwright.sync_api import expect

from services.access import user_line
from services.settings import Settings
from services.workshop.owners import Owners, Ownership
from tests.browser.test_accessibility import violations
from tests.browser.walking import settle
from tests.gunicorn_server import two_workers
from tests.real_home import SLUG

pytestmark = pytest.mark.browser


def test_an_atlas_is_private_until_it_is_shared(dashboard_home, tmp_path, monkeypatch, open_context):
    settings = Settings(home=tmp_path / "home", demo=False)
    settings.make_folders()
    shutil.copytree(dashboard_home / "atlases" / SLUG, settings.atlases / "annas")
    Owners(settings.owners).claim("annas", Ownership(owner="anna"))
    users = tmp_path / "users"
    users.write_text("\n".join([user_line("anna", "build", "one"), user_line("bert", "view", "two")]), "utf-8")
    monkeypatch.setenv("ATLAS_AUTH", str(users))

    def browser_of(name, password):
        context = open_context(http_credentials={"username": name, "password": password}, bypass_csp=True)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        return page

    with two_workers(settings) as url:
        anna, bert = browser_of("anna", "one"), browser_of("bert", "two")
        bert.goto(f"{url}/library")
        expect(bert.get_by_role("heading", name="Library")).to_be_visible()
        expect(bert.locator(".shelf-card")).to_have_count(0)
        bert.goto(f"{url}/?atlas=annas")
        expect(bert.locator(".waiting")).to_be_visible()
        assert bert.request.get(f"{url}/library/annas.zip").status == 404

        anna.goto(f"{url}/library")
        card = anna.locator("#shelf-annas")
        expect(card).to_contain_text("Yours")
        switch = card.get_by_role("switch", name="Shared with everyone here")
        expect(switch).to_have_attribute("aria-checked", "false")
        assert not violations(anna)
        switch.press("Enter")
        expect(anna.get_by_text("Everyone here sees it now.")).to_be_visible()
        expect(switch).to_have_attribute("aria-checked", "true")

        bert.goto(f"{url}/library")
        seen = bert.locator("#shelf-annas")
        expect(seen).to_contain_text("Of anna")
        expect(seen.get_by_role("switch")).to_have_count(0)
        seen.get_by_role("button", name="Delete").click()
        expect(bert.get_by_text("that takes the role admin")).to_be_visible()
        bert.goto(f"{url}/?atlas=annas")
        settle(bert)

        switch.click()
        expect(switch).to_have_attribute("aria-checked", "false")
        bert.goto(f"{url}/library")
        expect(bert.locator(".shelf-card")).to_have_count(0)
