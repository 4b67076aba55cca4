"""What a kind of input must know: how an input of a corpus becomes tokens, columns of a table, a model's arguments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import FileInfo
from services.modalities.corpora import Corpus
from services.models.folders import ModelFolder
from services.models.loading import LoadedModel


class ModelInput(Protocol):
    """One input as a model reads it; its length is the number of all its tokens."""

    @property
    def lengths(self) -> Mapping[str, int]:
        """Number of tokens by token table."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """What inputs must have in common to share a batch; () where they are padded."""
        ...

    def global_tokens(self, table: str) -> np.ndarray | None:
        """bool [tokens]: which see and are seen by all; None when the table has none."""
        ...

    def __len__(self) -> int: ...


# Which tokens of an input are global: bool, one a token; None for models that have none.
IsGlobal = Callable[[ModelInput], Sequence[bool] | None]


@dataclass(frozen=True)
class Prepared:
    """A corpus as the model sees it; inputs that came out empty are left out.

    kept: int, which inputs of the corpus these are · columns: of each token table what stands beside `input` and
    `position`, one entry a token, inputs one after the other · notes: on what was cut, left out or not found
    libraries: package → version, of what made the columns
    input_columns: of each input, beside its line and its number of tokens
    write_files: puts what the atlas keeps of the inputs themselves into its folder and describes it, by name
    texts: inputs as a reader sees them; None: as the corpus has them
    """

    kept: Sequence[int]
    inputs: Sequence[ModelInput]
    columns: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    input_columns: Mapping[str, Any] = field(default_factory=dict)
    write_files: Callable[[Path], Mapping[str, FileInfo]] = lambda folder: {}
    texts: Sequence[str] | None = None


class Modality(Protocol):
    """A kind of input. `token_columns`: what a token table holds beside `input` and `position`, by name, in words."""

    name: str
    label: str
    corpora: str  # what may be given as a corpus
    main_input: str  # what its models call the argument with the input
    token_columns: Mapping[str, str]

    def reads(self, config: Mapping[str, Any]) -> bool:
        """Whether a model of this configuration (its config.json) reads such inputs."""
        ...

    def read_corpus(
        self, source: str, *, column: str | None, target: str | None = None, max_inputs: int, **reading: Any
    ) -> Corpus:
        """A named list of inputs. target: the column with what a model writes.

        reading: encoding, paragraphs, pair and chats, of texts (services.modalities.corpora.read_corpus).
        Raises: CorpusError.
        """
        ...

    def load_processor(self, folder: ModelFolder) -> tuple[Any, tuple[str, ...]]:
        """What cuts an input into tokens (`LoadedModel.tokenizer`), and what a reader should know of it.

        Raises: ModelError.
        """
        ...

    def longest(self, model: Any, processor: Any) -> int:
        """The most tokens of one input."""
        ...

    def trial(self, loaded: LoadedModel) -> ModelInput:
        """A short input of two tokens at least, to look at what the model's layers do. Raises: ModelError."""
        ...

    def complete(
        self, loaded: LoadedModel, corpus: Corpus, *, max_tokens: int | None, report: Callable[[int, int], None]
    ) -> Corpus:
        """A corpus with what the model itself makes of it, where it is lacking and needed.

        report: called with the inputs done and those to do. Raises: ModelError.
        """
        ...

    def prepare(
        self,
        loaded: LoadedModel,
        corpus: Corpus,
        *,
        max_tokens: int | None,
        tags: str,
        is_global: IsGlobal,
    ) -> Prepared:
        """Cut a corpus into tokens. tags: `BuildRequest.pos`. Raises: CorpusError, ModelError, BuildError."""
        ...

    def check(self, loaded: LoadedModel, inputs: Sequence[ModelInput]) -> None:
        """Raises: ModelError when the model cannot read them."""
        ...

    def arguments(self, loaded: LoadedModel, inputs: Sequence[ModelInput]) -> dict[str, Any]:
        """Keyword arguments of a forward pass over a batch, padded on the right; tensors on the model's device."""
        ...

    def lacking(self, atlas: Atlas, *, tags: str) -> str | None:
        """What an atlas was built without though it was asked for, and nobody said why; None when it has all."""
        ...

    def preview(self, atlas: Atlas, index: int) -> str:
        """An input in one line."""
        ...

    def find_inputs(self, atlas: Atlas, words: str) -> tuple[list[tuple[int, str]], int]:
        """Inputs that a reader may mean: some of (index, line), and how many there are."""
        ...
