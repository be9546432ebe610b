"""Index the images of a run that need not be as the real ones: in other sizes, grey or in colour, without classes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np

from common.errors import RequestError
from real.image_matching import compute_colour, describe_channels, describe_sizes, match_images
from real.pictures.folder_tree import scan_folder
from real.pictures.picture_files import read_sizes
from synth.shard_formats import read_chunks
from synth.sources import Source, cut_chunks, index_shards
from synth.synthetic_folders import index_names, lacks_classes, read_flat_folder

_SIZED = 1000  # pictures of a folder whose sizes are looked at
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class MatchedSources:
    """The sources of a run, and a line each on what was done to its images.

    classless: the folders of pictures without classes, which are all of class index 0.
    """

    sources: list[Source]
    notes: tuple[str, ...] = ()
    classless: tuple[Path, ...] = ()


def index_matched(
    paths: Iterable[Path],
    image_shape: Shape,
    label_values: tuple[int, ...],
    skip: tuple[int | str, ...] = (),
    class_names: Sequence[str] = (),
) -> MatchedSources:
    """Return the sources of shards, as synth.sources.index_shards does, whose images are brought to `image_shape`.

    A folder of pictures that lie side by side, and which nothing gives classes, is taken without them.
    """
    known = index_names(class_names, label_values, skip)
    sources: list[Source] = []
    classless: list[Path] = []
    notes: list[str] = []
    for path in paths:
        shape = _find_shape(path, image_shape)
        if path.is_dir() and lacks_classes(path, known):
            classless.append(path)
            found = [Source({0: scan_folder(path).count}, partial(_read_flat, path, shape))]
        else:
            found = index_shards([path], shape, label_values, skip=skip, class_names=class_names)
        notes += _describe(path, found, shape, image_shape)
        if shape != tuple(image_shape):
            found = [Source(source.rows, partial(_read_matched, source, image_shape)) for source in found]
        sources += found
    return MatchedSources(sources, tuple(dict.fromkeys(notes)), tuple(classless))


def _find_shape(path: Path, image_shape: Shape) -> Shape:
    """Return the shape that a shard is read in: that of its images, but the real ones' where it can't be told.

    A folder's pictures are read in the real ones' size, and in colour: which of them are shows then.
    """
    height, width, channels = image_shape
    if path.is_dir():
        return (height, width, 3)
    try:
        shape = next(iter(read_chunks(path, None, rows=1))).images.shape[1:]
    except RequestError:  # no square: reading it as the real images says what is wrong
        return image_shape
    return image_shape if prod(shape) == height * width * channels else shape


def _describe(path: Path, sources: list[Source], shape: Shape, image_shape: Shape) -> Iterator[str]:
    """Yield what is to be known of the images of a shard."""
    *size, channels = image_shape
    if path.is_dir():
        pictures = scan_folder(path).list_pictures()
        step = -(-len(pictures) // _SIZED)
        sizes = read_sizes(pictures[::step])
        if any(picture.suffix.lower() in _JPEG for picture in pictures[::step]):
            yield "some are JPEGs: unless the real ones are, too, their compression changes distances by itself"
    else:
        sizes = {shape[:2]}
    if path.is_dir() or shape[2] != channels:
        blocks = (images for source in sources for images, _ in islice(source.read(0), None if path.is_dir() else 1))
        colour = max((compute_colour(images) for images in blocks), default=0.0)
        yield from filter(None, [describe_channels(colour, channels)])
    yield from filter(None, [describe_sizes(sizes, (size[0], size[1]))])


def _read_matched(source: Source, image_shape: Shape, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the chunks of a source, brought to this shape."""
    return ((match_images(images, image_shape), labels) for images, labels in source.read(epoch))


def _read_flat(folder: Path, shape: Shape, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the chunks of a folder without classes."""
    images = match_images(read_flat_folder(folder, shape), shape)
    return cut_chunks(images, np.zeros(len(images), np.int64))


def keep_classes(sources: Iterable[Source], kept: Iterable[int]) -> list[Source]:
    """Return the sources of images of these class indices alone."""
    chosen = set(kept)
    found = []
    for source in sources:
        rows = {k: count for k, count in source.rows.items() if k in chosen}
        if rows == source.rows:
            found.append(source)
        elif rows:
            found.append(Source(rows, partial(_read_kept, source, sorted(rows))))
    return found


def _read_kept(source: Source, kept: list[int], epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for images, labels in source.read(epoch):
        keep = np.isin(labels, kept)
        if keep.any():
            yield images[keep], labels[keep]


def merge_classes(sources: Iterable[Source]) -> list[Source]:
    """Return the sources with all images in class index 0."""
    return [Source({0: sum(source.rows.values())}, partial(_read_merged, source)) for source in sources]


def _read_merged(source: Source, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((images, np.zeros_like(labels)) for images, labels in source.read(epoch))
