"""Read images from tables, one image a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.errors import RequestError
from real.columns import (
    Columns,
    choose_end,
    find_columns,
    has_number,
    has_pixel_names,
    is_label_name,
    list_odd_names,
    may_be_pixels,
)
from real.csv_files import Rows, TableLayout, find_table_layout, list_texts, parse_packed, read_rows
from real.labelled_images import SYNTHETIC, LabelledImages, parse_labels
from real.said_parts import divide
from real.splits import check_groups

TABLE_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".zip")  # in any case
_LABELLED = "label,pixel0,..."
_UNLABELLED = "pixel0,..."
_FEWEST_LABELS = 10  # that all differ, in a column that no name says to be labels
_FEWEST_PIXELS = 4  # in columns whose names have no numbers
_FEW_ODD = 0.1  # of the pixels' columns that are called otherwise, and are none
_LOOKED_AT = 200  # images that say the order of the colours
_SMOOTHER = 0.8  # fraction of the steps between rows: as planes, photos have about half of them, or twice as many


@dataclass(frozen=True)
class UnlabelledImages:
    """Images uint8 [N, H, W, C] to be predicted, and what a column of their table, or their files, call them.

    notes: what the user should know of them, a line each.
    """

    images: np.ndarray
    ids: tuple[str, ...] | None = None
    id_name: str | None = None
    notes: tuple[str, ...] = ()


def is_table(path: str | Path) -> bool:
    """Tell whether a file is a table by its name."""
    return Path(path).name.lower().endswith(TABLE_SUFFIXES)


def read_csv(
    path: str | Path,
    image_shape: tuple[int, int, int] | None = None,
    rows: int | None = None,
    label_column: str | None = None,
    groups: str | None = None,
) -> LabelledImages:
    """Read Kaggle's layout: header `label,pixel0,...`, integers 0..255, one image a row; or another table like it.

    The table may have no header, an index, another separator (semicolon, tab), and be gzipped or alone in a ZIP.
    Texts as labels are class names. Images are square with one channel (or three) unless `image_shape` (height, width,
    channels) says otherwise. A column `synthetic`, as augment.py writes it, is no pixel and marks synthetic images by
    1. rows: how many to read, from the top; None reads all. label_column: as real.columns.find_columns.
    groups: name of a column, no pixel, whose texts say which images belong together.
    """
    table = _open_table(path, label_column, groups)
    images, texts, lines, marks, splits, members = [], [], [], [], [], []
    for chunk, marked in _read_parts(table, rows):
        images.append(_shape_pixels(chunk, table, image_shape))
        texts += chunk.texts[table.label]
        lines += chunk.lines
        splits += chunk.texts[table.columns.split] if table.columns.split is not None else []
        members += chunk.texts[table.columns.group] if table.columns.group is not None else []
        if marked is not None:
            marks.append(marked)
        del chunk
    is_guessed = label_column is None and bool(table.columns.note)
    if is_guessed and len(texts) >= _FEWEST_LABELS and len(set(texts)) == len(texts):
        raise RequestError(
            f"{path}: should have a column 'label', or another that --label-column names. Got texts that all differ in "
            f"column {table.layout.name(table.label)}: they are no labels."
        )
    labels, names = table.parse_labels(texts, lines)
    found, notes = np.concatenate(images), [table.columns.note] * bool(table.columns.note)
    if found.shape[3] == 3 and image_shape is None and not table.columns.has_colours:
        notes.append(_describe_channels(found))
    source = LabelledImages(
        found,
        labels,
        class_names=names,
        synthetic=np.concatenate(marks) if marks else None,
        notes=tuple(f"{path}: {note}" for note in notes),
        text_labels=names is not None,
        groups=check_groups(members) if members else None,
    )
    return source if table.columns.split is None else _split_rows(source, splits, table)


def _split_rows(source: LabelledImages, texts: Sequence[str], table: "_Table") -> LabelledImages:
    """Return the images that are to train on, with the other parts that the texts of a column name."""
    column = table.layout.name(table.columns.split or 0)
    divided = divide(source, texts)
    if isinstance(divided, str):
        raise RequestError(
            f"{table.path}: column {column} should say train, validation or test. Got {divided} instead."
        )
    return replace(divided, notes=(*source.notes, f"{table.path}: the parts are those of the column {column}"))


def read_csv_chunks(path: str | Path, image_shape: tuple[int, int, int] | None = None) -> Iterator[LabelledImages]:
    """Yield the LabelledImages of a CSV as `read_csv` does, some thousand at a time; its labels should be integers."""
    table = _open_table(path, None)
    for chunk, marks in _read_parts(table, None):
        labels, names = table.parse_labels(chunk.texts[table.label], chunk.lines)
        if names:
            raise RequestError(
                f"{path}: labels should be the label values of the real data, integers. "
                f"Got {names[0]!r:.60} in column {table.layout.name(table.label)} instead."
            )
        yield LabelledImages(_shape_pixels(chunk, table, image_shape), labels, synthetic=marks)


def read_unlabelled_csv(path: str | Path, image_shape: tuple[int, int, int] | None) -> UnlabelledImages:
    """Read Kaggle's test.csv, `pixel0,...` without a label; image_shape as in read_csv, None: square images.

    A column of a usual name (`id`, ...), or one that alone is not called like the others, names the images.
    """
    wanted = _describe(path, _UNLABELLED)
    layout = find_table_layout(path, wanted)
    columns = _find_columns(path, layout, None)
    if columns.label is not None and layout.names and is_label_name(layout.names[columns.label]):
        raise RequestError(
            f"{path}: should have no column {layout.names[columns.label].strip()!r}: these images are to be predicted "
            "(--test-data takes a labelled test set)."
        )
    place = columns.label if columns.id is None else columns.id
    table = _Table(path, wanted, layout, replace(columns, label=None, id=place))
    images, ids = [], []
    for chunk, _ in _read_parts(table, None):
        images.append(_shape_pixels(chunk, table, image_shape))
        ids += [text.strip() for text in chunk.texts[place]] if place is not None else []
    name = layout.names[place].strip() if place is not None and layout.names else None
    return UnlabelledImages(np.concatenate(images), tuple(ids) if name else None, name)


def is_labelled_as(path: str | Path, train: str | Path, label_column: str | None = None) -> bool:
    """Tell whether a table has the label column that the labelled table `train` has, or one of a usual name, or as many
    columns where it has no names; RequestError where one of them is no table."""
    table, layout = _open_table(train, label_column), find_table_layout(path, _describe(path, _LABELLED))
    if layout.names is None or table.layout.names is None:
        return layout.count == table.layout.count
    names = [name.strip().casefold() for name in layout.names]
    is_named_otherwise = label_column is None and any(map(is_label_name, names))
    return table.layout.names[table.label].strip().casefold() in names or is_named_otherwise


def read_names(path: str | Path) -> Sequence[str]:
    """Return the names of a table's columns; none where it has no header."""
    return find_table_layout(path, _describe(path, _LABELLED)).names or ()


