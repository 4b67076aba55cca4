"""Where a picture or a table comes from, in words for a caption and in names for a file."""

import re
from typing import Any

from services.alignment.fitting import WITHOUT_TEXT
from services.atlas import Atlas
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.measures.registry import find
from services.projection import follows_alignment, made_earlier, name_in_text
from services.streams.registry import CONTENT

_FIDELITY = ("best_near", "query_spearman", "trustworthiness")  # of services.measures.registry, for a caption


def head_row(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> dict[str, Any]:
    """The row of `heads.parquet` of one head; empty when there is none."""
    columns = atlas.heads
    for number, place in enumerate(zip(columns["stream"], columns["layer"], columns["head"], strict=True)):
        if place == (stream.name, layer, head):
            return {name: values[number] for name, values in columns.items()}
    return {}


def _of(stream: StreamInfo) -> str:
    if stream.kind == CONTENT:
        return "queries and keys before rotation, which are not what its attention is made of"
    return f"{stream.name} attention"


def facts(
    atlas: Atlas, stream: StreamInfo, projection: ProjectionInfo | None, place: tuple[int, int] | None
) -> dict[str, Any]:
    """Title and caption of a picture.

    Args:
        place: layer and head, or None for all heads.

    Returns:
        `{"title": str, "caption": [sentence, …]}`
    """
    info = atlas.info
    shown = f"{name_in_text(projection.method)}, {projection.dims}D" if projection else ""
    where = stream.head_name(*place) if place else f"{stream.layers} × {stream.heads} heads"
    caption = [
        f"Model {info.model.id} ({info.model.revision[:19]}), {_of(stream)}. "
        f"Corpus {info.corpus.name}: {info.corpus.tokens:,} tokens of {info.corpus.inputs:,} inputs "
        f"(SHA-256 {info.corpus.sha256[:12]})."
    ]
    caption += info.model.notes
    if projection:
        earlier = ", as an earlier version made it" if made_earlier(projection) else ""
        caption.append(f"Joint projection of queries and keys: {shown}{earlier}, seed {projection.seed}.")
    row = head_row(atlas, stream, *place) if place else {}
    if isinstance(row.get("c"), float) and (projection is None or follows_alignment(projection.method)):
        without = info.alignment.without
        fit = "" if without == "nothing" else f"; centroids and principal axes of {WITHOUT_TEXT[without]}"
        unit = "; all brought to unit length" if info.alignment.distance == "cosine" else ""
        caption.append(
            f"Queries scaled by c = {row['c']:.3f}, keys by 1/c; keys moved onto the queries' centroid{unit}{fit}."
        )
    trust = []
    for measure in map(find, _FIDELITY if projection and place else ()):
        value = atlas.measures(stream).of(measure.name, *place, projection.name) if projection and place else None
        if value is not None:
            trust.append(f"{measure.label.lower()} {measure.form.text(value)}")
    if trust:
        caption.append(f"Fidelity of this map: {', '.join(trust)}.")
    return {"title": " · ".join(part for part in (where, shown, info.title) if part), "caption": caption}


def file_name(atlas: Atlas, *parts: str) -> str:
    """A file name of letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "_".join([atlas.slug, *parts]))
