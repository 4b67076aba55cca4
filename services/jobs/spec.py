"""What a job is: the wish (`JobSpec`), and the row of the job table that says how far it is (`Job`)."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["waiting", "running", "finished", "failed", "cancelled", "lost"]
_FIRST_GUESS = 2.0  # seconds of a stage, before which nothing is foretold of it
LONGEST_TEXT = 300  # characters of a label or message: one line on a page


@dataclass(frozen=True)
class JobSpec:
    """A job that is wanted. Equal kind and arguments are one job, whoever asks.

    kind: a name of services.jobs.registry · arguments: JSON values, as the kind's model of arguments writes them
    owner: who asks: a browser tab, the dashboard, the terminal; of a user with a name, see `owned`
    """

    kind: str
    arguments: dict[str, Any]
    owner: str = ""

    @classmethod
    def of(cls, kind: str, arguments: BaseModel, owner: str = "") -> "JobSpec":
        return cls(kind, arguments.model_dump(mode="json"), owner)

    @cached_property
    def id(self) -> str:
        """The kind and 16 hexadecimal digits of the arguments' content."""
        content = json.dumps(self.arguments, sort_keys=True, ensure_ascii=False)
        return f"{self.kind}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


_OF = "\x1f"  # no name of a user holds it


def owned(person: str, interest: str) -> str:
    """The owner of a job that a user asks for: equal interests of two people are two."""
    return f"{person}{_OF}{interest}" if person else interest


def person_of(owner: str) -> str:
    """The user of an owner; "" where nobody has a name."""
    return owner.rpartition(_OF)[0]


def interest_of(owner: str) -> str:
    return owner.rpartition(_OF)[2]


def people_of(owners: Iterable[str]) -> tuple[str, ...]:
    """The users among owners."""
    return tuple(sorted({person_of(owner) for owner in owners} - {""}))


class Job(BaseModel):
    """One row of the job table.

    owners: who asked, and when last (seconds since 1970) · people: users among those who asked; none: everyone's
    order: place in the line of waiting jobs
    attempt: how often it was begun since it was last whole, 2 or more when it was taken up again after its process died
    slot, run: which process has it, and the token of this run: whoever holds another token has lost the job
    updated: when the running process last renewed its lease, or when the job ended
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: str
    arguments: dict[str, Any]
    title: str
    subject: str = Field(default="", description="folder of the atlas it works on")
    owners: dict[str, float] = {}
    people: tuple[str, ...] = ()
    state: State = "waiting"
    label: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    log: str = ""
    result: dict[str, Any] | None = None
    cancel: bool = Field(default=False, description="someone wants it to stop")
    again: bool = Field(default=False, description="wanted again before it had stopped")
    order: int = 0
    attempt: int = 1
    slot: str = ""
    run: str = ""
    begun: float = Field(default=0.0, description="when a process took it last; 0: none has")
    created: float = 0.0
    updated: float = 0.0
    stage_begun: float = Field(default=0.0, description="when the stage of the label began, seconds since 1970")

    @property
    def active(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def fraction(self) -> float:
        """Share that is done: 0 … 1."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0

    @property
    def sentence(self) -> str:
        """Where it stands, for the reader of a page: one sentence."""
        if self.state == "failed":
            return f"{self.title} failed: {self.message}"
        if self.state == "cancelled":
            return f"{self.title} was stopped."
        if self.state == "lost":
            return f"{self.title} {LOST}"
        if self.state == "finished":
            return f"{self.title} is done."
        if self.state == "waiting":
            return f"{self.title}: {self.label}"
        if self.cancel:
            return f"{self.title}: stopping"
        again = ", taken up again" if self.attempt > 1 else ""
        return f"{self.title}{again}: {self.label}"

    @property
    def headline(self) -> str:
        """What the bar of every page says: the stage alone while all goes well, else a sentence."""
        plain = self.state == "running" and self.attempt == 1 and not self.cancel
        return self.label if plain else self.sentence

    @property
    def left(self) -> float | None:
        """Seconds until the present stage is done, if it goes on as it went; None while that cannot be said."""
        worked = self.updated - self.stage_begun
        if self.state != "running" or not self.stage_begun or worked < _FIRST_GUESS or not 0 < self.done < self.total:
            return None
        return worked * (self.total - self.done) / self.done

    def at(self, label: str, done: int, total: int) -> "Job":
        """Where its work stands now."""
        now = time.time()
        fresh = {} if label == self.label and self.stage_begun else {"stage_begun": now}
        return self.changed(label=label, done=done, total=total, updated=now, **fresh)

    def changed(self, **fields: Any) -> "Job":
        return self.model_copy(update=fields)


WAITING = "Waiting for its turn"
LOST = "ended unexpectedly; start it again: it goes on where it stopped."


def one_line(text: str) -> str:
    """Text without line breaks, short enough for a line of a page."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())  # file names may hold half a character
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
