"""An input of text in one line, inputs found by their words, and one as it was given to the model."""

import re

from services.atlas import Atlas
from services.modalities.corpora import Corpus
from services.modalities.text.chats import TEMPLATE
from services.modalities.text.pairs import SECOND, apart

MOST = 40
_SNIPPET = 90


def inputs_with(atlas: Atlas, text: str) -> tuple[list[tuple[int, str]], int]:
    """Inputs whose text holds all words of `text` in any order, case ignored; a number alone is an input's number.

    Returns:
        At most MOST of (index, beginning of the text or the place around the first word), and how many there are.
    """
    words = text.casefold().split()[:20]
    found: list[tuple[int, str]] = []
    count = 0
    number = int(words[0]) if len(words) == 1 and re.fullmatch(r"\d{1,9}", words[0]) else None
    for index, whole in enumerate(atlas.inputs.text):
        folded = whole.casefold()
        if number == index or all(word in folded for word in words):
            count += 1
            if number == index:
                found.insert(0, (index, _snippet(whole, 0)))
            elif len(found) < MOST:
                found.append((index, _snippet(whole, folded.find(words[0]) if words else 0)))
    return found[:MOST], count


def _snippet(text: str, at: int) -> str:
    line = " ".join(text.split())
    start = max(0, at - 30) if at > _SNIPPET - 30 else 0
    return ("…" if start else "") + line[start : start + _SNIPPET] + ("…" if len(line) > start + _SNIPPET else "")


def preview(text: str) -> str:
    """The beginning of a text."""
    return _snippet(text, 0)


def corpus_of(atlas: Atlas, index: int, written: str) -> Corpus:
    """One input of an atlas as a corpus, to be cut as the build has cut it. written: what a decoder writes"""
    line, columns = atlas.inputs.text[index], atlas.inputs.columns
    second = () if SECOND not in columns else (str(columns[SECOND][index]),)
    return Corpus(
        name="",
        source=atlas.info.title,
        texts=(apart(line, second[0]) if second else line,),
        columns={"target": (written,)},
        sha256="",
        target="target",
        pair=second,
        rendered=TEMPLATE in columns,
    )
