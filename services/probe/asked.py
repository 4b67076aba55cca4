"""What a reader asks of a model: a text, refused here when it is too long to be read live."""

import hashlib
import json
import re
from dataclasses import dataclass

from services.atlas import Atlas
from services.errors import ProbeError

VERSION = 1  # of what is kept; another one is another probe
CHARACTERS_A_TOKEN = 16  # more than any tokenizer needs for text: beyond, a text is not even cut into tokens
ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Asked:
    """One probe. An empty text: the model is only to be loaded."""

    text: str = ""

    def id(self, atlas: Atlas) -> str:
        """16 hexadecimal digits of the content and of the atlas that it is asked of."""
        content = json.dumps([VERSION, atlas.info.key, self.text])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def check_asked(asked: Asked, modality: str, most_tokens: int) -> Asked:
    """What may be given to a model.

    Raises:
        ProbeError: it is empty, too long, or not what the model reads; one line.
    """
    most = most_characters(most_tokens)
    if len(asked.text) > most:
        raise ProbeError(
            f"A probe can have {most:,} characters; this one has {len(asked.text):,}. Build an atlas of longer texts."
        )
    if modality != "text":
        raise ProbeError("The model of this atlas reads images, and only texts can be probed yet.")
    if not asked.text.strip():
        raise ProbeError("Type a sentence for the model to read.")
    return asked


def most_characters(most_tokens: int) -> int:
    """How many characters a probe of so many tokens may have."""
    return CHARACTERS_A_TOKEN * most_tokens
