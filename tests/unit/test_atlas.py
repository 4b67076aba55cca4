"""Only whole atlases open; every other folder is refused with one line that names the file."""

import json
import pickle
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.atlas import arrays, open_atlas, verify
from services.atlas.library import Library
from services.errors import AtlasFormatError


@pytest.fixture
def atlas(small_atlas, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(small_atlas, tmp_path / "atlases" / "small")


def edit(atlas, change):
    """Change the content of `atlas.json`."""
    content = json.loads((atlas / "atlas.json").read_text())
    change(content)
    (atlas / "atlas.json").write_text(json.dumps(content))


def replace(atlas, name, write):
    """Write another file under a name, with its size and hash made to fit: only its content is wrong."""
    write(atlas / name)
    info = arrays.describe(atlas / name).model_dump()
    edit(atlas, lambda content: content["files"].update({name: info}))


def refused(atlas, *told):
    with pytest.raises(AtlasFormatError) as refusal:
        open_atlas(atlas)
    message = str(refusal.value)
    assert "\n" not in message
    for part in told:
        assert part in message


def test_a_missing_folder_is_named(tmp_path):
    refused(tmp_path / "nowhere", "nowhere")


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "file")


def test_a_folder_without_atlas_json_is_named(tmp_path):
    refused(tmp_path, str(tmp_path), "atlas.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1}'],
    ids=["empty", "cut", "binary", "list", "null", "deep", "huge-number", "foreign"],
)  # fmt: skip
def test_an_atlas_json_that_is_none_is_named(atlas, content):
    (atlas / "atlas.json").write_bytes(content)
    refused(atlas, "atlas.json")


def test_a_newer_version_asks_for_an_update(atlas):
    edit(atlas, lambda content: content.update(schema_version=2))
    refused(atlas, "atlas.json", "version 2", "Update")


@pytest.mark.parametrize("version", ["1", None, True, -1, 1.5])
def test_a_strange_version_is_refused(atlas, version):
    edit(atlas, lambda content: content.update(schema_version=version))
    if version is not True:
        refused(atlas, "atlas.json", "schema_version")


FILES = (
    "self/queries.npy",
    "self/attention.npy",
    "self/pca2d.npy",
    "tokens.parquet",
    "inputs.parquet",
    "heads.parquet",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "truncated", "extended", "folder"])
