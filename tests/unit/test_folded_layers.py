"""Layers that are folded away, as a link names them."""

from types import SimpleNamespace

import pytest

from services.errors import SearchError
from services.search.folded_layers import MOST_TEXT, rows


def stream(layers: int, numbers: list[int] | None = None) -> SimpleNamespace:
    known = {number: row for row, number in enumerate(numbers or range(layers))}
    return SimpleNamespace(layers=layers, row=known.get)


def test_runs_and_single_layers_are_rows():
    assert rows("0-2_4", stream(6)) == [0, 1, 2, 4]
    assert rows("4_0-2_1", stream(6)) == [0, 1, 2, 4]


def test_layers_are_named_as_the_model_counts_them():
    assert rows("7-11", stream(3, [3, 7, 11])) == [1, 2]


@pytest.mark.parametrize(
    "text", ["", "x", "6", "0-6", "3-1", "1.5", "-1", "0__1", "0-5", "0-2_3-5", "٣", "0_" * MOST_TEXT + "0"]
)
def test_what_names_no_layers_or_all_of_them_is_said(text):
    with pytest.raises(SearchError, match=r"\w"):
        rows(text, stream(6))
