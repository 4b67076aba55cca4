"""Attributes of the tokens of texts. Those of a token's place in its input, such as position, fit any modality."""

import numpy as np

from services.atlas import Atlas, TokenTable
from services.attributes.attribute import Column, TokenAttribute
from services.modalities.text.columns import has_tags, tags, words
from services.modalities.text.marks import is_punctuation, without_marks
from services.modalities.text.parts_of_speech import GROUP_OF, GROUPS, UNTAGGED, name_of

TEXT = "text"


def _kind_of_token(tokens: TokenTable) -> np.ndarray:
    punctuation = np.fromiter((is_punctuation(text) for text in tokens.text), bool, len(tokens))
    return np.where(tokens.special, 2, punctuation.astype(int))


def _continuation(tokens: TokenTable) -> np.ndarray:
    same_input = np.concatenate([[False], tokens.input[1:] == tokens.input[:-1]])
    word = words(tokens)
    same_word = np.concatenate([[False], (word[1:] == word[:-1]) & (word[1:] >= 0)])
    return np.where(tokens.special, 2, (same_input & same_word).astype(int))


def _characters(tokens: TokenTable) -> np.ndarray:
    return np.fromiter((len(without_marks(text)) for text in tokens.text), float, len(tokens))


def _counts(tokens: TokenTable) -> np.ndarray:
    _, inverse, counts = np.unique(np.asarray(tokens.token), return_inverse=True, return_counts=True)
    return counts[inverse]


def _part_of_speech(tokens: TokenTable) -> np.ndarray:
    other = GROUP_OF[""]
    return np.fromiter((GROUP_OF.get(tag, other) for tag in tags(tokens) or [""] * len(tokens)), int, len(tokens))


def _untagged(atlas: Atlas) -> str | None:
    if has_tags(atlas):
        return None
    said = next((note for note in atlas.info.corpus.notes if note.startswith(UNTAGGED)), None)
    return said or f"{UNTAGGED}: this atlas was built without a tagger; build it again with --overwrite."


SIDE = TokenAttribute(
    name="type",
    label="Query or key",
    kind="categorical",
    explain="A token appears as a query (what it looks for), as a key (what it offers), or as both.",
    of_tokens=lambda tokens: np.zeros(len(tokens), dtype=int),
    categories=("token",),
    palette="sides",
)
POSITION = TokenAttribute(
    name="position",
    label="Position",
    kind="sequential",
    explain="Where the token stands in its input, from the first to the last token.",
    of_tokens=lambda tokens: tokens.position / np.maximum(tokens.length - 1, 1),
    low="first",
    high="last",
    column=Column("position", "Position", "int32", "Place in the input, from 0.", order=40, width=94),
    in_column=lambda tokens: tokens.position,
)
POSITION_MOD_5 = TokenAttribute(
    name="position5",
    label="Position mod 5",
    kind="cyclic",
    explain="Position divided by five, the remainder: shows heads that look a fixed distance away.",
    of_tokens=lambda tokens: tokens.position % 5,
    categories=("0", "1", "2", "3", "4"),
)
KIND = TokenAttribute(
    name="kind",
    label="Word, punctuation, special",
    kind="categorical",
    explain="Special tokens are added by the tokenizer: [CLS], [SEP], <s> and the like.",
    modality=TEXT,
    of_tokens=_kind_of_token,
    categories=("word", "punctuation", "special"),
    palette="kinds of token",
)
SUBWORD = TokenAttribute(
    name="subword",
    label="Start or continuation of a word",
    kind="categorical",
    explain="Long or rare words are cut into pieces; a continuation is any piece but the first.",
    modality=TEXT,
    of_tokens=_continuation,
    categories=("start", "continuation", "special"),
)
TOKEN_LENGTH = TokenAttribute(
    name="token_length",
    label="Token length",
    kind="sequential",
    explain="Number of characters of the token, from the shortest to the longest of this corpus.",
    modality=TEXT,
    numbers=_characters,
    form="{:.0f} characters",
    low="short",
    high="long",
)
INPUT_LENGTH = TokenAttribute(
    name="input_length",
    label="Input length",
    kind="sequential",
    explain="Number of tokens of the input that the token belongs to.",
    numbers=lambda tokens: tokens.length,
    form="{:.0f} tokens",
    low="short",
    high="long",
)
FREQUENCY = TokenAttribute(
    name="frequency",
    label="Frequency",
    kind="sequential",
    explain="How often the token occurs in this corpus, on a logarithmic scale.",
    modality=TEXT,
    numbers=_counts,
    logarithmic=True,
    form="{:,.0f}×",
    low="rare",
    high="common",
    column=Column(
        "count",
        "Frequency",
        "int64",
        "How often the same token occurs in this corpus.",
        order=50,
        width=118,
        export="corpus_count",
    ),
)
PART_OF_SPEECH = TokenAttribute(
    name="pos",
    label="Part of speech",
    kind="categorical",
    explain="The Universal part of speech of the token's word: the corpus's, or as a tagger sees it (a few are wrong).",
    modality=TEXT,
    of_tokens=_part_of_speech,
    names_groups=True,
    categories=tuple(label for label, _ in GROUPS),
    palette="parts of speech",
    column=Column(
        "pos",
        "Part of speech",
        "string",
        "The Universal part of speech of the token's word: the corpus's, or as a tagger sees it (a few are wrong).",
        order=45,
        export_order=90,
    ),
    in_column=lambda tokens: [name_of(tag) for tag in tags(tokens) or ()],
    lacks=_untagged,
)
