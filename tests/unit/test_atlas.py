"""Only whole atlases open; every other folder is refused with one line that names the file."""

import json
import pickle
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.atlas import arrays, open_atlas, upgrade, verify
from services.atlas.library import Library
from services.atlas.schema import SCHEMA_VERSION
from services.errors import AtlasFormatError, OutdatedAtlasError


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
    newer = SCHEMA_VERSION + 1
    edit(atlas, lambda content: content.update(schema_version=newer))
    refused(atlas, "atlas.json", f"version {newer}", "Update")


@pytest.mark.parametrize("version", ["1", "2", None, True, -1, 0, 1.5])
def test_a_strange_version_is_refused(atlas, version):
    edit(atlas, lambda content: content.update(schema_version=version))
    refused(atlas, "atlas.json", "schema_version")


def test_version_1_was_never_released_and_has_to_be_built_again(atlas):
    edit(atlas, lambda content: content.update(schema_version=1))
    with pytest.raises(OutdatedAtlasError):
        open_atlas(atlas)
    refused(atlas, "atlas.json", "version 1", "build the atlas again")


def test_what_a_later_program_adds_to_the_same_version_is_passed_over(atlas):
    def add(content):
        for part in (content, content["streams"][0], content["projections"][0], content["model"], content["corpus"]):
            part["surprise"] = {"of": "a later program"}
        for info in content["files"].values():
            info["surprise"] = 1

    edit(atlas, add)
    opened = open_atlas(atlas)
    assert opened.info.streams[0].layers == 6
    assert verify(atlas) == []


def test_every_version_since_the_first_release_can_be_upgraded():
    assert set(upgrade.STEPS) == set(range(2, SCHEMA_VERSION))


def renames(old, new):
    """A made-up step: a field has got another name."""
    return lambda content: {new if name == old else name: value for name, value in content.items()}


def test_steps_are_taken_one_after_another():
    steps = {4: renames("name", "label"), 5: renames("label", "title")}
    old = {"schema_version": 4, "name": "Mine"}
    assert upgrade.upgraded(old, 6, steps) == {"schema_version": 6, "title": "Mine"}
    assert old == {"schema_version": 4, "name": "Mine"}
    assert upgrade.upgraded({"schema_version": 5, "label": "Mine"}, 6, steps)["title"] == "Mine"
    for left_alone in ({"schema_version": 6, "name": "x"}, {"schema_version": 7}, {"name": "x"}, [], None):
        assert upgrade.upgraded(left_alone, 6, steps) == left_alone
    with pytest.raises(upgrade.TooOldError):
        upgrade.upgraded({"schema_version": 3}, 6, steps)


def test_an_older_atlas_is_read_without_a_change_to_its_files(atlas, monkeypatch):
    title = open_atlas(atlas).info.title
    edit(atlas, lambda content: content.update(schema_version=SCHEMA_VERSION - 1, label=content.pop("title")))
    before = (atlas / "atlas.json").read_bytes()
    monkeypatch.setitem(upgrade.STEPS, SCHEMA_VERSION - 1, renames("label", "title"))
    assert open_atlas(atlas).info.title == title
    assert verify(atlas) == []
    assert (atlas / "atlas.json").read_bytes() == before


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
