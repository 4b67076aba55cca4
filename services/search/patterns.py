"""Regular expressions of users, matched in time linear in the text by RE2 (Cox 2010, "Regular Expression Matching in
the Wild"): no pattern can hang the server. The price is that look-around and back-references are not possible.
"""

import re
import warnings

import re2

from services.errors import SearchError

# Python's parser is asked only where a fault is; what it thinks of brackets in brackets is nobody's concern.
warnings.filterwarnings("ignore", category=FutureWarning, module=re.escape(__name__))

_MEMORY = 1 << 20  # bytes of a compiled pattern and its automaton
_REASONS = {
    "missing )": "a “(” is never closed",
    "unexpected )": "this “)” closes nothing",
    "missing ]": "a “[” is never closed",
    "no argument for repetition operator": "there is nothing before it to repeat",
    "bad repetition operator": "one repetition follows another",
    "invalid repetition size": "it repeats too often (1000 is the most)",
    "invalid character class range": "this range or class does not exist",
    "invalid escape sequence": "this escape means nothing here; back-references are not possible",
    "invalid perl operator": "look-around is not possible here",
    "invalid named capture group": "this group's name is not possible",
    "trailing \\": "it ends in a lone “\\”",
    "pattern too large": "it grows too large",
}


class Pattern:
    """A compiled pattern; `found(text)` tells whether it occurs anywhere in a text."""

    def __init__(self, source: str, match_case: bool) -> None:
        """Raises: SearchError, with a sentence that says what is wrong and where."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        options.case_sensitive = match_case
        try:
            self._pattern = re2.compile(source, options)
        except (re2.error, UnicodeError) as error:
            raise SearchError(_explained(source, error)) from None

    def found(self, text: str) -> bool:
        try:
            return self._pattern.search(text) is not None
        except UnicodeError:  # half of a surrogate pair
            return False


def _explained(source: str, error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "This regular expression holds a character that is half of another."
    raw = error.args[0] if error.args else b""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    known = next((name for name in _REASONS if text.startswith(name)), None)
    reason = _REASONS[known] if known else text
    fragment = text.removeprefix(known or "").removeprefix(": ")
    place = _place(source, fragment)
    if place is None:
        return f"This regular expression is not possible: {reason}."
    shown = source[place : place + 12] + ("…" if len(source) > place + 12 else "")
    return f"The regular expression fails at character {place + 1} (“{shown}”): {reason}."


def _place(source: str, fragment: str) -> int | None:
    """Where it fails, from 0: Python's parser knows the place of most faults, RE2 at least quotes the part."""
    try:
        re.compile(source)
    except re.error as error:
        if error.pos is not None and error.pos < len(source):
            return error.pos
    except (OverflowError, RecursionError, MemoryError):
        pass
    at = source.find(fragment) if fragment and fragment != source else -1
    return at if at >= 0 else None
