"""The file formats of shards, in one table: how each is written, read, recognised, checked and how large it gets."""

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.files import replacing
from real.labelled_images import LabelledImages
from real.npz_files import read_npz
from synth import shard_pictures

_CSV_CHUNK = 512  # rows: the text of a chunk stays in the processor's cache
_PIXEL_TEXT = np.array([f",{value}" for value in range(256)], "S4").view(np.uint32)  # padded with zero bytes
_BLOCK = 4096  # bytes: what a file system gives to the smallest file


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class ShardFormat:
    """How a shard becomes files, and images again.

    place: of a shard below its run's folder, with {folder} of its class, its number {shard}, and the numbers {first}
        and {last} of its images within the class, from 1 on. pattern: a regular expression of such file names.
    write: callable (path, images uint8 [N, H, W, C], label values int64 [N], {name: further array}), which writes
        whole files or none; of the further arrays it keeps "synthetic", bool [N], where that is given.
    read: callable (path, image_shape, rows or None for all) -> real.labelled_images.LabelledImages in pieces.
    row_bytes: callable (pixels of an image, times channels) -> bytes that it takes on a disk, at most.
    list_files: callable (path) -> the files that the shard consists of. compute_hash: callable (path) -> SHA-256 over
        what must not change, as hex. finish: callable (folder, manifest), called when all shards of a run are there.
    is_pictures: whether a file holds one image, so that a training set has a folder in place of a file.
    """

    place: str
    pattern: str
    write: Callable[[Path, np.ndarray, np.ndarray, dict[str, np.ndarray]], None]
    read: Callable[[Path, tuple[int, int, int] | None, int | None], Iterable[LabelledImages]]
    row_bytes: Callable[[int], int]
    list_files: Callable[[Path], Iterable[Path]] = lambda path: [path]
    compute_hash: Callable[[Path], str] = hash_file
    finish: Callable[[Path, dict], None] = lambda folder, manifest: None
    is_pictures: bool = False


def _write_npz(
    path: Path,
    images: np.ndarray,
    labels: np.ndarray,
    more: dict[str, np.ndarray],
    save: Callable[..., None] = np.savez,
) -> None:
    archive = io.BytesIO()  # numpy leaves an open zip file behind when a disk is full
    save(archive, images=images, labels=labels, **more)
    with replacing(path) as temporary:
        temporary.write_bytes(archive.getbuffer())


def _write_compressed_npz(path: Path, images: np.ndarray, labels: np.ndarray, more: dict[str, np.ndarray]) -> None:
    _write_npz(path, images, labels, more, np.savez_compressed)


def _read_npz(path: Path, image_shape: tuple[int, int, int] | None, rows: int | None) -> Iterator[LabelledImages]:
    yield read_npz(path)


