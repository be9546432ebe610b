"""Read labelled images from the arrays of an NPZ, as people name and scale them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.images import check_images
from real.array_files import list_npz_keys, read_npz_arrays
from real.array_values import find_scale, parse_array_labels, scale_pixels, shape_images
from real.labelled_images import SYNTHETIC, LabelledImages, check_class_names
from real.said_parts import SPLIT_NAMES, divide_if_said
from real.split_names import SPLIT_WORDS

_KINDS = {"images": "x|images?|imgs?|data|pixels?|features", "labels": "y|labels?|targets?|class|classes"}
_SHORT = {"tr": "train", "te": "test"}  # beside the words of split_names
_CLASS_NAMES = ("class_names", "label_names", "target_names")
_POSITIONAL = ("arr_0", "arr_1")  # of np.savez(file, images, labels)


def is_npz(path: str | Path) -> bool:
    """Tell whether a file is one by its name."""
    return Path(path).suffix.lower() == ".npz"


def has_image_arrays(path: str | Path) -> bool:
    """Tell whether an archive has images and labels by the names of its arrays; RequestError where it is none."""
    return name_images(list_npz_keys(path), path)


def name_images(names: list[str], path: str | Path) -> bool:
    """Tell whether these are names of arrays of images and of their labels."""
    return bool(_match_keys(names, path))


def read_npz(path: str | Path, image_shape: tuple[int, int, int] | None = None) -> LabelledImages:
    """Read images and labels, and the parts of a set that is split: `x_train, y_train, x_test, y_test` as Keras names
    them, `train_images, train_labels, val_images, ...` as MedMNIST does, `images, labels`, `X, y`, and others alike.

    Images: [N, H, W], [N, H, W, 1 or 3], or [N, H * W] of squares (or of `image_shape`, height, width, channels), of
    integers 0..255, or floats 0..1 or -1..1, which a note tells of. Labels: integers [N] or [N, 1], one-hot [N, K], or
    texts, which are class names. `class_names`, and texts in `split` that say the part of each image, are used where
    present.
    """
    return read_named_arrays(list_npz_keys(path), lambda keys: read_npz_arrays(path, keys)[0], path, image_shape)


def read_named_arrays(
    names: list[str],
    read: Callable[[Iterable[str]], dict[str, np.ndarray]],
    path: str | Path,
    image_shape: tuple[int, int, int] | None,
) -> LabelledImages:
    """As read_npz, of arrays of these names, wherever they are kept. read: callable (keys) -> those that are there.

    path: what errors name.
    """
    keys = _find_keys(names, path)
    more = (*_CLASS_NAMES, *SPLIT_NAMES, SYNTHETIC)
    arrays = read((*(key for pair in keys.values() for key in pair), *more))
    class_names = next((_parse_class_names(arrays[key], path, key) for key in _CLASS_NAMES if key in arrays), None)
    images = {part: shape_images(arrays[key], f"{path}: {key}", image_shape) for part, (key, _) in keys.items()}
    scale = find_scale(images.values(), f"{path}: {next(iter(keys.values()))[0]}")
    given = {part: (arrays[key], f"{path}: {key}") for part, (_, key) in keys.items()}
    labels, text_names = _number_labels(given, {part: len(array) for part, array in images.items()}, class_names)
    found = {
        part: LabelledImages(check_images(scale_pixels(array, scale), f"{path}: {keys[part][0]}"), labels[part])
        for part, array in images.items()
    }
    shifted = _shift_names(class_names, labels.values()) if text_names is None else None
    train = found.get("train") or next(iter(found.values()))
    others = {part: source for part, source in found.items() if source is not train}
    notes = [f"{path}: pixels from {scale} are read as 0..255"] if scale else []
    notes += [f"{path}: {key} is left out" for key in _list_unused(names, keys)]
    notes += [f"{path}: labels begin with 1, and class_names with that of 1"] * (shifted is not None)
    source = replace(
        train,
        validation=others.get("validation"),
        test=others.get("test"),
        class_names=text_names or shifted or class_names,
        synthetic=_parse_marks(arrays.get(SYNTHETIC), len(train.labels), path),
        notes=tuple(notes),
        text_labels=text_names is not None,
    )
    said = next((key for key in SPLIT_NAMES if key in arrays and arrays[key].shape == train.labels.shape), None)
    return divide_if_said(source, arrays[said].tolist(), f"{path}: {said}") if said and not others else source


def _find_keys(names: list[str], path: str | Path) -> dict[str, tuple[str, str]]:
    """Return {part: (key of its images, key of its labels)} of the arrays that are there, the train part first."""
    found = _match_keys(names, path)
    if not found:
        raise RequestError(
            f"{path}: should have the keys images, labels, or x_train, y_train, x_test, y_test, or others that say "
            f"the same, as numpy.savez(file, images=..., labels=...) writes them. "
            f"Got {', '.join(names)[:80] or 'none'} instead."
        )
    return found


def _match_keys(names: list[str], path: str | Path) -> dict[str, tuple[str, str]]:
    """As _find_keys, but {} where there are none."""
    if {"images", "labels"} <= set(names) and not {"x_train", "y_train"} <= set(names):
        names = [name for name in names if name in ("images", "labels") or _find_meaning(name)[0] != "train"]
    meanings: dict[tuple[str, str], list[str]] = {}
    for name in names:
        split, kind = _find_meaning(name)
        if kind:
            meanings.setdefault((split, kind), []).append(name)
    found = {}
    for split in ("train", "validation", "test"):
        pair = [meanings.get((split, kind), []) for kind in _KINDS]
        if not all(pair):
            continue
        twice = next((keys for keys in pair if len(keys) > 1), None)
        if twice:
            raise RequestError(
                f"{path}: should have one array of images and one of labels for the {split} part. "
                f"Got {' and '.join(twice)[:80]}."
            )
        found[split] = (pair[0][0], pair[1][0])
    return {"train": _POSITIONAL} if not found and set(names) == set(_POSITIONAL) else found


def _find_meaning(name: str) -> tuple[str, str | None]:
    """Return which part and what of it an array holds by its name: "Y_val" -> ("validation", "labels"), "X" ->
    ("train", "images"), ("train", None) where the name says neither."""
    name = name.casefold()
    for kind, words in _KINDS.items():
        if re.fullmatch(words, name):
            return "train", kind
        for word, split in {**SPLIT_WORDS, **_SHORT}.items():
            if re.fullmatch(rf"({words})[_ .-]?{word}|{word}[_ .-]?({words})", name):
                return split, kind
    return "train", None


def _list_unused(names: list[str], keys: dict[str, tuple[str, str]]) -> list[str]:
    """Return the names of arrays that are not read."""
    used = {key for pair in keys.values() for key in pair} | {*_CLASS_NAMES, *SPLIT_NAMES, SYNTHETIC}
    return [name for name in names if name not in used]


def _number_labels(
    given: dict[str, tuple[np.ndarray, str]], counts: dict[str, int], class_names: dict[int, str] | None
) -> tuple[dict[str, np.ndarray], dict[int, str] | None]:
    """Return {part: labels int64 [N]} and, where they are texts without `class_names`, {label: text} over all parts."""
    parsed = {part: parse_array_labels(array, counts[part], source) for part, (array, source) in given.items()}
    if not any(labels.dtype.kind == "U" for labels in parsed.values()):
        return parsed, None
    names = _list_names(parsed.values()) if class_names is None else list(class_names.values())
    places = {name: place for place, name in enumerate(names)}
    numbered = {}
    for part, labels in parsed.items():
        _, source = given[part]
        unknown = sorted(set(map(str, labels.tolist())) - set(places))
        if unknown:
            raise RequestError(f"{source}: should be among class_names. Got {unknown[0]!r:.60} instead.")
        numbered[part] = np.array([places[str(label)] for label in labels.tolist()], np.int64)
    if class_names is None:
        check_class_names(names, next(iter(given.values()))[1])
    return numbered, dict(enumerate(names)) if class_names is None else None


def _shift_names(class_names: dict[int, str] | None, labels: Iterable[np.ndarray]) -> dict[int, str] | None:
    """Return {label: name} from 1 on where the labels are 1..K for K names; None where they are others."""
    values = np.unique(np.concatenate(list(labels)))
    if not class_names or not len(values) or values[0] < 1 or values[-1] != len(class_names):
        return None
    return {value + 1: name for value, name in class_names.items()}


def _list_names(labels: Iterable[np.ndarray]) -> list[str]:
    return sorted({str(label) for part in labels for label in part.tolist()})


def _parse_marks(marks: np.ndarray | None, count: int, path: str | Path) -> np.ndarray | None:
    """Return which images are marked as synthetic, bool [N]."""
    if marks is None:
        return None
    if marks.dtype != bool or marks.shape != (count,):
        raise RequestError(
            f"{path}: {SYNTHETIC} should be {count} booleans, one per image. Got {marks.dtype} {marks.shape}."
        )
    return marks.view(np.uint8) != 0  # NumPy counts on bytes of 0 and 1 alone


def _parse_class_names(names: np.ndarray, path: str | Path, key: str) -> dict[int, str]:
    if names.dtype.kind != "U" or names.ndim != 1:
        raise RequestError(f"{path}: {key} should be texts, one per class. Got {names.dtype} {names.shape} instead.")
    check_class_names(names.tolist(), f"{path}: {key}")
    return dict(enumerate(names.tolist()))
