"""Where models run and heads are laid out: the processor, or a GPU of this machine. torch is imported when asked."""

import re
import subprocess
import sys
from pathlib import Path

from services.errors import BuildError
from services.models.memory import is_out_of_memory

AUTO, CPU = "auto", "cpu"
# Without one of these there is no GPU for PyTorch, which takes seconds to be asked.
_SIGNS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
_OF_A_GPU = re.compile(r"CUDA|HIP|cublas|cudnn", re.IGNORECASE)
_ROOT = Path(__file__).parents[2]
_PATIENCE = 120  # seconds in which PyTorch has to say


def chosen(choice: str) -> str:
    """The device that ATLAS_DEVICE means here: `cpu`, `cuda` or one of several.

    Raises:
        BuildError: it names a GPU, and PyTorch finds none.
    """
    if _is_cpu(choice):
        return CPU
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if choice == AUTO:
        return "cuda" if found else CPU
    if found <= int(choice.partition(":")[2] or 0):
        here = f"finds {found} of them" if found else "finds no GPU"
        raise BuildError(
            f"ATLAS_DEVICE is {choice}, and PyTorch {torch.__version__} {here} here:"
            " set it to cpu or auto, or install a PyTorch for the GPU (docs/server.md)."
        )
    return choice


def device_name(device: str) -> str:
    """A device as provenance and pages call it: "NVIDIA H100 80GB HBM3"; "" for the processor."""
    if device == CPU:
        return ""
    import torch

    one = torch.device(device)
    return str(torch.cuda.get_device_name(one)) if one.type == "cuda" else device


def gpu_here(choice: str) -> str:
    """Name of the GPU that builds take here, "" when they take the processor; asked in a process of its own.

    Raises:
        BuildError: as `chosen`.
    """
    if _is_cpu(choice):
        return ""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "services.models.device", choice],
            cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"ATLAS_DEVICE is {choice}, and PyTorch does not say what is here ({error}).") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no word of it"])[-1]
        raise BuildError(reason if done.returncode == 2 else f"PyTorch cannot be asked for a GPU ({reason[:200]}).")
    return done.stdout.strip()


def told(error: RuntimeError, device: str) -> BuildError | None:
    """What an error of a GPU means, in one sentence; None for one that is not a GPU's."""
    text = " ".join(str(error).split())
    otherwise = "let the processor build it (ATLAS_DEVICE=cpu, in a terminal --device cpu)."
    if device == CPU or not _OF_A_GPU.search(text):
        return None
    if is_out_of_memory(error):
        return BuildError(
            f"The GPU ({device}) has too little memory free: take fewer inputs or a smaller model, or {otherwise}"
        )
    return BuildError(
        f"The GPU ({device}) failed ({text[:120]}): start it again, it goes on where it stopped; or {otherwise}"
    )


def _is_cpu(choice: str) -> bool:
    """Whether that is known without PyTorch."""
    return choice == CPU or (choice == AUTO and not any(Path(sign).exists() for sign in _SIGNS))


if __name__ == "__main__":
    try:
        print(device_name(chosen(sys.argv[1])))
    except BuildError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
