"""Layers of a model as a reader counts them, where only some of them have a stream's attention."""

import json
from typing import Any

from dash import html

from components import ids
from services.atlas import Atlas
from services.atlas.schema import StreamInfo


def layer_numbers(stream: StreamInfo) -> html.Div:
    """What the page's scripts know of it (components/client/layers.js); empty where a layer's number is its row."""
    data = {"data-numbers": json.dumps(stream.layer_numbers)} if stream.layer_numbers else {}
    return html.Div(id=ids.LAYER_NUMBERS, hidden=True, **data)


def layer_options(stream: StreamInfo, letter: str = "") -> list[dict[str, Any]]:
    """Choices of a layer: the value is the row of arrays, the label the model's number."""
    return [{"label": f"{letter}{stream.number(row)}", "value": str(row)} for row in range(stream.layers)]


def gaps(atlas: Atlas, stream: StreamInfo) -> list[dict[str, Any]]:
    """Layers that have none of the stream's attention: the row that they stand before, and what to say of them."""
    others = {n for one in atlas.info.streams if one.kind == stream.kind for n in one.layer_numbers}
    found = []
    for row, first, last in stream.gaps:
        name = f"Layer {first}" if first == last else f"Layers {first}–{last}"
        elsewhere = others >= set(range(first, last + 1))
        found.append({"row": row, "text": f"{name}: {'in another stream' if elsewhere else 'no attention here'}"})
    return found


def sharing_words(stream: StreamInfo) -> str:
    """That heads share their keys, and which (the matrix draws the lines); "" where none do."""
    if stream.group == 1:
        return ""
    return "all heads share their keys" if stream.key_heads == 1 else "heads between two lines share their keys"


def shares_with(stream: StreamInfo, head: int) -> str:
    """With which heads a head shares its keys, "" where it has its own."""
    first = head - head % stream.group
    others = [f"H{one}" for one in range(first, first + stream.group) if one != head]
    if not others:
        return ""
    return f"Its keys are also those of {' and '.join(filter(None, [', '.join(others[:-1]), others[-1]]))}."


def size_words(stream: StreamInfo) -> str:
    """ "6 × 12 heads", and of how many layers where that is not all of them."""
    words = f"{stream.layers} × {stream.heads} heads"
    if not stream.layer_numbers:
        return words
    shown = ", ".join(map(str, stream.layer_numbers[:8])) + (" …" if stream.layers > 8 else "")
    return f"{words} (layers {shown} of {stream.model_layers})"
