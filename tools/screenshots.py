"""Make the pictures of the README from a running dashboard: `python tools/screenshots.py URL`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).resolve().parents[1] / "docs" / "images"
VIEWS = {
    "matrix": ("/?method=preference&dims=2&colour=position", "light"),
    "head": ("/?method=preference&dims=2&colour=type&layer=2&head=8&token=40&side=query", "dark"),
    "image": (
        "/?atlas=dinov2-demo&method=umap&dims=2&layer=10&head=4&token=130&side=query&read=heatmap&colour=type",
        "light",
    ),
    "scaling": ("/scaling?layer=2&head=3", "light"),
}


def main(url: str) -> None:
    """Take one picture of each view at 1440 × 900."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM_PATH") or shutil.which("chromium"),
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        for name, (path, scheme) in VIEWS.items():
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme, bypass_csp=True)
            page.goto(url.rstrip("/") + path)
            if path.startswith("/?"):
                page.wait_for_function("document.querySelector('#scene')?.atlasScene")
                page.evaluate("document.querySelector('#scene').atlasScene.ready()")
            page.wait_for_timeout(4000)  # fonts, the sentence view, charts
            page.screenshot(path=OUT / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/screenshots.py URL")
    main(sys.argv[1])
