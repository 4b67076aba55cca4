"""The atlases of a home: renamed, noted on, thrown away for a day, opened from a file that somebody sent."""

import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from services.atlas import INFO, SLUG, Atlas, arrays, open_atlas
from services.errors import AtlasError, BuildError, BusyError, UploadError
from services.models.memory import readable
from services.pipeline.journal import Journal
from services.pipeline.lock import build_lock
from services.pipeline.request import slugify
from services.settings import Settings
from services.workshop.limited import limited
from services.workshop.orders import BROUGHT, Order
from services.workshop.owners import Owners, Ownership, read_ownership
from services.workshop.uploads import ID, write_stream

if TYPE_CHECKING:
    from services.workshop.quotas import Quotas

KEPT = 86_400.0  # seconds for which a deleted atlas can be had again
MOST_TITLE = 120
MOST_NOTES = 4_000
_THROWN = re.compile(r"(?P<slug>[a-z0-9][a-z0-9._-]{0,63})@(?P<when>\d{1,12})@[0-9a-f]{8}")
_OWNER = "owner.json"
_CHECKING = 600.0  # seconds to look at an atlas that was sent


@dataclass(frozen=True)
class Thrown:
    """A deleted atlas. id: its folder in the trash · when: seconds since 1970"""

    id: str
    slug: str
    title: str
    when: float
    ownership: Ownership | None = None

    @property
    def until(self) -> float:
        return self.when + KEPT


