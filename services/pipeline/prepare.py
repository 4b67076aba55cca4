"""The first stage of a build: a corpus cut into tokens as the model sees them, and the tables of inputs and tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from services.atlas import TokenTable, arrays
from services.atlas.folder import token_table
from services.atlas.schema import CorpusInfo, FileInfo, StreamInfo
from services.capture import global_tokens
from services.modalities.contract import ModelInput, Prepared
from services.modalities.corpora import Corpus
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel
from services.pipeline.request import BuildRequest
from services.streams import Places, StreamTokens


@dataclass(frozen=True)
class PreparedCorpus:
    """A corpus as the model sees it, and what the atlas says of it."""

    info: CorpusInfo
    texts: list[str]
    columns: dict[str, list[str]]
    tokens: Prepared

    @property
    def inputs(self) -> Sequence[ModelInput]:
        return self.tokens.inputs

    @property
    def tables(self) -> list[str]:
        """Names of the token tables."""
        return list(self.tokens.columns)

    def lengths(self, table: str) -> np.ndarray:
        """int64 [inputs]: number of tokens of each input in a table."""
        return np.asarray([item.lengths[table] for item in self.inputs], dtype=np.int64)

    def stream_tokens(self, stream: StreamInfo) -> StreamTokens:
        """Where a stream's queries and keys stand, and who of them may attend to whom."""
        return StreamTokens(stream.mask, *map(self.places, stream.tables))

    def token_table(self, table: str, chosen: Sequence[int]) -> TokenTable:
        """The tokens of some inputs, in rising order, as an atlas of these alone would hold them."""
        places = self.places(table)
        content = pa.table({"input": places.input, "position": places.position, **self.tokens.columns[table]})
        mine = np.isin(places.input, chosen)
        columns = content.filter(pa.array(mine)).to_pydict()
        columns["input"] = np.searchsorted(chosen, columns["input"])
        return token_table(columns, len(chosen))

    def places(self, table: str) -> Places:
        """Where the tokens of a table stand."""
        lengths = self.lengths(table)
        flags = [item.global_tokens(table) for item in self.inputs]
        known = [np.zeros(n, bool) if flag is None else flag for n, flag in zip(lengths, flags, strict=True)]
        return Places(
            np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
            np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
            np.concatenate(known) if any(flag is not None for flag in flags) else None,
        )


def prepare(loaded: LoadedModel, corpus: Corpus, request: BuildRequest) -> PreparedCorpus:
    """Cut a corpus into tokens.

    Raises:
        CorpusError: no input has a token.
    """
    tokens = modality_named(loaded.modality).prepare(
        loaded,
        corpus,
        max_tokens=request.max_tokens,
        tags=request.pos,
        is_global=lambda item: global_tokens(loaded.model, item),
    )
    info = CorpusInfo(
        name=corpus.name,
        source=corpus.source,
        sha256=corpus.sha256,
        inputs=len(tokens.inputs),
        tokens=sum(map(len, tokens.inputs)),
        notes=(*corpus.notes, *tokens.notes),
    )
    columns = {name: [values[index] for index in tokens.kept] for name, values in corpus.columns.items()}
    texts = tokens.texts if tokens.texts is not None else [corpus.texts[index] for index in tokens.kept]
    return PreparedCorpus(info, list(texts), columns, tokens)


def write_tables(folder: Path, prepared: PreparedCorpus) -> dict[str, FileInfo]:
    """Write `inputs.parquet` and the token tables."""
    columns: dict = {"text": prepared.texts, "tokens": pa.array(map(len, prepared.inputs), pa.int32())}
    columns |= prepared.tokens.input_columns
    for name, values in prepared.columns.items():
        while name in columns:
            name += "_"
        columns[name] = values
    files = dict(prepared.tokens.write_files(folder))
    files["inputs.parquet"] = arrays.write_table(folder / "inputs.parquet", pa.table(columns))
    for table in prepared.tables:
        places = prepared.places(table)
        content = {"input": places.input, "position": places.position, **prepared.tokens.columns[table]}
        files[f"{table}.parquet"] = arrays.write_table(folder / f"{table}.parquet", pa.table(content))
    return files
