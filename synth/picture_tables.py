"""Classes of pictures that lie in no class folders: from a CSV of names and labels, or from the names alone."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.errors import RequestError, describe_cause

Classes = dict[str, list[Path]]  # {class name: its pictures}

# names of the column with the labels, texts before numbers
_LABEL_COLUMNS = (
    "class_name", "classname", "label_name", "labelname", "category_name", "label", "labels", "class", "classes",
    "category", "dx", "diagnosis", "target", "breed", "species", "type", "emotion", "y", "class_id", "classid",
    "label_id", "category_id", "diagnosis_code",
)  # fmt: skip
_SUBMISSION = "submission"  # a CSV of this name holds labels that are examples of the form
_MAX_BYTES = 200 * 2**20  # of a CSV of names and labels; larger ones hold pixels
_CAMERAS = {
    "img", "dsc", "dscn", "dscf", "pxl", "vid", "image", "photo", "pic", "picture", "scan", "screenshot", "frame",
}  # fmt: skip
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\W_]*\d[\d\W_]*")  # a name, then numbers: cat.0, american_bulldog_12
_MIN_PER_PREFIX = 2


@dataclass(frozen=True)
class Table:
    """A CSV: its header and its rows of as many texts."""

    path: Path
    header: list[str]
    rows: list[list[str]]


def read_classes(pictures: Sequence[Path], tables: Iterable[Path]) -> tuple[Classes, list[str]] | None:
    """Return the classes of pictures by the first of the CSVs that names them, with notes; None where none does.

    Names stand there with or without suffix and folders. Raises RequestError where a CSV names them, and it is not
    clear what their labels are.
    """
    by_name, unclear = _index(pictures), None
    for path in tables:
        if _SUBMISSION in path.name.lower() or path.stat().st_size > _MAX_BYTES:
            continue
        table = _load_table(path)
        names = _find_names(table, by_name, len(pictures))
        labels = None if names is None else _find_labels(table, names)
        if names is not None and labels:
            return _assign(table, names, labels, by_name, len(pictures))
        unclear = unclear or (table if names is not None else None)
    if unclear:
        raise RequestError(
            f"{unclear.path}: names the pictures, and should have their classes in a column that is called label, "
            f"class or category. Got {', '.join(unclear.header)[:80]} instead: rename it in a copy, and link the "
            "pictures beside that."
        )
    return None


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


def _index(pictures: Sequence[Path]) -> dict[str, list[Path]]:
    """Return {name, with and without suffix: pictures of that name}."""
    found = defaultdict(list)
    for path in pictures:
        for name in {path.name, path.stem}:
            found[name].append(path)
    return found


def _load_table(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            sample = file.readline(10_000)
            delimiter = max(",;\t", key=sample.count)
            file.seek(0)
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=delimiter) if row]
    except (OSError, csv.Error) as error:
        raise RequestError(f"{path}: should be a readable CSV. {describe_cause(error)}") from error
    header = rows[0] if rows else []
    return Table(path, header, [row for row in rows[1:] if len(row) == len(header)])


def _look_up(cell: str, by_name: dict[str, list[Path]]) -> list[Path]:
    """Return the pictures that a cell names; where it names folders, too, those in them, if there are any."""
    place = cell.replace("\\", "/").removeprefix("./").strip("/")
    found = by_name.get(place.rpartition("/")[2], [])
    inside = [path for path in found if f"/{path.as_posix()}".endswith(f"/{place}")] if "/" in place else []
    return inside or found


def _find_names(table: Table, by_name: dict[str, list[Path]], count: int) -> int | None:
    """Return the number of the column that names pictures: most of its own cells, or most of the pictures.

    Numbers may be anything, and should name most of both.
    """
    best, most = None, 0
    for column in range(len(table.header)):
        cells = {row[column] for row in table.rows}
        naming = [cell for cell in cells if _look_up(cell, by_name)]
        found = {path for cell in naming for path in _look_up(cell, by_name)}
        is_most = [2 * len(naming) >= len(cells), 2 * len(found) >= count]
        if len(found) > most and (all if all(map(str.isdigit, naming)) else any)(is_most):
            best, most = column, len(found)
    return best


def _find_labels(table: Table, names: int) -> list[str] | None:
    """Return the label of each row; None where no column is known to hold them."""
    columns = {re.sub(r"[\W_]+", "_", name.lower()): column for column, name in enumerate(table.header)}
    others = [column for column in range(len(table.header)) if column != names]
    known = [columns[name] for name in _LABEL_COLUMNS if columns.get(name, names) != names]
    marks = [[row[column] in ("1", "1.0") for column in others] for row in table.rows]
    if len(others) > 1 and all(sum(row) == 1 for row in marks):  # one column a class, 1 in that of each picture
        return [table.header[others[row.index(True)]] for row in marks]
    if known or len(others) == 1:
        column = known[0] if known else others[0]
        return [row[column] for row in table.rows]
    return None


def _assign(
    table: Table, names: int, row_labels: list[str], by_name: dict[str, list[Path]], count: int
) -> tuple[Classes, list[str]]:
    """Return the classes of `count` pictures by the labels of a table's rows, with notes."""
    labels: dict[Path, str] = {}
    missing = 0
    for row, label in zip(table.rows, row_labels, strict=True):
        found = _look_up(row[names], by_name) if label else []
        missing += not found
        for path in found:
            if labels.setdefault(path, label) != label:
                raise RequestError(
                    f"{table.path}: should give each picture one class. {row[names]} has {labels[path]} and {label}."
                )
    classes = defaultdict(list)
    for path in sorted(labels):
        classes[labels[path]].append(path)
    notes = [f"classes are read from {table.path.name}, by its column {table.header[names]!r}"]
    if count > len(labels):
        notes.append(f"{count - len(labels):,} pictures that {table.path.name} does not name are left out")
    if missing:
        notes.append(f"{missing:,} rows of {table.path.name} name no picture, or no class")
    twice = [name for name, times in Counter(path.name for path in labels).most_common(1) if times > 1]
    if twice:
        notes.append(
            f"{twice[0]} is there in several folders: all have the class that {table.path.name} gives the name"
        )
    return dict(classes), notes
