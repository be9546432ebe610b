"""Read tables of text chunk by chunk, with errors that name the line and the column."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import RequestError, describe_cause
from real.text_lines import number_lines

SEPARATORS = (",", ";", "\t")
_MAX_COLUMNS = 2**22
_CHUNK_CHARACTERS = 2**22  # so that memory is bounded where lines are long
_EXACT = 2**53  # below it a float holds every integer
_SHOWN = 60  # characters of a value that is named in an error
_FEWEST_NUMBERED = 16  # columns from which 0, 1, 2, ... in the first line are numbers of columns, not pixels
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@dataclass(frozen=True)
class TableLayout:
    """How a table is written.

    count: of its columns. names: theirs, or None where the first line is a row already. row_names: whether each row
    begins with a name that the header has no column for, as R writes them. trailing: whether each row ends with a
    separator.
    """

    separator: str
    count: int
    names: tuple[str, ...] | None
    row_names: bool = False
    trailing: bool = False

    def name(self, position: int) -> str:
        """Return how an error calls a column."""
        return self.names[position][:_SHOWN] if self.names else str(position + 1)


@dataclass(frozen=True)
class Rows:
    """Some rows of a table: their line numbers, texts of some columns, and values of others, int64 [n, columns].

    texts: {column: one text per row}.
    """

    lines: list[int]
    texts: dict[int, list[str]]
    values: np.ndarray


def find_table_layout(path: str | Path, wanted: str) -> TableLayout:
    """Find out how a table is written from its first two lines. wanted: how an error begins."""
    with number_lines(path, wanted) as lines:
        number, line = next(lines, (0, ""))
        _, second = next(lines, (0, ""))
    if not number:
        raise RequestError(f"{wanted} The file is empty.")
    separator = max(SEPARATORS, key=line.count)  # the first of them, where there are none
    if line.count(separator) >= _MAX_COLUMNS:
        raise RequestError(f"{wanted} Got more than {_MAX_COLUMNS:,} columns.")
    names = _split_line(line, number, separator, wanted)
    following = second.split(separator)
    trailing = len(names) > 1 and not names[-1] and not following[-1]
    names = names[:-1] if trailing else names
    if _is_row(names):
        return TableLayout(separator, len(names), None, trailing=trailing)
    ((twice, times),) = Counter(names).most_common(1)
    if times > 1:
        raise RequestError(
            f"{wanted} The first line should name each column once. Got {twice[:_SHOWN]!r} more than once."
        )
    longer = not trailing and len(following) == len(names) + 1
    trailing |= longer and not following[-1]
    row_names = longer and not trailing and second.startswith('"')  # else the value too many may be any
    return TableLayout(separator, len(names), tuple(names), row_names, trailing)


def read_rows(
    path: str | Path,
    layout: TableLayout,
    wanted: str,
    values: Sequence[int],
    texts: Sequence[int] = (),
    rows: int | None = None,
    chunk_rows: int = 5000,
) -> Iterator[Rows]:
    """Yield the Rows of a table with at least one row, `chunk_rows` at a time.

    values: the columns of integers, in order. texts: those to be had as texts. rows: how many to read, from the top;
    None reads all. Lines without text are left out. Raises RequestError for all that is not a table, and for values
    that are no integers.
    """
    count = 0
    for numbers, lines in _cut_chunks(read_lines(path, layout, wanted), rows, chunk_rows):
        found = {column: [_take_field(line, column, layout) for line in lines] for column in texts}
        yield Rows(numbers, found, _parse_chunk(lines, numbers, layout, values, path))
        count += len(numbers)
    if not count:
        raise RequestError(f"{path}: should have at least one image. Got the header alone instead.")


def read_lines(path: str | Path, layout: TableLayout, wanted: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, text without quotes) of each row, of as many values as there are columns."""
    extra = layout.trailing + layout.row_names
    with number_lines(path, wanted) as lines:
        if layout.names:
            next(lines)
        for number, line in lines:
            if '"' in line:
                line = _unquote(line, number, layout.separator, wanted)
            count = line.count(layout.separator) + 1 - extra
            if count > layout.count:
                raise RequestError(
                    f"{wanted} Line {number} has {count} values for {layout.count} columns: "
                    "a column of row names needs a name, too."
                )
            if count < layout.count:
                _refuse_value("nothing (the line is too short)", path, number, layout.name(max(count, 0)))
            yield number, _strip_extra(line, number, layout, wanted) if extra else line


def _is_row(fields: list[str]) -> bool:
    """Tell whether the first line is a row already: numbers, and perhaps a text as label, that can't be names.

    pandas turns a first row 0, 0, 0 into the names 0, 0.1, 0.2, and calls columns without names 0, 1, 2, ...
    """
    numeric = [bool(_NUMBER.fullmatch(field)) for field in fields]
    if all(numeric):
        numbered = fields in ([str(start + place) for place in range(len(fields))] for start in (0, 1))
        return not (_are_mangled(fields) or (numbered and len(fields) > _FEWEST_NUMBERED))
    has_label = all(numeric[1:]) or all(numeric[:-1])
    return has_label and len(set(fields)) < len(fields)


