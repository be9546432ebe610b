"""Read the lines of a text file, which may be compressed, without taking more memory than a line needs."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TextIO

from common.errors import RequestError, describe_cause
from common.files import check_regular_file

_MAX_LINE = 2**26  # characters: five times a row of 1024 x 1024 x 3 pixels
_DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, LookupError, OverflowError, RuntimeError)
_SHOWN = 60  # characters of names in an error


@contextmanager
def number_lines(path: str | Path, wanted: str) -> Iterator[Iterator[tuple[int, str]]]:
    """Open a table, and yield an iterator of (line number, text) of each line that is not blank."""
    check_regular_file(path)
    try:
        with _open_text(path, wanted) as file:
            yield _list_lines(file, wanted)
    except UnicodeDecodeError as error:
        raise RequestError(f"{wanted} Its text should be UTF-8. {describe_cause(error)}") from error


@contextmanager
def _open_text(path: str | Path, wanted: str) -> Iterator[TextIO]:
    """Open a text, which may be gzipped, or the one in a ZIP, whatever the file's name says."""
    with open(path, "rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start[:2] == b"\x1f\x8b":
            with _unpacking(wanted), gzip.open(raw) as inner:
                yield _decode(inner)
        elif start == b"PK\3\4":
            with (
                _unpacking(wanted),
                zipfile.ZipFile(raw) as archive,
                archive.open(_find_entry(archive, wanted)) as inner,
            ):
                yield _decode(inner)
        else:
            yield _decode(raw)


@contextmanager
def _unpacking(wanted: str) -> Iterator[None]:
    """Turn what the parsers of damaged archives raise into a RequestError."""
    try:
        yield
    except _DAMAGE as error:
        raise RequestError(f"{wanted} Its compression should be sound. {describe_cause(error)}") from error


def _decode(file: IO[bytes] | gzip.GzipFile) -> TextIO:
    return io.TextIOWrapper(file, encoding="utf-8-sig")


def _find_entry(archive: zipfile.ZipFile, wanted: str) -> zipfile.ZipInfo:
    """Return the one file of an archive, but for those that systems hide there."""
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    paths = {entry.filename: PurePosixPath(entry.filename) for entry in entries}
    entries = [
        entry
        for entry in entries
        if not any(part.startswith((".", "__MACOSX")) for part in paths[entry.filename].parts)
    ]
    if len(entries) != 1 or not entries[0].filename.lower().endswith((".csv", ".tsv", ".txt")):
        names = ", ".join(entry.filename for entry in entries[:3])[:_SHOWN]
        raise RequestError(
            f"{wanted} The archive should hold one file, a .csv. Got {len(entries)} ({names}): unpack it."
        )
    return entries[0]


def _list_lines(file: TextIO, wanted: str) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise RequestError(f"{wanted} Line {number} has more than {_MAX_LINE:,} characters.")
        if "\0" in line:
            raise RequestError(f"{wanted} Line {number} holds a zero byte, which is no text.")
        if line.strip():
            yield number, line.rstrip("\n")
