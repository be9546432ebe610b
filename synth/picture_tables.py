"""Classes of pictures that lie in no class folders: from a CSV of names and labels, or from the names alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from synth.errors import RequestError
from synth.folder_tree import TEXT_LIST, count_pictures
from synth.labelled_images import parse_label
from synth.name_tables import MAX_BYTES, WINDOWS, Names, Table, find_header, find_names, fold_column, load_table
from synth.said_parts import SPLIT_NAMES, find_part
from synth.split_names import find_split, fold_class

Classes = dict[str, list[Path]]  # {class name: its pictures}
Labels = tuple[str, list[str]]  # what of a table holds them, and the label of each row
FOLDERS = "folders"  # as the column of labels: the names of folders are the classes

# names of the column with the labels, texts before numbers
_LABEL_COLUMNS = (
    "class_name", "classname", "label_name", "labelname", "category_name", "label", "labels", "class", "classes",
    "category", "dx", "diagnosis", "target", "breed", "species", "type", "emotion", "y", "class_id", "classid",
    "label_id", "category_id", "diagnosis_code",
)  # fmt: skip
_OTHER_KINDS = ("breed", "species", "type", "emotion", "y")  # of these, may be of something else than the classes
_SUBMISSION = "submission"  # a CSV of this name holds labels that are examples of the form
_CAMERAS = {
    "img", "dsc", "dscn", "dscf", "pxl", "vid", "image", "photo", "pic", "picture", "scan", "screenshot", "frame",
}  # fmt: skip
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\W_]*\d[\d\W_]*")  # a name, then numbers: cat.0, american_bulldog_12
_MIN_PER_PREFIX = 2
_NEARLY_ALL, _MOSTLY = 0.9, 0.8  # fractions of pictures
_LONGEST_HEADER = 100_000  # characters
_MARKS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}
_BOOLEANS = {"false": 0, "true": 1} | _MARKS
_SWITCHES = {  # {column that says of one part whether a picture is in it: (what 0 means, what 1 means)}
    "is_train": ("test", "train"), "is_valid": ("train", "validation"), "is_val": ("train", "validation"),
    "is_test": ("train", "test"),
}  # fmt: skip


class Found(NamedTuple):
    """The classes of pictures, a line each on how they were found, and the part of each, where a column says it."""

    classes: Classes
    notes: list[str]
    parts: dict[Path, str]


def read_classes(names: Names, tables: Mapping[Path, str | None], label_column: str | None = None) -> Found | None:
    """Return the classes of pictures by the first of the CSVs that names them and their labels, and others of the same
    header; None where none does.

    tables: {CSV: the part that it is for, None for any}; one for another part is not asked. label_column: the one that
    has the labels; by default it has a usual name. Raises RequestError where one names pictures of the train part, and
    it is not clear what their labels are.
    """
    naming = []  # the tables that name pictures, and by which column
    for path, split in sorted(tables.items(), key=lambda pair: pair[1] not in (None, names.part)):
        if not _is_asked(path, split, names):
            continue
        table = find_header(load_table(path, split), names)
        if sum(name.lower().startswith("pix") for name in table.header) > len(table.header) // 2:
            continue  # it has images of its own
        column = find_names(table, names)
        if column is not None and (path.suffix.lower() != TEXT_LIST or _lists_labels(table, column)):
            naming.append((table, column))
    for find in (partial(_find_named, label_column),) if label_column else (_find_marks, _find_known_labels):
        for table, column in naming:
            joined = _join(table, column, naming)
            labels = find(joined, column)
            if labels:
                found = _assign(joined, column, labels, names)
                others = [pair for pair in naming if pair[0].split not in (None, names.part)]
                return _add_parts(found, joined, [(*pair, find(*pair)) for pair in others], names)
    pairs = [(table, column) for table, column in naming if len(table.header) == 2 and not label_column]
    if len(pairs) == 1:  # the other column holds the labels, whatever its name
        ((table, column),) = pairs
        found = _assign(table, column, _take_column(table, 1 - column), names)
        return _add_parts(found, table, [], names)
    if naming and names.part == "train":
        files = [f"{table.path.name}: " * (len(naming) > 1) + ", ".join(table.header) for table, _ in naming]
        raise RequestError(
            f"{naming[0][0].path}: names the pictures, and should have their classes in a column that is called "
            f"{label_column or 'label, class or category'}. Got {'; '.join(files)[:120]} instead: --label-column names "
            "one."
        )
    return None


def read_other_classes(names: Names, tables: Mapping[Path, str | None], classes: Classes) -> Found | None:
    """Return the classes of nearly all pictures by a CSV that has a column for them, where these are surely others than
    `classes`, those of the folders; else None."""
    for path, split in tables.items():
        if not _is_asked(path, split, names):
            continue
        table = load_table(path, split)
        column = find_names(table, names)
        labels = None if column is None else _find_known_labels(table, column, but=_OTHER_KINDS)
        if column is not None and labels and _contradict(table, column, labels, names, classes):
            return _add_parts(_assign(table, column, labels, names), table, [], names)
    return None


def _is_asked(path: Path, split: str | None, names: Names) -> bool:
    """Tell whether a CSV may label pictures of this part: it is no form of a submission, and not for another part."""
    is_others = names.has_others and split not in (None, names.part)
    return not is_others and _SUBMISSION not in path.name.lower() and path.stat().st_size <= MAX_BYTES


def has_label_column(path: Path) -> bool:
    """Tell by its first line whether a CSV has a column that is called as those of labels alone are."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        cells = re.split(r"[,;\t]", file.readline(_LONGEST_HEADER))
    called = {fold_column(cell.strip(' "\n')) for cell in cells}
    return bool(called & (set(_LABEL_COLUMNS) - set(_OTHER_KINDS)))


