"""What a page asks to be built, read from what anyone may post."""

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.errors import BuildError
from services.modalities.corpora import DEMO, MAX_INPUTS
from services.modalities.corpora.hub import hub_corpus
from services.projection import method_names
from services.workshop.uploads import Upload

MOST_TEXT = 2_000_000  # characters pasted at most; more comes as a file


class Wish(BaseModel):
    """What a page posts; every field comes from anyone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(max_length=300)
    corpus: Literal["paste", "upload", "dataset", "demo"] = "paste"
    text: str = Field(default="", max_length=MOST_TEXT)
    upload: str | None = Field(default=None, max_length=32)
    dataset: str | None = Field(default=None, max_length=400, description="as a corpus is named, with a commit")
    column: str | None = Field(default=None, max_length=200)
    pair: str | None = Field(default=None, max_length=200)
    chats: Literal["either", "template", "turns"] | None = None
    encoding: str | None = Field(default=None, max_length=40)
    paragraphs: bool = False
    target: str | None = Field(default=None, max_length=200)
    sample: bool = False
    max_inputs: int = Field(default=2_000, ge=1, le=MAX_INPUTS)
    seed: int = Field(default=0, ge=0, lt=2**32)
    projections: tuple[str, ...] = Field(default=(), max_length=20)
    dims: tuple[Literal[2, 3], ...] = Field(default=(2,), min_length=1, max_length=2)
    title: str | None = Field(default=None, max_length=80)

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Wish":
        """
        Raises:
            BuildError: naming the first field that is missing or wrong. CorpusError: a data set of no possible name.
        """
        try:
            wish = cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise BuildError(f"{_WORDS.get(str(first['loc'][0]), first['loc'][0])}: {first['msg']}.") from error
        unknown = [name for name in wish.projections if name not in method_names()]
        if unknown:
            raise BuildError(f"There is no projection {unknown[0][:40]!r}.")
        if wish.corpus == "paste" and not wish.text.strip():
            raise BuildError("Paste some text, one input a line.")
        if wish.corpus == "upload" and not wish.upload:
            raise BuildError("Choose a file, or several images.")
        if wish.corpus == "dataset" and not getattr(hub_corpus(wish.dataset), "commit", ""):
            raise BuildError("Give the id of a data set and fetch it.")
        return wish

    @property
    def reading(self) -> dict[str, Any]:
        """How the corpus is to be read, where that is not the usual way; see services.modalities.corpora."""
        chosen = {
            "pair": self.pair,
            "chats": self.chats if self.chats != "either" else "",
            "encoding": (self.encoding or "").strip(),
            "paragraphs": self.paragraphs,
        }
        return {name: choice for name, choice in chosen.items() if choice}

    def reads(self, upload: Upload | None) -> str:
        """What a build reads, given what was uploaded or pasted; "" where that is not kept yet."""
        if self.corpus == "dataset":
            return self.dataset or ""
        return DEMO if self.corpus == "demo" else str(upload.corpus) if upload else ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


_WORDS = {
    "max_inputs": "Inputs at most",
    "seed": "Seed",
    "text": "Text",
    "title": "Name",
    "dims": "Space",
    "encoding": "Encoding",
}
