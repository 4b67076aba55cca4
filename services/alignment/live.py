"""One head aligned anew for any choice of c, translation and distance: fast enough to answer while a slider moves.

With second moments of queries and keys, the covariance of the joint cloud at any c is a sum of small matrices:
c² S_q + S_k / c² + n_q n_k / n · m mᵀ, with S about each side's own mean and m the vector between the two means
(0 when translated). PCA is then one eigen-decomposition of head_dim × head_dim and one projection. numpy only.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from services.alignment.fitting import Fitted, fitted_of_head, mean_vector
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.numerics.agreement import EQUAL_SCORES, FEW_PAIRS, NOT_FINITE, SAMPLE
from services.numerics.correlation import mean_within, pearson, ranks, ranks_within
from services.numerics.linear import lift, principal_axes, rotation_onto
from services.streams import StreamTokens

Space = Literal["euclidean", "cosine", "lift"]
SPACES: tuple[Space, ...] = get_args(Space)
LEAST_C, MOST_C = 0.05, 20.0  # beyond the study's constants: an atlas's own c may lie there
_NAME = re.compile(r"(\d{1,2}(?:\.\d{1,4})?)-(translated|asis)-(euclidean|cosine|lift)", re.ASCII)
# A spread below this share of the vectors' own size is the rounding of float32.
ROUNDING = 1e-5


@dataclass(frozen=True)
class LiveAlignment:
    """How a head is aligned: queries × c, keys / c, keys moved so that the centroids coincide, and the distance.

    The lift (services.projection.lift) fixes where keys lie against queries: it is never translated.
    """

    c: float = 1.0
    translate: bool = True
    space: Space = "euclidean"

    @classmethod
    def parse(cls, text: str) -> "LiveAlignment":
        """The alignment that `name` wrote.

        Raises:
            KeyError: the text names no alignment, or its c is out of bounds.
        """
        match = _NAME.fullmatch(text)
        if match is None or not LEAST_C <= float(match[1]) <= MOST_C:
            raise KeyError(text)
        space = next(space for space in SPACES if space == match[3])
        return cls(float(match[1]), match[2] == "translated" and space != "lift", space)

    @property
    def name(self) -> str:
        """As it stands in URLs and file names, for example `0.83-translated-euclidean`."""
        c = f"{self.c:.4f}".rstrip("0").rstrip(".")
        return f"{c}-{'translated' if self.translate else 'asis'}-{self.space}"


@dataclass(frozen=True)
class Agreement:
    """How distance follows the dot product over the sampled pairs within inputs; None where not defined.

    pearson, spearman: over all of them at once · query_spearman: ranks within each query's keys, averaged
    reason: why a value is None, or None.
    """

    pearson: float | None
    spearman: float | None
    query_spearman: float | None
    reason: str | None


class LiveHead:
    """One head's vectors with what serves every alignment, computed once; what is not finite lies at the mean."""

    def __init__(
        self,
        queries: np.ndarray,
        keys: np.ndarray,
        tokens: StreamTokens,
        *,
        fitted: Fitted | None = None,
        sample: int = SAMPLE,
    ) -> None:
        """queries [n_queries, head_dim], keys [n_keys, head_dim], and the tokens that they are of.

        fitted: the queries and keys that means and principal axes are taken from; None: all.
        """
        (self.queries, good_queries), (self.keys, good_keys) = _finite(queries), _finite(keys)
        self.not_finite = int((~good_queries).sum() + (~good_keys).sum())
        self._fitted = fitted or (np.ones(len(self.queries), bool), np.ones(len(self.keys), bool))
        self._means = mean_vector(self.queries, self._fitted[0]), mean_vector(self.keys, self._fitted[1])
        self._lifted: tuple[np.ndarray, np.ndarray] | None = None
        self._moments: dict[bool, tuple[np.ndarray, ...]] = {}
        kept, kept_keys = np.flatnonzero(good_queries), np.flatnonzero(good_keys)
        drawn = np.random.default_rng(0).choice(len(kept), min(len(kept), sample), replace=False)
        rows = kept[np.sort(drawn)]  # the queries that services.measures.fidelity judges a map by
        pair_query, pair_key = tokens.some(rows, kept_keys).runs_within_inputs().pairs()
        self._group = pair_query
        self._pair_query, self._pair_key = rows[pair_query], kept_keys[pair_key]

    def vectors(self, alignment: LiveAlignment) -> tuple[np.ndarray, np.ndarray]:
        """The aligned queries and keys float64 [n, head_dim], or [n, head_dim + 1] when lifted.

        For cosine they have unit length, so that their distances are the cosine's order.
        """
        if alignment.space == "lift":
            queries, keys = self._lift()
            return queries * alignment.c, keys / alignment.c
        return aligned_vectors(self.queries, self.keys, self._means, alignment)

    def pca(self, alignment: LiveAlignment, dims: int, onto: np.ndarray | None = None) -> np.ndarray:
        """The first principal components: float32 [n, dims], queries first, centred.

        onto: a layout [n, dims] to turn and mirror the result onto, so that a picture does not flip.
        """
        queries, keys, covariance = self._covariance(alignment)
        axes = principal_axes(covariance, dims)
        layout = np.zeros((len(queries) + len(keys), dims))
        found = axes.shape[1]
        layout[: len(queries), :found] = queries @ axes
        layout[len(queries) :, :found] = keys @ axes
        layout -= layout.mean(axis=0) if len(layout) else 0.0
        spread = float(np.trace(covariance)) / max(len(layout), 1)
        if spread <= (ROUNDING * self._size(alignment)) ** 2:
            return np.zeros(layout.shape, np.float32)
        if onto is not None and np.isfinite(onto).all():
            layout = layout @ rotation_onto(layout, onto - onto.mean(axis=0, dtype=np.float64))
        return layout.astype(np.float32)

    def agreement(self, alignment: LiveAlignment) -> Agreement:
        """In the aligned space itself. Distance is Euclidean, 1 − cosine, or Euclidean after the lift."""
        queries, keys = self.vectors(alignment)
        if alignment.space == "cosine":
            left, right = queries[self._pair_query], keys[self._pair_key]
            return self._agreement(1.0 - np.einsum("ij,ij->i", left, right))
        return self._agreement(self._pair_distances(queries, keys))

    def agreement_of(self, layout: np.ndarray) -> Agreement:
        """On screen: of a layout [n_queries + n_keys, dims]."""
        if not np.isfinite(layout).all():
            return Agreement(None, None, None, NOT_FINITE)
        layout = np.asarray(layout, np.float64)
        return self._agreement(self._pair_distances(layout[: len(self.queries)], layout[len(self.queries) :]))

    def _agreement(self, distances: np.ndarray) -> Agreement:
        if len(distances) < 3 or np.bincount(self._group).max(initial=0) < 3:
            return Agreement(None, None, None, FEW_PAIRS)
        dots, dot_ranks, ranked = self._dots()
        within = mean_within(ranked, ranks_within(distances, self._group), self._group)
        pooled = pearson(dots, distances)
        spearman = pearson(dot_ranks, ranks(distances))
        missing = None in (pooled, spearman, within)
        return Agreement(pooled, spearman, within, EQUAL_SCORES if missing else None)

    def _dots(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """q·(k − k̄) of every pair, its ranks, and its ranks within the query."""
        if not hasattr(self, "_scores"):
            keys = self.keys - self._means[1]
            dots = np.einsum("ij,ij->i", self.queries[self._pair_query], keys[self._pair_key])
            self._scores = dots, ranks(dots), ranks_within(dots, self._group)
        return self._scores

    def _pair_distances(self, queries: np.ndarray, keys: np.ndarray) -> np.ndarray:
        difference = queries[self._pair_query] - keys[self._pair_key]
        return np.sqrt(np.einsum("ij,ij->i", difference, difference))

    def _lift(self) -> tuple[np.ndarray, np.ndarray]:
        if self._lifted is None:
            sides = lift(self.queries, self.keys) if len(self.keys) else (self.queries, self.keys)
            self._lifted = sides[0].astype(np.float64), sides[1].astype(np.float64)
        return self._lifted

    def _covariance(self, alignment: LiveAlignment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Aligned queries and keys, and n times the covariance of those of the joint cloud that count [d, d]."""
        queries, keys = self.vectors(alignment)
        counted = queries[self._fitted[0]], keys[self._fitted[1]]
        if alignment.space == "cosine":  # a key's length after translation depends on c: nothing to recombine
            return queries, keys, _between(_scatter(counted[0]), _scatter(counted[1]), *counted)
        lifted = alignment.space == "lift"
        if lifted not in self._moments:
            raw = self._lift() if lifted else (self.queries, self.keys)
            self._moments[lifted] = _scatter(raw[0][self._fitted[0]]), _scatter(raw[1][self._fitted[1]])
        of_queries, of_keys = self._moments[lifted]
        return queries, keys, _between(of_queries * alignment.c**2, of_keys / alignment.c**2, *counted)

    def _size(self, alignment: LiveAlignment) -> float:
        """Root-mean-square size of the vectors: what rounding is measured against."""
        if alignment.space == "cosine":
            return 1.0
        sizes = [float((side * side).sum(axis=1).mean()) if len(side) else 0.0 for side in (self.queries, self.keys)]
        return float(np.sqrt(sizes[0] * alignment.c**2 + sizes[1] / alignment.c**2))


def aligned_vectors(
    queries: np.ndarray, keys: np.ndarray, means: tuple[np.ndarray, np.ndarray], alignment: LiveAlignment
) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys [n, head_dim] after scale, translation and, for cosine, division by their lengths.

    means: of queries and of keys [head_dim], before the scale.
    """
    queries, keys = queries * alignment.c, keys / alignment.c
    if alignment.translate:
        keys = keys + (means[0] * alignment.c - means[1] / alignment.c)
    if alignment.space == "cosine":
        queries, keys = _unit(queries), _unit(keys)
    return queries, keys


def _finite(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float64 with the mean in place of vectors that are not finite, and which were."""
    vectors = np.asarray(vectors, np.float64)
    good = np.isfinite(vectors).all(axis=1)
    if good.all():
        return vectors, good
    vectors = vectors.copy()
    vectors[~good] = vectors[good].mean(axis=0) if good.any() else 0.0
    return vectors, good


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Unit length; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


def _scatter(vectors: np.ndarray) -> np.ndarray:
    """Σ (v − v̄)(v − v̄)ᵀ: [d, d]."""
    centred = vectors - mean_vector(vectors)
    return centred.T @ centred


def _between(of_queries: np.ndarray, of_keys: np.ndarray, queries: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The scatter of both clouds together: within each, and between their means."""
    gap = mean_vector(queries) - mean_vector(keys)
    total = max(len(queries) + len(keys), 1)
    return of_queries + of_keys + len(queries) * len(keys) / total * np.outer(gap, gap)


@lru_cache(maxsize=6)
def live_head(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> LiveHead:
    """A head of an opened atlas; the last few are kept.

    Raises:
        IndexError: there is no such head.
    """
    vectors = head_vectors(atlas, stream, layer, head)
    return LiveHead(*vectors, atlas.stream_tokens(stream), fitted=fitted_of_head(atlas, stream, *vectors))


def head_vectors(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 queries [n_queries, head_dim] and keys [n_keys, head_dim] as the model dots them.

    Raises:
        IndexError: there is no such head.
    """
    return atlas.vectors(stream).head(layer, head)


def own_alignment(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> LiveAlignment:
    """How the atlas itself aligned a head."""
    c = float(np.clip(own_scales(atlas, stream)[layer, head], LEAST_C, MOST_C))
    return LiveAlignment(c, True, atlas.info.alignment.distance)


@lru_cache(maxsize=8)
def own_scales(atlas: Atlas, stream: StreamInfo) -> np.ndarray:
    """The c that the atlas was built with: float64 [layers, heads]."""
    found = np.ones((stream.layers, stream.heads))
    columns: dict[str, list[Any]] = atlas.heads
    for name, layer, head, c in zip(columns["stream"], columns["layer"], columns["head"], columns["c"], strict=True):
        if name == stream.name and np.isfinite(c) and c > 0:
            found[layer, head] = c
    return found
