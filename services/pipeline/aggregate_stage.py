"""The stage after capture: attention averaged over the inputs, of every head."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.atlas import arrays
from services.atlas.attention import stored_attention
from services.atlas.schema import FileInfo, StreamInfo
from services.measures.averages import aggregate, file_names, summary_table
from services.pipeline.journal import Journal
from services.pipeline.progress import Progress
from services.pipeline.units import special_tokens, stored_tokens


def write_averages(folder: Path, streams: Sequence[StreamInfo], journal: Journal, progress: Progress) -> bool:
    """The four files of each stream that has none yet; a stopped stage starts again, it takes seconds.

    Returns:
        Whether anything was written.

    Raises:
        Cancelled: the build was stopped.
        BuildError: the disk is full.
    """
    kept = [stream for stream in streams if stream.attention != "none"]
    missing = [s for s in kept if not all(map(journal.has_file, file_names(s.name).values()))]
    for stream in missing:
        inputs = int(journal.facts["corpus"]["inputs"])
        progress.stage("aggregate", "Averaging attention", inputs)
        blocks = stored_attention(folder, stream, stored_tokens(folder, stream), inputs)
        found = aggregate(blocks, special_tokens(folder, stream), progress.update)
        names = file_names(stream.name)
        for name, values in (("mean", found.mean), ("count", found.count), ("offsets", found.offsets)):
            journal.record_file(names[name], _write(folder / names[name], values))
        journal.record_file(
            names["summary"], arrays.write_table(folder / names["summary"], summary_table(found.figures))
        )
    return bool(missing)


def _write(path: Path, values: np.ndarray) -> FileInfo:
    target = arrays.create(path, values.shape, values.dtype)
    target[...] = values
    target.flush()
    return arrays.publish(path)