@dataclass(frozen=True)
class Keeping:
    """What may be done to the atlases of a home folder; nothing while a build is at work on one.

    person: whose an atlas is that they open; "" where nobody has a name · quotas: theirs; None: none
    """

    settings: Settings
    person: str = ""
    quotas: "Quotas | None" = None

    @property
    def owners(self) -> Owners:
        return Owners(self.settings.owners)

    def describe(self, slug: object, title: str, notes: str) -> None:
        """Give an atlas another title and notes.

        Raises:
            BuildError: there is no such atlas, it is at work, or a text is empty or too long.
        """
        folder = self._folder(slug)
        title, notes = " ".join(title.split()), notes.strip()
        if not title or len(title) > MOST_TITLE or not title.isprintable():
            raise BuildError(f"A title is one line of 1 to {MOST_TITLE} characters.")
        if len(notes) > MOST_NOTES:
            raise BuildError(f"Notes are at most {MOST_NOTES:,} characters; these have {len(notes):,}.")
        with _still(folder):
            info = open_atlas(folder).info.model_copy(update={"title": title, "about": notes})
            journal = Journal.load(folder)
            if journal is not None:
                journal.facts.update(title=title, about=notes)
                journal.save()
            arrays.write_json(folder / INFO, info.model_dump(mode="json"))

    def delete(self, slug: object) -> Thrown:
        """Put an atlas, with what was uploaded for it, where it can be had again for a day.

        Raises:
            BuildError: there is none, or it is at work.
        """
        folder = self._folder(slug)
        place = self.settings.trash / f"{folder.name}@{int(time.time())}@{secrets.token_hex(4)}"
        with _still(folder), arrays.disk_errors(place):
            place.mkdir(mode=0o700, parents=True)
            if (ownership := self.owners.of(folder.name)) is not None:  # first: what has none is everyone's
                arrays.write_json(place / _OWNER, ownership.model_dump(mode="json"))
            folder.rename(place / "atlas")
            for name, source in self._belongings(folder.name).items():
                with suppress(OSError):
                    source.rename(place / name)
            self.owners.forget(folder.name)
        found = self._thrown(place)
        assert found is not None
        return found

    def restore(self, id: object) -> str:
        """Undo: the slug under which it is there again, another one where its own has been taken.

        Raises:
            BuildError: it is gone.
        """
        thrown = self._named(id)
        place = self.settings.trash / thrown.id
        folder = self._claimed(thrown.slug, thrown.ownership)
        with arrays.disk_errors(folder):
            (place / "atlas").rename(folder)
        if folder.name == thrown.slug:
            for name, target in self._belongings(thrown.slug, there=False, within=place).items():
                with suppress(OSError):
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    (place / name).rename(target)
        shutil.rmtree(place, ignore_errors=True)
        return folder.name

    def purge(self, id: object) -> None:
        """Remove a deleted atlas for good.

        Raises:
            BuildError: it is gone.
        """
        shutil.rmtree(self.settings.trash / self._named(id).id, ignore_errors=True)

    def thrown(self, now: float | None = None) -> list[Thrown]:
        """What can be had again, the last deleted first; what is older than a day is removed."""
        now = time.time() if now is None else now
        try:
            places = list(self.settings.trash.iterdir())
        except OSError:
            return []
        found = []
        for place in places:
            one = self._thrown(place)
            if one is None or not now - one.when + KEPT >= 0 or now > one.until:
                shutil.rmtree(place, ignore_errors=True)
            else:
                found.append(one)
        return sorted(found, key=lambda one: -one.when)

    def receive(self, name: str, length: int | None, content: BinaryIO) -> str:
        """Open an atlas that was sent as one file: its slug.

        Raises:
            UploadError: too large, no whole atlas, or anything unsafe; nothing of it is left.
        """
        if self.quotas is not None:
            self.quotas.check_atlases()
            self.quotas.check_bytes(length or 0)
        shown = re.sub(r"[^\w .()+@-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1])[:100] or "The file"
        most = self.settings.atlas_bytes
        if length is None:
            raise UploadError(f"{shown} does not say how large it is; send it with its length.")
        if length > most:
            raise UploadError(
                f"{shown} has {readable(length)}; {readable(most)} are the most that can be opened here"
                " (ATLAS_ATLAS_BYTES)."
            )
        token = secrets.token_hex(16)
        part, aside = self.settings.uploads / f".{token}.part", self.settings.atlases / f".incoming-{token}"
        try:
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            room = shutil.disk_usage(self.settings.atlases).free
            if 2 * length > room:
                raise UploadError(
                    f"There is no room for {shown}: it needs {readable(2 * length)}, {readable(room)} are free."
                )
            write_stream(part, length, content, shown)
            aside.mkdir(mode=0o700)
            values = {"file": str(part), "folder": str(aside), "most_bytes": most, "shown": shown}
            told = limited("unpack", values, self.settings, _CHECKING)
            part.unlink()
            (aside / BROUGHT).touch()
            slug = told["slug"] if SLUG.fullmatch(told["slug"]) else slugify(told["title"])
            folder = self._claimed(slug, Ownership(owner=self.person) if self.person else None)
            aside.rename(folder)
        except OSError as error:
            raise UploadError(f"{shown} cannot be stored ({error.strerror}); make room there.") from error
        finally:
            part.unlink(missing_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
        return folder.name

    def sweep(self, now: float | None = None) -> None:
        """Remove what is older than a day in the trash, and what a killed server left half unpacked."""
        now = time.time() if now is None else now
        self.thrown(now)
        with suppress(OSError):
            used = {one.name.removesuffix(".partial") for one in self.settings.atlases.iterdir()}
            self.owners.sweep(used | {file.stem for file in self.settings.orders.glob("*.json")}, now)
        with suppress(OSError):
            for place in self.settings.atlases.glob(".incoming-*"):
                if ID.fullmatch(place.name.removeprefix(".incoming-")) and now - place.stat().st_mtime > KEPT:
                    shutil.rmtree(place, ignore_errors=True)

    def free_folder(self, slug: str) -> Path:
        """Where nothing is yet: the slug, or one with a number."""
        slug = slug.removesuffix(".partial")
        number, folder = 2, self.settings.atlases / slug
        while any(
            one.exists() for one in (folder, folder.with_name(f"{folder.name}.partial"))
        ) or self.owners.is_claimed(folder.name):
            folder = folder.with_name(f"{slug[:58].rstrip('-.')}-{number}")
            number += 1
        return folder

    def _claimed(self, slug: str, ownership: Ownership | None) -> Path:
        """Where an atlas will be, which is its owner's before it is there."""
        while True:
            folder = self.free_folder(slug)
            if ownership is None or self.owners.claim(folder.name, ownership):
                return folder

    def _folder(self, slug: object) -> Path:
        if not isinstance(slug, str) or not SLUG.fullmatch(slug) or slug.endswith(".partial"):
            raise BuildError("There is no such atlas.")
        folder = self.settings.atlases / slug
        if not folder.is_dir():
            raise BuildError(f"There is no atlas {slug}; somebody may have deleted it.")
        return folder

    def _belongings(self, slug: str, there: bool = True, within: Path | None = None) -> dict[str, Path]:
        """What goes with an atlas: name in the trash → where it lies otherwise."""
        order_file = (within / "order.json") if within else self.settings.orders / f"{slug}.json"
        found = {"order.json": self.settings.orders / f"{slug}.json"}
        with suppress(OSError, ValueError, RecursionError):
            upload = Order.model_validate_json(order_file.read_text(encoding="utf-8")).upload
            if upload and ID.fullmatch(upload):
                found["upload"] = self.settings.uploads / upload
        return {name: path for name, path in found.items() if path.exists() or not there}

    def _named(self, id: object) -> Thrown:
        found = next((one for one in self.thrown() if one.id == id), None)
        if found is None:
            raise BuildError("That atlas is gone for good.")
        return found

    def _thrown(self, place: Path) -> Thrown | None:
        match = _THROWN.fullmatch(place.name)
        if match is None or not (place / "atlas").is_dir():
            return None
        title = match["slug"]
        with suppress(AtlasError):
            title = open_atlas(place / "atlas").info.title
        ownership = read_ownership(place / _OWNER) if (place / _OWNER).exists() else None
        return Thrown(place.name, match["slug"], title, float(match["when"]), ownership)


class _still:  # noqa: N801 - used as a context manager only
    """Nothing builds into a folder while the block lasts. Raises: BusyError, in the words of a page."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._name = build_lock(folder), folder.name

    def __enter__(self) -> None:
        try:
            self._lock.__enter__()
        except BusyError as error:
            raise BusyError(f"{self._name} is at work; wait until its build is done, or stop it.") from error

    def __exit__(self, *error: Any) -> None:
        self._lock.__exit__(*error)


def same_as(atlas: Atlas, others: list[Atlas]) -> list[Atlas]:
    """Other atlases of the same model and corpus."""

    def made_of(one: Atlas) -> tuple[str, str, str]:
        return one.info.model.id, one.info.model.revision, one.info.corpus.sha256

    return [other for other in others if other.slug != atlas.slug and made_of(other) == made_of(atlas)]
