"""What lies beside the pictures of a folder: tables that may name them, and what is not read."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from common.images import IMAGE_SUFFIXES
from real.columns import match_column
from real.idx_folders import is_idx_folder
from real.pictures.folder_nesting import step_in
from real.pictures.folder_tree import (
    TEXT_LIST,
    Folder,
    count_pictures,
    list_kinds,
    list_places,
    list_some,
    list_tables,
    scan_folder,
)
from real.pictures.name_tables import read_header

_LABEL_SUFFIXES = (  # of files that may say the classes
    ".json", ".xlsx", ".xls", ".xml", ".mat", ".pkl", ".parquet", ".gz", ".zip", ".npy", ".yaml", ".yml", ".lst",
)  # fmt: skip
_ARRAYS = (".npy", ".npz", ".mat", ".h5", ".hdf5", ".pkl", ".pickle", "")  # of files that may hold the images


def list_naming_tables(folder: Folder, root: Folder) -> list[Path]:
    """Return the CSV files that may name a folder's pictures: beside them, a level below, or above up to a level over
    the root, there also in folders without pictures."""
    below = [path for child in folder.folders for path in child.tables]
    above = [inner for inner in root.walk() if folder.path.is_relative_to(inner.path)][::-1]
    beside = [[inner, *(child for child in inner.folders if not child.count)] for inner in above]
    tables = [path for folders in beside for inner in folders for path in inner.tables]
    return [*dict.fromkeys([*folder.tables, *below, *tables, *list_tables(root.path.parent)])]


def has_column(path: Path, column: str) -> bool:
    """Tell whether a CSV that may name the pictures of a folder has a column of this name, or number."""
    root = scan_folder(path)
    tables = list_naming_tables(step_in(root), root)
    return any(match_column(read_header(table), column) is not None for table in tables)


def list_label_files(folder: Folder, root: Folder) -> tuple[list[str], list[str]]:
    """Return the names of tables, and of other files, in or over a folder that seem to be there to say the classes."""
    tables = [path for path in list_naming_tables(folder, root) if path.suffix.lower() != TEXT_LIST]
    files = [path for place in list_places(folder, root) if place.is_dir() for path in sorted(place.iterdir())]
    others = [path for path in files if path.suffix.lower() in _LABEL_SUFFIXES]
    return [path.name for path in tables if path.is_relative_to(root.path)], [path.name for path in others]


def describe_rest(root: Folder, folders: Collection[Folder], *, is_table: bool) -> list[str]:
    """Return a line each on CSV files and other kinds, empty class folders, and runs in the folders of the parts.

    is_table: whether a CSV gave the classes.
    """
    notes = []
    tables = [path.name for inner in root.walk() for path in inner.tables if path.suffix.lower() != TEXT_LIST]
    if tables and not is_table:
        notes.append(f"the classes are not read from {list_some(tables)}, but from the names of folders or files")
    others: Counter[str] = Counter()
    for folder in folders:
        others.update(folder.count_others())
    if is_table:
        del others[TEXT_LIST]  # it may be the one that is read
    if others:
        notes.append(f"files of other kinds are not read: {list_kinds(others)}")
    stems = Counter((path.parent, path.stem) for folder in folders for path in folder.list_pictures())
    twice = [stem for (_, stem), count in stems.items() if count > 1]
    if twice:
        copies = f"{count_pictures(len(twice))} called as another but for the suffix, as {twice[0]}"
        notes.append(f"{copies}: masks and copies should be taken out")
    empty = [inner.name for folder in folders for inner in step_in(folder).folders if not inner.count]
    if empty:
        notes.append(f"folders without pictures are left out: {list_some(empty)}")
    runs = sum(inner.run_count for folder in folders for inner in folder.walk())
    if runs:
        notes.append(f"{runs} folder{'s' * (runs > 1)} with a config.json left out: the results of a run")
    dangling = [name for folder in folders for inner in folder.walk() for name in inner.dangling]
    if dangling:
        notes.append(f"links to files that are not there, left out, {len(dangling):,}: {list_some(dangling)}")
    return notes


def describe_lack(folder: Folder, root: Folder) -> str:
    """Return what an error says of a folder without pictures, or without anything that says their classes."""
    expected = f"{root.path}: should hold one sub-folder per class with images"
    if not folder.count:
        kinds = folder.count_others()
        sets = [inner.path for inner in root.walk() if is_idx_folder(inner.path)]
        sets = [path for path in sets if path.parent not in sets]
        hint = ""
        if sets:
            hint = f": {list_some([str(path) for path in sets])} can be named with --data"
        elif kinds.keys() & set(_ARRAYS):
            hint = ": numpy.savez(file, images=..., labels=...) makes a file that --data takes"
        return f"{expected} ({', '.join(IMAGE_SUFFIXES)}). Got none{', but ' * bool(kinds)}{list_kinds(kinds)}{hint}."
    tables, others = list_label_files(folder, root)
    example = folder.list_pictures()[0].name
    hints = []
    if tables:
        hints.append(f"{list_some(tables)} {'name' if len(tables) > 1 else 'names'} none of them, as {example}")
    if others:
        hints.append(f"{list_some(others)} can't be read, a CSV can")
    hint = ": " * bool(hints) + "; ".join(hints)
    return (
        f"{expected}, or a CSV of the pictures' names and labels beside them, or names of a class and one number, as "
        f"cat.1.jpg. Got {folder.count:,} pictures in {folder.path}, as {example}, and nothing that says their "
        f"classes{hint}."
    )
