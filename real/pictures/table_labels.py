"""Which column of a table that names pictures says their classes."""

import re
from collections.abc import Collection
from pathlib import Path

from real.columns import match_column
from real.labelled_images import parse_label
from real.pictures.folder_tree import TEXT_LIST
from real.pictures.listed_parts import BOOLEANS, SWITCHES
from real.pictures.name_tables import Table, fold_column, is_index, read_header
from real.said_parts import SPLIT_NAMES
from real.split_names import find_split

Labels = tuple[str, list[str]]  # what of a table holds them, and the label of each row

# names of the column with the labels, texts before numbers
_LABEL_COLUMNS = (
    "class_name", "classname", "label_name", "labelname", "category_name", "label", "labels", "class", "classes",
    "category", "dx", "diagnosis", "target", "breed", "species", "type", "emotion", "y", "class_id", "classid",
    "label_id", "category_id", "diagnosis_code",
)  # fmt: skip
OTHER_KINDS = ("breed", "species", "type", "emotion", "y")  # of these, may be of something else than the classes
_NEARLY_ALL = 0.9  # of the rows
_LIST_KINDS = 0.5  # most different texts for each name in a list that may be anything
FRACTION = re.compile(r"[+-]?\d*[.,]\d*[1-9]\d*")


def has_label_column(path: Path) -> bool:
    """Tell by its first line whether a CSV has a column that is called as those of labels alone are."""
    return bool(set(map(fold_column, read_header(path))) & (set(_LABEL_COLUMNS) - set(OTHER_KINDS)))


def find_marks(table: Table, column: int) -> Labels | None:
    """Return the labels of a table with one column a class, 1 in that of each picture, or of nearly each; None of
    another."""
    folded = [fold_column(name) for name in table.header]
    is_other = [name in (*SPLIT_NAMES, *SWITCHES) or is_index(name) for name in folded]
    others = [number for number, other in enumerate(is_other) if number != column and not other]
    marks = [[BOOLEANS.get(row[number].casefold(), 2) for number in others] for row in table.rows]
    marked = sum(sum(row) == 1 for row in marks)
    is_label = any(folded[number] in ("label", "class", "target") for number in others)
    if len(others) < 2 or is_label or max(map(sum, marks)) > 1 or marked < _NEARLY_ALL * len(marks):
        return None
    return "the columns of 0 and 1", [table.header[others[row.index(1)]] if any(row) else "" for row in marks]


def find_known_labels(table: Table, column: int, *, but: Collection[str] = ()) -> Labels | None:
    """Return the labels of a table that has a column which is called as labels are; None of another."""
    columns = {fold_column(name): number for number, name in enumerate(table.header)}
    but = [*but, "y"] if "x" in columns else but  # they are places then
    known = [columns[name] for name in _LABEL_COLUMNS if name not in but and columns.get(name, column) != column]
    return _take_column(table, known[0]) if known else None


def find_labels_in(label_column: str, table: Table, column: int) -> Labels | None:
    """Return the labels of a table that has the column that real.columns.match_column finds; None of another."""
    place = match_column(table.header, label_column)
    return None if place is None else _take_column(table, place)


def find_only_labels(table: Table, column: int) -> Labels | None:
    """Return the labels of a table with one column for them, whatever its name; None of another, and of texts that are
    others for nearly each name, as sizes or hashes are."""
    other = find_only_column(table, column)
    if other is None:
        return None
    most = _LIST_KINDS if table.path.suffix.lower() == TEXT_LIST else _NEARLY_ALL
    is_unique = len({row[other] for row in table.rows}) > most * len(table.rows)
    return None if is_unique else _take_column(table, other)


def find_only_column(table: Table, column: int) -> int | None:
    """Return the one column of a table beside that of the names, or, without a header, the one that has no numbers;
    None where there are others, and where it says parts."""
    others = [number for number in range(len(table.header)) if number != column]
    if len(others) > 1 and table.has_no_header:
        others = [at for at in others if not all(isinstance(parse_label(row[at]), int) for row in table.rows)]
    if len(others) != 1 or fold_column(table.header[others[0]]) in SPLIT_NAMES:
        return None
    return None if all(find_split(row[others[0]])[1] for row in table.rows) else others[0]


def _take_column(table: Table, column: int) -> Labels:
    return f"the column {table.header[column]!r}", [_clean_label(row[column]) for row in table.rows]


def _clean_label(text: str) -> str:
    """Return a label as it is, but "" for a missing one, and 1 for 1.0, as pandas writes it where others miss."""
    label = text if FRACTION.fullmatch(text) else parse_label(re.sub(r",0*$", "", text))
    return "" if label is None else str(label) if re.fullmatch(r"[+-]?\d+[.,]0*", text) else text