def holds_pixels(path: str | Path, *, surely: bool = False) -> bool:
    """Tell by its columns whether a table may hold images, or surely does; RequestError where it is no table."""
    layout = find_table_layout(path, _describe(path, _LABELLED))
    return (has_pixel_names if surely else may_be_pixels)(layout.names or ["0"] * layout.count)


@dataclass(frozen=True)
class _Table:
    """A table whose columns are known."""

    path: str | Path
    wanted: str
    layout: TableLayout
    columns: Columns

    @property
    def label(self) -> int:
        assert self.columns.label is not None  # _open_table has looked
        return self.columns.label

    def parse_labels(self, texts: Sequence[str], lines: Sequence[int]) -> tuple[np.ndarray, dict[int, str] | None]:
        """As real.labelled_images.parse_labels, with the place in the table."""
        column = f"column {self.layout.name(self.label)}"
        return parse_labels(texts, str(self.path), lambda index: f"line {lines[index]}, {column}")


def _describe(path: str | Path, expected: str) -> str:
    return f"{path}: should be a CSV with the columns {expected}"


def _open_table(path: str | Path, label_column: str | None, groups: str | None = None) -> _Table:
    """Find out how a labelled table is written and which column is what."""
    wanted = _describe(path, _LABELLED)
    layout = find_table_layout(path, wanted)
    columns = _find_columns(path, layout, label_column, groups)
    named = [layout.names[place] for place in columns.pixels] if layout.names else []
    if layout.names and len(named) < _FEWEST_PIXELS and not columns.is_packed and not any(map(has_number, named)):
        raise RequestError(
            f"{path}: should have the pixels of an image in each row. Got {', '.join(layout.names)[:80]}: if it names "
            "pictures, name their folder with --data."
        )
    if columns.label is None:
        columns = _guess_label(path, wanted, layout, columns)
    return _Table(path, wanted, layout, columns)


def _find_columns(
    path: str | Path, layout: TableLayout, label_column: str | None, groups: str | None = None
) -> Columns:
    """Return the columns by their names, or by numbers where they have none."""
    names = layout.names or [str(place + 1) for place in range(layout.count)]
    try:
        return find_columns(names, label_column, groups)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error


def _guess_label(path: str | Path, wanted: str, layout: TableLayout, columns: Columns) -> Columns:
    """Take the first or the last column for the label, as its values say, if no column has a name that says more."""
    places = columns.pixels
    is_numbered = layout.names is None or all(
        name.strip()[:1].isdigit() for name in map(layout.names.__getitem__, places)
    )
    if not is_numbered or not _find_square(len(places) - 1):
        shown = ", ".join(layout.names[:4])[:80] if layout.names else f"{layout.count} columns without names"
        raise RequestError(
            f"{path}: should have a column 'label', or another that --label-column names. Got {shown}... instead."
        )
    which = choose_end(*list_texts(path, layout, wanted, (places[0], places[-1])))
    if which is None:
        raise RequestError(
            f"{path}: the label may be the first or the last column: --label-column {places[0] + 1} or --label-column "
            f"{places[-1] + 1} says which."
        )
    label = places[0] if which == "first" else places[-1]
    note = f"no column is called label: the {which} one is taken for it (--label-column NUMBER names another)"
    return replace(columns, label=label, pixels=tuple(place for place in places if place != label), note=note)


