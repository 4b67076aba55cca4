"""Files that people bring: written aside, renamed when whole, one folder an upload; removed with what was made of them.

The limit is looked at before a byte is read. What an archive holds is looked at by a process of its own
(services.workshop.limited), never by the one that serves pages.
"""

import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.errors import UploadError
from services.modalities.corpora.wording import one_line
from services.modalities.images.decoding import SUFFIXES as IMAGES
from services.models.memory import readable

ID = re.compile(r"[0-9a-f]{32}")
TEXTS = (
    ".txt",
    ".text",
    ".md",
    ".csv",
    ".tsv",
    ".tab",
    ".jsonl",
    ".ndjson",
    ".json",
    ".parquet",
    ".pq",
    ".conllu",
    ".conll",
)
ARCHIVES = (".zip",)
PICTURES = "images"  # the folder of several images of one upload; their corpus is called so
MOST_FILES = 10_000
KEPT = 86_400.0  # seconds for which an upload that nothing was made of is kept
_BLOCK = 1 << 20
_SPARE = 100_000_000  # bytes of the disk that stay free
_LONGEST = 100
_OWNER = ".owner"  # no upload's own file: names that are given begin with no dot


@dataclass(frozen=True)
class Upload:
    """id: what a page calls it · folder: where it lies · files: their names"""

    id: str
    folder: Path
    files: tuple[str, ...]

    @property
    def corpus(self) -> Path:
        """What a build reads: the file, or the folder of images."""
        return self.folder / (self.files[0] if not (self.folder / PICTURES).is_dir() else PICTURES)

    @property
    def bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Uploads:
    """The uploads of a home folder.

    most_bytes: of one upload, all its files together · person: who asks, and finds no other person's; "" finds all
    """

    def __init__(self, folder: Path, most_bytes: int, person: str = "") -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.person = person

    def get(self, id: object) -> Upload | None:
        """The upload of this name; None when there is none."""
        if not isinstance(id, str) or not ID.fullmatch(id) or not (self.folder / id).is_dir():
            return None
        place = self.folder / id
        if self.person and _owner(place) not in ("", self.person):
            return None
        inner = place / PICTURES if (place / PICTURES).is_dir() else place
        files = tuple(sorted(file.name for file in inner.iterdir() if file.is_file() and file.name != _OWNER))
        return Upload(id, place, files) if files else None

    def receive(self, name: str, length: int | None, content: BinaryIO, id: str | None = None) -> Upload:
        """Take one file of an upload.

        Args:
            name: as the sender calls it; only its last part is kept, in harmless letters.
            length: bytes that will come; what says none is refused.
            id: of the upload that it joins; None: a new one.

        Raises:
            UploadError: too large, of a kind that cannot be read, cut short, or no room; nothing of it is left.
        """
        name, kind = _named(name)
        before = self.get(id) if id is not None else None
        if id is not None and before is None:
            raise UploadError("That upload is gone; choose the files again.")
        self._check(name, kind, length, before)
        assert length is not None
        place = before.folder if before else self.folder / secrets.token_hex(16)
        part = self.folder / f".{secrets.token_hex(16)}.part"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_stream(part, length, content, name)
            inner = place / PICTURES if kind == "image" else place
            inner.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.person:
                (place / _OWNER).write_text(self.person, encoding="utf-8")
            part.rename(_free(inner / name))
        except OSError as error:
            raise UploadError(f"{name} cannot be stored ({error.strerror}); make room there.") from error
        finally:
            part.unlink(missing_ok=True)
            if self.get(place.name) is None:  # nothing came
                shutil.rmtree(place, ignore_errors=True)
        found = self.get(place.name)
        assert found is not None
        return found

    def paste(self, text: str, name: str = "pasted sentences.txt") -> Upload:
        """Keep a pasted text as if it were a file.

        Raises:
            UploadError: as `receive`.
        """
        import io

        data = text.encode("utf-8", "replace")
        return self.receive(name, len(data), io.BytesIO(data))

    def places_of(self, person: str) -> list[Path]:
        """The folders of what a person has uploaded."""
        with suppress(OSError):
            return [place for place in self.folder.iterdir() if ID.fullmatch(place.name) and _owner(place) == person]
        return []

    def discard(self, id: object) -> None:
        if isinstance(id, str) and ID.fullmatch(id):
            shutil.rmtree(self.folder / id, ignore_errors=True)

    def sweep(self, wanted: set[str], now: float | None = None) -> None:
        """Remove what has lain for a day and is not wanted, and what a killed process left half written."""
        now = time.time() if now is None else now
        with suppress(OSError):
            for place in self.folder.iterdir():
                with suppress(OSError):
                    if place.name not in wanted and now - place.stat().st_mtime > KEPT:
                        shutil.rmtree(place) if place.is_dir() else place.unlink()

    def _check(self, name: str, kind: str, length: int | None, before: Upload | None) -> None:
        if length is None:
            raise UploadError(f"{name} does not say how large it is; send it with its length.")
        if length < 1:
            raise UploadError(f"{name} is empty.")
        held = before.bytes if before else 0
        if held + length > self.most_bytes:
            together = " together" if before else ""
            raise UploadError(
                f"{name} has {readable(held + length)}{together}; {readable(self.most_bytes)} are the most that can be"
                " uploaded here (ATLAS_UPLOAD_BYTES)."
            )
        if before is not None and (kind != "image" or not (before.folder / PICTURES).is_dir()):
            raise UploadError("An upload is one file, or several images.")
        if before is not None and len(before.files) >= MOST_FILES:
            raise UploadError(f"An upload holds at most {MOST_FILES:,} images; pack more into a zip.")
        with suppress(OSError):
            free = shutil.disk_usage(self.folder if self.folder.is_dir() else self.folder.parent).free
            if length + _SPARE > free:
                raise UploadError(f"There is no room for {name} ({readable(length)}): {readable(free)} are free.")


