"""Tables that name pictures: reading them, and finding the column of the names."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from unicodedata import normalize

from common.errors import RequestError, describe_cause
from common.folder_names import fold_name
from common.images import IMAGE_SUFFIXES
from real.pictures.folder_tree import JSON_LINES, TEXT_LIST

_NAME_COLUMNS = (
    "file", "filename", "file_name", "filepath", "filepaths", "file_path", "path", "image", "image_name", "image_id",
    "imageid", "image_path", "id", "name", "picture", "photo",
)  # fmt: skip
_INDEX = re.compile(r"|index|idx|row(_?(id|names?|number))?|unnamed_\d+|level_\d+")  # that was saved with a table
MAX_BYTES, _MAX_COLUMNS = 200 * 2**20, 400  # of a CSV of names and labels; larger ones hold pixels
_ABOVE = re.compile(r"\s*|\s*#.*\s*|sep=.\s*", re.IGNORECASE)  # a line above the header
_LONGEST_HEADER = 100_000  # characters
_UTF8, _UTF16, WINDOWS = "utf-8-sig", "utf-16", "cp1252"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # with which such a file begins


@dataclass(frozen=True)
class Table:
    """A CSV: its header, its rows of as many texts, the part that its name says, if any, and its encoding.

    joined: names of others with the same header whose rows stand below its own. torn: rows of other lengths than the
    header, which are left out. has_no_header: whether the header's names are made up.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    split: str | None
    encoding: str
    joined: tuple[str, ...] = ()
    torn: int = 0
    has_no_header: bool = False

    @property
    def name(self) -> str:
        """The name of the file, or of all whose rows it has."""
        return " and ".join([self.path.name, *self.joined])


class Names:
    """The names of a part's pictures, among those of the whole set.

    part: "train", "validation" or "test". pictures: its own. elsewhere: those of the other parts, which may have the
    same names.
    """

    def __init__(self, part: str, pictures: Sequence[Path], elsewhere: Sequence[Path] = ()) -> None:
        self.part = part
        self.has_others = bool(elsewhere)
        self._own = set(pictures)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in (*pictures, *elsewhere):
            for name in {fold_name(path.name), fold_name(path.stem)}:
                self._by_name[name].append(path)
                self._by_name[f"{fold_name(path.parent.name)}/{name}"].append(path)  # where many have the name

    def __len__(self) -> int:
        return len(self._own)

    def look_up(self, cell: str, split: str | None) -> list[Path]:
        """Return the own pictures that a cell names, with or without folders, of a table for `split` or for any part.

        A name without folders that several parts have is that of the table's part, or of the train part. One in a
        folder that is not there is one picture's, or none's.
        """
        return self._look_up(cell, split)[0]

    def look_up_all(self, cells: Sequence[str], split: str | None) -> list[list[Path]]:
        """Return the own pictures that each cell of a column names, as look_up, a picture but for the cells that name
        it by the longest path: others with its name are of pictures that are not here."""
        found = [self._look_up(cell, split) for cell in cells]
        longest: dict[Path, int] = {}
        for paths, length in found:
            longest |= {path: max(length, longest.get(path, 0)) for path in paths}
        return [[path for path in paths if longest[path] == length] for paths, length in found]

    def _look_up(self, cell: str, split: str | None) -> tuple[list[Path], int]:
        """Return the own pictures that a cell names, and how many characters of their paths it gives."""
        place = normalize("NFC", cell.replace("\\", "/").removeprefix("./").strip("/"))
        folder = "".join(fold_name(place).split("/")[-2:-1])
        name, _, suffix = fold_name(place).rpartition("/")[2].rpartition(".")
        whole = f"{name}.{suffix}" if name else suffix
        keys = [whole, name] if f".{suffix}" in IMAGE_SUFFIXES else [whole]  # they may have been converted
        in_folder = [f"{folder}/{key}" for key in keys if folder]
        key = next((key for key in (*in_folder, *keys) if key in self._by_name), "")
        found = self._by_name.get(key, [])
        last = place.rpartition("/")[2]
        found = [path for path in found if last in (normalize("NFC", path.name), normalize("NFC", path.stem))] or found
        rest, length = place, 0
        inside: list[Path] = []
        while "/" in rest and not inside:  # a path of the machine that wrote the table has the longest common ending
            inside = [path for path in found if normalize("NFC", f"/{path.as_posix()}").endswith(f"/{rest}")]
            length = len(rest) if inside else 0
            rest = rest.partition("/")[2]
        own = [path for path in inside or found if path in self._own]
        is_shared = len(own) < len(inside or found)
        is_elsewhere = bool(in_folder) and key not in in_folder and len(own) > 1
        return ([] if is_elsewhere or (is_shared and (split or "train") != self.part) else own), length


def load_table(path: Path, split: str | None) -> Table:
    """Read JSON lines, or a CSV in UTF-8 or else in Windows' Western encoding; RequestError where it can't be read."""
    try:
        if path.suffix.lower() == JSON_LINES:
            return Table(path, *_read_json_lines(path), split, _UTF8)
        encoding = _find_encoding(path)
        try:
            header, rows = _read_rows(path, encoding)
        except UnicodeDecodeError:
            encoding = WINDOWS
            header, rows = _read_rows(path, encoding)
    except (OSError, ValueError, csv.Error) as error:
        if path.suffix.lower() == TEXT_LIST:  # it may be anything
            return Table(path, [], [], split, _UTF8)
        raise RequestError(f"{path}: should be a readable table. {describe_cause(error)}") from error
    whole = [row for row in rows if len(row) == len(header)]
    return Table(path, header, whole, split, encoding, torn=len(rows) - len(whole))


