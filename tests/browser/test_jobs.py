"""What a page says of jobs, and when it asks: on its own only while something runs."""

import re
import shutil
import time

import pytest
from playwright.sync_api import Page, Request, expect

from app import create_app
from services.errors import BuildError, Cancelled
from services.jobs.builds import BUILD, BuildArguments
from services.jobs.here import here
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.jobs.study import study_job
from services.pipeline.request import BuildRequest
from services.settings import Settings
from tests.atlas_jobs import forget_study
from tests.browser.serving import serving
from tests.browser.walking import settle
from tests.patience import PATIENCE, until
from tests.real_home import SLUG

pytestmark = pytest.mark.browser
IDLE = 10.0  # seconds


@pytest.fixture
def settings(dashboard_home, tmp_path):
    """A home of one test's own: what it says of its jobs stays on the pages for ten minutes."""
    without = shutil.ignore_patterns("jobs")  # the build of the atlas was one
    return Settings(home=shutil.copytree(dashboard_home, tmp_path / "home", ignore=without), demo=False)


@pytest.fixture
def dashboard(settings):
    app = create_app(settings)
    with serving(app.server) as url:
        yield url
    app.server.config["ATTENTION_ATLAS"].rows.close()


def build_of(settings, name):
    """A build as a terminal notes it; the test does its work."""
    request = BuildRequest(model="minilm", corpus="demo")
    return JobSpec.of(BUILD.name, BuildArguments(request=request, folder=str(settings.atlases / name)), "terminal")


def at(label: str, more: str = "") -> re.Pattern[str]:
    """Where a build stands; once a stage has gone on for a while, also when it is done."""
    return re.compile(rf"^{re.escape(label)}( · about \d+ (s|min))?{more}$")


class Traffic:
    """The requests of a page."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self.open: set[Request] = set()
        self._page = page
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        self.open.add(request)
        self.asked.append(f"{request.method} {request.url} {request.post_data or ''}"[:300])

    def _end(self, request: Request) -> None:
        self.open.discard(request)

    def settle(self) -> None:
        """Until nothing is under way and nothing was asked for two seconds."""
        last, since, limit = -1, time.monotonic(), time.monotonic() + PATIENCE
        while time.monotonic() - since < 2:
            if self.open or len(self.asked) != last:
                last, since = len(self.asked), time.monotonic()
            assert time.monotonic() < limit, {"open": [one.url for one in self.open], "asked last": self.asked[-5:]}
            self._page.wait_for_timeout(50)

    def rest(self, seconds: float) -> None:
        """Once it has settled, nothing may be asked for so long."""
        self.settle()
        before = len(self.asked)
        self._page.wait_for_timeout(1000 * seconds)
        assert self.asked[before:] == []


@pytest.mark.slow
def test_pages_at_rest_ask_for_nothing(page: Page, context, settings, dashboard):
    forget_study(settings.atlases / SLUG)  # the page Scaling offers one
    pages = [page, context.new_page(), context.new_page()]
    traffic = [Traffic(one) for one in pages]
    for one, address in zip(pages, ("/?layer=1&head=2&tab=align", "/scaling", "/guide"), strict=True):
        one.goto(dashboard + address)
        one.bring_to_front()
    expect(page.locator("#align-slider")).to_be_visible()
    expect(pages[1].get_by_text("Study all heads now")).to_be_enabled()
    for one in traffic:
        one.settle()
    before = [len(one.asked) for one in traffic]
    page.wait_for_timeout(1000 * IDLE)
    assert [one.asked[count:] for one, count in zip(traffic, before, strict=True)] == [[], [], []]
    assert all(count > 5 for count in before)


@pytest.mark.slow
def test_a_waiting_page_asks_while_something_is_built_and_rests_otherwise(page: Page, tmp_path):
    settings = Settings(home=tmp_path / "empty", demo=False)
    app = create_app(settings)
    traffic = Traffic(page)
    with serving(app.server) as url:
        page.goto(url)
        expect(page.get_by_role("heading", name="There is no atlas yet")).to_be_visible()
        traffic.rest(3)
        with here(settings, build_of(settings, "tiny")) as running:
            running.report("Capturing attention", 3, 10)
            look_again(page)
            expect(page.get_by_role("heading", name="Build of tiny")).to_be_visible()
            expect(page.locator(".waiting .progress-label")).to_have_text(at("Capturing attention · 30 %"))
            running.report("Capturing attention", 6, 10)
            expect(page.locator(".waiting .progress-label")).to_have_text(at("Capturing attention · 60 %"))
        expect(page.get_by_role("heading", name="There is no atlas yet")).to_be_visible()
        traffic.rest(3)
    app.server.config["ATTENTION_ATLAS"].rows.close()


def look_again(page: Page) -> None:
    """As when the window gets the focus back."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def run(settings, name, work, page, said):
    """Do a job in this process while the page follows it; what the bar says at its end."""
    with pytest.raises((BuildError, Cancelled)), here(settings, build_of(settings, name)) as running:
        work(running)
    look_again(page)
    expect(page.locator("#build-banner")).to_have_text(said)


