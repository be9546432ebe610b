"""Which candidates are kept, and for what reason the others are not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from common.errors import RequestError
from common.images import hash_images

FILTERS = ("auto", "discriminator", "ranked", "classifier", "both", "density-ratio", "none")
_MIN_TRAIN_IMAGES = 10  # of a class, from which on a classifier can learn to recognise it
_COMPARED = 4096  # images that others are compared with at a time


def resolve_filter(filter: str, *, has_classifier: bool, fewest: int | None = None) -> str:
    """Return the filter to use: "auto" becomes "classifier" or, where there is nothing to classify, "discriminator".

    fewest: train images of the smallest class, where they are known: of under 10 a classifier learns nothing, either.
    Raises RequestError for a filter that needs a classifier where there is none.
    """
    if filter in ("classifier", "both", "density-ratio") and not has_classifier:
        raise RequestError(f"--filter {filter} needs two classes or more to tell apart: use --filter discriminator.")
    if filter != "auto":
        return filter
    is_learnt = has_classifier and (fewest is None or fewest >= _MIN_TRAIN_IMAGES)
    return "classifier" if is_learnt else "discriminator"


@dataclass(frozen=True)
class Sieve:
    """Scores every candidate; rejects the unrealistic, the wrongly labelled, the too frequent and near-duplicates.

    score: callable (images uint8 [n, H, W, C], class_index) -> realism float32 [n], higher is more real.
    thresholds: {class_index: lowest realism}, or None to keep all.
    classify: callable (images) -> class probabilities [n, K], or None to keep all.
    min_probability: what the classifier must give the class; from 0.5 on it is then the likeliest.
    log_ratio: callable (images, class_index) -> logarithm of the probability of keeping each image, 0 or more: surely;
        or None to keep all. Chance is a hash of the image: the same images are kept each time.
    duplicate_distance: root mean square pixel difference (grey levels, 0..255) up to which two images of a
        shard are the same; 0 keeps all.
    best_share: fraction of the images of a shard that pass all this which is kept: those with the highest realism. It
        is for synth.shard_drawing.sample_shard, as a block does not know the others.
    """

    score: Callable[[np.ndarray, int], np.ndarray]
    thresholds: dict[int, float] | None = None
    classify: Callable[[np.ndarray], np.ndarray] | None = None
    min_probability: float = 0.0
    log_ratio: Callable[[np.ndarray, int], np.ndarray] | None = None
    duplicate_distance: float = 0.0
    best_share: float = 1.0

    def __call__(
        self, images: np.ndarray, class_index: int, accepted: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (reasons, scores) for a block; the reason is "" for an image that is kept.

        accepted: list of uint8 arrays [m, H, W, C], the images of the shard that were kept before.
        """
        reasons = np.full(len(images), "", dtype="U16")
        scores = np.asarray(self.score(images, class_index), np.float32)
        if self.thresholds is not None:
            reasons[scores < self.thresholds[class_index]] = "discriminator"
        if self.classify is not None:
            right = self.classify(images)[:, class_index] >= self.min_probability
            reasons[(reasons == "") & ~right] = "classifier"
        if self.log_ratio is not None:
            chance = hash_images(images) / 2.0**64
            probabilities = np.exp(np.minimum(self.log_ratio(images, class_index), 0.0))
            reasons[(reasons == "") & (chance >= probabilities)] = "density-ratio"
        kept = np.flatnonzero(reasons == "")
        reasons[kept[find_near_duplicates(images[kept], accepted, self.duplicate_distance)]] = "duplicate"
        return reasons, scores


def find_near_duplicates(images: np.ndarray, others: list[np.ndarray], distance: float) -> np.ndarray:
    """Mark images that lie within `distance` (RMS grey levels) of one of `others` or of an earlier unmarked image.

    images: uint8 [n, H, W, C]; others: list of uint8 [m, H, W, C]. Returns a mask [n]. The sums over a grid of blocks
    give a lower bound of each distance, so that few pairs are compared pixel by pixel. Memory is that of _COMPARED
    images, or of the largest array, whatever the number of others.
    """
    marked = np.zeros(len(images), bool)
    if distance == 0 or not len(images):
        return marked
    limit = distance**2 * images[0].size
    projected = _project_on_blocks(images)
    for known in _gather(others):
        close = _find_close(projected, _project_on_blocks(known), limit)
        for index in np.flatnonzero(close.any(axis=1) & ~marked):
            marked[index] = _is_near(images[index], known[close[index]], limit)
    close = _find_close(projected, projected, limit)
    for index in np.flatnonzero((close.sum(axis=1) > 1) & ~marked):  # each image is close to itself
        marked[index] = _is_near(images[index], images[:index][close[index, :index] & ~marked[:index]], limit)
    return marked


def _gather(arrays: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the images of many arrays [m, H, W, C] in arrays of some _COMPARED."""
    gathered: list[np.ndarray] = []
    for position, array in enumerate(arrays):
        gathered.append(array)
        if sum(map(len, gathered)) >= _COMPARED or position == len(arrays) - 1:
            yield np.concatenate(gathered)
            gathered = []


def _find_close(projected: np.ndarray, others: np.ndarray, limit: float) -> np.ndarray:
    """Tell which pairs of projections are no farther apart than images within `limit` can be: bool [n, m]."""
    return _squared_distances(projected, others) <= limit + 1.0  # + 1: rounding


def _is_near(image: np.ndarray, others: np.ndarray, limit: float) -> bool:
    """Whether the squared distance of an image [H, W, C] to one of others [m, H, W, C] is at most `limit`."""
    differences = others.astype(np.float32) - image
    return bool(((differences**2).sum(axis=(1, 2, 3)) <= limit).any())


def calibrate_thresholds(scores_of_class: dict[str, list[float]], keep: float) -> dict[str, float]:
    """Return {class: score above which the top `keep` fraction (0, 1] of the class's scores lies}."""
    return {name: float(np.quantile(scores, 1 - keep)) for name, scores in scores_of_class.items()}


def _project_on_blocks(images: np.ndarray, blocks: int = 4) -> np.ndarray:
    """Project images [n, H, W, C] on the normalised indicators of a grid of blocks: float64 [n, blocks, blocks, C]."""
    projected = images.astype(np.float64)
    for axis in (1, 2):
        starts = np.unique(np.linspace(0, images.shape[axis], blocks, endpoint=False, dtype=int))
        sizes = np.diff(starts, append=images.shape[axis])
        projected = np.add.reduceat(projected, starts, axis=axis)
        projected /= np.sqrt(np.expand_dims(sizes, [other for other in range(4) if other != axis]))
    return projected


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (array.reshape(len(array), prod(array.shape[1:])) for array in (a, b))
    return (a**2).sum(axis=1)[:, np.newaxis] - 2 * a @ b.T + (b**2).sum(axis=1)
