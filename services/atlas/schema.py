"""What `atlas.json` holds: the one description of an atlas that every other module reads.

Shapes of the arrays it describes are in `docs/atlas-format.md`. A field that a later program of the same schema
version has written is passed over; what cannot be passed over needs a new version (services.atlas.upgrade).
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.atlas.projection_ref import METHOD, ProjectionRef
from services.streams import StreamMask
from services.streams.registry import SELF, TOKENS, AttentionLayout

SCHEMA_VERSION = 2

NAME = r"^[a-z][a-z0-9_]{0,31}$"  # becomes a file name and a part of URLs
Scale = Literal["weighted", "scaled", "norms", "pearson", "none"]
Distance = Literal["cosine", "euclidean"]
Without = Literal["nothing", "first", "special", "outliers"]
Parameter = str | int | float | bool | None


class Frozen(BaseModel):
    """Base of what is read from files: unknown fields are ignored, see above."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class StreamInfo(Frozen):
    """One kind of attention in a model, with the same number of heads in every layer that has it.

    Arrays have one row for each of these layers. Everything that a person reads, writes or links names layers as the
    model counts them: `number`, `row` and `head_name` go between the two.
    """

    name: str = Field(pattern=NAME)
    kind: str = Field(default=SELF, pattern=NAME, description="of services.streams.registry")
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    key_heads: int = Field(ge=1, description="fewer than heads for grouped-query attention")
    head_dim: int = Field(ge=1)
    mask: StreamMask = Field(description="who may attend to whom")
    attention: AttentionLayout = Field(default="dense", description="which of its weights are kept")
    scaling: tuple[float, ...] = Field(description="one factor a layer, applied to q·k before the softmax")
    additive: bool = Field(
        default=False,
        description="the scores hold more than q·k: a position bias, a soft cap or an attention sink",
    )
    position_reach: int | None = Field(
        default=None, ge=0, description="how far position_bias.npy goes to either side; None: there is none"
    )
    query_table: str = Field(default=TOKENS, pattern=NAME)
    key_table: str = Field(default=TOKENS, pattern=NAME)
    layer_numbers: tuple[int, ...] = Field(
        default=(), description="the model's numbers of its layers, rising; empty: 0, 1, 2 …"
    )
    model_layers: int | None = Field(
        default=None, ge=1, description="how many layers the model has, where this stream has fewer"
    )

    @model_validator(mode="after")
    def _fits(self) -> "StreamInfo":
        if self.heads % self.key_heads:
            raise ValueError("heads must be a multiple of key_heads")
        if len(self.scaling) != self.layers:
            raise ValueError("scaling must have one factor a layer")
        numbers = self.layer_numbers
        if numbers and (len(numbers) != self.layers or sorted(set(numbers)) != list(numbers) or numbers[0] < 0):
            raise ValueError("layer_numbers must rise and be as many as there are layers")
        if bool(numbers) != (self.model_layers is not None) or (numbers and numbers[-1] >= (self.model_layers or 0)):
            raise ValueError("layer_numbers must be below model_layers, and neither goes without the other")
        return self

    @property
    def group(self) -> int:
        """Query heads that share one key head."""
        return self.heads // self.key_heads

    def number(self, row: int) -> int:
        """The model's number of a layer."""
        return self.layer_numbers[row] if self.layer_numbers else row

    def row(self, number: int | None) -> int | None:
        """Where a layer of the model stands in the stream's arrays; None: it has no attention of this stream."""
        if number is None or not self.layer_numbers:
            return number if number is not None and 0 <= number < self.layers else None
        return self.layer_numbers.index(number) if number in self.layer_numbers else None

    def head_name(self, row: int, head: int) -> str:
        """As it is written: "L3 H9"."""
        return f"L{self.number(row)} H{head}"

    @property
    def gaps(self) -> list[tuple[int, int, int]]:
        """Layers of the model that have no attention of this stream: (row that they stand before, first, last)."""
        ends = [-1, *self.layer_numbers, self.model_layers or 0]
        pairs = pairwise(ends) if self.layer_numbers else ()
        return [(row, before + 1, after - 1) for row, (before, after) in enumerate(pairs) if after - before > 1]

    @property
    def tables(self) -> tuple[str, str]:
        """Token tables of the queries and of the keys, often the same."""
        return self.query_table, self.key_table


CAPTURED = ("queries", "keys", "value_norms", "attention")  # arrays of a stream that come from the model itself