def _owner(place: Path) -> str:
    """Who has uploaded it; "" where nobody has a name."""
    try:
        return (place / _OWNER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _named(name: str) -> tuple[str, str]:
    """A harmless file name, and what it is: "text", "archive" or "image"."""
    last = re.split(r"[\\/]", one_line(name))[-1].strip().lstrip(".")
    stem, dot, ending = last.rpartition(".")
    suffix = f"{dot}{ending}".lower()
    compressed = suffix == ".gz"
    if compressed:
        stem, dot, ending = stem.rpartition(".")
        suffix = f"{dot}{ending}".lower()
    kind = "text" if suffix in TEXTS else "archive" if suffix in ARCHIVES else "image" if suffix in IMAGES else ""
    if not stem or not kind or (compressed and kind != "text"):
        known = ", ".join(
            (*TEXTS[:1], ".csv", ".tsv", ".jsonl", ".json", ".parquet", *ARCHIVES, ".png", ".jpg", ".webp")
        )
        raise UploadError(f"{last[:60] or 'That'} is of no kind that can be read here; give one of {known}.")
    plain = re.sub(r"[^\w .()+-]", "_", stem)[:_LONGEST].strip(" .") or "file"
    return f"{plain}{suffix}{'.gz' if compressed else ''}", kind


def _free(file: Path) -> Path:
    """The same name, with a number where it is taken."""
    number, found = 2, file
    while found.exists():
        found = file.with_stem(f"{file.stem}-{number}")
        number += 1
    return found


def write_stream(part: Path, length: int, content: BinaryIO, name: str) -> None:
    """Write so many bytes of a stream, and no more. Raises: UploadError when fewer come; OSError."""
    left = length
    with part.open("xb") as file:
        while left and (block := content.read(min(_BLOCK, left))):
            file.write(block)
            left -= len(block)
    if left:
        raise UploadError(f"{name} was cut short on its way; send it again.")
