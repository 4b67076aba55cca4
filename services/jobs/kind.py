"""What a kind of job is. services.jobs.registry lists them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from services.errors import JobError
from services.settings import Settings

if TYPE_CHECKING:
    from services.jobs.running import Running


class Arguments(BaseModel):
    """Base of a kind's arguments: JSON values, checked where a job is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _nothing(_arguments: Any) -> str:
    return ""


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    name: as in JobSpec.kind · arguments: the model of its arguments · title: what it does, for a reader
    run: does the work in a process of its own, tells `Running` how far it is and ends with Cancelled when told to
        stop; what it returns is the job's result; heavy libraries are imported in here
    subject: folder of the atlas it works on, by which pages find it
    starting: what is said while its process starts
    announced: every page tells that it runs
    limit: processes at once; the rest wait in order · most_waiting: beyond so many, asking is refused
    warm: seconds for which its process waits for the next job, where many small ones come; 0: one process a job
    warm_setting: the setting that says so instead
    forgotten: seconds after which a job that nobody asks for any more is dropped; None: never
    for_gpu: workers behind Redis that have no GPU leave it to those that have one, while there are any
    kept: whether the row of one that ended well stays for a while; it need not where its file says that it is done
    """

    name: str
    arguments: type[Arguments]
    title: Callable[[Any], str]
    run: Callable[[Any, "Running"], dict[str, Any] | None]
    subject: Callable[[Any], str] = _nothing
    starting: str = "Starting"
    announced: bool = True
    limit: int = 1
    most_waiting: int = 20
    warm: float = 0.0
    warm_setting: str = ""
    forgotten: float | None = None
    for_gpu: bool = False
    kept: bool = True

    @property
    def of_a_reader(self) -> bool:
        """Whether it is for one who looks and waits, and is dropped with them, as one head by another c, or a probe."""
        return self.forgotten is not None

    def idle(self, settings: Settings) -> float:
        """Seconds without work after which a warm process of a home ends."""
        return float(getattr(settings, self.warm_setting)) if self.warm_setting else self.warm

    def read(self, values: Mapping[str, Any]) -> Arguments:
        """The arguments as their model.

        Raises:
            JobError: naming the first that is missing or wrong.
        """
        try:
            return self.arguments.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            given = "" if first["type"] == "missing" else f" (got {first.get('input')!r})"
            raise JobError(f"{self.name}: {name}: {first['msg']}{given}.") from error
