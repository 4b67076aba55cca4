"""What happens on the page "Scaling"."""

from typing import Any

import numpy as np
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, html, no_update

from components import ids
from components.catalogue import scene_colour
from components.palettes import Theme
from components.scaling.figures import curves_figure, density_figure, empty_figure, gradient, scale_heatmap
from components.scaling.view import common_attributes
from components.server.context import context
from components.state.links import mirror_in_address, open_other_atlas
from components.state.scaling_page import ScalingState
from services.alignment.comparison import Density, density
from services.alignment.head_maps import ConstantMaps
from services.alignment.live import LEAST_C, MOST_C, LiveAlignment, own_scales
from services.alignment.scale_metrics import CONSTANTS, METRIC_LABELS, METRICS
from services.alignment.study import curves, scales
from services.alignment.variants import OWN
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.registry import PLAIN
from services.projection import method_label

Found = tuple[Atlas, StreamInfo, ScalingState]


def find(data: Any) -> Found | None:
    """Atlas, stream and the nearest valid state of what a browser posted; None when the atlas is gone."""
    state = ScalingState.from_store(data)
    atlas = context().library.get(state.atlas)
    if atlas is None:
        return None
    state, stream = state.within(atlas)
    return atlas, stream, state


def shade(theme: Any) -> Theme:
    return "dark" if theme == "dark" else "light"


def best_c(atlas: Atlas, stream: StreamInfo, state: ScalingState) -> float:
    """The best c of the head by the chosen metric; the atlas's own where it is not defined."""
    study = scales(atlas, stream)
    c = study[state.metric]["best"][state.layer, state.head] if study else np.nan
    if not np.isfinite(c):
        c = own_scales(atlas, stream)[state.layer, state.head]
    return round(float(np.clip(c, LEAST_C, MOST_C)), 4)


def chosen_constant(atlas: Atlas, stream: StreamInfo, state: ScalingState) -> float | None:
    """The constant of the grid that the metric chooses for the head."""
    study = scales(atlas, stream)
    c = study[state.metric]["grid"][state.layer, state.head] if study else np.nan
    return float(c) if np.isfinite(c) else None


@callback(
    *[Output(ids.scaling_map(metric), "figure") for metric in METRICS],
    *[Output(f"{ids.SCALING_IN_USE}-{metric}", "children") for metric in METRICS],
    Output(ids.SCALING_BAR, "style"),
    Input(ids.SCALING_STATE, "data"),
    Input(ids.THEME, "data"),
)
def draw_best(data: Any, theme: Any) -> tuple[Any, ...]:
    """The study's Figure 1: one heatmap a metric."""
    found = find(data)
    bar = {"background": gradient(shade(theme))}
    study = scales(found[0], found[1]) if found else None
    if found is None or study is None:
        return (*[no_update] * (2 * len(METRICS)), bar)
    atlas, stream, state = found
    figures = [
        scale_heatmap(
            study[metric][state.values],
            study[metric]["reasons"],
            (state.layer, state.head),
            shade(theme),
            stream.layer_numbers,
        )
        for metric in METRICS
    ]
    shown = atlas.info.alignment.scale if state.scale == OWN else state.scale
    marks = ["the atlas is scaled by this" if metric == shown else "" for metric in METRICS]
    return (*figures, *marks, bar)


@callback(
    Output(ids.SCALING_SCENE, "cellTitles"),
    Output(ids.SCALING_SCENE, "markedCells"),
    Input(ids.SCALING_STATE, "data"),
)
def name_constants(data: Any) -> tuple[Any, Any]:
    """Titles of the small maps; the chosen ones framed."""
    found = find(data)
    if found is None:
        return no_update, no_update
    best, chosen = best_c(*found), chosen_constant(*found)
    titles = [f"c = {c:g} · chosen" if c == chosen else f"c = {c:g}" for c in CONSTANTS]
    known = chosen is not None
    titles.append(f"c = {best:.3g} · best anywhere" if known else f"c = {best:.3g} · the atlas's own")
    marked = [CONSTANTS.index(chosen)] if chosen in CONSTANTS else []
    return titles, marked


def constants_projection(atlas: Atlas, stream: StreamInfo, state: ScalingState, method: str) -> dict[str, Any]:
    """The scene's `projection` of the small maps."""
    maps = ConstantMaps(method, state.layer, state.head, best_c(atlas, stream, state))
    key = maps.key(atlas, stream)
    return {"name": maps.name, "key": key, "method": method, "dims": 2, "label": method_label(method)}


