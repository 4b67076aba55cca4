"""The coupled maps, our own: one algorithm, two readings of the scores (services.projection.coupled)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from services.projection.parameters import (
    ATTENTION_COUPLING,
    COUPLED_GROUPS,
    COUPLED_ITERATIONS,
    COUPLED_LANDMARKS,
    COUPLED_LONGEST_STEP,
    COUPLED_ORDER,
    COUPLED_PERPLEXITY,
    NEIGHBORS_PER_PERPLEXITY,
    PREFERENCE_COUPLING,
    Coupling,
)
from services.projection.placing import place_by_attention
from services.projection.points import LayerPoints

if TYPE_CHECKING:
    from services.projection.coupled import Coupled
    from services.projection.layout import HeadLayouts
    from services.projection.torch_engine import TorchLayouts


@dataclass(frozen=True)
class CoupledMethod:
    name: str
    label: str
    in_text: str
    made: str
    trust: str
    term: tuple[str, str, str]
    preserves: str
    gives_up: str
    shows_shape: bool
    judged_by: str
    sizes: str
    coupling: Coupling
    needs: Literal["scores"] = "scores"
    follows_alignment: bool = False  # which changes no score but by a constant of its query
    study_space: None = None

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, str | int | float | bool | None]:
        return {
            "engine": engine,
            "perplexity": COUPLED_PERPLEXITY,
            "best_scores": NEIGHBORS_PER_PERPLEXITY * COUPLED_PERPLEXITY,
            "of_keys": self.coupling.of_keys,
            "same_kind": self.coupling.same_kind,
            "joint": self.coupling.joint,
            "order": COUPLED_ORDER,
            "landmarks": COUPLED_LANDMARKS,
            "iterations": COUPLED_ITERATIONS,
            "longest_step": COUPLED_LONGEST_STEP,
            "repulsion_share": round(1 / COUPLED_GROUPS, 3),
            "start": "pca",
        }

    def iterations(self, points: int) -> int:
        return COUPLED_ITERATIONS

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        from services.projection.coupled import coupled_start

        start = coupled_start(head.target(dims))
        if head.engine == "reference":
            from services.projection import coupled_reference

            return coupled_reference.descent(self.problem(head), start, head.seed, head.watch)
        from services.projection.coupled_kernel import coupled_descent

        return coupled_descent(self.problem(head), start, head.seed, head.watch)

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        return self.fit(head, dims)  # which starts from the target's places already

    def problem(self, head: "HeadLayouts") -> "Coupled":
        """What is near what, the same for 2D and 3D."""
        from services.projection.coupled import coupled

        return head.once(f"{self.name} affinities", lambda: coupled(head, self.coupling))

    def fit_together(self, heads: "TorchLayouts", dims: int) -> np.ndarray:
        from services.projection.coupled import coupled_start
        from services.projection.torch_coupled import coupled_descent, coupled_heads

        problem = heads.once(f"{self.name} affinities", lambda: coupled_heads(heads, self.coupling))
        start = heads.tensor(np.stack([coupled_start(one) for one in heads.starts[dims]]))
        return coupled_descent(problem, start, heads.seed, heads.watch).cpu().numpy()

    def place(self, points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
        return place_by_attention(points, new, layout, head, self.coupling.centred)


PREFERENCE = CoupledMethod(
    name="preference",
    label="Preference map",
    in_text="preference map",
    made="The preference map puts a query near the keys that it attends to more than other queries do",
    trust=(
        "is made from the scores q·k less those of the average query: near means attended more than other queries do. "
        "A key that every query wants, such as a full stop that takes what is left over, is near to nobody for that; "
        "its dot is large. On the demo model six in ten of a query's ten most preferred keys are among its 100 "
        "nearest, and the shape of a head shows: rings and spirals of position, clumps of meaning. Gaps mean little."
    ),
    term=(
        "preference-map",
        "Preference map",
        "Our own projection, made from (q − q̄)·k: near means attended more than the average query does. What is left "
        "out, the popularity of a key, is the size of its dot.",
    ),
    preserves=(
        "for each query, the keys that it prefers beyond what the average query does: they are near it; most "
        "neighbourhoods within queries and within keys; queries and keys lie among each other"
    ),
    gives_up=(
        "which keys all queries want (drawn as the size of the dot in an open head); how strongly a query prefers; "
        "distances between far groups"
    ),
    shows_shape=True,
    judged_by="preferred_near",
    sizes="popularity",
    coupling=PREFERENCE_COUPLING,
)
ATTENTION = CoupledMethod(
    name="attention",
    label="Attention map",
    in_text="attention map",
    made="The attention map puts a query near the keys it attends to",
    trust=(
        "is made from the scores q·k themselves: near means attended. On the demo model seven in ten of each query's "
        "ten best keys are among its 100 nearest, against one in seven for maps of vectors. A few keys that take the "
        "attention of most queries lie in their midst, and keys that nobody attends to at the rim, where distance to "
        "queries means nothing."
    ),
    term=(
        "attention-map",
        "Attention map",
        "Our own projection, made from the scores q·k: the keys that a query would attend to most lie near it.",
    ),
    preserves=(
        "for each query, which keys it attends to most: they are near it; the order of the other keys by distance, "
        "better than the others; most neighbourhoods within queries and within keys"
    ),
    gives_up=(
        "a mixture of queries and keys: where few keys take all attention, the others have no query near; how strongly "
        "a query attends"
    ),
    shows_shape=False,
    judged_by="best_near",
    sizes="",
    coupling=ATTENTION_COUPLING,
)
