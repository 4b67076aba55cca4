"""How a shared choice is declared: once, as an annotated field of the store that owns it.

    class Picture(Store):
        id = "picture"
        rings: Annotated[bool, Switch(on="on", off="off")] = True

The field's name, type and default are Python's; the annotation says how the choice stands in a link (its parameter,
the field's name if nothing else is said, and its words), the sentence when a bad value is dropped, the control that
makes the choice and the property of the scene that shows it. Links and posted stores are read through it, and
`components.state.tables` serves it to the browser, which writes stores and links by it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from components.state.link import Link

NOT_HERE = "{name}={value} is not in this atlas; showing {instead} instead."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A field's place in a link.

    parameter: its name there; several fields may share one (`Word`, `Positions`).
    always: written even when it is as by default.
    needs: a field of a store that must have a value, else the parameter is not written; `but_not`: one that must not.
    moves: kept when the reader opens another atlas. step: a change is one that the browser's back button undoes.
    control: id of the control that makes this choice alone; ticks: of checklists that hold it as one of several.
    shows: property of the view of the store (head scene or sentence) that is given the value as it is.
    """

    kind: ClassVar[str] = "text"  # how the browser writes the value: assets/05-link.js
    parameter: str = ""
    always: bool = False
    needs: str = ""
    but_not: str = ""
    moves: bool = False
    step: bool = False
    control: str = ""
    ticks: tuple[str, ...] = ()
    shows: str = ""

    def read(self, link: Link, fields: Mapping[str, Self], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the fields that share this parameter; what is left out stays as by default."""
        (name,) = fields
        return {name: self.value(link, defaults[name])}

    def value(self, link: Link, default: Any) -> Any:
        """The value of the one field of this parameter."""
        raise NotImplementedError

    def allows(self, value: Any) -> bool:
        """Whether a posted store may hold the value, as far as that can be said without an atlas."""
        return True

    def facts(self) -> dict[str, Any]:
        """What the browser must know beside the kind."""
        return {}


@dataclass(frozen=True, kw_only=True)
class OneOf(Choice):
    """One of several values.

    values: all of them, or a function that tells those of the atlas at hand.
    default: a function where the default depends on the atlas too.
    sentence: with {name}, {value}, {instead} and {allowed}; `instead` is the default in words.
    """

    values: Sequence[Any] | Callable[[Link], Sequence[Any]]
    default: Callable[[Link], Any] | None = None
    sentence: str = NOT_HERE
    instead: str = ""

    def value(self, link: Link, default: Any) -> Any:
        values = self.values(link) if callable(self.values) else self.values
        default = self.default(link) if self.default else default
        if self.parameter not in link:
            return default
        text, number = link.text(self.parameter), link.integer(self.parameter)
        for value in values:
            if value == (number if isinstance(value, int) else text):
                return value
        words = {"name": self.parameter, "value": link.shown(self.parameter), "allowed": ", ".join(map(str, values))}
        link.drop(self.sentence.format(**words, instead=self.instead or default))
        return default

    def allows(self, value: Any) -> bool:
        return callable(self.values) or value in self.values

    def facts(self) -> dict[str, Any]:
        return {} if callable(self.values) else {"values": list(self.values)}


@dataclass(frozen=True, kw_only=True)
class Switch(Choice):
    """On or off, each with its word in links."""

    kind = "switch"
    on: str = "on"
    off: str = "off"

    def value(self, link: Link, default: Any) -> bool:
        text = link.text(self.parameter)
        if text is None or text in (self.on, self.off):
            return default if text is None else text == self.on
        instead = self.on if default else self.off
        link.drop(NOT_HERE.format(name=self.parameter, value=link.shown(self.parameter), instead=instead))
        return default

    def facts(self) -> dict[str, Any]:
        return {"on": self.on, "off": self.off}


@dataclass(frozen=True, kw_only=True)
class Number(Choice):
    """A whole number; None where the link has none or a bad one: its store's own `read` says so in a sentence."""

    def value(self, link: Link, default: Any) -> int | None:
        return link.integer(self.parameter)


@dataclass(frozen=True, kw_only=True)
class LayerNumber(Number):
    """A layer: stores hold its row in the stream's arrays, links its number in the model."""

    kind = "layer"

    def value(self, link: Link, default: Any) -> int | None:
        row = link.stream.row(super().value(link, None))
        return default if row is None else row


@dataclass(frozen=True, kw_only=True)
class Parsed(Choice):
    """Any other value: `by` reads it from a link, which may be without it, and drops a bad one with a sentence."""

    by: Callable[[Link, Any], Any]

    def value(self, link: Link, default: Any) -> Any:
        return self.by(link, default)


@dataclass(frozen=True, kw_only=True)
class Word(Choice):
    """One of the words, joined by hyphens, of a parameter that several fields share.

    word, means: the field has the value `means` where the word stands.
    number: the word is followed by a whole number up to `most`, `scale` times the value.
    """

    kind = "words"
    word: str
    means: Any = True
    number: bool = False
    most: int = 999
    scale: int = 1

    def read(self, link: Link, fields: Mapping[str, Self], defaults: Mapping[str, Any]) -> dict[str, Any]:
        text = link.text(self.parameter)
        found: dict[str, Any] = {}
        wrong: list[str] = []
        for word in (text or "")[:200].split("-"):
            known = next(((name, value) for name, one in fields.items() if (value := one._of(word)) is not None), None)
            if known:
                found[known[0]] = known[1]
            elif word:
                wrong.append(word)
        if wrong or text == "":
            link.drop(f"{self.parameter}={'-'.join(wrong)[:40]!r} is no way to read an input; it is left out.")
        return found

    def _of(self, word: str) -> Any:
        """The value that a word of a link means; None when it is not this field's."""
        if not self.number:
            return self.means if word == self.word else None
        match = re.fullmatch(rf"{self.word}(\d{{1,3}})", word, re.ASCII)
        if match is None or int(match[1]) > self.most:
            return None
        return int(match[1]) if self.scale == 1 else int(match[1]) / self.scale

    def facts(self) -> dict[str, Any]:
        if self.number:
            return {"word": self.word, "scale": self.scale}
        return {"word": self.word, "means": self.means}


class Store(BaseModel):
    """A few choices with one owner: frozen, ignores what it does not know, never raises on foreign data.

    id, property: of the component that holds them in a browser: a `dcc.Store` of this id, if nothing else is said.
    late: the store's writer waits for the server; the address does not wait for it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: ClassVar[str]
    property: ClassVar[str] = "data"
    late: ClassVar[bool] = False

    @classmethod
    def choices(cls) -> dict[str, Choice]:
        """The declarations of this store's fields that stand in links, by field."""
        return _choices(cls)

    @classmethod
    def parameters(cls) -> dict[str, dict[str, Choice]]:
        """The store's parameters of a link, each with the fields it is about."""
        found: dict[str, dict[str, Choice]] = {}
        for name, choice in cls.choices().items():
            found.setdefault(choice.parameter, {})[name] = choice
        return found

    def shown(self) -> dict[str, Any]:
        """Properties of the store's view and their values."""
        return {choice.shows: getattr(self, name) for name, choice in self.choices().items() if choice.shows}

    @classmethod
    def read(cls, link: Link) -> Self:
        """The nearest valid choices of a link; `link.dropped` gets a sentence for each that was not valid."""
        defaults = cls().model_dump()
        link.found = {}
        for fields in cls.parameters().values():
            first = next(iter(fields.values()))
            link.found |= first.read(link, fields, defaults)
        return cls(**link.found)

    @classmethod
    def from_store(cls, data: Any) -> Self:
        """The posted value, or the default when it is not valid."""
        try:
            return cls.model_validate(data or {})
        except ValidationError:
            return cls()

    def to_store(self) -> dict[str, Any]:
        return self.model_dump()

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        for name, choice in self.choices().items():
            if not choice.allows(getattr(self, name)):
                raise ValueError(name)
        return self


@cache
def _choices(store: type[Store]) -> dict[str, Choice]:
    found = {}
    for name, field in store.model_fields.items():
        for part in field.metadata:
            if isinstance(part, Choice):
                found[name] = part if part.parameter else replace(part, parameter=name)
    return found
