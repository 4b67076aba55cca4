"""Plotly figures of the page "Scaling"."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

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


def colour_scale(theme: Theme) -> list[list[Any]]:
    """Plotly colour scale over log₁₀ c from −EXTENT to EXTENT."""
    stops = _DIVERGING[theme]
    return [[i / (len(stops) - 1), colour] for i, colour in enumerate(stops)]


def gradient(theme: Theme) -> str:
    """The same colours as a CSS gradient."""
    return f"linear-gradient(to right, {', '.join(_DIVERGING[theme])})"


def scale_heatmap(
    values: np.ndarray, reasons: dict[tuple[int, int], str], chosen: tuple[int, int], theme: Theme
) -> go.Figure:
    """The best c of every head (the study's Figure 1): values [layers, heads], NaN where not defined."""
    layers, heads = values.shape
    ink = _INK[theme]
    known = np.isfinite(values)
    logs = np.log10(values, where=known, out=np.full(values.shape, np.nan))
    texts = [[_short(value) if np.isfinite(value) else "" for value in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            z=[[float(v) if np.isfinite(v) else None for v in row] for row in logs],
            text=texts,
            customdata=[[_hover(values[i, j]) for j in range(heads)] for i in range(layers)],
            texttemplate="%{text}" if layers * heads <= 200 else None,
            textfont={"size": 10},
            hovertemplate="Layer %{y} · head %{x}<br>c = %{customdata}<extra></extra>",
            hoverongaps=False,
            zmin=-EXTENT,
            zmax=EXTENT,
            colorscale=colour_scale(theme),
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    rows, columns = np.nonzero(~known)
    if len(rows):
        figure.add_scatter(
            x=columns.tolist(),
            y=rows.tolist(),
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 1.5, "color": ink["muted"]}},
            customdata=[reasons.get((int(i), int(j)), "not defined") for i, j in zip(rows, columns, strict=True)],
            hovertemplate="Layer %{y} · head %{x}<br>not defined: %{customdata}<extra></extra>",
            showlegend=False,
        )
    layer, head = chosen
    figure.add_shape(
        type="rect",
        x0=head - 0.5,
        x1=head + 0.5,
        y0=layer - 0.5,
        y1=layer + 0.5,
        line={"color": ink["text"], "width": 3},
    )
    figure.update_layout(
        _layout(theme), height=max(120, 26 * layers + 52), plot_bgcolor=ink["grey"], hovermode="closest"
    )
    step = max(1, heads // 16)
    figure.update_xaxes(title="head", dtick=step, range=[-0.5, heads - 0.5], showgrid=False, zeroline=False, side="top")
    figure.update_yaxes(
        title="layer", dtick=max(1, layers // 12), range=[layers - 0.5, -0.5], showgrid=False, zeroline=False
    )
    return figure


def curves_figure(rows: list[dict[str, Any]], best: dict[str, float | None], metric: str, theme: Theme) -> go.Figure:
    """Each metric over c: correlations above, the scaled one below, with grid points and optima marked."""
    ink = _INK[theme]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.07)
    for name, label, row in (
        ("weighted", "weighted", 1),
        ("pearson", "Pearson", 1),
        ("spearman", "Spearman", 1),
        ("scaled", "weighted, scaled", 2),
    ):
        colours, dash, symbol = _LINES[name]
        # Spearman's is stored at the constants only
        line = [r for r in rows if r[name] is not None and (name == "spearman" or not r["on_grid"])]
        grid = [r for r in rows if r["on_grid"] and r[name] is not None]
        figure.add_scatter(
            x=[r["c"] for r in line],
            y=[r[name] for r in line],
            name=label,
            mode="lines",
            line={"color": colours[theme], "dash": dash, "width": 2},
            hovertemplate="%{y:.4g}",
            row=row,
            col=1,
        )
        figure.add_scatter(
            x=[r["c"] for r in grid],
            y=[r[name] for r in grid],
            mode="markers",
            marker={"color": colours[theme], "symbol": symbol, "size": 7},
            name=label,
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
    known = {name: c for name, c in best.items() if c is not None and np.isfinite(c) and c > 0}
    for place, (name, c) in enumerate(sorted(known.items(), key=lambda item: item[1])):
        colour = ink["text"] if name == metric else ink["muted"]
        figure.add_vline(x=c, line={"color": colour, "width": 2 if name == metric else 1, "dash": "dot"}, row=1, col=1)
        figure.add_annotation(
            x=float(np.log10(c)),  # annotations on a logarithmic axis take the exponent
            y=0.99 - 0.09 * place,
            yref="y domain",
            text=f"{_METRIC_SHORT[name]} {c:.3g}",
            font={"size": 10, "color": colour},
            showarrow=False,
            bgcolor=ink["ground"],
            borderpad=1,
            xanchor="left",
            yanchor="top",
            row=1,
            col=1,
        )
    figure.update_layout(_layout(theme), height=430, hovermode="x unified", legend=_legend(theme))
    figure.update_layout(margin={"l": 64, "r": 8, "t": 64, "b": 48})
    figure.update_xaxes(
        type="log", tickvals=list(CONSTANTS), gridcolor=ink["edge"], range=[-EXTENT - 0.03, EXTENT + 0.03]
    )
    figure.update_xaxes(title="c (queries × c, keys / c)", row=2, col=1)
    figure.update_yaxes(gridcolor=ink["edge"], zerolinecolor=ink["muted"])
    figure.update_yaxes(title="correlation", row=1, col=1)
    figure.update_yaxes(title="scaled", row=2, col=1)
    return figure


_METRIC_SHORT = {"weighted": "weighted", "scaled": "scaled", "norms": "norms", "pearson": "Pearson"}


def density_figure(before: Density, after: Density, c: float, distance: str, theme: Theme) -> go.Figure:
    """Distance against dot product before and after alignment (the paper's Figure 4), counts in logarithm."""
    ink = _INK[theme]
    figure = make_subplots(rows=1, cols=2, subplot_titles=("Before: c = 1", f"After: c = {c:.3g}"))
    most = max(1, int(before.counts.max()), int(after.counts.max()))
    ticks = [10**power for power in range(int(np.log10(most)) + 1)]
    for column, one in enumerate((before, after), start=1):
        logs = np.log10(one.counts, where=one.counts > 0, out=np.full(one.counts.shape, np.nan))
        middles = [(edges[1:] + edges[:-1]) / 2 for edges in (one.dot_edges, one.distance_edges)]
        figure.add_heatmap(
            x=middles[0],
            y=middles[1],
            z=logs.astype(np.float32),
            customdata=one.counts.astype(np.int32),
            coloraxis="coloraxis",
            hoverongaps=False,
            hovertemplate="q·k ≈ %{x:.3g}<br>distance ≈ %{y:.3g}<br>%{customdata:,} pairs<extra></extra>",
            row=1,
            col=column,
        )
    figure.update_layout(
        _layout(theme),
        height=380,
        coloraxis={
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
    )
    figure.update_layout(margin={"l": 56, "r": 8, "t": 44, "b": 44})
    figure.update_xaxes(title="dot product q·k", gridcolor=ink["edge"], zeroline=False)
    figure.update_yaxes(gridcolor=ink["edge"], zeroline=False)
    figure.update_yaxes(title=f"{distance} distance", row=1, col=1)
    figure.update_annotations(font={"size": 12, "color": ink["text"]})
    return figure


def empty_figure(theme: Theme, sentence: str) -> go.Figure:
    """A sentence where a figure cannot be drawn."""
    figure = go.Figure()
    figure.add_annotation(text=sentence, showarrow=False, font={"color": _INK[theme]["muted"]})
    figure.update_layout(_layout(theme), height=160)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def _layout(theme: Theme) -> dict[str, Any]:
    ink = _INK[theme]
    return {
        "template": "none",
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
