"""Which pictures belong together, as those of one patient, by a CSV that names them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import RequestError
from real.columns import match_name
from real.pictures.folder_tree import list_tables, scan_folder
from real.pictures.name_tables import Names, find_name_column, load_table
from real.splits import check_groups


def read_groups(folder: Path, column: str, pictures: Sequence[Path]) -> np.ndarray:
    """Return the group of each picture, texts [N], by the first CSV in or beside the folder with this column.

    Raises RequestError where none has it, or where that one does not name every picture.
    """
    paths = [path for inner in scan_folder(folder).walk() for path in inner.tables] + list_tables(folder.parent)
    loaded = [load_table(path, None) for path in paths]
    found = [(table, place) for table in loaded if (place := match_name(table.header, column)) is not None]
    if not found:
        looked = ", ".join(path.name for path in paths)[:80] or "there is no CSV"
        raise RequestError(f"{folder}: no CSV in it or beside it has the column {column!r:.60} of --groups ({looked}).")
    (table, place), names = found[0], Names("train", pictures)
    name_column = find_name_column(table, names)
    if name_column is None:
        raise RequestError(f"{table.path}: should name the pictures of {folder} in one of its columns.")
    named = names.look_up_all([row[name_column] for row in table.rows], None)
    groups = {path: row[place] for row, paths in zip(table.rows, named, strict=True) for path in paths}
    missing = [path for path in pictures if not groups.get(path)]
    if missing:
        raise RequestError(
            f"{table.path}: should have a {column} for each picture. {missing[0].name} and {len(missing) - 1:,} others "
            f"of {len(pictures):,} have none."
        )
    return check_groups([groups[path] for path in pictures])