def test_a_damaged_file_is_named(atlas, name, damage):
    file = atlas / name
    content = file.read_bytes()
    file.unlink()
    if damage == "truncated":
        file.write_bytes(content[:-1])
    elif damage == "extended":
        file.write_bytes(content + b"\0")
    elif damage == "folder":
        file.mkdir()
    refused(atlas, name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_listed_is_named(atlas, name):
    edit(atlas, lambda content: content["files"].pop(name))
    refused(atlas, name, "does not list")


@pytest.mark.parametrize("name", ["self/keys.npy", "self/pca3d.npy", "self/value_norms.npy", "self/attention.npy"])
def test_a_wrong_shape_is_named(atlas, name):
    replace(atlas, name, lambda file: np.save(file, np.zeros((2, 3), "float32")))
    refused(atlas, name, "(2, 3)")


def test_a_wrong_number_type_is_named(atlas):
    old = np.load(atlas / "self/pca2d.npy")
    replace(atlas, "self/pca2d.npy", lambda file: np.save(file, old.astype("float64")))
    refused(atlas, "self/pca2d.npy", "float64")


@pytest.mark.parametrize("kind", ["cut", "columns", "text"])
def test_an_array_file_that_contradicts_its_header_is_named(atlas, kind):
    old = np.load(atlas / "self/pca2d.npy")

    def write(file):
        if kind == "columns":
            np.save(file, np.asfortranarray(old))
        else:
            file.write_bytes(file.read_bytes()[:-4] if kind == "cut" else b"no array")

    replace(atlas, "self/pca2d.npy", write)
    refused(atlas, "self/pca2d.npy")


class Trap:
    """Unpickling this would write a file."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


def test_pickles_are_never_loaded(atlas, tmp_path):
    sprung = tmp_path / "sprung"
    trap = np.empty((6, 12), object)
    trap[:] = Trap(sprung)
    replace(atlas, "self/queries.npy", lambda file: np.save(file, trap, allow_pickle=True))
    refused(atlas, "self/queries.npy", "objects")
    with pytest.raises(ValueError):
        arrays.read(atlas / "self/queries.npy")
    replace(atlas, "self/queries.npy", lambda file: file.write_bytes(pickle.dumps(Trap(sprung))))
    refused(atlas, "self/queries.npy")
    assert not sprung.exists()


def test_swapped_tables_are_named(atlas):
    heads = (atlas / "heads.parquet").read_bytes()
    replace(atlas, "tokens.parquet", lambda file: file.write_bytes(heads))
    refused(atlas, "tokens.parquet", "column")


def test_a_table_with_other_rows_is_named(atlas):
    table = pq.read_table(atlas / "inputs.parquet").slice(0, 3)
    replace(atlas, "inputs.parquet", lambda file: pq.write_table(table, file))
    refused(atlas, "inputs.parquet", "3 rows instead of 12")


def test_a_table_that_is_no_parquet_is_named(atlas):
    replace(atlas, "tokens.parquet", lambda file: file.write_bytes(b"PAR1 and nothing more PAR1"))
    refused(atlas, "tokens.parquet")


@pytest.mark.parametrize("row", [-1, 12, 10**9])
def test_tokens_of_inputs_that_are_not_there_are_refused(atlas, row):
    table = pq.read_table(atlas / "tokens.parquet")
    rows = table["input"].to_pylist()
    rows[-1] = row
    table = table.set_column(0, "input", pa.array(rows, pa.int32()))
    replace(atlas, "tokens.parquet", lambda file: pq.write_table(table, file))
    with pytest.raises(AtlasFormatError, match=r"tokens\.parquet"):
        open_atlas(atlas).tokens()


@pytest.mark.parametrize("name", ["../secret", "self/../../secret", "/etc/hostname", "", ".", "a\0b", "x" * 5000])
def test_a_file_outside_the_folder_is_never_touched(atlas, name):
    (atlas.parent / "secret").write_bytes(b"secret")
    edit(atlas, lambda content: content["files"].update({name: {"bytes": 6, "sha256": "0"}}))
    refused(atlas, "atlas.json")


def test_a_link_out_of_the_folder_is_refused(atlas, tmp_path):
    outside = shutil.move(atlas / "self/keys.npy", tmp_path / "keys.npy")
    (atlas / "self/keys.npy").symlink_to(outside)
    refused(atlas, "self/keys.npy", "outside")


@pytest.mark.parametrize(
    "change",
    [
        lambda stream: stream.update(name="../self"),
        lambda stream: stream.update(query_table="../tokens"),
        lambda stream: stream.update(layers=7),
        lambda stream: stream.update(key_heads=5),
        lambda stream: stream.update(heads=0),
        lambda stream: stream.update(surprise=1),
    ],
)
def test_a_stream_that_cannot_be_is_refused(atlas, change):
    edit(atlas, lambda content: change(content["streams"][0]))
    refused(atlas, "atlas.json")


def test_a_projection_of_no_stream_is_refused(atlas):
    edit(atlas, lambda content: content["projections"][0].update(stream="cross"))
    refused(atlas, "atlas.json", "cross")


def test_verify_finds_a_flipped_byte(atlas):
    assert verify(atlas) == []
    file = atlas / "self/attention.npy"
    content = bytearray(file.read_bytes())
    content[-3] ^= 0x10
    file.write_bytes(content)
    assert open_atlas(atlas)
    (found,) = verify(atlas)
    assert "self/attention.npy" in found


# ---- the library


def test_whole_atlases_are_served_beside_broken_ones(atlas):
    home = atlas.parent
    shutil.copytree(atlas, home / "other")
    (home / "broken").mkdir()
    (home / "broken" / "atlas.json").write_text("{")
    shutil.copytree(atlas, home / "growing.partial")
    (home / "Not A Slug").mkdir()
    (home / "file").touch()
    entries = {entry.slug: entry for entry in Library(home).entries()}
    assert list(entries) == ["broken", "other", "small"]
    assert entries["broken"].atlas is None
    assert "atlas.json" in entries["broken"].problem
    assert entries["small"].atlas is not None


def test_no_folder_of_atlases_is_an_empty_library(tmp_path):
    assert Library(tmp_path / "nowhere").entries() == []
    assert Library(tmp_path / "nowhere").first() is None


@pytest.mark.parametrize("slug", [None, "", ".", "..", "../small", "small/", "small.partial", "SMALL", "a\0"])
def test_a_name_from_anyone_finds_nothing_outside(atlas, slug):
    assert Library(atlas.parent).get(slug) is None


def test_an_atlas_is_opened_once_and_again_when_atlas_json_is_replaced(atlas):
    library = Library(atlas.parent)
    first = library.get("small")
    assert library.get("small") is first
    edited = json.loads((atlas / "atlas.json").read_text()) | {"title": "Another"}
    arrays.write_json(atlas / "atlas.json", edited)
    assert library.get("small").info.title == "Another"
    (atlas / "atlas.json").unlink()
    assert library.get("small") is None


def test_an_atlas_that_is_still_being_copied_appears_when_it_is_whole(atlas):
    library = Library(atlas.parent)
    late = atlas / "self/keys.npy"
    late.rename(late.with_suffix(".copying"))
    assert library.get("small") is None
    late.with_suffix(".copying").rename(late)
    assert library.get("small") is not None
