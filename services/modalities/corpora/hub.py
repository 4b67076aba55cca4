"""Data sets of the Hugging Face hub as corpora: one split of one, from the Parquet files that the hub keeps of each.

The hub turns every public data set into Parquet on a branch of its own, so that no code of a repository is run and no
other library is needed. A split in several files is fetched as far as its texts are needed. What was fetched stays in
the hub's cache and is read from there without a network.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.errors import CorpusError
from services.modalities.corpora.wording import listed, quoted

PREFIX = "dataset:"
BRANCH = "refs/convert/parquet"
SECONDS = 5.0  # to wait for the hub's answer
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9_.-]{1,95})?")
_PART = re.compile(r"[A-Za-z0-9_.-]{1,95}")
_FILE = re.compile(r"(?P<subset>[^/]+)/(?:partial-)?(?P<split>[^/]+)/\d+\.parquet")


@dataclass(frozen=True)
class HubCorpus:
    """A split of a data set. subset: what the hub calls a configuration; "" where there is one alone"""

    id: str
    split: str = ""
    subset: str = ""

    @property
    def source(self) -> str:
        """As a corpus is named: "dataset:org/name:split:subset"."""
        return f"{PREFIX}{self.id}:{self.split}:{self.subset}".rstrip(":")

    @property
    def shown(self) -> str:
        parts = (self.id, self.subset, self.split)
        return ", ".join(part for part in parts if part)

    @property
    def name(self) -> str:
        return "-".join(part for part in (self.id.rpartition("/")[2], self.subset, self.split) if part)


def hub_corpus(source: object) -> HubCorpus | None:
    """The data set that a corpus names; None: it names a file.

    Raises:
        CorpusError: its name cannot be one.
    """
    if not isinstance(source, str) or not source.startswith(PREFIX):
        return None
    id, split, subset, *more = (*source.removeprefix(PREFIX).split(":"), "", "")[:4]
    parts = [part for part in (split, subset) if part]
    if not _ID.fullmatch(id) or ".." in id or any(more) or not all(map(_PART.fullmatch, parts)):
        raise CorpusError(f"{quoted(source)}: names no data set; give its id, like org/name, and a split, like train")
    return HubCorpus(id, split, subset)


@dataclass
class Split:
    """Parquet files of a split, each fetched when it is asked for. taken: how many were · cached: without a network"""

    corpus: HubCorpus
    names: list[str]
    cached: Path | None = None
    taken: int = 0

    def file(self, number: int) -> Path:
        """Raises: CorpusError, when the download breaks off."""
        found = self.cached / self.names[number] if self.cached else _download(self.corpus.id, self.names[number])
        self.taken = max(self.taken, number + 1)
        return found

    def others(self) -> Iterator[Path]:
        """All but the first."""
        return map(self.file, range(1, len(self.names)))

    def notes(self, more: bool) -> list[str]:
        """What a reader should know of which files were read. more: rows were left in the last of them."""
        if self.taken < len(self.names):
            return [f"Read the first {self.taken} of {len(self.names)} files of this split."]
        if self.cached and not more:
            files = "the file" if len(self.names) == 1 else f"the first {len(self.names)} files"
            return [f"Read without a network, from what is on this machine: {files} of this split; it may have more."]
        return []


def split_of(corpus: HubCorpus) -> Split:
    """The split that a corpus names, with its subset.

    Raises:
        CorpusError: it is not there, several would do, or the hub cannot be reached.
    """
    import httpx2
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    shown = quoted(corpus.id)
    if constants.HF_HUB_OFFLINE:
        return _cached(corpus, "the network is off (offline)")
    try:
        listing = HfApi().dataset_info(corpus.id, revision=BRANCH, timeout=SECONDS)
    except GatedRepoError as error:
        raise CorpusError(f"{shown}: is gated; accept its terms on the hub and log in with 'hf auth login'") from error
    except RevisionNotFoundError as error:
        raise CorpusError(_NO_FILES.format(shown)) from error
    except RepositoryNotFoundError as error:
        raise CorpusError(f"{shown}: there is no such data set on the hub; check its spelling") from error
    except (httpx2.TransportError, HfHubHTTPError, OSError, ValueError):
        return _cached(corpus, "the hub cannot be reached")
    return Split(*choose(corpus, [file.rfilename for file in listing.siblings or []]))


def _download(id: str, name: str) -> Path:
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found = hf_hub_download(id, name, repo_type="dataset", revision=BRANCH, etag_timeout=SECONDS)
    except (httpx2.HTTPError, HfHubHTTPError, OSError, ValueError) as error:
        raise CorpusError(
            f"{quoted(id)}: the download broke off ({type(error).__name__}); try again, it goes on where it stopped"
        ) from error
    return Path(found)


_NO_FILES = "{}: the hub keeps no Parquet files of it; download a file and give that"


def choose(corpus: HubCorpus, names: Sequence[str]) -> tuple[HubCorpus, list[str]]:
    """The split meant, and its files among those of the branch, in order.

    Raises:
        CorpusError: there is no such subset or split, or several would do.
    """
    found = [(match["subset"], match["split"], match[0]) for name in names if (match := _FILE.fullmatch(name))]
    shown = quoted(corpus.id)
    if not found:
        raise CorpusError(_NO_FILES.format(shown))
    subset = _one(shown, "subset", corpus.subset, [one[0] for one in found], "default")
    split = _one(shown, "split", corpus.split, [one[1] for one in found if one[0] == subset], "train")
    files = sorted(name for of, part, name in found if (of, part) == (subset, split))
    several = len({one[0] for one in found}) > 1
    return HubCorpus(corpus.id, split, subset if several else ""), files


def _one(shown: str, what: str, wanted: str, names: Sequence[str], usual: str) -> str:
    known = list(dict.fromkeys(names))
    if wanted in known:
        return wanted
    if wanted:
        raise CorpusError(f"{shown}: has no {what} {quoted(wanted)}; it has {listed(known)}")
    if len(known) == 1:
        return known[0]
    if usual in known:
        return usual
    raise CorpusError(f"{shown}: which {what}? Name one of {listed(known)}")


def _cached(corpus: HubCorpus, why: str) -> Split:
    """Of the files in the cache those from the first on without a gap."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    offline = CorpusError(
        f"{quoted(corpus.id)}: is not on this machine and {why}; connect once to fetch it, or give a file"
    )
    try:
        place = Path(snapshot_download(corpus.id, repo_type="dataset", revision=BRANCH, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise offline from error
    names = [file.relative_to(place).as_posix() for file in place.rglob("*.parquet")]
    if not names:
        raise offline
    chosen, files = choose(corpus, names)
    row = [name for number, name in enumerate(files) if int(Path(name).stem) == number]
    if not row or row != files[: len(row)]:
        raise offline
    return Split(chosen, row, cached=place)
