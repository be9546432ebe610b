"""Read labelled images from any file or folder that can hold them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from common.errors import RequestError, show
from common.files import check_regular_file, find_mark
from common.images import MIN_CONTRAST, check_contrast, find_ranges
from real.array_folders import is_array_folder, read_array_folder
from real.data_files import PathReading, is_data_file, read_data_files, refuse_columns
from real.idx_folders import is_idx_folder, read_idx_folder
from real.labelled_images import LabelledImages, leave_out_unlabelled
from real.parquet_files import is_parquet
from real.pictures.beside_pictures import has_column
from real.pictures.folder_tree import scan_folder
from real.pictures.picture_folders import read_image_folder
from real.pictures.picture_marks import count_marks
from real.pictures.picture_tables import FOLDERS
from real.table_folders import TableParts, find_table_parts, read_table_parts
from real.tables import is_table

KINDS = "a .csv, a .npz, a .parquet or a folder"


def read_path(path: Path, flag: str, reading: PathReading) -> LabelledImages:
    """Read real images from a file or a folder that `flag` has named.

    Raises RequestError for what is no such thing, for images that are marked as synthetic, and for a set whose pixels
    have hardly any range.
    """
    if str(path) != show(path):
        raise RequestError(f"{flag} should have a name in UTF-8. Got {path} instead.")
    if not path.exists():
        names = "one of mnist, fashion_mnist, mnist5k, " if flag == "--data" else ""
        raise RequestError(f"{flag} should be {names}a file or a folder. No such: {path}")
    if path.is_dir():
        marks = count_marks(path)
        _refuse_synthetic(flag, path, marks["1"], marks.total())
        script = find_mark(path)
        if script:
            raise RequestError(f"{flag} should hold real images alone. {path} is the output folder of {script}.")
    source = leave_out_unlabelled(_read(path, flag, reading), str(path))
    if source.notes and not len(source.labels):
        raise RequestError(f"{path}: each image should have a label. {source.notes[-1]}.")
    for part in (source, source.validation, source.test):
        if part is not None and part.synthetic is not None:
            _refuse_synthetic(flag, path, int(part.synthetic.sum()), len(part.labels))
    if not len(source.labels):
        return source
    check_contrast(source.images, str(path))
    return replace(source, notes=(*source.notes, *_note_classes_of_one_tone(source)))


def _note_classes_of_one_tone(source: LabelledImages) -> list[str]:
    """Return a line for each class whose pixels hardly differ over all of its images, where others' do."""
    notes = []
    ranges = find_ranges(source.images)
    for label in np.unique(source.labels).tolist():
        low, high = ranges[source.labels == label, 0].min(), ranges[source.labels == label, 1].max()
        if high - low < MIN_CONTRAST:
            name = (source.class_names or {}).get(label, str(label))
            notes.append(f"all pixels of class {name!r} are in {low}..{high} of 0..255: are its images damaged?")
    return notes


def _refuse_synthetic(flag: str, path: Path, count: int, total: int) -> None:
    if count:
        raise RequestError(
            f"{flag} should hold real images alone: {count:,} of the {total:,} in {path} are marked as synthetic. "
            "Give the data that they were made from."
        )


def _read(path: Path, flag: str, reading: PathReading) -> LabelledImages:
    """Read a file or a folder by its kind; what has no columns refuses the options of columns."""
    kind, parts = _find_kind(path)
    if parts:
        return read_table_parts(parts, reading)
    if kind == "data file":
        return read_data_files([path], reading)
    refuse_columns(reading, f"{path} has no columns", has_pictures=kind == "pictures")
    if kind == "IDX":
        return read_idx_folder(path)
    if kind == "arrays":
        return read_array_folder(path, reading.image_shape)
    if kind == "pictures":
        found = read_image_folder(path, reading.pictures, reading.groups, reading.label_column)
        names = found.class_names or {}
        return replace(found, text_labels=any(name != str(value) for value, name in names.items()))
    check_regular_file(path)
    hint = ": numpy.savez(file, images=..., labels=...) adds the labels" if path.suffix.lower() == ".npy" else ""
    raise RequestError(f"{flag} should be {KINDS}. Got {path} instead{hint}.")


def _find_kind(path: Path) -> tuple[str, TableParts | None]:
    """Return what a file or folder is, and its parts where it is a folder of data files."""
    if is_idx_folder(path):  # or one of its files
        return "IDX", None
    if not path.is_dir():
        return "data file" if path.is_file() and is_data_file(path) else "other", None
    parts = find_table_parts(path)
    if parts:
        return "parts", parts
    is_arrays = is_array_folder(path) and not scan_folder(path).count  # pictures come first
    return "arrays" if is_arrays else "pictures", None


def takes_label_column(path: Path, column: str) -> bool:
    """Tell whether a column of this name, or number, may hold the labels of a file or folder: of a table, or of a CSV
    that names a folder's pictures."""
    kind, _ = _find_kind(path)
    if kind == "pictures":
        return column == FOLDERS or has_column(path, column)
    return kind == "parts" or is_table(path) or is_parquet(path)
