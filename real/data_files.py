"""Read the files that hold many images each: tables, Parquet and NPZ."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.errors import RequestError
from real.columns import match_name
from real.labelled_images import LabelledImages
from real.npz_files import has_image_arrays, is_npz, read_npz
from real.parquet_files import is_parquet, read_column_names, read_parquet
from real.pictures.picture_files import Reading
from real.tables import TABLE_SUFFIXES, holds_pixels, is_table, read_csv, read_names

SUFFIXES = (*TABLE_SUFFIXES, ".parquet", ".npz")  # in any case


@dataclass(frozen=True)
class PathReading:
    """How files and folders are read.

    image_shape: (height, width, channels) of a table's rows. label_column: as of real.columns.find_columns. groups:
    name of the column that says which images belong together. pictures: how these are read.
    """

    image_shape: tuple[int, int, int] | None = None
    label_column: str | None = None
    groups: str | None = None
    pictures: Reading = field(default_factory=Reading)


def is_data_file(path: Path) -> bool:
    """Tell whether a file is one by its name."""
    return path.name.lower().endswith(SUFFIXES)


def read_data_files(paths: Sequence[Path], reading: PathReading) -> LabelledImages:
    """Read a file, or the Parquet files that together hold a set; RequestError for options of columns where there are
    none."""
    first = paths[0]
    if is_table(first):
        return read_csv(first, reading.image_shape, label_column=reading.label_column, groups=reading.groups)
    if is_parquet(first):
        return read_parquet(paths, reading.pictures, reading.label_column, reading.groups)
    refuse_columns(reading, f"{first} has no columns")
    return read_npz(first, reading.image_shape)


def keep_groups(path: Path, reading: PathReading) -> PathReading:
    """Return the reading with --groups only where this file has its column, as parts that are brought may not."""
    names = read_names(path) if is_table(path) else read_column_names(path) if is_parquet(path) else []
    has_column = reading.groups is not None and match_name(names, reading.groups) is not None
    return reading if has_column else replace(reading, groups=None)


def refuse_columns(reading: PathReading, reason: str, *, has_pictures: bool = False) -> None:
    """Raise RequestError, with the reason, for options that name columns. has_pictures: which a CSV may name."""
    if reading.label_column and not has_pictures:
        raise RequestError(f"--label-column is for tables (.csv, .parquet). {reason}: leave it out.")
    if reading.groups and not has_pictures:
        raise RequestError(f"--groups is for tables, and pictures with a CSV. {reason}: leave it out.")


def holds_images(path: Path, *, surely: bool = False) -> bool:
    """Tell whether a data file is one of images, as far as its columns or arrays tell. surely: of a table, that it can
    be nothing else."""
    try:
        return is_parquet(path) or (has_image_arrays(path) if is_npz(path) else holds_pixels(path, surely=surely))
    except RequestError:
        return False
