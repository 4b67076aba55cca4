"""The registry of kinds of attention, and what reads it: docs, the dashboard's control, the description of a model."""

import re
from pathlib import Path

import pytest

from components.catalogue import scene_payload, stream_options
from services.atlas import open_atlas
from services.modalities.registry import MODALITIES
from services.streams import registry
from services.streams.registry import KINDS, Kind, kind_named

DOCS = Path(__file__).parents[2] / "docs" / "streams.md"


def table(name: str) -> list[str]:
    """Rows of a table of the document, without its head."""
    text = DOCS.read_text(encoding="utf-8")
    part = text.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    return part.strip().splitlines()[2:]


def test_the_document_lists_the_kinds():
    expected = [
        f"| `{kind.name}` | {kind.label} | {kind.words} | `{kind.query_table}` | `{kind.key_table}` | {kind.layout} |"
        for kind in KINDS
    ]
    assert table("kinds") == expected


def test_the_document_lists_the_modalities():
    columns = [" · ".join(f"`{name}`: {words}" for name, words in one.token_columns.items()) for one in MODALITIES]
    rows = zip(MODALITIES, columns, strict=True)
    assert table("modalities") == [f"| `{one.name}` | `{one.main_input}` | {found} |" for one, found in rows]


def test_each_kind_has_its_words_and_a_name_that_can_be_a_folder():
    assert len({kind.name for kind in KINDS}) == len({kind.label for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", kind.name)
        assert kind.words.endswith(".")
        assert kind_named(kind.name) is kind
        assert kind.mask is None or kind.mask.same_positions == (kind.query_table == kind.key_table)


@pytest.fixture
def atlas(small_atlas):
    return open_atlas(small_atlas)


def with_stream(atlas, **changes):
    """The atlas with its stream described otherwise."""
    one = atlas.info.default_stream.model_copy(update=changes)
    atlas.info = atlas.info.model_copy(update={"streams": (one,)})
    return atlas


def test_the_control_names_kinds_by_their_labels(atlas):
    assert [(one["label"], one["value"]) for one in stream_options(atlas)] == [("Self-attention", "self")]
    named = with_stream(atlas, name="text_self")
    assert [(one["label"], one["value"]) for one in stream_options(named)] == [
        ("Self-attention · text_self", "text_self")
    ]


def test_a_kind_in_the_registry_is_known_to_the_control(atlas, monkeypatch):
    toy = with_stream(atlas, kind="hopping")
    assert stream_options(toy)[0]["label"] == "hopping · self"  # of an atlas that another program has built
    monkeypatch.setattr(registry, "KINDS", (*KINDS, Kind("hopping", "Hopping", "Every other token.")))
    assert stream_options(toy)[0] == {"label": "Hopping · self", "value": "self", "title": "Every other token."}


def test_the_browser_is_told_of_the_mask(atlas):
    payload = scene_payload(atlas, atlas.info.default_stream, "/")
    assert payload["mask"] == {"kind": "full", "hides": None, "offsets": [None, None]}
