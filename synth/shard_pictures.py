"""Shards as pictures: images/<class>/synthetic-00000001.png, and one metadata.csv for all.

A shard is a range of numbers of one class. Its path, images/<class>/synthetic-00000001-00005000.png, names no file but
the range: the pictures from the first to the last number.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.files import replacing, replacing_all
from common.folder_names import class_folders
from common.images import MAX_SIDE
from common.run_folder import JOURNAL, MANIFEST, METADATA, PICTURES
from real.labelled_images import LabelledImages
from synth.shards import find_manifest_folder, load_manifest

RANGE = r"(.+)-(\d{8,})-(\d{8,})\.png"
RANGE_NAME = "synthetic-{first:08d}-{last:08d}.png"
_COMPRESSION = 1  # of 9: 4 % larger than by 6, which takes longer
_CHUNK_SIZE = 500  # pictures


def list_files(path: Path) -> Iterator[Path]:
    """Yield the pictures of a range: "a-00000001-00000002.png" -> a-00000001.png, a-00000002.png."""
    found = re.fullmatch(RANGE, path.name)
    if found is None:
        raise RequestError(f"{path}: should be named after its first and last picture, as a-00000001-00000002.png.")
    stem, first, last = found.groups()
    return (path.with_name(f"{stem}-{number:08d}.png") for number in range(int(first), int(last) + 1))


def write_pictures(path: Path, images: np.ndarray) -> None:
    """Write images uint8 [N, H, W, C] as the pictures of the range `path`, all of them or none."""
    names = [file.name for file in list_files(path)]
    with replacing_all(path.parent, names) as temporary:
        for name, image in zip(names, images, strict=True):
            save_png(temporary / name, image)


def save_png(path: Path, image: np.ndarray) -> None:
    """Write an image uint8 [H, W, C], C 1 (grey) or 3 (RGB), as PNG to a path of a new file."""
    from PIL import Image

    encoded = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(encoded, "PNG", compress_level=_COMPRESSION)
    path.write_bytes(encoded.getbuffer())


def read_range(
    path: Path, image_shape: tuple[int, int, int] | None, rows: int | None = None
) -> Iterator[LabelledImages]:
    """Yield the pictures of a range, or its first `rows`, in chunks; the run's manifest says what their label is.

    Raises RequestError for one that is missing or damaged, or not of the shape (height, width, channels).
    """
    label, pictures = _find_label(path), islice(_read_all(path), rows)
    while chunk := list(islice(pictures, _CHUNK_SIZE)):
        for file, image in chunk:
            if image.shape != tuple(image_shape or chunk[0][1].shape):
                raise RequestError(f"{file}: should have the shape {image_shape}. Got {image.shape} instead.")
        yield LabelledImages(np.stack([image for _, image in chunk]), np.full(len(chunk), label, np.int64))


def hash_pictures(path: Path) -> str:
    """Return a SHA-256 over the shapes and pixels of a range, as hex: other compression is no other picture."""
    digest = hashlib.sha256()
    for _, image in _read_all(path):
        digest.update(repr(image.shape).encode() + image.tobytes())
    return digest.hexdigest()


def _read_all(path: Path) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield (file, image uint8 [H, W, C]) of the pictures of a range."""
    return ((file, _read_png(file)) for file in list_files(path))


def _read_png(path: Path) -> np.ndarray:
    """Read a picture, in a fifth of read_picture's time where it is as save_png has written it."""
    from PIL import Image

    from real.pictures.picture_files import Reading, decoding, read_picture

    try:
        with path.open("rb") as file, Image.open(file, formats=("PNG",)) as picture:
            if picture.mode in ("L", "RGB") and max(picture.size) <= MAX_SIDE:
                return np.asarray(picture).reshape(picture.height, picture.width, -1)
    except Exception:  # whatever it is, read_picture names it
        pass
    with decoding():
        found = read_picture(path, Reading())
    if not isinstance(found, np.ndarray):
        raise RequestError(f"{path}: should have 8 bits a pixel. It has more.")
    return found


def _find_label(path: Path) -> int:
    """Return the label value of a range's class."""
    folder = find_manifest_folder(path)
    if folder is None:
        raise RequestError(f"{path}: should lie below the {MANIFEST} of its run, which knows the pictures' labels.")
    labels = _load_labels(folder, tuple(_find_time(folder / name) for name in (MANIFEST, JOURNAL)))
    if path.relative_to(folder).as_posix() not in labels:
        raise RequestError(f"{folder / MANIFEST}: should list {path.name} with its class. It is damaged.")
    return labels[path.relative_to(folder).as_posix()]


def _find_time(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=8)
def _load_labels(folder: Path, modified: tuple[int, ...]) -> dict[str, int]:
    """Return {path of a shard below its run's folder: label value}."""
    manifest = load_manifest(folder)
    values = dict(zip(manifest["class_names"], manifest["label_values"], strict=True))
    return {entry["file"]: values[entry["class"]] for entry in manifest["shards"] if entry.get("class") in values}


def list_rows(shards: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, int]]:
    """Yield the metadata's rows of synthetic pictures, (file, class name, 1), of shards (path, class name)."""
    for path, name in shards:
        for file in list_files(Path(path)):
            yield f"{file.parent.name}/{file.name}", name, 1


def save_metadata(folder: Path, rows: Iterable[tuple[str, str, int]]) -> None:
    """Write `folder`/images/metadata.csv: of each picture its path from there, its class's name, and 1 if synthetic."""
    place = folder / PICTURES
    place.mkdir(exist_ok=True)
    with replacing(place / METADATA) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file_name", "label", "synthetic"))
        writer.writerows(rows)


def save_run_metadata(folder: Path, manifest: dict) -> None:
    """Write the metadata.csv of a run whose shards are all there, class by class."""
    order = {name: k for k, name in enumerate(class_folders(manifest["class_names"]))}
    entries = [entry for entry in manifest["shards"] if re.fullmatch(RANGE, Path(entry["file"]).name)]
    entries.sort(key=lambda entry: (order[entry["class"]], entry["shard"]))
    save_metadata(folder, list_rows((entry["file"], entry["class"]) for entry in entries))
