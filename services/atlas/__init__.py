"""The atlas folder: what it holds, how it is opened, checked and mapped. See `docs/atlas-format.md`."""

from services.atlas.attention import AttentionBlocks
from services.atlas.folder import (
    HEADS,
    INFO,
    INPUTS,
    SLUG,
    Atlas,
    InputTable,
    TokenTable,
    expected_shapes,
    open_atlas,
    token_tables,
    verify,
)
from services.atlas.projection_ref import ProjectionRef
from services.atlas.vectors import VectorStore

__all__ = [
    "HEADS",
    "INFO",
    "INPUTS",
    "SLUG",
    "Atlas",
    "AttentionBlocks",
    "InputTable",
    "ProjectionRef",
    "TokenTable",
    "VectorStore",
    "expected_shapes",
    "open_atlas",
    "token_tables",
    "verify",
]
