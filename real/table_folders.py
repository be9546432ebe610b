"""Find the files of a folder that holds a set, or its parts, in files of many images, as mnist_train.csv."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from common.errors import RequestError
from common.files import find_mark, is_hidden, is_run
from real.data_files import SUFFIXES, PathReading, holds_images, keep_groups, read_data_files
from real.kaggle_files import is_form
from real.label_matching import match_part
from real.labelled_images import LabelledImages, leave_out_unlabelled
from real.parquet_files import has_labels, is_parquet
from real.pictures.folder_tree import scan_folder
from real.split_names import PARTS, find_split, find_splits
from real.tables import is_labelled_as, is_table

_DEPTH = 2  # Kaggle unpacks a.csv.zip as a/a.csv; Hugging Face has data/train-....parquet, default/train/0000.parquet
_PIECE = re.compile(r"-\d+-of-\d+(-[0-9a-f]+)?$|^\d+$")  # one of several files of a part, with its hash


@dataclass(frozen=True)
class TableParts:
    """The files of each part, "train" at least, and a line each on what is there besides."""

    files: dict[str, list[Path]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Files:
    """The files in one place whose names say the same. part: of them, or None. stem: what they say besides."""

    part: str | None
    stem: str
    depth: int
    paths: list[Path]


def find_table_parts(folder: Path) -> TableParts | None:
    """Return the files of a folder that holds a set's images in tables, Parquet or NPZ files, or else None.

    Only tables whose columns are pixels count, beside pictures those that surely are. Names of files, or of the folders
    that they lie in, say the parts; where none says "train" and there are no pictures, a single file is the set. Raises
    RequestError where there are several sets.
    """
    found = [files for files in _list_files(folder) if holds_images(files.paths[0])]
    has_pictures = bool(found) and scan_folder(folder).count > 0
    if has_pictures:  # of which a table may say whatever it likes
        found = [files for files in found if holds_images(files.paths[0], surely=True)]
    named = {part: [files for files in found if files.part == part] for part in PARTS}
    if not named["train"] and (not found or find_mark(folder) or has_pictures):
        return None
    train = _choose(folder, named["train"] or found)
    chosen = {"train": train}
    for part in PARTS[1:] if named["train"] else ():
        same = [files for files in named[part] if files.stem == train.stem]
        if same or len(named[part]) == 1:
            chosen[part] = _choose(folder, same or named[part])
        elif named[part]:
            raise RequestError(
                f"{folder}: should hold one {part} set beside {_show(folder, train)}. Got "
                f"{_list(folder, named[part])}: name the train file with --data, and the test file with --test-data."
            )
    for part, files in chosen.items():
        if len(files.paths) > 1 and not is_parquet(files.paths[0]):
            shown = ", ".join(path.relative_to(folder).as_posix() for path in files.paths)[:120]
            raise RequestError(f"{folder}: should hold one file for the {part} part. Got {shown}: join them into one.")
    left = [files for files in found if files not in chosen.values()]
    notes = (f"not read: {_list(folder, left)}",) if left else ()
    return TableParts({part: files.paths for part, files in chosen.items()}, notes)


def read_table_parts(parts: TableParts, reading: PathReading) -> LabelledImages:
    """Read the parts as of find_table_parts; a part without labels is left out, and the notes say so."""
    found: dict[str, LabelledImages] = {}
    notes = [*parts.notes]
    train_paths = parts.files["train"]
    train = read_data_files(train_paths, reading)
    for part in [part for part in parts.files if part != "train"]:
        path = parts.files[part][0]
        if not _has_labels(path, train_paths[0], reading.label_column):
            notes.append(f"{path} has no labels, and is no {part} part (predict.py --test-csv predicts it)")
            continue
        read = read_data_files(parts.files[part], keep_groups(path, reading))
        source = leave_out_unlabelled(read, str(path))
        if len(source.labels):
            found[part] = match_part(source, train, str(path))
        notes += found.get(part, source).notes
    brought = {"validation": train.validation, "test": train.test} | found
    read_as = [f"{parts.files[part][0].name} as the {part} part" for part in ("train", *found)]
    notes = [*train.notes, f"read {', '.join(read_as)}", *notes]
    return replace(train, validation=brought["validation"], test=brought["test"], notes=tuple(dict.fromkeys(notes)))


def _has_labels(path: Path, train: Path, label_column: str | None) -> bool:
    if is_parquet(path):
        return has_labels(path, label_column)
    return not is_table(path) or is_labelled_as(path, train, label_column)


def _choose(folder: Path, found: list[_Files]) -> _Files:
    """Return the only files, or those that lie nearer to the folder than others of the same name."""
    fewest = min(files.depth for files in found)
    nearest = [files for files in found if files.depth == fewest]
    if len(nearest) > 1 or len({files.stem for files in found}) > 1:
        raise RequestError(
            f"{folder}: should hold the files of one set. Got {_list(folder, found)}: name one with --data, as "
            f"{found[0].paths[0]}, and its test set with --test-data."
        )
    return nearest[0]


def _list_files(folder: Path) -> list[_Files]:
    """Return the files up to some folders deep, short names first; of several forms of one in one place the first."""
    found: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in _walk(folder, _DEPTH):
        same = found[path.parent, _PIECE.sub("", _strip_suffix(path.name))]
        is_further = all(_strip_suffix(path.name) != _strip_suffix(other.name) for other in same)
        if not same or is_further or (is_parquet(path) and is_parquet(same[0])):
            same.append(path)
    files = []
    parts = find_splits([name for _, name in found])
    for (place, name), paths in found.items():
        part = parts[name]
        if part is None and place != folder:
            part, name = find_split(place.name)[0], f"{place.name}/{name}"
        files.append(_Files(part, _find_stem(name), len(place.parts) - len(folder.parts), paths))
    return files


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the tables, Parquet and NPZ files up to so many folders deep, but for those of runs."""
    with os.scandir(folder) as entries:  # most may be pictures, and are passed over at once
        found = [entry for entry in entries if entry.is_dir() or entry.name.lower().endswith(SUFFIXES)]
    for entry in sorted(found, key=lambda entry: (len(entry.name), entry.name)):
        path = Path(entry.path)
        if is_hidden(entry.name) or is_form(entry.name):
            continue
        if entry.is_file():
            yield path
        elif entry.is_dir() and depth and not is_run(path):
            yield from _walk(path, depth - 1)


def _strip_suffix(name: str) -> str:
    suffixes = sorted(SUFFIXES, key=len, reverse=True)
    return next((name[: -len(suffix)] for suffix in suffixes if name.lower().endswith(suffix)), name)


def _find_stem(name: str) -> str:
    """Return what a name says besides the part: "mnist_train" -> "mnist"."""
    words = re.findall(r"[A-Za-z]+|\d+", name)
    return " ".join(word.lower() for word in words if not find_split(word)[0])


def _list(folder: Path, found: list[_Files]) -> str:
    return ", ".join(_show(folder, files) for files in found)[:120]


def _show(folder: Path, files: _Files) -> str:
    return files.paths[0].relative_to(folder).as_posix()
