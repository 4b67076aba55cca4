"""What a layer's projection starts from: the vectors of its heads, made finite and centred."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.numerics.distinct import Distinct
from services.streams import StreamTokens

Note = Callable[[str], None]

# Below this share of the vectors' own size, a cloud's extent is the rounding of float32.
ROUNDING = 1e-5


@dataclass(frozen=True)
class LayerPoints:
    """All heads of one layer of one stream.

    `aligned_*` are the same vectors after scale and translation: one cloud a head, with attention unchanged.
    PCA, UMAP and t-SNE see those; the maps of scores see the vectors as the model dots them.
    """

    queries: np.ndarray  # float32 [heads, n_queries, head_dim]
    keys: np.ndarray  # float32 [heads, n_keys, head_dim]
    aligned_queries: np.ndarray  # float32 [heads, n_queries, head_dim]
    aligned_keys: np.ndarray  # float32 [heads, n_keys, head_dim]
    tokens: StreamTokens  # of the queries and the keys, the same in all heads

    @property
    def heads(self) -> int:
        return int(self.queries.shape[0])

    @property
    def n_queries(self) -> int:
        return int(self.queries.shape[1])

    @property
    def n_points(self) -> int:
        return int(self.queries.shape[1] + self.keys.shape[1])


def joint_cloud(queries: np.ndarray, keys: np.ndarray, fitted: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    """Queries, then keys, as one centred float64 cloud [n, head_dim], and how many vectors were not finite.

    A vector that is not finite is put at the centre, so that one bad token spoils no map.
    fitted: bool [n], whose mean is the centre; None: all.
    """
    cloud = np.concatenate([queries, keys]).astype(np.float64)
    bad = ~np.isfinite(cloud).all(axis=1)
    good = cloud[~bad]
    middle = good if fitted is None or not (fitted & ~bad).any() else cloud[fitted & ~bad]
    centre = middle.mean(axis=0) if len(middle) else np.zeros(cloud.shape[1])
    size = np.abs(good).max() if good.size else 0.0
    cloud[bad] = centre
    cloud -= centre
    if np.abs(cloud).max(initial=0.0) <= ROUNDING * size:
        cloud[:] = 0.0
    return cloud, int(bad.sum())


def finite(vectors: np.ndarray) -> np.ndarray:
    """float64, with the mean in place of vectors that are not finite."""
    vectors = vectors.astype(np.float64)
    bad = ~np.isfinite(vectors).all(axis=1)
    vectors[bad] = vectors[~bad].mean(axis=0) if not bad.all() else 0.0
    return vectors


def finite_of_unit_size(vectors: np.ndarray) -> np.ndarray:
    """float32 [n, head_dim], root-mean-square norm one; a vector that is not finite becomes the mean."""
    vectors = finite(vectors)
    size = np.abs(vectors).max(initial=0.0)
    if size > 0:
        vectors /= size
        vectors /= np.sqrt((vectors**2).sum(axis=1).mean())
    return vectors.astype(np.float32)


@dataclass(frozen=True)
class Head:
    """One head's vectors, prepared when they are first asked for.

    Equal vectors of one kind are one place: a causal model's first token has the same vectors in every input. Each
    is laid out once, and `spread` gives its copies the same place. "n" is the number of distinct queries and keys.
    """

    points: LayerPoints
    index: int
    note: Note

    @cached_property
    def distinct_queries(self) -> Distinct:
        return Distinct.of(self.points.queries[self.index])

    @cached_property
    def distinct_keys(self) -> Distinct:
        return Distinct.of(self.points.keys[self.index])

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        return len(self.distinct_queries.rows)

    @property
    def rows(self) -> np.ndarray:
        """Where the distinct points stand among all: int64 [n]."""
        return np.concatenate([self.distinct_queries.rows, self.points.n_queries + self.distinct_keys.rows])

    def spread(self, layout: np.ndarray) -> np.ndarray:
        """A layout of the distinct points [n, dims] as one of all points [n_points, dims]."""
        return layout[np.concatenate([self.distinct_queries.place, self.n_queries + self.distinct_keys.place])]

    @cached_property
    def tokens(self) -> StreamTokens:
        """Of the distinct points; of copies the first stands for all."""
        return self.points.tokens.some(self.distinct_queries.rows, self.distinct_keys.rows)

    @cached_property
    def cloud(self) -> np.ndarray:
        """The aligned vectors: float32 [n, head_dim], centred, of unit root-mean-square norm or all zero.

        Layouts do not depend on the size of a cloud; a cloud of size one keeps float32 safe.
        """
        aligned_queries, aligned_keys = self.points.aligned_queries[self.index], self.points.aligned_keys[self.index]
        cloud, bad = joint_cloud(aligned_queries[self.distinct_queries.rows], aligned_keys[self.distinct_keys.rows])
        if bad:
            bad = int(sum((~np.isfinite(side).all(axis=1)).sum() for side in (aligned_queries, aligned_keys)))
            self.note(f"head {self.index}: {bad} vectors are not finite and were put at the centre")
        size = np.abs(cloud).max(initial=0.0)
        if size > 0:
            cloud /= size
            cloud /= np.sqrt((cloud**2).sum(axis=1).mean())
        return cloud.astype(np.float32)

    @cached_property
    def queries(self) -> np.ndarray:
        """As the model dots them, up to one factor, which no order of scores depends on: float32 [n_queries, d]."""
        return finite_of_unit_size(self.points.queries[self.index][self.distinct_queries.rows])

    @cached_property
    def keys(self) -> np.ndarray:
        return finite_of_unit_size(self.points.keys[self.index][self.distinct_keys.rows])

    @cached_property
    def centred_queries(self) -> np.ndarray:
        """q − q̄, q̄ over the corpus: their scores are what a query prefers beyond the average one."""
        return self.queries - mean_with_copies(self.queries, self.distinct_queries)

    @cached_property
    def centred_keys(self) -> np.ndarray:
        """k − k̄, k̄ over the corpus, which adds a constant to all scores of a query and changes no attention."""
        return self.keys - mean_with_copies(self.keys, self.distinct_keys)

    @property
    def is_one_point(self) -> bool:
        """All vectors are equal: there is nothing to lay out."""
        return not self.cloud.any()


def mean_with_copies(vectors: np.ndarray, distinct: Distinct) -> np.ndarray:
    return np.average(vectors, axis=0, weights=distinct.counts).astype(np.float32)


def sized_start(layout: np.ndarray, spreads: Mapping[int, float]) -> np.ndarray:
    """A layout [n, dims] centred and scaled to about the size that its map will have.

    spreads: by dims, the standard deviation along the first axis of a map of 10,000 points.
    """
    n, dims = layout.shape
    layout = layout - layout.mean(axis=0)
    spread = spreads[dims] * (n / 10_000) ** (1 / dims)
    layout = layout * (spread / max(layout[:, 0].std(), 1e-12))
    # Equal points have no direction in which to part.
    return layout + np.random.default_rng(0).normal(0.0, 1e-4 * spread, layout.shape)
