"""`python -m services.jobs.run KIND NAME=VALUE …`: do a job here and now, in this terminal.

The dashboard starts the same program with a slot instead of values: it then takes waiting jobs of the kind from the
job table, one after another where the kind is warm.
"""

import argparse
import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the imports run: no traceback

# One BLAS thread a process, set before numpy is imported: several fight over the cores and take many times longer.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0, 2 after an error of the user's, 130 when stopped."""
    from services.errors import AtlasError, Cancelled
    from services.jobs.here import here
    from services.jobs.registry import KINDS, job_kind
    from services.jobs.slots import adopt
    from services.jobs.spec import JobSpec
    from services.jobs.worker import Worker
    from services.settings import load_settings

    cli = argparse.ArgumentParser(prog="python -m services.jobs.run", description=__doc__)
    cli.add_argument("kind", help=", ".join(kind.name for kind in KINDS))
    cli.add_argument("values", nargs="*", metavar="NAME=VALUE", help="arguments of the job")
    cli.add_argument("--slot", help=argparse.SUPPRESS)
    cli.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    options = cli.parse_args(arguments)
    try:
        settings = load_settings()
        settings.make_folders()
        kind = job_kind(options.kind)
        if options.slot is not None:
            Worker(settings, kind, adopt(options.slot, options.lock)).work()
            return 0
        spec = JobSpec.of(kind.name, kind.read(_pairs(options.values)), "terminal")
        with here(settings, spec) as running:
            running.result = kind.run(kind.read(spec.arguments), running)
    except (Cancelled, KeyboardInterrupt):
        print("Stopped.", file=sys.stderr)
        return 130
    except AtlasError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


def _pairs(values: list[str]) -> dict[str, str]:
    """
    Raises:
        JobError: one is not NAME=VALUE.
    """
    from services.errors import JobError

    wrong = next((value for value in values if "=" not in value), None)
    if wrong is not None:
        raise JobError(f"{wrong!r} is not NAME=VALUE; see python -m services.jobs.run --help.")
    return dict(value.split("=", 1) for value in values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
