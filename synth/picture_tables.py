"""Classes of pictures that lie in no class folders: from a CSV of names and labels, or from the names alone."""

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from synth.errors import RequestError, describe_cause
from synth.folder_tree import JSON_LINES
from synth.images import IMAGE_SUFFIXES
from synth.labelled_images import parse_label
from synth.said_parts import SPLIT_NAMES, find_part

Classes = dict[str, list[Path]]  # {class name: its pictures}
Labels = tuple[str, list[str]]  # what of a table holds them, and the label of each row

# names of the column with the labels, texts before numbers
_LABEL_COLUMNS = (
    "class_name", "classname", "label_name", "labelname", "category_name", "label", "labels", "class", "classes",
    "category", "dx", "diagnosis", "target", "breed", "species", "type", "emotion", "y", "class_id", "classid",
    "label_id", "category_id", "diagnosis_code",
)  # fmt: skip
_NAME_COLUMNS = (
    "file", "filename", "file_name", "filepath", "filepaths", "file_path", "path", "image", "image_name", "image_id",
    "imageid", "image_path", "id", "name", "picture", "photo",
)  # fmt: skip
_INDEX = re.compile(r"|index|idx|row(_?(id|names?|number))?|unnamed_\d+|level_\d+")  # that was saved with a table
_SUBMISSION = "submission"  # a CSV of this name holds labels that are examples of the form
_MAX_BYTES, _MAX_COLUMNS = 200 * 2**20, 400  # of a CSV of names and labels; larger ones hold pixels
_CAMERAS = {
    "img", "dsc", "dscn", "dscf", "pxl", "vid", "image", "photo", "pic", "picture", "scan", "screenshot", "frame",
}  # fmt: skip
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\W_]*\d[\d\W_]*")  # a name, then numbers: cat.0, american_bulldog_12
_MIN_PER_PREFIX = 2
_UTF8, _WINDOWS = "utf-8", "cp1252"
_MARKS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}


