"""What every reader returns: labelled images, and the checks of labels and class names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.errors import RequestError

SYNTHETIC = "synthetic"  # the column or array that marks synthetic images
_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "<na>", "inf", "-inf", "infinity", "-infinity"}  # no class names
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_LABEL = -1
_EXACT = 2**53  # below it a float holds every integer
_SHOWN = 60  # characters of a label that is named in an error
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, broken bytes and line ends


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 [N, H, W, C] with integer labels [N], and what else the source has.

    validation, test: the source's own parts. class_names: {label: name}. synthetic: bool [N], where synthetic images
    are marked. notes: a line each on what the user should know of the reading. text_labels: whether the source calls
    its classes by these names, so that the labels are their places alone. groups: texts [N], where images belong
    together, as those of one patient.
    """

    images: np.ndarray
    labels: np.ndarray
    validation: "LabelledImages | None" = None
    test: "LabelledImages | None" = None
    class_names: dict[int, str] | None = None
    synthetic: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    text_labels: bool = False
    groups: np.ndarray | None = None

    def select(self, keep: np.ndarray) -> "LabelledImages":
        """Return it with those of its own images, not of the other parts, for which `keep`, bool [N], is true."""
        marks, groups = (array if array is None else array[keep] for array in (self.synthetic, self.groups))
        return replace(self, images=self.images[keep], labels=self.labels[keep], synthetic=marks, groups=groups)


def leave_out_unlabelled(found: LabelledImages, source: str) -> LabelledImages:
    """Return `found` without images whose label is -1, where that means none, as many data sets have it.

    It is a class where it has a name, and beside one or two others (-1, 0, 1) or other negative ones that have none.
    The notes say which it is taken for.
    """
    keep = found.labels != _NO_LABEL
    if keep.all():
        return found
    others = np.unique(found.labels[keep])
    is_named = bool(found.class_names) and _NO_LABEL not in (found.class_names or {})
    is_class = len(others) in (1, 2) or others.min(initial=0) < 0
    if not is_named and is_class:
        note = f"{source}: label {_NO_LABEL} is read as a class like the others"
        return replace(found, notes=(*found.notes, note))
    note = f"{source}: {np.sum(~keep):,} images with the label {_NO_LABEL}, which means none, left out"
    return replace(found.select(keep), notes=(*found.notes, note))


def check_class_names(names: Sequence[str], source: str | Path) -> None:
    """Raise RequestError for class names that are empty, not printable on one line, or there twice."""
    for name in names:
        if not name.strip() or any(unicodedata.category(character) in _NOT_IN_NAMES for character in name):
            raise RequestError(f"{source}: class names should be one line of text each. Got {name!r:.80} instead.")
    twice = [name for name, times in Counter(names).most_common(1) if times > 1]
    if twice:
        raise RequestError(f"{source}: class names should differ. Got {twice[0]!r:.80} twice.")


def check_labels(labels: np.ndarray, count: int, source: str) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:  # Keras' CIFAR layout
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise RequestError(
            f"{source}: should be {count} integers, one per image. Got {labels.dtype} {labels.shape} instead."
        )
    if labels.size and labels.max() > np.iinfo(np.int64).max:
        raise RequestError(f"{source}: labels should be integers of at most 64 bits with a sign. Got {labels.max()}.")
    return labels.astype(np.int64)


def parse_labels(
    texts: Sequence[str], source: str, locate: Callable[[int], str]
) -> tuple[np.ndarray, dict[int, str] | None]:
    """Return labels int64 [N] and, where they are texts, {label: text}: the places of the sorted texts, from 0 on.

    Among integers a text is a class only where it stands at least twice; a single one is damage. locate: callable
    (index) -> where an error says that a text stands. Raises RequestError, naming `source`, for fractions, integers of
    more than 64 bits and missing labels.
    """
    counts = Counter(texts)
    values = {text: parse_label(text) for text in counts}
    has_integers = any(isinstance(value, int) for value in values.values())
    bad = {text for text, value in values.items() if value is None}
    words = {text for text, value in values.items() if isinstance(value, str) and not text.strip().isdecimal()}
    bad |= {text for text in words if has_integers and counts[text] == 1}
    if bad:
        index = next(index for index, text in enumerate(texts) if text in bad)
        shown = repr(texts[index][:_SHOWN]) if texts[index].strip() else "nothing"
        raise RequestError(
            f"{source}: labels should be texts, or integers of at most 64 bits. Got {shown} in {locate(index)} instead."
        )
    if not any(isinstance(value, str) for value in values.values()):
        return np.fromiter((values[text] for text in texts), np.int64, len(texts)), None
    names = sorted({text.strip() for text in counts})
    check_class_names(names, source)
    places = {name: place for place, name in enumerate(names)}
    return np.fromiter((places[text.strip()] for text in texts), np.int64, len(texts)), dict(enumerate(names))


def parse_label(text: str) -> int | str | None:
    """Return the integer that a label is, or its text, or None where it is neither. A code, as 007, is a text."""
    text = text.strip()
    if re.fullmatch(r"0\d+", text, re.ASCII):
        return text
    if re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):
        return int(text) if -(2**63) <= int(text) < 2**63 else None
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if abs(number) < _EXACT and number.is_integer() else None
    return None if text.casefold() in _MISSING else text
