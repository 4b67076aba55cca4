"""The kind "dataset": a split of a data set of the Hugging Face hub, fetched for the page New atlas."""

import shutil
from pathlib import Path
from typing import Any

from services.errors import CorpusError
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.settings import Settings

LABEL = "Fetching a data set"
_LISTED = 200  # subsets, and splits of each, that a page offers
_SPARE = 100_000_000  # bytes of the disk that stay free


class DatasetArguments(Arguments):
    """As services.modalities.corpora.hub.HubCorpus names them; "" is the only one, or the usual one."""

    id: str
    split: str = ""
    subset: str = ""


def fetch_dataset(arguments: DatasetArguments, running: Running) -> dict[str, Any]:
    """Fetch the split's first file into the hub's cache, as somebody who is logged in nowhere.

    Returns: corpus (its name with the commit), subset, split, the choices of both, files, bytes.

    Raises:
        CorpusError: it is not there, larger than an upload may be, has no room, or the hub cannot be reached.
        Cancelled: it is to stop; what has come is kept for another time.
    """
    from services.modalities.corpora.hub import HubCorpus, fetch, hub_corpus

    running.report(LABEL, 0, 0)
    corpus = hub_corpus(HubCorpus(arguments.id, arguments.split, arguments.subset).source)
    assert corpus is not None

    def tell(done: int, total: int) -> None:
        running.report(LABEL, done, total)
        running.check()

    found = fetch(corpus, allow=lambda size: _allow(size, corpus.id, running.settings), tell=tell)
    size = found.file.stat().st_size
    _allow(size, corpus.id, running.settings, fetched=True)
    subset = found.corpus.subset or next(iter(found.parts))
    return {
        "corpus": found.corpus.source,
        "shown": found.corpus.shown,
        "subset": subset,
        "split": found.corpus.split,
        "subsets": list(found.parts)[:_LISTED],
        "splits": list(found.parts.get(subset, ()))[:_LISTED],
        "files": found.corpus.files,
        "bytes": size,
    }


def _allow(size: int | None, id: str, settings: Settings, fetched: bool = False) -> None:
    """
    Raises:
        CorpusError: a file of so many bytes is not to be fetched, or may not be read.
    """
    from huggingface_hub import constants

    from services.modalities.corpora.wording import quoted
    from services.models.memory import readable

    if size is None:
        raise CorpusError(f"{quoted(id)}: the hub does not say how large it is; download a file and give that")
    if size > settings.upload_bytes:
        raise CorpusError(
            f"{quoted(id)}: its first file has {readable(size)}; {readable(settings.upload_bytes)} are the most that"
            " can be fetched here (ATLAS_UPLOAD_BYTES)"
        )
    cache = Path(constants.HF_HUB_CACHE)
    place = next((one for one in (cache, *cache.parents) if one.is_dir()), cache)
    free = shutil.disk_usage(place).free
    if not fetched and size + _SPARE > free:
        raise CorpusError(f"{quoted(id)}: there is no room for its {readable(size)}: {readable(free)} are free")


DATASET = JobKind(
    name="dataset",
    arguments=DatasetArguments,
    title=lambda arguments: f"Fetching {arguments.id}",
    run=fetch_dataset,
    starting="Starting to fetch a data set",
    limit=2,
)
