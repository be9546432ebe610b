"""Which image is for training, for validation and for testing."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

SPLITS = ("train", "validation", "test")
_SEED = 2026  # not the run's seed: every run of every script must see the same test part
_FOLDS = 10


def split_images(labels: np.ndarray, brought: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Return the part of each image, an index of SPLITS: as `brought`, or where that is 0, drawn.

    labels: class indices [N]. brought: 1 and 2 for the source's own validation and test part [N]. Of the others a
    tenth, stratified, goes to each part that the source does not bring. From three images of a class on, each part has
    at least one. groups: integers [N]; images of the same group, as of one patient, come to the same part.
    """
    missing = [part for part in (1, 2) if not (brought == part).any()]
    split, free = brought.copy(), brought == 0
    if groups is not None:
        folds = _draw_folds(labels[free], groups[free])
        for fold, part in enumerate(missing):
            split[np.flatnonzero(free)[folds == fold]] = part
        return split
    generator = np.random.default_rng(_SEED)
    for k in range(labels.max() + 1):
        members = generator.permutation(np.flatnonzero((labels == k) & free))
        tenth = max(round(len(members) / 10), int(len(members) >= 3))
        for place, part in enumerate(missing):
            split[members[place * tenth : (place + 1) * tenth]] = part
    return split


def _draw_folds(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the fold 0..9 of each image: groups stay together, and the classes are as even as that allows."""
    folds = np.empty(len(labels), int)
    splitter = StratifiedGroupKFold(min(_FOLDS, len(np.unique(groups))), shuffle=True, random_state=_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer members than folds
        for fold, (_, members) in enumerate(splitter.split(labels, labels, groups)):
            folds[members] = fold
    return folds


def join_copies(split: np.ndarray, hashes: np.ndarray, movable: np.ndarray) -> int:
    """Bring equal images to the part of the first of them, in place; return how many were moved.

    hashes: of the images [N]. movable: bool [N], those that the source has not put into a part itself.
    """
    places = np.flatnonzero(movable)
    _, first, inverse = np.unique(hashes[places], return_index=True, return_inverse=True)
    target = split[places][first[inverse]]
    moved = int((split[places] != target).sum())
    split[places] = target
    return moved


def count_copies(hashes: np.ndarray) -> int:
    """Return how many images [N] have an earlier one with the same hash."""
    return len(hashes) - len(np.unique(hashes))


def encode_groups(values: Sequence[str]) -> np.ndarray:
    """Turn the texts of a column into integers [N]."""
    return np.unique(np.asarray(values, str), return_inverse=True)[1]
