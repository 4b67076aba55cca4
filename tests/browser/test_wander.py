"""A seeded wander through everything one can click or press: no console error, no failed request, no lost state.

Controls are found by what they are, not by their ids, so that a new feature is walked through as well. The number of
steps is set by ATLAS_WANDER_STEPS (about two a second) or by ATLAS_WANDER_MINUTES, the seed by ATLAS_WANDER_SEED, the
window by ATLAS_WANDER_WINDOW.

    ATLAS_WANDER_MINUTES=30 ATLAS_WANDER_WINDOW=390x844 pytest -m slow tests/browser/test_wander.py
"""

import itertools
import os
import random
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, Page

from components.state.atlas_page import AtlasPage
from tests.browser.walking import open_page, settle, wait_for_address_to_rest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STEPS = int(os.environ.get("ATLAS_WANDER_STEPS", "120"))
MINUTES = float(os.environ.get("ATLAS_WANDER_MINUTES", "0"))
SEED = int(os.environ.get("ATLAS_WANDER_SEED", "1"))
WIDTH, HEIGHT = map(int, os.environ.get("ATLAS_WANDER_WINDOW", "1280x720").split("x"))
RELOAD_EVERY = 15
KEYS = [
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "ArrowDown",
    "Enter",
    "Escape",
    "Tab",
    "Shift+Tab",
    "/",
    "?",
    "+",
    "-",
    "0",
]
KEYS += ["g", "h", "Space", "Home", "End"]
WORDS = ["the", "bank", "zzzz", "", "[CLS]", "<b>", "(a+)+$", "ü", "x" * 300]

# Everything that can be used now, with a path to find it again in the same moment. What leads to other programs (a
# download, another origin, a new window, the system's own dialogs) is left out.
CONTROLS = """() => {
  const path = (node) => {
    const parts = [];
    for (; node && node !== document.documentElement; node = node.parentElement) {
      parts.unshift(`${node.tagName.toLowerCase()}:nth-child(${[...node.parentElement.children].indexOf(node) + 1})`);
    }
    return parts.join(' > ');
  };
  const usable = (node) => {
    if (node.disabled || node.closest('[inert]') || !node.checkVisibility({ checkVisibilityCSS: true })) return false;
    const box = node.getBoundingClientRect();
    const foreign = (link) => link.target || link.download || new URL(link.href).origin !== location.origin;
    const left = node.tagName === 'A' && foreign(node);
    const system = node.type === 'file' || node.closest('#copy-link, [data-download], [download]');
    return box.width > 0 && box.height > 0 && !left && !system;
  };
  const modal = document.querySelector('dialog:modal');
  const all = (modal || document).querySelectorAll(
    'a[href], button, input, select, textarea, summary, [role=application], [role=button], canvas, .segment');
  return [...all].filter(usable).map((node) => ({
    path: path(node), tag: node.tagName.toLowerCase(), type: node.type || '',
    options: node.tagName === 'SELECT' ? [...node.options].filter((o) => !o.disabled).map((o) => o.value) : [],
    name: node.id || node.getAttribute('aria-label') || node.textContent.trim().slice(0, 30) || node.className,
  }));
}"""


