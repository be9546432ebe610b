"""Read many pictures into one array: in processes, with progress, and with all that is wrong in one line."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from common.cores import count_cores
from common.errors import RequestError
from common.progress import open_bar
from real.pictures.folder_tree import list_some
from real.pictures.picture_cache import PictureSet, compute_key, load_cached, save_cached
from real.pictures.picture_files import EncodedPicture, Reading, UnreadableError, count_pages, decoding, read_picture
from real.pictures.picture_levels import Levels, Range, find_levels

_BLOCK = 64  # pictures that a process reads together
_WORTH_PROCESSES = 3.0  # seconds that reading would take alone: starting them takes one or two
_PAGED = (".tif", ".tiff")  # suffixes of files that may hold a stack
_LISTED = 10  # names in a message
_WORTH_A_BAR = 1000  # pictures
WORTH_CACHING = 10.0  # seconds


def read_pictures(paths: Sequence[Path | EncodedPicture], reading: Reading, source: str | Path) -> PictureSet:
    """Read pictures as uint8 [N, H, W, C], in this order; all-grey ones give one channel, others three.

    What took long is cached for the next time, unless `reading` says not to. Raises RequestError, naming `source` or
    the pictures, for sizes that differ, for pictures that can't be read (all of them at once) where `reading` does not
    leave them out, and for pixels whose range fits nothing.
    """
    key = None if reading.no_cache else compute_key(paths, reading)
    found = load_cached(key) if key else None
    if found:
        return found
    start = time.monotonic()
    found = _SetReader(paths, reading, source).read()
    if key and time.monotonic() - start > WORTH_CACHING:
        save_cached(key, found)
    return found


class _SetReader:
    """Reads pictures in their order into an array that grows no more once the first is known, but for its channels."""

    def __init__(self, paths: Sequence[Path | EncodedPicture], reading: Reading, source: str | Path) -> None:
        self._paths = paths
        self._reading = reading
        self._source = source
        self._images: np.ndarray | None = None
        self._ranges: dict[int, Range] = {}  # of pictures with more than 8 bits: they wait for the range of all
        self._unreadable: dict[int, UnreadableError] = {}
        self._notes: list[str] = []

    def read(self) -> PictureSet:
        """Read them all."""
        quiet, total = self._reading.quiet or len(self._paths) < _WORTH_A_BAR, len(self._paths)
        with open_bar(quiet=quiet, total=total, desc="reading", unit="img") as bar:
            self._read_part(range(total), None, bar.update)
            if self._ranges:
                levels = find_levels(self._ranges.values(), str(self._source))
                self._notes += [levels.note] if levels.note else []
                self._read_part(sorted(self._ranges), levels, lambda count: None)
        if self._unreadable:
            self._report_unreadable()
        tiff = next((path for path in self._paths if isinstance(path, Path) and path.suffix.lower() in _PAGED), None)
        if tiff and (pages := count_pages(tiff)) > 1:
            self._notes.append(f"{tiff.name} has {pages:,} pages: of such files the first page alone is read")
        kept = np.ones(len(self._paths), bool)
        kept[list(self._unreadable)] = False
        if self._images is None:
            raise RequestError(f"{self._source}: should hold pictures that can be read. None of them can.")
        images = self._images if kept.all() else self._images[kept]
        return PictureSet(images, kept, tuple(self._notes))

    def _read_part(self, indices: Sequence[int], levels: Levels | None, advance: Callable[[int], object]) -> None:
        """Read the pictures of these indices, what is found kept in their order."""
        for block, found in _read_blocks(self._paths, indices, self._reading, levels):
            for index, result in zip(block, found, strict=True):
                if isinstance(result, Range):
                    self._ranges[index] = result
                elif isinstance(result, UnreadableError):
                    self._unreadable[index] = result
                elif isinstance(result, np.ndarray):
                    self._store(index, result)
                else:
                    raise result
            advance(len(block))

    def _store(self, index: int, image: np.ndarray) -> None:
        """Put an image [H, W, C] into the array, which has three channels from the first coloured one on."""
        if self._images is None:
            self._images = np.zeros((len(self._paths), *image.shape), np.uint8)
        expected, channels = self._images.shape[1:3], self._images.shape[3]
        if image.shape[:2] != expected:
            raise RequestError(
                f"{self._paths[index]}: images should all have the size of the first, {expected[0]} x {expected[1]}. "
                f"Got {image.shape[0]} x {image.shape[1]} instead (--image-size resizes them)."
            )
        if image.shape[2] > channels:
            self._images = np.repeat(self._images, image.shape[2], axis=3)
        self._images[index] = image  # broadcasts grey

    def _report_unreadable(self) -> None:
        """Raise RequestError for the pictures that can't be read, or note that they are left out."""
        errors = [self._unreadable[index] for index in sorted(self._unreadable)]
        paths = [self._paths[index] for index in sorted(self._unreadable)]
        base = Path(self._source)
        names = [str(path).removeprefix(f"{base}{os.sep}") for path in paths]
        if self._reading.skip_unreadable:
            self._notes.append(f"unreadable pictures left out, {len(errors):,}: {list_some(names, _LISTED)}")
        elif len(errors) == 1:
            raise RequestError(f"{errors[0]} --skip-unreadable leaves it out.") from errors[0]
        else:
            raise RequestError(
                f"{self._source}: {len(errors):,} pictures should be readable images: {list_some(names, _LISTED)} "
                "(--skip-unreadable leaves them out)."
            )


def _read_blocks(
    paths: Sequence[Path | EncodedPicture], indices: Sequence[int], reading: Reading, levels: Levels | None
) -> Iterator[tuple[Sequence[int], list[np.ndarray | Range | RequestError]]]:
    """Yield (indices of a block, what _read_block returns of it) in order; the first is timed, to see what is worth it.

    Not in threads: Pillow holds Python's lock while it looks at a picture's head, most of the time for small ones.
    """
    blocks = [indices[start : start + _BLOCK] for start in range(0, len(indices), _BLOCK)]
    groups = ([paths[index] for index in block] for block in blocks)
    _read_block([], reading, levels)  # loads what Pillow needs
    start = time.perf_counter()
    first = _read_block(next(groups), reading, levels)
    seconds = (time.perf_counter() - start) * (len(blocks) - 1)
    yield blocks[0], first
    workers = count_cores() if seconds > _WORTH_PROCESSES else 1
    read = Parallel(workers, return_as="generator", batch_size=1)(
        delayed(_read_block)(group, reading, levels) for group in groups
    )
    yield from zip(blocks[1:], read, strict=True)


def _read_block(
    paths: Sequence[Path | EncodedPicture], reading: Reading, levels: Levels | None
) -> list[np.ndarray | Range | RequestError]:
    """Read some pictures; errors are returned, as the first in order counts, not in time."""
    found: list[np.ndarray | Range | RequestError] = []
    with decoding():
        for path in paths:
            try:
                found.append(read_picture(path, reading, levels))
            except RequestError as error:
                found.append(error)
    return found
