"""Words that both the server and the browser put on the page (components/state/tables.py)."""

TITLES = {"all": "All heads", "head": "Layer {layer} · Head {head}"}
SPACES = {"euclidean": "Euclidean", "cosine": "cosine", "lift": "exact lift"}
SPACE_NOTES = {
    "euclidean": "Straight-line distance between the scaled and translated vectors.",
    "cosine": "Every vector is brought to length one first, so that only directions count.",
    "lift": "One more coordinate makes all keys equally long, so that for every query the nearest key is exactly the "
    "most attended one: Spearman per query is −1 before the map flattens it. Queries and keys then lie apart.",
}


def title(layer: int | None, head: int | None) -> str:
    """What the map shows: all heads, or one."""
    return TITLES["all"] if layer is None or head is None else TITLES["head"].format(layer=layer, head=head)
