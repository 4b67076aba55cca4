"""What a reader asks of an atlas's model beside a probe: why a pair, or what happens without a head or a token.

Answers are JSON files of the cache: `<folder>/answer-<id>.json`; nothing enters the atlas. This file is light: the web
process imports it.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.atlas import Atlas, arrays
from services.atlas.schema import StreamInfo
from services.errors import ProbeError
from services.payloads.images import has_images
from services.probe.brought import MOST_TOKENS
from services.streams.registry import kind_named

VERSION = 1  # of what is kept
MOST_KEPT = 400  # answers; those asked for longest ago go first


class Question(BaseModel):
    """Base of what is asked. input: of the corpus; None: `text`, a reader's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    input: int | None = None
    text: str = ""
    stream: str

    def id(self, atlas: Atlas) -> str:
        """16 hexadecimal digits of the content and of the atlas that it is asked of."""
        content = json.dumps([VERSION, type(self).__name__, atlas.info.key, self.model_dump()])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def checked(self, atlas: Atlas, most_tokens: int) -> StreamInfo:
        """The stream.

        Raises:
            ProbeError: there is no such stream or input, or the input is too long to be run while a reader waits.
        """
        stream = atlas.info.stream(self.stream)
        if stream is None:
            raise ProbeError(f"This atlas has no attention {self.stream[:40]!r}.")
        if stream.attention == "none":
            raise ProbeError(f"{kind_named(stream.kind).label} is no attention of the model: choose another.")
        if self.input is None:
            return stream
        if not 0 <= self.input < len(atlas.inputs):
            raise ProbeError(f"There is no input {self.input}: the atlas has {len(atlas.inputs)}, from 0.")
        most_tokens = most_of(atlas, most_tokens)
        longest = max(int(atlas.tokens(table).counts[self.input]) for table in stream.tables)
        if longest > most_tokens:
            raise ProbeError(
                f"Input {self.input} has {longest:,} tokens; {most_tokens:,} are the most that are run while you wait"
                " (ATLAS_PROBE_TOKENS)."
            )
        return stream


class PairQuestion(Question):
    """Why does this query attend to this key, by places within the input."""

    layer: int = Field(ge=0)
    head: int = Field(ge=0)
    query: int = Field(ge=0)
    key: int = Field(ge=0)

    def checked(self, atlas: Atlas, most_tokens: int) -> StreamInfo:
        stream = super().checked(atlas, most_tokens)
        check_head(stream, self.layer, self.head)
        if self.input is not None:
            counts = [int(atlas.tokens(table).counts[self.input]) for table in stream.tables]
            check_token("query", self.query, counts[0])
            check_token("key", self.key, counts[1])
        return stream


class WeightsQuestion(Question):
    """How alike are the heads of a stream by their weights: answered with a map of heads, not with a text."""


class SwitchQuestion(Question):
    """What happens without some heads, or without a token as key; without either it is the model as it is.

    heads: (layer, head), rising · key: place within the input's keys · random: instead of an input, random tokens that
    are said twice
    """

    heads: tuple[tuple[int, int], ...] = ()
    key: int | None = None
    random: bool = False

    @property
    def untouched(self) -> "SwitchQuestion":
        """The same with nothing switched off."""
        return self.model_copy(update={"heads": (), "key": None})

    def checked(self, atlas: Atlas, most_tokens: int) -> StreamInfo:
        if self.random and atlas.info.modality != "text":
            raise ProbeError("The model of this atlas reads images, and only models of text can read random tokens.")
        asked = self.model_copy(update={"input": None}) if self.random else self
        stream = super(SwitchQuestion, asked).checked(atlas, most_tokens)
        for layer, head in self.heads:
            check_head(stream, layer, head)
        if self.key is not None and asked.input is not None:
            check_token("key", self.key, int(atlas.tokens(stream.key_table).counts[asked.input]))
        return stream


def most_of(atlas: Atlas, most_tokens: int) -> int:
    """How many tokens an input can have to be run while a reader waits; most_tokens: of a text."""
    if atlas.info.modality == "text":
        return most_tokens
    if not has_images(atlas):
        raise ProbeError("This atlas keeps no pixels of its images, so that its model cannot be run on them again.")
    return MOST_TOKENS


def check_head(stream: StreamInfo, layer: int, head: int) -> None:
    """Raises: ProbeError: the stream has no such head."""
    if not (0 <= layer < stream.layers and 0 <= head < stream.heads):
        raise ProbeError(
            f"There is no head L{layer}H{head}: the model has layers 0 to {stream.layers - 1} of heads 0 to"
            f" {stream.heads - 1}."
        )


def check_token(side: str, place: int, count: int) -> None:
    """Raises: ProbeError: the input has no such token."""
    if not 0 <= place < count:
        raise ProbeError(f"There is no {side} {place}: the input has {count}, from 0.")


def find(folder: Path, id: str) -> Mapping[str, Any] | None:
    """An answer that is there."""
    try:
        found = json.loads(_file(folder, id).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else None
    except (OSError, ValueError):
        return None


def keep(folder: Path, id: str, answer: Mapping[str, Any]) -> None:
    """Write an answer, whole or not at all, and forget the oldest.

    Raises:
        BuildError: the disk is full or read-only.
    """
    file = _file(folder, id)
    half = file.with_name(f".{file.name}")
    with arrays.disk_errors(file):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        half.write_text(json.dumps(answer), encoding="utf-8")
        half.replace(file)
    with suppress(OSError):
        kept = sorted(folder.glob("answer-*.json"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)


def _file(folder: Path, id: str) -> Path:
    return folder / f"answer-{id}.json"
