"""Load any supported data set and split it, the same way for every script and seed."""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from common.counts import parse_classes, parse_counts
from common.errors import RequestError
from common.images import DEFAULT_FIT, hash_images, resize_images
from real.data_files import PathReading, keep_groups, refuse_columns
from real.joined_parts import (
    bring_copies_together,
    gather_groups,
    join_parts,
    leave_out_foreign,
    name_classes,
    note_shared_groups,
    note_similar_names,
)
from real.kaggle_files import find_train_csv
from real.label_matching import match_part
from real.labelled_images import LabelledImages
from real.pictures.picture_files import Reading
from real.readers import read_path, takes_label_column
from real.split_names import PARTS
from real.splits import join_groups, parse_resplit, split_images
from real.standard_sets import NAMED_SETS, DatasetNotFoundError, Download, read_mnist5k, read_standard

Labelled = tuple[np.ndarray, np.ndarray]  # images uint8 [n, H, W, C], class indices [n]


@dataclass(frozen=True)
class Dataset:
    """Images uint8 [N, H, W, C], class indices int64 [N] in 0..K-1 and the index arrays of the three splits.

    `label_values[k]` is the integer that the source uses for class k (what CSV files hold), `class_names[k]` its name.
    `request` holds the arguments that load it again: load_dataset(**request).
    """

    name: str
    request: dict
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    label_values: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    text_labels: bool = False  # whether the source calls its classes by their names, and has no numbers for them
    own_parts: tuple[str, ...] = ()  # those of "validation" and "test" that the source brought
    notes: tuple[str, ...] = ()  # what the user should know of the data, a line each

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)"""
        return self.images.shape[1:]

    @property
    def has_classifier(self) -> bool:
        """Whether there are classes to tell apart."""
        return len(self.class_names) > 1

    @property
    def inputs(self) -> dict[str, str | None]:
        """{flag: name or path} of what was read."""
        return {"--data": self.request["data"], "--test-data": self.request.get("test_data")}

    @property
    def written_labels(self) -> tuple[str | int, ...]:
        """What a file with labels of the source's kind calls each class: its name, or its label value."""
        return self.class_names if self.text_labels else self.label_values

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape, pixels and label values of all images, as hex."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(np.array(self.label_values, "<i8")[self.labels].tobytes())
        return digest.hexdigest()

    @property
    def identity(self) -> dict[str, str]:
        """What a run on these data is bound to: their fingerprint, and how they were split where that was asked for."""
        split = {option: self.request[option] for option in ("groups", "resplit") if option in self.request}
        return {"fingerprint": self.fingerprint} | split

    def part(self, split: str, class_index: int | None = None) -> Labelled:
        """Return images [n, H, W, C] uint8 and labels [n] of "train", "validation" or "test", or of one class there."""
        index = getattr(self, split)
        if class_index is not None:
            index = index[self.labels[index] == class_index]
        return self.images[index], self.labels[index]

    def labelled(self) -> np.ndarray:
        """Return the indices of all images but those of the source's own validation and test parts, in its order."""
        parts = [split for split in PARTS if split not in self.own_parts]
        return np.sort(np.concatenate([getattr(self, split) for split in parts]))

    def count_train(self) -> np.ndarray:
        """Return the number of train images of each class, int64 [K]."""
        return np.bincount(self.labels[self.train], minlength=len(self.class_names))

    def train_hashes(self) -> np.ndarray:
        """Compute the 64-bit hashes of the train part, uint64 [n], for the leakage guard."""
        return hash_images(self.images[self.train])


