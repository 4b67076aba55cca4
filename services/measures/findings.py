"""A few views worth seeing in an atlas, found by measuring every head.

Each finding is the extreme head of one measure, and is only shown when the measure is strong enough to be seen: the
thresholds below say why. Everything is deterministic; nothing is known beforehand of any model.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.measures.attention_sums import REACH
from services.measures.averages import offset_profile, summary
from services.measures.notes import SINK_SHARE, SINK_TIMES_EVEN
from services.numerics.correlation import mean_within, ranks_within
from services.streams import FULL, StreamMask, StreamTokens

VERSION = 1  # of the stored form and of the measures
# In inputs of ten tokens an even share is 0.1: four times that, so that the place alone must draw the attention.
OFFSET_SHARE = 0.4
# With 20 keys, entropy 0.85 of its largest is as wide as an even spread over 20^0.85 = 13 of them …
WIDE = 0.85
# … and 0.3 as narrow as one over 20^0.3 = 2.5.
NARROW = 0.3
# Where a point lies tells at least half of what there is to know of its position: bands of colour that nobody misses.
POSITIONAL = 0.5
# Four fifths: queries and keys can be told by place alone; a quarter: on most of the map both lie side by side.
APART, MIXED = 0.8, 0.25
# Spearman −0.5 explains a quarter of the order in which a query attends to its keys: the eye can use that.
FAITHFUL = -0.5
POINTS_A_CELL = 12  # of the grid laid over a map; fewer and cells hold too few points to have a mean
MOST_CELLS = 24  # a side
PAIRS = 8000  # of query and key a head, for how far its map keeps attention

SHAPE_MAPS = ("umap", "tsne", "attention", "pca")  # which map shows shapes best
READING_MAPS = ("attention", "umap", "tsne", "pca")  # which map keeps attention best: docs/projection.md


@dataclass(frozen=True)
class Finding:
    """One view worth seeing.

    view: parameters of a link, beside atlas and stream. strength: the measure over its threshold, from 1.
    """

    kind: str
    title: str
    text: str
    layer: int
    head: int
    strength: float
    view: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measures:
    """What the findings are chosen from; every array is [layers, heads], and None where it cannot be had.

    offsets: [layers, heads, 23] (`offset_profile`); figures: `services.measures.averages.summary`
    even: the share of one key if attention were even; first, last: the token that opens and closes inputs, if it is
    always the same; shape_map, reading_map: methods of the maps measured
    position, sides: share of variance of position, and of query against key, that the place on the map explains
    agreement: Spearman's correlation of distance on the map with attention, within a query
    """

    mask: StreamMask = FULL
    offsets: np.ndarray | None = None
    figures: Mapping[str, np.ndarray] | None = None
    even: float = 0.0
    first: str | None = None
    last: str | None = None
    shape_map: str | None = None
    position: np.ndarray | None = None
    sides: np.ndarray | None = None
    reading_map: str | None = None
    agreement: np.ndarray | None = None


# --- measures of a map --------------------------------------------------------------------------------------------


def explained_by_place(layout: np.ndarray, values: np.ndarray) -> float | None:
    """How much of the variance of `values` [points] the place on a map [points, 2] explains: ε², about 0 … 1.

    The map is cut into squares; ε² = 1 − (within-square variance) / (variance), both unbiased (Kelley 1935), so that
    chance gives 0 whatever the number of squares. None when nothing varies or all points lie in one square.
    """
    count = len(values)
    side = int(np.clip(np.sqrt(count / POINTS_A_CELL), 1, MOST_CELLS))
    low, high = layout.min(axis=0), layout.max(axis=0)
    spread = np.where(high > low, high - low, 1)
    column, row = np.clip(((layout - low) / spread * side).astype(int), 0, side - 1).T
    _, cell, members = np.unique(column * side + row, return_inverse=True, return_counts=True)
    values = values - values.mean()
    total = float(values @ values)
    if total <= 0 or len(members) < 2 or count <= len(members):
        return None
    sums = np.bincount(cell, values)
    within = total - float((sums**2 / members).sum())
    return 1 - (within / (count - len(members))) / (total / (count - 1))


def sampled_pairs(tokens: StreamTokens) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries evenly over the corpus with all keys that each can see: query rows, key rows, group of each pair."""
    visible = tokens.mask.keys_seen(tokens.queries, tokens.keys)
    rows = np.flatnonzero(visible >= 3)  # fewer keys have no order to speak of
    if len(rows):
        step = max(1, int(np.ceil(visible[rows].sum() / PAIRS)))
        rows = rows[::step]
    group, key = tokens.some(rows).runs_within_inputs().pairs()
    return rows[group], key, group


