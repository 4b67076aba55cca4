"""How much one person may have of a server: refusals say the limit and the setting that holds it."""

from dataclasses import dataclass
from pathlib import Path

from services.errors import BuildError
from services.models.memory import readable
from services.settings import Settings
from services.workshop.owners import Owners


@dataclass(frozen=True)
class Quotas:
    """What a person may have. person: "" for one without limits, as an admin, or where nobody has a name."""

    settings: Settings
    person: str = ""

    def check_tokens(self, tokens: int) -> None:
        """
        Raises:
            BuildError: more than a build may have.
        """
        most = self.settings.quota_tokens
        if self.person and most is not None and tokens > most:
            raise BuildError(
                f"It has about {tokens:,} tokens, and {most:,} are the most a build may have here"
                " (ATLAS_QUOTA_TOKENS): take fewer inputs."
            )

    def check_atlases(self) -> None:
        """
        Raises:
            BuildError: they have as many as one may have.
        """
        most = self.settings.quota_atlases
        if not self.person or most is None:
            return
        held = len(self._owners.slugs_of(self.person))
        if held >= most:
            raise BuildError(
                f"You have {held:,} atlas{'es' if held != 1 else ''} here, and {most:,} is the most a person may have"
                " (ATLAS_QUOTA_ATLASES): delete one first."
            )

    def check_bytes(self, more: int) -> None:
        """
        Raises:
            BuildError: with so many more bytes they would have more than one may have.
        """
        most = self.settings.quota_bytes
        if not self.person or most is None:
            return
        held = self.held()
        if held + more > most:
            raise BuildError(
                f"It takes {readable(more)}; you have {readable(held)} here, and {readable(most)} are the most a person"
                " may have (ATLAS_QUOTA_BYTES): delete something for good first."
            )

    def held(self) -> int:
        """Bytes of a person's atlases, those in the trash included, and of what they have uploaded."""
        from services.workshop.keeping import Keeping
        from services.workshop.uploads import Uploads

        settings = self.settings
        places: list[Path] = []
        for slug in self._owners.slugs_of(self.person):
            places += [settings.atlases / slug, settings.atlases / f"{slug}.partial"]
        places += [
            settings.trash / one.id
            for one in Keeping(settings).thrown()
            if one.ownership is not None and one.ownership.owner == self.person
        ]
        places += Uploads(settings.uploads, settings.upload_bytes).places_of(self.person)
        return sum(map(_size, places))

    @property
    def _owners(self) -> Owners:
        return Owners(self.settings.owners)


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() and not file.is_symlink() else 0
        except OSError:  # a build has just renamed it
            continue
    return total
