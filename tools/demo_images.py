"""Make demo/images/ anew: small copies of photographs that come in wheels, and pictures drawn here with exact masks.

python -m tools.demo_images WHEELS    WHEELS: a folder with the wheels of scikit-image 0.26 and scikit-learn
    (pip download --no-deps -d WHEELS scikit-image==0.26.0 scikit-learn)
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "demo" / "images"
SIDE = 256  # what models with inputs of 224 pixels ask for before they crop
QUALITY = 88
# name: (wheel, file, title, who, licence)
PHOTOS = {
    "astronaut": ("scikit_image", "skimage/data/astronaut.png", "NASA, Eileen Collins", "public domain"),
    "cat": ("scikit_image", "skimage/data/chelsea.png", "Stéfan van der Walt, Chelsea", "CC0"),
    "coffee": ("scikit_image", "skimage/data/coffee.png", "Rachel Michetti, Pikolo Espresso Bar", "CC0"),
    "rocket": ("scikit_image", "skimage/data/rocket.jpg", "SpaceX, launch of DSCOVR", "public domain"),
    "photographer": ("scikit_image", "skimage/data/camera.png", "Lav Varshney, camera", "CC0"),
    "galaxies": ("scikit_image", "skimage/data/hubble_deep_field.jpg", "NASA, Hubble Deep Field", "public domain"),
    "grass": ("scikit_image", "skimage/data/grass.png", "linolafett (DeviantArt), Grass 01", "CC0"),
    "bricks": ("scikit_image", "skimage/data/brick.png", "CC0Textures, Bricks 25", "CC0"),
    "temple": ("scikit_learn", "sklearn/datasets/images/china.jpg", "danielbuechele (Flickr), cropped", "CC BY 2.0"),
    "flower": ("scikit_learn", "sklearn/datasets/images/flower.jpg", "vultilion (Flickr), cropped", "CC BY 2.0"),
}  # fmt: skip
OBJECTS = {1: "square", 2: "disc", 3: "triangle", 4: "grating", 5: "gradient"}


def photo(wheels: Path, package: str, name: str) -> Image.Image:
    """The middle of a photograph, SIDE × SIDE."""
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    box = (left, top, left + short, top + short)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)


def shapes(turn: int) -> tuple[Image.Image, Image.Image]:
    """A square, a disc and a triangle in three colours on grey; `turn` moves colours and places on."""
    image, mask = Image.new("RGB", (SIDE, SIDE), (200, 200, 200)), Image.new("L", (SIDE, SIDE))
    colours = [(204, 51, 51), (51, 102, 204), (60, 160, 70)]
    centres = [(74, 74), (182, 90), (110, 188)]
    for number in range(3):
        x, y = centres[(number + turn) % 3]
        for picture, fill in ((image, colours[(number + 2 * turn) % 3]), (mask, number + 1)):
            draw = ImageDraw.Draw(picture)
            if number == 0:
                draw.rectangle((x - 42, y - 42, x + 42, y + 42), fill=fill)
            elif number == 1:
                draw.ellipse((x - 46, y - 46, x + 46, y + 46), fill=fill)
            else:
                draw.polygon(((x, y - 50), (x - 50, y + 42), (x + 50, y + 42)), fill=fill)
    return image, mask


def gratings(cycles: tuple[float, ...], degrees: tuple[float, ...]) -> tuple[Image.Image, Image.Image]:
    """Four sine gratings: cycles each 14 pixels (of 224), direction across the stripes in degrees."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    values = np.empty((SIDE, SIDE))
    half = SIDE // 2
    for index, (frequency, angle) in enumerate(zip(cycles, degrees, strict=True)):
        part = slice(index // 2 * half, (index // 2 + 1) * half), slice(index % 2 * half, (index % 2 + 1) * half)
        turn = np.radians(angle)
        wave = np.sin(2 * np.pi * frequency / 14 * (x * np.cos(turn) + y * np.sin(turn)))
        values[part] = wave[part]
    grey = np.rint(128 + 100 * values).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB"), Image.new("L", (SIDE, SIDE), 4)


def hues() -> tuple[Image.Image, Image.Image]:
    """Hue from left to right, saturation from top to bottom."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    hsv = np.stack([x * 255, 255 - y * 200, np.full_like(x, 225)], axis=2).astype(np.uint8)
    return Image.fromarray(hsv, "HSV").convert("RGB"), Image.new("L", (SIDE, SIDE), 5)


def brightness() -> tuple[Image.Image, Image.Image]:
    """Grey from dark to light, along the diagonal."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    return Image.fromarray(np.rint(255 * (x + y) / 2).astype(np.uint8)).convert("RGB"), Image.new("L", (SIDE, SIDE), 5)


DRAWN: dict[str, Callable[[], tuple[Image.Image, Image.Image]]] = {
    "drawn-brightness": brightness,
    "drawn-gratings-coarse": lambda: gratings((1.5, 2, 2.5, 3), (0, 45, 90, 135)),
    "drawn-gratings-fine": lambda: gratings((2, 3, 4, 5), (90, 0, 135, 45)),
    "drawn-hues": hues,
    "drawn-shapes-1": lambda: shapes(0),
    "drawn-shapes-2": lambda: shapes(1),
}


def encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **({"quality": QUALITY, "method": 6} if form == "WEBP" else {"optimize": True}))
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Demo images",
        "",
        "`python -m tools.demo_images WHEELS` makes them anew.",
        "",
        "| file | by | licence |",
        "|---|---|---|",
    ]
    for name, (package, file, who, licence) in PHOTOS.items():
        (FOLDER / f"{name}.webp").write_bytes(encoded(photo(Path(arguments[0]), package, file), "WEBP"))
        lines.append(f"| {name}.webp | {who} | {licence} |")
    for name, draw in DRAWN.items():
        image, mask = draw()
        (FOLDER / f"{name}.png").write_bytes(encoded(image, "PNG"))
        (FOLDER / f"{name}.mask.png").write_bytes(encoded(mask, "PNG"))
        lines.append(f"| {name}.png | drawn by the script | CC0 |")
    lines += [
        "",
        "Photographs are copies from the wheels of scikit-image 0.26 and scikit-learn, cut to the middle square and",
        f"scaled to {SIDE} × {SIDE} pixels; authors and licences as those packages name them.",
        "`*.mask.png` say which object each pixel of a drawn picture belongs to; `objects.json` names them.",
    ]
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (FOLDER / "objects.json").write_text(json.dumps(OBJECTS, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
