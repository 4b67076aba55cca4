"""Words for messages: whatever a file says, one printable line of moderate length."""

import re
from collections.abc import Iterable

FORMATS = "a text file, .csv, .tsv, .jsonl, .json, .parquet, .conllu or .conll"

# All C0 controls and DEL but tab and line feed, which are white space that models have tokens for.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SURROGATES = re.compile(r"[\ud800-\udfff]")


def one_line(text: str) -> str:
    """One printable line of moderate length, whatever a file name or a library says."""
    text = SURROGATES.sub("\ufffd", text)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= 300 else f"{text[:140]} … {text[-140:]}"


def quoted(name: str) -> str:
    shown = one_line(name)
    return f'"{shown if len(shown) <= 60 else shown[:59] + "…"}"'


def listed(names: Iterable[str]) -> str:
    shown = [quoted(name) for name in names]
    if not shown:
        return "none"
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12:,} more" if len(shown) > 12 else "")
