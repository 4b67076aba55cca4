"""Asking again while something runs: each answer allows one more question, so that a slow server is asked no faster
than it answers.

An Interval that merely ticks would drown it: Dash drops an answer when the same was asked again meanwhile. When a
question fails, assets/06-jobs.js lets the Interval tick until one is answered.
"""

from typing import Any

from dash import Output, dcc

REST = 0  # ask no more


def poll(id: str, every: int, on: bool = False) -> dcc.Interval:
    """An Interval of so many milliseconds, at rest unless `on`."""
    return dcc.Interval(id=id, interval=every, max_intervals=1 if on else REST)


def asks(id: str) -> Output:
    """Where a callback says whether to ask again: `again(n_intervals)` or REST."""
    return Output(id, "max_intervals")


def again(ticks: Any) -> int:
    """Ask once more."""
    return ticks + 1 if isinstance(ticks, int) and 0 <= ticks < 2**31 else 1
