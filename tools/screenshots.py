"""Make the pictures of the README and the guide from a running dashboard: `python tools/screenshots.py URL`.

It needs the demo atlases of texts and images with all their maps.
"""

import os
import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT, GUIDE = ROOT / "docs" / "images", ROOT / "assets" / "guide"
VIEWS = {
    "matrix": ("/?method=preference&dims=2&colour=position", "light"),
    "head": ("/?method=preference&dims=2&colour=type&layer=2&head=8&token=40&side=query", "dark"),
    "image": (
        "/?atlas=dinov2-demo&method=umap&dims=2&layer=10&head=4&token=130&side=query&read=heatmap&colour=type",
        "light",
    ),
    "scaling": ("/scaling?layer=2&head=3", "light"),
}
# One head on both maps that are made of attention, without what stands around and over it.
MAP_OF_HEAD = "/?method={method}&dims=2&colour=position&layer=2&head=8&panel=closed&tour=0"
BARE = ".over-map, .set-frame, .atlas-scene-heading { visibility: hidden }"


def main(url: str) -> None:
    """Take one picture of each view at 1440 × 900, and those of the guide."""
    OUT.mkdir(parents=True, exist_ok=True)
    GUIDE.mkdir(exist_ok=True)
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
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 620, "height": 860}, color_scheme=scheme, bypass_csp=True)
            for method in ("preference", "attention"):
                page.goto(url.rstrip("/") + MAP_OF_HEAD.format(method=method))
                page.wait_for_function("document.querySelector('#scene')?.atlasScene")
                page.evaluate("document.querySelector('#scene').atlasScene.ready()")
                page.add_style_tag(content=BARE)
                page.wait_for_timeout(3000)  # names of groups
                picture = Image.open(BytesIO(page.locator("#scene").screenshot())).convert("RGB")
                picture.quantize(128).save(GUIDE / f"{method}-{scheme}.png", optimize=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/screenshots.py URL")
    main(sys.argv[1])
