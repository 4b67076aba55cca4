"""A wish of a page: looked at without torch, estimated, refused in one line, and built by the machinery of all jobs."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from services.atlas import ProjectionRef, open_atlas
from services.atlas.library import Library
from services.errors import AtlasError, BuildError, JobError, ModelError
from services.jobs.spec import Job
from services.models.files import find_model
from services.models.outline import Part, outline
from services.settings import Settings
from services.workshop.estimate import DEFAULT_RATES, STARTING, Estimate, Work, disk_bytes, duration, estimate, rates_of
from services.workshop.offers import offered, offers
from services.workshop.orders import BROUGHT, Workshop
from services.workshop.wish import Wish

TEXT = "The cat sat on the mat.\nParis is the capital of France.\nStop."


class Jobs:
    """A backend that runs nothing."""

    def __init__(self, refuses=False):
        self.rows: dict[str, Job] = {}
        self.refuses = refuses
        self.on = ""

    def gpu(self):
        return self.on

    def submit(self, spec):
        if self.refuses:
            raise JobError("No space left.")
        job = Job(id=spec.id, kind=spec.kind, arguments=spec.arguments, title="Build", state="running", label="At work")
        self.rows[spec.id] = job
        return job

    def status(self, id):
        return self.rows.get(id)

    def list(self):
        return list(self.rows.values())

    def cancel(self, id, owner=None):
        if id in self.rows:
            self.rows[id] = self.rows[id].changed(state="cancelled")


@pytest.fixture
def shop(tmp_path):
    settings = Settings(home=tmp_path / "home", demo=False)
    settings.make_folders()
    return Workshop(settings, Library(settings.atlases), Jobs())


def wish(**values):
    return Wish.read({"model": "minilm", "corpus": "paste", "text": TEXT, "projections": ["umap"], **values})


def left(shop):
    """All files of the home, but for the empty folders that are always there."""
    return sorted(
        str(p.relative_to(shop.settings.home))
        for p in shop.settings.home.rglob("*")
        if p.is_file() and p.name != ".lock"
    )


# --- the look


def test_a_look_says_what_model_and_corpus_are(shop):
    checked = shop.check(wish())
    assert checked.problem is None
    assert checked.sentence == "BERT, 6 × 12 heads, encoder; 3 inputs, about 22 tokens"
    assert left(shop) == []


def test_the_tokens_of_a_look_are_those_of_the_build(small_atlas, shop):
    """The same sentences, counted by the build."""
    corpus = small_atlas.parents[1] / "sentences.txt"
    checked = shop.check(wish(text=corpus.read_text(encoding="utf-8")))
    info = open_atlas(small_atlas).info
    assert checked.look["inputs"] == info.corpus.inputs
    assert checked.look["tokens"] == info.corpus.tokens
    counts = open_atlas(small_atlas).tokens().counts
    assert checked.look["pairs"] == int((counts**2).sum())


def test_a_look_imports_no_torch():
    code = "import sys; from services.workshop import look, orders, offers, estimate; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
    source = (
        "import sys; from services.workshop.look import run;"
        "run({'model': 'minilm', 'corpus': 'demo', 'max_inputs': 9, 'most_bytes': 9});"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False, cwd=Path(__file__).parents[2]).returncode == 0


def upload(shop, name, data, id=None):
    import io

    return shop.uploads.receive(name, len(data), io.BytesIO(data), id)


def test_of_a_table_the_columns_and_first_rows_are_told_also_where_the_column_is_missing(shop):
    rows = [{"title": f"t{n}", "body": f"The {n}th cat sat."} for n in range(9)]
    found = upload(shop, "a.jsonl", "\n".join(map(json.dumps, rows)).encode())
    checked = shop.check(wish(corpus="upload", upload=found.id))
    assert "which column holds the texts?" in checked.problem
    assert str(shop.settings.home) not in checked.problem
    assert checked.look["columns"] == ["title", "body"]
    assert checked.look["rows"][0] == ["t0", "The 0th cat sat."]
    assert len(checked.look["rows"]) == 5
    checked = shop.check(wish(corpus="upload", upload=found.id, column="body", max_inputs=4))
    assert "4 inputs" in checked.sentence
    assert "no column" in shop.check(wish(corpus="upload", upload=found.id, column="nine")).problem


@pytest.mark.slow
def test_a_parquet_table_of_one_endless_text_is_read_once_and_refused_in_one_line(shop):
    """One text of 40 MB, 4,000 times: 41 kB on disk after its dictionary, 160 GB if each row were a text of its own."""
    table = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * 4_000, pa.int32()), ["x" * 40_000_000])})
    place = shop.settings.home / "bomb.parquet"
    pq.write_table(table, place, compression="zstd")
    found = upload(shop, "bomb.parquet", place.read_bytes())
    problem = shop.check(wish(corpus="upload", upload=found.id)).problem
    assert "Skipped 4,000 texts longer than" in problem


def test_text_for_a_model_of_images_is_refused(shop, monkeypatch):
    folder = shop.settings.model_folder / "vision"
    model_of_images(folder)
    found = upload(shop, "a.txt", TEXT.encode())
    checked = shop.check(wish(model="folder:vision", corpus="upload", upload=found.id))
    assert "is no source of images" in checked.problem


def model_of_images(folder):
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    config = {"model_type": "vit", "architectures": ["ViTModel"], "num_hidden_layers": 3, "num_attention_heads": 2}
    config |= {"hidden_size": 8, "patch_size": 16, "image_size": 32}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 32, "width": 48}}))
    save_file({"a": np.zeros((3, 5), np.float16), "b": np.zeros(7, np.float32)}, folder / "model.safetensors")


def png(colour):
    import io

    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


def test_images_are_counted_by_patches(shop):
    model_of_images(shop.settings.model_folder / "vision")
    first = upload(shop, "a.png", png("red"))
    upload(shop, "b.png", png("blue"), first.id)
    checked = shop.check(wish(model="folder:vision", corpus="upload", upload=first.id))
    assert checked.sentence == "ViT, 3 × 2 heads, encoder; 2 inputs, about 14 tokens"  # 2 × 3 patches and one more
    assert checked.look["model"]["parameters"] == 22
    broken = upload(shop, "c.png", b"no picture")
    assert "c.png" in shop.check(wish(model="folder:vision", corpus="upload", upload=broken.id)).problem


def test_an_archive_with_a_link_is_refused_by_the_look(shop):
    import io
    import stat
    import zipfile

    model_of_images(shop.settings.model_folder / "vision")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo("a.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, "/etc/passwd")
    found = upload(shop, "a.zip", file.getvalue())
    assert "is a link" in shop.check(wish(model="folder:vision", corpus="upload", upload=found.id)).problem


# --- models on offer


def test_only_what_is_on_the_list_is_a_model(shop, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    model_of_images(shop.settings.model_folder / "group" / "mine")
    model_of_images(tmp_path / "outside")
    (shop.settings.model_folder / "link").symlink_to(tmp_path / "outside")
    values = {offer.value for offer in offers(shop.settings)}
    assert {"minilm", "folder:group/mine"} <= values
    assert not any("link" in value for value in values)
    for value in ("folder:link", "folder:../outside", f"folder:{tmp_path}/outside", "gpt2", "hub:x/y", "", None, 7, []):
        with pytest.raises(ModelError, match="not on the list"):
            offered(value, shop.settings)


def test_a_model_that_is_not_installed_is_offered_with_the_line_that_installs_it(shop, monkeypatch):
    monkeypatch.setattr("services.workshop.offers.is_installed", lambda model: model.name == "minilm")
    with pytest.raises(ModelError, match="run: pip install"):
        offered("dinov2", shop.settings)


def test_the_outline_of_minilm_is_its_own():
    found = outline(find_model("minilm", hashed=False))
    assert found.parts == (Part(6, 12, 12, 32),)
    assert (found.family, found.kind, found.longest) == ("BERT", "encoder", 512)
    assert found.parameters == 22_713_728  # and 512 positions more than torch counts as parameters


# --- the estimate


def test_the_disk_of_an_estimate_is_that_of_the_atlas(small_atlas):
    info = open_atlas(small_atlas).info
    counts = open_atlas(small_atlas).tokens().counts
    layouts = [ProjectionRef("pca", 2), ProjectionRef("pca", 3)]
    work = Work([Part(6, 12, 12, 32)], info.model.parameters, info.corpus.tokens, int((counts**2).sum()), layouts)
    arrays = sum(file.bytes for name, file in info.files.items() if name.endswith(".npy"))
    vectors = sum(info.files[f"self/{name}.npy"].bytes for name in ("queries", "keys"))
    assert abs((disk_bytes(work) - 2_000_000) / 1.05 - (arrays + vectors)) < 200_000  # half of the vectors: float16


def test_time_is_counted_in_units_at_the_rates_of_this_machine():
    work = Work([Part(2, 3, 3, 8)], 1_000, 50, 100, [ProjectionRef("pca", 2), ProjectionRef("umap", 2)])
    assert work.units() == {"start": 1000, "capture": 50_000, "heads": 300, "maps": 600}
    found = estimate(work, [], processes=4)
    rates = DEFAULT_RATES
    expected = (
        STARTING + 1000 * rates["start"] + 5e4 * rates["capture"] + 300 * rates["heads"] / 2 + 600 * rates["maps"] / 2
    )
    assert found.seconds == pytest.approx(expected)
    assert found.measured == 0


def test_an_order_for_a_gpu_is_estimated_by_what_that_gpu_has_built(small_atlas, shop):
    info = open_atlas(small_atlas).info
    seconds = {"capture": 3.0, "umap2d": 8.0}
    slow = (info.projections[0], info.projections[0].model_copy(update={"method": "umap"}))
    fast = tuple(one.model_copy(update={"device": "A card"}) for one in slow)
    here = info.model_copy(update={"seconds": seconds, "projections": slow})
    there = here.model_copy(
        update={"device": "A card", "seconds": {"capture": 0.3, "umap2d": 0.2}, "projections": fast}
    )
    mixed = here.model_copy(update={"device": "A card"})  # begun on the card, its maps made by the processor
    work = Work([Part(6, 12, 12, 32)], 1_000, 500, 100, [ProjectionRef("umap", 2)])
    plain, quick = estimate(work, [there, mixed, here], 2), estimate(work, [there, mixed, here], 2, "A card")
    assert (plain.measured, quick.measured) == (1, 1)
    heads = 72 * 500
    assert plain.seconds - plain.first > heads * rates_of(here)["maps"] > 40 * heads * rates_of(there)["maps"] * 0.99
    assert "by 1 atlas built here on A card" in quick.sentence()
    assert "by builds elsewhere, for none was built here on Another" in estimate(work, [there], 2, "Another").sentence()
    shop.jobs.on = "A card"
    assert shop.check(wish()).estimate.device == "A card"
    shop.jobs.on = None  # known from the first build on
    assert shop.check(wish()).estimate.device == ""


def test_an_order_asks_for_the_device_of_who_builds_it(shop):
    arguments = shop.place(wish()).arguments
    assert (arguments["device"], arguments["request"]["engine"]) == ("auto", "auto")


def test_rates_come_from_what_an_atlas_says_of_its_build(small_atlas):
    info = open_atlas(small_atlas).info
    seconds = {"model": 2.0, "check": 1.0, "capture": 3.0, "aggregate": 1.0, "study": 5.0, "umap2d": 8.0, "pca2d": 9.0}
    maps = (info.projections[0], info.projections[0].model_copy(update={"method": "umap"}))
    seen = info.model_copy(update={"seconds": {**seconds, "measure-maps": 4.0}, "projections": maps})
    tokens, parameters = info.corpus.tokens, info.model.parameters
    assert rates_of(seen) == pytest.approx(
        {
            "start": 3 / parameters,
            "capture": 4 / parameters / tokens,
            "heads": 5 / 72 / tokens,
            "maps": 12 / 72 / tokens / 2,
        }
    )


def test_only_atlases_of_this_machine_are_measured(shop, small_atlas):
    import shutil

    for name in ("here", "brought"):
        shutil.copytree(small_atlas, shop.settings.atlases / name)
    (shop.settings.atlases / "brought" / BROUGHT).touch()
    assert shop.check(wish()).estimate.measured == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "5 seconds"),
        (48, "50 seconds"),
        (70, "1 minute"),
        (200, "3 minutes"),
        (9_000, "2.5 hours"),
        (2e5, "2.3 days"),
    ],
)
def test_durations_are_said_no_finer_than_they_are_known(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("memory", "disk", "said"), [(1e6, 1e12, "of memory and 1 MB are free"), (1e12, 9, "of disk and 9 B are free")]
)
def test_what_does_not_fit_is_refused(shop, monkeypatch, memory, disk, said):
    monkeypatch.setattr("services.workshop.orders.available_bytes", lambda: memory)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": disk})())
    checked = shop.check(wish())
    assert said in checked.problem
    with pytest.raises(BuildError, match=said):
        shop.place(wish())
    assert left(shop) == []


# --- orders


def test_an_order_keeps_what_its_build_needs(shop):
    order = shop.place(wish(title="My cats"))
    assert order.slug == "minilm-my-cats"
    request = order.arguments["request"]
    assert Path(request["corpus"]).read_text() == TEXT
    assert (request["model"], request["projections"], request["title"]) == ("minilm", ["umap", "pca"], "My cats")
    (placed,) = shop.orders()
    assert placed.order == order
    assert placed.job.state == "running"


def test_the_same_wish_twice_is_one_order_and_another_one_has_a_name_of_its_own(shop):
    first = shop.place(wish())
    assert shop.place(wish()) == first
    assert shop.place(wish(seed=1)).slug == f"{first.slug}-2"
    assert len(shop.orders()) == 2


def test_a_wish_pressed_twice_at_once_is_one_order(shop):
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(shop.place, (wish(), wish()))
    assert first == second
    assert len(shop.orders()) == 1


def test_an_order_that_cannot_be_asked_for_leaves_nothing(shop):
    shop.jobs.refuses = True
    with pytest.raises(JobError, match="No space left"):
        shop.place(wish())
    assert left(shop) == []


def test_a_build_that_is_given_up_takes_what_was_brought_for_it_along(shop):
    order = shop.place(wish())
    work = shop.settings.atlases / f"{order.slug}.partial"
    work.mkdir()
    (work / "build.json").write_text("{}")
    shop.stop(order.slug)
    assert shop.orders()[0].begun
    shop.go_on(order.slug)
    assert shop.orders()[0].job.state == "running"
    shop.discard(order.slug)
    assert shop.orders() == []
    assert left(shop) == []
    assert not work.exists()


def test_an_atlas_that_can_be_looked_at_is_not_given_up(shop, small_atlas):
    import shutil

    order = shop.place(wish())
    shutil.copytree(small_atlas, shop.settings.atlases / order.slug)
    shop.discard(order.slug)
    (placed,) = shop.orders()
    assert placed.atlas is not None
    assert placed.job.state == "running"


@pytest.mark.parametrize("slug", ["", "..", "../x", "none", None, 7, [], {}, "x" * 100])
def test_an_order_that_is_none_is_left_alone(shop, slug):
    assert shop.get(slug) is None
    for deed in (shop.stop, shop.go_on, shop.discard):
        deed(slug)


def test_an_order_file_of_nonsense_is_none(shop):
    shop.settings.orders.mkdir()
    for number, text in enumerate(("", "{", "[]", '{"slug": 5}', "\xff" * 9, "[" * 100_000)):
        (shop.settings.orders / f"bad{number}.json").write_text(text)
    assert shop.orders() == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": "   \n"}, "Paste some text, one input a line"),
        ({"corpus": "upload"}, "Choose a file, or several images"),
        ({"projections": ["isomap"]}, "no projection 'isomap'"),
        ({"max_inputs": 0}, "Inputs at most"),
        ({"max_inputs": "many"}, "Inputs at most"),
        ({"seed": -1}, "Seed"),
        ({"seed": None}, "Seed"),
        ({"dims": []}, "Space"),
        ({"dims": [4]}, "Space"),
        ({"title": "x" * 81}, "Name"),
        ({"text": "x" * 2_000_001}, "Text"),
        ({"corpus": "../etc"}, "corpus"),
        ({"stranger": 1}, "stranger"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_one_line(values, said):
    with pytest.raises(BuildError, match=said) as error:
        wish(**values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("id", ["0" * 32, "../../etc/passwd", "x"])
def test_an_upload_that_is_gone_is_said(shop, id):
    with pytest.raises(AtlasError, match="upload is gone"):
        shop.check(wish(corpus="upload", upload=id))


def test_an_estimate_can_be_kept_and_read():
    found = Estimate(10.0, 5.0, 100, 200, 1)
    assert Estimate(**found.dump()) == found
    assert "by 1 atlas built here" in found.sentence()


def test_pairs_encodings_and_paragraphs_of_a_wish_are_looked_at_and_built_so(shop):
    pairs = "premise;hypothesis\nEin Mann spielt Flöte.;Jemand macht Musik.\n".encode("cp1252")
    id = upload(shop, "pairs.csv", pairs).id
    values = {"corpus": "upload", "text": "", "upload": id, "column": "premise", "pair": "hypothesis"}
    assert "not valid UTF-8" in shop.check(wish(**values)).problem
    found = shop.check(wish(**values, encoding="cp1252"))
    assert found.problem is None
    assert found.look["columns"] == ["premise", "hypothesis"]
    alone = shop.check(wish(**{**values, "pair": ""}, encoding="cp1252"))
    assert found.look["tokens"] > alone.look["tokens"]
    order = shop.place(wish(**values, encoding="cp1252"))
    request = order.arguments["request"]
    assert (request["pair"], request["encoding"], request["column"]) == ("hypothesis", "cp1252", "premise")
    assert shop.check(wish(text="One\nline.\n\nAnother.", paragraphs=True)).look["inputs"] == 2
    assert "no column" in shop.check(wish(**{**values, "pair": "nothing"}, encoding="cp1252")).problem


def test_chats_of_a_wish_are_turns_where_the_model_has_no_template(shop):
    row = {"messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]}
    id = upload(shop, "chats.jsonl", json.dumps(row).encode()).id
    values = {"corpus": "upload", "text": "", "upload": id, "column": "messages"}
    assert shop.check(wish(**values)).look["inputs"] == 2
    assert "has no template for chats" in shop.check(wish(**values, chats="template")).problem


def test_a_build_that_waits_says_when_it_begins(shop):
    orders = [shop.place(wish(title=name)) for name in ("first", "second", "third")]
    rows = shop.jobs.rows
    for number, order in enumerate(orders):
        subject, state = str(shop.settings.atlases / order.slug), "waiting" if number else "running"
        job = rows[order.spec.id].changed(subject=subject, state=state, order=number, owners={f"p{number}": 0.0})
        rows[job.id] = job.changed(done=3, total=4) if number == 0 else job
    placed = {one.order.slug: one for one in shop.orders()}
    first, second, third = (placed[order.slug] for order in orders)
    seconds = [order.estimate.seconds for order in orders]
    assert shop.begins_in(first) is None
    assert shop.begins_in(second) == pytest.approx(seconds[0] / 4)
    assert shop.begins_in(third) == pytest.approx(seconds[0] / 4 + seconds[1])
    rows[second.job.id] = rows[second.job.id].changed(state="running")  # by another worker
    assert shop.begins_in(third) == pytest.approx((seconds[0] / 4 + seconds[1]) / 2)
    (shop.settings.orders / f"{first.order.slug}.json").unlink()  # as the demo's build, which nobody ordered here
    assert shop.begins_in(third) is None


def test_a_sample_and_a_column_of_targets_are_looked_at_and_built_so(shop, tmp_path):
    from tests.unit.test_targets import writer_folder

    checked = shop.check(wish(corpus="demo", text="", max_inputs=5, seed=3, sample=True))
    assert checked.look["notes"] == ["A random sample of 5 of 172 texts (seed 3)."]
    order = shop.place(wish(corpus="demo", text="", max_inputs=5, seed=3, sample=True))
    request = order.arguments["request"]
    assert (request["sample"], request["seed"], request["max_inputs"]) == (True, 3, 5)

    table = "de,en\nDie Katze schl\u00e4ft.,the cat sat\nEin Hund.,a dog\n".encode()
    id = upload(shop, "pairs.csv", table).id
    values = {"corpus": "upload", "text": "", "upload": id, "column": "de", "target": "en"}
    assert "writes nothing while it reads" in shop.check(wish(**values)).problem
    writer_folder(shop.settings.model_folder / "t5")
    name = next(one.value for one in offers(shop.settings) if "t5" in one.label)
    found = shop.check(wish(**values, model=name))
    assert found.problem is None
    assert found.look["model"]["kind"] == "encoder\u2013decoder"
    assert shop.place(wish(**values, model=name)).arguments["request"]["target"] == "en"
    assert "no column" in shop.check(wish(**{**values, "target": "fr"}, model=name)).problem