def _are_mangled(fields: list[str]) -> bool:
    """Tell whether these are integers of which the second 7 is called 7.1, the third 7.2, ..."""
    seen: Counter[str] = Counter()
    for field in fields:
        base = field.partition(".")[0]
        if field != (f"{base}.{seen[base]}" if seen[base] else base):
            return False
        seen[base] += 1
    return max(seen.values()) > 1


def _split_line(line: str, number: int, separator: str, wanted: str) -> list[str]:
    """Return the fields of a line without their quotes."""
    if '"' not in line:
        return line.split(separator)
    try:
        (fields,) = csv.reader([line], strict=True, delimiter=separator)
    except csv.Error as error:
        raise RequestError(f"{wanted} Line {number} should have quotes in pairs. {describe_cause(error)}") from error
    return fields


def _unquote(line: str, number: int, separator: str, wanted: str) -> str:
    fields = _split_line(line, number, separator, wanted)
    if any(separator in field for field in fields):
        name = {",": "comma", ";": "semicolon"}.get(separator, "tab")
        raise RequestError(f"{wanted} Line {number} has a value with a {name} in it.")
    return separator.join(fields)


def _strip_extra(line: str, number: int, layout: TableLayout, wanted: str) -> str:
    """Return a row without its row name, and without the separator behind it."""
    if layout.row_names:
        line = line.partition(layout.separator)[2]
    if layout.trailing:
        if not line.endswith(layout.separator):
            raise RequestError(f"{wanted} Line {number} has {layout.count + 1} values for {layout.count} columns.")
        line = line[: -len(layout.separator)]
    return line


def _take_field(line: str, column: int, layout: TableLayout) -> str:
    """Return one field of a row. Those at the ends are found without splitting the line."""
    if layout.count == 1:
        return line
    if column == 0:
        return line[: line.index(layout.separator)]
    if column == layout.count - 1:
        return line[line.rindex(layout.separator) + 1 :]
    return line.split(layout.separator, column + 1)[column]


def list_texts(
    path: str | Path, layout: TableLayout, wanted: str, places: tuple[int, int]
) -> tuple[set[str], set[str]]:
    """Return the different texts of two columns."""
    first, last = set(), set()
    for _, line in read_lines(path, layout, wanted):
        first.add(_take_field(line, places[0], layout).strip())
        last.add(_take_field(line, places[1], layout).strip())
    return first, last


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


def _parse_chunk(
    lines: list[str], numbers: list[int], layout: TableLayout, columns: Sequence[int], path: str | Path
) -> np.ndarray:
    """Return these columns as int64 [n, columns]; RequestError names the first column's first value that is none."""
    options = {"header": None, "quoting": csv.QUOTE_NONE, "skip_blank_lines": False, "low_memory": False}
    if not columns:
        return np.empty((len(lines), 0), np.int64)
    text = io.StringIO("\n".join(lines))
    table = pd.read_csv(text, sep=layout.separator, keep_default_na=False, na_values=[""], **options)
    if all(dtype == np.int64 for dtype in table.dtypes):
        return _take_columns(table.to_numpy(), columns)
    values = np.empty((len(lines), len(columns)), np.int64)
    for position, column in enumerate(columns):
        values[:, position], bad = _to_integers(table[column])
        if bad.any():
            row = int(bad.argmax())
            value = table[column].iloc[row]
            shown = "nothing" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)
            _refuse_value(shown[:_SHOWN], path, numbers[row], layout.name(column))
    return values


def _take_columns(values: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Return these columns, without a copy where they stand together."""
    if columns[-1] - columns[0] == len(columns) - 1:
        return values[:, columns[0] : columns[-1] + 1]
    return values[:, columns]


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
    advice = ""
    if _NUMBER.fullmatch(shown) and 0 < abs(float(shown)) < 1:
        advice = ": pixels from 0 to 1 are to be multiplied by 255 and rounded first (pandas: (x * 255).round())"
    raise RequestError(
        f"{path}: values should be integers of at most 64 bits. "
        f"Got {shown} in line {number}, column {column} instead{advice}."
    )


def parse_packed(
    texts: Sequence[str], numbers: list[int], path: str | Path, column: str, count: int | None = None
) -> np.ndarray:
    """Return texts of `count` integers each (None: as many as the first has), with blanks between them, as int64
    [n, count]."""
    lines = [" ".join(text.split()) for text in texts]
    count = lines[0].count(" ") + 1 if count is None else count
    for number, line in zip(numbers, lines, strict=True):
        if not line or line.count(" ") + 1 != count:
            got = f"{len(line.split())} numbers for {count}"
            _refuse_value(got, path, number, column)
    return _parse_chunk(lines, numbers, TableLayout(" ", count, None), range(count), path)
