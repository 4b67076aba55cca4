"""The figures of the page "Scaling" are plain data: they must be what Plotly reads."""

import numpy as np
import plotly.graph_objects as go
import pytest

from components.scaling.figures import curves_figure, density_figure, empty_figure, scale_heatmap
from services.alignment.comparison import Density

METRICS = ("weighted", "scaled", "norms", "pearson")


def heatmap(theme):
    values = np.array([[0.5, 1.0, np.nan], [2.0, 4.0, 0.25]])
    return scale_heatmap(values, {(0, 2): "one key"}, (1, 0), theme)


def curves(theme):
    rows = [
        {"c": c, "on_grid": i % 2 == 0, "weighted": -0.1 * i, "pearson": None, "spearman": -0.2, "scaled": 0.5}
        for i, c in enumerate((0.5, 1.0, 2.0))
    ]
    return curves_figure(rows, dict.fromkeys(METRICS, 1.5), "weighted", theme)


def density(theme):
    counts = np.arange(16).reshape(4, 4)
    one = Density(counts, np.linspace(0, 2, 5), np.linspace(-1, 1, 5), int(counts.sum()), -0.5, -0.4, None)
    return density_figure(one, one, 0.7, "cosine", theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("draw", [heatmap, curves, density, lambda theme: empty_figure(theme, "Nothing yet.")])
def test_plotly_accepts_every_property_and_value_of_a_figure(draw, theme):
    figure = draw(theme)
    checked = go.Figure(figure, skip_invalid=False)
    assert len(checked.data) == len(figure["data"])


def test_a_head_that_is_not_defined_is_marked_with_its_reason_and_the_chosen_one_framed():
    figure = heatmap("light")
    cells, marks = figure["data"]
    assert cells["z"][0] == [pytest.approx(np.log10(0.5)), 0.0, None]
    assert (marks["x"], marks["y"], marks["customdata"]) == ([2], [0], ["one key"])
    frame = figure["layout"]["shapes"][0]
    assert (frame["x0"], frame["y0"]) == (-0.5, 0.5)


def test_an_empty_bin_of_the_density_has_no_colour_and_a_full_one_its_logarithm():
    before = density("light")["data"][0]
    assert np.isnan(before["z"][0, 0])
    assert before["z"][3, 3] == pytest.approx(np.log10(15))
    assert (before["x"][0], before["y"][0]) == (-0.75, 0.25)
