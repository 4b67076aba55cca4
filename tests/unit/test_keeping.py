"""Atlases renamed, thrown away for a day, packed and opened again; of a stranger's file nothing is believed."""

import io
import json
import shutil
import stat
import time
import zipfile
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.atlas import open_atlas, verify
from services.atlas.library import Library
from services.errors import AtlasError, BuildError, UploadError
from services.pipeline.journal import Journal
from services.pipeline.lock import build_lock
from services.pipeline.progress import Progress
from services.pipeline.publish import write_info
from services.pipeline.request import BuildRequest
from services.settings import Settings
from services.workshop import unpack
from services.workshop.estimate import Estimate
from services.workshop.keeping import KEPT, Keeping, same_as
from services.workshop.orders import BROUGHT, Order
from services.workshop.packing import pack

MOST = 100_000_000


@pytest.fixture
def keeping(small_atlas, tmp_path):
    settings = Settings(home=tmp_path / "home", demo=False)
    settings.make_folders()
    shutil.copytree(small_atlas, settings.atlases / "small")
    return Keeping(settings)


def folder(keeping, slug="small"):
    return keeping.settings.atlases / slug


# --- names and notes


def test_a_name_and_notes_are_part_of_the_atlas_and_it_stays_whole(keeping):
    keeping.describe("small", "  My   cats ", "L3 H1 is odd.\nSee it.")
    info = open_atlas(folder(keeping)).info
    assert (info.title, info.about) == ("My cats", "L3 H1 is odd.\nSee it.")
    assert verify(folder(keeping)) == []


def test_a_build_that_goes_on_keeps_the_new_name(keeping):
    place = folder(keeping)
    request = BuildRequest(model="minilm", corpus="x", title="Small")
    journal = Journal.load(place)
    write_info(place, request, journal, Progress("small", bar=False))  # as the build that is asked for first
    keeping.describe("small", "My cats", "Odd.")
    journal = Journal.load(place)
    write_info(place, request, journal, Progress("small", bar=False))
    assert open_atlas(place).info.title == "My cats"
    assert open_atlas(place).info.about == "Odd."
    other = BuildRequest(model="minilm", corpus="x", title="Another")
    write_info(place, other, Journal.load(place), Progress("small", bar=False))
    assert open_atlas(place).info.title == "Another"


@pytest.mark.parametrize(
    ("slug", "title", "notes", "said"),
    [
        ("small", "", "", "A title is one line"),
        ("small", " \n", "", "A title is one line"),
        ("small", "x" * 121, "", "A title is one line"),
        ("small", "a\x00b", "", "A title is one line"),
        ("small", "a\u202eb", "", "A title is one line"),
        ("small", "a", "x" * 4_001, "these have 4,001"),
        ("none", "a", "", "There is no atlas none"),
        ("../small", "a", "", "no such atlas"),
        (None, "a", "", "no such atlas"),
        (["small"], "a", "", "no such atlas"),
        ("small.partial", "a", "", "no such atlas"),
    ],
)
def test_a_name_that_is_none_changes_nothing(keeping, slug, title, notes, said):
    before = (folder(keeping) / "atlas.json").read_bytes()
    with pytest.raises(BuildError, match=said):
        keeping.describe(slug, title, notes)
    assert (folder(keeping) / "atlas.json").read_bytes() == before


def test_an_atlas_at_work_is_left_alone(keeping):
    with build_lock(folder(keeping)):
        for deed in (lambda: keeping.describe("small", "a", ""), lambda: keeping.delete("small")):
            with pytest.raises(BuildError, match="small is at work; wait until its build is done, or stop it"):
                deed()
    assert open_atlas(folder(keeping))
    assert keeping.thrown() == []


# --- the trash


def with_order(keeping):
    """As if it had been ordered on a page."""
    settings = keeping.settings
    upload = settings.uploads / ("0" * 32)
    upload.mkdir(parents=True)
    (upload / "mine.txt").write_text("secret")
    settings.orders.mkdir()
    order = Order(slug="small", arguments={}, upload=upload.name, estimate=Estimate(1, 1, 1, 1, 0))
    (settings.orders / "small.json").write_text(order.model_dump_json())
    return upload


def test_what_is_deleted_can_be_had_again_for_a_day_with_what_was_uploaded(keeping):
    upload = with_order(keeping)
    before = sorted(path.name for path in folder(keeping).rglob("*"))
    thrown = keeping.delete("small")
    assert (thrown.slug, thrown.title) == ("small", "Small")
    assert not folder(keeping).exists()
    assert not upload.exists()
    assert Library(keeping.settings.atlases).entries() == []
    assert keeping.restore(thrown.id) == "small"
    assert sorted(path.name for path in folder(keeping).rglob("*")) == before
    assert (upload / "mine.txt").read_text() == "secret"
    assert (keeping.settings.orders / "small.json").is_file()
    assert keeping.thrown() == []
    assert list(keeping.settings.trash.iterdir()) == []