@dataclass(frozen=True)
class Table:
    """A CSV: its header, its rows of as many texts, the part that its name says, if any, and its encoding."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    split: str | None
    encoding: str


class Found(NamedTuple):
    """The classes of pictures, a line each on how they were found, and the part of each, where a column says it."""

    classes: Classes
    notes: list[str]
    parts: dict[Path, str]


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
            for name in {path.name.casefold(), path.stem.casefold()}:
                self._by_name[name].append(path)

    def __len__(self) -> int:
        return len(self._own)

    def look_up(self, cell: str, split: str | None) -> list[Path]:
        """Return the own pictures that a cell names, with or without folders, of a table for `split` or for any part.

        A name without folders that several parts have is that of the table's part, or of the train part.
        """
        place = cell.replace("\\", "/").removeprefix("./").strip("/")
        name, _, suffix = place.rpartition("/")[2].casefold().rpartition(".")
        found = self._by_name.get(f"{name}.{suffix}" if name else suffix, [])
        if not found and f".{suffix}" in IMAGE_SUFFIXES:  # they may have been converted
            found = self._by_name.get(name, [])
        inside = [path for path in found if f"/{path.as_posix()}".endswith(f"/{place}")] if "/" in place else []
        own = [path for path in inside or found if path in self._own]
        is_shared = len(own) < len(inside or found)
        return [] if is_shared and (split or "train") != self.part else own


def read_classes(names: Names, tables: Mapping[Path, str | None]) -> Found | None:
    """Return the classes of pictures by the first of the CSVs that names them and their labels; None where none does.

    tables: {CSV: the part that it is for, None for any}; one for another part is not asked. Raises RequestError where
    one names pictures of the train part, and it is not clear what their labels are.
    """
    naming = []  # the tables that name pictures, and by which column
    for path, split in sorted(tables.items(), key=lambda pair: pair[1] not in (None, names.part)):
        is_others = names.has_others and split not in (None, names.part)
        if is_others or _SUBMISSION in path.name.lower() or path.stat().st_size > _MAX_BYTES:
            continue
        table = _find_header(load_table(path, split), names)
        if sum(name.lower().startswith("pix") for name in table.header) > len(table.header) // 2:
            continue  # it has images of its own
        column = find_names(table, names)
        if column is not None:
            naming.append((table, column))
    for find in (_find_marks, _find_known_labels):
        for table, column in naming:
            labels = find(table, column)
            if labels:
                found = _assign(table, column, labels, names)
                others = [pair for pair in naming if pair[0].split not in (None, names.part)]
                return _add_parts(found, table, [(*pair, find(*pair)) for pair in others], names)
    pairs = [(table, column) for table, column in naming if len(table.header) == 2]
    if len(pairs) == 1:  # the other column holds the labels, whatever its name
        ((table, column),) = pairs
        found = _assign(table, column, _take_column(table, 1 - column), names)
        return _add_parts(found, table, [], names)
    if naming and names.part == "train":
        files = [f"{table.path.name}: " * (len(naming) > 1) + ", ".join(table.header) for table, _ in naming]
        raise RequestError(
            f"{naming[0][0].path}: names the pictures, and should have their classes in a column that is called label, "
            f"class or category. Got {'; '.join(files)[:120]} instead: rename it in a copy, and link the pictures "
            "beside that."
        )
    return None


def count_pictures(count: int) -> str:
    """Return "1 picture", "2 pictures", "3,000 pictures"."""
    return f"{count:,} picture{'s' * (count != 1)}"


def classes_by_prefix(pictures: Sequence[Path]) -> Found | None:
    """Return the classes of pictures that are called cat.0.jpg, cat.1.jpg, dog.0.jpg; None for others.

    Names that cameras give say nothing.
    """
    classes = defaultdict(list)
    for path in pictures:
        match = _NUMBERED.fullmatch(path.stem)
        if match is None or match[1].strip("_-. ").lower() in _CAMERAS:
            return None
        classes[match[1].strip("_-. ")].append(path)
    if len(classes) < 2 or min(map(len, classes.values())) < _MIN_PER_PREFIX:
        return None
    example = pictures[0].name
    note = f"classes are read from the beginnings of the file names ({example}): no folder or CSV says"
    return Found(dict(classes), [note], {})


def load_table(path: Path, split: str | None) -> Table:
    """Read JSON lines, or a CSV in UTF-8 or else in Windows' Western encoding; RequestError where it can't be read."""
    try:
        if path.suffix.lower() == JSON_LINES:
            return Table(path, *_read_json_lines(path), split, _UTF8)
        try:
            header, rows = _read_rows(path, "utf-8-sig")
            encoding = _UTF8
        except UnicodeDecodeError:
            header, rows = _read_rows(path, _WINDOWS)
            encoding = _WINDOWS
    except (OSError, ValueError, csv.Error) as error:
        raise RequestError(f"{path}: should be a readable table. {describe_cause(error)}") from error
    return Table(path, header, rows, split, encoding)


def _read_rows(path: Path, encoding: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of as many texts; UnicodeDecodeError where a file is not in UTF-8."""
    errors = "replace" if encoding == _WINDOWS else "strict"  # which has a few bytes without a meaning
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        sample = file.readline(10_000)
        delimiter = max(",;\t", key=sample.count)
        file.seek(0)
        lines = csv.reader(file, delimiter=delimiter)
        header = [cell.strip() for cell in next(lines, [])]
        rows = [[cell.strip() for cell in row] for row in lines if len(row) == len(header) <= _MAX_COLUMNS]
    return header, rows


