"""Data sets of the Hugging Face hub as corpora: one split of one, from the Parquet files that the hub keeps of each.

The hub turns every public data set into Parquet on a branch of its own, so that no code of a repository is run and no
other library is needed. A split in several files is fetched as far as its texts are needed. What was fetched stays in
the hub's cache and is read from there without a network. A name with a commit means what was fetched of it: the same
rows however the data set changes, and no network is asked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.errors import CorpusError
from services.modalities.corpora.wording import listed, quoted

PREFIX = "dataset:"
BRANCH = "refs/convert/parquet"
SECONDS = 5.0  # to wait for the hub's answer
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9_.-]{1,95})?")
_PART = re.compile(r"[A-Za-z0-9_.-]{1,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_FILE = re.compile(r"(?P<subset>[^/]+)/(?:partial-)?(?P<split>[^/]+)/\d+\.parquet")


@dataclass(frozen=True)
class HubCorpus:
    """A split of a data set.

    subset: what the hub calls a configuration; "" where there is one alone
    commit: of what was fetched, which is read without a network; "" is what the hub has now · files: the split has
    """

    id: str
    split: str = ""
    subset: str = ""
    commit: str = ""
    files: int = 1

    @property
    def source(self) -> str:
        """As a corpus is named: "dataset:org/name:split:subset", with ":commit:files" of one that was fetched."""
        fetched = f":{self.commit}:{self.files}" if self.commit else ""
        return f"{PREFIX}{self.id}:{self.split}:{self.subset}{fetched}".rstrip(":")

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
    id, split, subset, commit, files, *more = (*source.removeprefix(PREFIX).split(":"), *[""] * 4)
    parts = [part for part in (split, subset) if part]
    fits = _ID.fullmatch(id) and ".." not in id and not any(more) and all(map(_PART.fullmatch, parts))
    whole = split and _COMMIT.fullmatch(commit) and _COUNT.fullmatch(files)
    if not fits or ((commit or files) and not whole):
        raise CorpusError(f"{quoted(source)}: names no data set; give its id, like org/name, and a split, like train")
    return HubCorpus(id, split, subset, commit, int(files or 1))


@dataclass
class Split:
    """Parquet files of a split, each fetched when it is asked for.

    taken: how many were · cached: without a network · all: files of the data set that are there then
    """

    corpus: HubCorpus
    names: list[str]
    cached: Path | None = None
    taken: int = 0
    all: Sequence[str] = ()

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
        total = max(len(self.names), self.corpus.files)
        if self.taken < total:
            return [f"Read the first {self.taken} of {total} files of this split."]
        if self.cached and not self.corpus.commit and not more:
            files = "the file" if len(self.names) == 1 else f"the first {len(self.names)} files"
            return [f"Read without a network, from what is on this machine: {files} of this split; it may have more."]
        return []


def split_of(corpus: HubCorpus) -> Split:
    """The split that a corpus names, with its subset.

    Raises:
        CorpusError: it is not there, several would do, or the hub cannot be reached.
    """
    found = _listed(corpus)
    return found if isinstance(found, Split) else Split(*choose(corpus, list(found)))


@dataclass(frozen=True)
class Fetched:
    """The first file of a split. corpus: which it is, with its commit · parts: splits of each subset"""

    corpus: HubCorpus
    file: Path
    parts: Mapping[str, Sequence[str]]


def fetch(
    corpus: HubCorpus,
    *,
    allow: Callable[[int | None], None],
    tell: Callable[[int, int], None],
) -> Fetched:
    """The first file of a split, as somebody who is logged in nowhere.

    Args:
        allow: given the file's bytes as the hub has them (None: it does not say), raises before it is fetched.
        tell: given the bytes that have come and those that will, may raise to end it.

    Raises:
        CorpusError: it is not there, several would do, or the hub cannot be reached and it is not in the cache.
    """
    found = _listed(corpus, anonymous=True)
    if isinstance(found, Split):
        place, chosen, names, files = found.file(0), found.corpus, found.all, found.names
    else:
        names = list(found)
        chosen, files = choose(corpus, names)
        allow(found[files[0]])
        place = _download(corpus.id, files[0], tqdm_class=_told_to(tell), token=False)
    commit = next((part for part in reversed(place.parts[:-1]) if _COMMIT.fullmatch(part)), "")
    return Fetched(replace(chosen, commit=commit, files=len(files)), place, parts_of(names))


def _listed(corpus: HubCorpus, *, anonymous: bool = False) -> "Mapping[str, int | None] | Split":
    """Bytes of all files that the hub keeps of a data set; or what is here of its split where no network is asked."""
    import httpx2
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    shown = quoted(corpus.id)
    if corpus.commit:
        return _cached(corpus, "what was fetched of it has been removed", "fetch it again")
    if constants.HF_HUB_OFFLINE:
        return _cached(corpus, "the network is off (offline)")
    who: Any = {"token": False} if anonymous else {}
    try:
        listing = HfApi().dataset_info(corpus.id, revision=BRANCH, timeout=SECONDS, files_metadata=anonymous, **who)
    except GatedRepoError as error:
        raise CorpusError(f"{shown}: is gated; accept its terms on the hub and log in with 'hf auth login'") from error
    except RevisionNotFoundError as error:
        raise CorpusError(_NO_FILES.format(shown)) from error
    except RepositoryNotFoundError as error:
        raise CorpusError(f"{shown}: there is no such data set on the hub; check its spelling") from error
    except (httpx2.TransportError, HfHubHTTPError, OSError, ValueError):
        return _cached(corpus, "the hub cannot be reached")
    return {file.rfilename: file.size for file in listing.siblings or []}


def _download(id: str, name: str, **how: Any) -> Path:
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found = hf_hub_download(id, name, repo_type="dataset", revision=BRANCH, etag_timeout=SECONDS, **how)
    except (httpx2.HTTPError, HfHubHTTPError, OSError, ValueError) as error:
        raise CorpusError(
            f"{quoted(id)}: the download broke off ({type(error).__name__}); try again, it goes on where it stopped"
        ) from error
    return Path(found)


def _told_to(tell: Callable[[int, int], None]) -> Any:
    """A progress bar, as the hub's client has them, that shows nothing and tells."""
    from tqdm import tqdm

    class Told(tqdm):  # type: ignore[type-arg]
        def __init__(self, *values: Any, **options: Any) -> None:
            super().__init__(*values, **{**options, "disable": True})
            self.total, self.n = options.get("total") or 0, options.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            tell(int(self.n), int(self.total or 0))

    return Told


