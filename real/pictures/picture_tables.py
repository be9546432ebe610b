"""Classes of pictures that lie in no class folders: from a CSV of names and labels, or from the names alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from common.errors import RequestError
from real.kaggle_files import is_form
from real.pictures.folder_tree import TEXT_LIST, count_pictures
from real.pictures.listed_parts import read_part_column
from real.pictures.name_tables import (
    MAX_BYTES,
    WINDOWS,
    Names,
    Table,
    add_header,
    find_name_column,
    fold_column,
    load_table,
)
from real.pictures.table_labels import (
    FRACTION,
    OTHER_KINDS,
    Labels,
    find_known_labels,
    find_labels_in,
    find_marks,
    find_only_column,
    find_only_labels,
)
from real.said_parts import SPLIT_NAMES
from real.split_names import find_split, fold_class

Classes = dict[str, list[Path]]  # {class name: its pictures}
FOLDERS = "folders"  # as the column of labels: the names of folders are the classes

_CAMERAS = {
    "img", "dsc", "dscn", "dscf", "pxl", "vid", "image", "photo", "pic", "picture", "scan", "screenshot", "frame",
}  # fmt: skip
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\W_]*\d[\d\W_]*")  # a name, then numbers: cat.0, american_bulldog_12
# A number before letters, or at the end of a word before others, may be of the class or not: A320_1, video1_frame7
_UNCLEAR = re.compile(r"\d[\W_]+[^\W\d_]|[^\W\d_]\d+[\W_]+\d")
_MIN_PER_PREFIX = 2
_NEARLY_ALL, _MOSTLY = 0.9, 0.8  # fractions of pictures


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
        table = add_header(load_table(path, split), names)
        if sum(name.lower().startswith("pix") for name in table.header) > len(table.header) // 2:
            continue  # it has images of its own
        column = find_name_column(table, names)
        if column is not None and (path.suffix.lower() != TEXT_LIST or find_only_labels(table, column)):
            naming.append((table, column))
    ways: list[Callable[[Table, int], Labels | None]] = [find_marks, find_known_labels, find_only_labels]
    if label_column:
        ways = [partial(find_labels_in, label_column)]
    elif len({tuple(table.header) for table, at in naming if find_only_column(table, at) is not None}) > 1:
        ways.remove(find_only_labels)  # which of them?
    for find in ways:
        for table, column in naming:
            joined = _join(table, column, naming)
            labels = find(joined, column)
            if labels:
                found = _assign(joined, column, labels, names)
                labelled = [(*pair, find(*pair)) for pair in naming]
                found.notes.extend(_note_others(table, column, labelled, labels))
                others = [entry for entry in labelled if entry[0].split not in (None, names.part)]
                return _add_parts(found, joined, others, names)
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
        column = find_name_column(table, names)
        labels = None if column is None else find_known_labels(table, column, but=OTHER_KINDS)
        if column is not None and labels and _contradict(table, column, labels, names, classes):
            return _add_parts(_assign(table, column, labels, names), table, [], names)
    return None


def _is_asked(path: Path, split: str | None, names: Names) -> bool:
    """Tell whether a CSV may label pictures of this part: it is no form of a submission, and not for another part."""
    is_others = names.has_others and split not in (None, names.part)
    return not is_others and not is_form(path.name) and path.stat().st_size <= MAX_BYTES


def _contradict(table: Table, column: int, found_labels: Labels, names: Names, classes: Classes) -> bool:
    """Tell whether the labels of a table's rows are classes, of nearly all pictures, and not those of their folders.

    They are none where they are the same or different for nearly all, or name parts; and those of the folders where
    each of these has mostly a label of its own.
    """
    if any(map(FRACTION.fullmatch, found_labels[1])):
        return False
    labels, _, twice, conflict = _label_pictures(table, column, found_labels[1], names)
    if twice or conflict:
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

    Names that cameras give say nothing, those of parts no classes, and those with several numbers can't be told.
    """
    classes = defaultdict(list)
    for path in pictures:
        match = _NUMBERED.fullmatch(path.stem)
        if match is None or _UNCLEAR.search(path.stem) or match[1].strip("_-. ").lower() in _CAMERAS:
            return None
        classes[match[1].strip("_-. ")].append(path)
    splits = {find_split(name) for name in classes}
    are_parts = all(is_all for _, is_all in splits) or len({part for part, _ in splits} - {None}) > 1
    if len(classes) < 2 or min(map(len, classes.values())) < _MIN_PER_PREFIX or are_parts:
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


