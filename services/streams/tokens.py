"""The tokens of a stream with its mask: what every comparison of queries with keys starts from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.streams.key_runs import KeyRuns
from services.streams.mask import StreamMask
from services.streams.places import Places


@dataclass(frozen=True, eq=False)
class StreamTokens:
    """The tokens of a stream, and who of them may attend to whom."""

    mask: StreamMask
    queries: Places
    keys: Places

    def some(self, queries: Any = slice(None), keys: Any = slice(None)) -> "StreamTokens":
        """Only some queries and keys; see `Places`."""
        return StreamTokens(self.mask, self.queries[queries], self.keys[keys])

    def runs_within_inputs(self) -> KeyRuns:
        """See `StreamMask.runs_within_inputs`."""
        return self.mask.runs_within_inputs(self.queries, self.keys)

    def runs_by_position(self) -> KeyRuns:
        """See `StreamMask.runs_by_position`."""
        return self.mask.runs_by_position(self.queries, self.keys)

    def hidden(self) -> np.ndarray | None:
        """See `StreamMask.hidden`."""
        return self.mask.hidden(self.queries, self.keys)
