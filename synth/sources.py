"""Stream labelled images from many shards in constant memory, shuffled across them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synth.data_files import holds_images
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.files import find_mark
from synth.folder_layout import find_layout
from synth.folder_tree import scan_folder
from synth.labelled_images import LabelledImages
from synth.run_folder import DESCRIPTION, HISTORY, MANIFEST
from synth.shard_formats import FORMATS, find_format, has_hash, hash_file, is_there, list_suffixes, read_chunks
from synth.shard_pictures import METADATA, count_marks
from synth.shards import load_hashes, load_manifest
from synth.synthetic_folders import KnownClasses, index_names, is_flat, read_synthetic_folder

BUFFER_SIZE = 20_000  # images that are shuffled together
_CHUNK_SIZE = 500  # images taken from one source at a time
_NO_SHARDS = (HISTORY, METADATA)  # CSVs of runs that are something else


@dataclass(frozen=True)
class Source:
    """Where images come from: a shard, images in memory, a generator.

    rows: {class index: images of it}. read: callable (epoch) -> iterator of chunks (images uint8 [n, H, W, C], class
    indices [n]), which gives exactly these rows.
    """

    rows: dict[int, int]
    read: Callable[[int], Iterator[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Run:
    """The run that synthetic images come from, as far as it is known.

    trained: models.trained_gan.TrainedGAN, where images are drawn from it. paths: its shards. request: how its data
    were loaded, and fingerprint: theirs. classes: {label value: name}; of a folder of pictures, whose classes are found
    by their names, {name: name}. hashes: of the images its GAN was trained on. identity: hash of the generator's
    weights or of the shards. pretrained_features: the network of other pictures that its GAN saw images through.
    """

    trained: Any = None
    paths: Sequence[Path] = ()
    request: dict = field(default_factory=dict)
    fingerprint: str | None = None
    classes: dict = field(default_factory=dict)
    hashes: np.ndarray | None = None
    identity: str | None = None
    pretrained_features: str | None = None

    def check_classes(self, dataset: Dataset) -> None:
        """Raise RequestError where a label of the run means another class than in synth.datasets.Dataset.

        A class that is named after its label has no name that could differ.
        """
        for value, name in zip(dataset.label_values, dataset.class_names, strict=True):
            if self.classes.get(value, name) not in (name, str(value)) and name != str(value):
                raise RequestError(
                    f"the run's classes should be the real data's: label {value} is {name!r} in "
                    f"{dataset.name}. Got {self.classes[value]!r} instead."
                )


def open_run(
    pattern: str | Path, report: Callable[[str], object], flag: str = "--synthetic", *, classless: bool = False
) -> Run:
    """Find the shards of `pattern` (see find_shards), check them against their manifest, and return the Run.

    classless: whether pictures that lie side by side, without anything that gives them classes, will do.
    """
    paths, folder = find_shards(pattern, flag)
    if folder is None:
        report(f"note: {pattern} has no manifest: the leakage guard does not know what the images' GAN was trained on")
        files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
        files = [file for file in files if file.is_file()]
        folders = [path for path in paths if path.is_dir() and not (classless and is_flat(path))]
        layouts = [find_layout(path) for path in folders]
        for note in dict.fromkeys(note for layout in layouts for note in layout.notes):
            report(f"note: {pattern}: {note}")
        names = {name: name for layout in layouts for name in layout.class_names}
        return Run(paths=paths, classes=names, identity=_hash_texts(map(hash_file, files)))
    check_shards(paths, folder)
    manifest = load_manifest(folder)
    if not manifest["complete"]:
        report(f"warning: {folder} is incomplete: the command that made it, run again, completes it.")
    classes = dict(zip(manifest["label_values"], manifest["class_names"], strict=True))
    identity = _hash_texts(entry["sha256"] for entry in manifest["shards"])
    hashes = load_hashes(folder, manifest.get("train_hashes"))
    pretrained = manifest.get("pretrained_features")
    return Run(None, paths, manifest["request"], manifest["fingerprint"], classes, hashes, identity, pretrained)


def find_shards(pattern: str | Path, flag: str = "--synthetic") -> tuple[list[Path], Path | None]:
    """Return (sorted shard paths, folder of their run or None) of a run's folder, any folder, a file or a glob.

    A folder with pictures, and no shards, is itself taken as the one shard.

    The run is the nearest folder above the shards with a manifest. Where a CSV and an NPZ of the same name lie
    together they are the same images, and the NPZ is taken. Raises RequestError, with the command that makes shards,
    where there are none.
    """
    path = Path(pattern)
    if path.is_dir():
        found = _list_shards(path)
    else:
        anchor = Path(path.anchor or ".")
        found = [path] if path.is_file() else list(anchor.glob(str(path.relative_to(path.anchor))))
    if path.is_dir() and not found and scan_folder(path).count:
        if count_marks(path)["0"]:
            raise RequestError(f"{flag} should be the run's folder: {path} holds real pictures, too ({METADATA}).")
        return [path], None
    found = sorted(shard for shard in set(found) if find_format(shard))
    there = set(found)
    found = [shard for shard in found if shard.suffix == ".npz" or shard.with_suffix(".npz") not in there]
    if not found:
        raise RequestError(
            f"{flag} should be a folder or glob of shards ({', '.join(list_suffixes())}). None in {pattern}: "
            f"python generate_data.py --class-size 1000 --out {pattern} makes them."
        )
    folders = {_find_run(shard) for shard in found}
    if len(folders) > 1:
        names = ", ".join(sorted(str(folder or "files of no run") for folder in folders)[:4])
        raise RequestError(
            f"{flag} should be the shards of one run. {pattern} holds those of {names}: name one of them."
        )
    return found, folders.pop()


def _list_shards(folder: Path) -> list[Path]:
    """Return the shards below a folder: those that the manifest of its run lists, and files that look like some.

    In the run's own folder the manifest alone counts. Pictures are found by a manifest and not otherwise.
    """
    run = folder if (folder / MANIFEST).is_file() else _find_run(folder)
    listed = [run / entry["file"] for entry in load_manifest(run)["shards"]] if run else []
    unknown = [path for path in listed if not find_format(path)]
    if unknown:
        raise RequestError(f"{run}/{MANIFEST}: shards should be {', '.join(FORMATS)}. Got {unknown[0].name} instead.")
    if run == folder:
        return listed
    _check_unmarked(folder)
    found = [path for suffix in list_suffixes() for path in folder.rglob(f"*{suffix}")]
    found = [path for path in found if not (path.parent / DESCRIPTION).exists() and path.name not in _NO_SHARDS]
    if found and scan_folder(folder).count:  # a table of labels may lie beside pictures
        found = [path for path in found if holds_images(path)]
        if found:
            raise RequestError(
                f"{folder}: should hold pictures, or files of images as {found[0].name}, and holds both: name one."
            )
    return found + [path for path in listed if path.is_relative_to(folder)]


def _find_run(path: Path) -> Path | None:
    """Return the nearest folder above `path` with a manifest."""
    return next((parent for parent in path.parents if (parent / MANIFEST).is_file()), None)


def _check_unmarked(folder: Path) -> None:
    """Raise RequestError for the folder of a run that has no manifest yet, or never has one."""
    script = find_mark(folder)
    if script in ("generate_data.py", "augment.py balance"):
        raise RequestError(f"{folder} is an unfinished run of {script}: the same command again finishes it.")
    if script:
        raise RequestError(f"{folder} is a run of {script}, which makes no shards. Name one of generate_data.py.")


def check_shards(paths: list[Path], folder: Path) -> None:
    """Raise RequestError for a shard that is missing or whose bytes are not those that the run's manifest recorded."""
    expected = {folder / entry["file"]: entry["sha256"] for entry in load_manifest(folder)["shards"]}
    for path in paths:
        if not is_there(path) or not has_hash(path, expected.get(path, "")):
            state = "altered or truncated" if is_there(path) else "missing, whole or in part"
            raise RequestError(f"{path}: should be as {MANIFEST} recorded it, but is {state}: make the shards again.")


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


def _hash_texts(texts: Iterable[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()


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