def test_after_a_day_it_is_gone_with_all_that_was_uploaded(keeping):
    with_order(keeping)
    thrown = keeping.delete("small")
    assert keeping.thrown(time.time() + KEPT - 60) == [thrown]
    keeping.sweep(time.time() + KEPT + 60)
    assert keeping.thrown() == []
    assert not list(keeping.settings.home.rglob("mine.txt"))
    with pytest.raises(BuildError, match="gone for good"):
        keeping.restore(thrown.id)


def test_it_comes_back_under_another_name_where_its_own_is_taken(keeping, small_atlas):
    thrown = keeping.delete("small")
    shutil.copytree(small_atlas, folder(keeping))
    assert keeping.restore(thrown.id) == "small-2"
    assert open_atlas(folder(keeping, "small-2"))


def test_deleting_for_good_and_twice_in_a_second(keeping, small_atlas):
    first = keeping.delete("small")
    shutil.copytree(small_atlas, folder(keeping))
    second = keeping.delete("small")
    assert first.id != second.id
    keeping.purge(first.id)
    assert [one.id for one in keeping.thrown()] == [second.id]


@pytest.mark.parametrize("id", ["", "..", "../atlases", "small", "small@1@00000000", None, 7, []])
def test_other_names_are_nothing_in_the_trash(keeping, id):
    for deed in (keeping.restore, keeping.purge):
        with pytest.raises(BuildError, match="gone for good"):
            deed(id)
    assert open_atlas(folder(keeping))


def test_a_folder_that_is_no_atlas_can_be_deleted_too(keeping):
    broken = folder(keeping, "broken")
    broken.mkdir()
    assert keeping.delete("broken").title == "broken"


# --- packed and opened


def packed(atlas_folder):
    return b"".join(pack(open_atlas(atlas_folder)))


def receive(keeping, data, name="small.zip"):
    return keeping.receive(name, len(data), io.BytesIO(data))


def leftovers(keeping):
    home = keeping.settings.home
    return [str(path) for path in home.rglob("*") if ".incoming" in path.name or path.name.endswith(".part")]


def test_what_is_packed_and_opened_is_the_same_atlas(keeping):
    keeping.describe("small", "Käse & <b>", "Odd.")
    slug = receive(keeping, packed(folder(keeping)))
    assert slug == "small-2"
    one, other = open_atlas(folder(keeping)), open_atlas(folder(keeping, slug))
    assert other.info == one.info
    assert verify(other.path) == []
    assert same_as(one, [one, other]) == [other]
    assert (other.path / BROUGHT).exists()
    own, brought = Journal.load(one.path), Journal.load(other.path)
    assert brought.request == own.request
    assert brought.files == own.files
    assert leftovers(keeping) == []
    write_info(other.path, BuildRequest(model="minilm", corpus="x"), brought, Progress("x", bar=False))
    assert open_atlas(other.path).info == one.info


def test_packing_takes_no_memory_for_what_it_packs(small_atlas):
    pieces = [len(piece) for piece in pack(open_atlas(small_atlas))]
    assert max(pieces) <= (1 << 20) + 4096
    with zipfile.ZipFile(io.BytesIO(packed(small_atlas))) as made:
        assert made.testzip() is None


def test_one_that_is_too_large_is_refused_unread(keeping, monkeypatch):
    class Untouched(io.RawIOBase):
        def read(self, _size=-1):
            raise AssertionError("the body was read")

    with pytest.raises(UploadError, match=r"has 9\.0 GB; 4\.0 GB are the most .*ATLAS_ATLAS_BYTES"):
        keeping.receive("a.zip", 9 * 10**9, Untouched())
    with pytest.raises(UploadError, match="does not say how large"):
        keeping.receive("a.zip", None, Untouched())
    assert leftovers(keeping) == []


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip" * 1000])
def test_what_is_no_zip_leaves_nothing(keeping, data):
    with pytest.raises(UploadError):
        receive(keeping, data)
    assert leftovers(keeping) == []
    assert [path.name for path in keeping.settings.atlases.iterdir()] == ["small"]


class Package:
    """The members of a packed atlas, to be changed and packed again."""

    def __init__(self, atlas_folder):
        with zipfile.ZipFile(io.BytesIO(packed(atlas_folder))) as made:
            self.members = {info.filename: made.read(info) for info in made.infolist()}
        self.links = {}

    @property
    def info(self):
        return json.loads(self.members["small/atlas.json"])

    def describe(self, **changes):
        self.members["small/atlas.json"] = json.dumps({**self.info, **changes}).encode()

    def replace(self, name, data, key=True):
        """A file with its hash, as an attacker would."""
        self.members[f"small/{name}"] = data
        files = {**self.info["files"], name: {"bytes": len(data), "sha256": sha256(data).hexdigest()}}
        self.describe(files=files)
        if key:
            from services.atlas.schema import AtlasInfo, captured_key

            info = AtlasInfo.model_validate(self.info)
            self.describe(key=captured_key(info.streams, info.files))

    def unpack(self, tmp_path):
        file, place = tmp_path / "p.zip", tmp_path / "place"
        place.mkdir()
        with zipfile.ZipFile(file, "w") as made:
            for name, data in self.members.items():
                info = zipfile.ZipInfo(name)
                if name in self.links:
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                made.writestr(info, data)
        return unpack.run({"file": str(file), "folder": str(place), "most_bytes": MOST, "shown": "p.zip"})


