"""Every way to lay out queries and keys: one object a method. Builds, menus, captions, links and docs read this tuple.

To add a method: one file in `methods/` with an object of this shape, and its name in `PROJECTION_METHODS`
(docs/recipes/projection-method.md).
"""

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from services.atlas import ProjectionRef
from services.atlas.schema import ProjectionInfo
from services.projection.methods.coupled import ATTENTION, PREFERENCE
from services.projection.methods.pca import PCA
from services.projection.methods.tsne import TSNE
from services.projection.methods.umap import UMAP

if TYPE_CHECKING:
    from services.projection.layout import HeadLayouts
    from services.projection.points import LayerPoints
    from services.projection.torch_engine import TorchLayouts

Parameter = str | int | float | bool | None


class ProjectionMethod(Protocol):
    """What a method is to everyone else. Heavy imports belong inside `fit`, `refine`, `fit_together` and `place`.

    name: in file names, links and `--projections`: lower-case letters and digits (services.atlas.ProjectionRef)
    label: in menus and captions
    in_text: the label within a sentence
    made: in a few words what it is made of and keeps, to follow "How vectors become a map."
    trust: for the guide, how far to believe such a picture: sentences, the first starts in the middle ("is made …")
    term: anchor, name and explanation in the glossary
    preserves, gives_up: what a map keeps of the head and what it loses, for docs/methods.md
    needs: "vectors" the aligned queries and keys · "scores" q·k as the model computes it
    follows_alignment: whether another alignment of queries and keys gives another map
    shows_shape: whether it shows the shape of a head best: spirals, clumps, islands
    judged_by: the measure (services.measures) that says how well a map keeps what this method is made to keep
    sizes: the attribute (services.attributes) that completes a map: points of an open head are as large; "" for none
    study_space: by which distance the page "Scaling" shows it at each constant, as the study does; None: it does not
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def in_text(self) -> str: ...
    @property
    def made(self) -> str: ...
    @property
    def trust(self) -> str: ...
    @property
    def term(self) -> tuple[str, str, str]: ...
    @property
    def preserves(self) -> str: ...
    @property
    def gives_up(self) -> str: ...
    @property
    def needs(self) -> Literal["vectors", "scores"]: ...
    @property
    def follows_alignment(self) -> bool: ...
    @property
    def shows_shape(self) -> bool: ...
    @property
    def judged_by(self) -> str: ...
    @property
    def sizes(self) -> str: ...
    @property
    def study_space(self) -> Literal["euclidean", "cosine"] | None: ...

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, Parameter]:
        """The exact settings for so many points of a head, as atlas.json records them."""
        ...

    def iterations(self, points: int) -> int:
        """How often `fit` of the fast engine asks `head.watch.check()`, after neighbours are found: for progress."""
        ...

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        """One head laid out: [n, dims], queries first, in any place, size and turn; `head.engine` names the engine."""
        ...

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        """As `fit`, from the layout `head.target(dims)` where the points lie now, by the fast engine."""
        ...

    def fit_together(self, heads: "TorchLayouts", dims: int) -> np.ndarray | None:
        """Several heads at once by PyTorch: [heads, n, dims]; None: the method has no such engine, `fit` does it."""
        ...

    def place(self, points: "LayerPoints", new: "LayerPoints", layout: np.ndarray, head: int) -> np.ndarray:
        """Positions [new queries + new keys, dims] of new tokens in one head's layout [n, dims]."""
        ...


# In the order of preference (docs/projection.md): a page opens with the first that is there.
PROJECTION_METHODS: tuple[ProjectionMethod, ...] = (PREFERENCE, ATTENTION, UMAP, TSNE, PCA)
# The map that all others start from and are turned onto: exact, made of all heads at once, always built.
START: ProjectionMethod = PCA


def methods() -> tuple[ProjectionMethod, ...]:
    return PROJECTION_METHODS


def method_names() -> tuple[str, ...]:
    return tuple(method.name for method in methods())


def method_of(name: str) -> ProjectionMethod:
    """The method of a name.

    Raises:
        ValueError: there is none.
    """
    found = next((method for method in methods() if method.name == name), None)
    if found is None:
        raise ValueError(f"method must be one of {', '.join(method_names())}, not {name!r}")
    return found


def methods_named(text: str) -> tuple[str, ...]:
    """The names in a list with commas; "all" stands for every method.

    Raises:
        ValueError: it names none, or one that is not there.
    """
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    wrong = [name for name in names if name != "all" and not is_method(name)]
    if wrong or not names:
        raise ValueError(f"{', '.join(wrong) or 'nothing'} is not possible; choose from {', '.join(method_names())}")
    return method_names() if "all" in names else names


def start_map(dims: int) -> ProjectionRef:
    """The map of START."""
    return ProjectionRef(START.name, dims)


def is_method(name: str) -> bool:
    return name in method_names()


def follows_alignment(name: str) -> bool:
    """Whether another alignment gives another map of this method; of one that is not known here, nothing is made."""
    return is_method(name) and method_of(name).follows_alignment


def method_label(name: str) -> str:
    """The label of a method; an atlas may hold maps of one that is not known here, which keep their name."""
    return method_of(name).label if is_method(name) else name


def name_in_text(name: str) -> str:
    """As `method_label`, within a sentence."""
    return method_of(name).in_text if is_method(name) else name


def made_earlier(projection: ProjectionInfo) -> bool:
    """Whether an earlier version made a map by another rule: it has settings that its method does not have today."""
    if not is_method(projection.method):
        return False
    engine = str(projection.parameters.get("engine", "fast"))
    today = method_of(projection.method).parameters(projection.dims, engine, 1000)
    return not set(projection.parameters) <= {"engine", *today}


def label_of(projection: ProjectionInfo) -> str:
    """The label of a map that is there."""
    return method_label(projection.method) + (" (earlier version)" if made_earlier(projection) else "")