class Wanderer:
    """Takes one random step at a time and keeps a log of them, to be read when something breaks."""

    def __init__(self, page: Page, home: str, seed: int) -> None:
        self.page = page
        self.home = home
        self.random = random.Random(seed)
        self.log: list[str] = []
        self.failures: list[str] = []
        self.used: set[str] = set()
        page.set_default_timeout(20_000)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("requestfailed", self.failed)
        page.on(
            "response", lambda answer: answer.status >= 400 and self.failures.append(f"{answer.status} {answer.url}")
        )

    def failed(self, request) -> None:
        # what a page asked for and no longer needs is called off, by the scene or by leaving
        if "ERR_ABORTED" not in (request.failure or ""):
            self.failures.append(f"{request.failure} {request.url}")

    def ask(self, question: str):
        """What the page says; asked again of the next page if this one is just being left."""
        try:
            return self.page.evaluate(question)
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
            self.page.wait_for_load_state()
            return self.page.evaluate(question)

    def at_home(self) -> bool:
        return self.ask("location.pathname").endswith("/")

    def step(self) -> None:
        if not self.at_home() and self.random.random() < 0.6:
            return self.go_home()
        kind = self.random.random()
        if kind < 0.55:
            self.page.wait_for_selector("button")  # the page may be on its way
            return self.use(self.random.choice(self.ask(CONTROLS)))
        if kind < 0.85:
            return self.press()
        if kind < 0.93:
            return self.wheel_or_drag()
        return self.history()

    def go_home(self) -> None:
        self.log.append("home")
        open_page(self.page, self.home)

    def use(self, control: dict) -> None:
        self.log.append(f"use {control['tag']} {control['type']} {control['name']!r}")
        self.used.add(control["name"])
        place = self.page.locator(control["path"])
        try:
            if control["options"]:
                place.select_option(self.random.choice(control["options"]))
            elif control["tag"] == "textarea" or control["type"] in ("text", "search"):
                place.fill(self.random.choice(WORDS))
            elif control["type"] in ("number", "range"):
                place.focus()
                self.page.keyboard.press(self.random.choice(["ArrowUp", "ArrowDown", "Home", "End"]))
            else:
                self.click(place)
        except Error as error:  # it went away, or something lies over it: a user would see that
            self.log.append(f"  not possible: {str(error).splitlines()[0][:80]}")

    def click(self, place) -> None:
        """At a random place of the control; without waiting for what moves in it."""
        place.evaluate("(node) => node.scrollIntoView({ block: 'nearest' })", timeout=1000)
        box = place.bounding_box(timeout=1000)
        if box:
            x = box["x"] + box["width"] * self.random.uniform(0.1, 0.9)
            y = box["y"] + box["height"] * self.random.uniform(0.1, 0.9)
            self.page.mouse.click(x, y)

    def press(self) -> None:
        key = self.random.choice(KEYS)
        self.log.append(f"press {key}")
        self.page.keyboard.press(key)

    def wheel_or_drag(self) -> None:
        size = self.page.viewport_size or {"width": 800, "height": 600}
        x, y = (self.random.uniform(0.2, 0.6) * size["width"], self.random.uniform(0.3, 0.7) * size["height"])
        self.page.mouse.move(x, y)
        if self.random.random() < 0.5:
            delta = self.random.choice([-600, -120, 120, 600])
            self.log.append(f"wheel {delta}")
            self.page.mouse.wheel(0, delta)
        else:
            self.log.append("drag")
            self.page.mouse.down()
            self.page.mouse.move(x + 60, y + 30, steps=3)
            self.page.mouse.up()

    def history(self) -> None:
        way = self.random.choice(["back", "forward"])
        self.log.append(way)
        before = self.page.url
        (self.page.go_back if way == "back" else self.page.go_forward)(wait_until="commit")
        if not self.page.url.startswith(self.home.rstrip("/")):  # the empty page before the first
            self.page.goto(before)

    def check_reload(self) -> None:
        """The address holds the whole state: after a reload it is the same address, and nothing was dropped."""
        if not self.at_home():  # or on the way to another page: the address changes first
            return
        rest(self.page)
        before = state_of(self.page)
        self.log.append(f"reload {self.page.url}")
        self.page.reload()
        rest(self.page)
        after = state_of(self.page)
        lost = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
        assert lost == {}, lost
        assert self.page.locator(".notice").count() == 0, self.page.locator(".notice").inner_text()


def rest(page: Page) -> None:
    """Wait until the picture is drawn and the address has stopped changing."""
    settle(page)
    page.wait_for_function("new URL(location).searchParams.get('atlas') !== null")
    wait_for_address_to_rest(page)


def state_of(page: Page) -> dict:
    """The address, and what the page shows of it."""
    query = parse_qs(urlsplit(page.url).query)
    shown = page.evaluate(
        """() => {
          const { head, selection } = document.querySelector('#scene').atlasScene.state();
          const value = (id) => document.getElementById(id)?.value ?? null;
          return {
            head: head && [head.layer, head.head], token: selection && [selection.token, selection.side],
            colour: value('colour-select'), search: value('search-box')?.trim().slice(0, 200),
            title: document.querySelector('h1')?.textContent,
          };
        }"""
    )
    return {name: query.get(name) for name in AtlasPage.parameters()} | {
        f"shown {name}": value for name, value in shown.items()
    }


def test_a_random_wander_breaks_nothing_and_loses_nothing(page: Page, dashboard, console_errors):
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    open_page(page, f"{dashboard}/?method=pca")
    wanderer = Wanderer(page, f"{dashboard}/", SEED)
    deadline = time.monotonic() + 60 * MINUTES
    try:
        for number in itertools.count():
            if time.monotonic() >= deadline if MINUTES else number >= STEPS:
                break
            wanderer.step()
            if number % RELOAD_EVERY == RELOAD_EVERY - 1:
                wanderer.check_reload()
            assert wanderer.failures == []
            assert console_errors == []
    except (AssertionError, Error) as error:
        steps = "\n  ".join(wanderer.log[-30:])
        pytest.fail(f"seed {SEED}, after {len(wanderer.log)} steps:\n  {steps}\n{error}", pytrace=False)
    print(f"seed {SEED}: {len(wanderer.log)} steps")
    assert len(wanderer.used) > min(15, len(wanderer.log) // 8)
