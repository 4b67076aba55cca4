"""Image corpora: folders, archives and tables; every strange file is one clear line, and the rest is read."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from services.errors import CorpusError
from services.modalities.images.decoding import decode
from services.modalities.images.modality import ImageModality
from services.modalities.images.sources import open_images
from tests.one_line import one_line
from tests.unit.vision_models import noise

IMAGES = ImageModality()


def packed(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_what_a_picture_is_made_of_does_not_matter():
    plain = noise(40, 30)
    grey = plain.convert("L")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    cases = {
        "png": (packed(plain), plain, ()),
        "grey": (packed(grey), grey.convert("RGB"), ()),
        "palette": (packed(plain.convert("P")), plain.convert("P").convert("RGB"), ()),
        "sixteen": (
            packed(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)),
            grey.convert("RGB"),
            ("16 bits as 8",),
        ),
        "turned": (
            packed(plain, exif=rotated),
            plain.transpose(Image.Transpose.ROTATE_270),
            ("turned as its camera says",),
        ),
        "animated": (
            packed(plain.convert("P"), "GIF", save_all=True, append_images=[noise(40, 30, 2)]),
            None,
            ("its first frame",),
        ),
    }
    for name, (data, wanted, changes) in cases.items():
        found = decode(data)
        assert found.image.mode == "RGB", name
        assert found.changes == changes, name
        if wanted is not None:
            assert (np.asarray(found.image) == np.asarray(wanted)).all(), name
    jpeg = decode(packed(plain.convert("CMYK"), "JPEG"))
    assert (jpeg.image.mode, jpeg.changes) == ("RGB", ("CMYK as RGB",))


def test_what_shows_through_is_laid_on_white():
    clear = noise(20, 20).convert("RGBA")
    clear.putalpha(0)
    found = decode(packed(clear))
    assert found.changes == ("laid on white where it was transparent",)
    assert (np.asarray(found.image) == 255).all()
    clear.putalpha(255)
    assert decode(packed(clear)).changes == ()


BAD = {
    "empty": (b"", "is empty"),
    "text": (b"hello " * 20, "is no PNG, JPEG or WebP picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "is SVG or HTML text"),
    "html": (b"\xef\xbb\xbf<!DOCTYPE html><title>404</title>", "is SVG or HTML text"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(80), "save it as JPEG or PNG"),
    "cut off": (packed(noise(200, 200))[:5000], "is damaged or cut off"),
    "one pixel": (packed(noise(1, 1)), "each side needs 8 at least"),
    "a line": (packed(noise(4000, 10)), "too long and narrow"),
    "a bomb": (packed(Image.new("1", (40_000, 40_000))), "100 million are the most"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_usable_picture_says_why(name):
    data, reason = BAD[name]
    with pytest.raises(CorpusError, match=reason):
        decode(data)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "photos"
    for name, size in {"cats/img10.png": 1, "cats/img2.png": 2, "dogs/a.jpg": 3, ".hidden/x.png": 4}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        noise(60, 40, size).save(root / name)
    (root / "notes.txt").write_text("not a picture")
    return root


def test_a_folder_is_read_in_natural_order_with_its_folders_as_labels(folder):
    corpus = IMAGES.read_corpus(str(folder), column=None, max_inputs=100)
    assert corpus.texts == ("cats · cats/img2.png", "cats · cats/img10.png", "dogs · dogs/a.jpg")
    assert corpus.name == "photos"
    again = IMAGES.read_corpus(str(folder), column=None, max_inputs=100)
    assert corpus.sha256 == again.sha256
    cut = IMAGES.read_corpus(str(folder), column=None, max_inputs=2)
    assert cut.notes == ("1 images beyond the first 2 were left out.",)
    assert cut.sha256 != corpus.sha256


def test_a_zip_is_read_like_its_folder(folder, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                out.write(file, file.relative_to(folder))
        out.writestr("../../evil.png", packed(noise(20, 20)))
    corpus = IMAGES.read_corpus(str(archive), column=None, max_inputs=100)
    assert [line for line in corpus.texts if "evil" not in line] == list(
        IMAGES.read_corpus(str(folder), column=None, max_inputs=100).texts
    )
    assert not (tmp_path.parent / "evil.png").exists()


def test_masks_beside_images_are_theirs(tmp_path):
    root = tmp_path / "set"
    (root / "masks").mkdir(parents=True)
    for name in ("a", "b", "c"):
        noise(32, 32).save(root / f"{name}.png")
    Image.new("L", (32, 32), 2).save(root / "a.mask.png")
    Image.new("L", (32, 32), 1).save(root / "masks" / "b.png")
    (root / "objects.json").write_text(json.dumps({"1": "sky", "2": "sea"}))
    with open_images(root, "set", None) as found:
        masked = {file.name: file.mask is not None for file in found.files}
        assert masked == {"a.png": True, "b.png": True, "c.png": False}
        assert found.objects == {1: "sky", 2: "sea"}


def test_tables_hold_bytes_as_datasets_do_or_paths(tmp_path, folder):
    data = [packed(noise(30, 30, n)) for n in range(3)]
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    table = pa.table(
        {"image": [{"bytes": one, "path": f"{n}.png"} for n, one in enumerate(data)], "label": [0, 1, 1]}
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "hub.parquet")
    corpus = IMAGES.read_corpus(str(tmp_path / "hub.parquet"), column=None, max_inputs=10)
    assert corpus.texts == ("cat · 0.png", "dog · 1.png", "dog · 2.png")
    (folder / "list.csv").write_text("file_name,label\ncats/img2.png,cat\n../../../etc/passwd,none\n")
    corpus = IMAGES.read_corpus(str(folder / "list.csv"), column=None, max_inputs=10)
    assert corpus.texts[0] == "cat · cats/img2.png"
    with open_images(folder / "list.csv", "list", None) as found:
        assert [len(file.data) > 0 for file in found.files] == [True, False]  # nothing outside is opened


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "holds no image"),
        (lambda path: None, "no such file or folder"),
        (lambda path: path.write_bytes(b"PK nonsense"), "is no source of images"),
        (lambda path: path.with_suffix(".zip").write_bytes(b"PK nonsense"), "is no zip archive"),
        (lambda path: path.with_suffix(".parquet").write_bytes(b"PAR1 nonsense"), "is no Parquet file"),
        (lambda path: path.with_suffix(".csv").write_text("text\nhello\n"), "no column names image files"),
        (lambda path: pq.write_table(pa.table({"text": ["a"]}), path.with_suffix(".parquet")), "no column looks like"),
    ],
)
def test_what_is_no_corpus_of_images_is_refused_in_one_line(tmp_path, make, reason):
    path = tmp_path / "corpus"
    make(path)
    made = next((file for file in tmp_path.iterdir()), path)
    with pytest.raises(CorpusError, match=reason) as caught:
        IMAGES.read_corpus(str(made), column=None, max_inputs=10)
    assert one_line(caught)


def test_a_random_sample_of_images_holds_the_drawn_ones_in_their_order():
    from services.modalities.images.modality import ImageModality

    modality = ImageModality()
    whole = modality.read_corpus("demo", column=None, max_inputs=100)
    one, same, other = (modality.read_corpus("demo", column=None, max_inputs=5, sample=seed) for seed in (1, 1, 2))
    assert one.texts == same.texts != other.texts
    assert one.sha256 == same.sha256 != other.sha256
    assert list(one.texts) == [text for text in whole.texts if text in one.texts]
    assert [file.name for file in one.files()] == [text.split(" · ")[-1] for text in one.texts]
    assert one.notes == (f"A random sample of 5 of {len(whole.texts)} images (seed 1).",)
    assert modality.read_corpus("demo", column=None, max_inputs=100, sample=1) == whole
