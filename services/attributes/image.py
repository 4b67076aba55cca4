"""Attributes of patches of images. docs of the numbers: services.modalities.images.features."""

import numpy as np

from services.atlas import Atlas, TokenTable, token_tables
from services.attributes.attribute import Column, TokenAttribute, unit

IMAGE = "image"
# Sectors of 30 degrees, named after the colour in their middle.
HUES = (
    "red", "orange", "yellow", "lime", "green", "spring green",
    "cyan", "azure", "blue", "violet", "magenta", "rose",
)  # fmt: skip
GREY = "grey"
DIRECTIONS = ("0°", "22.5°", "45°", "67.5°", "90°", "112.5°", "135°", "157.5°")
FLAT = "flat"
NOTHING = "nothing named"
MOST_OBJECTS = 60


def _of(tokens: TokenTable, name: str) -> np.ndarray:
    """A column of numbers."""
    return np.asarray(tokens.columns[name], dtype=float)


def _sector(degrees: np.ndarray, count: int, period: float) -> np.ndarray:
    """Number of the sector around each angle; `count` for NaN."""
    found = np.full(len(degrees), count)
    known = np.isfinite(degrees)
    found[known] = np.rint(degrees[known] / period * count).astype(int) % count
    return found


def _place(tokens: TokenTable) -> np.ndarray:
    """A colour for each place: red grows from left to right, blue from top to bottom; special tokens are grey."""
    row, column = unit(_of(tokens, "row").clip(0)), unit(_of(tokens, "column").clip(0))
    colours = np.stack([255 * column, np.full(len(tokens), 96), 255 * row], axis=1)
    colours[tokens.special] = 128
    return colours.astype(np.uint8)


def _colour(tokens: TokenTable) -> np.ndarray:
    colours = np.stack([_of(tokens, name) for name in ("red", "green", "blue")], axis=1)
    colours[tokens.special] = 128
    return colours.astype(np.uint8)


def objects(atlas: Atlas) -> tuple[str, ...]:
    """Names of the objects in an atlas, the most frequent first, at most MOST_OBJECTS; NOTHING stands before them."""
    names, counts = np.unique(
        [name for table in sorted(token_tables(atlas.info)) for name in atlas.tokens(table).columns.get("object", ())],
        return_counts=True,
    )
    order = sorted((-count, name) for name, count in zip(names.tolist(), counts.tolist(), strict=True) if name)
    return (NOTHING, *(name for _, name in order[:MOST_OBJECTS]))


def _objects(tokens: TokenTable, names: tuple[str, ...]) -> np.ndarray:
    number = {name: index for index, name in enumerate(names)}
    return np.array([number.get(name, 0) for name in tokens.columns["object"]], dtype=int)


def _no_masks(atlas: Atlas) -> str | None:
    known = all(atlas.has_column(table, "object") for table in token_tables(atlas.info))
    return None if known else "No objects: the images of this atlas came without masks."


def _number(
    name: str,
    label: str,
    explain: str,
    low: str,
    high: str,
    form: str,
    order: int,
    column: str = "",
    names_groups: bool = False,
) -> TokenAttribute:
    """An attribute that is a column of numbers."""
    return TokenAttribute(
        name=name,
        label=label,
        kind="sequential",
        explain=explain,
        modality=IMAGE,
        numbers=lambda tokens: _of(tokens, column or name).clip(0),
        form=form,
        names_groups=names_groups,
        low=low,
        high=high,
        column=Column(name, label, "float64", explain, order=order, width=100),
        in_column=lambda tokens: _of(tokens, column or name),
    )