def _contradict(table: Table, column: int, found_labels: Labels, names: Names, classes: Classes) -> bool:
    """Tell whether the labels of a table's rows are classes, of nearly all pictures, and not those of their folders.

    They are none where they are the same or different for nearly all, or name parts; and those of the folders where
    each of these has mostly a label of its own.
    """
    labels: dict[Path, str] = {}
    for row, label in zip(table.rows, found_labels[1], strict=True):
        found = names.look_up(row[column], table.split) if label else []
        if len(found) > 1 or any(labels.setdefault(path, label) != label for path in found):
            return False
    kinds = set(labels.values())
    if len(labels) < _NEARLY_ALL * len(names) or not 2 <= len(kinds) <= len(labels) / 2:
        return False
    if all(find_split(kind)[1] for kind in kinds):
        return False
    inside = [Counter(fold_class(labels[path]) for path in paths if path in labels) for paths in classes.values()]
    most = [counts.most_common(1)[0] for counts in inside if counts]
    has_own = len({label for label, _ in most}) == len(most)
    return not (has_own and sum(count for _, count in most) >= _MOSTLY * len(labels))


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


def _add_parts(found: Found, table: Table, others: Sequence[tuple[Table, int, Labels | None]], names: Names) -> Found:
    """Add the pictures that the tables of other parts label, where all lie in one place; note what is left out.

    table: the one that `found` is of. others: (table, column with the names, labels, if it has any).
    """
    labelled = [table.name]
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
    is_label = any(fold_column(table.header[number]) in ("label", "class", "target") for number in others)
    if len(others) < 2 or is_label or not all(sum(row) == 1 for row in marks):
        return None
    return "the columns of 0 and 1", [table.header[others[row.index(1)]] for row in marks]


def _find_known_labels(table: Table, column: int, *, but: Collection[str] = ()) -> Labels | None:
    """Return the labels of a table that has a column which is called as labels are; None of another."""
    columns = {fold_column(name): number for number, name in enumerate(table.header)}
    known = [columns[name] for name in _LABEL_COLUMNS if name not in but and columns.get(name, column) != column]
    return _take_column(table, known[0]) if known else None


def _find_named(label_column: str, table: Table, column: int) -> Labels | None:
    """Return the labels of a table that has a column of this name or number, from 1 on; None of another."""
    named = {str(place + 1): place for place in range(len(table.header))}
    named |= {name: place for place, name in enumerate(table.header)}
    return _take_column(table, named[label_column]) if label_column in named else None


def _lists_labels(table: Table, column: int) -> bool:
    """Tell whether a list has a label for each name, which several have in common, and no size or hash."""
    kinds = {row[1 - column] for row in table.rows} if len(table.header) == 2 else set()
    return 0 < 2 * len(kinds) <= len(table.rows)


