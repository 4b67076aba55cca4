"""The numbers of the methods and their kernels, with where they come from."""

from dataclasses import dataclass

ENGINES: tuple[str, ...] = ("fast", "reference", "torch")

# Compiled kernels keep the values they were compiled with: after a change here, touch umap_kernel.py too.
# UMAP (McInnes, Healy & Melville 2018), umap-learn's defaults.
N_NEIGHBORS = 15
MIN_DIST = 0.1
NEGATIVE_SAMPLES = 5
# The curve 1 / (1 + a d^(2b)) fitted to min_dist 0.1 and spread 1.
CURVE_A = 1.5769434
CURVE_B = 0.8950609
# umap-learn takes 500 epochs up to this size and 200 beyond; 200 keep as many neighbours, to half a point.
SMALL = 10_000
EPOCHS = 200

# t-SNE (van der Maaten & Hinton 2008); three neighbours a unit of perplexity (van der Maaten 2014).
PERPLEXITY = 30.0
NEIGHBORS_PER_PERPLEXITY = 3
TSNE_ITERATIONS = 120
# Repulsion is computed from about this many points, a different sample in each iteration.
TSNE_SOURCES = 2300

# The coupled maps, "preference" and "attention": measured on MiniLM's 72 heads, docs/projection.md.
COUPLED_PERPLEXITY = 20
COUPLED_ITERATIONS = 120
# Each step takes the repulsion from this share of the points, a third of them in turn.
COUPLED_GROUPS = 3
# The order of all keys: its weight in the beginning, and what queries feel of it (in full it crowds them together).
COUPLED_ORDER = 6.0
COUPLED_ORDER_ON_QUERIES = 0.3
COUPLED_LANDMARKS = 100
# No step is longer than this share of the map's radius: a key that many queries pull would be thrown far out.
COUPLED_LONGEST_STEP = 0.1
# A fifth of the size of a t-SNE map of so many points: nothing is far apart yet, hubs can still reach their queries.
COUPLED_START_SPREAD = 12.0


@dataclass(frozen=True)
class Coupling:
    """What is weighed against each query's best keys, which weigh 1.

    centred: scores of q − q̄, or of q · of_keys: each key's best queries · same_kind: the nearest of one kind, for
    queries and for keys · joint: the share of repulsion that is t-SNE's own, all points from all
    """

    centred: bool
    of_keys: float
    same_kind: float
    joint: float


PREFERENCE_COUPLING = Coupling(centred=True, of_keys=0.5, same_kind=0.35, joint=0.6)
ATTENTION_COUPLING = Coupling(centred=False, of_keys=0.1, same_kind=0.35, joint=0.2)

# openTSNE's defaults.
REFERENCE_TSNE_PHASE1 = 250
REFERENCE_TSNE_ITERATIONS = 500


def perplexity_for(n_points: int) -> float:
    """The perplexity that n points allow: at most a third of the neighbours a point has."""
    return max(1.0, min(PERPLEXITY, (n_points - 1) / NEIGHBORS_PER_PERPLEXITY))


def groups_for(n_points: int, sources: int = TSNE_SOURCES) -> int:
    """How many samples the points are split into; each step of t-SNE uses one of them in turn."""
    return max(1, round(n_points / sources))


def sources_for(n_points: int) -> int:
    """About how many points repel in one step."""
    return round(n_points / groups_for(n_points))


def neighbors_for(n_points: int) -> int:
    """Neighbours besides the point itself that UMAP and t-SNE share."""
    return max(0, min(n_points - 1, int(PERPLEXITY * NEIGHBORS_PER_PERPLEXITY)))
