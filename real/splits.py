"""Which image is for training, for validation and for testing."""

import re
import warnings
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from common.errors import RequestError
from real.split_names import PARTS

_SEED = 2026  # not the run's seed: every run of every script must see the same test part
_FOLDS = 20  # of which parts are made up: steps of 5 %


def parse_resplit(text: str) -> tuple[int, int, int]:
    """Turn "80/10/10" into the percentages of the train, the validation and the test part."""
    shares = [int(share) if re.fullmatch(r"\d{1,2}", share, re.ASCII) else 0 for share in text.split("/")]
    if len(shares) != len(PARTS) or sum(shares) != 100 or not all(shares):
        raise RequestError(f"--resplit should be three percentages, as 80/10/10. Got {text!r:.60} instead.")
    return (shares[0], shares[1], shares[2])


def split_images(
    labels: np.ndarray,
    brought: np.ndarray,
    groups: np.ndarray | None = None,
    percentages: tuple[int, int, int] = (80, 10, 10),
) -> np.ndarray:
    """Return the part of each image, an index of PARTS: as `brought`, or where that is 0, drawn.

    labels: class indices [N]. brought: 1 and 2 for the source's own validation and test part [N]. Of the others each
    part that the source does not bring gets its percentage, stratified. From three images of a class on, each part has
    at least one. groups: integers [N]; images of the same group, as of one patient, come to the same part.
    """
    missing = {part: percentages[part] for part in (1, 2) if not (brought == part).any()}
    split, free = brought.copy(), brought == 0
    if groups is not None and missing:
        split[free] = _draw_groups(labels[free], groups[free], missing)
        return split
    generator = np.random.default_rng(_SEED)
    for k in range(labels.max() + 1):
        members = generator.permutation(np.flatnonzero((labels == k) & free))
        start = 0
        for part, count in _share(len(members), missing, at_least=int(len(members) >= 3)).items():
            split[members[start : start + count]] = part
            start += count
    return split


def _share(total: int, percentages: dict[int, int], at_least: int) -> dict[int, int]:
    """Return {part: its share of a total}, with one left for train and, where there are enough, each part to come."""
    shares: dict[int, int] = {}
    for place, (part, percentage) in enumerate(percentages.items()):
        kept = len(percentages) - place if at_least else 1
        shares[part] = min(max(round(total * percentage / 100), at_least), max(total - sum(shares.values()) - kept, 0))
    return shares


def _draw_groups(labels: np.ndarray, groups: np.ndarray, percentages: dict[int, int]) -> np.ndarray:
    """Return the part of each image: groups stay together, and the classes are as even as that allows."""
    available = {"groups": len(np.unique(groups)), "images of a class": int(np.bincount(labels).max())}
    fewest = min(available, key=available.__getitem__)
    count = min(_FOLDS, available[fewest])  # no class has images for more folds
    if count <= len(percentages):
        raise RequestError(
            f"--groups should have at least {len(percentages) + 1} {fewest} to split. Got {count}: they would leave no "
            "images for one of the parts."
        )
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer members than folds
        folds = [members for _, members in splitter.split(labels, labels, groups)]
    split = np.zeros(len(labels), int)
    start = 0
    for part, share in _share(count, percentages, at_least=1).items():
        split[np.concatenate(folds[start : start + share])] = part
        start += share
    return split


def join_groups(groups: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return the groups of images, integers [N], with those as one that have an image in common.

    hashes: of the images [N].
    """
    _, group = np.unique(groups, return_inverse=True)
    _, image = np.unique(hashes, return_inverse=True)
    count = int(group.max()) + 1
    size = count + int(image.max()) + 1
    edges = coo_array((np.ones(len(group)), (group, count + image)), shape=(size, size))
    return connected_components(edges, directed=False)[1][group]


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


def count_contradictions(hashes: np.ndarray, labels: np.ndarray) -> int:
    """Return how many images [N] have the hash of one with another label [N]."""
    _, image = np.unique(hashes, return_inverse=True)
    lowest, highest = (np.full(len(image), start) for start in (labels.max(), labels.min()))
    np.minimum.at(lowest, image, labels)
    np.maximum.at(highest, image, labels)
    return int((lowest != highest)[image].sum())


def check_groups(values: Sequence[str]) -> np.ndarray:
    """Return the texts of a column, [N]; RequestError where one is empty."""
    missing = sum(not text.strip() for text in values)
    if missing:
        raise RequestError(f"the column of --groups should have a text for each image. {missing:,} have none.")
    return np.asarray(values, str)
