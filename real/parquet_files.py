"""Read Parquet files of encoded pictures with labels, as Hugging Face's data sets have them."""

import json
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError, describe_cause
from common.files import check_regular_file
from real.columns import LABEL_NAMES, match_column, match_name
from real.labelled_images import LabelledImages, check_class_names, parse_labels
from real.pictures.picture_files import EncodedPicture, Reading
from real.pictures.picture_sets import read_pictures
from real.said_parts import SPLIT_NAMES, divide_if_said
from real.splits import check_groups

_LABEL_NAMES = (*LABEL_NAMES, "fine_label", "coarse_label")
_IMAGE_NAMES = ("image", "images", "img", "picture", "photo")  # of several that may hold pictures


def is_parquet(path: str | Path) -> bool:
    """Tell whether a file is one by its name."""
    return Path(path).name.lower().endswith(".parquet")


def read_parquet(
    paths: Sequence[Path], reading: Reading, label_column: str | None = None, groups: str | None = None
) -> LabelledImages:
    """Read the files of one part: a column of pictures, encoded (PNG, JPEG, ...), alone or in a struct with `bytes`,
    and a column of labels, integers or texts.

    Names of classes are taken from the schema, where Hugging Face's `datasets` has left them. label_column: the name
    of the labels' column, by default one of the usual names. groups: of the one that says what belongs together. A
    column that is called split, and says the part of each picture, divides them. Raises RequestError where pyarrow is
    not installed.
    """
    pictures: list[EncodedPicture] = []
    labels: list[Any] = []
    members: list[str] = []
    parts: list[str] = []
    class_names = split_name = None
    for path in paths:
        table = _open_table(path)
        image_name, label_name = _find_columns(path, table, label_column)
        names = table.schema_arrow.names
        place = match_name(names, groups) if groups else None
        if groups and place is None:
            raise RequestError(f"{path}: should have the column {groups!r:.60} of --groups.")
        groups = groups if place is None else names[place]
        split_name = next((name for name in names if name.casefold() in SPLIT_NAMES and name != groups), None)
        class_names = class_names or _find_class_names(path, table.schema, label_name)
        columns = _read_columns(path, table, [image_name, label_name, groups, split_name])
        pictures += [_take_picture(path, row, content) for row, content in enumerate(columns[image_name])]
        labels += columns[label_name]
        members += ["" if _is_missing(cell) else str(cell) for cell in columns[groups]] if groups else ()
        parts += map(str, columns[split_name]) if split_name else ()
    if not pictures:
        raise RequestError(f"{paths[0]}: should have at least one image. Got none.")
    values, text_names = _parse_labels(labels, str(paths[0]))
    found = read_pictures(pictures, reading, paths[0].parent)
    source = LabelledImages(
        found.images,
        values[found.kept],
        class_names=text_names or class_names,
        notes=found.notes,
        text_labels=text_names is not None,
        groups=check_groups(members)[found.kept] if groups else None,
    )
    if len(parts) < len(pictures):
        return source
    return divide_if_said(source, list(compress(parts, found.kept)), f"{paths[0]}: column {split_name}")


def read_column_names(path: Path) -> list[str]:
    """Return the names of a file's columns."""
    return _open_table(path).schema_arrow.names


def has_labels(path: Path, label_column: str | None) -> bool:
    """Tell whether a file has a column of labels."""
    return bool(_list_label_columns(read_column_names(path), label_column))


def _read_columns(path: Path, table: Any, names: Sequence[str | None]) -> dict[str, list[Any]]:
    """Return {name: cells} of the columns that have names."""
    try:
        columns = table.read(columns=[name for name in names if name])
        return {name: columns[name].to_pylist() for name in names if name}
    except Exception as error:  # pyarrow raises nearly anything for damaged bytes
        raise RequestError(f"{path}: should be a readable Parquet file. {describe_cause(error)}") from error


def _is_missing(cell: Any) -> bool:
    return cell is None or cell != cell  # NaN


def _take_picture(path: Path, row: int, given: Any) -> EncodedPicture:
    """Take the cell of a row: bytes, or a struct with them."""
    name = f"{path}, row {row + 1}"
    content = given.get("bytes") if isinstance(given, dict) else given
    if not isinstance(content, bytes):
        raise RequestError(
            f"{name}: should hold the bytes of a picture. Got {'none' if content is None else 'others'}."
        )
    return EncodedPicture(name, content)


def _open_table(path: Path) -> Any:
    check_regular_file(path)
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise RequestError(f"{path}: reading Parquet needs the package pyarrow: pip install pyarrow.") from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except Exception as error:
        raise RequestError(f"{path}: should be a readable Parquet file. {describe_cause(error)}") from error


def _find_columns(path: Path, table: Any, label_column: str | None) -> tuple[str, str]:
    """Return the names of the columns with the pictures and with the labels."""
    import pyarrow

    types = pyarrow.types
    fields = list(table.schema_arrow)
    shown = ", ".join(f"{field.name} ({field.type})" for field in fields)[:160]
    structs = [
        field.name for field in fields if types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
    ]
    others = [field.name for field in fields if types.is_binary(field.type) or types.is_large_binary(field.type)]
    images = structs or others
    images = [name for name in images if name.casefold() in _IMAGE_NAMES] or images
    if len(images) != 1:
        raise RequestError(f"{path}: should have one column of encoded pictures. Got {shown}.")
    found = _list_label_columns([field.name for field in fields], label_column)
    if len(found) != 1 or found == images:
        raise RequestError(f"{path}: should have one column of labels (--label-column names it). Got {shown}.")
    return images[0], found[0]


def _list_label_columns(names: Sequence[str], label_column: str | None) -> list[str]:
    """Return the columns that are called as labels are, or the one that --label-column says."""
    if label_column is None:
        return [name for name in names if name.casefold() in _LABEL_NAMES]
    place = match_column(names, label_column)
    return [] if place is None else [names[place]]


def _find_class_names(path: Path, schema: Any, label_name: str) -> dict[int, str] | None:
    """Return {label: name} as `datasets` writes it into the schema, or None."""
    metadata = (schema.to_arrow_schema().metadata or {}).get(b"huggingface")
    try:
        names = json.loads(metadata)["info"]["features"][label_name]["names"] if metadata else None
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None
    check_class_names(names, f"{path}: class names")
    return dict(enumerate(names))


def _parse_labels(labels: list[Any], source: str) -> tuple[np.ndarray, dict[int, str] | None]:
    """Return labels int64 [N] and, where they are texts, {label: text}."""
    bad = next((row for row, label in enumerate(labels) if label is None or isinstance(label, (list, dict))), None)
    if bad is not None:
        raise RequestError(
            f"{source}: each picture should have one label. Got {labels[bad]!r:.60} in row {bad + 1} instead."
        )
    texts = [label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label) for label in labels]
    return parse_labels(texts, source, lambda row: f"row {row + 1}")
