"""Find the tables of a folder that holds a set's parts in files of their own, as mnist_train.csv and mnist_test.csv."""

import os
import re
from dataclasses import replace
from pathlib import Path

from synth.errors import RequestError
from synth.label_matching import match_part
from synth.labelled_images import LabelledImages
from synth.parquet_files import is_parquet, read_parquet
from synth.picture_files import Reading
from synth.split_names import find_split
from synth.tables import TABLE_SUFFIXES, count_columns, is_labelled_as, is_table, read_csv

_DEPTH = 2  # Kaggle unpacks a.csv.zip as a/a.csv; Hugging Face has data/train-....parquet
_FEWEST = 10  # columns of a table of images; those of names and labels have fewer
_PIECE = re.compile(r"-\d+-of-\d+(-[0-9a-f]+)?$")  # one of several files of a part, with its hash
_NOT_DATA = "submission"
Files = dict[str, dict[str, list[Path]]]  # {part: {what its name says besides: files}}


def find_table_parts(folder: Path) -> dict[str, list[Path]] | None:
    """Return {"train": its files, and others} where a folder holds tables of images of these names, or else None.

    Only files whose columns are pixels count, or Parquet. Raises RequestError where it holds several sets.
    """
    files = _list_tables(folder, _DEPTH)
    if not files.get("train"):
        return None
    stems = {stem: paths for stem, paths in files["train"].items() if _holds_images(paths[0])}
    if not stems:
        return None
    if len(stems) > 1:
        first = next(iter(stems.values()))[0]
        names = ", ".join(paths[0].name for paths in stems.values())[:120]
        raise RequestError(
            f"{folder}: should hold the table of one set. Got {names}: name one with --data, as {first}, and its test "
            "set with --test-data."
        )
    ((stem, train),) = stems.items()
    found = {"train": train}
    for part in ("validation", "test"):
        others = {name: paths for name, paths in files.get(part, {}).items() if _holds_images(paths[0])}
        chosen = others.get(stem) or (next(iter(others.values())) if len(others) == 1 and part == "test" else None)
        if chosen is None and part == "test" and others:
            names = ", ".join(paths[0].name for paths in others.values())[:120]
            raise RequestError(
                f"{folder}: should hold one test set beside {train[0].name}. Got {names}: name the train file with "
                "--data, and the test file with --test-data."
            )
        found |= {part: chosen} if chosen else {}
    return found


def read_table_parts(
    parts: dict[str, list[Path]],
    reading: Reading,
    image_shape: tuple[int, int, int] | None,
    label_column: str | None,
    groups: str | None = None,
) -> LabelledImages:
    """Read the parts as of find_table_parts; a test table without labels is left out, and the notes say so."""
    found, notes = {}, []
    for part, paths in parts.items():
        if part != "train" and is_table(paths[0]) and not is_labelled_as(paths[0], parts["train"][0], label_column):
            notes.append(f"{paths[0]} has no labels, and is no {part} part (predict.py --test-csv predicts it)")
        elif is_parquet(paths[0]):
            found[part] = read_parquet(paths, reading, label_column, groups if part == "train" else None)
        else:
            found[part] = read_csv(paths[0], image_shape, label_column=label_column, groups=groups)
    read = [f"{parts[part][0].name} as the {part} part" for part in found]
    notes.insert(0, f"read {', '.join(read)}")
    train = found.pop("train")
    matched = {part: match_part(source, train, str(parts[part][0])) for part, source in found.items()}
    notes = [*train.notes, *notes]
    return replace(train, validation=matched.get("validation"), test=matched.get("test"), notes=tuple(notes))


def _list_tables(folder: Path, depth: int) -> Files:
    """Return the tables up to so many folders deep whose names say a part; of a table that is there in several forms
    the first."""
    found: Files = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: (len(entry.name), entry.name)):
        if entry.name.startswith((".", "__MACOSX")):
            continue
        path = Path(entry.path)
        if depth and entry.is_dir():
            for part, stems in _list_tables(path, depth - 1).items():
                for stem, paths in stems.items():
                    found.setdefault(part, {}).setdefault(stem, paths)
        elif entry.is_file() and (is_table(path) or is_parquet(path)) and _NOT_DATA not in entry.name.lower():
            name = _PIECE.sub("", _strip_suffix(entry.name))
            part = find_split(name)[0]
            if part:
                stem = _find_stem(name)
                same = found.setdefault(part, {}).setdefault(stem, [])
                if not same or (is_parquet(path) and is_parquet(same[0]) and same[0].parent == path.parent):
                    same.append(path)
    return found


def _strip_suffix(name: str) -> str:
    suffixes = sorted((*TABLE_SUFFIXES, ".parquet"), key=len, reverse=True)
    return next((name[: -len(suffix)] for suffix in suffixes if name.lower().endswith(suffix)), name)


def _find_stem(name: str) -> str:
    """Return what a name says besides the part: "mnist_train" -> "mnist"."""
    words = re.findall(r"[A-Za-z]+|\d+", name)
    return " ".join(word.lower() for word in words if not find_split(word)[0])


def _holds_images(path: Path) -> bool:
    try:
        return is_parquet(path) or count_columns(path) >= _FEWEST
    except RequestError:
        return False
