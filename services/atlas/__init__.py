"""The atlas folder: what it holds, how it is opened, checked and mapped. See `docs/atlas-format.md`."""

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

__all__ = [
    "HEADS",
    "INFO",
    "INPUTS",
    "SLUG",
    "Atlas",
    "InputTable",
    "ProjectionRef",
    "TokenTable",
    "expected_shapes",
    "open_atlas",
    "token_tables",
    "verify",
]
