"""Small steps that tests take through the running dashboard."""

from playwright.sync_api import Page

from tests.patience import PATIENCE

QUIET = """async (limit) => {
  const queues = ["requested", "prioritized", "blocked", "watched", "executing", "executed"];
  const busy = () => queues.some((name) => window.store.getState().callbacks[name].length)
    || document.querySelector("[data-ahead]");
  const begin = performance.now();
  for (let still = 0; still < 3; ) {
    await new Promise((done) => requestAnimationFrame(done));
    still = busy() ? 0 : still + 1;
    if (performance.now() - begin > limit) throw new Error("callbacks without an end");
  }
}"""


def quiet(page: Page) -> None:
    """Wait until Dash has no callback to run, the page has heard of all choices and has drawn what they brought."""
    page.evaluate(QUIET, 1000 * PATIENCE)


def settle(page: Page) -> None:
    """Wait until the page has stopped moving and the scene has drawn everything it was asked for."""
    page.wait_for_function("document.querySelector('#scene')?.atlasScene")
    page.evaluate(
        """async () => {
          await document.fonts.ready;
          const place = () => JSON.stringify(document.querySelector('#scene')?.getBoundingClientRect());
          for (let same = 0, before = place(); same < 4; ) {
            await new Promise((done) => requestAnimationFrame(done));
            same = place() === before ? same + 1 : 0;
            before = place();
          }
        }"""
    )
    quiet(page)
    page.evaluate("document.querySelector('#scene').atlasScene.ready()")


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)
    page.wait_for_function("new URL(location).searchParams.get('atlas') !== null")


def wait_for_address_to_rest(page: Page) -> None:
    """Wait until the address has not changed for a second: the scene tells where one looks from once nothing moves."""
    quiet(page)
    page.evaluate(
        """async () => {
          const pause = () => new Promise((resolve) => setTimeout(resolve, 1000));
          for (let before = null; before !== location.href;) {
            before = location.href;
            await pause();
          }
        }"""
    )


def parameter(page: Page, name: str) -> str | None:
    """A parameter of the address, once what was done has reached it."""
    quiet(page)
    return page.evaluate("(name) => new URL(location).searchParams.get(name)", name)


def wait_for_head(page: Page, layer: int | None, head: int | None) -> None:
    """Wait until scene and address agree on the open head, or on none."""
    page.wait_for_function(
        """([layer, head]) => {
          const open = document.querySelector('#scene')?.atlasScene?.state().head;
          const asked = new URL(location).searchParams;
          const text = (value) => (value === null ? null : String(value));
          return (open ? open.layer : null) === layer && (open ? open.head : null) === head
            && asked.get('layer') === text(layer) && asked.get('head') === text(head);
        }""",
        arg=[layer, head],
    )


def clear_of_missing_pages(console_errors: list[str]) -> None:
    """Take away what Chromium writes when a page that a test opened answered 404."""
    console_errors[:] = [error for error in console_errors if "404 (NOT FOUND)" not in error]
