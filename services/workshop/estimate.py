"""How long a build will take and how much disk and memory, before it begins.

Disk is counted from the shapes of the arrays (docs/atlas-format.md). Time is counted in units of work of four parts of
a build, each at the rate that atlases of this machine have shown, or at a stated rate where there are none. Memory is
counted from the model's numbers and the processes at work. All three are estimates and are called so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from services.atlas import ProjectionRef
from services.atlas.schema import AtlasInfo
from services.models.memory import readable
from services.models.outline import Part
from services.projection import START

STARTING = 8.0  # seconds for a process that loads torch and transformers
# Seconds a unit on two cores in November 2026, medians of MiniLM, SmolLM2 and DINOv2-small; see `units`.
DEFAULT_RATES = {"start": 1.0e-7, "capture": 5.0e-11, "heads": 1.0e-4, "maps": 2.0e-4}
# The same on an H100 with 16 cores (docs/performance.md): maps and their fidelity, and the model.
GPU_RATES = {"capture": 1.0e-11, "maps": 1.0e-5}
_STAGES = {
    "start": ("model", "check"),
    "capture": ("capture", "aggregate"),
    "heads": ("align", "measure-heads", "study"),
}
_OTHER = ("publish",)
_NEWEST = 5  # atlases that rates are taken from
_PROCESS = 700_000_000  # bytes of a process with torch
_HELPER = 400_000_000  # bytes of a process that lays out heads
_LAID_OUT = 60.0  # bytes a point and unit of k, of neighbours of a head and the layout at work on it
_NEIGHBOURS = 90


@dataclass(frozen=True)
class Work:
    """What is to be done. pairs: of tokens of one input, all inputs together · pixels: bytes of pictures kept"""

    parts: Sequence[Part]
    parameters: int
    tokens: int
    pairs: int
    layouts: Sequence[ProjectionRef]
    pixels: int = 0

    @property
    def heads(self) -> int:
        return sum(part.layers * part.heads for part in self.parts)

    def units(self) -> dict[str, float]:
        """Units of work of each part of a build."""
        made = sum(layout.dims for layout in self.layouts if layout.method != START.name)
        head_tokens = float(self.heads * self.tokens)
        return {
            "start": float(self.parameters),
            "capture": float(self.parameters) * self.tokens,
            "heads": head_tokens,
            "maps": head_tokens * made,
        }


@dataclass(frozen=True)
class Estimate:
    """seconds: until all maps are there · first: until it can be explored · disk, memory: bytes
    measured: how many atlases of this machine and device the rates are from
    device: the GPU that it is for; "" for the processor
    """

    seconds: float
    first: float
    disk: int
    memory: int
    measured: int
    device: str = ""

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        on = f" on {self.device}" if self.device else ""
        basis = (
            f"by {self.measured} atlas{'es' if self.measured > 1 else ''} built here{on}"
            if self.measured
            else f"by builds elsewhere, for none was built here{on}"
        )
        return (
            f"About {duration(self.seconds)}, to be explored after {duration(self.first)};"
            f" {readable(self.disk)} of disk; up to {readable(self.memory)} of memory ({basis})."
        )


def estimate(work: Work, done: Iterable[AtlasInfo], processes: int, gpu: str = "") -> Estimate:
    """
    Args:
        done: atlases built on this machine, the newest first.
        processes: that lay out heads at once.
        gpu: the name of the GPU it will be built on; "" for the processor.
    """
    rates, measured = _rates([info for info in done if _was_built_on(info, gpu)][:_NEWEST])
    units = work.units()
    if not measured:
        rates |= GPU_RATES if gpu else {}
        for name in ("heads",) if gpu else ("heads", "maps"):
            rates[name] *= 2 / processes
    seconds = {name: units[name] * rates[name] for name in units}
    first = STARTING + seconds["start"] + seconds["capture"]
    return Estimate(
        seconds=first + seconds["heads"] + seconds["maps"],
        first=first,
        disk=disk_bytes(work),
        memory=memory_bytes(work, processes),
        measured=measured,
        device=gpu,
    )


def disk_bytes(work: Work) -> int:
    """Bytes of the finished atlas, vectors in float32; half of it for vectors where float16 agrees."""
    vectors = sum(part.layers * (part.heads + part.key_heads) * part.head_dim * 4 for part in work.parts) * work.tokens
    norms = sum(part.layers * part.key_heads for part in work.parts) * 4 * work.tokens
    attention = work.heads * work.pairs * 2
    maps = work.heads * 2 * work.tokens * 4 * sum(layout.dims for layout in work.layouts)
    return round(1.05 * (vectors + norms + attention + maps + work.pixels)) + 2_000_000


def memory_bytes(work: Work, processes: int) -> int:
    """The larger of what the model takes and what all processes that lay out heads take together."""
    model = _PROCESS + round(1.3 * 4 * work.parameters)
    at_work = _HELPER + round(_LAID_OUT * _NEIGHBOURS * 2 * work.tokens)
    return max(model, _PROCESS + processes * at_work)


def _was_built_on(info: AtlasInfo, gpu: str) -> bool:
    """Whether model and maps of an atlas were all made on a device, so that its build shows how fast that is."""
    maps = {one.device for one in info.projections if one.method != START.name}
    return {info.device, *maps} == {gpu}


def rates_of(info: AtlasInfo) -> dict[str, float]:
    """Seconds a unit that a finished atlas has shown, of those parts of its build that say how long they took."""
    parts = [Part(one.layers, one.heads, one.key_heads, one.head_dim) for one in info.streams]
    layouts = [one.ref for one in info.projections if one.stream == info.streams[0].name]
    units = Work(parts, info.model.parameters, info.corpus.tokens, 0, layouts).units()
    known = {stage for stages in _STAGES.values() for stage in stages}
    spent = {part: sum(info.seconds.get(stage, 0.0) for stage in stages) for part, stages in _STAGES.items()}
    spent["maps"] = sum(
        value
        for stage, value in info.seconds.items()
        if stage not in known and stage not in _OTHER and not stage.startswith(START.name)
    )
    return {part: spent[part] / units[part] for part in units if units[part] > 0 and spent[part] > 0}


def _rates(done: Sequence[AtlasInfo]) -> tuple[dict[str, float], int]:
    """The median rate of each part, and of how many atlases."""
    shown = [rates_of(info) for info in done]
    found: Mapping[str, list[float]] = {part: [one[part] for one in shown if part in one] for part in DEFAULT_RATES}
    return {part: median(found[part] or [rate]) for part, rate in DEFAULT_RATES.items()}, len(shown)


def duration(seconds: float) -> str:
    """ "3 minutes"; no finer than an estimate is."""
    if seconds < 50:
        return f"{max(5, 5 * round(seconds / 5)):.0f} seconds"
    if seconds < 5_400:
        minutes = max(1, round(seconds / 60))
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    hours = seconds / 3_600
    if hours < 36:
        return f"{hours:.{1 if hours < 10 else 0}f} hours"
    return f"{hours / 24:.1f} days"
