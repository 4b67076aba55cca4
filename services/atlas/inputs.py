"""Choose an input that is worth looking at first."""

from services.atlas.folder import Atlas


def first_to_show(atlas: Atlas, table: str) -> int:
    """An input of middling length: long enough to hold a pattern, short enough to be read at a glance."""
    counts = atlas.tokens(table).counts
    good = [index for index, count in enumerate(counts.tolist()) if 10 <= count <= 24]
    return good[0] if good else int(counts.argmax())
