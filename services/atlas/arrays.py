"""Arrays and files on disk that are either whole or absent.

A file grows under the name `<name>.part`, is hashed, and then renamed into place. Space is reserved before the
first byte is written: a memory map over a full disk would otherwise kill the process with SIGBUS.
"""

import errno
import hashlib
import json
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy

from services.atlas.schema import FileInfo
from services.errors import BuildError

_BLOCK = 1 << 22


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, a quota, a missing permission or a broken disk into one clear line.

    Raises:
        BuildError: naming the path and what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BuildError(
                f"No space left for {path}. Free some and run the same command again: it goes on where it stopped."
            ) from error
        raise BuildError(f"Cannot write {path} ({error.strerror}). Choose another folder with --out.") from error


def create(path: Path, shape: tuple[int, ...], dtype: Any) -> np.memmap:
    """Reserve `<path>.part` for an array of this shape and map it for writing.

    Raises:
        BuildError: the disk cannot hold it; nothing is left behind.
    """
    part = part_of(path)
    header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                npy.write_array_header_2_0(file, header)
                file.flush()  # what follows goes past the buffer
                _reserve(file.fileno(), file.tell(), int(np.prod(shape)) * np.dtype(dtype).itemsize)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    return reopen(path)


def reopen(path: Path) -> np.memmap:
    """Map `<path>.part` for writing again."""
    return npy.open_memmap(part_of(path), mode="r+")


def resume(path: Path, shape: tuple[int, ...], dtype: Any) -> np.memmap | None:
    """Map what a stopped build left of an array; None when there is nothing, or nothing of this shape and type.

    A build that was killed between publishing an array and noting it left it under its final name.
    """
    try:
        if path.is_file() and not part_of(path).is_file():
            path.replace(part_of(path))
        fits = header(part_of(path)) == (shape, np.dtype(dtype))
        return reopen(path) if fits else None
    except (OSError, ValueError):  # nothing there, or cut off while its space was being reserved
        return None


def header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and number type of an array file that holds exactly as many bytes as its header says.

    Raises:
        OSError, ValueError: it cannot be read, is no plain array, or is cut off.
    """
    with path.open("rb") as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, column_order, dtype = read_header(file)
        size = file.tell() + math.prod(shape) * dtype.itemsize
        found = os.fstat(file.fileno()).st_size
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    if column_order or dtype.fields is not None:
        raise ValueError("it is not stored row by row")
    if size != found:
        raise ValueError(f"its header asks for {size} bytes, it has {found}")
    return shape, dtype


def _reserve(descriptor: int, offset: int, size: int) -> None:
    if size == 0:
        return
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, offset, size)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # some file systems cannot
                raise
    os.lseek(descriptor, offset, os.SEEK_SET)  # macOS too: writing zeros is the portable reservation
    while size > 0:
        size -= os.write(descriptor, bytes(min(size, _BLOCK)))


def publish(path: Path) -> FileInfo:
    """Hash `<path>.part` and rename it into place."""
    part = part_of(path)
    info = describe(part)
    with disk_errors(path):
        part.replace(path)
    return info


def describe(path: Path) -> FileInfo:
    """Size and SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return FileInfo(bytes=path.stat().st_size, sha256=digest.hexdigest())


def read(path: Path) -> np.memmap:
    """Map a finished array read-only; never unpickles.

    Raises:
        ValueError, OSError: the file is missing, truncated or no plain array.
    """
    return npy.open_memmap(path, mode="r")


def let_go(array: np.ndarray) -> None:
    """Give up the memory in which this process sees the file of a mapped array.

    Nothing is lost: who reads on finds it in the system's own cache of files, which all processes share.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def write_bytes(path: Path, content: bytes) -> None:
    """Write aside, flush to disk, rename."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def write_table(path: Path, table: pa.Table) -> FileInfo:
    """Write a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())
    return describe(path)


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def write_json(path: Path, value: Any) -> None:
    write_bytes(path, json_bytes(value))