def _write_csv(path: Path, images: np.ndarray, labels: np.ndarray, more: dict[str, np.ndarray]) -> None:
    """Write Kaggle's layout; with an array "synthetic", as a last column 0 or 1, the real rows first."""
    marks = more.get("synthetic")
    blocks = {b"\n": np.arange(len(labels))}
    if marks is not None:
        blocks = {b",0\n": np.flatnonzero(~marks), b",1\n": np.flatnonzero(marks)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(csv_header(images[0].size, b"\n" if marks is None else b",synthetic\n"))
        for ending, rows in blocks.items():
            for start in range(0, len(rows), _CSV_CHUNK):
                chunk = rows[start : start + _CSV_CHUNK]
                file.write(csv_rows(images[chunk], labels[chunk], ending))


def csv_header(pixel_count: int, ending: bytes = b"\n") -> bytes:
    """Return the header line of Kaggle's train.csv: b"label,pixel0,...\\n"."""
    return ("label," + ",".join(f"pixel{index}" for index in range(pixel_count))).encode() + ending


def csv_rows(images: np.ndarray, labels: int | np.ndarray, ending: bytes = b"\n") -> bytes:
    """Return the CSV lines of images uint8 [N, ...] with one label, or one each, byte-equal to pandas.DataFrame.to_csv.

    The text of each pixel is looked up in a table of padded byte strings, and the padding is dropped in one go.
    ending: up to 4 bytes behind the last pixel.
    """
    text = np.array(np.broadcast_to(labels, len(images)), "S")
    width = -(-text.itemsize // 4)
    lines = np.empty((len(images), width + images[0].size + 1), np.uint32)
    lines[:, :width] = text.astype(f"S{4 * width}").view(np.uint32).reshape(-1, width)
    lines[:, width:-1] = _PIXEL_TEXT[images.reshape(len(images), -1)]
    lines[:, -1] = np.frombuffer(ending.ljust(4, b"\0"), np.uint32)
    return lines.tobytes().translate(None, b"\0")


def _read_csv(path: Path, image_shape: tuple[int, int, int] | None, rows: int | None) -> Iterable[LabelledImages]:
    from real.tables import read_csv, read_csv_chunks

    return read_csv_chunks(path, image_shape) if rows is None else [read_csv(path, image_shape, rows)]


def _write_pictures(path: Path, images: np.ndarray, labels: np.ndarray, more: dict[str, np.ndarray]) -> None:
    shard_pictures.write_pictures(path, images)  # of one class, whose label is the manifest's


_NPZ = ShardFormat(
    place="shards/{folder}/part-{shard:05d}.npz",
    pattern=r".+\.npz",
    write=_write_npz,
    read=_read_npz,
    row_bytes=lambda pixels: pixels + 12,
)
FORMATS = {  # the first that a file's name fits reads it
    "csv": ShardFormat(
        place="shards/{folder}/part-{shard:05d}.csv",
        pattern=r".+\.csv",
        write=_write_csv,
        read=_read_csv,
        row_bytes=lambda pixels: 4 * pixels,
    ),
    "npz": _NPZ,
    "npz-compressed": replace(_NPZ, write=_write_compressed_npz),
    "png": ShardFormat(
        place=shard_pictures.PICTURES + "/{folder}/" + shard_pictures.RANGE_NAME,
        pattern=shard_pictures.RANGE,
        write=_write_pictures,
        read=shard_pictures.read_range,
        row_bytes=lambda pixels: -(-(pixels * 9 // 8 + 200) // _BLOCK) * _BLOCK,
        list_files=shard_pictures.list_files,
        compute_hash=shard_pictures.hash_pictures,
        finish=shard_pictures.save_run_metadata,
        is_pictures=True,
    ),
}
_SEVERAL = {"both": ("npz", "csv")}
CHOICES = (*FORMATS, *_SEVERAL)  # of --format


def list_formats(choice: str) -> tuple[str, ...]:
    """Return the names of the formats that --format asks for: "both" -> ("npz", "csv")."""
    return _SEVERAL.get(choice, (choice,))


def list_folders(choice: str) -> list[str]:
    """Return the folders of a run's folder that hold the shards of --format."""
    return sorted({FORMATS[name].place.partition("/")[0] for name in list_formats(choice)})


def list_suffixes() -> list[str]:
    """Return the suffixes of shards that are files, and so are found in a folder without a manifest, too."""
    return sorted({Path(format.place).suffix for format in FORMATS.values() if not format.is_pictures})


def find_format(path: str | Path) -> ShardFormat | None:
    """Return the format of a shard by the name of its file, or None where it is no shard."""
    name = Path(path).name
    return next((format for format in FORMATS.values() if re.fullmatch(format.pattern, name)), None)


def _get_format(path: Path) -> ShardFormat:
    format = find_format(path)
    if format is None:
        raise RequestError(f"{path}: should be a shard, {', '.join(FORMATS)}. Its name is another.")
    return format


def write_shard(
    path: str | Path, images: np.ndarray, label: int, scores: np.ndarray, format: ShardFormat | None = None
) -> None:
    """Write one class's images uint8 [N, H, W, C] to `path`, whole or not at all, as the format of its name."""
    labels = np.full(len(images), label, np.int64)
    (format or _get_format(Path(path))).write(Path(path), images, labels, {"scores": scores.astype(np.float32)})


def read_chunks(
    path: str | Path, image_shape: tuple[int, int, int] | None, rows: int | None = None
) -> Iterator[LabelledImages]:
    """Yield a shard, or at least its first `rows`, in pieces; RequestError where its images have another shape.

    image_shape: None takes them as they are.
    """
    for part in _get_format(Path(path)).read(Path(path), image_shape, rows):
        if image_shape and part.images.shape[1:] != tuple(image_shape):
            got = part.images.shape[1:]
            raise RequestError(f"{path}: images should have shape {tuple(image_shape)}. Got {got} instead.")
        yield part


def read_shard(
    path: str | Path, image_shape: tuple[int, int, int], rows: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read one shard back, or its first `rows`: images uint8 [N, *image_shape] and label values int64 [N]."""
    parts = list(read_chunks(path, image_shape, rows))
    images, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    return images[:rows], labels[:rows]


def describe_shard(path: str | Path) -> dict:
    """Return what a manifest says of a shard: its size, its last time of change in nanoseconds, and its SHA-256."""
    path, format = Path(path), _get_format(Path(path))
    return _measure(format, path) | {"sha256": format.compute_hash(path)}


def _measure(format: ShardFormat, path: Path) -> dict[str, int]:
    statuses = [file.stat() for file in format.list_files(path)]
    return {
        "bytes": sum(status.st_size for status in statuses),
        "modified": max(status.st_mtime_ns for status in statuses),
    }


def is_there(path: Path) -> bool:
    """Tell whether all files of a shard are there."""
    return all(file.is_file() for file in _get_format(path).list_files(path))


def is_whole(path: Path, entry: dict) -> bool:
    """Tell whether a shard is as its manifest entry says: by size and time, or by SHA-256 where these differ."""
    if not is_there(path):
        return False
    measured = _measure(_get_format(path), path)
    return all(entry.get(name) == value for name, value in measured.items()) or has_hash(path, entry["sha256"])


def has_hash(path: Path, expected: str) -> bool:
    """Tell whether the content of a shard has this SHA-256."""
    try:
        return _get_format(path).compute_hash(path) == expected
    except RequestError:  # a picture that can't be read
        return False
