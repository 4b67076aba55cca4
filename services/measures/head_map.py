"""All heads of a stream as points: near where they attend alike or have like weights, and in families of such."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.atlas import Atlas, arrays
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError
from services.measures.likeness import between_all, plan, read_rows, sample_rows

VERSION = 2  # counts up when the same attention would give another map
FAMILIES = (2, 12)  # into how many heads may be parted
SAME = 1e-5  # of a squared distance, below which two heads are the same: sums of float32
MEMBERS = 3  # of a family at least, on average
ATTENTION, WEIGHTS = BY = ("attention", "weights")  # what heads are compared by


@dataclass(frozen=True)
class HeadMap:
    """places: float32 [heads, 2], in roots of bits; by weights in units of which √2 is nothing in common

    shown: share of the squared distances' variance that two dimensions hold
    cuts: int16 [cuts, heads], the family of each head, the largest first; parted into 2 families, 3, …
    silhouettes: float64 [cuts], mean silhouette of each: 1 families far apart, 0 none
    rows, inputs: that were compared, 0 by weights · landmarks: heads that all were compared with
    """

    places: np.ndarray
    shown: float
    cuts: np.ndarray
    silhouettes: np.ndarray
    rows: int
    inputs: int
    landmarks: int


def why_not(atlas: Atlas, stream: StreamInfo) -> str | None:
    """Why a stream has no map of its heads; None where it can be made."""
    if not atlas.attention(stream).kept:
        return (
            f"This atlas keeps no attention weights of the stream {stream.name}, so heads cannot be compared by them."
        )
    if stream.layers * stream.heads < 2:
        return "There is one head: nothing to compare it with."
    return None


def file_of(atlas: Atlas, stream: StreamInfo, folder: Path, by: str = ATTENTION) -> Path:
    """Where the map is kept once it has been made: named by what it is made from; by: one of `BY`."""
    text = repr((VERSION, atlas.info.key, stream.name, *([] if by == ATTENTION else [by])))
    return folder / f"heads-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


def make(atlas: Atlas, stream: StreamInfo, told: Callable[[int, int], None] = lambda done, of: None) -> HeadMap:
    """Compare all heads, or all with landmarks, and lay them out.

    Raises:
        NotStoredError: the atlas keeps no attention, or has one head.
    """
    if (why := why_not(atlas, stream)) is not None:
        raise NotStoredError(why)
    blocks = atlas.attention(stream)
    landmarks, cells = plan(stream.layers * stream.heads)
    rows = sample_rows(blocks, cells)
    squared = between_all(read_rows(blocks, rows), landmarks, rows.count, told)
    return of_distances(squared, landmarks, rows.count, len(rows.of_inputs))


def of_distances(squared: np.ndarray, landmarks: np.ndarray, rows: int = 0, inputs: int = 0) -> HeadMap:
    """Lay heads out by their squared distances [landmarks, heads]; all in one place and in no family if none differ."""
    if squared.max(initial=0) < SAME:
        heads = squared.shape[1]
        return HeadMap(
            np.zeros((heads, 2), np.float32),
            0.0,
            np.zeros((0, heads), np.int16),
            np.zeros(0),
            rows,
            inputs,
            len(landmarks),
        )
    places, shown = classical(squared, landmarks)
    cuts, silhouettes = families(squared, landmarks)
    return HeadMap(places.astype(np.float32), shown, cuts, silhouettes, rows, inputs, len(landmarks))


def classical(squared: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Classical scaling to two dimensions (Torgerson 1952), by landmarks (de Silva & Tenenbaum 2004) if not all are.

    squared: squared distances [landmarks, heads]

    Returns:
        places [heads, 2], and the share of the variance that they hold.
    """
    among = squared[:, landmarks]
    mean = among.mean(axis=1)
    gram = -0.5 * (among - mean[:, None] - mean[None, :] + mean.mean())
    values, vectors = np.linalg.eigh(gram)
    first = np.argsort(values)[::-1][:2]
    held = np.maximum(values, 0)
    scale = np.sqrt(np.maximum(values[first], 1e-12))
    places = -0.5 * ((squared - mean[:, None]).T @ (vectors[:, first] / scale))
    places[:, values[first] <= 1e-9] = 0.0  # all alike, or on a line
    # Which way an axis points is arbitrary: the longer tail goes right and up.
    places *= np.where((places**3).sum(axis=0) < 0, -1.0, 1.0)
    if places.shape[1] < 2:
        places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    return places, float(held[first].sum() / max(held.sum(), 1e-12))


def families(squared: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ward's tree (1963) of the distances, cut into 2 families, 3, …: see `HeadMap.cuts` and `silhouettes`.

    Heads that are no landmark join the family that they are nearest to on average.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    most = min(FAMILIES[1], len(landmarks) // MEMBERS)
    if most < FAMILIES[0]:
        return np.zeros((0, squared.shape[1]), np.int16), np.zeros(0)
    distances = np.sqrt(squared[:, landmarks])
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), "ward")
    cuts, widths = [], []
    for count in range(FAMILIES[0], most + 1):
        cut = fcluster(tree, count, "maxclust")
        widths.append(silhouette(distances, cut))
        cuts.append(_largest_first(_joined(cut, np.sqrt(squared), landmarks)))
    return np.stack(cuts).astype(np.int16), np.array(widths)


def _joined(cut: np.ndarray, distances: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    names = np.unique(cut)
    mean = np.stack([distances[cut == name].mean(axis=0) for name in names])
    joined = names[mean.argmin(axis=0)]
    joined[landmarks] = cut
    return joined


def _largest_first(groups: np.ndarray) -> np.ndarray:
    _, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[index]


def silhouette(distances: np.ndarray, groups: np.ndarray) -> float:
    """Mean silhouette (Rousseeuw 1987); 0 for one alone in its group."""
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.stack([distances[:, groups == name].sum(axis=1) for name in names], axis=1)
    every = np.arange(len(groups))
    own = sums[every, index] / np.maximum(sizes[index] - 1, 1)
    means = sums / sizes
    means[every, index] = np.inf
    nearest = means.min(axis=1)
    widths = (nearest - own) / np.maximum(np.maximum(own, nearest), 1e-12)
    return float(np.where(sizes[index] > 1, widths, 0.0).mean())


def write(path: Path, made: HeadMap) -> None:
    """Keep a map; see `file_of`.

    Raises:
        BuildError: the disk cannot hold it.
    """
    buffer = io.BytesIO()
    facts = np.array([made.shown, made.rows, made.inputs, made.landmarks], np.float64)
    np.savez(buffer, places=made.places, cuts=made.cuts, silhouettes=made.silhouettes, facts=facts)
    arrays.write_bytes(path, buffer.getvalue())


def read(path: Path) -> HeadMap:
    """
    Raises:
        KeyError: it has not been made yet, or cannot be read: then it is removed, and made anew when it is wanted.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            shown, rows, inputs, landmarks = kept["facts"].tolist()
            counts = int(rows), int(inputs), int(landmarks)
            return HeadMap(kept["places"], shown, kept["cuts"], kept["silhouettes"], *counts)
    except FileNotFoundError as error:
        raise KeyError(path.name) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        with suppress(OSError):
            path.unlink()
        raise KeyError(path.name) from error
