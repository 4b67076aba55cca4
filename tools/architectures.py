"""The table of architectures in docs/models.md, drawn from the one that the tests go through.

python -m tools.architectures            print it
python -m tools.architectures --write    write it anew
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from services.streams.registry import kind_named
from tests.unit.architectures import REFUSED, ROWS
from tools.section import with_section

DOCUMENT = Path(__file__).parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- table: python -m tools.architectures --write -->", "<!-- end of the table -->"
MASKS = {"full": "all", "causal": "those before", "sliding": "a window before"}


def table() -> str:
    """Both tables as Markdown."""
    return "\n".join((*_captured(), "", *_refused()))


def _captured() -> Iterator[str]:
    yield "| captured | attention | sees | positions | added to q·k | remark |"
    yield "|---|---|---|---|---|---|"
    for row in ROWS.values():
        kinds = " · ".join(dict.fromkeys(kind_named(name.split("_")[0]).label.lower() for name in row.streams))
        sees = MASKS[row.mask] if len(row.streams) == 1 else "by stream"
        remark = row.remark or ("only some layers attend, and keep their numbers" if row.layers else "–")
        yield f"| {row.label} | {kinds} | {sees} | {row.positions} | {row.adds or '–'} | {remark} |"


def _refused() -> Iterator[str]:
    yield "| refused | reason |"
    yield "|---|---|"
    for label, _, reason in REFUSED.values():
        yield f"| {label} | … {reason} … |"


def document(text: str) -> str:
    """The document with the tables as they are now."""
    return with_section(text, BEGIN, END, table())


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
