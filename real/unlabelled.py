"""Read the images that a classifier is to predict: a table of pixels, or a folder of pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.images import DEFAULT_FIT, resize_images
from real.datasets import Dataset
from real.image_matching import repeat_grey
from real.pictures.folder_tree import scan_folder
from real.pictures.picture_files import Reading
from real.pictures.picture_sets import read_pictures
from real.tables import TABLE_SUFFIXES, UnlabelledImages, is_table, read_unlabelled_csv


def read_unlabelled(path: Path, dataset: Dataset, *, no_cache: bool = False, quiet: bool = True) -> UnlabelledImages:
    """Read images without labels as those of the data set were read, in their shape, grey ones in their channels.

    A table is read as of real.tables.read_unlabelled_csv. The pictures of a folder, at any depth, are called by their
    paths in it. Raises RequestError for anything else, and for images of another shape.
    """
    if not (path.is_dir() or (path.exists() and is_table(path))):
        tables = ", ".join(TABLE_SUFFIXES)
        got = f"{path} is neither" if path.exists() else f"There is no {path}"
        raise RequestError(f"--test-csv should be a table ({tables}) or a folder of pictures. {got}.")
    request = dataset.request
    size, fit = request["image_size"], request.get("fit", DEFAULT_FIT)
    size = (size[0], size[1]) if size else None
    if path.is_dir():
        found = _read_folder(path, Reading(size, fit, request.get("skip_unreadable", False), no_cache, quiet))
    else:
        found = read_unlabelled_csv(path, request["image_shape"] or (None if size else dataset.image_shape))
    images = resize_images(found.images, *size, fit) if size else found.images
    images = repeat_grey(images, dataset.image_shape[2])
    if images.shape[1:] != dataset.image_shape:
        got = images.shape[1:]
        raise RequestError(
            f"{path}: images should have the real data's shape {dataset.image_shape}. Got {got} instead."
        )
    return replace(found, images=images)


def _read_folder(folder: Path, reading: Reading) -> UnlabelledImages:
    paths = scan_folder(folder).list_pictures()
    if not paths:
        raise RequestError(f"{folder}: should hold pictures to predict. Got none.")
    found = read_pictures(paths, reading, folder)
    names = (path.relative_to(folder).as_posix() for path in np.array(paths, object)[found.kept])
    return UnlabelledImages(found.images, tuple(names), "file", found.notes)