def _read_json_lines(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the names in a file with a JSON object in each line, as Hugging Face has them, and the rows of texts."""
    with path.open(encoding="utf-8-sig") as file:
        objects = [json.loads(line) for line in file if line.strip()]
    if not all(isinstance(entry, dict) for entry in objects):
        raise ValueError("a line is no JSON object")
    header = list(dict.fromkeys(name for entry in objects for name in entry))
    rows = [["" if entry.get(name) is None else str(entry[name]).strip() for name in header] for entry in objects]
    return header, rows


def _find_header(table: Table, names: Names) -> Table:
    """Return the table with numbers for a header where its first row names a picture, too."""
    is_row = any(cell.lower().endswith(IMAGE_SUFFIXES) and names.look_up(cell, table.split) for cell in table.header)
    if not is_row:
        return table
    header = [f"column {number + 1}" for number in range(len(table.header))]
    return replace(table, header=header, rows=[table.header, *table.rows])


def find_names(table: Table, names: Names) -> int | None:
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
        folded = _fold(name)
        rank = (has_suffixes, folded in _NAME_COLUMNS, not _INDEX.fullmatch(folded), count)
        if rank > most:
            best, most = column, rank
    return best


def _add_parts(found: Found, table: Table, others: Sequence[tuple[Table, int, Labels | None]], names: Names) -> Found:
    """Add the pictures that the tables of other parts label, where all lie in one place; note what is left out.

    table: the one that `found` is of. others: (table, column with the names, labels, if it has any).
    """
    labelled = [table.path.name]
    if not names.has_others and not found.parts and table.split == names.part:
        for other, column, labels in others:
            if labels and other.split:
                _add_part(found, _assign(other, column, labels, names), other)
                labelled.append(other.path.name)
    left = len(names) - sum(map(len, found.classes.values()))
    if left:
        does = "do" if len(labelled) > 1 else "does"
        found.notes.append(f"{count_pictures(left)} that {' and '.join(labelled)} {does} not name left out")
    return found


def _add_part(found: Found, added: Found, table: Table) -> None:
    """Add the pictures of another part, by the name of its table, to `found`, but for those that it has."""
    known = {path for paths in found.classes.values() for path in paths}
    found.parts.update({path: found.parts.get(path, "train") for path in known})
    found.notes.extend(added.notes)
    twice = 0
    for name, paths in added.classes.items():
        new = [path for path in paths if path not in known]
        twice += len(paths) - len(new)
        found.classes.setdefault(name, []).extend(new)
        found.parts.update(dict.fromkeys(new, table.split or ""))
    if twice:
        found.notes.append(f"{count_pictures(twice)} of {table.path.name} that other parts have stay there")


def _find_marks(table: Table, column: int) -> Labels | None:
    """Return the labels of a table with one column a class, 1 in that of each picture; None of another."""
    others = [number for number in range(len(table.header)) if number != column]
    marks = [[_MARKS.get(row[number], 2) for number in others] for row in table.rows]
    is_label = any(_fold(table.header[number]) in ("label", "class", "target") for number in others)
    if len(others) < 2 or is_label or not all(sum(row) == 1 for row in marks):
        return None
    return "the columns of 0 and 1", [table.header[others[row.index(1)]] for row in marks]


def _find_known_labels(table: Table, column: int) -> Labels | None:
    """Return the labels of a table that has a column which is called as labels are; None of another."""
    columns = {_fold(name): number for number, name in enumerate(table.header)}
    known = [columns[name] for name in _LABEL_COLUMNS if columns.get(name, column) != column]
    return _take_column(table, known[0]) if known else None


def _take_column(table: Table, column: int) -> Labels:
    return f"the column {table.header[column]!r}", [_clean_label(row[column]) for row in table.rows]


def _clean_label(text: str) -> str:
    """Return a label as it is, but "" for a missing one, and 1 for 1.0, as pandas writes it where others miss."""
    label = parse_label(text)
    return "" if label is None else str(label) if re.fullmatch(r"[+-]?\d+\.0*", text) else text


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold())


def _assign(table: Table, column: int, found_labels: Labels, names: Names) -> Found:
    """Return the classes of pictures by the labels of a table's rows."""
    place, row_labels = found_labels
    labels: dict[Path, str] = {}
    missing = 0
    for row, label in zip(table.rows, row_labels, strict=True):
        found = names.look_up(row[column], table.split) if label else []
        missing += not found
        for path in found:
            if labels.setdefault(path, label) != label:
                raise RequestError(
                    f"{table.path}: should give each picture one class. {row[column]} has {labels[path]} and {label}."
                )
    classes = defaultdict(list)
    for path in sorted(labels):
        classes[labels[path]].append(path)
    name = table.header[column]
    part = (None if names.has_others else table.split) or names.part
    notes = [f"{part}: classes are read from {place} of {table.path.name}, pictures are found by {name!r}"]
    if table.encoding != _UTF8:
        notes.append(f"{table.path.name} is not in UTF-8, and read as {table.encoding}")
    if missing and not names.has_others:
        notes.append(f"{missing:,} rows of {table.path.name} name no picture, or no class")
    twice = [name for name, times in Counter(path.name for path in labels).most_common(1) if times > 1]
    if twice:
        notes.append(
            f"{twice[0]} is there in several folders: all have the class that {table.path.name} gives the name"
        )
    parts = {} if names.has_others else _read_parts(table, column, names)
    if parts:
        notes.append(f"the parts are those that {table.path.name} says")
    elif not names.has_others and (columns := [name for name in table.header if _fold(name) in SPLIT_NAMES]):
        notes.append(f"column {columns[0]!r} of {table.path.name} does not say train and another part: it is not read")
    return Found(dict(classes), notes, parts)


def _read_parts(table: Table, column: int, names: Names) -> dict[Path, str]:
    """Return the part of each picture by a column that is called as such columns are; {} where none says them all."""
    places = [place for place, name in enumerate(table.header) if _fold(name) in SPLIT_NAMES]
    said = [find_part(row[places[0]]) for row in table.rows] if places else []
    if None in said or "train" not in said or len(set(said)) == 1:
        return {}
    found = zip(table.rows, said, strict=True)
    return {path: part for row, part in found if part for path in names.look_up(row[column], table.split)}