def _read_parts(table: _Table, rows: int | None) -> Iterator[tuple[Rows, np.ndarray | None]]:
    """Yield rows, and which of them are marked as synthetic, bool [n], or None where the table has no marks.

    The values are those of the pixels alone, int64 [n, pixels].
    """
    columns, layout = table.columns, table.layout
    pixels = () if columns.is_packed else columns.pixels
    values = sorted((*pixels, *([] if columns.synthetic is None else [columns.synthetic])))
    texts = [place for place in (columns.label, columns.id, columns.split, columns.group) if place is not None]
    texts += columns.pixels if columns.is_packed else ()
    count = None
    for chunk in read_rows(table.path, layout, table.wanted, values, texts, rows):
        marks = None
        if columns.synthetic is not None:
            place = values.index(columns.synthetic)
            marks = chunk.values[:, place]
            _check_range(marks[:, np.newaxis], 1, f"{table.path}: {SYNTHETIC}", chunk.lines)
            marks = marks == 1
            chunk = replace(chunk, values=np.delete(chunk.values, place, axis=1))
        if list(pixels) != sorted(pixels):
            chunk = replace(chunk, values=chunk.values[:, np.searchsorted(sorted(pixels), pixels)])
        if columns.is_packed:
            place = columns.pixels[0]
            packed = parse_packed(chunk.texts[place], chunk.lines, table.path, layout.name(place), count)
            chunk, count = replace(chunk, values=packed), packed.shape[1]
        yield chunk, marks
        del chunk  # before the next is parsed: its memory is used again


def _shape_pixels(chunk: Rows, table: _Table, image_shape: tuple[int, int, int] | None) -> np.ndarray:
    """Turn pixels int64 [n, H * W * C] into uint8 [n, H, W, C]."""
    count = chunk.values.shape[1]
    said, channels = table.columns.shape, 3 if table.columns.has_colours else 1
    shape = image_shape or (said and (*said, channels)) or _find_square(count)
    odd = list_odd_names(table.layout.names, table.columns.pixels) if table.layout.names else []
    if image_shape is None and shape and 0 < len(odd) < _FEW_ODD * count:
        raise RequestError(
            f"{table.path}: pixel columns should be called alike. Got {', '.join(odd[:3])[:80]} among {count}: take "
            "out what is no pixel (or --image-shape H,W,C, if all are)."
        )
    if shape is None or shape[0] * shape[1] * shape[2] != count:
        expected = "{} x {} x {} images should have {} pixel columns".format(*shape, np.prod(shape)) if shape else ""
        hint = f" Columns that are no pixels are to be taken out: {', '.join(odd[:3])[:80]}?" if odd else ""
        if expected:
            raise RequestError(f"{table.path}: {expected}. Got {count} instead.{hint}")
        raise RequestError(
            f"{table.path}: {count} pixel columns should be a square image "
            f"(--image-shape H,W,C names another shape).{hint}"
        )
    _check_range(chunk.values, 255, f"{table.path}: pixels", chunk.lines)
    return chunk.values.astype(np.uint8).reshape(-1, *shape)


def _describe_channels(images: np.ndarray) -> str:
    """Return a line on how rows of colours were read, uint8 [N, H, W, 3], and whether they look like planes of one
    colour each, as in CIFAR-10's files, where neighbouring rows of pixels are more alike so."""
    _, height, width, channels = images.shape
    looked_at = images[:_LOOKED_AT].astype(np.int16)
    planes = looked_at.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    steps = [np.abs(np.diff(kind, axis=1)).sum() for kind in (looked_at, planes)]
    note = "rows are read as the red, green and blue of each pixel in turn (--image-shape H,W,3 says so)"
    is_grey = (looked_at == looked_at[..., :1]).all()
    if steps[1] < _SMOOTHER * steps[0] and not is_grey:
        advice = f"rows.reshape(-1, 3, {height}, {width}).transpose(0, 2, 3, 1) in an NPZ puts them right"
        note = f"warning: {note}, and look like planes, all of red before all of green: {advice}"
    return note


def _check_range(values: np.ndarray, maximum: int, source: str, lines: Sequence[int]) -> None:
    outside = values.view(np.uint64) > maximum  # negative ones are large then
    if outside.any():
        row, column = np.argwhere(outside)[0]
        place = f"line {lines[row]}" + (f", pixel {column}" if values.shape[1] > 1 else "")
        bits = " Pixels of 16 bits are to be divided by 257 first." if values[row, column] > 255 < 2 * maximum else ""
        raise RequestError(f"{source} should be in 0..{maximum}. Got {values[row, column]} in {place} instead.{bits}")


def _find_square(pixel_count: int) -> tuple[int, int, int] | None:
    """Return (side, side, channels) of square images of so many values, or None where there are none."""
    for channels in (1, 3):
        side = round((max(pixel_count, 0) / channels) ** 0.5)
        if pixel_count > 0 and side * side * channels == pixel_count:
            return side, side, channels
    return None
