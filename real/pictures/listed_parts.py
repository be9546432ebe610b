"""The part of each picture of a set in one place, where tables say it: in a column, or by a list for each part."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from real.pictures.name_tables import (
    MAX_BYTES,
    Names,
    Table,
    add_header,
    find_name_column,
    fold_column,
    load_table,
    read_header,
)
from real.said_parts import SPLIT_NAMES, find_parts
from real.split_names import find_split, says_several

Parts = dict[Path, str]  # {picture: "train", "validation" or "test"}
BOOLEANS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "false": 0, "true": 1, "no": 0, "yes": 1}
SWITCHES = {  # {column that says of one part whether a picture is in it: (what 0 means, what 1 means)}
    "is_train": ("test", "train"), "is_valid": ("train", "validation"), "is_val": ("train", "validation"),
    "is_test": ("train", "test"), "is_training": ("test", "train"), "is_training_image": ("test", "train"),
}  # fmt: skip
_NUMBERS: dict[str, str | None] = {"0": "train", "1": "validation", "2": "test"}  # in a column of all three: CelebA's
_NEARLY_ALL = 0.9  # of the pictures


def find_listed_parts(names: Names, tables: Mapping[Path, str | None]) -> tuple[Parts, str]:
    """Return the parts of nearly all pictures and the names of what says them; ({}, "") where nothing does.

    tables: {CSV or list: the part that its name says, or None}. A column of parts comes before lists of names.
    """
    naming = []  # the tables that name pictures, and by which column
    for path, split in tables.items():
        may_say = split or {*map(fold_column, read_header(path))} & {*SPLIT_NAMES, *SWITCHES}
        if may_say and path.stat().st_size <= MAX_BYTES:
            table = add_header(load_table(path, split), names)
            column = find_name_column(table, names)
            naming += [] if column is None else [(table, column)]
    found = [(read_part_column(table, column, names), table.name) for table, column in naming]
    lists = [pair for pair in naming if pair[0].split]
    plain = [pair for pair in lists if not says_several(pair[0].path.stem)]  # train_val.txt may be both of two others
    has_train = any(table.split == "train" for table, _ in plain)
    found.append(_read_lists(plain if has_train else lists, names))
    return next(((parts, said) for parts, said in found if len(parts) >= _NEARLY_ALL * len(names)), ({}, ""))


def read_part_column(table: Table, column: int, names: Names, labels: Sequence[str] = ()) -> Parts:
    """Return the part of each picture by a column that is called as such columns are, or whose texts all are names of
    parts; {} where none says them all. column: that of the names. labels: of the rows, which are no parts."""
    usual = [fold_column(name) in (*SPLIT_NAMES, *SWITCHES) for name in table.header]
    for place in sorted(range(len(table.header)), key=lambda place: not usual[place]):
        texts = [row[place] for row in table.rows]
        if place == column or texts == labels:
            continue
        meanings = _find_meanings(set(texts), fold_column(table.header[place]))
        if None not in meanings.values() and "train" in meanings.values() and len(set(meanings.values())) > 1:
            found = names.look_up_all([row[column] for row in table.rows], table.split)
            said = zip(found, texts, strict=True)
            return {path: meanings[text] or "" for paths, text in said for path in paths}
    return {}


def _find_meanings(texts: set[str], column: str) -> dict[str, str | None]:
    """Return {text: the part that it says in a column of this name, or None}."""
    if column in SPLIT_NAMES and texts == set(_NUMBERS):
        return _NUMBERS
    if column in SWITCHES:
        switches = {text: BOOLEANS.get(text.casefold()) for text in texts}
        return {text: None if switch is None else SWITCHES[column][switch] for text, switch in switches.items()}
    parts = find_parts(texts)
    return {text: part if column in SPLIT_NAMES or find_split(text)[1] else None for text, part in parts.items()}


def _read_lists(naming: Sequence[tuple[Table, int]], names: Names) -> tuple[Parts, str]:
    """Return the parts of the pictures that lists, each of a part, name; none where two name the same."""
    parts: Parts = {}
    for table, column in naming:
        for path in [path for row in table.rows for path in names.look_up(row[column], table.split)]:
            if parts.setdefault(path, table.split or "") != table.split:
                return {}, ""
    is_said = "train" in parts.values() and len(set(parts.values())) > 1
    return (parts, " and ".join(table.name for table, _ in naming)) if is_said else ({}, "")
