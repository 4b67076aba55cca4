"""The rooms of the code and the edges between them, read from the imports; draws the picture of docs/architecture.md.

python -m tools.rooms            print the edges
python -m tools.rooms --write    draw the picture anew
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.section import with_section

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- picture: python -m tools.rooms --write -->", "<!-- end of the picture -->"
TOP = ("pages", "components")  # above all rooms of services; drawn as one box each


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, also inside functions; of `from a import b` both a and a.b may be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str | None:
    """The room of a dotted module name: the second part below services, the first of pages and components."""
    parts = name.split(".")
    if parts[0] in TOP:
        return parts[0]
    return parts[1] if parts[0] == "services" and len(parts) > 1 and not parts[1].startswith("__") else None


def files() -> Iterator[tuple[str, Path]]:
    """(room, file) of every Python file of the product."""
    for top in (*TOP, "services"):
        for path in sorted((ROOT / top).rglob("*.py")):
            room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if room:
                yield room, path


def edges() -> dict[tuple[str, str], list[str]]:
    """(importing room, imported room) → the imports behind it, as `file: module`."""
    found: dict[tuple[str, str], list[str]] = {}
    for room, path in files():
        for name in imports(path):
            other = room_of(name)
            if other and other != room:
                found.setdefault((room, other), []).append(f"{path.relative_to(ROOT)}: {name}")
    return found


def floors(graph: dict[str, set[str]]) -> dict[str, int]:
    """How many rooms lie below each one at most: the length of the longest way down.

    Raises:
        ValueError: the rooms go in a circle; the message names it.
    """
    known: dict[str, int] = {}

    def floor(room: str, way: tuple[str, ...]) -> int:
        if room in way:
            raise ValueError(" → ".join((*way[way.index(room) :], room)))
        if room not in known:
            known[room] = max((floor(other, (*way, room)) + 1 for other in graph.get(room, ())), default=0)
        return known[room]

    for room in graph:
        floor(room, ())
    return known


def graph() -> dict[str, set[str]]:
    """room → rooms that it imports."""
    found: dict[str, set[str]] = {room: set() for room, _ in files()}
    for room, other in edges():
        found[room].add(other)
    return found


def reduced(rooms: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Edges that no longer way stands for: enough to see which room stands on which."""

    def below(room: str) -> set[str]:
        found: set[str] = set()
        todo = list(rooms.get(room, ()))
        while todo:
            other = todo.pop()
            if other not in found:
                found.add(other)
                todo += rooms.get(other, ())
        return found

    return sorted(
        (room, other)
        for room, others in rooms.items()
        for other in others
        if not any(other in below(between) for between in others - {other})
    )


def picture() -> str:
    """The rooms as a Mermaid graph, the highest above; an arrow says "imports"."""
    rooms = graph()
    rooms = {
        room: others - {"errors", "settings"} for room, others in rooms.items() if room not in ("errors", "settings")
    }
    height = floors(rooms)
    lines = ["```mermaid", "graph TD"]
    lines += [f'  {room}["{room}"]' for room in sorted(rooms, key=lambda room: (-height[room], room))]
    lines += [f"  {room} --> {other}" for room, other in reduced(rooms)]
    return "\n".join([*lines, "```"])


def document(text: str) -> str:
    """The document with the picture as the code is now."""
    return with_section(text, BEGIN, END, picture())


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    height = floors(graph())
    for room, others in sorted(graph().items(), key=lambda item: (-height[item[0]], item[0])):
        print(f"{height[room]:2} {room:12} → {', '.join(sorted(others)) or '–'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