def _join(table: Table, column: int, naming: Sequence[tuple[Table, int]]) -> Table:
    """Return the table with the rows on other pictures of those beside it that are like it, as part1.csv, part2.csv."""
    rows, joined = [*table.rows], []
    known = {row[column] for row in rows}
    for other, place in naming:
        is_like = _are_alike(table, other) and place == column
        new = [row for row in other.rows if row[place] not in known] if is_like else []
        if new:
            rows += new
            joined.append(other.path.name)
            known |= {row[column] for row in new}
    return replace(table, rows=rows, joined=tuple(joined))


def _are_alike(table: Table, other: Table) -> bool:
    return (table.header, table.split, table.path.parent) == (other.header, other.split, other.path.parent)


def _note_others(
    table: Table, column: int, naming: Sequence[tuple[Table, int, Labels | None]], labels: Labels
) -> list[str]:
    """Return a line for each table beside this one that is like it, and has other labels for some of its names."""
    known = dict(zip((row[column] for row in table.rows), labels[1], strict=False))  # its own rows come first
    notes = []
    for other, place, found in naming:
        if other is not table and found is not None and _are_alike(table, other) and not other.has_no_header:
            said = zip(other.rows, found[1], strict=True)
            different = sum(known.get(row[place], label) != label for row, label in said)
            names = f"{different:,} pictures, for which {table.path.name} counts"
            notes += [f"warning: {other.path.name} says other classes of {names}"] * bool(different)
    return notes


class _Labelled(NamedTuple):
    """The label of each picture that a table names, and what of its rows is odd: how many name none, or have no label;
    a name that several pictures have; a picture with two labels."""

    labels: dict[Path, str]
    missing: int
    twice: str
    conflict: str


def _label_pictures(table: Table, column: int, row_labels: Sequence[str], names: Names) -> _Labelled:
    labels: dict[Path, str] = {}
    missing, twice, conflict = 0, "", ""
    named = names.look_up_all([row[column] for row in table.rows], table.split)
    for row, label, paths in zip(table.rows, row_labels, named, strict=True):
        found = paths if label else []
        missing += not found
        twice = twice or (found[0].name if len(found) > 1 else "")
        for path in found:
            if labels.setdefault(path, label) != label:
                conflict = conflict or f"{row[column]} has {labels[path]} and {label}"
    return _Labelled(labels, missing, twice, conflict)


def _assign(table: Table, column: int, found_labels: Labels, names: Names) -> Found:
    """Return the classes of pictures by the labels of a table's rows."""
    place, row_labels = found_labels
    fraction = next(filter(FRACTION.fullmatch, row_labels), None)
    expected = f"{table.path}: should have a class for each picture, a text or an integer"
    if fraction:
        raise RequestError(f"{expected}. {place} has {fraction!r}, a number to be predicted.")
    labelled = _label_pictures(table, column, row_labels, names)
    if labelled.conflict:
        raise RequestError(f"{table.path}: should give each picture one class. {labelled.conflict}.")
    if not labelled.labels:
        example = next((row[column] for row in table.rows), "")
        raise RequestError(f"{expected}. {place} has none in its {len(table.rows):,} rows, as for {example!r:.60}.")
    classes = defaultdict(list)
    for path in sorted(labelled.labels):
        classes[labelled.labels[path]].append(path)
    parts = {} if names.has_others else read_part_column(table, column, names, row_labels)
    part = (None if names.has_others else table.split) or names.part
    by = f"pictures are found by {table.header[column]!r}"
    notes = [f"{part}: classes are read from {place} of {table.name}, {by}", *_describe_table(table)]
    if labelled.missing and not names.has_others:
        notes.append(f"{labelled.missing:,} rows of {table.name} name no picture, or no class (empty, NA, null)")
    if labelled.twice:
        notes.append(
            f"{labelled.twice} is there in several folders: all have the class that {table.name} gives the name"
        )
    if parts:
        notes.append(f"the parts are those that {table.name} says")
    elif not names.has_others and (columns := [name for name in table.header if fold_column(name) in SPLIT_NAMES]):
        notes.append(f"column {columns[0]!r} of {table.name} does not say train and another part: it is not read")
    return Found(dict(classes), notes, parts)


def _describe_table(table: Table) -> list[str]:
    """Return a line each on how the text of a table was read."""
    notes = []
    if table.encoding == WINDOWS:
        notes.append(f"{table.name} is not in UTF-8, and read as {table.encoding}")
    if table.torn:
        notes.append(
            f"{table.torn:,} rows of {table.name} left out, which have more or fewer than {len(table.header)} cells: "
            "are texts with a separator in them not in quotes?"
        )
    return notes
