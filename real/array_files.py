"""Read the arrays of NPZ, NPY and IDX files without taking more memory than such a file can hold."""

import gzip
import io
import math
import sys
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from common.errors import RequestError, describe_cause
from common.files import check_regular_file

_MAX_RATIO = 1032  # deflate makes of one byte at most so many
_MAX_RANK = 4
_PIECE = 2**20  # bytes that are read together


def list_npz_keys(path: str | Path) -> list[str]:
    """Return the names of the arrays that the archive has."""
    return read_npz_arrays(path, ())[1]


def read_npz_arrays(path: str | Path, keys: Iterable[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return {key: array} for those of `keys` that the archive has, and the names of all that it has.

    Other arrays are not read, and none is ever unpickled.
    """
    check_regular_file(path)
    try:
        with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's own parser, about a damaged header
            entries = _list_entries(archive, Path(path).stat().st_size)
            return {key: _read_entry(archive, entries[key]) for key in keys if key in entries}, list(entries)
    except Exception as error:  # the parsers below raise nearly anything for damaged bytes
        raise RequestError(f"{path}: should be a readable .npz archive. {describe_cause(error)}") from error


def _list_entries(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    entries = {}
    for entry in archive.infolist():
        key = entry.filename.removesuffix(".npy")
        if key in entries:
            raise RequestError(f"each array should be there once. Got {key!r:.60} twice.")
        entries[key] = entry
    if sum(entry.compress_size for entry in entries.values()) > size:
        raise RequestError(f"the arrays should have together at most the file's {size:,} bytes. They overlap.")
    return entries


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """Read one .npy file in the archive, its header against the entry's size first."""
    name = entry.filename
    limit = {zipfile.ZIP_STORED: entry.compress_size, zipfile.ZIP_DEFLATED: _MAX_RATIO * entry.compress_size}
    if entry.compress_type not in limit:
        raise RequestError(f"{name} should be stored or deflated. Got compression {entry.compress_type} instead.")
    if entry.file_size > limit[entry.compress_type]:
        raise RequestError(f"{name} promises {entry.file_size:,} bytes, which {entry.compress_size:,} can't hold.")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise RequestError(f"{name} should be in version 1.0 of NumPy's format. Got {version} instead.")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject or not dtype.itemsize:
            advice = ": numpy.array(list(array)) is one, where all shapes are equal" if dtype.hasobject else ""
            raise RequestError(f"{name} should hold numbers or text. Got dtype {dtype} instead{advice}.")
        promised, left = math.prod(shape) * dtype.itemsize, entry.file_size - file.tell()
        if promised != left or min(shape, default=0) < 0:
            raise RequestError(f"{name} promises {promised:,} bytes of data for shape {shape}. It has {left:,}.")
        data = _read_bytes(file, left + 1)
    if dtype.kind == "U" and (np.frombuffer(data, f"{dtype.byteorder}u4") > sys.maxunicode).any():
        raise RequestError(f"{name} should hold text. Some of its numbers are no character.")
    array = np.frombuffer(data, dtype)
    return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)


def read_npy_array(path: str | Path) -> np.ndarray:
    """Read one .npy file, which must be as long as its header says; nothing is unpickled."""
    check_regular_file(path)
    try:
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception as error:  # NumPy raises nearly anything for damaged bytes
        raise RequestError(f"{path}: should be a readable .npy file. {describe_cause(error)}") from error


def read_idx_array(path: str | Path) -> np.ndarray:
    """Read one IDX file, gzipped or not: two zero bytes, type 8 (uint8), rank, big-endian sizes, data (Y. LeCun)."""
    check_regular_file(path)
    try:
        with (gzip.open if Path(path).suffix.lower() == ".gz" else open)(path, "rb") as file:
            shape = _read_idx_header(file, path)
            promised = math.prod(shape)
            data = _read_bytes(file, promised + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RequestError(f"{path}: should be a readable IDX file. {describe_cause(error)}") from error
    if len(data) != promised:
        got = "more" if len(data) > promised else f"{len(data)} bytes"
        raise RequestError(f"{path}: should hold {shape} bytes of data. Got {got} instead.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_idx_header(file: IO[bytes] | io.BufferedIOBase, path: str | Path) -> list[int]:
    """Return the sizes."""
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08":
        raise RequestError(f"{path}: should be an IDX file of uint8. Its first bytes are {start.hex()} instead.")
    rank = start[3]
    if not 1 <= rank <= _MAX_RANK:
        raise RequestError(f"{path}: should have 1 to {_MAX_RANK} dimensions. Got {rank} instead.")
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise RequestError(f"{path}: should have the sizes of {rank} dimensions. The file ends before.")
    return np.frombuffer(sizes, ">u4").tolist()


def _read_bytes(file: IO[bytes] | io.BufferedIOBase, count: int) -> bytearray:
    """Read up to `count` bytes; memory grows with what there is, not with what a header promises."""
    data = bytearray()
    while len(data) < count and (piece := file.read(min(_PIECE, count - len(data)))):
        data += piece
    return data
