"""Two texts that are read as one input: how the pair is written in one line, and what is said of it."""

from collections.abc import Sequence

from services.modalities.text.tokens import TokenisedInput

SECOND = "second"  # column of the table of inputs: the second text
SEGMENT = "segment"  # column of a token table: 0 and 1 for the texts, −1 for tokens that the tokenizer added
BETWEEN = " ‖ "


def joined(first: str, second: str) -> str:
    """As a reader sees a pair, and as it is searched."""
    return f"{first}{BETWEEN}{second}"


def apart(line: str, second: str) -> str:
    """The first text of a joined pair."""
    return line.removesuffix(f"{BETWEEN}{second}")


def notes(inputs: Sequence[TokenisedInput], model: str) -> list[str]:
    """What a reader should know of how a model reads pairs."""
    pairs = [item for item in inputs if item.segments is not None]
    if not pairs:
        return []
    told = []
    if all(item.type_ids is None for item in pairs):
        told.append(f"Nothing but special tokens and places tells {model} the two texts of a pair apart.")
    if not any(-1 in _inside(item.segments or ()) for item in pairs):
        told.append(f"The tokenizer of {model} puts no token between the two texts of a pair.")
    return told


def _inside(segments: Sequence[int]) -> Sequence[int]:
    """From the first token of the first text to the last of the second."""
    of_text = [index for index, side in enumerate(segments) if side >= 0]
    return segments[of_text[0] : of_text[-1]] if of_text else ()
