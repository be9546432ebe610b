"""What every reader returns: labelled images, and the checks of labels and class names."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth.errors import RequestError

SYNTHETIC = "synthetic"  # the column or array that marks synthetic images
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, broken bytes and line ends


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 [N, H, W, C] with integer labels [N], and what else the source has.

    validation, test: the source's own parts. class_names: {label: name}. synthetic: bool [N], where synthetic images
    are marked. notes: a line each on what the user should know of the reading.
    """

    images: np.ndarray
    labels: np.ndarray
    validation: "LabelledImages | None" = None
    test: "LabelledImages | None" = None
    class_names: dict[int, str] | None = None
    synthetic: np.ndarray | None = None
    notes: tuple[str, ...] = ()


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