KIND = TokenAttribute(
    name="patch_kind",
    names_groups=True,
    label="Patch, class token, register",
    kind="categorical",
    explain="Class token, distillation token and registers stand for no place in the image.",
    modality=IMAGE,
    of_tokens=lambda tokens: np.array(
        [0 if name == "patch" else 2 if name.startswith("[REG") else 1 for name in tokens.token]
    ),
    categories=("patch", "class token", "register"),
    palette="kinds of token",
)
ROW = _number(
    "patch_row",
    "Patch row",
    "Row of the patch in its image, from the top.",
    "top",
    "bottom",
    "row {:.0f}",
    41,
    "row",
    True,
)
COLUMN = _number(
    "patch_column",
    "Patch column",
    "Column of the patch in its image, from the left.",
    "left",
    "right",
    "column {:.0f}",
    42,
    "column",
    True,
)
PLACE = TokenAttribute(
    name="patch_place",
    label="Row and column",
    kind="colour",
    explain="Red grows from left to right, blue from top to bottom: black and green is the top left corner.",
    modality=IMAGE,
    of_tokens=_place,
)
COLOUR = TokenAttribute(
    name="patch_colour",
    label="The patch's own colour",
    kind="colour",
    explain="The mean colour of the patch; special tokens are grey.",
    modality=IMAGE,
    of_tokens=_colour,
)
HUE = TokenAttribute(
    name="hue",
    names_groups=True,
    label="Hue",
    kind="cyclic",
    explain="Hue of the patch's mean colour, in twelve sectors; patches of little saturation have none.",
    modality=IMAGE,
    of_tokens=lambda tokens: _sector(_of(tokens, "hue"), len(HUES), 360),
    categories=(*HUES, GREY),
    palette="hues",
    column=Column("hue", "Hue", "float64", "Hue of the mean colour in degrees.", order=51, width=90),
    in_column=lambda tokens: _of(tokens, "hue"),
)
SATURATION = _number(
    "saturation", "Saturation", "Saturation of the patch's mean colour.", "grey", "vivid", "{:.2f}", 52
)
BRIGHTNESS = _number(
    "brightness",
    "Brightness",
    "Brightness of the patch's mean colour.",
    "dark",
    "bright",
    "{:.2f}",
    53,
    names_groups=True,
)
CONTRAST = _number(
    "contrast", "Contrast", "Standard deviation of luma within the patch.", "flat", "strong", "{:.2f}", 54
)
PATCH_FREQUENCY = _number(
    "patch_frequency",
    "Spatial frequency",
    "Frequency of the patch's strongest grating, in cycles a patch; 0 for flat ones.",
    "coarse",
    "fine",
    "{:.1f} cycles a patch",
    55,
    "frequency",
)
ORIENTATION = TokenAttribute(
    name="orientation",
    label="Orientation",
    kind="cyclic",
    explain="Direction across the stripes of the strongest grating: 0° for upright stripes, 90° for lying ones.",
    modality=IMAGE,
    of_tokens=lambda tokens: _sector(_of(tokens, "orientation"), len(DIRECTIONS), 180),
    categories=(*DIRECTIONS, FLAT),
    palette="directions",
    column=Column(
        "orientation", "Orientation", "float64", "Direction across the stripes, degrees.", order=56, width=100
    ),
    in_column=lambda tokens: _of(tokens, "orientation"),
)
OBJECT = TokenAttribute(
    name="object",
    names_groups=True,
    label="Object",
    kind="categorical",
    explain="What fills most of the patch, by the mask that came with its image.",
    modality=IMAGE,
    of_tokens_in=lambda atlas, tokens: _objects(tokens, objects(atlas)),
    categories_of=objects,
    categories=(NOTHING, "object"),
    column=Column("object", "Object", "string", "What fills most of the patch.", order=45, width=110),
    in_column=lambda tokens: list(tokens.columns.get("object", [""] * len(tokens))),
    lacks=_no_masks,
)
ATTRIBUTES = (
    KIND, COLOUR, PLACE, ROW, COLUMN, HUE, SATURATION, BRIGHTNESS, CONTRAST, PATCH_FREQUENCY, ORIENTATION, OBJECT,
)  # fmt: skip