def captured_files(streams: Iterable[StreamInfo]) -> set[str]:
    """Files that hold what was captured: `AtlasInfo.key` is a hash over these, and over no file made from them."""
    streams = tuple(streams)
    arrays = {f"{stream.name}/{name}.npy" for stream in streams for name in CAPTURED}
    arrays |= {f"{stream.name}/position_bias.npy" for stream in streams if stream.position_reach is not None}
    return {"inputs.parquet", *(f"{table}.parquet" for stream in streams for table in stream.tables), *arrays}


def captured_key(streams: Iterable[StreamInfo], files: Mapping[str, "FileInfo"]) -> str:
    """`AtlasInfo.key`: 16 hexadecimal digits of the captured files' hashes."""
    names = captured_files(streams)
    captured = sorted((name, file.sha256) for name, file in files.items() if name in names)
    return sha256(repr(captured).encode()).hexdigest()[:16]


class ModelInfo(Frozen):
    id: str
    revision: str
    architecture: str
    parameters: int
    tokenizer: str = ""
    notes: tuple[str, ...] = Field(default=(), description="what a reader of every picture of it should know")


class CorpusInfo(Frozen):
    name: str
    source: str
    sha256: str
    inputs: int
    tokens: int
    notes: tuple[str, ...] = ()


class ProjectionInfo(Frozen):
    method: str = Field(pattern=f"^{METHOD}$")
    dims: int = Field(ge=2, le=3)
    stream: str
    seed: int
    parameters: dict[str, Parameter]
    sha256: str
    device: str = Field(default="", description="GPU that laid it out; empty: processors")
    scale: str | None = Field(default=None, exclude=True, description="of a scale variant, which no atlas.json holds")

    @property
    def ref(self) -> ProjectionRef:
        return ProjectionRef(self.method, self.dims, self.scale)

    @property
    def name(self) -> str:
        """File stem and URL part, for example `umap2d`."""
        return self.ref.name


class FileInfo(Frozen):
    bytes: int = Field(ge=0)
    sha256: str


class AlignmentInfo(Frozen):
    """How queries and keys were aligned before they were laid out; c and translation of each head: `heads.parquet`."""

    scale: Scale = Field(default="norms", description="the metric that chose c; none: c = 1")
    distance: Distance = Field(
        default="euclidean", description="what layouts start from; cosine: aligned vectors of unit length"
    )
    without: Without = Field(default="nothing", description="tokens that centroids and PCA were not fitted to")


class AtlasInfo(Frozen):
    schema_version: Literal[2] = 2
    program: str = Field(description="version of Attention Atlas that captured the vectors")
    title: str
    about: str = Field(default="", description="notes of those who keep it")
    modality: str = Field(default="text", pattern=NAME, description="what an input is")
    device: str = Field(default="", description="GPU on which the model ran; empty: a processor")
    model: ModelInfo
    corpus: CorpusInfo
    streams: tuple[StreamInfo, ...] = Field(min_length=1)
    projections: tuple[ProjectionInfo, ...] = ()
    alignment: AlignmentInfo = Field(
        default=AlignmentInfo(), description="atlases that do not say: norms, euclidean, without nothing"
    )
    capture_error: float = Field(
        description="largest |recomputed − own| attention weight on the checked inputs, from the stored numbers"
    )
    checked_inputs: int
    libraries: dict[str, str]
    created: str
    seconds: dict[str, float] = {}
    files: dict[str, FileInfo] = {}
    notes: tuple[str, ...] = Field(default=(), description='about single heads: "L2 head 3: …"')
    key: str = Field(pattern=r"^[0-9a-f]{16}$", description="changes whenever captured data change")

    @model_validator(mode="after")
    def _names_fit(self) -> "AtlasInfo":
        streams = [stream.name for stream in self.streams]
        layouts = [(projection.stream, projection.name) for projection in self.projections]
        if len(set(streams)) < len(streams) or len(set(layouts)) < len(layouts):
            raise ValueError("a stream or a projection is named twice")
        unknown = {stream for stream, _ in layouts} - set(streams)
        if unknown:
            raise ValueError(f"a projection belongs to the stream {min(unknown)!r}, which is not there")
        return self

    @property
    def default_stream(self) -> StreamInfo:
        """The one that is shown when none is chosen."""
        return self.streams[0]

    def stream(self, name: str) -> StreamInfo | None:
        return next((stream for stream in self.streams if stream.name == name), None)

    def projection(self, which: ProjectionRef | str, stream: str) -> ProjectionInfo | None:
        """A map by what names it; None when the stream has none of that name."""
        name = which if isinstance(which, str) else which.name
        return next((p for p in self.projections if p.name == name and p.stream == stream), None)
