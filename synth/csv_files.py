"""Read the integers of a CSV chunk by chunk, with errors that name the line and the column."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from synth.errors import RequestError, describe_cause
from synth.files import check_regular_file

_MAX_LINE = 2**26  # characters: five times a row of 1024 x 1024 x 3 pixels
_MAX_COLUMNS = 2**22
_CHUNK_CHARACTERS = 2**22  # so that memory is bounded where lines are long
_EXACT = 2**53  # below it a float holds every integer
_SHOWN = 60  # characters of a value that is named in an error


def read_integers(
    path: str | Path, expected: str, rows: int | None = None, chunk_rows: int = 5000
) -> Iterator[tuple[list[str], list[int], np.ndarray]]:
    """Yield (column names, line numbers, values int64 [n, columns]) of a CSV with a header and at least one row.

    expected: what the columns should be, for errors. rows: how many to read, from the top; None reads all.
    Lines without text are left out. Raises RequestError for all that is not a table of integers.
    """
    check_regular_file(path)
    wanted = f"{path}: should be a CSV with the columns {expected}"
    count = 0
    with open(path, encoding="utf-8-sig") as file:
        try:
            lines = _number_lines(file, wanted)
            columns = _read_header(lines, wanted)
            for numbers, texts in _cut_chunks(_check_rows(lines, columns, path, wanted), rows, chunk_rows):
                yield columns, numbers, _parse_chunk(texts, numbers, columns, path)
                count += len(numbers)
        except UnicodeDecodeError as error:
            raise RequestError(f"{wanted} {describe_cause(error)}") from error
    if not count:
        raise RequestError(f"{path}: should have at least one image. Got the header alone instead.")


def _number_lines(file: TextIO, wanted: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of each line that is not blank."""
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise RequestError(f"{wanted} Line {number} has more than {_MAX_LINE:,} characters.")
        if "\0" in line:
            raise RequestError(f"{wanted} Line {number} holds a zero byte, which is no text.")
        if line.strip():
            yield number, line.rstrip("\n")


def _read_header(lines: Iterator[tuple[int, str]], wanted: str) -> list[str]:
    number, line = next(lines, (0, ""))
    if not number:
        raise RequestError(f"{wanted} The file is empty.")
    if line.count(",") >= _MAX_COLUMNS:
        raise RequestError(f"{wanted} Got more than {_MAX_COLUMNS:,} columns.")
    columns = _split_line(line, number, wanted)
    ((twice, times),) = Counter(columns).most_common(1)
    if times > 1:
        raise RequestError(
            f"{wanted} The first line should name each column once. Got {twice[:_SHOWN]!r} more than once."
        )
    return columns


def _split_line(line: str, number: int, wanted: str) -> list[str]:
    """Return the fields of a line without their quotes."""
    if '"' not in line:
        return line.split(",")
    try:
        (fields,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise RequestError(f"{wanted} Line {number} should have quotes in pairs. {describe_cause(error)}") from error
    return fields


def _check_rows(
    lines: Iterator[tuple[int, str]], columns: list[str], path: str | Path, wanted: str
) -> Iterator[tuple[int, str]]:
    """Yield (line number, text without quotes) of each row; RequestError for too many and too few values."""
    for number, line in lines:
        if '"' in line:
            fields = _split_line(line, number, wanted)
            if any("," in field for field in fields):
                raise RequestError(f"{wanted} Line {number} has a value with a comma in it.")
            line = ",".join(fields)
        count = line.count(",") + 1
        if count > len(columns):
            raise RequestError(f"{wanted} Line {number} has {count} values for {len(columns)} columns.")
        if count < len(columns):
            _refuse_value("nothing (the line is too short)", path, number, columns[count])
        yield number, line


def _cut_chunks(
    lines: Iterator[tuple[int, str]], rows: int | None, chunk_rows: int
) -> Iterator[tuple[list[int], list[str]]]:
    """Yield (line numbers, texts) of up to `chunk_rows` lines together, and of the first `rows` over all."""
    numbers, texts, characters = [], [], 0
    for count, (number, text) in enumerate(lines, start=1):
        numbers.append(number)
        texts.append(text)
        characters += len(text)
        if len(texts) == chunk_rows or characters >= _CHUNK_CHARACTERS or count == rows:
            yield numbers, texts
            numbers, texts, characters = [], [], 0
        if count == rows:
            break
    if texts:
        yield numbers, texts


def _parse_chunk(texts: list[str], numbers: list[int], columns: list[str], path: str | Path) -> np.ndarray:
    """Return the lines as int64 [n, columns]; RequestError names the first column's first value that is no integer."""
    options = {"header": None, "quoting": csv.QUOTE_NONE, "skip_blank_lines": False, "low_memory": False}
    table = pd.read_csv(io.StringIO("\n".join(texts)), keep_default_na=False, na_values=[""], **options)
    if all(dtype == np.int64 for dtype in table.dtypes):
        return table.to_numpy()
    values = np.empty(table.shape, np.int64)
    for position, name in enumerate(columns):
        values[:, position], bad = _to_integers(table[position])
        if bad.any():
            row = int(bad.argmax())
            value = table[position].iloc[row]
            shown = "nothing" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)
            _refuse_value(shown[:_SHOWN], path, numbers[row], name)
    return values


def _to_integers(column: pd.Series) -> tuple[np.ndarray | int, np.ndarray]:
    """Return a column of any type as int64 and a mask of the values that are no integers of 64 bits."""
    if column.dtype.kind == "b":  # the words True and False
        return 0, np.ones(len(column), bool)
    values = pd.to_numeric(column, errors="coerce").to_numpy()
    if values.dtype.kind in "iu":
        bad = values > np.iinfo(np.int64).max
    else:
        values = values.astype(np.float64)
        bad = ~(np.abs(values) < _EXACT) | (values != np.rint(values))
    return np.where(bad, 0, values).astype(np.int64), bad


def _refuse_value(shown: str, path: str | Path, number: int, column: str) -> None:
    raise RequestError(
        f"{path}: values should be integers of at most 64 bits. "
        f"Got {shown} in line {number}, column {column[:_SHOWN]} instead."
    )
