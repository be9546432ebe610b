"""Stream labelled images from many shards in constant memory, shuffled across them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from common.errors import RequestError
from real.labelled_images import LabelledImages
from synth.shard_formats import read_chunks
from synth.synthetic_folders import KnownClasses, index_names, read_synthetic_folder

BUFFER_SIZE = 20_000  # images that are shuffled together
_CHUNK_SIZE = 500  # images taken from one source at a time


@dataclass(frozen=True)
class Source:
    """Where images come from: a shard, images in memory, a generator.

    rows: {class index: images of it}. read: callable (epoch) -> iterator of chunks (images uint8 [n, H, W, C], class
    indices [n]), which gives exactly these rows.
    """

    rows: dict[int, int]
    read: Callable[[int], Iterator[tuple[np.ndarray, np.ndarray]]]


def index_shards(
    paths: Iterable[Path],
    image_shape: tuple[int, int, int],
    label_values: tuple[int, ...],
    per_class: int | None = None,
    skip: tuple[int | str, ...] = (),
    class_names: Sequence[str] = (),
) -> list[Source]:
    """Return one Source per shard that has rows to use: the first `per_class` of each class over all shards, or all.

    Rows with a label in `skip` are left out. A folder of pictures is a shard whose classes are those of `class_names`
    (of the same length as `label_values`), or else the label values, by name, and so is a file with names of classes;
    others in `skip` are left out. Reads each shard once. Raises RequestError for another image shape and for other
    labels that are not in `label_values`.
    """
    used: Counter[int] = Counter()
    sources = []
    known = index_names(class_names, label_values, skip)
    left_out = [value for value in skip if not isinstance(value, str)]
    for path in paths:
        rows: Counter[int] = Counter()
        for _, labels in _read_chunks(path, image_shape, known):
            labels = labels[~np.isin(labels, left_out)]
            unknown = np.setdiff1d(labels, label_values)
            if len(unknown):
                raise RequestError(
                    f"{path}: labels should be among the real data's, {', '.join(map(str, label_values))}. "
                    f"Got {', '.join(map(str, unknown[:5]))} instead."
                )
            rows.update(np.searchsorted(label_values, labels).tolist())
        chosen = dict(rows)
        if per_class is not None:
            chosen = {k: min(count, per_class - used[k]) for k, count in chosen.items()}
        chosen = {k: count for k, count in chosen.items() if count > 0}
        used.update(chosen)
        if chosen:
            read = partial(_read_shard, path.absolute(), image_shape, label_values, chosen, known)
            sources.append(Source(chosen, read))
    return sources


def split_in_memory(images: np.ndarray, labels: np.ndarray, rows_per_source: int = 5000) -> list[Source]:
    """Turn images in memory into sources of shard size, so that they mix evenly with shards."""
    sources = []
    for start in range(0, len(images), rows_per_source):
        part = slice(start, start + rows_per_source)
        read = partial(_read_part, images[part], labels[part])
        sources.append(Source(dict(Counter(labels[part].tolist())), read))
    return sources


def count_rows(sources: Iterable[Source]) -> dict[int, int]:
    """Return {class index: images} over all sources."""
    total: Counter[int] = Counter()
    for source in sources:
        total.update(source.rows)
    return dict(total)


def stream_images(sources: list[Source], seed: int, epoch: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks (images uint8 [n, H, W, C], class indices [n]): every image of `sources` once, shuffled.

    A number of sources is open at a time, chosen at random, evenly over the classes that they begin with; their
    chunks go through a buffer of BUFFER_SIZE images, half of which is drawn at random each time that it is full.
    Memory is the buffer and the open sources, whatever their number.
    """
    generator = np.random.default_rng([seed, epoch])
    waiting = _interleave(sources, generator)
    open_count = min(len(waiting), 2 * len(count_rows(sources)))
    readers = [waiting.pop().read(epoch) for _ in range(open_count)]
    buffer, buffered = [], 0
    while readers:
        position = int(generator.integers(len(readers)))
        block = next(readers[position], None)
        if block is None:
            if waiting:
                readers[position] = waiting.pop().read(epoch)
            else:
                readers.pop(position)
            continue
        buffer.append(block)
        buffered += len(block[1])
        if buffered >= BUFFER_SIZE:
            images, labels = _shuffle(buffer, generator)
            yield images[: BUFFER_SIZE // 2], labels[: BUFFER_SIZE // 2]
            buffer = [(images[BUFFER_SIZE // 2 :], labels[BUFFER_SIZE // 2 :])]
            buffered = len(buffer[0][1])
    if buffered:
        yield _shuffle(buffer, generator)


def _interleave(sources: list[Source], generator: np.random.Generator) -> list[Source]:
    """Return the sources in random order, the ones that begin with each class spread evenly."""
    order = generator.permutation(len(sources))
    seen: Counter[int] = Counter()
    keys = {}
    totals = Counter(min(source.rows) for source in sources)
    for index in order:
        k = min(sources[index].rows)
        keys[index] = (seen[k] + generator.random()) / totals[k]
        seen[k] += 1
    return [sources[index] for index in sorted(order, key=lambda index: keys[index])]


def _read_shard(
    path: Path,
    image_shape: tuple[int, int, int],
    label_values: tuple[int, ...],
    rows: dict[int, int],
    known: KnownClasses,
    epoch: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the chunks of a shard, cut to the rows that it may use."""
    left = dict(rows)
    for images, labels in _read_chunks(path, image_shape, known):
        keep = np.zeros(len(labels), bool)
        for k, count in left.items():
            members = np.flatnonzero(labels == label_values[k])[:count]
            keep[members] = True
            left[k] -= len(members)
        if keep.any():
            yield images[keep], np.searchsorted(label_values, labels[keep])


def _read_part(images: np.ndarray, labels: np.ndarray, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the chunks of images in memory."""
    return cut_chunks(images, labels)


def _read_chunks(
    path: Path, image_shape: tuple[int, int, int], known: KnownClasses
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (images, label values) of a shard in chunks; where it marks synthetic rows, these alone.

    known: for a folder of pictures, or a file with names of classes; others in it are left out.
    """
    parts = [read_synthetic_folder(path, image_shape, known)] if path.is_dir() else read_chunks(path, image_shape)
    for part in parts:
        images, labels = part.images, part.labels
        if images.shape[1:] != tuple(image_shape):  # a folder's may be grey or in colour
            got = images.shape[1:]
            raise RequestError(f"{path}: images should have shape {tuple(image_shape)}. Got {got} instead.")
        if part.synthetic is not None:
            images, labels = images[part.synthetic], labels[part.synthetic]
        if part.class_names and known.is_told_by_name(part):
            named = known.select(LabelledImages(images, labels, class_names=part.class_names), path)
            images, labels = named.images, named.labels
        yield from cut_chunks(images, labels)


def cut_chunks(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images [n, H, W, C] and labels [n] in the chunks that sources give."""
    starts = range(0, len(labels), _CHUNK_SIZE)
    return ((images[start : start + _CHUNK_SIZE], labels[start : start + _CHUNK_SIZE]) for start in starts)


def _shuffle(
    buffer: list[tuple[np.ndarray, np.ndarray]], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    images, labels = (np.concatenate(part) for part in zip(*buffer, strict=True))
    order = generator.permutation(len(labels))
    return images[order], labels[order]