_NO_FILES = "{}: the hub keeps no Parquet files of it; download a file and give that"


def parts_of(names: Sequence[str]) -> dict[str, list[str]]:
    """The splits of each subset among the files of the branch, in their order."""
    found: dict[str, list[str]] = {}
    for match in filter(None, map(_FILE.fullmatch, names)):
        splits = found.setdefault(match["subset"], [])
        if match["split"] not in splits:
            splits.append(match["split"])
    return found


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
    return replace(corpus, split=split, subset=subset if several else ""), files


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


def _cached(corpus: HubCorpus, why: str, remedy: str = "connect once to fetch it, or give a file") -> Split:
    """Of the files in the cache those from the first on without a gap."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    offline = CorpusError(f"{quoted(corpus.id)}: is not on this machine and {why}; {remedy}")
    try:
        place = Path(
            snapshot_download(corpus.id, repo_type="dataset", revision=corpus.commit or BRANCH, local_files_only=True)
        )
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise offline from error
    names = [file.relative_to(place).as_posix() for file in place.rglob("*.parquet")]
    if not names:
        raise offline
    chosen, files = choose(corpus, names)
    row = [name for number, name in enumerate(files) if int(Path(name).stem) == number]
    if not row or row != files[: len(row)]:
        raise offline
    known = corpus if corpus.commit else replace(chosen, subset=chosen.subset or corpus.subset)  # others are not here
    return Split(known, row, cached=place, all=names)
