"""Part-of-speech taggers for a build: HanTa, which ships its models inside its package, or an installed spaCy model.

HanTa (Wartena 2019, "A Probabilistic Morphology Model for German Lemmatization") is a trigram tagger over a hidden
Markov model of morphemes; its tag sets (BNC C5, STTS, CGN) are mapped to Universal tags here. No tagger downloads
anything. HanTa's model files are part of the installed package and are read by the package itself.
"""

import importlib.metadata
import importlib.util
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.errors import BuildError
from services.modalities.text.parts_of_speech import SPECIAL, UNTAGGED, UPOS, TaggedSpan, align
from services.modalities.text.tokens import TokenisedInput

LANGUAGES = {"en": "English", "de": "German", "nl": "Dutch"}
_MODELS = {"en": "morphmodel_en.pgz", "de": "morphmodel_ger.pgz", "nl": "morphmodel_dutch.pgz"}

# Clitics are words of their own, as in Universal Dependencies: did|n't, Rome|'s.
_WORD = re.compile(
    r"""(?:[^\W\d_]\.){2,}                    # U.S.
      | \d+(?:[.,:/]\d+)+                     # 1,000.5
      | [^\W_]+?(?=n['’]t\b) | n['’]t\b
      | ['’](?:s|re|ve|ll|d|m)\b
      | [^\W_]+ | \.\.\. | [^\w\s] | _+""",
    re.VERBOSE | re.IGNORECASE,
)
_STOPS = frozenset(".?!")
_MOST_WORDS = 200  # words a sentence: a list without full stops must not become one endless sentence

# The commonest words of running text; a text in the language holds a fifth to a half of them.
_COMMON = {
    "en": "the of and to in a is was that it for as on with he by at from his be had not are but they which or she",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er",
    "nl": "de het van een en in is dat op te zijn met voor niet aan er om ook als bij maar door hij die ze uit naar",
}
_FEWEST_COMMON = 0.12


@dataclass(frozen=True)
class Tagger:
    """`tag(text)` gives the words of a text as (first character, end, Universal tag)."""

    label: str
    packages: tuple[str, ...]
    tag: Callable[[str], list[TaggedSpan]]

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in self.packages}


def choose_tagger(choice: str, texts: Sequence[str]) -> tuple[Tagger | None, str]:
    """The tagger for a corpus.

    Args:
        choice: `none`, `auto`, one of `hanta-…`, or `spacy:<model>` for an installed spaCy pipeline.
        texts: the corpus; `auto` looks at it for the language.

    Returns:
        The tagger, or None with one sentence that says why there is none ("" when none was asked for).

    Raises:
        BuildError: there is no such tagger, or it is not installed.
    """
    if choice == "none":
        return None, ""
    if choice.startswith("spacy:"):
        return _spacy(choice.removeprefix("spacy:")), ""
    code = language_of(texts) if choice == "auto" else choice.removeprefix("hanta-")
    if code is None:
        return None, f"{UNTAGGED}: the corpus is in none of {', '.join(LANGUAGES.values())}."
    if code not in _MODELS:
        raise BuildError(f"--pos: there is no tagger {choice[:40]!r}.")
    return _hanta(code), ""


def tags_of(texts: Sequence[str], item: TokenisedInput, tagger: Tagger) -> list[str]:
    """Of each token the tag of its word, in an input of one text or two."""
    if item.segments is None:
        return align(tagger.tag(texts[0]), item.offsets, item.special)
    found = [SPECIAL] * len(item)
    for side, text in enumerate(texts):
        elsewhere = [special or one != side for special, one in zip(item.special, item.segments, strict=True)]
        tags = align(tagger.tag(text), item.offsets, elsewhere)
        found = [old if outside else new for old, new, outside in zip(found, tags, elsewhere, strict=True)]
    return found


