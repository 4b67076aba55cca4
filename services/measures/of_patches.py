"""What the place of a patch in a head's joint space tells of the patch: its colour, its grating, its place, its object.

For each patch the NEIGHBORS nearest patches of the same side (cosine or Euclidean distance, as the atlas is aligned)
*of other images* say what it should be: patches of one image share colours and things, so that neighbours of one's own
image would tell much of any head. R² is 1 − (mean squared error of the neighbours' mean) / (variance), over hue and
orientation as angles (cos and sin), weighted by nothing; chance gives a little below 0. Of objects it is the balanced
accuracy of the neighbours' majority, rescaled so that chance gives 0. The same from the pixels of the patches, mean
removed, says what is no merit of the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from services.atlas import TokenTable
from services.measures.layer import ALIGNED, Layer
from services.measures.measure import NUMBER, Measure, StandsOut, Values

IMAGE = "image"
GROUP = "What its patches have in common"
NEIGHBORS = 15
SAMPLE = 1200  # patches whose neighbours are looked for, evenly over all images
LEAST = 60  # patches that have a value, for a number to mean anything
ONE_IMAGE = "an atlas of one image has no other images to compare with"
TOO_FEW = "too few patches have one"
NO_MASKS = "the images came without masks"
PIXELS_A_SIDE = 8


@dataclass(frozen=True)
class Target:
    """Something a patch has. of: float [tokens, dims], NaN where it has none; or names."""

    name: str
    label: str
    words: str
    of: Callable[[TokenTable], np.ndarray]
    colour: str
    bound: float = 0.6


def _column(name: str) -> Callable[[TokenTable], np.ndarray]:
    def of(tokens: TokenTable) -> np.ndarray:
        values = np.asarray(tokens.columns[name], float)
        return np.where(tokens.special, np.nan, values)[:, None]

    return of


def _angle(name: str, period: float) -> Callable[[TokenTable], np.ndarray]:
    def of(tokens: TokenTable) -> np.ndarray:
        turn = 2 * np.pi * np.asarray(tokens.columns[name], float) / period
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)

    return of


def _objects(tokens: TokenTable) -> np.ndarray:
    return np.asarray(tokens.columns.get("object", [""] * len(tokens)), dtype=object)


TARGETS = (
    Target("hue", "hue", "hue", _angle("hue", 360), "hue", 0.5),
    Target("saturation", "saturation", "saturation", _column("saturation"), "saturation"),
    Target("brightness", "brightness", "brightness", _column("brightness"), "brightness", 0.7),
    Target("frequency", "spatial frequency", "spatial frequency", _column("frequency"), "patch_frequency", 0.5),
    Target(
        "orientation", "orientation", "the orientation of the grating", _angle("orientation", 180), "orientation", 0.4
    ),
    Target("row", "row", "the row in the image", _column("row"), "patch_row", 0.8),
    Target("column", "column", "the column in the image", _column("column"), "patch_column", 0.8),
    Target("object", "object", "the object", _objects, "object", 0.5),
)
SIDES = ("queries", "keys")


def told(values: np.ndarray, neighbours: np.ndarray, rows: np.ndarray) -> float | None:
    """R² of numbers [tokens, dims], or rescaled balanced accuracy of names, from neighbours [sample, NEIGHBORS].

    rows: int [sample], of the patches · NaN and "" are no values: such patches are left out, as neighbours too.
    None when fewer than LEAST patches have a value, or all have the same.
    """
    if values.dtype == object:
        return _accuracy(values, neighbours, rows)
    known = np.isfinite(values).all(axis=1)
    near = known[neighbours]
    used = known[rows] & near.any(axis=1)
    if used.sum() < LEAST:
        return None
    truth = values[rows][used]
    weights = near[used][..., None]
    around = np.where(weights, values[neighbours[used]], 0).sum(axis=1) / weights.sum(axis=1)
    spread = ((truth - truth.mean(axis=0)) ** 2).sum()
    return None if spread <= 0 else float(1 - ((truth - around) ** 2).sum() / spread)


def _accuracy(names: np.ndarray, neighbours: np.ndarray, rows: np.ndarray) -> float | None:
    kinds, numbers = np.unique(names.astype(str), return_inverse=True)
    numbers = np.where(np.array([kind == "" for kind in kinds])[numbers], -1, numbers)
    used = (numbers[rows] >= 0) & (numbers[neighbours] >= 0).any(axis=1)
    truth = numbers[rows][used]
    present = np.unique(truth)
    if used.sum() < LEAST or len(present) < 2:
        return None
    votes = np.stack([(numbers[neighbours[used]] == kind).sum(axis=1) for kind in present], axis=1)
    said = present[votes.argmax(axis=1)]
    accuracy = float(np.mean([(said[truth == kind] == kind).mean() for kind in present]))
    chance = 1 / len(present)
    return (accuracy - chance) / (1 - chance)


def neighbours_elsewhere(points: np.ndarray, image: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """int [rows, NEIGHBORS]: the nearest of points [tokens, dims] in other images; the image of each point is given.

    Points at NaN are never near.
    """
    wide = np.asarray(points, np.float32)
    usable = np.asarray(np.isfinite(wide).all(axis=1))
    wide = np.where(usable[:, None], wide, 0)
    squares = np.einsum("nd,nd->n", wide, wide)
    found = np.empty((len(rows), NEIGHBORS), np.int64)
    for start in range(0, len(rows), 512):
        some = rows[start : start + 512]
        distance = squares - 2 * (wide[some] @ wide.T)
        distance[:, ~usable] = np.inf
        distance[image[some][:, None] == image] = np.inf
        found[start : start + 512] = np.argpartition(distance, NEIGHBORS, axis=1)[:, :NEIGHBORS]
    return found


def _sample(tokens: TokenTable) -> np.ndarray:
    """Rows of patches, evenly over all."""
    patches = np.flatnonzero(~tokens.special)
    return patches[:: max(1, len(patches) // SAMPLE)]


def _enough(tokens: TokenTable) -> bool:
    counts = np.bincount(tokens.input[~tokens.special])
    return bool((len(tokens) - counts.max(initial=0)) > NEIGHBORS)


def tells(layer: Layer, side: str, target: Target) -> Values:
    """How well its neighbours in the joint space of each head tell something of a patch."""
    tokens = layer.query_tokens if side == "queries" else layer.key_tokens
    if not _enough(tokens):
        return [ONE_IMAGE] * layer.heads
    values = target.of(tokens)
    rows = _sample(tokens)
    found = [told(values, near, rows) for near in layer.once(f"patches near {side}", lambda: _near(layer, side, rows))]
    return [_why(target) if value is None else value for value in found]


def _why(target: Target) -> str:
    return NO_MASKS if target.name == "object" else TOO_FEW


def _near(layer: Layer, side: str, rows: np.ndarray) -> list[np.ndarray]:
    tokens, queries = layer.query_tokens, len(layer.query_tokens)
    found = []
    for head in range(layer.heads):
        cloud = layer.cloud(ALIGNED, head)
        points = np.array(cloud[:queries] if side == "queries" else cloud[queries:], np.float32)
        points[tokens.special] = np.nan
        found.append(neighbours_elsewhere(points, tokens.input, rows))
    return found


def pixels_tell(layer: Layer, target: Target) -> Values:
    """The same from the pixels of the patches: one number, the same for every head."""
    tokens = layer.query_tokens
    if not _enough(tokens):
        return [ONE_IMAGE] * layer.heads
    rows = _sample(tokens)
    near = layer.once("patches near in pixels", lambda: neighbours_elsewhere(pixel_vectors(layer), tokens.input, rows))
    value = told(target.of(tokens), near, rows)
    return [_why(target) if value is None else value] * layer.heads


def pixel_vectors(layer: Layer) -> np.ndarray:
    """float32 [tokens, 3·PIXELS_A_SIDE²]: each patch in few pixels; NaN for special tokens."""
    from PIL import Image

    atlas, tokens = layer.atlas, layer.query_tokens
    found = np.full((len(tokens), 3 * PIXELS_A_SIDE**2), np.nan, np.float32)
    columns = atlas.inputs.columns
    start = 0
    flat = atlas.array("images")
    for index in range(len(atlas.inputs)):
        height, width, down, across = (int(columns[name][index]) for name in ("height", "width", "rows", "columns"))
        size = 3 * height * width
        image = Image.fromarray(np.asarray(flat[start : start + size]).reshape(height, width, 3))
        start += size
        few = np.asarray(image.resize((across * PIXELS_A_SIDE, down * PIXELS_A_SIDE), Image.Resampling.BOX))
        cut = few.reshape(down, PIXELS_A_SIDE, across, PIXELS_A_SIDE, 3).swapaxes(1, 2).reshape(down * across, -1)
        place = tokens.rows(index)
        patches = np.arange(place.start, place.stop)[~tokens.special[place]]
        found[patches] = cut
    return found


def _measures() -> Sequence[Measure]:
    made = []
    for target in TARGETS:
        for side in SIDES:
            rule = StandsOut(
                target.name,
                f"Groups {side} by {target.label}",
                f"Nearest {side} of other images tell {target.words}: {{value}}, against {{against}} from the pixels.",
                target.bound,
                colour=target.colour,
                against=f"pixels_{target.name}",
            )
            made.append(
                Measure(
                    f"{side}_{target.name}",
                    f"{target.label.capitalize()} told by {side}",
                    f"How well the nearest {side} of other images tell {target.words}: 1 exactly, 0 as chance would.",
                    partial(tells, side=side, target=target),
                    group=GROUP,
                    form=NUMBER,
                    best=1.0,
                    modality=IMAGE,
                    stands_out=(rule,),
                )
            )
        made.append(
            Measure(
                f"pixels_{target.name}",
                f"{target.label.capitalize()} told by pixels",
                f"How well patches of other images with like pixels tell {target.words}; the same for every head.",
                partial(pixels_tell, target=target),
                group=GROUP,
                form=NUMBER,
                best=1.0,
                modality=IMAGE,
                listed=False,
            )
        )
    return made


PATCHES = tuple(_measures())
