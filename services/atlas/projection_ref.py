"""How a map is named: its method, its number of dimensions and, where c is not the atlas's own, what chose c."""

import re
from dataclasses import dataclass

METHOD = r"[a-z][a-z0-9]{0,15}"  # becomes a file name and a part of URLs
DIMS: tuple[int, ...] = (2, 3)
_METHOD = re.compile(METHOD, re.ASCII)
_NAME = re.compile(rf"({METHOD})(?:_([a-z]{{1,15}}))?([23])d", re.ASCII)


@dataclass(frozen=True, order=True)
class ProjectionRef:
    """One map of every head of a stream: a method in two or three dimensions.

    scale: the metric that chose c of a scale variant (services.alignment.variants); None for the atlas's own maps.
    """

    method: str
    dims: int
    scale: str | None = None

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise ValueError(f"method must be lower-case letters and digits, not {self.method!r}")
        if self.dims not in DIMS:
            raise ValueError(f"dims must be 2 or 3, not {self.dims!r}")

    @classmethod
    def parse(cls, name: str) -> "ProjectionRef":
        """The map that `name` wrote.

        Raises:
            KeyError: it names no map.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise KeyError(name)
        return cls(match[1], int(match[3]), match[2])

    @property
    def name(self) -> str:
        """In file names, URLs, links and the journal of a build: `umap2d`, or `umap_norms2d` for a scale variant."""
        scale = f"_{self.scale}" if self.scale else ""
        return f"{self.method}{scale}{self.dims}d"

    @property
    def own(self) -> "ProjectionRef":
        """The atlas's own map of this method and number of dimensions."""
        return ProjectionRef(self.method, self.dims)

    def file(self, stream: str) -> str:
        """The array file in an atlas folder, for example `self/umap2d.npy`."""
        return f"{stream}/{self.name}.npy"

    def density_file(self, stream: str) -> str:
        """The array file of its thumbnails (services.atlas.overview), where the atlas has them."""
        return f"{stream}/{self.name}_density.npy"