def test_a_build_in_a_terminal_is_seen_when_the_page_is_looked_at_again_followed_and_stopped(
    page: Page, settings, dashboard
):
    traffic = Traffic(page)
    page.goto(dashboard)
    settle(page)
    traffic.rest(1)
    bar = page.locator("#build-banner")
    expect(bar).to_have_text("")

    def work(running):
        running.report("Capturing attention", 3, 10)
        traffic.rest(2)  # nobody looks, nothing is asked
        expect(bar).to_have_text("")
        look_again(page)
        expect(bar).to_have_text(at("Capturing attention · 30 %", "Stop"))
        running.report("UMAP, t-SNE", 7, 10)
        expect(bar).to_have_text(at("UMAP, t-SNE · 70 %", "Stop"))
        running.report("word " * 200, 8, 10)
        expect(bar).to_contain_text("word word")
        shell = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.topbar').clientHeight]")
        assert shell[0] <= page.viewport_size["width"]
        assert shell[1] < 80
        page.get_by_role("button", name="Stop").click()
        expect(bar).to_contain_text("Build of one: stopping")
        until(lambda: running.stopping)
        running.check()

    run(settings, "one", work, page, "Build of one was stopped.")
    traffic.rest(3)


def test_a_build_is_seen_in_the_answer_to_anything_else(page: Page, settings, dashboard):
    page.goto(dashboard)
    settle(page)
    jobs = LocalJobs(settings)
    with here(settings, build_of(settings, "one")) as running:
        running.report("Capturing attention", 1, 4)
        until(lambda: jobs.list()[0].done == 1)
        page.locator("#colour-select").select_option("position")
        expect(page.locator("#build-banner")).to_contain_text("Capturing attention · 25 %")
    expect(page.locator("#build-banner")).to_have_text("")
    jobs.close()


def test_each_end_is_said_in_one_sentence(page: Page, settings, dashboard):
    page.goto(dashboard)
    settle(page)

    def fail(_running):
        raise BuildError("No space left for\nthe atlas. Free some.")

    run(settings, "two", fail, page, "Build of two failed: No space left for the atlas. Free some.")

    jobs = LocalJobs(settings)
    (job,) = jobs.list()
    jobs.table.put(job.changed(id="build-0", title="Build of three", state="running", slot="gone", updated=1.0))
    look_again(page)
    expect(page.locator("#build-banner")).to_have_text(
        "Build of three ended unexpectedly; start it again: it goes on where it stopped."
    )

    with here(settings, build_of(settings, "four")) as running:
        running.report("Capturing attention", 1, 4)
        until(lambda: jobs.list()[-1].done == 1)
        jobs.table.put(jobs.table.get(jobs.list()[-1].id).changed(attempt=2))  # as after a death
        look_again(page)
        expect(page.locator("#build-banner")).to_have_text(
            re.compile("^Build of four, taken up again: Capturing attention · 25 %")
        )
    jobs.close()


@pytest.mark.slow
def test_a_study_begun_on_one_page_is_followed_on_another(page: Page, context, settings, dashboard):
    forget_study(settings.atlases / SLUG)
    other = context.new_page()
    for one in (page, other):
        one.goto(f"{dashboard}/scaling")
        expect(one.get_by_role("button", name="Study all heads now")).to_be_enabled()
    traffic = Traffic(page)
    page.get_by_role("button", name="Study all heads now").click()
    expect(page.locator("#scaling-study-note")).to_contain_text("%")
    look_again(other)
    expect(other.locator("#scaling-study-note")).to_contain_text("%")
    for one in (page, other):
        expect(one.get_by_text("The study is ready: show it")).to_be_visible(timeout=240_000)
    jobs = LocalJobs(settings)
    atlas = create_app(settings).server.config["ATTENTION_ATLAS"].library.get(SLUG)
    assert study_job(jobs, atlas).attempt == 1
    jobs.close()
    traffic.rest(3)
