"""Who does the layouts: processes of this machine, or a Dask cluster that shares its disk."""

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib

from services.errors import BuildError
from services.models.device import CPU

_PATIENCE = 30  # seconds to wait for a scheduler and its first worker


@dataclass(frozen=True)
class Workers:
    """How many processes, on which device, and on which Dask scheduler if not on this machine."""

    jobs: int = 1
    device: str = CPU
    dask: str | None = None

    @property
    def engine(self) -> str:
        """The engine of layouts for which none was named: on a GPU its own, on processors the compiled one."""
        return "fast" if self.device == CPU or self.dask else "torch"

    @property
    def builder(self) -> int | None:
        """The process whose end the workers follow; workers of a cluster follow nobody's."""
        return None if self.dask else os.getpid()

    @contextmanager
    def results(self, units: Iterable[Any], engine: str = "fast", *, alone: bool = False) -> Iterator[Iterator[Any]]:
        """The results of joblib's delayed calls as they come; to leave early cancels what is under way.

        Args:
            alone: in this process.

        Raises:
            BuildError: the Dask scheduler cannot be reached, or Dask is not installed.
        """
        if self.dask is None or alone:
            # the torch engine lays out a whole layer at once and wants the device for itself
            jobs = 1 if engine == "torch" or alone else self.jobs
            with (
                joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1),
                _results(units) as results,
            ):
                yield results
            return
        try:
            from distributed import Client
        except ImportError as error:
            raise BuildError("--dask-scheduler needs Dask: pip install 'dask[distributed]'.") from error
        try:
            client = Client(self.dask, timeout=_PATIENCE)
        except (OSError, TimeoutError, ValueError) as error:
            raise BuildError(f"No Dask scheduler answers at {self.dask} ({error}); check --dask-scheduler.") from error
        with (
            client,
            joblib.parallel_config(backend="dask", wait_for_workers_timeout=_PATIENCE),
            _results(units) as results,
        ):
            yield results


@contextmanager
def _results(units: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """The results of joblib's workers of the present configuration."""
    # loky replaces a worker whose memory has grown: nothing that a reader of the terminal must know
    warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
    results = joblib.Parallel(return_as="generator_unordered")(units)
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            # a stop is no mistake: whoever pressed Ctrl-C needs no advice on smaller inputs
            warnings.filterwarnings("ignore", category=UserWarning, module=r"joblib\.parallel")
            results.close()