def agreement(atlas: Atlas, stream: StreamInfo, projection: ProjectionInfo) -> np.ndarray:
    """float64 [layers, heads]: Spearman's correlation of distance on a map with attention, mean over queries.

    −1: the nearer a key, the more it is attended to. NaN where it is not defined.
    """
    blocks = atlas.attention(stream)
    query, key, group = sampled_pairs(blocks.tokens)
    found = np.full((stream.layers, stream.heads), np.nan)
    if not len(query) or not blocks.kept:
        return found
    pairs = blocks.locate(query, key)
    n_queries, layout = len(blocks.tokens.queries), atlas.layout(projection)
    for layer in range(stream.layers):
        for head in range(stream.heads):
            weights = blocks.at(pairs, layer, head).astype(np.float64)
            points = np.asarray(layout[layer, head], np.float64)
            distance = np.linalg.norm(points[query] - points[n_queries + key], axis=1)
            value = mean_within(ranks_within(distance, group), ranks_within(weights, group), group)
            found[layer, head] = np.nan if value is None else value
    return found


def _of_every_head(layout: np.ndarray, measure: Callable[[np.ndarray], float | None]) -> np.ndarray:
    found = [[measure(np.asarray(layout[i, j])) for j in range(layout.shape[1])] for i in range(layout.shape[0])]
    return np.array([[np.nan if value is None else value for value in row] for row in found])


def measure(atlas: Atlas, stream: StreamInfo) -> Measures:
    """Everything the findings need, of all heads: about a second for 72 heads of 3,400 tokens."""
    queries, keys = atlas.tokens(stream.query_table), atlas.tokens(stream.key_table)
    shape, reading = _map(atlas, stream, SHAPE_MAPS), _map(atlas, stream, READING_MAPS)
    places = np.concatenate([t.position / np.maximum(t.length - 1, 1) for t in (queries, keys)])
    sides = np.repeat([0.0, 1.0], [len(queries), len(keys)])
    layout = atlas.layout(shape) if shape else None
    counts = keys.counts[keys.counts > 0]
    return Measures(
        mask=stream.mask,
        offsets=offset_profile(atlas, stream),
        figures=summary(atlas, stream),
        even=float((1 / counts).mean()) if len(counts) else 0.0,
        first=_always(keys, keys.offsets[:-1][keys.counts > 0]),
        last=_always(keys, keys.offsets[1:][keys.counts > 0].astype(np.int64) - 1),
        shape_map=shape.method if shape else None,
        position=None if layout is None else _of_every_head(layout, lambda p: explained_by_place(p, places)),
        sides=None if layout is None else _of_every_head(layout, lambda p: explained_by_place(p, sides)),
        reading_map=reading.method if reading else None,
        agreement=agreement(atlas, stream, reading) if reading else None,
    )


def _map(atlas: Atlas, stream: StreamInfo, methods: Sequence[str]) -> ProjectionInfo | None:
    flat = {p.method: p for p in atlas.info.projections if p.stream == stream.name and p.dims == 2}
    return next((flat[method] for method in methods if method in flat), None)


def _always(tokens: TokenTable, rows: Iterable[int]) -> str | None:
    texts = {tokens.text[int(row)] for row in rows}
    return texts.pop() if len(texts) == 1 else None


# --- from measures to findings ------------------------------------------------------------------------------------


def choose(measures: Measures) -> list[Finding]:
    """The findings that are strong enough, at most one a kind, the clearest kinds first."""
    found: list[Finding | None] = [
        *_offsets(measures),
        *_sinks(measures),
        _positional(measures),
        _faithful(measures),
        *_sides(measures),
    ]
    strong = [finding for finding in found if finding is not None]
    taken = {(finding.layer, finding.head) for finding in strong}
    return strong + [finding for finding in _spread(measures, taken) if finding is not None]


def _extreme(
    values: np.ndarray | None, *, lowest: bool = False, but: set[tuple[int, int]] | None = None
) -> tuple[int, int, float] | None:
    """(layer, head, value) of the largest or smallest number that is one; None when there is none."""
    if values is None:
        return None
    values = np.array(values, np.float64)
    for place in but or ():
        values[place] = np.nan
    if np.isnan(values).all():
        return None
    layer, head = np.unravel_index(np.nanargmin(values) if lowest else np.nanargmax(values), values.shape)
    return int(layer), int(head), float(values[layer, head])


def _offsets(m: Measures) -> list[Finding | None]:
    kinds = (
        ("previous", -1, "Looks back one token", "goes to the token just before"),
        ("next", 1, "Looks ahead one token", "goes to the token just after"),
        ("self", 0, "Looks at itself", "stays at the token itself"),
    )
    found: list[Finding | None] = []
    for kind, offset, title, text in kinds:
        best = None if m.offsets is None else _extreme(m.offsets[..., offset + REACH])
        if best is None or best[2] < OFFSET_SHARE or not m.mask.sees(0, offset):
            continue
        layer, head, share = best
        view = {"colour": "position", **_with_map(m.shape_map)}
        text = f"{_percent(share)} of its attention {text}: the most of all heads. Special tokens left out."
        found.append(Finding(kind, title, text, layer, head, share / OFFSET_SHARE, view))
    return found


