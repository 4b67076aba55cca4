"""Maps of one head under another alignment than the atlas's: kept in the cache, and how well near means attended there.

PCA is worked out when it is asked for; other layouts are made by services.jobs and read here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from services.alignment.live import Agreement, LiveAlignment, live_head, own_alignment
from services.alignment.scale_metrics import CONSTANTS
from services.alignment.variants import content_key
from services.atlas import Atlas, ProjectionRef, arrays
from services.atlas.projection_ref import METHOD
from services.atlas.schema import StreamInfo
from services.projection import START, follows_alignment, is_method, method_of, start_map

_CONSTANTS = re.compile(rf"constants_({METHOD})_(\d{{1,4}})_(\d{{1,4}})_(\d{{1,6}})", re.ASCII)


@dataclass(frozen=True)
class HeadMap:
    """One head under one alignment, laid out by one method.

    start: where the layout starts; "own" the atlas's own map of the head, "aligned" PCA of the vectors as aligned
    """

    atlas: Atlas
    stream: StreamInfo
    layer: int
    head: int
    ref: ProjectionRef
    alignment: LiveAlignment
    start: Literal["own", "aligned"] = "own"

    def file(self, folder: Path) -> Path:
        """Where its layout is kept once it has been made."""
        place = self.layer, self.head, self.ref.method, self.ref.dims, self.alignment.name, self.start
        return folder / f"head-{content_key(self.atlas, self.stream, 'head', *place)}.npy"

    def read(self, folder: Path) -> np.ndarray:
        """float32 [points, dims].

        Raises:
            KeyError: it has not been made yet.
        """
        path = self.file(folder)
        if not path.is_file():
            raise KeyError(path.name)
        return np.asarray(arrays.read(path))


def own_layout(atlas: Atlas, stream: StreamInfo, layer: int, head: int, ref: ProjectionRef) -> np.ndarray | None:
    """The atlas's own map of one head [points, dims]; None when it has no such map."""
    own = atlas.info.projection(ref, stream.name)
    return np.array(atlas.layout(own)[layer, head]) if own else None


def start_layout(atlas: Atlas, stream: StreamInfo, layer: int, head: int, ref: ProjectionRef) -> np.ndarray | None:
    """Where a refinement starts: the atlas's own map of a head [points, dims], or its PCA map, or None."""
    own = own_layout(atlas, stream, layer, head, ref)
    return own_layout(atlas, stream, layer, head, start_map(ref.dims)) if own is None else own


@dataclass(frozen=True)
class ConstantMaps:
    """One head in 2D at each of the study's constants and at one c more: its Figures 2 and 3, cells of one picture."""

    method: str
    layer: int
    head: int
    best: float  # four decimals are kept

    @classmethod
    def parse(cls, name: str) -> "ConstantMaps":
        """The maps that `name` wrote.

        Raises:
            KeyError: it names none.
        """
        match = _CONSTANTS.fullmatch(name)
        if match is None or not is_method(match[1]) or method_of(match[1]).study_space is None:
            raise KeyError(name)
        return cls(match[1], int(match[2]), int(match[3]), int(match[4]) / 10_000)

    @property
    def name(self) -> str:
        """As it stands in URLs, for example `constants_umap_3_7_12345` for c = 1.2345."""
        return f"constants_{self.method}_{self.layer}_{self.head}_{round(self.best * 10_000)}"

    def key(self, atlas: Atlas, stream: StreamInfo) -> str:
        """The part of their URL that changes with their content."""
        return content_key(atlas, stream, self.name)

    def alignments(self) -> tuple[LiveAlignment, ...]:
        """By the distance that the study takes for the method."""
        space = method_of(self.method).study_space or "euclidean"
        return tuple(LiveAlignment(c, True, space) for c in (*CONSTANTS, self.best))

    def heads(self, atlas: Atlas, stream: StreamInfo) -> list[HeadMap]:
        """Each as a map of its own, for what cannot be made at once."""
        ref = ProjectionRef(self.method, 2)
        return [HeadMap(atlas, stream, self.layer, self.head, ref, one, "aligned") for one in self.alignments()]

    def read(self, atlas: Atlas, stream: StreamInfo, folder: Path) -> np.ndarray:
        """float32 [alignments, points, 2].

        Raises:
            KeyError: a layout other than PCA has not been made yet.
        """
        if self.method != START.name:
            return np.stack([one.read(folder) for one in self.heads(atlas, stream)])
        live = live_head(atlas, stream, self.layer, self.head)
        onto = own_layout(atlas, stream, self.layer, self.head, start_map(2))
        layouts = []
        for alignment in self.alignments():
            onto = live.pca(alignment, 2, onto)
            layouts.append(onto)
        return np.stack(layouts)


@dataclass(frozen=True)
class MapAgreement:
    """How distance follows the dot product in one head: among the aligned vectors, and on screen.

    pending: the map of this alignment is not there yet; `screen` is of the map as it was
    not_finite: vectors that are not finite and were put at the mean
    """

    alignment: LiveAlignment
    aligned: Agreement
    screen: Agreement
    pending: bool
    not_finite: int


def map_agreement(
    atlas: Atlas,
    stream: StreamInfo,
    layer: int,
    head: int,
    ref: ProjectionRef,
    alignment: LiveAlignment | None,
    folder: Path,
) -> MapAgreement:
    """Of one head's map under an alignment; None stands for the atlas's own.

    Raises:
        KeyError: the atlas has no such map.
        IndexError: there is no such head.
    """
    live = live_head(atlas, stream, layer, head)
    own = own_layout(atlas, stream, layer, head, ref)
    if own is None:
        raise KeyError(ref.name)
    chosen = alignment or own_alignment(atlas, stream, layer, head)
    pending, layout = False, own
    if alignment is not None and ref.method == START.name:
        layout = live.pca(chosen, ref.dims)
    elif alignment is not None and follows_alignment(ref.method):
        wanted = HeadMap(atlas, stream, layer, head, ref, chosen)
        pending = not wanted.file(folder).is_file()
        layout = own if pending else wanted.read(folder)
    return MapAgreement(chosen, live.agreement(chosen), live.agreement_of(layout), pending, live.not_finite)
