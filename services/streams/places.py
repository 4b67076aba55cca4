"""Where the tokens of a stream stand: its queries and its keys, which may come from different token tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Places:
    """Tokens of one side, in any order: int [n] input and position in it; bool [n] which are global and which are
    special, None for none."""

    input: np.ndarray
    position: np.ndarray
    is_global: np.ndarray | None = None
    is_special: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.input)

    def __getitem__(self, rows: Any) -> "Places":
        """Some of the tokens: a slice, row numbers or a bool for each."""
        return Places(
            np.asarray(self.input)[rows],
            np.asarray(self.position)[rows],
            None if self.is_global is None else np.asarray(self.is_global)[rows],
            None if self.is_special is None else np.asarray(self.is_special)[rows],
        )

    def counts(self, inputs: int) -> np.ndarray:
        """int64 [inputs]: number of tokens of each input."""
        return np.bincount(self.input, minlength=inputs).astype(np.int64)
