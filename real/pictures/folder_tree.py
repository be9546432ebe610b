"""What lies in a folder of pictures, at any depth, without what machines leave behind."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.files import is_hidden, is_run
from common.images import IMAGE_SUFFIXES

JSON_LINES = ".jsonl"
TEXT_LIST = ".txt"  # which also holds anything else
_TABLE_SUFFIXES = (".csv", ".tsv", TEXT_LIST, JSON_LINES)
_MAX_DEPTH = 50
_SHOWN = 5  # names in a note
_MAX_LISTS, _MAX_BYTES = 10, 20 * 2**20  # more lists are of one picture each, and larger ones hold something else


@dataclass(frozen=True)
class Folder:
    """A folder, with what is visible in it: its pictures and tables, sorted, its sub-folders, and how many others.

    others: {suffix: files that are neither picture nor table, or only perhaps a table, as .txt}. run_count: sub-folders
    that hold a run and are left out. dangling: names of links to nothing.
    """

    path: Path
    pictures: tuple[Path, ...] = ()
    tables: tuple[Path, ...] = ()
    folders: tuple["Folder", ...] = ()
    others: tuple[str, ...] = ()
    run_count: int = 0
    dangling: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.name

    @cached_property
    def filled(self) -> tuple["Folder", ...]:
        """The sub-folders with pictures, at any depth."""
        return tuple(folder for folder in self.folders if folder.count)

    @cached_property
    def count(self) -> int:
        """The number of pictures, at any depth."""
        return len(self.pictures) + sum(folder.count for folder in self.folders)

    @property
    def is_flat(self) -> bool:
        """Whether all of its pictures lie in the folder itself."""
        return not self.filled

    def walk(self) -> Iterator["Folder"]:
        """Yield the folder and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def list_pictures(self) -> list[Path]:
        """Return the pictures at any depth, sorted."""
        return sorted((path for folder in self.walk() for path in folder.pictures), key=lambda path: path.parts)

    def count_others(self) -> Counter[str]:
        """Return {suffix: files that are neither picture nor table, at any depth}."""
        return Counter(suffix for folder in self.walk() for suffix in folder.others)


def list_tables(folder: Path) -> list[Path]:
    """Return the tables that are visible in a folder itself, sorted; none where it can't be read."""
    try:
        return _choose_tables(
            [path for path in sorted(folder.iterdir()) if path.is_file() and not is_hidden(path.name)]
        )
    except OSError:
        return []


def _choose_tables(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a folder that are tables by their names."""
    tables = [path for path in paths if path.suffix.lower() in _TABLE_SUFFIXES]
    lists = {path for path in tables if path.suffix.lower() == TEXT_LIST}
    too_large = {path for path in lists if path.stat().st_size > _MAX_BYTES} if len(lists) <= _MAX_LISTS else lists
    return [path for path in tables if path not in too_large]


def scan_folder(path: str | Path) -> Folder:
    """Return the Folder of a path. Links are followed, but not back to a folder above; OSError where one can't be read.

    Pipes, sockets and devices are not there. A sub-folder that holds a run is left out.
    """
    return _scan(Path(path), ())


def _scan(path: Path, above: tuple[tuple[int, int], ...]) -> Folder:
    status = os.stat(path)
    identity = (status.st_dev, status.st_ino)
    if (identity in above and identity[1]) or len(above) > _MAX_DEPTH:  # Windows may have no numbers of files
        return Folder(path)
    with os.scandir(path) as entries:
        visible = sorted((entry for entry in entries if not is_hidden(entry.name)), key=lambda entry: entry.name)
    inner = [Path(path, entry.name) for entry in visible if entry.is_dir()]
    runs = [folder for folder in inner if is_run(folder)]
    files = [(entry.path, os.path.splitext(entry.name)[1].lower()) for entry in visible if entry.is_file()]
    tables = _choose_tables([Path(file) for file, kind in files if kind in _TABLE_SUFFIXES])
    known = {*IMAGE_SUFFIXES, *_TABLE_SUFFIXES} - {TEXT_LIST}
    return Folder(
        path,
        tuple(Path(file) for file, kind in files if kind in IMAGE_SUFFIXES),
        tuple(tables),
        tuple(_scan(folder, (*above, identity)) for folder in inner if folder not in runs),
        tuple(kind for _, kind in files if kind not in known),
        len(runs),
        tuple(entry.name for entry in visible if entry.is_symlink() and not os.path.exists(entry.path)),
    )


def list_places(folder: Folder, root: Folder) -> list[Path]:
    """Return the paths of a folder and of those above it up to the root, the innermost first."""
    return [place for place in (folder.path, *folder.path.parents) if place.is_relative_to(root.path)]


def count_pictures(count: int) -> str:
    """Return "1 picture", "2 pictures", "3,000 pictures"."""
    return f"{count:,} picture{'s' * (count != 1)}"


def list_some(names: Sequence[str], shown: int = _SHOWN) -> str:
    """Return the first names for a note, and how many more there are."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown:,} more" if len(names) > shown else "")


def list_kinds(kinds: Counter[str]) -> str:
    """Return how many files there are of each suffix, for a note: "3 .xml, 1 without suffix"."""
    return list_some([f"{count:,} {suffix or 'without suffix'}" for suffix, count in kinds.most_common()])
