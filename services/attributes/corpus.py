"""What the corpus itself says of tokens: which of two texts, who speaks, its own tags, entities and relations.

An atlas whose corpus says nothing of the kind does not offer these attributes at all.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from services.atlas import Atlas, TokenTable, token_tables
from services.attributes.attribute import Column, TokenAttribute
from services.attributes.text import TEXT
from services.modalities.text.chats import ROLE as ROLES
from services.modalities.text.pairs import SEGMENT
from services.modalities.text.parts_of_speech import SPECIAL
from services.modalities.text.words import ENTITY as ENTITIES
from services.modalities.text.words import RELATION as RELATIONS
from services.modalities.text.words import TAG

MOST_NAMES = 60
OTHERS = "others"
SEGMENTS = ("first text", "second text", "special token")


def _names(tokens: TokenTable, column: str) -> Sequence[str]:
    """What a column says of each token; "" where a table has no such column, as what a decoder writes."""
    return list(tokens.columns.get(column, ())) or [""] * len(tokens)


def _known(atlas: Atlas, column: str) -> bool:
    return any(atlas.has_column(table, column) for table in token_tables(atlas.info))


def _categories(atlas: Atlas, column: str, nothing: str) -> tuple[str, ...]:
    """The names of an atlas, the most frequent first, behind what stands for none; the rarest are one."""
    counts = Counter(name for table in sorted(token_tables(atlas.info)) for name in _names(atlas.tokens(table), column))
    for none in ("", SPECIAL):
        counts.pop(none, None)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    return (nothing, *order[:MOST_NAMES], *([OTHERS] if len(order) > MOST_NAMES else []))


def _named(name: str, label: str, explain: str, column: str, nothing: str, order: int) -> TokenAttribute:
    """An attribute that is a column of names."""

    def categories(atlas: Atlas) -> tuple[str, ...]:
        return _categories(atlas, column, nothing)

    def numbers(atlas: Atlas, tokens: TokenTable) -> np.ndarray:
        names = categories(atlas)
        place = {one: number for number, one in enumerate(names)} | {"": 0, SPECIAL: 0}
        return np.array([place.get(one, len(names) - 1) for one in _names(tokens, column)], dtype=int)

    return TokenAttribute(
        name=name,
        label=label,
        kind="categorical",
        explain=explain,
        modality=TEXT,
        of_tokens_in=numbers,
        categories_of=categories,
        categories=(nothing, label.lower()),
        column=Column(name, label, "string", explain, order=order, width=110),
        in_column=lambda tokens: ["" if one == SPECIAL else one for one in _names(tokens, column)],
        lacks=lambda atlas: None if _known(atlas, column) else f"{label}: the corpus of this atlas does not say.",
        rare=True,
    )


def _segment(tokens: TokenTable) -> np.ndarray:
    sides = np.asarray(tokens.columns.get(SEGMENT, np.where(tokens.special, -1, 0)), dtype=int)
    return np.where(sides < 0, 2, sides)


TEXT_OF_PAIR = TokenAttribute(
    name="segment",
    label="First or second text",
    kind="categorical",
    explain="Which text of its pair the token stands in.",
    modality=TEXT,
    of_tokens=_segment,
    categories=SEGMENTS,
    palette="kinds of token",
    column=Column("segment", "Text", "string", "Which text of its pair the token stands in.", order=42, width=110),
    in_column=lambda tokens: [SEGMENTS[side] for side in _segment(tokens)],
    lacks=lambda atlas: None if _known(atlas, SEGMENT) else "First or second text: this atlas holds no pairs of texts.",
    rare=True,
)
ROLE = _named("role", "Role", "Who speaks in a chat; what its template adds is nobody's.", ROLES, "template", 43)
CORPUS_TAG = _named(
    "corpus_tag", "Tag of the corpus", "The tag that the corpus gives the token's word.", TAG, "no tag", 46
)
ENTITY = _named(
    "entity", "Named entity", "Kind of the name that the token is a part of, as the corpus has it.", ENTITIES,
    "no entity", 47,
)  # fmt: skip
RELATION = _named(
    "relation", "Relation to its head", "Relation of the token's word to its head in the tree that the corpus has.",
    RELATIONS, "no relation", 48,
)  # fmt: skip
ATTRIBUTES = (TEXT_OF_PAIR, ROLE, CORPUS_TAG, ENTITY, RELATION)
