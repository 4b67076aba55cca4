"""Maps of an atlas made with another c than its own: of all heads by a metric, or of one head at several constants.

They lie in the cache, each under a name made from all that decides its content, and read like the atlas's own maps.
PCA is made when it is first asked for; the others by services.jobs.
"""

import hashlib
import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from services.alignment.live import LEAST_C, MOST_C, Way, live_head, own_scales
from services.alignment.study import scales
from services.atlas import Atlas, arrays
from services.atlas.schema import ProjectionInfo, StreamInfo

VERSION = 1  # change it when the same name would hold another map
OWN = "atlas"  # the metric that stands for the atlas as it was built
METRICS = ("weighted", "scaled", "norms", "pearson")
_lock = threading.Lock()
_busy: dict[Path, threading.Lock] = {}


def metric_scales(atlas: Atlas, stream: StreamInfo, metric: str) -> np.ndarray | None:
    """The c of every head by a metric: float64 [layers, heads]; the atlas's own where the metric is not defined.

    None when the atlas has no study, or the metric is unknown.
    """
    study = scales(atlas, stream) if metric in METRICS else None
    if study is None or metric not in study:
        return None
    best = study[metric]["best"]
    return np.clip(np.where(np.isfinite(best), best, own_scales(atlas, stream)), LEAST_C, MOST_C)


def content_key(atlas: Atlas, stream: StreamInfo, *parts: Any) -> str:
    """12 hexadecimal digits that change with everything a derived map is made from."""
    own = [p.sha256 for p in atlas.info.projections if p.stream == stream.name]
    text = json.dumps([VERSION, atlas.info.key, stream.name, own, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class ScaledAtlas(Atlas):
    """An atlas seen through one metric: its projections are the metric's, as far as they have been made.

    Their methods carry the metric, as in `pca_norms`, so that names and URLs differ from the atlas's own.
    """

    def __init__(self, atlas: Atlas, stream: StreamInfo, metric: str, c: np.ndarray, folder: Path) -> None:
        infos = [_info(atlas, stream, metric, c, p) for p in atlas.info.projections if p.stream == stream.name]
        super().__init__(atlas.path, atlas.info.model_copy(update={"projections": tuple(infos)}))
        self.__dict__["_tables"] = atlas._tables  # read once for both
        self._of = atlas
        self._stream = stream
        self._folder = folder
        self.c = c

    def file(self, projection: ProjectionInfo) -> Path:
        return self._folder / f"{projection.name}-{projection.sha256[:12]}.npy"

    def ready(self, projection: ProjectionInfo) -> bool:
        """Whether the map can be served at once, or within a second or two."""
        return projection.method.startswith("pca_") or self.file(projection).is_file()

    def layout(self, projection: ProjectionInfo) -> np.memmap:
        """float32 [layers, heads, points, dims].

        Raises:
            KeyError: the map has not been made yet.
        """
        path = self.file(projection)
        if not path.is_file():
            if not projection.method.startswith("pca_"):
                raise KeyError(projection.name)
            once(path, lambda: self._pca(projection.dims))
        return arrays.read(path)

    def _pca(self, dims: int) -> np.ndarray:
        """PCA of all heads, each turned onto the atlas's own, so that points move and do not flip."""
        own = self._of.info.projection(f"pca{dims}d", self._stream.name)
        onto = self._of.layout(own) if own else None
        points = sum(self._of.points(self._stream))
        found = np.zeros((self._stream.layers, self._stream.heads, points, dims), np.float32)
        for layer in range(self._stream.layers):
            for head in range(self._stream.heads):
                target = onto[layer, head] if onto is not None else None
                one = live_head.__wrapped__(self._of, self._stream, layer, head)
                found[layer, head] = one.pca(
                    Way(float(self.c[layer, head]), True, self.info.alignment.distance), dims, target
                )
        return found


def _info(atlas: Atlas, stream: StreamInfo, metric: str, c: np.ndarray, own: ProjectionInfo) -> ProjectionInfo:
    key = content_key(atlas, stream, "metric", metric, own.name, np.round(c, 6).tolist())
    method = f"{own.method}_{metric}"
    parameters = {**own.parameters, "scale": metric}
    return own.model_copy(update={"method": method, "parameters": parameters, "sha256": f"{key:0<64}"})


@lru_cache(maxsize=16)
def scaled_atlas(atlas: Atlas, stream: StreamInfo, metric: str, folder: Path) -> ScaledAtlas | None:
    """The atlas through a metric; None when the atlas has no study of it."""
    c = metric_scales(atlas, stream, metric)
    return None if c is None else ScaledAtlas(atlas, stream, metric, c, folder)


def once(path: Path, make: Any) -> None:
    """Write an array that several may ask for at the same time, once."""
    with _lock:
        mine = _busy.setdefault(path, threading.Lock())
    with mine:
        if not path.is_file():
            write_array(path, make())
    with _lock:
        _busy.pop(path, None)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array aside and rename it into place."""
    import io

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    arrays.write_bytes(path, buffer.getvalue())


# --- one head at several constants: the study's Figures 2 and 3 -------------------------------------------------------


def one_head_file(
    atlas: Atlas,
    stream: StreamInfo,
    layer: int,
    head: int,
    method: str,
    dims: int,
    way: Way,
    folder: Path,
    start: str = "pca",
) -> Path:
    """Where the layout [points, dims] of one head aligned in one way is kept; `start`: as in services.jobs.refining."""
    return folder / f"head-{content_key(atlas, stream, 'head', layer, head, method, dims, way.name, start)}.npy"


def constants_layout(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, method: str, ways: tuple[Way, ...], folder: Path
) -> np.ndarray:
    """One head in 2D, aligned in several ways: float32 [ways, points, 2].

    Raises:
        KeyError: a layout other than PCA has not been made yet.
    """
    live = live_head(atlas, stream, layer, head)
    own = atlas.info.projection("pca2d", stream.name)
    onto = np.array(atlas.layout(own)[layer, head]) if own else None
    layouts = []
    for way in ways:
        if method == "pca":
            onto = live.pca(way, 2, onto)
            layouts.append(onto)
            continue
        path = one_head_file(atlas, stream, layer, head, method, 2, way, folder)
        if not path.is_file():
            raise KeyError(path.name)
        layouts.append(np.asarray(arrays.read(path)))
    return np.stack(layouts)


def start_layout(atlas: Atlas, stream: StreamInfo, layer: int, head: int, method: str, dims: int) -> np.ndarray | None:
    """The atlas's own map of a head [points, dims]: where a refinement starts; None when there is none."""
    own = atlas.info.projection(f"{method}{dims}d", stream.name) or atlas.info.projection(f"pca{dims}d", stream.name)
    return np.array(atlas.layout(own)[layer, head]) if own else None


__all__ = [
    "METRICS",
    "OWN",
    "ScaledAtlas",
    "constants_layout",
    "metric_scales",
    "one_head_file",
    "scaled_atlas",
    "start_layout",
]
