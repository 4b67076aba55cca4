"""The one command: `python app.py` serves the dashboard; `python app.py --help` shows what else it does."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the imports run: no traceback

# One BLAS thread a process, set before numpy is imported: several fight over the cores and take many times longer.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Tables come from the C library's memory, which goes back: Arrow's own pool keeps 80 MB of a server for good.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

if TYPE_CHECKING:
    from dash import Dash

    from services.jobs.backend import Backend
    from services.settings import Settings


def create_app(settings: "Settings", jobs: "Backend | None" = None) -> "Dash":
    """Make the dashboard for one home folder; Dash is imported here, so that the other commands start without it.

    jobs: who runs its jobs; None: this machine.

    Raises:
        AtlasError: the home folder cannot be used.
    """
    from components.server.application import create_app as make

    return make(settings, jobs)


def static_atlas() -> Any:
    """The module that makes an atlas a static page, imported for `export` alone."""
    from components import static_atlas as module

    return module


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code: 0, 2 after an error of the user's, 130 when stopped."""
    from services.commands.line import run

    return run(arguments, create_app, static_atlas)


def command() -> int:
    """The console script `attention-atlas`."""
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(command())
