"""What an archive of a stranger may hold: plain files under plain names, no more than it says and no more than fits."""

import re
import stat
import zipfile
from pathlib import Path

from services.errors import UploadError
from services.models.memory import readable

MOST_MEMBERS = 20_000
_PLAIN = re.compile(r"(?![A-Za-z]:)[^\x00-\x1f\\]+")
_BOMB = 200  # times larger than packed; pictures and arrays reach 2, tables of one word 50
_SMALL = 10_000_000  # bytes below which no ratio is suspicious


def members(archive: zipfile.ZipFile, shown: str, most_bytes: int) -> list[zipfile.ZipInfo]:
    """The files of an archive, after all that is written of them was looked at; nothing is unpacked.

    Raises:
        UploadError: one is a link or a device, leads outside, is encrypted, comes twice, or they are too many or too
            large.
    """
    found, names, total = [], set(), 0
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise UploadError(f"{shown} holds {len(infos):,} files; {MOST_MEMBERS:,} are the most.")
    for info in infos:
        name = info.filename
        parts = name.rstrip("/").split("/")
        where = f"{shown} holds {name[:80]!r}, which"
        if not _PLAIN.fullmatch(name) or any(part in ("", ".", "..") for part in parts):
            raise UploadError(f"{where} leads outside of it; pack it again without such names.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UploadError(f"{where} is a link or a device; pack the file itself.")
        if info.flag_bits & 1:
            raise UploadError(f"{where} is encrypted; pack it without a password.")
        if info.is_dir():
            continue
        if name in names:
            raise UploadError(f"{where} is there twice; pack it again.")
        if info.file_size > _SMALL and info.file_size > _BOMB * max(1, info.compress_size):
            raise UploadError(f"{where} would unpack to {readable(info.file_size)}; that is no honest archive.")
        names.add(name)
        total += info.file_size
        found.append(info)
    if total > most_bytes:
        raise UploadError(f"{shown} unpacks to {readable(total)}; {readable(most_bytes)} are the most here.")
    if sum(info.compress_size for info in found) > Path(str(archive.filename)).stat().st_size:
        raise UploadError(f"{shown} names the same bytes as several files; that is no honest archive.")
    return found


def check_archive(file: Path, most_bytes: int) -> None:
    """
    Raises:
        UploadError: as `members`, or the file is no archive.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members(archive, file.name, most_bytes)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UploadError(f"{file.name} is no zip archive, or is damaged; make it again.") from error
