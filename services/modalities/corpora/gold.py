"""What a corpus itself says of the words of its texts: part of speech, head and relation, entity.

A reader of a format gives each text with its words (`Sentence`); here they are found in the text, and their tree is
looked over. What does not fit is left out and counted, never bent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Span = tuple[int, int]
# How data sets name lists that stand beside a list of words.
_TAGS = ("upos", "pos", "pos_tags", "upos_tags", "xpos")
_ENTITIES = ("ner_tags", "ner", "entities", "named_entities")
_HEADS = ("head", "heads", "dep_heads")
_RELATIONS = ("deprel", "deprels", "dep_rel", "relations")
_IN_PARTS = re.compile(r"(?:([BIESLU])[-_](.+)|([O_]?))")


@dataclass(frozen=True)
class Word:
    """One word of a text.

    tag: its part of speech as the corpus writes it · head: place of its head among the words, −1 of the root, None
    where the corpus has none · relation: to its head · entity: kind of the name it is a part of · "" for none
    whole: a contraction that it is a part of, with a number that tells two of them apart
    """

    form: str
    tag: str = ""
    head: int | None = None
    relation: str = ""
    entity: str = ""
    whole: tuple[int, str] | None = None


class Sentence(dict[str, Any]):
    """An entry of a table with the words of its text."""

    def __init__(self, values: Mapping[str, Any], words: Sequence[Word]) -> None:
        super().__init__(values)
        self.words = tuple(words)


@dataclass(frozen=True)
class Gold:
    """The words of one text. spans: characters of each, which those of a contraction may share · tree: it has heads"""

    words: tuple[Word, ...] = ()
    spans: tuple[Span, ...] = ()
    tree: bool = False


@dataclass
class Fit:
    """How the words of texts fit them. loose, broken: places of texts whose words are not theirs, whose heads make no
    tree
    """

    loose: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def gold(self, text: str, words: Sequence[Word], place: str) -> Gold:
        """What can be said of a text; nothing where its words are not found in it, no heads where they are no tree."""
        if not any(word.tag or word.entity or word.head is not None for word in words):
            return Gold()
        spans = placed(text, words)
        if spans is None:
            self.loose.append(place)
            return Gold()
        heads = [word.head for word in words]
        known = any(head is not None for head in heads)
        if known and not is_tree(heads):
            self.broken.append(place)
            words = [replace(word, head=None, relation="") for word in words]
            known = False
        return Gold(tuple(words), spans, known)

    def notes(self) -> list[str]:
        told = (
            (self.loose, "The words of", "are not found in their text, so that their tags were left out"),
            (self.broken, "The heads of", "make no tree, so that their relations were left out"),
        )
        return [
            f"{what} {len(places):,} text{'s' if len(places) > 1 else ''} {why}: "
            f"{', '.join(places[:3])}{' …' if len(places) > 3 else ''}."
            for places, what, why in told
            if places
        ]


def placed(text: str, words: Sequence[Word]) -> tuple[Span, ...] | None:
    """Where words stand in their text, one behind the other with nothing but white space between; None: they do not."""
    found: list[Span] = []
    at = number = 0
    while number < len(words):
        group = 1
        whole = words[number].whole
        while whole is not None and number + group < len(words) and words[number + group].whole == whole:
            group += 1
        form = words[number].form if whole is None else whole[1]
        while at < len(text) and text[at].isspace():
            at += 1
        if not form or not text.startswith(form, at):
            return None
        parts = [word.form for word in words[number : number + group]]
        if "".join(parts).casefold() == form.casefold() and len("".join(parts)) == len(form):
            for part in parts:
                found.append((at, at + len(part)))
                at += len(part)
        else:
            found += [(at, at + len(form))] * group
            at += len(form)
        number += group
    return tuple(found) if not text[at:].strip() else None


def is_tree(heads: Sequence[int | None]) -> bool:
    """Whether each word has a head among them, and following heads ends at a root."""
    if any(head is None or not -1 <= head < len(heads) or head == word for word, head in enumerate(heads)):
        return False
    ends = [head == -1 for head in heads]
    for start in range(len(heads)):
        path, at = [start], start
        while not ends[at]:
            at = int(heads[at] or 0)
            if len(path) > len(heads):
                return False
            path.append(at)
        for word in path:
            ends[word] = True
    return True


def kind_of_entity(tag: str) -> str:
    """ "PER" of "B-PER" and "I-PER"; "" of "O"."""
    found = _IN_PARTS.fullmatch(tag)
    return tag if found is None else found[2] or ""


def marks_entities(tags: Sequence[str]) -> bool:
    """Whether a column says where names begin and go on: "B-PER", "I-PER", "O"."""
    return any("-" in tag for tag in tags) and all(_IN_PARTS.fullmatch(tag) for tag in tags)


def beside(entry: Mapping[str, Any], column: str, names: Mapping[str, Sequence[str]]) -> list[Word]:
    """Words of a list in a column with what lists of the same length in the same entry say of them.

    names: of the numbers in a column, where they stand for names.
    """
    forms = entry.get(column)
    if not isinstance(forms, list) or not forms or not all(isinstance(form, str) and form.strip() for form in forms):
        return []

    def told(columns: Sequence[str]) -> list[Any] | None:
        for name in columns:
            values = entry.get(name)
            if isinstance(values, list) and len(values) == len(forms) and name != column:
                return [_named(value, names.get(name, ())) for value in values]
        return None

    tags, entities = told(_TAGS), told(_ENTITIES)
    heads, relations = told(_HEADS), told(_RELATIONS)
    if not any((tags, entities, heads)):
        return []
    rows = [[str(form).strip() for form in forms]]
    rows += [[""] * len(forms) if found is None else [str(one) for one in found] for found in (tags, entities)]
    roots = [int(one) - 1 if str(one).isdigit() else None for one in heads] if heads else [None] * len(forms)
    related = [str(one) for one in relations] if relations and heads else [""] * len(forms)
    return [
        Word(form, tag, head, relation, kind_of_entity(entity))
        for form, tag, entity, head, relation in zip(*rows, roots, related, strict=True)
    ]


def _named(value: Any, names: Sequence[str]) -> Any:
    """The name that a number stands for; a number without one says nothing."""
    if isinstance(value, int) and names:
        return names[value] if 0 <= value < len(names) else ""
    return "" if value is None else value