def load_dataset(  # one parameter for each option, as in the call of a notebook
    data: str | Path | None = None,
    *,
    classes: str | None = None,
    real_per_class: str | int | None = None,
    image_size: tuple[int, int] | None = None,
    image_shape: tuple[int, int, int] | None = None,
    test_data: str | Path | None = None,
    label_column: str | None = None,
    groups: str | None = None,
    resplit: str | None = None,
    fit: str = DEFAULT_FIT,
    skip_unreadable: bool = False,
    seed: int = 0,
    no_cache: bool = False,
    quiet: bool = True,
    download: Download | None = None,
) -> Dataset:
    """Load a data set by name or path.

    data: None (Kaggle's train.csv, else MNIST, else mnist5k), "mnist", "fashion_mnist", "mnist5k", or a file or folder
        as of real.readers.read_path.
    classes: comma-separated names or label values to keep.
    real_per_class: train images per class to keep, as common.counts.parse_counts reads it, drawn with `seed`; classes
        that it does not name keep all. Their validation part shrinks to an eighth of it.
    image_size: (height, width) to resize to. image_shape: (height, width, channels) of a table's rows.
    test_data: file or folder of the same classes that becomes the test part, in place of one that `data` has.
    label_column: name or number of a table's column with the labels, where it is not found by itself.
    groups: name of a table's column; images with the same text there, as of one patient, come to the same part.
    resplit: percentages, as "80/10/10", by which a set that brings its own parts is split anew.
    fit, skip_unreadable, no_cache, quiet: as of real.pictures.picture_files.Reading.
    download: callable (name) -> (x_train, y_train), (x_test, y_test) for standard sets that no local copy has;
        it raises OSError when it can't.

    A validation or test part that the source brings stays that part; where it brings none, a stratified tenth of the
    rest each (80/10/10), with equal images in the same part. Raises RequestError for anything that is not as expected,
    images that are marked as synthetic among it.
    """
    pictures = Reading((image_size[0], image_size[1]) if image_size else None, fit, skip_unreadable, no_cache, quiet)
    reading = PathReading(image_shape, label_column, groups, pictures)
    name, source = _read_source(data, reading, download)
    source = _resize(source, pictures)
    if test_data is not None:
        source = _replace_test(source, Path(test_data), reading)
    dataset = _split(name, source, resplit)
    is_named = name in NAMED_SETS and not isinstance(data, os.PathLike)
    place = name if is_named else os.path.abspath(name)  # found again from anywhere
    request: dict = {"data": place, "classes": classes, "real_per_class": real_per_class, "image_size": image_size}
    request |= {"image_shape": image_shape, "seed": seed}
    given: dict = {"label_column": label_column, "groups": groups, "resplit": resplit}
    given |= {"test_data": test_data and os.path.abspath(test_data), "fit": fit if image_size else None}
    request |= {option: value for option, value in given.items() if value is not None}
    request |= {"skip_unreadable": True} if skip_unreadable else {}
    dataset = replace(dataset, request=request)
    if classes:
        dataset = _select_classes(dataset, classes)
    if real_per_class is None:
        return dataset
    counts = parse_counts(real_per_class, dataset.class_names, dataset.label_values, "--real-per-class")
    check_available(dataset, counts, "--real-per-class")
    return _reduce(dataset, counts, seed)


def _resize(source: LabelledImages, reading: Reading) -> LabelledImages:
    """Return the images of all parts in the size that is asked for, if any."""
    if not reading.size:
        return source
    height, width = reading.size

    def resize(part: LabelledImages | None) -> LabelledImages | None:
        return part and replace(part, images=resize_images(part.images, height, width, reading.fit))

    images = resize_images(source.images, height, width, reading.fit)
    return replace(source, images=images, validation=resize(source.validation), test=resize(source.test))


def _split(name: str, source: LabelledImages, resplit: str | None) -> Dataset:
    """Return the data set of all classes, with the images in their parts; it has no request yet."""
    source = leave_out_foreign(name, source)
    images, labels, brought = join_parts(name, source)
    if not len(labels):
        raise RequestError(f"{name}: should hold images. Got none.")
    label_values = tuple(int(value) for value in np.unique(labels))
    class_names = name_classes(name, label_values, source.class_names or {})
    labels = np.searchsorted(label_values, labels)
    percentages = parse_resplit(resplit) if resplit else (80, 10, 10)
    brought = np.zeros_like(brought) if resplit else brought
    hashes, groups = hash_images(images), None
    free = brought == 0
    if source.groups is not None and free.any():
        groups = gather_groups(source, is_resplit=bool(resplit))
        groups[free] = join_groups(groups[free], hashes[free])
    split = split_images(labels, brought, groups, percentages)
    copied = bring_copies_together(hashes, labels, split, brought)
    notes = (*source.notes, *copied, *note_similar_names(class_names))
    notes += () if resplit else note_shared_groups(source)
    train, validation, test = (np.flatnonzero(split == part) for part in range(len(PARTS)))
    own_parts = tuple(PARTS[part] for part in (1, 2) if (brought == part).any())
    parts = (train, validation, test)
    return Dataset(name, {}, images, labels, class_names, label_values, *parts, source.text_labels, own_parts, notes)


