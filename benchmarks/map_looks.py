"""How many heads of a map can be told apart by their looks alone.

A look is a two-channel density image, queries and keys, centred on the median with 90 % of the points within 0.8 of the
half width, blurred by a pixel. Two looks are as far apart as the Hellinger distance of their images in the best of 16
turns, mirrored or not. The effective number of looks is the Vendi score (Friedman & Dieng 2023): the exponential of the
entropy of the eigenvalues of the similarities exp(−(distance / 0.3)²) / heads.
"""

from dataclasses import dataclass

import numpy as np

SIZE, TURNS, WITHIN, SHARE, ALIKE, CLUSTER = 32, 16, 0.8, 0.9, 0.3, 0.35


@dataclass(frozen=True)
class Looks:
    """distance: mean over pairs · effective: number of looks · clusters: of heads within CLUSTER of each other."""

    distance: float
    effective: float
    clusters: int


def looks(layouts: np.ndarray, n_queries: int) -> Looks:
    """Of the heads of one map: layouts [heads, points, 2], queries first."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    images = [density_images(layout, n_queries) for layout in layouts]
    alike = np.eye(len(images))
    upright = np.stack([one[0] for one in images])
    for i, turned in enumerate(images):
        alike[i] = np.maximum(alike[i], (upright @ turned.T).max(axis=1))
    apart = np.sqrt(np.maximum(1 - np.maximum(alike, alike.T), 0))
    np.fill_diagonal(apart, 0)
    if len(images) < 2:
        return Looks(0.0, 1.0, 1)
    values = np.maximum(np.linalg.eigvalsh(np.exp(-((apart / ALIKE) ** 2)) / len(images)), 1e-12)
    values /= values.sum()
    pairs = squareform(apart, checks=False)
    clusters = fcluster(linkage(pairs, "complete"), CLUSTER, "distance")
    return Looks(float(pairs.mean()), float(np.exp(-(values * np.log(values)).sum())), int(clusters.max()))


def density_images(layout: np.ndarray, n_queries: int) -> np.ndarray:
    """A map in every orientation: float32 [2 · TURNS, 2 · SIZE²], square roots of shares, upright first."""
    from scipy.ndimage import gaussian_filter

    y = np.asarray(layout, np.float64) - np.median(layout, axis=0)
    y = y / max(np.quantile(np.linalg.norm(y, axis=1), SHARE), 1e-12) * WITHIN
    images = []
    for mirror in (1, -1):
        for turn in range(TURNS):
            angle = 2 * np.pi * turn / TURNS
            turned = (y * [mirror, 1]) @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
            turned = np.clip(turned, -0.999, 0.999)
            sides = turned[:n_queries], turned[n_queries:]
            counts = [np.histogram2d(*side.T, bins=SIZE, range=[[-1, 1]] * 2)[0] for side in sides]
            both = np.stack([gaussian_filter(one, 1.0) for one in counts]).ravel()
            images.append(np.sqrt(both / both.sum()))
    return np.array(images, np.float32)
