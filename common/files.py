"""Whole files or none, under a temporary name and renamed; and in a run's folder a list of what the run has written.

Only what is listed is ever replaced or removed. Whatever else lies in the folder is the user's.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from common.errors import RequestError

# thumbnails and copies that systems, archives and disks keep, beside all names that begin with a dot
_MACHINES_NAMES = {"__macosx", "@eadir", "thumbs.db", "desktop.ini", "$recycle.bin", "lost+found", "__pycache__"}

CONFIG = "config.json"  # with the program's mark: the folder is a run's
WRITTEN = "files.txt"  # the list
PROGRAM = "gan-augmentation"
_OF_RUNS = ("samples.png", "manifest.json", "metrics.json", "evaluation.json", "results.csv")  # one is in a run of 0.1
_LONGEST_LINE = 10_000  # bytes of a name in the list
_SYNCING = 16  # files at a time: a disk takes what waits for it together
_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{16}(\.\w+)?")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path with the suffix of `path`; rename it to `path` if the block succeeds, else delete it.

    In a run's folder `path` is listed first: RequestError where it is somebody else's file.
    """
    claim(path)
    with _renaming(path) as temporary:
        yield temporary


@contextmanager
def _renaming(path: str | Path) -> Iterator[Path]:
    """As replacing, unlisted. The temporary file is new: nothing is written through a symlink, or by two at once."""
    path = Path(path)
    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}{path.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        _sync_file(temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_all(folder: Path, names: list[str]) -> Iterator[Path]:
    """Yield a temporary folder to write files of these names to; move them into `folder` if the block succeeds.

    As `replacing`, for many small files in a fraction of its time: each is whole or not there, and none is moved before
    all are on the disk. Which of them are there after a kill is open.
    """
    claim_all([folder / name for name in names])
    temporary = folder / f".tmp-{secrets.token_hex(8)}"
    temporary.mkdir()
    try:
        yield temporary
        with ThreadPoolExecutor(_SYNCING) as pool:
            list(pool.map(_sync_file, [temporary / name for name in names]))
        for name in names:
            os.replace(temporary / name, folder / name)
        _sync_folder(folder)
    finally:
        shutil.rmtree(temporary)


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a loss of power, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def save_json(path: str | Path, content: object) -> None:
    """Write a JSON file, whole or not at all, with two spaces of indentation."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load_json(path: str | Path) -> dict:
    """Read a JSON file that holds an object; RequestError names the file and what is wrong."""
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not JSON, or not UTF-8
        raise RequestError(f"{path}: should be a JSON file. ({error})") from error
    if not isinstance(content, dict):
        raise RequestError(f"{path}: should hold a JSON object. Got {type(content).__name__} instead.")
    return content


def mark_folder(folder: Path, script: str, content: dict) -> None:
    """Write `folder`/config.json: the mark of this program and its script, then `content` (a dict)."""
    with _renaming(folder / CONFIG) as temporary:
        marked = {"made_by": {"program": PROGRAM, "script": script}} | content
        temporary.write_text(json.dumps(marked, indent=2) + "\n", encoding="utf-8")


def find_mark(folder: Path) -> str | None:
    """Return the script that has marked `folder`, or None where it is no run's, or one of version 0.1."""
    try:
        mark = load_json(folder / CONFIG).get("made_by")
    except (OSError, RequestError):
        return None
    return mark.get("script") if isinstance(mark, dict) and mark.get("program") == PROGRAM else None


def find_run(path: str | Path) -> Path | None:
    """Return the run's folder that a path lies in, or None."""
    return next(filter(find_mark, Path(path).absolute().parents), None)


def is_run(folder: Path) -> bool:
    """Tell whether a folder is a run's, with the mark or of version 0.1."""
    if not (folder / CONFIG).exists():
        return False
    return find_mark(folder) is not None or any((folder / name).exists() for name in _OF_RUNS)


def remove_listed(folder: Path, below: str, kept: set[str]) -> None:
    """Remove what the run in `folder` has listed below its sub-folder `below`, but for the names `kept`."""
    place = folder.resolve() / below
    for name in list_written(folder):
        path = folder / name
        if not name.startswith(f"{below}/") or name in kept or path.is_dir():
            continue
        if path.parent.resolve().is_relative_to(place):
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()


def claim(path: str | Path, folder: str | Path | None = None) -> None:
    """List `path` in the run's folder that it is in (or in `folder`), so that it may be written, and replaced later.

    Raises RequestError for a file that is there and not listed: it is somebody else's. Outside of runs nothing is
    listed.
    """
    path = Path(path).absolute()
    folder = Path(folder).absolute() if folder else find_run(path)
    if folder is not None:
        _claim([path], folder)


def claim_all(paths: list[Path]) -> None:
    """As `claim`, for several files of one folder: the list is read and written once."""
    paths = [path.absolute() for path in paths]
    folder = find_run(paths[0]) if paths else None
    if folder is not None:
        _claim(paths, folder)


def _claim(paths: list[Path], folder: Path) -> None:
    """Read the list for files alone that are there: a run of many new files would spend its time on reading it.

    So a file that was listed, and is gone, is listed twice.
    """
    there = {path for path in paths if os.path.lexists(path)}
    listed = set(list_written(folder)) if there else set()
    for path in paths:
        if path in there and _name(path, folder) not in listed:
            raise RequestError(
                f"{path} should be new, or written by the run in {folder}. It is somebody else's file (it is not in "
                f"{WRITTEN}): move it away, or choose another --out."
            )
    new = [_name(path, folder) for path in paths if path not in there]
    if new:
        _cut_torn_line(folder / WRITTEN)
        append_text(folder / WRITTEN, "".join(f"{name}\n" for name in new))


def _cut_torn_line(path: Path) -> None:
    """Take a last line that a kill has left without its end off a list: what it names was not written yet."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - _LONGEST_LINE))
        tail = file.read()
        if tail and not tail.endswith(b"\n"):
            file.truncate(end - len(tail) + tail.rfind(b"\n") + 1)


def append_text(path: str | Path, text: str) -> None:
    """Add text to the end of a file, and have it on the disk. After a kill a part of it may be there."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def is_claimed(path: str | Path, folder: str | Path) -> bool:
    """Tell whether `path` is listed in the run's folder `folder`."""
    return _name(Path(path).absolute(), Path(folder).absolute()) in list_written(folder)


def list_written(folder: str | Path) -> list[str]:
    """Return the names of what the run in `folder` has written: below it, or absolute where it is elsewhere."""
    path = Path(folder) / WRITTEN
    if path.is_symlink():
        raise RequestError(f"{path}: should list what the run has written. It is a link: choose another --out.")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if "\0" in text:
            raise ValueError("It holds a null byte.")
    except ValueError as error:  # UnicodeDecodeError is one
        raise RequestError(f"{path}: should list what the run has written. ({error}) Choose another --out.") from error
    return text.split("\n")[:-1]


def remove_written(folder: str | Path, kept: str | None = None) -> None:
    """Remove what a run has written, but for its sub-folder `kept`, and the folders that are empty then.

    What lies elsewhere, or behind a symlink, stays.
    """
    folder = Path(folder).absolute()
    left: list[str] = []
    places: dict[Path, bool] = {}  # the folders of the files, and whether each is inside and no symlink
    for name in list_written(folder):
        path, relative = folder / name, Path(name)
        if path.parent not in places:
            inside = not relative.is_absolute() and path.parent.resolve() == folder.resolve() / relative.parent
            places[path.parent] = inside
        if not places[path.parent] or path.is_dir() or relative.parts[0] == kept:
            left.append(name)
        else:
            path.unlink(missing_ok=True)
    for place in places:
        while places.get(place, True) and place != folder and place.is_dir() and not any(place.iterdir()):
            place.rmdir()
            place = place.parent
    with _renaming(folder / WRITTEN) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in left), encoding="utf-8")


def remove_temporaries(folder: str | Path) -> None:
    """Remove the temporary files and folders that a kill has left where a run writes."""
    folder = Path(folder)
    for place in {"", *map(os.path.dirname, list_written(folder))}:
        for path in (folder / place).glob(".tmp-*"):
            if not _TEMPORARY.fullmatch(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def read_files(folder: str | Path) -> dict[str, bytes]:
    """Return {path below it: content} of all files in a folder; {} where there is no folder."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def write_files(folder: str | Path, files: dict[str, bytes]) -> None:
    """Write {path below it: content} into a folder, in this order and each whole."""
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)


def check_regular_file(path: str | Path) -> None:
    """Raise RequestError for what is no regular file, before it is opened: reading from a pipe may never end."""
    path = Path(path)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "a pipe, socket or device" if path.exists() else "none"
        raise RequestError(f"{path}: should be a regular file. Got {got} instead.")


def is_hidden(name: str) -> bool:
    """Whether a name is that of something a machine has left, not a person."""
    return name.startswith(".") or name.casefold() in _MACHINES_NAMES
