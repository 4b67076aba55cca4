"""Maps of an atlas made with another c than its own, that of a metric: scale variants.

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

from services.alignment.live import LEAST_C, MOST_C, LiveAlignment, live_head, own_scales
from services.alignment.scale_metrics import METRICS
from services.alignment.study import scales
from services.atlas import Atlas, arrays
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.projection import START, follows_alignment, start_map

VERSION = 1  # change it when the same name would hold another map
OWN = "atlas"  # the metric that stands for the atlas as it was built
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


class ScaleVariant(Atlas):
    """An atlas whose c are chosen by another metric: its projections are the metric's, as far as they have been made.

    Their names carry the metric, as in `pca_norms2d`, so that files and URLs differ from the atlas's own.
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
        return projection.method == START.name or self.file(projection).is_file()

    def missing(self, dims: int | None = None) -> list[ProjectionInfo]:
        """Maps that would be others with these c and that have not been made."""
        maps = [p for p in self.info.projections if dims in (None, p.dims) and follows_alignment(p.method)]
        return [p for p in maps if not self.ready(p)]

    def layout(self, projection: ProjectionInfo) -> np.memmap:
        """float32 [layers, heads, points, dims].

        Raises:
            KeyError: the map has not been made yet.
        """
        path = self.file(projection)
        if not path.is_file():
            if projection.method != START.name:
                raise KeyError(projection.name)
            once(path, lambda: self._pca(projection.dims))
        return arrays.read(path)

    def _pca(self, dims: int) -> np.ndarray:
        """PCA of all heads, each turned onto the atlas's own, so that points move and do not flip."""
        own = self._of.info.projection(start_map(dims), self._stream.name)
        onto = self._of.layout(own) if own else None
        points = sum(self._of.points(self._stream))
        found = np.zeros((self._stream.layers, self._stream.heads, points, dims), np.float32)
        for layer in range(self._stream.layers):
            for head in range(self._stream.heads):
                target = onto[layer, head] if onto is not None else None
                one = live_head.__wrapped__(self._of, self._stream, layer, head)
                found[layer, head] = one.pca(
                    LiveAlignment(float(self.c[layer, head]), True, self.info.alignment.distance), dims, target
                )
        return found


def _info(atlas: Atlas, stream: StreamInfo, metric: str, c: np.ndarray, own: ProjectionInfo) -> ProjectionInfo:
    key = content_key(atlas, stream, "metric", metric, own.name, np.round(c, 6).tolist())
    parameters = {**own.parameters, "scale": metric}
    return own.model_copy(update={"scale": metric, "parameters": parameters, "sha256": f"{key:0<64}"})


@lru_cache(maxsize=16)
def scale_variant(atlas: Atlas, stream: StreamInfo, metric: str, folder: Path) -> ScaleVariant | None:
    """The atlas with the c of a metric; None when the atlas has no study of it."""
    c = metric_scales(atlas, stream, metric)
    return None if c is None else ScaleVariant(atlas, stream, metric, c, folder)


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
