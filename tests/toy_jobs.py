"""Small kinds of jobs for tests of the machinery, known to the processes that it starts as well.

Each writes a line into `<folder>/began` when it begins and into `<folder>/ended` when it has done its work.
"""

import os
import sys
import time
from pathlib import Path

from services.errors import BuildError, Cancelled
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running

ROOT = Path(__file__).parents[1]
HOOK = """
import services.jobs.registry as registry
from tests.toy_jobs import TOYS
registry.KINDS += TOYS
"""


class Toy(Arguments):
    """name: tells jobs apart · steps: so many pauses of `seconds`, resumed after the last whole one
    hold: it waits until this file is there, before it begins or, with `after`, when so many steps are done
    """

    folder: str
    name: str = "one"
    steps: int = 1
    seconds: float = 0.0
    fail: str = ""
    hold: str = ""
    after: int = 0


def note(folder: str, file: str, text: str) -> None:
    with (Path(folder) / file).open("a") as log:
        log.write(f"{text}\n")


def noted(folder: Path, file: str) -> list[str]:
    path = folder / file
    return path.read_text().splitlines() if path.exists() else []


def fill(file: Path) -> None:
    """Write until the disk is full; what was written is gone when the error is heard of."""
    try:
        with file.open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
    finally:
        file.unlink()


def work(toy: Toy, running: Running) -> dict:
    journal = Path(toy.folder) / f"{toy.name}.journal"
    done = int(journal.read_text()) if journal.exists() else 0
    note(toy.folder, "began", f"{toy.name} {done} {os.getpid()}")
    print(f"{toy.name} begins")
    if toy.fail == "said":
        raise BuildError("This toy\nis broken.")
    if toy.fail == "unsaid":
        raise ZeroDivisionError("a fault")
    if toy.fail == "full":
        fill(Path(toy.folder) / "ballast")
    if toy.fail == "deaf":
        time.sleep(600)
    for step in range(done, toy.steps):
        while toy.hold and step >= toy.after and not (Path(toy.folder) / toy.hold).exists():
            time.sleep(0.02)
            running.check()
        time.sleep(toy.seconds)
        note(toy.folder, "steps", f"{toy.name} {step}")
        journal.write_text(str(step + 1))
        if running.report(f"Step {step + 1}", step + 1, toy.steps):
            raise Cancelled("told to stop")
    note(toy.folder, "ended", toy.name)
    return {"steps": toy.steps}


def _kind(name: str, **choices) -> JobKind:
    return JobKind(name=name, arguments=Toy, title=lambda toy: f"Toy {toy.name}", run=work, **choices)


TOYS = (
    _kind("toy", subject=lambda toy: toy.name),
    _kind("pair", limit=2),
    _kind("heavy", for_gpu=True),
    _kind("warm", warm=60.0, forgotten=5.0, kept=False, announced=False, most_waiting=4),
)


def know_toys(monkeypatch, folder: Path) -> None:
    """Add the kinds to the registry of this process and of those that it starts."""
    from services.jobs import registry

    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setattr(registry, "KINDS", registry.KINDS + TOYS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
    monkeypatch.delitem(sys.modules, "sitecustomize", raising=False)
