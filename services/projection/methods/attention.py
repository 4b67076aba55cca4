"""The attention map, our own: a layout of the scores q·k in which near means attended."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from services.projection.parameters import (
    ATTENTION_ITERATIONS,
    ATTENTION_OF_KEYS,
    ATTENTION_PERPLEXITY,
    ATTENTION_SAME_KIND,
    ATTENTION_START_SCALE,
    NEIGHBORS_PER_PERPLEXITY,
    sources_for,
)
from services.projection.placing import place_by_attention
from services.projection.points import LayerPoints, sized_start

if TYPE_CHECKING:
    from services.projection.graph import Graph
    from services.projection.layout import HeadLayouts
    from services.projection.torch_engine import TorchLayouts
    from services.projection.torch_graph import Edges

# Along the first axis, for a map of 10,000 points, by dims.
SPREAD = {2: 60.0, 3: 60.0}


class AttentionMethod:
    name = "attention"
    label = "Attention map"
    in_text = "attention map"
    made = "The attention map puts a query near the keys it attends to"
    trust = (
        "is made from the scores q·k themselves: the keys that a query would attend to most lie near it. On the demo "
        "model, two thirds of each query's ten best keys are among its 100 nearest, against one in eight for the "
        "others. Distances among queries, or among keys, matter less to it."
    )
    term = (
        "attention-map",
        "Attention map",
        "Our own projection, made from the scores q·k: the keys that a query would attend to most lie near it.",
    )
    preserves = (
        "for each query, which keys it would attend to most: they are near it; the order of the other keys by "
        "distance, better than the others"
    )
    gives_up = (
        "distances within one kind are a secondary matter; how strongly a query attends (each query is drawn at the "
        "same temperature); keys that no query wants are laid out by similarity in a crowd of their own"
    )
    needs: Literal["scores"] = "scores"
    follows_alignment = False  # which changes no score but by a constant of its query
    shows_shape = False
    study_space = None

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, str | int | float | bool | None]:
        return {
            "engine": engine,
            "perplexity": ATTENTION_PERPLEXITY,
            "best_scores": NEIGHBORS_PER_PERPLEXITY * ATTENTION_PERPLEXITY,
            "of_keys": ATTENTION_OF_KEYS,
            "same_kind": ATTENTION_SAME_KIND,
            "iterations": ATTENTION_ITERATIONS,
            "repulsion_sources": points if engine == "reference" else sources_for(points),
            "start": "lift",
            "start_scale": ATTENTION_START_SCALE,
        }

    def iterations(self, points: int) -> int:
        return ATTENTION_ITERATIONS

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        from services.projection.attention import attention_start

        return self._descend(head, attention_start(head.head.queries, head.head.keys, dims))

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        return self._descend(head, head.target(dims))

    def _descend(self, head: "HeadLayouts", start: np.ndarray) -> np.ndarray:
        graph, start = self.graph(head), sized_start(start, SPREAD)
        if head.engine == "reference":
            from services.projection.reference import opentsne_of_graph

            return opentsne_of_graph(graph, start, head.seed, head.watch)
        from services.projection.tsne_kernel import tsne_descent

        return tsne_descent(graph, start, head.seed, head.watch, ATTENTION_ITERATIONS)

    def graph(self, head: "HeadLayouts") -> "Graph":
        """What is near what, the same for 2D and 3D."""
        from services.projection.attention import attention_graph

        one = head.head
        return head.once(
            "attention graph", lambda: attention_graph(one.queries, one.keys, head.watch, one.points.tokens)
        )

    def fit_together(self, heads: "TorchLayouts", dims: int) -> np.ndarray:
        from services.projection.attention import attention_start
        from services.projection.torch_engine import tsne_descent

        starts = [sized_start(attention_start(head.queries, head.keys, dims), SPREAD) for head in heads.heads]
        edges, start = self.edges(heads), heads.tensor(np.stack(starts))
        return tsne_descent(edges, start, heads.seed, heads.watch, ATTENTION_ITERATIONS).cpu().numpy()

    def edges(self, heads: "TorchLayouts") -> "Edges":
        """`graph` of several heads at once."""
        import torch

        from services.projection.torch_graph import attention_edges

        def make() -> "Edges":
            masked = heads.points.tokens.hidden()
            hidden = None if masked is None else torch.from_numpy(masked).to(heads.device)
            queries = heads.tensor(np.stack([head.queries for head in heads.heads]))
            keys = heads.tensor(np.stack([head.keys for head in heads.heads]))
            return attention_edges(queries, keys, hidden, heads.watch)

        return heads.once("attention edges", make)

    def place(self, points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
        return place_by_attention(points, new, layout, head)


ATTENTION = AttentionMethod()