def _select_classes(dataset: Dataset, classes: str) -> Dataset:
    """Return the data set with these classes alone, each image in the part that it is in among all."""
    wanted = parse_classes(classes, dataset.class_names, dataset.label_values)
    split = np.zeros(len(dataset.labels), int)
    for part in (1, 2):
        split[getattr(dataset, PARTS[part])] = part
    keep = np.isin(dataset.labels, wanted)
    train, validation, test = (np.flatnonzero(split[keep] == part) for part in range(len(PARTS)))
    return replace(
        dataset,
        images=dataset.images[keep],
        labels=np.searchsorted(wanted, dataset.labels[keep]),
        class_names=tuple(dataset.class_names[k] for k in wanted),
        label_values=tuple(dataset.label_values[k] for k in wanted),
        train=train,
        validation=validation,
        test=test,
    )


def check_available(dataset: Dataset, counts: dict[str, int], flag: str) -> None:
    """Raise RequestError, named after `flag`, where {class name: count} asks for more train images than there are."""
    for name, count in counts.items():
        available = dataset.count_train()[dataset.class_names.index(name)]
        if count > available:
            raise RequestError(
                f"{flag} should be at most {available}, the train images of class {name!r}. Got {count} instead."
            )


def _read_source(
    data: str | Path | None,
    reading: PathReading,
    download: Download | None,
) -> tuple[str, LabelledImages]:
    """Find out what `data` is and read it: (name, LabelledImages)."""
    path = data if data is not None else find_train_csv()
    if path is not None and path not in NAMED_SETS:
        return str(path), read_path(Path(path), "--data", reading)
    refuse_columns(reading, f"{path or 'MNIST'} has none")
    if path is None:
        return _read_default(download)
    return str(path), read_mnist5k() if path == "mnist5k" else read_standard(str(path), download)


def _replace_test(source: LabelledImages, path: Path, reading: PathReading) -> LabelledImages:
    """Return the source with the images of `path` as its test part: those of its own test part, or else all of it."""
    label_column = reading.label_column
    if label_column and not (path.exists() and takes_label_column(path, label_column)):
        label_column = None  # it is there for the others
    reading = replace(reading, label_column=label_column)
    reading = keep_groups(path, reading) if path.is_file() else replace(reading, groups=None)  # it is split already
    found = _resize(read_path(path, "--test-data", reading), reading.pictures)
    notes = [f"the test part is {path}"]
    if source.test is not None:
        notes.append(f"the {len(source.test.labels):,} test images that the data bring are left out for it")
    part = found if found.test is None else replace(found.test, class_names=found.class_names)
    if found.test is not None:
        notes.append(f"only the test part of {path} is read as it, and its other {len(found.labels):,} images are not")
    test = match_part(part, source, str(path))
    return replace(source, test=test, notes=tuple(dict.fromkeys((*source.notes, *found.notes, *test.notes, *notes))))


def _read_default(download: Download | None) -> tuple[str, LabelledImages]:
    try:
        return "mnist", read_standard("mnist", download)
    except DatasetNotFoundError:
        return "mnist5k", read_mnist5k()


def _reduce(dataset: Dataset, counts: dict[str, int], seed: int) -> Dataset:
    """Keep {class name: count} train images; which of a class depends on the seed alone, and fewer are among more."""
    train, validation = [], []
    for k, (name, value) in enumerate(zip(dataset.class_names, dataset.label_values, strict=True)):
        members, held_out = (index[dataset.labels[index] == k] for index in (dataset.train, dataset.validation))
        if name in counts:
            generator = np.random.default_rng([seed, abs(value)])
            members = generator.permutation(members)[: counts[name]]
            held_out = generator.permutation(held_out)[: -(-counts[name] // 8)]
        train.append(members)
        validation.append(held_out)
    return replace(dataset, train=np.sort(np.concatenate(train)), validation=np.sort(np.concatenate(validation)))
