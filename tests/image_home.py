"""A home folder with one real atlas of images, built by the command a user types: DINOv2-small on five pictures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLUG = "dinov2-pictures"
NAMES = ("astronaut.webp", "cat.webp", "drawn-gratings-coarse.png", "drawn-shapes-1.png", "drawn-shapes-2.png")
SIDE = 16  # patches
TOKENS = 1 + SIDE * SIDE


def build_image_home(home: Path) -> None:
    """Build the atlas under `home`."""
    pictures = home / "pictures"
    pictures.mkdir(parents=True)
    demo = ROOT / "demo" / "images"
    for name in (*NAMES, "objects.json", *(f"{Path(name).stem}.mask.png" for name in NAMES)):
        if (demo / name).is_file():
            shutil.copy(demo / name, pictures / name)
    options = ("--quiet", "--model", "dinov2", "--corpus", str(pictures), "--projections", "pca")
    subprocess.run(
        [sys.executable, "app.py", "build", *options],
        cwd=ROOT,
        env={**os.environ, "ATLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
    )  # fmt: skip