def language_of(texts: Sequence[str]) -> str | None:
    """The language of a corpus among those with a tagger, from its commonest words; None when none fits."""
    counts, words = dict.fromkeys(_COMMON, 0), 0
    sets = {code: frozenset(common.split()) for code, common in _COMMON.items()}
    step = max(1, len(texts) // 200)
    for text in texts[::step]:
        for word in re.findall(r"[^\W\d_]+", text[:2000].casefold()):
            words += 1
            for code, common in sets.items():
                counts[code] += word in common
    best = max(counts, key=lambda code: counts[code])
    return best if words and counts[best] / words >= _FEWEST_COMMON else None


def split_words(text: str) -> list[tuple[int, int]]:
    """Character spans of words, numbers and signs; white space is left out."""
    return [match.span() for match in _WORD.finditer(text)]


def _sentences(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    first = 0
    for number, (begin, end) in enumerate(spans):
        if text[begin:end] in _STOPS or number - first >= _MOST_WORDS:
            yield spans[first : number + 1]
            first = number + 1
    if first < len(spans):
        yield spans[first:]


def _hanta(code: str) -> Tagger:
    if importlib.util.find_spec("HanTa") is None:
        raise BuildError("--pos needs the package HanTa: pip install HanTa, or choose --pos none.")
    from HanTa.HanoverTagger import HanoverTagger

    model = HanoverTagger(_MODELS[code])
    universal = {"en": _from_c5, "de": _from_stts, "nl": _from_cgn}[code]

    def tag(text: str) -> list[TaggedSpan]:
        tagged: list[TaggedSpan] = []
        for spans in _sentences(text, split_words(text)):
            words = [text[begin:end].replace("’", "'") for begin, end in spans]
            native = [name for _, _, name in model.tag_sent(words)]
            names = [_by_form(word) or name for word, name in zip(words, universal(native), strict=True)]
            tagged += [(begin, end, name) for (begin, end), name in zip(spans, names, strict=True)]
        return tagged

    return Tagger(f"HanTa ({LANGUAGES[code]})", ("HanTa",), tag)


def _by_form(word: str) -> str | None:
    """Tags that the letters alone decide: signs and numbers."""
    kinds = {unicodedata.category(letter)[0] for letter in word}
    if kinds <= {"P"}:
        return "SYM" if word in "%&@#*" else "PUNCT"
    if kinds <= {"P", "S"}:
        return "SYM"
    return "NUM" if word[0].isdigit() and kinds <= {"N", "P"} else None


_C5 = {
    "AJ": "ADJ", "OR": "ADJ", "AT": "DET", "AV": "ADV", "CJ": "SCONJ", "CR": "NUM", "DP": "PRON", "DT": "DET",
    "EX": "PRON", "IN": "ADP", "IT": "INTJ", "NN": "NOUN", "NP": "PROPN", "PN": "PRON", "PO": "PART", "PR": "ADP",
    "PU": "PUNCT", "TO": "PART", "VB": "AUX", "VD": "VERB", "VH": "VERB", "VM": "AUX", "VV": "VERB", "XX": "PART",
}  # fmt: skip
_C5_WHOLE = {"AVP": "ADP", "CJC": "CCONJ", "DTQ": "PRON"}


def _from_c5(native: Sequence[str]) -> list[str]:
    """BNC C5 (Leech et al. 1994): `do` and `have` before another verb are auxiliaries."""
    tags = [_C5_WHOLE.get(name) or _C5.get(name[:2], "X") for name in native]
    for number, name in enumerate(native):
        if name[:2] in ("VD", "VH") and _verb_follows(native, number):
            tags[number] = "AUX"
    return tags


def _verb_follows(native: Sequence[str], number: int) -> bool:
    for name in native[number + 1 : number + 5]:
        if name[:1] == "V":
            return True
        if name[:2] not in ("AV", "XX", "PN"):
            return False
    return False


_STTS = {
    "ADJ": "ADJ", "ADV": "ADV", "PROAV": "ADV", "PAV": "ADV", "PWAV": "ADV", "APPR": "ADP", "APPRART": "ADP",
    "APPO": "ADP", "APZR": "ADP", "ART": "DET", "CARD": "NUM", "FM": "X", "ITJ": "INTJ", "KON": "CCONJ",
    "KOUI": "SCONJ", "KOUS": "SCONJ", "KOKOM": "ADP", "NN": "NOUN", "NNA": "NOUN", "NNI": "NOUN", "NE": "PROPN",
    "PDAT": "DET", "PIAT": "DET", "PIDAT": "DET", "PWAT": "DET", "PPOSAT": "DET", "PTKZU": "PART", "PTKNEG": "PART",
    "PTKA": "PART", "PTKVZ": "ADP", "PTKANT": "INTJ", "VV": "VERB", "VA": "AUX", "VM": "AUX",
}  # fmt: skip


def _from_stts(native: Sequence[str]) -> list[str]:
    """STTS (Schiller et al. 1999), as HanTa writes it: VV(FIN), ADJ(A)."""
    bare = [name.partition("(")[0] for name in native]
    return [_STTS.get(name) or ("PRON" if name[:1] == "P" else "X") for name in bare]


_CGN = {
    "ADJ": "ADJ", "BW": "ADV", "LET": "PUNCT", "LID": "DET", "N": "NOUN", "TSW": "INTJ", "TW": "NUM", "VG": "CCONJ",
    "VNW": "PRON", "VZ": "ADP", "WW": "VERB",
}  # fmt: skip


def _from_cgn(native: Sequence[str]) -> list[str]:
    """CGN (Van Eynde 2004): N(eigen,…), VNW(bez,det,…), TW(rang,…). Dutch auxiliaries are not told from verbs."""
    tags = []
    for name in native:
        kind, _, features = name.partition("(")
        parts = features.rstrip(")").split(",")
        tag = _CGN.get(kind, "X")
        if kind == "N" and parts[0] == "eigen":
            tag = "PROPN"
        elif kind == "VG" and parts[0] == "onder":
            tag = "SCONJ"
        elif kind == "VNW" and "det" in parts and parts[0] != "bez":
            tag = "DET"
        elif kind == "VNW" and "adv-pron" in parts:
            tag = "ADV"
        elif kind == "TW" and parts[0] == "rang":
            tag = "ADJ"
        elif kind == "SPEC" and parts[0] == "symb":
            tag = "SYM"
        tags.append(tag)
    return tags


def _spacy(model: str) -> Tagger:
    if importlib.util.find_spec("spacy") is None:
        raise BuildError(f"--pos spacy:{model} needs spaCy and its model, which are not installed.")
    import spacy

    try:
        pipeline = spacy.load(model, exclude=["ner", "parser", "lemmatizer"])
    except (OSError, ValueError) as error:
        raise BuildError(f"--pos: spaCy cannot load {model[:60]!r} ({str(error).splitlines()[0]}).") from error

    def tag(text: str) -> list[TaggedSpan]:
        words = (word for word in pipeline(text[: pipeline.max_length]) if not word.is_space)
        return [(w.idx, w.idx + len(w), {"SPACE": "X"}.get(w.pos_, w.pos_ if w.pos_ in UPOS else "X")) for w in words]

    return Tagger(f"spaCy ({model})", ("spacy",), tag)
