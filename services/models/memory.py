"""How much memory a model may take here, and whether an error says that it ran out."""

from pathlib import Path


def available_bytes() -> int | None:
    """Memory this process can still take, in bytes; None where the system does not tell (macOS, Windows).

    The smaller of what Linux calls available and what is left under a container's limit.
    """
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        cached = next(
            int(line.split()[1])
            for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines()
            if line.startswith("inactive_file ")
        )
        return min(free, max(limit - used + cached, 0))
    except (OSError, StopIteration, ValueError, IndexError):
        return free


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is Python's, torch's or the allocator's way to say that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and (
        "out of memory" in text or "can't allocate memory" in text or "cannot allocate memory" in text
    )


def readable(size: float) -> str:
    """`size` in bytes as text: "3.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
