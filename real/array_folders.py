"""Read folders with a file for each array: X.npy and Y.npy, x_train.npy, kmnist-train-imgs.npz, ..."""

import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.files import is_hidden
from real.array_files import list_npz_keys, read_npy_array, read_npz_arrays
from real.labelled_images import LabelledImages
from real.npz_files import name_images, read_named_arrays

_ALONE = "arr_0"  # the only array of numpy.savez(file, array)


def is_array_folder(path: Path) -> bool:
    """Tell whether a folder has files with an array each, of images and of labels by their names."""
    try:
        return name_images([*_list_files(path)], path)
    except RequestError:  # several are, or one is damaged
        return True


def read_array_folder(path: Path, image_shape: tuple[int, int, int] | None = None) -> LabelledImages:
    """Read the arrays as real.npz_files.read_npz does those of one file."""
    files = _list_files(path)

    def read(keys: Iterable[str]) -> dict[str, np.ndarray]:
        return {key: _read_array(files[key]) for key in keys if key in files}

    return read_named_arrays([*files], read, path, image_shape)


def _list_files(folder: Path) -> dict[str, Path]:
    """Return {name of the array: its file}, without the words with which all names begin, as "kmnist"."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".npy", ".npz")]
    paths = [path for path in paths if path.is_file() and not is_hidden(path.name) and _is_alone(path)]
    words = [re.split(r"[-_. ]", path.stem) for path in paths]
    columns = zip(*words, strict=False) if len(words) > 1 else ()
    shared = len(list(takewhile(lambda column: len(set(column)) == 1, columns)))
    return {"_".join(own[shared:]): path for own, path in zip(words, paths, strict=True)}


def _is_alone(path: Path) -> bool:
    return path.suffix.lower() == ".npy" or list_npz_keys(path) == [_ALONE]


def _read_array(path: Path) -> np.ndarray:
    return read_npy_array(path) if path.suffix.lower() == ".npy" else read_npz_arrays(path, [_ALONE])[0][_ALONE]
