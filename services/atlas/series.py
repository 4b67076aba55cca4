"""Checkpoints of a training run: atlases of the same inputs, of models of one shape whose names count steps."""

import re
from collections.abc import Iterable

from services.atlas.folder import Atlas

FEWEST = 2  # atlases that make a series
_STEP = re.compile(r"(checkpoint|ckpt|global_step|step|epoch)[-_ ]?(\d{1,12})", re.IGNORECASE | re.ASCII)


def step_of(atlas: Atlas) -> tuple[str, int] | None:
    """The run and the step that an atlas's model, title or folder names, such as `my-run/checkpoint-500`."""
    for text in (atlas.info.model.id, atlas.info.title, atlas.slug):
        match = _STEP.search(text)
        if match:
            return f"{text[: match.start(2)]}#{text[match.end(2) :]}", int(match[2])
    return None


def series_of(atlas: Atlas, others: Iterable[Atlas]) -> list[tuple[int, Atlas]]:
    """Steps and atlases of the run that an atlas belongs to, in order, itself among them; [] where there is none."""
    mine = step_of(atlas)
    if mine is None:
        return []
    found = {mine[1]: atlas}
    for other in others:
        its = step_of(other)
        if its and its[0] == mine[0] and _shape(other) == _shape(atlas):
            found.setdefault(its[1], other)
    return sorted(found.items()) if len(found) >= FEWEST else []


def _shape(atlas: Atlas) -> tuple:
    streams = tuple((stream.name, stream.layers, stream.heads, stream.layer_numbers) for stream in atlas.info.streams)
    return atlas.info.corpus.sha256, atlas.info.model.architecture, streams
