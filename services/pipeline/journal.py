"""What a build has finished, kept beside the files so that a killed build can go on."""

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.atlas import arrays, upgrade
from services.atlas.schema import SCHEMA_VERSION, FileInfo

JOURNAL = "build.json"


class Journal:
    """`build.json`: the request, finished units of each stage, finished files and facts for `atlas.json`.

    The facts are parts of an `atlas.json` of the journal's schema version, and are upgraded as that is.
    """

    def __init__(self, folder: Path, request: dict[str, Any]) -> None:
        self._folder = folder
        parts: dict[str, Any] = {"request": request, "files": {}, "done": {}, "facts": {}}
        self._content = {"schema_version": SCHEMA_VERSION, **parts}
        self._saved = 0.0

    @classmethod
    def load(cls, folder: Path) -> "Journal | None":
        """The journal of a folder, or None when there is none that can be read."""
        try:
            content = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        parts = ("request", "files", "done", "facts")
        whole = isinstance(content, dict) and all(isinstance(content.get(part), dict) for part in parts)
        if not whole or not _upgrade(content):
            return None
        journal = cls(folder, {})
        journal._content = content
        return journal

    @property
    def request(self) -> dict[str, Any]:
        return self._content["request"]

    @property
    def facts(self) -> dict[str, Any]:
        return self._content["facts"]

    @property
    def files(self) -> dict[str, FileInfo]:
        return {name: FileInfo.model_validate(info) for name, info in self._content["files"].items()}

    def record_file(self, name: str, info: FileInfo) -> None:
        self._content["files"][name] = info.model_dump()
        self.save()

    def take_over(self, files: Mapping[str, FileInfo]) -> None:
        """Note files that another journal knew as finished."""
        self._content["files"] = {name: info.model_dump() for name, info in files.items()}
        self.save()

    def record_layout(self, name: str, info: FileInfo, projection: dict[str, Any]) -> None:
        """Note a finished layout: its file and what `atlas.json` says of it, in one step."""
        self.facts.setdefault("projections", []).append(projection)
        self.record_file(name, info)

    def drop(self, names: Iterable[str]) -> None:
        """Forget finished files; of layouts also what `atlas.json` would say of them, and their thumbnails."""
        names = set(names)
        names |= {f"{name.removesuffix('.npy')}_density.npy" for name in names}
        self._content["files"] = {name: info for name, info in self._content["files"].items() if name not in names}
        self.facts["projections"] = [
            layout
            for layout in self.facts.get("projections", [])
            if f"{layout['stream']}/{layout['method']}{layout['dims']}d.npy" not in names
        ]

    def note(self, sentences: Iterable[str]) -> None:
        """Remember sentences about single heads ("L2 head 3: …") for `atlas.json`; each once."""
        known = self.facts.setdefault("notes", [])
        known += [sentence for sentence in sentences if sentence not in known]

    def has_file(self, name: str) -> bool:
        return name in self._content["files"] and (self._folder / name).is_file()

    def done(self, stage: str) -> set[int]:
        """Finished units of a stage."""
        return set(_from_ranges(self._content["done"].get(stage, [])))

    def stages(self) -> list[str]:
        """Stages with finished units."""
        return list(self._content["done"])

    def due(self, every: float) -> bool:
        """Whether the last save is more than so many seconds ago."""
        return time.monotonic() - self._saved >= every

    def record(self, stage: str, units: Iterable[int]) -> None:
        """Note all finished units of a stage."""
        self._content["done"][stage] = _to_ranges(units)
        self.save()

    def forget(self, prefix: str, keep: str = "") -> None:
        """Drop the finished units of all stages whose names start with `prefix`, but for the stage `keep`."""
        self._content["done"] = {
            stage: units
            for stage, units in self._content["done"].items()
            if stage == keep or not stage.startswith(prefix)
        }
        self.save()

    def save(self) -> None:
        arrays.write_json(self._folder / JOURNAL, self._content)
        self._saved = time.monotonic()


def _upgrade(content: dict[str, Any]) -> bool:
    """Bring a journal to the present schema version; False when it is of another that cannot be had."""
    version = content.get("schema_version", 1)
    with suppress(upgrade.TooOldError):
        facts = upgrade.upgraded(content["facts"] | {"schema_version": version})
        content["facts"] = {name: value for name, value in facts.items() if name != "schema_version"}
        content["schema_version"] = facts["schema_version"]
    return content.get("schema_version") == SCHEMA_VERSION


def _to_ranges(units: Iterable[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for unit in sorted(units):
        if ranges and unit == ranges[-1][1] + 1:
            ranges[-1][1] = unit
        else:
            ranges.append([unit, unit])
    return ranges


def _from_ranges(ranges: Iterable[list[int]]) -> Iterable[int]:
    for first, last in ranges:
        yield from range(first, last + 1)
