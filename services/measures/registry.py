"""All numbers about heads. To add one: docs/recipes/head-measure.md.

A measure named here is computed by every build, and is a badge, an order of heads, a column of the tables and
exports, an entry of the tab Head and of docs/measures.md; nothing else in the program needs to know it.
"""

from services.measures.layer import SPACES
from services.measures.measure import HeadMeasure
from services.measures.of_attention import ATTENTION, ATTENTION_OF_PATCHES
from services.measures.of_maps import FIDELITY, SHAPE
from services.measures.of_patches import PATCHES
from services.measures.of_repeats import ON_REPEATS
from services.measures.of_vectors import VECTORS
from services.measures.signature import SIGNATURE
from services.projection import is_method, method_of

MEASURES: tuple[HeadMeasure, ...] = (
    *FIDELITY,
    *SHAPE,
    *SIGNATURE,
    *ATTENTION,
    *ON_REPEATS,
    *ATTENTION_OF_PATCHES,
    *PATCHES,
    *VECTORS,
)
DEFAULT = "judged"  # the badge of a page that asks for none: by what the map that is shown is judged


def measures() -> tuple[HeadMeasure, ...]:
    """All of them, in the order in which they are shown."""
    return MEASURES


def listed(modality: str | None = None, *, cross: bool = True) -> list[HeadMeasure]:
    """Those that menus offer; what only inputs of other modalities have is left out.

    cross: whether there is attention between two texts.
    """
    return [m for m in MEASURES if m.listed and _fits(m, modality) and (cross or m.needs != "cross")]


def _fits(measure: HeadMeasure, modality: str | None) -> bool:
    return modality is None or measure.modality in (None, modality)


def find(name: str) -> HeadMeasure:
    """Raises: KeyError when there is none of this name."""
    found = next((measure for measure in MEASURES if measure.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


def of_space(space: str | None, modality: str | None = None) -> list[HeadMeasure]:
    """Those that there are on a map, in one of SPACES, or (None) of the heads themselves; as `listed`."""
    scopes = {"head"} if space is None else {"space"} if space in SPACES else {"map", "space"}
    return [measure for measure in MEASURES if measure.scope in scopes and _fits(measure, modality)]


def judged_by(method: str) -> HeadMeasure:
    """The measure that says how well a map keeps what its method is made to keep."""
    return find(method_of(method).judged_by if is_method(method) else "best_near")


def labels() -> dict[str, list[str]]:
    """What menus offer, by heading."""
    return {group: [measure.label for measure in listed() if measure.group == group] for group in groups()}


def groups() -> list[str]:
    """Headings of what menus offer, in their order."""
    return list(dict.fromkeys(measure.group for measure in listed()))
