"""Two heads on one map each, the second brought onto the first by the tokens that they share."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from services.alignment.procrustes import Fit, fit
from services.alignment.sharing import Sharing, sharing
from services.atlas import Atlas
from services.atlas.layouts import Frames, frames
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError


class Pane(NamedTuple):
    """One head of one stream."""

    atlas: Atlas
    stream: StreamInfo
    layer: int
    head: int

    def layout(self, atlas: Atlas, name: str) -> np.ndarray:
        """[queries + keys, dims] of a map, which may lie in another atlas of the same points.

        Raises:
            KeyError: there is no such map.
        """
        projection = atlas.info.projection(name, self.stream.name)
        if projection is None:
            raise KeyError(name)
        return np.asarray(atlas.layout(projection)[self.layer, self.head])


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Layouts of both heads, [points, dims] each, the second where the fit brings it, and the frame that holds both."""

    first: np.ndarray
    second: np.ndarray
    fit: Fit
    sharing: Sharing

    def frame(self, whole: bool, held: bool = False) -> Frames:
        """One frame for both, so that lengths are the same in both pictures; held: the first one's own."""
        return frames((self.first if held else np.concatenate([self.first, self.second]))[None], whole)


def shared_by(first: Pane, second: Pane) -> Sharing:
    """What the streams of two heads share.

    Raises:
        NotStoredError: they share no input; it says why.
    """
    return sharing(first.atlas, first.stream, second.atlas, second.stream)


@lru_cache(maxsize=8)
def side_by_side(first: Pane, second: Pane, on: tuple[Atlas, str], its: tuple[Atlas, str]) -> SideBySide:
    """The second head's map brought onto the first's by orthogonal Procrustes; on, its: where a map lies, and its name.

    Raises:
        NotStoredError: they share too little, or the maps differ in dimensions.
        KeyError: there is no such map.
    """
    found = shared_by(first, second)
    here, there = first.layout(*on), second.layout(*its)
    if here.shape[1] != there.shape[1]:
        raise NotStoredError("One map is flat and the other is not, so one cannot be brought onto the other.")
    fitted = fit(here[found.points[:, 0]], there[found.points[:, 1]])
    return SideBySide(here, fitted.apply(there).astype(np.float32), fitted, found)