def _sinks(m: Measures) -> list[Finding | None]:
    if m.figures is None:
        return []
    options = []
    for name, token, place in (("first", m.first, "the first token"), ("last", m.last, "the last token")):
        best = _extreme(m.figures[name])
        if best and best[2] >= max(SINK_SHARE, SINK_TIMES_EVEN * m.even):
            options.append((best, f"{place} of each input{f', {token}' if token else ''}"))
    if not options:
        return []
    (layer, head, share), where = max(options, key=lambda option: option[0][2])
    text = f"{_percent(share)} of its attention goes to {where}: the strongest attention sink of all heads."
    view = {"colour": "kind", **_with_map(m.reading_map)}
    return [Finding("sink", "Attention sink", text, layer, head, share / SINK_SHARE, view)]


def _positional(m: Measures) -> Finding | None:
    best = _extreme(m.position)
    if best is None or best[2] < POSITIONAL:
        return None
    layer, head, share = best
    text = (
        f"Where a token lies on the map explains {_percent(share)} of its position in the input, more than in any "
        "other head (ε² over squares of the map)."
    )
    view = {"colour": "position", **_with_map(m.shape_map)}
    return Finding("positional", "Follows the word order", text, layer, head, share / POSITIONAL, view)


def _faithful(m: Measures) -> Finding | None:
    best = _extreme(m.agreement, lowest=True)
    if best is None or best[2] > FAITHFUL:
        return None
    layer, head, value = best
    text = (
        f"On this map nearer means attended more than in any other head: distance and attention agree with a rank "
        f"correlation of {value:.2f}".replace("-", "−")
        + " (−1 would be perfect)."
    )
    return Finding("faithful", "Near means attended", text, layer, head, value / FAITHFUL, _with_map(m.reading_map))


def _sides(m: Measures) -> list[Finding | None]:
    found: list[Finding | None] = []
    view = {"colour": "type", **_with_map(m.shape_map)}
    most, least = _extreme(m.sides), _extreme(m.sides, lowest=True)
    how = "(ε² over squares of the map)"
    if least and least[2] <= MIXED:
        share = max(0.0, least[2])
        text = f"Where a point lies tells only {_percent(share)} of whether it is a query or a key {how}."
        strength = MIXED / max(share, 0.01)
        found.append(Finding("mixed", "Queries among keys", text, least[0], least[1], strength, view))
    if most and most[2] >= APART:
        text = f"Where a point lies tells {_percent(most[2])} of whether it is a query or a key {how}."
        found.append(Finding("apart", "Queries apart from keys", text, most[0], most[1], most[2] / APART, view))
    return found


def _spread(m: Measures, taken: set[tuple[int, int]]) -> list[Finding | None]:
    """Widest and sharpest attention among heads that no finding has shown yet."""
    if m.figures is None:
        return []
    found: list[Finding | None] = []
    wide = _extreme(m.figures["entropy"], but=taken)
    narrow = _extreme(m.figures["entropy"], lowest=True, but=taken)
    how = "(0: all to one key, 1: even), among the heads not named above"
    view = _with_map(m.reading_map)
    if wide and wide[2] >= WIDE:
        text = f"It spreads its attention most evenly: entropy {wide[2]:.2f} {how}."
        found.append(Finding("wide", "Looks everywhere", text, wide[0], wide[1], wide[2] / WIDE, view))
    if narrow and narrow[2] <= NARROW:
        text = f"Each query picks very few keys: entropy {narrow[2]:.2f} {how}."
        strength = NARROW / max(narrow[2], 0.01)
        found.append(Finding("narrow", "Sharp attention", text, narrow[0], narrow[1], strength, view))
    return found


def _with_map(method: str | None) -> dict[str, str]:
    return {"method": method, "dims": "2"} if method else {}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


# --- kept ---------------------------------------------------------------------------------------------------------

_LOCK = threading.Lock()


def findings(atlas: Atlas, stream: StreamInfo, folder: Path) -> list[Finding]:
    """The findings of a stream, worked out once for each set of maps and kept in `folder`."""
    maps = "-".join(p.sha256[:8] for p in atlas.info.projections if p.stream == stream.name and p.dims == 2)
    file = folder / f"findings-{VERSION}-{atlas.info.key}-{stream.name}-{maps}.json"
    with _LOCK:  # two requests for the same must not both measure
        kept = _read(file)
        if kept is None:
            kept = choose(measure(atlas, stream))
            _write(file, kept)
    return kept


def _read(file: Path) -> list[Finding] | None:
    try:
        return [Finding(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        logging.getLogger(__name__).warning("%s cannot be read (%s); measuring again", file, error)
        return None


def _write(file: Path, found: list[Finding]) -> None:
    aside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps([asdict(finding) for finding in found]), encoding="utf-8")
        aside.replace(file)
    except OSError as error:  # a full or read-only disk costs time, not the page
        logging.getLogger(__name__).warning("%s cannot be written (%s)", file, error)
