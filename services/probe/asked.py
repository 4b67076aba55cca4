"""What a reader asks of a model: a text or an image, refused here when it is too large to be read live.

An image stands in a probe's text by the place where it is kept (services.probe.brought): `image:<id>/<name>`. To an
encoder–decoder one may say what it is to write: `source => target`; else it writes for itself.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from services.atlas import Atlas
from services.errors import ProbeError

VERSION = 2  # of what is kept; another one is another probe
CHARACTERS_A_TOKEN = 16  # more than any tokenizer needs for text: beyond, a text is not even cut into tokens
ID = re.compile(r"[0-9a-f]{16}")
WRITES = "=>"  # between what a model reads and what it is to write
_IMAGE = re.compile(r"image:([0-9a-f]{32})/([^/\\]{1,120})")


@dataclass(frozen=True)
class Asked:
    """One probe. An empty text: the model is only to be loaded."""

    text: str = ""

    def id(self, atlas: Atlas) -> str:
        """16 hexadecimal digits of the content and of the atlas that it is asked of."""
        content = json.dumps([VERSION, atlas.info.key, self.text])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def image(self) -> str | None:
        """The id of the image that it is; None: a text."""
        match = _IMAGE.fullmatch(self.text)
        return match[1] if match else None

    @property
    def sides(self) -> tuple[str, str]:
        """What an encoder–decoder reads, and what it is to write; "" for what it writes itself."""
        source, _, target = self.text.partition(WRITES)
        return source.strip(), target.strip()


def image_text(id: str, name: str) -> str:
    """An image as the text of a probe."""
    return f"image:{id}/{name[-120:]}"


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
    if modality == "image":
        if asked.image is None:
            raise ProbeError("The model of this atlas reads images: drop one here.")
        return asked
    if not asked.text.strip():
        raise ProbeError("Type a sentence for the model to read.")
    return asked


def most_characters(most_tokens: int) -> int:
    """How many characters a probe of so many tokens may have."""
    return CHARACTERS_A_TOKEN * most_tokens
