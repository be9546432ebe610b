"""Which candidates are kept, and for what reason the others are not."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

FILTERS = ("auto", "discriminator", "classifier", "both", "none")


@dataclass(frozen=True)
class Sieve:
    """Scores every candidate and rejects the unrealistic, the wrongly labelled and the near-duplicates.

    score: callable (images uint8 [n, H, W, C], class_index) -> realism float32 [n], higher is more real.
    thresholds: {class_index: lowest realism}, or None to keep all.
    classify: callable (images) -> class probabilities [n, K], or None to keep all.
    min_probability: the classifier must name the class, with at least this probability.
    duplicate_distance: root mean square pixel difference (grey levels, 0..255) up to which two images of a
        shard are the same; 0 keeps all.
    """

    score: Callable
    thresholds: dict[int, float] | None = None
    classify: Callable | None = None
    min_probability: float = 0.0
    duplicate_distance: float = 0.0

    def __call__(self, images, class_index, accepted):
        """Return (reasons, scores) for a block; the reason is "" for an image that is kept.

        accepted: list of uint8 arrays [m, H, W, C], the images of the shard that were kept before.
        """
        reasons = np.full(len(images), "", dtype="U16")
        scores = np.asarray(self.score(images, class_index), np.float32)
        if self.thresholds is not None:
            reasons[scores < self.thresholds[class_index]] = "discriminator"
        if self.classify is not None:
            probabilities = self.classify(images)
            right = probabilities.argmax(axis=1) == class_index
            right &= probabilities[:, class_index] >= self.min_probability
            reasons[(reasons == "") & ~right] = "classifier"
        kept = np.flatnonzero(reasons == "")
        reasons[kept[find_near_duplicates(images[kept], accepted, self.duplicate_distance)]] = "duplicate"
        return reasons, scores


def find_near_duplicates(images, others, distance):
    """Mark images that lie within `distance` (RMS grey levels) of one of `others` or of an earlier unmarked image.

    images: uint8 [n, H, W, C]; others: list of uint8 [m, H, W, C]. Returns a mask [n].
    """
    flat = _flatten(images)
    limit = distance**2 * flat.shape[1]
    marked = np.zeros(len(images), bool)
    if distance == 0:
        return marked
    for other in others:
        marked |= (_squared_distances(flat, _flatten(other)) <= limit).any(axis=1)
    close = np.tril(_squared_distances(flat, flat) <= limit, k=-1)
    for index in np.flatnonzero(close.any(axis=1)):
        marked[index] |= (close[index] & ~marked).any()
    return marked


def calibrate_thresholds(scores_of_class, keep):
    """Return {class: score above which the top `keep` fraction (0, 1] of the class's scores lies}."""
    return {name: float(np.quantile(scores, 1 - keep)) for name, scores in scores_of_class.items()}


def _flatten(images):
    return images.reshape(len(images), prod(images.shape[1:])).astype(np.float32)


def _squared_distances(a, b):
    return (a**2).sum(axis=1)[:, np.newaxis] - 2 * a @ b.T + (b**2).sum(axis=1)
