"""How tests wait for jobs and find the processes that run them."""

from contextlib import suppress

import psutil

from tests.patience import until


def ended(jobs, job):
    """The job once it has ended, as the dashboard sees it."""
    return until(lambda: (now := jobs.status(job.id)) and not now.active and now, job)


def processes(settings, kind=""):
    """The job processes of a home, or those of a kind."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            ours = "services.jobs.run" in line and process.status() != psutil.STATUS_ZOMBIE
            if ours and process.environ().get("ATLAS_HOME") == str(settings.home) and kind in ("", *line):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_all(settings):
    """End what a test has left running."""
    for process in processes(settings):
        with suppress(psutil.NoSuchProcess):  # it has ended by itself meanwhile
            process.kill()
