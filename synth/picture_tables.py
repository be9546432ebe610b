"""Classes of pictures that lie in no class folders: from a CSV of names and labels, or from the names alone."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.errors import RequestError, describe_cause
from synth.images import IMAGE_SUFFIXES

Classes = dict[str, list[Path]]  # {class name: its pictures}

# names of the column with the labels, texts before numbers
_LABEL_COLUMNS = (
    "class_name", "classname", "label_name", "labelname", "category_name", "label", "labels", "class", "classes",
    "category", "dx", "diagnosis", "target", "breed", "species", "type", "emotion", "y", "class_id", "classid",
    "label_id", "category_id", "diagnosis_code",
)  # fmt: skip
_SUBMISSION = "submission"  # a CSV of this name holds labels that are examples of the form
_MAX_BYTES, _MAX_COLUMNS = 200 * 2**20, 400  # of a CSV of names and labels; larger ones hold pixels
_CAMERAS = {
    "img", "dsc", "dscn", "dscf", "pxl", "vid", "image", "photo", "pic", "picture", "scan", "screenshot", "frame",
}  # fmt: skip
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\W_]*\d[\d\W_]*")  # a name, then numbers: cat.0, american_bulldog_12
_MIN_PER_PREFIX = 2
_MARKS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}


@dataclass(frozen=True)
class Table:
    """A CSV: its header, its rows of as many texts, and the part that its name says, if any."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    split: str | None


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


def read_classes(names: Names, tables: Mapping[Path, str | None]) -> tuple[Classes, list[str]] | None:
    """Return the classes of pictures by the first of the CSVs that names them, with notes; None where none does.

    tables: {CSV: the part that it is for, None for any}; one for another part is not asked. Raises RequestError where
    one names pictures of the train part, and it is not clear what their labels are.
    """
    unclear = None
    for path, split in sorted(tables.items(), key=lambda pair: pair[1] not in (None, names.part)):
        is_others = names.has_others and split not in (None, names.part)
        if is_others or _SUBMISSION in path.name.lower() or path.stat().st_size > _MAX_BYTES:
            continue
        table = load_table(path, split)
        if sum(name.lower().startswith("pix") for name in table.header) > len(table.header) // 2:
            continue  # it has images of its own
        column = find_names(table, names)
        labels = None if column is None else _find_labels(table, column)
        if column is not None and labels:
            return _assign(table, column, labels, names)
        unclear = unclear or (table if column is not None else None)
    if unclear and names.part == "train":
        raise RequestError(
            f"{unclear.path}: names the pictures, and should have their classes in a column that is called label, "
            f"class or category. Got {', '.join(unclear.header)[:80]} instead: rename it in a copy, and link the "
            "pictures beside that."
        )
    return None


def count_pictures(count: int) -> str:
    """Return "1 picture", "2 pictures", "3,000 pictures"."""
    return f"{count:,} picture{'s' * (count != 1)}"


def classes_by_prefix(pictures: Sequence[Path]) -> tuple[Classes, list[str]] | None:
    """Return the classes of pictures that are called cat.0.jpg, cat.1.jpg, dog.0.jpg, with a note; None for others.

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
    return dict(classes), [f"classes are read from the beginnings of the file names ({example}): no folder or CSV says"]


def load_table(path: Path, split: str | None) -> Table:
    """Read a CSV of texts; RequestError where it can't be read."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            sample = file.readline(10_000)
            delimiter = max(",;\t", key=sample.count)
            file.seek(0)
            lines = csv.reader(file, delimiter=delimiter)
            header = [cell.strip() for cell in next(lines, [])]
            rows = [[cell.strip() for cell in row] for row in lines if len(row) == len(header) <= _MAX_COLUMNS]
    except (OSError, csv.Error) as error:
        raise RequestError(f"{path}: should be a readable CSV. {describe_cause(error)}") from error
    return Table(path, header, rows, split)


def find_names(table: Table, names: Names) -> int | None:
    """Return the number of the column that names pictures: most of its own cells, or most of the pictures.

    Numbers may be anything, and should name most of both.
    """
    best, most = None, 0
    for column in range(len(table.header)):
        cells = {row[column] for row in table.rows}
        found = {cell: names.look_up(cell, table.split) for cell in cells}
        naming = [cell for cell in cells if found[cell]]
        count = len({path for paths in found.values() for path in paths})
        is_most = [2 * len(naming) >= len(cells), 2 * count >= len(names)]
        if count > most and (all if all(map(str.isdigit, naming)) else any)(is_most):
            best, most = column, count
    return best


def _find_labels(table: Table, column: int) -> list[str] | None:
    """Return the label of each row; None where no column is known to hold them."""
    columns = {re.sub(r"[\W_]+", "_", name.lower()): number for number, name in enumerate(table.header)}
    others = [number for number in range(len(table.header)) if number != column]
    known = [columns[name] for name in _LABEL_COLUMNS if columns.get(name, column) != column]
    marks = [[_MARKS.get(row[number], 2) for number in others] for row in table.rows]
    if len(others) > 1 and all(sum(row) == 1 for row in marks):  # one column a class, 1 in that of each picture
        return [table.header[others[row.index(1)]] for row in marks]
    if known or len(others) == 1:
        return [row[(known or others)[0]] for row in table.rows]
    return None


def _assign(table: Table, column: int, row_labels: list[str], names: Names) -> tuple[Classes, list[str]]:
    """Return the classes of pictures by the labels of a table's rows, with notes."""
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
    notes = [f"{names.part}: classes are read from {table.path.name}, by its column {table.header[column]!r}"]
    if len(names) > len(labels):
        left = count_pictures(len(names) - len(labels))
        notes.append(f"{left} that {table.path.name} does not name left out")
    if missing and not names.has_others:
        notes.append(f"{missing:,} rows of {table.path.name} name no picture, or no class")
    twice = [name for name, times in Counter(path.name for path in labels).most_common(1) if times > 1]
    if twice:
        notes.append(
            f"{twice[0]} is there in several folders: all have the class that {table.path.name} gives the name"
        )
    return dict(classes), notes
