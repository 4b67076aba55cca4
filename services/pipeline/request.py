"""What a build is asked to do."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from services.atlas import ProjectionRef
from services.atlas.schema import AlignmentInfo, Distance, Frozen, Scale, StreamInfo, Without
from services.modalities.corpora.chats import Chats
from services.modalities.registry import DEFAULT
from services.models.packaged import packaged
from services.projection import START, method_names, methods
from services.projection.methods.coupled import ATTENTION
from services.streams.registry import CONTENT

# The alignment of new atlases, chosen from the evidence in docs/alignment.md.
SCALE: Scale = "norms"
DISTANCE: Distance = "cosine"
WITHOUT: Without = "first"  # docs/projection.md

POS_CHOICES = ("auto", "none", "hanta-en", "hanta-de", "hanta-nl")


Precision = Literal["auto", "float16", "float32"]


class _Captures:
    """Marks a field of BuildRequest that decides the captured vectors."""


class BuildRequest(Frozen):
    """All choices that decide what an atlas holds."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, _Captures]
    corpus: str
    modality: Annotated[str, _Captures] = Field(default=DEFAULT, description="what the corpus holds")
    revision: Annotated[str | None, _Captures] = None
    tokenizer: Annotated[str | None, _Captures] = Field(default=None, description="of another model, by its name")
    library_code: Annotated[bool, _Captures] = Field(
        default=False, description="run transformers' own class though the authors ship code of their own"
    )
    content: Annotated[bool, _Captures] = Field(
        default=False, description="also queries and keys of a rotary model before rotation, as a stream"
    )
    column: str | None = None
    encoding: str | None = Field(default=None, max_length=40, description="of a corpus file that is not UTF-8")
    paragraphs: bool = Field(default=False, description="texts of a plain file stand between empty lines")
    pair: str | None = Field(default=None, description="column with a second text that is read with the first")
    chats: Chats | None = Field(
        default=None, description="a chat as one input by the model's template, or each turn as one; None: as it can be"
    )
    target: Annotated[str | None, _Captures] = Field(
        default=None, description="column with what the model writes; None: one of that name, or the model writes"
    )
    projections: tuple[str, ...] = Field(default_factory=method_names)
    dims: tuple[int, ...] = (2, 3)
    max_tokens: Annotated[int | None, _Captures] = Field(default=None, ge=1)
    max_inputs: int = Field(default=100_000, ge=1)
    sample: bool = Field(default=False, description="inputs are drawn at random, by the seed; else the first are taken")
    seed: int = Field(default=0, ge=0, lt=2**32)
    engine: str = Field(default="fast", description="of the layouts; auto: that of the device the build runs on")
    scale: Scale | None = Field(default=None, description="metric that chooses c; None: the atlas's, or SCALE")
    distance: Distance | None = Field(default=None, description="None: the atlas's, or DISTANCE")
    without: Without | None = Field(
        default=None, description="tokens that centroids and PCA are not fitted to; None: the atlas's, or WITHOUT"
    )
    precision: Precision = Field(
        default="auto", description="of stored vectors; auto: the atlas's, or float16 where attention agrees with it"
    )
    title: str | None = None
    pos: str = Field(default="auto", max_length=200)

    def captured(self) -> dict[str, Any]:
        """The part that decides the captured vectors, but for the corpus: see `same_vectors`.

        A local folder is told by a hash of its place: an atlas may be published, its maker's folders not.
        """
        choices = self.model_dump(mode="json", include=set(_captures()))
        for choice in ("model", "tokenizer"):
            name = choices[choice]
            if name is not None and not packaged(name) and (folder := Path(name).expanduser()).is_dir():
                place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
                choices[choice] = f"folder {folder.name} {place}"
        return choices

    def reading(self) -> dict[str, Any]:
        """How the corpus is to be read, where that is not the usual way."""
        chosen = {"encoding": self.encoding, "paragraphs": self.paragraphs, "pair": self.pair, "chats": self.chats}
        drawn = {"sample": self.seed} if self.sample else {}
        return {name: choice for name, choice in chosen.items() if choice} | drawn

    def alignment(self) -> AlignmentInfo:
        """The alignment of a new atlas."""
        return AlignmentInfo(
            scale=self.scale or SCALE, distance=self.distance or DISTANCE, without=self.without or WITHOUT
        )

    def agrees(self, made: AlignmentInfo) -> bool:
        """Whether an atlas with this alignment is one that was asked for."""
        return all(
            asked in (None, of_atlas)
            for asked, of_atlas in (
                (self.scale, made.scale),
                (self.distance, made.distance),
                (self.without, made.without),
            )
        )

    def layouts(self, stream: StreamInfo | None = None) -> list[ProjectionRef]:
        """Every map asked for; those that others start from are always made. stream: but for what it cannot have."""
        left_out = (ATTENTION.name,) if stream is not None and stream.kind == CONTENT else ()
        names = [m.name for m in methods() if m.name in self.projections and m is not START and m.name not in left_out]
        return [ProjectionRef(name, dims) for dims in self.dims for name in [START.name, *names]]


def _captures() -> dict[str, Any]:
    """Names and defaults of the fields that decide the captured vectors."""
    fields = BuildRequest.model_fields.items()
    return {name: field.get_default() for name, field in fields if _Captures in field.metadata}


def same_vectors(made: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether two requests, as journals keep them, ask for the same vectors: they may share and resume them.

    A field that only another version of this program knows decides nothing; one that is missing has its default.
    """
    known = {**_captures(), "corpus_sha256": None}
    return all(made.get(name, default) == asked.get(name, default) for name, default in known.items())


def slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "atlas"


def default_folder(atlases: Path, model: str, corpus_name: str) -> Path:
    """Where an atlas goes when the user names no folder."""
    last = Path(model).name if Path(model).exists() else model.rsplit("/", 1)[-1]
    return atlases / f"{slugify(last)}-{slugify(corpus_name)}"[:64].strip("-")