@callback(
    Output(ids.SCALING_CURVES, "figure"),
    Output(ids.SCALING_CURVES_NOTE, "children"),
    Input(ids.SCALING_STATE, "data"),
    Input(ids.THEME, "data"),
)
def draw_curves(data: Any, theme: Any) -> tuple[Any, Any]:
    """Each metric over c."""
    found = find(data)
    if found is None:
        return no_update, no_update
    atlas, stream, state = found
    rows, study = curves(atlas, stream, state.layer, state.head), scales(atlas, stream)
    if not rows or study is None:
        return empty_figure(shade(theme), "This atlas has no study yet."), None
    cell = state.layer, state.head
    best: dict[str, float | None] = {metric: float(study[metric]["best"][cell]) for metric in METRICS}
    reasons = [
        f"{METRIC_LABELS[metric]} is not defined: {study[metric]['reasons'][cell]}."
        for metric in METRICS
        if cell in study[metric]["reasons"]
    ]
    return curves_figure(rows, best, state.metric, shade(theme)), [html.P(reason) for reason in reasons]


@callback(
    Output(ids.SCALING_DENSITY, "figure"),
    Output(ids.SCALING_DENSITY_TABLE, "children"),
    Input(ids.SCALING_STATE, "data"),
    Input(ids.THEME, "data"),
)
def draw_density(data: Any, theme: Any) -> tuple[Any, Any]:
    """The paper's Figure 4, before and after."""
    found = find(data)
    if found is None:
        return no_update, no_update
    atlas, stream, state = found
    c = best_c(atlas, stream, state) if state.values == "best" else chosen_constant(atlas, stream, state)
    c = c or best_c(atlas, stream, state)
    before, after = (
        density(atlas, stream, state.layer, state.head, LiveAlignment(scale, translate, state.distance), state.pairs)
        for scale, translate in ((1.0, False), (c, True))
    )
    if before.pairs < 3:
        return empty_figure(shade(theme), f"Not defined: {before.reason}."), None
    label = "Euclidean" if state.distance == "euclidean" else "cosine"
    return density_figure(before, after, c, label, shade(theme)), _correlations(before, after, c)


def _correlations(before: Density, after: Density, c: float) -> html.Table:
    def row(label: str, one: Density) -> html.Tr:
        return html.Tr([html.Th(label), html.Td(_number(one.pearson)), html.Td(_number(one.spearman))])

    reason = before.reason or after.reason
    why = f" Not defined: {reason}." if reason else ""
    return html.Table(
        [
            html.Caption(f"{before.pairs:,} pairs; the nearer to −1, the better distance stands for attention.{why}"),
            html.Thead(html.Tr([html.Td(), html.Th("Pearson"), html.Th("Spearman")])),
            html.Tbody([row("Before alignment", before), row(f"After, c = {c:.3g}", after)]),
        ],
        className="scaling-table",
    )


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}".replace("-", "−")


@callback(
    Output(ids.SCALING_SCENE, "colour"),
    Output(ids.SCALING_SCENE, "theme"),
    Input(ids.SCALING_COLOUR, "value"),
    Input(ids.THEME, "data"),
    State(ids.SCALING_STATE, "data"),
)
def recolour_constants(name: Any, theme: Any, data: Any) -> tuple[Any, Any]:
    """Common point colours of the small maps."""
    found = find(data)
    if found is None:
        return no_update, no_update
    atlas, stream, _ = found
    known = next((a.name for a in common_attributes(atlas) if a.name == name), PLAIN.name)
    return scene_colour(atlas, stream, known, shade(theme)), shade(theme)


clientside_callback(
    ClientsideFunction("atlasScaling", "choose"),
    Output(ids.SCALING_STATE, "data"),
    Output(ids.SCALING_LAYER, "value"),
    Output(ids.SCALING_HEAD, "value"),
    Output(ids.SCALING_TITLE, "children"),
    Output(ids.SCALING_LINK, "href"),
    *[Input(ids.scaling_map(metric), "clickData") for metric in METRICS],
    *[Input(choice.control, "value") for choice in ScalingState.choices().values() if choice.control],
    State(ids.SCALING_STATE, "data"),
)
clientside_callback(
    ClientsideFunction("atlasScaling", "shape"),
    Output(ids.SCALING_SCENE, "payload"),
    Input(ids.SCALING_SCENE, "id"),
    State(ids.SCALING_SCENE, "payload"),
)
mirror_in_address("scaling")
open_other_atlas("scaling", ids.SCALING_ATLAS, ids.SCALING_STREAM)
