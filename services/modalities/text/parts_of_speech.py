"""Parts of speech: the Universal tags, their groups for colouring, and how tags of words become tags of tokens.

The tags are those of Universal Dependencies 2 (de Marneffe et al. 2021, https://universaldependencies.org/u/pos/).
Nothing heavy is imported here: the taggers themselves are in `services/capture/tagging.py`.
"""

from collections.abc import Sequence

NAMES: dict[str, str] = {
    "NOUN": "noun",
    "PROPN": "proper noun",
    "VERB": "verb",
    "AUX": "auxiliary",
    "ADJ": "adjective",
    "ADV": "adverb",
    "PRON": "pronoun",
    "DET": "determiner",
    "ADP": "adposition",
    "CCONJ": "coordinating conjunction",
    "SCONJ": "subordinating conjunction",
    "NUM": "numeral",
    "PART": "particle",
    "INTJ": "interjection",
    "PUNCT": "punctuation",
    "SYM": "symbol",
    "X": "other",
}
UPOS = tuple(NAMES)
SPECIAL = "SPECIAL"  # tokens that the tokenizer added: no word, so no part of speech

UNTAGGED = "No parts of speech"  # how a build's note on the reason starts

# Twelve groups, the most that colours can still tell apart.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("noun", ("NOUN",)),
    ("proper noun", ("PROPN",)),
    ("verb or auxiliary", ("VERB", "AUX")),
    ("adjective", ("ADJ",)),
    ("adverb", ("ADV",)),
    ("pronoun", ("PRON",)),
    ("determiner", ("DET",)),
    ("adposition", ("ADP",)),
    ("conjunction", ("CCONJ", "SCONJ")),
    ("punctuation or symbol", ("PUNCT", "SYM")),
    ("number, particle or other", ("NUM", "PART", "INTJ", "X", "")),
    ("special token", (SPECIAL,)),
)
GROUP_OF: dict[str, int] = {tag: number for number, (_, tags) in enumerate(GROUPS) for tag in tags}

_SPOKEN = {name: {tag} for tag, name in NAMES.items()} | {
    "conjunction": {"CCONJ", "SCONJ"},
    "preposition": {"ADP"},
    "article": {"DET"},
    "number": {"NUM"},
    "special": {SPECIAL},
    "special token": {SPECIAL},
}


def name_of(tag: str) -> str:
    """What a reader calls a tag: "proper noun" for "PROPN"; "special token" and "other" for tokens that are no word."""
    return "special token" if tag == SPECIAL else NAMES.get(tag, NAMES["X"])


TaggedSpan = tuple[int, int, str]


def tags_named(text: str) -> frozenset[str]:
    """The tags a reader means by "NOUN", "noun", "nouns", "proper noun" or "conjunction"; empty for anything else."""
    wanted = " ".join(text.split())
    if wanted.upper() in UPOS or wanted.upper() == SPECIAL:
        return frozenset({wanted.upper()})
    spoken = wanted.casefold()
    return frozenset(_SPOKEN.get(spoken) or _SPOKEN.get(spoken.removesuffix("s")) or ())


def align(words: Sequence[TaggedSpan], spans: Sequence[tuple[int, int]], special: Sequence[bool]) -> list[str]:
    """Give each token the tag of the word it is a piece of.

    Args:
        words: (first character, end, tag) of each tagged word, in text order and without overlap.
        spans: n character spans of the tokens, in text order; (0, 0) for tokens outside the text.
        special: n flags of tokens that the tokenizer added.

    Returns:
        n tags; a token over several words takes the tag of the one it shares most characters with (the first of
        equals), a token outside all words "", a special token `SPECIAL`.
    """
    tags, start = [], 0
    for (begin, end), added in zip(spans, special, strict=True):
        if added:
            tags.append(SPECIAL)
            continue
        while start < len(words) and words[start][1] <= begin:
            start += 1
        best, tag, number = 0, "", start
        while number < len(words) and words[number][0] < end:
            first, stop, name = words[number]
            shared = min(end, stop) - max(begin, first)
            if shared > best:
                best, tag = shared, name
            number += 1
        tags.append(tag)
    return tags
