"""Ask an atlas's every payload route and export, and digest the answers so that they can be kept and compared.

An answer becomes one line, `status · type · size · SHA-256`, of what it says and not of how it was packed: JSON with
its keys in order, a table by its columns, types and rows, a PNG by its pixels, an HTML figure by its title, caption,
traces and layout without the library around them. Numbers of tables count to six digits, as logarithms differ in the
last one from processor to processor.

What passes through BLAS or a random draw (`NEAR`) is kept as numbers and compared within a tolerance.
"""

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from app import create_app
from services.settings import Settings
from tests.golden.addresses import addresses

# Kinds of answers that are compared within a tolerance: relative, and absolute in the unit of the answer.
# "whole": what passes through BLAS and is too long to keep: only that it came.
NEAR = {
    "live": 8.0,
    "positions near": 8.0,
    "concentration": 0.02,
    "agreement": 1e-4,
    "pair": 1e-4,
    "heads": 1e-4,
    "fit": 1e-4,
    "difference": 1e-3,
}
SAMPLES = 12  # numbers kept of an array


def record(home: Path, slugs: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Atlas → address without its keys → digest."""
    app = create_app(Settings(home=home, demo=False))
    client = app.server.test_client()
    found: dict[str, dict[str, Any]] = {}
    for slug in slugs:
        with app.server.app_context():
            asked = list(addresses(home, slug))
        found[slug] = {one.name: digest(client.get(one.path), one.kind) for one in asked}
        assert len(found[slug]) == len(asked), "two addresses of one name"
    return found


def digest(response: Any, kind: str) -> Any:
    """What is kept of an answer."""
    if response.status_code != 200:
        return f"{response.status_code} · {response.text[:100]}"
    if kind == "whole":
        return f"{response.mimetype} · answered"
    if kind in NEAR:
        return near(response)
    content = plain(response)
    return " · ".join([response.mimetype, f"{len(content):,} B", hashlib.sha256(content).hexdigest()[:32]])


def near(response: Any) -> Any:
    """The answer's JSON, or some numbers of an array of uint16 and their mean."""
    if response.mimetype == "application/json":
        return response.json
    values = np.frombuffer(response.data, "<u2")
    places = np.linspace(0, len(values) - 1, SAMPLES).astype(int)
    return {"length": f"{len(values):,}", "mean": float(values.mean()), "some": values[places].tolist()}


def plain(response: Any) -> bytes:
    """The answer without how it was packed."""
    kind = response.mimetype
    if kind == "application/json":
        return json.dumps(response.json, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    if kind == "image/png":
        return _pixels(response.data)
    if kind == "application/vnd.apache.parquet":
        return _parquet(response.data)
    if kind == "text/csv":
        rows = csv.reader(io.StringIO(response.text, newline=""))
        return json.dumps([[_cell(cell) for cell in row] for row in rows], ensure_ascii=False).encode()
    if kind == "text/html":
        return json.dumps(figure_of(response.text), sort_keys=True, ensure_ascii=False).encode()
    return response.data


def _pixels(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content))
    return f"{image.size}".encode() + image.convert("RGBA").tobytes()


def _parquet(content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content))
    columns = {
        name: [str(table.schema.field(name).type), [_number(value) for value in table[name].to_pylist()]]
        for name in table.column_names
    }
    source = json.loads((table.schema.metadata or {}).get(b"attention_atlas", b"null"))
    return json.dumps([columns, source], ensure_ascii=False).encode()


def _number(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _cell(text: str) -> str:
    return f"{float(text):.6g}" if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", text) else text


def figure_of(page: str) -> dict[str, Any]:
    """Title, text, traces and layout of an HTML export; plotly's own template is left out."""
    begin = page.index("Plotly.newPlot(")
    decoder, place, parts = json.JSONDecoder(), begin + len("Plotly.newPlot("), []
    while len(parts) < 3:  # identifier of the element, traces, layout
        place += len(page[place:]) - len(page[place:].lstrip(" \n,"))
        value, place = decoder.raw_decode(page, place)
        parts.append(value)
    layout = {name: value for name, value in parts[2].items() if name != "template"}
    texts = re.findall(r"<(?:title|h1|p)>(.*?)</", page[: page.index("<script")] + page[page.rindex("</script>") :])
    return {"texts": texts, "traces": parts[1], "layout": layout}


def differences(kept: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """One line for each answer that is not the one that was kept."""
    for slug in sorted({*kept, *found}):
        old, new = kept.get(slug, {}), found.get(slug, {})
        for name in sorted({*old, *new}):
            if name not in new:
                yield f"{slug} {name}: no longer asked for"
            elif name not in old:
                yield f"{slug} {name}: not in the record"
            elif not same(old[name], new[name], NEAR.get(name.split(" | ")[0], 0.0)):
                yield f"{slug} {name}: {_short(old[name])} became {_short(new[name])}"


def same(old: Any, new: Any, tolerance: float) -> bool:
    """Equal, numbers within a tolerance."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[key], new[key], tolerance) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(a, b, tolerance) for a, b in zip(old, new, strict=True))
    numbers = [value for value in (old, new) if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == 2:
        return math.isclose(old, new, rel_tol=1e-4 if tolerance else 0.0, abs_tol=tolerance)
    return bool(old == new)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) < 200 else text[:200] + " …"