def _join(table: Table, column: int, naming: Sequence[tuple[Table, int]]) -> Table:
    """Return the table with the rows on other pictures of those beside it that are like it, as part1.csv, part2.csv."""
    rows, joined = [*table.rows], []
    known = {row[column] for row in rows}
    for other, place in naming:
        is_alike = (other.header, other.split, other.path.parent) == (table.header, table.split, table.path.parent)
        new = [row for row in other.rows if row[place] not in known] if is_alike and place == column else []
        if new:
            rows += new
            joined.append(other.path.name)
            known |= {row[column] for row in new}
    return replace(table, rows=rows, joined=tuple(joined))


def _take_column(table: Table, column: int) -> Labels:
    return f"the column {table.header[column]!r}", [_clean_label(row[column]) for row in table.rows]


def _clean_label(text: str) -> str:
    """Return a label as it is, but "" for a missing one, and 1 for 1.0, as pandas writes it where others miss."""
    label = parse_label(text)
    return "" if label is None else str(label) if re.fullmatch(r"[+-]?\d+\.0*", text) else text


def _assign(table: Table, column: int, found_labels: Labels, names: Names) -> Found:
    """Return the classes of pictures by the labels of a table's rows."""
    place, row_labels = found_labels
    labels: dict[Path, str] = {}
    missing, twice = 0, ""
    for row, label in zip(table.rows, row_labels, strict=True):
        found = names.look_up(row[column], table.split) if label else []
        missing += not found
        twice = twice or (found[0].name if len(found) > 1 else "")
        for path in found:
            if labels.setdefault(path, label) != label:
                raise RequestError(
                    f"{table.path}: should give each picture one class. {row[column]} has {labels[path]} and {label}."
                )
    if not labels:
        example = next((row[column] for row in table.rows), "")
        raise RequestError(
            f"{table.path}: should have a class for each picture, a text or an integer. {place} has none in its "
            f"{len(table.rows):,} rows, as for {example!r:.60}."
        )
    classes = defaultdict(list)
    for path in sorted(labels):
        classes[labels[path]].append(path)
    name = table.header[column]
    part = (None if names.has_others else table.split) or names.part
    notes = [f"{part}: classes are read from {place} of {table.name}, pictures are found by {name!r}"]
    if table.encoding == WINDOWS:
        notes.append(f"{table.name} is not in UTF-8, and read as {table.encoding}")
    if missing and not names.has_others:
        notes.append(f"{missing:,} rows of {table.name} name no picture, or no class")
    if twice:
        notes.append(f"{twice} is there in several folders: all have the class that {table.name} gives the name")
    parts = {} if names.has_others else _read_parts(table, column, row_labels, names)
    if parts:
        notes.append(f"the parts are those that {table.name} says")
    elif not names.has_others and (columns := [name for name in table.header if fold_column(name) in SPLIT_NAMES]):
        notes.append(f"column {columns[0]!r} of {table.name} does not say train and another part: it is not read")
    return Found(dict(classes), notes, parts)


def _read_parts(table: Table, column: int, row_labels: Sequence[str], names: Names) -> dict[Path, str]:
    """Return the part of each picture by a column that is called as such columns are, or whose texts all are names of
    parts; {} where none says them all."""
    usual = [fold_column(name) in (*SPLIT_NAMES, *_SWITCHES) for name in table.header]
    for place in sorted(range(len(table.header)), key=lambda place: not usual[place]):
        texts = [row[place] for row in table.rows]
        if place == column or texts == row_labels:
            continue
        meanings = {text: _find_said_part(text, fold_column(table.header[place])) for text in set(texts)}
        if None not in meanings.values() and "train" in meanings.values() and len(set(meanings.values())) > 1:
            said = zip(table.rows, texts, strict=True)
            found = [(names.look_up(row[column], table.split), meanings[text] or "") for row, text in said]
            return {path: part for paths, part in found for path in paths}
    return {}


def _find_said_part(text: str, column: str) -> str | None:
    """Return the part that a text in a column of this name says, or None."""
    if column in _SWITCHES:
        switch = _BOOLEANS.get(text.casefold())
        return None if switch is None else _SWITCHES[column][switch]
    says_nothing_else = find_split(text)[1]
    return find_part(text) if column in SPLIT_NAMES or says_nothing_else else None
