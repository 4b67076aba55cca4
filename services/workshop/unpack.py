"""An atlas that a collaborator sent: unpacked aside and looked at in full before anybody sees it.

Runs under limits (services.workshop.limited). Only the files that its own description names are unpacked, each no
longer than that says, and all that the dashboard will read of it is read here first.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.atlas import INFO, Atlas, arrays, open_atlas, token_tables
from services.atlas.schema import captured_key
from services.errors import AtlasError, UploadError
from services.modalities.images.modality import PIXELS
from services.modalities.registry import MODALITIES
from services.pipeline.journal import JOURNAL, Journal
from services.workshop.archives import members

MOST_INFO = 20_000_000  # bytes of atlas.json, and of the journal
MOST_TABLES = 600_000_000  # bytes of all tables in memory
_BLOCK = 1 << 20
_MAY_LACK = ("attention_mean.npy", "attention_offsets.npy")  # means are no numbers where nothing was counted
# What a zip, or JSON within it, that is none makes of itself.
_DAMAGE = (
    zipfile.BadZipFile, OSError, ValueError, KeyError, TypeError, NotImplementedError, EOFError, RecursionError,
)  # fmt: skip


def run(values: dict[str, Any]) -> dict[str, Any]:
    """
    Args:
        values: file, the zip; folder, an empty one to unpack into; most_bytes of what it unpacks to.

    Returns: slug and title, as the sender called it.

    Raises:
        UploadError, AtlasFormatError: it is no atlas, or not a whole one.
    """
    file, folder = Path(values["file"]), Path(values["folder"])
    shown = values.get("shown") or "The file"
    try:
        with zipfile.ZipFile(file) as archive:
            found = {info.filename: info for info in members(archive, shown, values["most_bytes"])}
            top, described = _described(archive, found, shown)
            request = _request(archive, found.get(f"{top}{JOURNAL}"))
            for name, expected in described["files"].items():
                member = found.get(f"{top}{name}")
                if member is None or member.file_size != expected["bytes"]:
                    raise UploadError(f"{shown} lacks {name[:80]!r}, or holds another one; download the atlas again.")
                _copy(archive, member, _place(folder, name, shown), expected["sha256"], shown)
    except _DAMAGE as error:
        raise UploadError(f"{shown} is no zip of an atlas, or is damaged; download it again.") from error
    arrays.write_json(folder / INFO, described)
    try:
        atlas = open_atlas(folder)
        _check(atlas)
    except AtlasError as error:
        raise UploadError(f"{shown}: {str(error).replace(f'{folder}/', '')}") from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, pa.ArrowException) as error:
        raise UploadError(f"{shown} holds tables that make no sense; ask for it again.") from error
    _write_journal(atlas, request)
    return {"slug": top.rstrip("/"), "title": atlas.info.title}


def _described(archive: zipfile.ZipFile, found: dict[str, zipfile.ZipInfo], shown: str) -> tuple[str, dict[str, Any]]:
    """The folder within the zip ("name/" or ""), and what its atlas.json says."""
    places = [name for name in found if name.rpartition("/")[2] == INFO and name.count("/") <= 1]
    if len(places) != 1:
        raise UploadError(f"{shown} holds {'no' if not places else 'more than one'} {INFO}: it is no atlas.")
    member = found[places[0]]
    if member.file_size > MOST_INFO:
        raise UploadError(f"{shown} holds an {INFO} that is too long.")
    content = json.loads(archive.read(member))
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        raise ValueError(content)
    for name, expected in content["files"].items():
        if not isinstance(name, str) or not isinstance(expected["bytes"], int) or len(expected["sha256"]) != 64:
            raise ValueError(name)
    return places[0].removesuffix(INFO), content


def _place(folder: Path, name: str, shown: str) -> Path:
    place = folder / name
    if folder.resolve() not in place.resolve().parents or name in (INFO, JOURNAL):
        raise UploadError(f"{shown} names the file {name[:80]!r}, which lies outside of it.")
    return place


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, sha256: str, shown: str) -> None:
    digest, left = hashlib.sha256(), member.file_size
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, place.open("xb") as file:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile(member.filename)
            digest.update(block)
            file.write(block)
    if left or digest.hexdigest() != sha256:
        raise UploadError(f"{shown}: {member.filename[:80]!r} is damaged; download the atlas again.")


def _check(atlas: Atlas) -> None:
    """Read all that pages read.

    Raises:
        UploadError: what it says of itself is not so.
    """
    info = atlas.info
    if all(one.name != info.modality for one in MODALITIES):
        raise UploadError(f"its inputs are of a kind that is not known here ({info.modality})")
    if info.key != captured_key(info.streams, info.files):
        raise UploadError("its key is not that of its files")
    for projection in info.projections:
        if info.files[projection.ref.file(projection.stream)].sha256 != projection.sha256:
            raise UploadError(f"its map {projection.name} is not the one that it describes")
    room = MOST_TABLES
    for name in info.files:
        if name.endswith(".parquet"):
            room -= pq.read_table(atlas.path / name).nbytes
            if room < 0:
                raise UploadError("its tables are too large")
    for table in token_tables(info):
        tokens = atlas.tokens(table)
        if not all(isinstance(text, str) for text in (*tokens.text, *tokens.token)):
            raise UploadError(f"{table}.parquet has tokens that are no text")
    if not all(isinstance(text, str) for text in atlas.inputs.text):
        raise UploadError("inputs.parquet has inputs that are no text")
    assert atlas.heads
    for stream in info.streams:
        atlas.measures(stream)
        blocks = atlas.attention(stream)
        if stream.attention != "none":
            for index in (0, len(atlas.inputs) - 1):
                blocks.block(index, 0, 0)
    for name in info.files:
        if name.endswith(".npy"):
            _check_numbers(atlas.path / name, name)
    if PIXELS in info.files:
        _check_pixels(atlas)


def _check_numbers(file: Path, name: str) -> None:
    array = arrays.read(file)
    if array.dtype.kind not in "fiu" or array.dtype.hasobject:
        raise UploadError(f"{name} holds no numbers")
    flat = array.reshape(-1)
    if array.dtype.kind == "f":
        for start in range(0, flat.size, 1 << 22):
            if not np.isfinite(flat[start : start + (1 << 22)]).all() and not name.endswith(_MAY_LACK):
                raise UploadError(f"{name} holds what is no number")


def _check_pixels(atlas: Atlas) -> None:
    columns = atlas.inputs.columns
    sizes = [[int(number) for number in columns[name]] for name in ("height", "width", "rows", "columns")]
    if min(map(min, sizes)) < 1:
        raise UploadError("an image of it has no size")
    pixels = sum(3 * height * width for height, width in zip(*sizes[:2], strict=True))
    if pixels != arrays.read(atlas.path / PIXELS).size:
        raise UploadError(f"{PIXELS} does not hold the images of inputs.parquet")
    for table in token_tables(atlas.info):
        assert {"row", "column"} <= atlas.tokens(table).columns.keys()


def _request(archive: zipfile.ZipFile, member: zipfile.ZipInfo | None) -> dict[str, Any]:
    """What the sender's journal says was asked for, by which a later build knows whether it may add maps."""
    if member is None or member.file_size > MOST_INFO:
        return {}
    content = json.loads(archive.read(member))
    asked = content.get("request") if isinstance(content, dict) else None
    plain = isinstance(asked, dict) and all(isinstance(value, str | int | float | None) for value in asked.values())
    return {str(name)[:100]: value for name, value in asked.items()} if plain and asked else {}


def _write_journal(atlas: Atlas, request: dict[str, Any]) -> None:
    """A journal made of what was checked: nothing else of the sender's is kept."""
    journal = Journal(atlas.path, request)
    own = ("files", "key", "schema_version")
    journal.facts.update({name: value for name, value in atlas.info.model_dump(mode="json").items() if name not in own})
    journal.take_over(atlas.info.files)