def read_header(path: Path) -> list[str]:
    """Return the names of a table's columns by its first lines, or [] where it has no such lines."""
    try:
        if path.suffix.lower() == JSON_LINES:
            return _read_json_lines(path, 1)[0]
        return _read_rows(path, _find_encoding(path), 0, errors="replace")[0]
    except (OSError, ValueError, csv.Error):
        return []


def _find_encoding(path: Path) -> str:
    with path.open("rb") as file:
        return _UTF16 if file.read(2) in _UTF16_MARKS else _UTF8


def _read_rows(
    path: Path, encoding: str, count: int | None = None, errors: str = "strict"
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, or `count` of them, if these are not too long; UnicodeDecodeError where a file is
    not in UTF-8.

    Above the header may be empty lines, comments (#) and what tells Excel the separator; rows may end with a separator,
    and begin with names that the header has no column for, as R writes them.
    """
    errors = "replace" if encoding == WINDOWS else errors  # which has a few bytes without a meaning
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        above = 0
        while _ABOVE.fullmatch(sample := file.readline(_LONGEST_HEADER)) and sample:
            above += 1
        delimiter = max(",;\t", key=sample.count)
        file.seek(0)
        text = islice(file, above, None)
        is_list = path.suffix.lower() == TEXT_LIST and delimiter not in sample  # a name and a label in each line
        lines = map(_split_line, text) if is_list else csv.reader(text, delimiter=delimiter)
        header = [cell.strip() for cell in next(lines, [])]
        if len(header) > _MAX_COLUMNS:
            return header, []
        rows = [[cell.strip() for cell in row] for row in islice(lines, count) if row]
    if rows and all(len(row) > 1 and not row[-1] for row in rows) and header[len(rows[0]) - 1 :] in ([], [""]):
        header, rows = header[: len(rows[0]) - 1], [row[:-1] for row in rows]
    elif {len(row) - len(header) for row in rows} == {1} and not rows[0][0].lower().endswith(IMAGE_SUFFIXES):
        header = ["", *header]
    return header, rows


def _split_line(line: str) -> list[str]:
    """Return the name and the label in a line of a list; the label may have blanks where a suffix ends the name."""
    name, _, label = line.strip().partition(" ")
    is_said = name.lower().endswith(IMAGE_SUFFIXES) and any(map(str.isalpha, label))
    return [name, label.strip()] if is_said else line.rsplit(maxsplit=1)


def _read_json_lines(path: Path, count: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the names in a file with a JSON object in each line, as Hugging Face has them, and the rows of texts.

    count: of the lines that are read; None reads all.
    """
    with path.open(encoding="utf-8-sig") as file:
        objects = [json.loads(line) for line in islice((line for line in file if line.strip()), count)]
    if not all(isinstance(entry, dict) for entry in objects):
        raise ValueError("a line is no JSON object")
    header = list(dict.fromkeys(name for entry in objects for name in entry))
    rows = [["" if entry.get(name) is None else str(entry[name]).strip() for name in header] for entry in objects]
    return header, rows


def add_header(table: Table, names: Names) -> Table:
    """Return the table with numbers for a header where its first row names a picture, too: surely, where it has no
    usual name of a column."""
    is_named = any(fold_column(cell) in _NAME_COLUMNS for cell in table.header)
    likely = (cell for cell in table.header if not is_named or cell.lower().endswith(IMAGE_SUFFIXES) or "/" in cell)
    is_row = any(names.look_up(cell, table.split) for cell in likely)
    if not is_row:
        return table
    header = [f"column {number + 1}" for number in range(len(table.header))]
    return replace(table, header=header, rows=[table.header, *table.rows], has_no_header=True)


def find_name_column(table: Table, names: Names) -> int | None:
    """Return the number of the column that names pictures: most of its own cells, or most of the pictures.

    Numbers may be anything, and should name most of both. Of several the one with files' suffixes counts, then the one
    that is called as names are, then any but an index, then the one that names most.
    """
    best, most = None, (0,)
    for column, name in enumerate(table.header):
        cells = {row[column] for row in table.rows}
        found = {cell: names.look_up(cell, table.split) for cell in cells}
        naming = [cell for cell in cells if found[cell]]
        count = len({path for paths in found.values() for path in paths})
        is_most = [2 * len(naming) >= len(cells), 2 * count >= len(names)]
        if not count or not (all if all(map(str.isdigit, naming)) else any)(is_most):
            continue
        has_suffixes = any(cell.lower().endswith(IMAGE_SUFFIXES) for cell in naming)
        folded = fold_column(name)
        rank = (has_suffixes, folded in _NAME_COLUMNS, not is_index(folded), count)
        if rank > most:
            best, most = column, rank
    return best


def is_index(folded: str) -> bool:
    """Tell whether a column's name, as fold_column returns it, is that of an index that was saved with a table."""
    return bool(_INDEX.fullmatch(folded))


def fold_column(name: str) -> str:
    """Return a column's name as it is compared with others: in lower case, with _ between its words."""
    return re.sub(r"[\W_]+", "_", name.casefold())
