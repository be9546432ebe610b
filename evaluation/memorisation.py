"""Does the generator repeat its training images? The nearest ones, with held-out real images as the baseline."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from evaluation.features import Material
from evaluation.statistics import compute_below_probability, compute_rank_probability

_CHUNK_BYTES = 256 * 2**20  # of training images that are searched at once
_CLOSE_QUANTILE = 0.01
_SUSPICIOUS, _MEMORISED = 3 * _CLOSE_QUANTILE, 10 * _CLOSE_QUANTILE
_BY_CHANCE = 0.01  # no finding where new images would be as often as this so near: the quantile is known so well
_MIN_JUDGED = 100  # images of each side: fewer have no quantile of 1 %, and 3 % of them would be one or two
_SEARCHED = 2000  # images of each side whose nearest training image is looked for
_SEARCHED_IN_FEATURES = 1000  # the same in features, where each is looked for in several views
_SHIFT = 1 / 14  # of the image's longer side, by which views are shifted: 2 of 28 pixels


@dataclass(frozen=True, kw_only=True)
class MemorisationSummary:
    """The statistics of so many synthetic and held-out images; distances are in RMS grey levels.

    ratio: median distance of the synthetic images over that of the held-out ones, None where that is 0; below 1 they
    are nearer to the training images than new real images are. closer_probability: of a synthetic image being nearer
    than a held-out one (0.5: alike; Mann and Whitney's U). near_share: synthetic images nearer than all but 1 % of the
    held-out ones; 0.01 is expected of new images; None below 100 held-out images. copies, held_out_copies: images that
    equal a training image. memorised, suspicious: more than 10 %, 3 % are so near, and that not by chance, or copies
    beyond the held-out ones' share; never below 100 images of each side.
    """

    images: int
    held_out_images: int
    median_distance: float
    held_out_median_distance: float
    ratio: float | None
    closer_probability: float
    near_share: float | None
    copies: int
    held_out_copies: int
    memorised: bool
    suspicious: bool


@dataclass(frozen=True)
class Memorisation:
    """Distances (RMS grey levels) from synthetic [n] and held-out real images [m] to their nearest training images.

    labels, held_out_labels: their classes. nearest: index [n] of the training image that is nearest to each synthetic
    one. index: of the synthetic images [n] among those that they were taken from.
    """

    distances: np.ndarray
    labels: np.ndarray
    nearest: np.ndarray
    index: np.ndarray
    held_out_distances: np.ndarray
    held_out_labels: np.ndarray

    def summarise(self, class_index: int | None = None) -> MemorisationSummary:
        """Return the statistics of all images, or of one class."""
        distances, held_out = self.distances, self.held_out_distances
        if class_index is not None:
            distances, held_out = distances[self.labels == class_index], held_out[self.held_out_labels == class_index]
        median, held_out_median = float(np.median(distances)), float(np.median(held_out))
        copies, held_out_copies = int((distances == 0).sum()), int((held_out == 0).sum())
        near_share, repeated = None, copies / len(distances) - held_out_copies / len(held_out)
        if len(held_out) >= _MIN_JUDGED:
            rank = round(_CLOSE_QUANTILE * (len(held_out) + 1))
            near = int((distances < np.sort(held_out)[rank - 1]).sum())
            near_share = near / len(distances)
            if compute_below_probability(near, len(distances), rank, len(held_out)) < _BY_CHANCE:
                repeated = max(repeated, near_share)
        can_judge = min(len(distances), len(held_out)) >= _MIN_JUDGED
        return MemorisationSummary(
            images=len(distances),
            held_out_images=len(held_out),
            median_distance=median,
            held_out_median_distance=held_out_median,
            ratio=median / held_out_median if held_out_median else None,
            closer_probability=compute_rank_probability(distances, held_out),
            near_share=near_share,
            copies=copies,
            held_out_copies=held_out_copies,
            memorised=can_judge and bool(repeated > _MEMORISED),
            suspicious=can_judge and bool(repeated > _SUSPICIOUS),
        )

    def find_closest(self, count: int) -> np.ndarray:
        """Return the positions [count] of the images nearest to a training image, taking the classes in turn."""
        order = np.argsort(self.distances, kind="stable")
        turn = np.empty(len(order), np.int64)  # how many of the same class are nearer
        for k in np.unique(self.labels):
            members = order[self.labels[order] == k]
            turn[members] = np.arange(len(members))
        return np.lexsort((self.distances, turn))[:count]


def find_nearest(images: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (distance in RMS grey levels [n], index [n]) of the image in `others` nearest to each of `images`."""
    queries = images.reshape(len(images), -1).astype(np.float32)
    best, index = np.full(len(images), np.inf), np.zeros(len(images), np.int64)
    step = max(1, _CHUNK_BYTES // (4 * queries.shape[1]))
    for start in range(0, len(others), step):
        chunk = others[start : start + step].reshape(-1, queries.shape[1]).astype(np.float32)
        found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(chunk).kneighbors(queries, return_distance=False)
        # Exact distances of the ones found: the search rounds, and a copy should be at 0.
        distances = np.linalg.norm(queries - chunk[found[:, 0]], axis=1) / queries.shape[1] ** 0.5
        nearer = distances < best
        best[nearer], index[nearer] = distances[nearer], start + found[nearer, 0]
    return best, index


def search_nearest(material: Material, train_images: np.ndarray) -> dict[str, Memorisation]:
    """Return {run: Memorisation} of about 2,000 images of each run, and of the real ones."""
    return _search(material, lambda images: find_nearest(images, train_images), _SEARCHED)


def search_nearest_in_features(
    material: Material, train_features: np.ndarray, compute: Callable[[np.ndarray], np.ndarray], *, mirrored: bool
) -> dict[str, Memorisation]:
    """Return {run: Memorisation} of about 1,000 images of each run, and of the real ones, in an extractor's features.

    train_features: [N, D], of training images; `nearest` counts in them. compute: of the extractor. An image is as near
    as the nearest of its views: as it is, shifted up, down, left and right, and, if `mirrored`, mirrored. Distances are
    in RMS units of the features.
    """

    def find(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        best, index = find_nearest(np.asarray(compute(images)), train_features)
        for view in _list_views(images, mirrored=mirrored):
            distances, nearest = find_nearest(np.asarray(compute(view)), train_features)
            best, index = np.minimum(distances, best), np.where(distances < best, nearest, index)
        return best, index

    return _search(material, find, _SEARCHED_IN_FEATURES)


def _search(
    material: Material, find: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], count: int
) -> dict[str, Memorisation]:
    """Return {run: Memorisation} of about `count` images each by `find` (images) -> (distances, indices)."""
    held_out = _choose_searched(material.real.labels, count)
    baseline = (find(material.real.images[held_out])[0], material.real.labels[held_out])
    found = {}
    for name, sample in material.runs.items():
        index = _choose_searched(sample.labels, count)
        distances, nearest = find(sample.images[index])
        found[name] = Memorisation(distances, sample.labels[index], nearest, index, *baseline)
    return found


def _list_views(images: np.ndarray, *, mirrored: bool) -> Iterator[np.ndarray]:
    """Yield images [n, H, W, C] shifted in each direction, edges repeated, and mirrored."""
    height, width = images.shape[1:3]
    shift = max(1, round(_SHIFT * max(height, width)))
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
    for row, column in ((0, shift), (2 * shift, shift), (shift, 0), (shift, 2 * shift)):
        yield padded[:, row : row + height, column : column + width]
    if mirrored:
        yield images[:, :, ::-1]


def _choose_searched(labels: np.ndarray, count: int) -> np.ndarray:
    """Return indices of about `count` images in the proportions of all, but at least 20 of each class (or all)."""
    share = min(1.0, count / len(labels))
    members = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    return np.sort(np.concatenate([index[: max(20, round(share * len(index)))] for index in members]))


def describe_memorisation(summary: MemorisationSummary) -> str:
    """Return one sentence on what was found."""
    copies = f"{summary.copies:,} of {summary.images:,} images are exact copies of a training image"
    if summary.held_out_copies:
        copies += f" (of the {summary.held_out_images:,} held-out real ones, {summary.held_out_copies:,} are)"
    if summary.near_share is None or summary.images < _MIN_JUDGED:
        return (
            f"memorisation: too few to say: {copies}; {_MIN_JUDGED} images are needed, and as many held-out real ones, "
            f"of which there are {summary.held_out_images:,}."
        )
    return f"{_find_verdict(summary)}: {copies}; {_describe_near(summary)}."


def describe_memorisation_in_features(summary: MemorisationSummary, known: int) -> str:
    """Return one sentence on what was found in features, among so many training images."""
    if summary.near_share is None or summary.images < _MIN_JUDGED:
        return "memorisation in features: too few to say."
    return f"{_find_verdict(summary)} in features among {known:,} training images: {_describe_near(summary)}."


def _find_verdict(summary: MemorisationSummary) -> str:
    found = "memorised" if summary.memorised else "some repetition" if summary.suspicious else None
    return found or "no sign of memorisation"


def _describe_near(summary: MemorisationSummary) -> str:
    held_out = f"{summary.held_out_images:,} held-out real images"
    return f"{summary.near_share:.1%} are nearer to one than all but 1 % of {held_out} are"
