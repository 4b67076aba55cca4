"""Chats in a column: lists of turns, each with a role and a content, or as ShareGPT writes them, from and value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from services.modalities.corpora.table import Table, nested

# A chat is one input, written by the model's own template, or each of its turns is.
Chats = Literal["template", "turns"]
ROLE = "role"
_ROLES = {"human": "user", "gpt": "assistant"}  # of ShareGPT


@dataclass(frozen=True)
class Turn:
    role: str
    content: str


def chat_of(value: Any) -> tuple[Turn, ...]:
    """The turns of a chat; () of anything else."""
    if not isinstance(value, list):
        return ()
    found = []
    for turn in value:
        if not isinstance(turn, dict):
            return ()
        role, content = (turn["from"], turn.get("value")) if "from" in turn else (turn.get("role"), turn.get("content"))
        if not isinstance(role, str) or not isinstance(content, str):
            return ()
        found.append(Turn(_ROLES.get(role, role), content))
    return tuple(found)


def by_turns(table: Table, column: str) -> None:
    """Make each turn of the chats in a column an entry of its own, its role a column."""

    before = table.rows

    def rows() -> Iterator[tuple[int, Any]]:
        for number, entry in before:
            chat = chat_of(nested(entry, column)) if isinstance(entry, dict) else ()
            if not chat:
                yield number, entry
            for turn in chat:
                yield number, {**entry, column: turn.content, ROLE: turn.role}

    table.rows = rows()
    table.columns = tuple(dict.fromkeys((*table.columns, ROLE)))
    table.remarks.append("Read each turn of a chat as an input of its own; who speaks is the column role.")
