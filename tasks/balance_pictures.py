"""A training set as pictures: real files as they are, synthetic ones beside them, and metadata.csv over both."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from common.files import remove_listed, replacing_all
from common.folder_names import class_folders, fold_name
from common.images import DEFAULT_FIT, hash_images
from common.run_folder import METADATA, PICTURES
from real.datasets import Dataset
from real.idx_folders import is_idx_folder
from real.image_matching import repeat_grey
from real.pictures.picture_files import Reading
from real.pictures.picture_folders import read_originals
from synth.shard_formats import describe_shard
from synth.shard_pictures import RANGE_NAME, list_files, list_rows, save_metadata, save_png, write_pictures


def save_picture_set(
    folder: Path, images: np.ndarray, labels: np.ndarray, synthetic: np.ndarray, dataset: Dataset
) -> list[dict]:
    """Write `folder`/images with images uint8 [N, H, W, C] of label values [N]; return the synthetic shards' entries.

    synthetic: bool [N]. A real image whose file is among the source's pictures is copied under its own name (with a
    number where two would collide), others are real-00000001.png and so on, within each class.
    """
    originals = _find_originals(dataset)
    folders, entries, rows = class_folders(dataset.class_names), [], []
    for name, value in zip(dataset.class_names, dataset.label_values, strict=True):
        real, made = images[(labels == value) & ~synthetic], images[(labels == value) & synthetic]
        place = folder / PICTURES / folders[name]
        shard = place / RANGE_NAME.format(first=1, last=len(made))
        files = [_take(originals, image, name) for image in real]
        names = list(_name_apart(files, [path.name for path in list_files(shard)]))
        place.mkdir(parents=True, exist_ok=True)
        with replacing_all(place, names) as temporary:
            for new, file, image in zip(names, files, real, strict=True):
                if file:
                    shutil.copyfile(file, temporary / new)
                else:
                    save_png(temporary / new, image)
        rows += [(f"{place.name}/{new}", name, 0) for new in names]
        if len(made):
            write_pictures(shard, made)
            entry = {"file": shard.relative_to(folder).as_posix(), "class": name, "shard": 0, "rows": len(made)}
            entries.append(entry | describe_shard(shard))
    rows += list_rows((entry["file"], entry["class"]) for entry in entries)
    save_metadata(folder, rows)
    remove_listed(folder, PICTURES, {f"{PICTURES}/{name}" for name in (METADATA, *(name for name, *_ in rows))})
    return entries


def _find_originals(dataset: Dataset) -> dict[int, list[Path]]:
    """Return {hash of an image as it was loaded: the files that show it}; nothing where the data are no pictures.

    By content, because what a source leaves out, splits and sorts is the reader's affair.
    """
    folder, request = Path(dataset.request["data"]), dataset.request
    if not folder.is_dir() or is_idx_folder(folder):
        return {}
    reading = Reading(request["image_size"], request.get("fit", DEFAULT_FIT), skip_unreadable=True)
    found: dict[int, list[Path]] = {}
    for path, image in zip(*read_originals(folder, reading, request.get("label_column")), strict=True):
        images = repeat_grey(image[np.newaxis], dataset.image_shape[-1])
        found.setdefault(int(hash_images(images)[0]), []).append(path)
    return found


def _take(originals: dict[int, list[Path]], image: np.ndarray, class_name: str) -> Path | None:
    """Take an image's file out of `originals`, one in a folder of its class first; None where it has none (left)."""
    paths = originals.get(int(hash_images(image[np.newaxis])[0]))
    if not paths:
        return None
    return paths.pop(next((index for index, path in enumerate(paths) if class_name in path.parts), 0))


def _name_apart(files: list[Path | None], reserved: Iterable[str]) -> Iterator[str]:
    """Yield a name for each real picture, different from all others and the reserved ones on any file system."""
    taken = {fold_name(name) for name in reserved}
    for index, file in enumerate(files):
        wanted = Path(file.name if file else f"real-{index + 1:08d}.png")
        name, number = wanted.name, 1
        while fold_name(name) in taken:
            number += 1
            name = f"{wanted.stem}-{number}{wanted.suffix}"
        taken.add(fold_name(name))
        yield name
