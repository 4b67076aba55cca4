"""How many processor cores this process may keep busy."""

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of work in so many


def cores() -> int:
    """Cores of the machine that this process may run on, or the whole ones of a container's share if that is less.

    At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text().split()
        return max(1, min(count, int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # "max": no share is set
        return count
