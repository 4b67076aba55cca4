"""Documents that are drawn from registries: what they say is what the program does.

python -m tools.documents            name those that differ
python -m tools.documents --write    write them anew
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from services.measures import registry
from services.measures.measure import HeadMeasure

DOCS = Path(__file__).parents[1] / "docs"
_OF = {"head": "a head", "map": "a map", "space": "a map, vectors"}


def head_measures() -> str:
    """docs/measures.md."""
    return "\n".join(_head_measures()) + "\n"


def _head_measures() -> Iterator[str]:
    yield "# Head measures"
    yield ""
    yield (
        "One number about every head. A build computes them all and keeps them in `<stream>/measures.parquet` "
        "(docs/atlas-format.md); each is a badge and an order of heads in the matrix, a line of the tab Head, and a "
        "column of the exported table of heads. A number *of a map* is there for every map, one *of a map, vectors* "
        "also for the aligned vectors, the vectors as the model has them, and the exact lift (docs/alignment.md)."
    )
    yield ""
    yield (
        "*Best* is where its bar is full and what comes first in the order of heads; without it the bar runs from the "
        "lowest head to the highest, and the highest comes first. *Grades* say from where on a value is fair, good and "
        "very good; where there are none, no value is better than another. *Finding*: from where on the most extreme "
        "head is linked in the menu Findings (docs/findings.md). Names in brackets are not offered as badge or order."
    )
    yield ""
    yield "`python -m tools.documents --write` writes this page; how to add a measure: docs/recipes/head-measure.md."
    for group in dict.fromkeys(measure.group for measure in registry.measures()):
        yield ""
        yield f"## {group}"
        yield ""
        yield "| name | label | what it says | of | best | grades | finding |"
        yield "|---|---|---|---|---|---|---|"
        yield from (_row(measure) for measure in registry.measures() if measure.group == group)


def _row(measure: HeadMeasure) -> str:
    name = f"`{measure.name}`" if measure.listed else f"(`{measure.name}`)"
    best = "" if measure.best is None else measure.form.text(measure.best)
    grades = ", ".join(measure.form.text(bound) for bound in measure.bounds or ())
    found = ", ".join(
        f"{rule.title.lower()}: {'at most' if rule.lowest else 'at least'} {measure.form.text(rule.bound)}"
        for rule in measure.stands_out
    )
    cells = (name, measure.label, measure.sentence, _OF[measure.scope], best, grades, found)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


DOCUMENTS: dict[str, Callable[[], str]] = {"measures.md": head_measures}


def main(arguments: list[str]) -> int:
    different = [
        name
        for name, make in DOCUMENTS.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != make()
    ]
    for name in different:
        if arguments == ["--write"]:
            (DOCS / name).write_text(DOCUMENTS[name](), encoding="utf-8")
        print(f"docs/{name} {'is written anew' if arguments == ['--write'] else 'differs from the program'}")
    return 0 if arguments == ["--write"] or not different else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
