"""Read folders of pictures as labelled images."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from real.labelled_images import LabelledImages, check_class_names
from real.pictures.folder_layout import find_layout
from real.pictures.picture_files import Reading
from real.pictures.picture_groups import read_groups
from real.pictures.picture_sets import read_pictures
from real.split_names import PARTS


def read_image_folder(
    folder: str | Path, reading: Reading | None = None, groups: str | None = None, label_column: str | None = None
) -> LabelledImages:
    """Read pictures in one sub-folder per class, in parts with these in each, or with a CSV (see folder_layout).

    Labels number the classes in the order of their names' text; where a CSV gives integers, they are these. All-grey
    sets give one channel, others three. Images of different sizes need `reading.size`. groups: as of read_groups.
    label_column: as of find_layout. Errors name the pictures.
    """
    folder = os.path.abspath(folder)  # . and .. have no name, and no parent
    layout = find_layout(folder, label_column)
    check_class_names(layout.class_names, folder)
    values = layout.number_classes()
    parts = [part for part in PARTS if part in layout.parts]
    classes = [(part, name) for part in parts for name in values if name in layout.parts[part]]
    pictures = [layout.parts[part][name] for part, name in classes]
    paths = [path for of_class in pictures for path in of_class]
    found = read_pictures(paths, reading or Reading(), folder)
    counts = [len(paths) for paths in pictures]
    labels = np.repeat(np.array([values[name] for _, name in classes], np.int64), counts)[found.kept]
    in_part = np.repeat([parts.index(part) for part, _ in classes], counts)[found.kept]
    images = {
        part: LabelledImages(found.images[slice(*np.searchsorted(in_part, [k, k + 1]))], labels[in_part == k])
        for k, part in enumerate(parts)
    }
    names = {value: name for name, value in values.items()}
    brought = {part: own if len(own.labels) else None for part, own in images.items()}
    present = set(zip(in_part.tolist(), labels.tolist(), strict=True))
    lost = [
        f"{part}: no picture of class {name!r} can be read"
        for part, name in classes
        if (parts.index(part), values[name]) not in present
    ]
    named = replace(images["train"], class_names=names, notes=(*layout.notes, *found.notes, *lost))
    if groups:
        kept = [path for path, is_kept in zip(paths, found.kept, strict=True) if is_kept]
        texts = read_groups(Path(folder), groups, kept)
        named = replace(named, groups=texts[in_part == 0])
        brought = {
            part: own and replace(own, groups=texts[in_part == parts.index(part)]) for part, own in brought.items()
        }
    return replace(named, validation=brought.get("validation"), test=brought.get("test"))


def read_originals(folder: str | Path, reading: Reading, label_column: str | None) -> tuple[list[Path], np.ndarray]:
    """Return the files of all parts of a folder of pictures, and their images uint8 [N, H, W, C], read alike."""
    parts = find_layout(folder, label_column).parts.values()
    paths = [path for classes in parts for pictures in classes.values() for path in pictures]
    found = read_pictures(paths, reading, folder)
    return [path for path, is_kept in zip(paths, found.kept, strict=True) if is_kept], found.images
