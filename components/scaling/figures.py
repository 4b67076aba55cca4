"""Plotly figures of the page "Scaling", as plain data.

Not as objects of plotly.py: they check every property while they are made, which takes 23 to 90 ms a figure where the
data take one, and a page of this kind draws six. That Plotly would accept them is checked in the tests.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.palettes import Theme
from services.alignment.comparison import Density
from services.alignment.scale_metrics import CONSTANTS

CONFIG = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "displayModeBar": False}
# Diverging around c = 1 and safe for colour-blind readers: purple below, orange above (ColorBrewer's PuOr).
_DIVERGING: dict[Theme, list[str]] = {
    "light": ["#3f1b74", "#7a64ad", "#b9b1d6", "#f4f3f1", "#f6c07f", "#d27c1a", "#7f3b08"],
    "dark": ["#c3b3ff", "#8a76cf", "#4f4486", "#29313a", "#84501c", "#cf8630", "#ffd08a"],
}
_COUNTS: dict[Theme, list[str]] = {  # from the page's ground to its text: dark is many in light, bright in dark
    "light": ["#e8eef5", "#a9c8e6", "#5a9fd4", "#1f6fb4", "#0b2f66"],
    "dark": ["#1b2734", "#23466b", "#3577b5", "#62b0ff", "#d3ebff"],
}
_INK: dict[Theme, dict[str, str]] = {
    "light": {"text": "#16202b", "muted": "#55616e", "edge": "#dfe3e8", "grey": "#c9ced4", "ground": "#f6f7f9"},
    "dark": {"text": "#e8edf2", "muted": "#9fadba", "edge": "#2a3541", "grey": "#4a5663", "ground": "#0e1319"},
}
# Okabe & Ito's hues, told apart by dashes and markers as well.
_LINES: dict[str, tuple[dict[Theme, str], str, str]] = {
    "weighted": ({"light": "#0072b2", "dark": "#56b4e9"}, "solid", "circle"),
    "pearson": ({"light": "#b84d10", "dark": "#ff9d5c"}, "dash", "square"),
    "spearman": ({"light": "#00795c", "dark": "#3fd0a8"}, "dot", "diamond"),
    "scaled": ({"light": "#0072b2", "dark": "#56b4e9"}, "solid", "circle"),
}
EXTENT = float(np.log10(CONSTANTS[-1]))
Figure = dict[str, Any]
_SCALED_HEIGHT = 0.3  # of the curves' figure: the part below, of the scaled metric


def colour_scale(theme: Theme) -> list[list[Any]]:
    """Plotly colour scale over log₁₀ c from −EXTENT to EXTENT."""
    stops = _DIVERGING[theme]
    return [[i / (len(stops) - 1), colour] for i, colour in enumerate(stops)]


def gradient(theme: Theme) -> str:
    """The same colours as a CSS gradient."""
    return f"linear-gradient(to right, {', '.join(_DIVERGING[theme])})"


def scale_heatmap(
    values: np.ndarray,
    reasons: dict[tuple[int, int], str],
    chosen: tuple[int, int],
    theme: Theme,
    numbers: Sequence[int] = (),
) -> Figure:
    """The best c of every head (the study's Figure 1): values [layers, heads], NaN where not defined.

    numbers: the model's numbers of its layers, where these are not the rows
    """
    layers, heads = values.shape
    ink = _INK[theme]
    known = np.isfinite(values)
    logs = np.log10(values, where=known, out=np.full(values.shape, np.nan))
    data: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "z": [[float(v) if np.isfinite(v) else None for v in row] for row in logs],
            "text": [[_short(value) if np.isfinite(value) else "" for value in row] for row in values],
            "customdata": [[_hover(values[i, j]) for j in range(heads)] for i in range(layers)],
            "texttemplate": "%{text}" if layers * heads <= 200 else None,
            "textfont": {"size": 10},
            "hovertemplate": "Layer %{y} · head %{x}<br>c = %{customdata}<extra></extra>",
            "hoverongaps": False,
            "zmin": -EXTENT,
            "zmax": EXTENT,
            "colorscale": colour_scale(theme),
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
        }
    ]
    rows, columns = np.nonzero(~known)
    if len(rows):
        whys = [reasons.get((int(i), int(j)), "not defined") for i, j in zip(rows, columns, strict=True)]
        data.append(
            {
                "type": "scatter",
                "x": columns.tolist(),
                "y": rows.tolist(),
                "mode": "markers",
                "marker": {"symbol": "x-thin", "size": 9, "line": {"width": 1.5, "color": ink["muted"]}},
                "customdata": whys,
                "hovertemplate": "Layer %{y} · head %{x}<br>not defined: %{customdata}<extra></extra>",
                "showlegend": False,
            }
        )
    if numbers:  # %{y} is the row, whatever the ticks say
        data = [_renumbered(trace, numbers) for trace in data]
    layer, head = chosen
    frame = {"type": "rect", "x0": head - 0.5, "x1": head + 0.5, "y0": layer - 0.5, "y1": layer + 0.5}
    bare = {"showgrid": False, "zeroline": False}
    layout = {
        **_layout(theme),
        "height": max(120, 26 * layers + 52),
        "plot_bgcolor": ink["grey"],
        "hovermode": "closest",
        "shapes": [{**frame, "line": {"color": ink["text"], "width": 3}}],
        "xaxis": {
            **bare,
            "title": {"text": "head"},
            "dtick": max(1, heads // 16),
            "range": [-0.5, heads - 0.5],
            "side": "top",
        },
        "yaxis": {
            **bare,
            "title": {"text": "layer"},
            **({"tickvals": list(range(layers)), "ticktext": list(map(str, numbers))} if numbers else {}),
            "dtick": max(1, layers // 12),
            "range": [layers - 0.5, -0.5],
        },
    }
    return {"data": data, "layout": layout}


def _renumbered(trace: dict[str, Any], numbers: Sequence[int]) -> dict[str, Any]:
    """A trace whose hovers name layers as the model counts them."""
    template = trace["hovertemplate"].replace("%{customdata}", "%{customdata[1]}").replace("%{y}", "%{customdata[0]}")
    if trace["type"] == "heatmap":
        pairs = [[[numbers[row], one] for one in some] for row, some in enumerate(trace["customdata"])]
        return {**trace, "customdata": pairs, "hovertemplate": template}
    pairs = [[numbers[row], one] for row, one in zip(trace["y"], trace["customdata"], strict=True)]
    return {**trace, "customdata": pairs, "hovertemplate": template}


def curves_figure(rows: list[dict[str, Any]], best: dict[str, float | None], metric: str, theme: Theme) -> Figure:
    """Each metric over c: correlations above, the scaled one below, with grid points and optima marked."""
    ink = _INK[theme]
    data: list[dict[str, Any]] = []
    for name, label, axis in (
        ("weighted", "weighted", "y"),
        ("pearson", "Pearson", "y"),
        ("spearman", "Spearman", "y"),
        ("scaled", "weighted, scaled", "y2"),
    ):
        colours, dash, symbol = _LINES[name]
        # Spearman's is stored at the constants only
        line = [r for r in rows if r[name] is not None and (name == "spearman" or not r["on_grid"])]
        grid = [r for r in rows if r["on_grid"] and r[name] is not None]
        common = {"type": "scatter", "name": label, "xaxis": "x", "yaxis": axis}
        data.append(
            {
                **common,
                "x": [r["c"] for r in line],
                "y": [r[name] for r in line],
                "mode": "lines",
                "line": {"color": colours[theme], "dash": dash, "width": 2},
                "hovertemplate": "%{y:.4g}",
            }
        )
        data.append(
            {
                **common,
                "x": [r["c"] for r in grid],
                "y": [r[name] for r in grid],
                "mode": "markers",
                "marker": {"color": colours[theme], "symbol": symbol, "size": 7},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    known = {name: c for name, c in best.items() if c is not None and np.isfinite(c) and c > 0}
    shapes, annotations = [], []
    for place, (name, c) in enumerate(sorted(known.items(), key=lambda item: item[1])):
        colour = ink["text"] if name == metric else ink["muted"]
        line_style = {"color": colour, "width": 2 if name == metric else 1, "dash": "dot"}
        upright = {"type": "line", "x0": c, "x1": c, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
        shapes.append({**upright, "line": line_style})
        annotations.append(
            {
                "x": float(np.log10(c)),  # annotations on a logarithmic axis take the exponent
                "y": 0.99 - 0.09 * place,
                "xref": "x",
                "yref": "y domain",
                "text": f"{_METRIC_SHORT[name]} {c:.3g}",
                "font": {"size": 10, "color": colour},
                "showarrow": False,
                "bgcolor": ink["ground"],
                "borderpad": 1,
                "xanchor": "left",
                "yanchor": "top",
            }
        )
    grid_lines = {"gridcolor": ink["edge"], "zerolinecolor": ink["muted"]}
    layout = {
        **_layout(theme),
        "height": 430,
        "hovermode": "x unified",
        "legend": _legend(theme),
        "margin": {"l": 64, "r": 8, "t": 64, "b": 48},
        "shapes": shapes,
        "annotations": annotations,
        "xaxis": {  # one axis for both, below the lower: the readings beside the pointer are of all lines at that c
            "type": "log",
            "tickvals": list(CONSTANTS),
            "gridcolor": ink["edge"],
            "range": [-EXTENT - 0.03, EXTENT + 0.03],
            "title": {"text": "c (queries × c, keys / c)"},
            "anchor": "y2",
        },
        "yaxis": {**grid_lines, "title": {"text": "correlation"}, "domain": [_SCALED_HEIGHT + 0.07, 1]},
        "yaxis2": {**grid_lines, "title": {"text": "scaled"}, "domain": [0, _SCALED_HEIGHT]},
    }
    return {"data": data, "layout": layout}


_METRIC_SHORT = {"weighted": "weighted", "scaled": "scaled", "norms": "norms", "pearson": "Pearson"}


def density_figure(before: Density, after: Density, c: float, distance: str, theme: Theme) -> Figure:
    """Distance against dot product before and after alignment (the paper's Figure 4), counts in logarithm."""
    ink = _INK[theme]
    most = max(1, int(before.counts.max()), int(after.counts.max()))
    ticks = [10**power for power in range(int(np.log10(most)) + 1)]
    data, titles = [], []
    for one, number, title in ((before, "", "Before: c = 1"), (after, "2", f"After: c = {c:.3g}")):
        logs = np.log10(one.counts, where=one.counts > 0, out=np.full(one.counts.shape, np.nan))
        data.append(
            {
                "type": "heatmap",
                "x": (one.dot_edges[1:] + one.dot_edges[:-1]) / 2,
                "y": (one.distance_edges[1:] + one.distance_edges[:-1]) / 2,
                "z": logs.astype(np.float32),
                "customdata": one.counts.astype(np.int32),
                "coloraxis": "coloraxis",
                "hoverongaps": False,
                "hovertemplate": "q·k ≈ %{x:.3g}<br>distance ≈ %{y:.3g}<br>%{customdata:,} pairs<extra></extra>",
                "xaxis": f"x{number}",
                "yaxis": f"y{number}",
            }
        )
        middle = {"x": 0.5, "y": 1, "xref": f"x{number} domain", "yref": f"y{number} domain"}
        style = {"showarrow": False, "xanchor": "center", "yanchor": "bottom"}
        titles.append({**middle, **style, "text": title, "font": {"size": 12, "color": ink["text"]}})
    plain = {"gridcolor": ink["edge"], "zeroline": False}
    across = {**plain, "title": {"text": "dot product q·k"}}
    layout = {
        **_layout(theme),
        "height": 380,
        "margin": {"l": 56, "r": 8, "t": 44, "b": 44},
        "annotations": titles,
        "xaxis": {**across, "anchor": "y", "domain": [0, 0.45]},
        "xaxis2": {**across, "anchor": "y2", "domain": [0.55, 1]},
        "yaxis": {**plain, "anchor": "x", "title": {"text": f"{distance} distance"}},
        "yaxis2": {**plain, "anchor": "x2"},
        "coloraxis": {
            "colorscale": [[i / 4, colour] for i, colour in enumerate(_COUNTS[theme])],
            "cmin": 0,
            "cmax": max(1e-9, float(np.log10(most))),
            "colorbar": {
                "title": {"text": "pairs", "side": "top"},
                "tickvals": [float(np.log10(t)) for t in ticks],
                "ticktext": [f"{t:,}" for t in ticks],
                "thickness": 10,
                "len": 0.9,
            },
        },
    }
    return {"data": data, "layout": layout}


def empty_figure(theme: Theme, sentence: str) -> Figure:
    """A sentence where a figure cannot be drawn."""
    words = {"text": sentence, "showarrow": False, "font": {"color": _INK[theme]["muted"]}}
    hidden = {"visible": False}
    layout = {**_layout(theme), "height": 160, "annotations": [words], "xaxis": hidden, "yaxis": hidden}
    return {"data": [], "layout": layout}


def _layout(theme: Theme) -> dict[str, Any]:
    ink = _INK[theme]
    return {
        "template": {},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, system-ui, sans-serif", "size": 11, "color": ink["text"]},
        "margin": {"l": 44, "r": 8, "t": 40, "b": 8},
        "hoverlabel": {"font": {"family": "Inter, system-ui, sans-serif"}},
        "uirevision": "keep",
        "dragmode": False,
    }


def _legend(theme: Theme) -> dict[str, Any]:
    return {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"color": _INK[theme]["text"]}}


def _short(value: float) -> str:
    return f"{value:.2g}".replace("0.", ".", 1) if value < 1 else f"{value:.3g}"


def _hover(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else ""