@pytest.fixture
def package(small_atlas):
    return Package(small_atlas)


def test_a_package_in_order_is_unpacked(package, tmp_path):
    assert package.unpack(tmp_path) == {"slug": "small", "title": "Small"}


def no_description(package):
    del package.members["small/atlas.json"]


def two_descriptions(package):
    package.members["other/atlas.json"] = package.members["small/atlas.json"]


def lacking(package):
    del package.members["small/self/queries.npy"]


def cut_short(package):
    package.members["small/self/queries.npy"] = package.members["small/self/queries.npy"][:-10]


def changed(package):
    data = bytearray(package.members["small/self/queries.npy"])
    data[-1] ^= 1
    package.members["small/self/queries.npy"] = bytes(data)


def outside(package):
    package.members["small/../../evil"] = b"x"


def described_outside(package):
    package.describe(files={**package.info["files"], "../evil": {"bytes": 1, "sha256": "0" * 64}})
    package.members["small/x"] = b"x"


def link(package):
    package.members["small/evil"] = b"/etc/passwd"
    package.links = {"small/evil"}


def newer(package):
    package.describe(schema_version=99)


def nonsense(package):
    package.members["small/atlas.json"] = b"[" * 100_000


def no_object(package):
    package.members["small/atlas.json"] = b"[]"


def other_key(package):
    package.describe(key="0" * 16)


def other_map(package):
    projections = package.info["projections"]
    package.describe(projections=[{**projections[0], "sha256": "0" * 64}, *projections[1:]])


def unknown_modality(package):
    package.describe(modality="smell")


def array(values, dtype="<f4"):
    file = io.BytesIO()
    np.save(file, np.asarray(values, dtype))
    return file.getvalue()


def not_numbers(package):
    before = np.load(io.BytesIO(package.members["small/self/value_norms.npy"]))
    package.replace("self/value_norms.npy", array(np.full_like(before, np.nan)))


def objects(package):
    file = io.BytesIO()
    np.save(file, np.array([{}], object), allow_pickle=True)
    package.replace("self/attention_mean.npy", file.getvalue(), key=False)


def other_shape(package):
    package.replace("self/value_norms.npy", array([1.0, 2.0]))


def table(columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def null_texts(package):
    rows = pq.read_table(io.BytesIO(package.members["small/inputs.parquet"]))
    columns = {name: rows[name] for name in rows.column_names}
    package.replace("inputs.parquet", table({**columns, "text": pa.array([None] * rows.num_rows, pa.string())}))


def inputs_out_of_range(package):
    rows = pq.read_table(io.BytesIO(package.members["small/tokens.parquet"]))
    columns = {name: rows[name] for name in rows.column_names}
    package.replace("tokens.parquet", table({**columns, "input": pa.array([10**6] * rows.num_rows, pa.int32())}))


def table_bomb(package):
    rows = pq.read_table(io.BytesIO(package.members["small/inputs.parquet"]))
    columns = {name: rows[name] for name in rows.column_names}
    package.replace("inputs.parquet", table({**columns, "more": ["x" * 2_000_000] * rows.num_rows}))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (no_description, "holds no atlas.json: it is no atlas"),
        (two_descriptions, "more than one atlas.json"),
        (lacking, "lacks 'self/queries.npy'"),
        (cut_short, "lacks 'self/queries.npy', or holds another one"),
        (changed, "'small/self/queries.npy' is damaged"),
        (outside, "leads outside"),
        (described_outside, "lacks|outside"),
        (link, "is a link or a device"),
        (newer, "this program reads up to"),
        (nonsense, "is no zip of an atlas, or is damaged"),
        (no_object, "is no zip of an atlas, or is damaged"),
        (other_key, "its key is not that of its files"),
        (other_map, "is not the one that it describes"),
        (unknown_modality, "of a kind that is not known here"),
        (not_numbers, "holds what is no number"),
        (objects, "holds no numbers|cannot be|make no sense"),
        (other_shape, "has the shape"),
        (null_texts, "inputs that are no text"),
        (inputs_out_of_range, "not in the order of the inputs"),
        (table_bomb, "its tables are too large"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_package_that_is_not_in_order_is_refused_in_one_line(package, tmp_path, monkeypatch, harm, said):
    monkeypatch.setattr(unpack, "MOST_TABLES", 20_000_000)
    harm(package)
    with pytest.raises(AtlasError, match=said) as error:
        package.unpack(tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) not in str(error.value)
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path.parent / "evil").exists()


def test_of_a_journal_only_the_wish_is_kept(package, tmp_path):
    journal = json.loads(package.members["small/build.json"])
    journal["done"] = {"x": [[0, 10**12]]}
    journal["files"]["../../evil"] = {"bytes": 1, "sha256": "0"}
    package.members["small/build.json"] = json.dumps(journal).encode()
    package.unpack(tmp_path)
    kept = Journal.load(tmp_path / "place")
    assert kept.stages() == []
    assert set(kept.files) == set(open_atlas(tmp_path / "place").info.files)
