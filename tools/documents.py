"""Documents that are drawn from registries: what they say is what the program does.

python -m tools.documents            name those that differ
python -m tools.documents --write    write them anew
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from services.attributes import registry as attributes
from services.measures import registry
from services.measures.measure import HeadMeasure
from services.projection import ENGINES, methods

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
        "head is linked in the menu Findings (docs/findings.md). Names in brackets are not offered as badge or order. "
        "What follows in italics is the formula, A being the attention weights; those scores have a base rate, an "
        "interval and a count beside them (docs/heads.md)."
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
    says = f"{measure.sentence} *{measure.formula}*" if measure.formula else measure.sentence
    return _line(name, measure.label, says, _OF[measure.scope], best, grades, found)


def token_attributes() -> str:
    """docs/attributes.md."""
    return "\n".join(_token_attributes()) + "\n"


def _token_attributes() -> Iterator[str]:
    yield "# Token attributes"
    yield ""
    yield (
        'What points are coloured by ("Colour by"), shown in the legend, written into exported tables and, where there '
        "is a column, into the token table, which can be sorted and filtered by it. A `categorical` attribute has the "
        "named values, a `cyclic` one goes round, a `sequential` one runs from low to high, and points of a `colour` "
        "one have a colour of their own. One *of a token* is the same in every head; one *of a head* differs by head. "
        "A *variant* is chosen beside the attribute that it is a variant of."
    )
    yield ""
    yield "`python -m tools.documents --write` writes this page; how to add one: docs/recipes/token-attribute.md."
    yield ""
    yield "| name | label | what it says | kind | of | inputs | values | column |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in attributes.attributes():
        name = f"`{one.name}`" + (f" (variant of `{one.family}`: {one.choice})" if one.family else "")
        values = ", ".join(one.categories) if len(one.categories) > 1 else f"{one.low} … {one.high}".strip(" …")
        column = one.column.label if one.column else ""
        yield _line(name, one.label, one.explain, one.kind, one.scope, one.modality or "any", values, column)


def projection_methods() -> str:
    """docs/methods.md."""
    return "\n".join(_projection_methods()) + "\n"


def _projection_methods() -> Iterator[str]:
    yield "# Projection methods"
    yield ""
    yield (
        "Ways to lay out the queries and keys of a head in 2D and 3D, in the order of preference: a page opens with "
        "the first map that its atlas has. docs/projection.md tells how each was chosen and measured. The settings of "
        "a map are recorded in `atlas.json`; those below are of a head of 10,000 points in 2D."
    )
    yield ""
    yield "`python -m tools.documents --write` writes this page; how to add one: docs/recipes/projection-method.md."
    yield ""
    yield "| method | name | sees | preserves | gives up | with another alignment |"
    yield "|---|---|---|---|---|---|"
    sees = {"vectors": "aligned vectors", "scores": "the scores q·k themselves"}
    for method in methods():
        follows = "another map" if method.follows_alignment else "the same map"
        label = f"**{method.label}**"
        yield _line(label, f"`{method.name}`", sees[method.needs], method.preserves, method.gives_up, follows)
    for engine in ENGINES:
        yield ""
        yield f"## Settings of the engine `{engine}`"
        yield ""
        for method in methods():
            settings = method.parameters(2, engine, 10_000)
            told = ", ".join(f"{name} {value}" for name, value in settings.items() if name != "engine")
            yield f"- {method.label} (`{settings['engine']}`): {told}"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "measures.md": head_measures,
    "attributes.md": token_attributes,
    "methods.md": projection_methods,
}


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
