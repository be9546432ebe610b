"""Names of classes as names of folders, on any file system."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

_MAX_FOLDER = 100  # bytes: file systems take 255, and paths have their own limits
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")}


def class_folder(name: str) -> str:
    """Return a name that is safe as a folder name: "T-shirt/top" -> "T-shirt-top".

    A long one is cut, with a hash of the whole name behind it, and Windows' names of devices are avoided.
    """
    folder = re.sub(r"[^\w.+-]+", "-", name).strip(".") or "class"
    if folder.partition(".")[0].upper() in _DEVICES:
        folder = f"class-{folder}"
    if len(folder.encode()) <= _MAX_FOLDER:
        return folder
    ending = "-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return folder.encode()[: _MAX_FOLDER - len(ending)].decode(errors="ignore") + ending


def class_folders(names: Iterable[str]) -> dict[str, str]:
    """Return {class name: folder} with a folder of its own for each of a run's class names, whatever the file system.

    Names that `class_folder` would put into one, or into two that differ by case or Unicode form alone, have a number
    behind the first's: "a b", "a-b" -> "a-b", "a-b-2".
    """
    folders = {name: class_folder(name) for name in names}
    taken, numbers = {fold_name(folder) for folder in folders.values()}, {}
    for name, folder in folders.items():
        key = fold_name(folder)
        if key not in numbers:  # the first keeps its folder
            numbers[key] = 1
            continue
        while fold_name(folders[name]) in taken:
            numbers[key] += 1
            folders[name] = class_folder(f"{folder}-{numbers[key]}")
        taken.add(fold_name(folders[name]))
    return folders


def fold_name(name: str) -> str:
    """Return what two names have in common that differ by case or Unicode form alone, as file systems may see them."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
