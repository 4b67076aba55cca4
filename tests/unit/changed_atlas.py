"""A copy of an atlas with something changed on purpose, for tests of what compares two."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.atlas import Atlas, open_atlas


def changed_copy(
    source: Path,
    to: Path,
    *,
    title: str = "",
    inputs: Callable[[list[str]], list[str]] | None = None,
    arrays: dict[str, Callable[[np.ndarray], np.ndarray]] | None = None,
) -> Atlas:
    """inputs: the texts of the inputs from those there are · arrays: by file, what it becomes from what it is."""
    shutil.copytree(source, to)
    if inputs is not None:
        table = pq.read_table(to / "inputs.parquet")
        place = table.column_names.index("text")
        texts = pa.array(inputs(table["text"].to_pylist()), table.schema.field("text").type)
        _write(to, "inputs.parquet", lambda path: pq.write_table(table.set_column(place, "text", texts), path))
    for name, change in (arrays or {}).items():
        made = change(np.load(to / name))
        _write(to, name, lambda path, made=made: np.save(path, made))
    info = json.loads((to / "atlas.json").read_text())
    info["title"] = title or info["title"]
    digest = hashlib.sha256(str(to).encode()).hexdigest()
    for name in [*(arrays or {}), *(["inputs.parquet"] if inputs else [])]:
        info["files"][name] |= {"bytes": (to / name).stat().st_size, "sha256": digest}
    info["key"] = digest[:16]
    (to / "atlas.json").write_text(json.dumps(info))
    return open_atlas(to)


def _write(folder: Path, name: str, write: Callable[[Path], None]) -> None:
    (folder / name).unlink()
    write(folder / name)
