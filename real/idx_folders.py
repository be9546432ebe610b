"""Read folders of IDX files, MNIST's format, under any of their usual names."""

import re
from dataclasses import replace
from pathlib import Path

from common.errors import RequestError
from common.files import is_hidden
from common.images import check_images
from real.array_files import read_idx_array
from real.labelled_images import LabelledImages, check_labels

# train-images-idx3-ubyte, t10k-labels.idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte, ...
_NAME = re.compile(r"(.*?)(train|test|t10k)[-_.](images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?", re.IGNORECASE)
_PARTS = {"train": "train", "test": "test", "t10k": "test"}


def read_idx_folder(path: str | Path) -> LabelledImages:
    """Read the pair of images and labels to train on and, where present, that to test on, gzipped or not.

    path: the folder, or where it holds several sets a file of the one that is wanted.
    """
    path = Path(path)
    wanted = _NAME.fullmatch(path.name) if path.is_file() else None
    files = _list_files(path.parent if wanted else path)
    prefixes = sorted({prefix for prefix, _, _ in files})
    if wanted is None and len(prefixes) > 1:
        sets = ", ".join(prefix.rstrip("-_. ") or "train" for prefix in prefixes)
        example = next(file for (_, part, kind), file in sorted(files.items()) if (part, kind) == ("train", "images"))
        raise RequestError(f"{path}: should hold one set of IDX files. Got {sets}: name a file, --data {example}.")
    prefix = wanted[1] if wanted else prefixes[0]
    found = _read_pair(files, prefix, "train", path)
    return replace(found, test=_read_pair(files, prefix, "test", path) if (prefix, "test", "images") in files else None)


def is_idx_folder(path: str | Path) -> bool:
    """Tell whether it is a folder of IDX files, or one of these files."""
    path = Path(path)
    if path.is_file():
        return _NAME.fullmatch(path.name) is not None
    return any((part, kind) == ("train", "images") for _, part, kind in _list_files(path))


def _list_files(folder: Path) -> dict[tuple[str, str, str], Path]:
    """Return {(prefix, "train" or "test", "images" or "labels"): file} in a folder.

    Where it holds none, they may lie in folders of their own names, as some archives unpack, or in its only sub-folder.
    """
    inner = [path for path in sorted(folder.iterdir()) if not is_hidden(path.name)] if folder.is_dir() else []
    if not any(path.is_file() and _NAME.fullmatch(path.name) for path in inner):
        folders = [path for path in inner if path.is_dir()]
        if len(folders) == len(inner) == 1 and not _NAME.fullmatch(folders[0].name):
            return _list_files(folders[0])
        inner = [file for path in folders if _NAME.fullmatch(path.name) for file in sorted(path.iterdir())]
    found: dict[tuple[str, str, str], Path] = {}
    for path in inner:
        match = _NAME.fullmatch(path.name)
        if match and path.is_file():  # the first: not packed, before .gz
            found.setdefault((match[1], _PARTS[match[2].lower()], match[3].lower()), path)
    return found


def _read_pair(files: dict[tuple[str, str, str], Path], prefix: str, part: str, path: Path) -> LabelledImages:
    images_path, labels_path = (files.get((prefix, part, kind)) for kind in ("images", "labels"))
    if images_path is None:
        raise RequestError(f"{path}: should hold {prefix}{part}-images-idx3-ubyte[.gz]. It is missing.")
    images = check_images(read_idx_array(images_path), str(images_path))
    if labels_path is None:
        raise RequestError(
            f"{path}: should hold {prefix}{part}-labels-idx1-ubyte[.gz] beside the images. It is missing."
        )
    return LabelledImages(images, check_labels(read_idx_array(labels_path), len(images), str(labels_path)))
