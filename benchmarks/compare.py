"""How long the page Compare takes to show two heads, beside the page of one: both from nothing, in turn.

python -m benchmarks.compare http://127.0.0.1:8050 --atlas minilm-demo --with minilm-tuned
"""

import argparse
import statistics
from collections.abc import Sequence

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import SOFTWARE_GL
from tests.find_chromium import on_path

_READY = """async (ids) => {
  const scenes = () => ids.map((id) => document.getElementById(id)?.atlasScene);
  while (!scenes().every((scene) => scene && scene.props().projection)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Promise.all(scenes().map((scene) => scene.ready()));
  return performance.now();
}"""


def opened(browser: Browser, url: str, scenes: Sequence[str]) -> float:
    """Milliseconds from the start of the navigation, with an empty cache, to whole pictures."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(url)
    found = page.evaluate(_READY, list(scenes))
    context.close()
    return float(found)


def main() -> None:
    cli = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    cli.add_argument("url")
    cli.add_argument("--atlas", required=True)
    cli.add_argument("--with", dest="other", required=True)
    cli.add_argument("--rounds", type=int, default=7)
    options = cli.parse_args()
    head = f"atlas={options.atlas}&layer=2&head=3"
    pages = {
        "one head": (f"{options.url}/?{head}", ["scene"]),
        "compare": (
            f"{options.url}/compare?{head}&with={options.other}&layer2=2&head2=3",
            ["compare-scene-1", "compare-scene-2"],
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in pages}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=on_path(), args=SOFTWARE_GL)
        for _ in range(options.rounds + 1):
            for name, (url, scenes) in pages.items():
                times[name].append(opened(browser, url, scenes))
        browser.close()
    for name, found in times.items():
        some = found[1:]  # the first fills the server's caches
        print(f"{name}: median {statistics.median(some):.0f} ms, {min(some):.0f} – {max(some):.0f}")


if __name__ == "__main__":
    main()
