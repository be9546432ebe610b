"""Bring the features of the images that are to be compared together, in constant memory."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.feature_cache import load_or_compute
from evaluation.metrics import Gaussian, Moments
from evaluation.sides import Sides
from synth.sources import Source, count_rows, stream_images

_WORTH = 0.5  # of the variance of a comparison class by class alike, for which rare ones are compared on fewer images
_OTHER_SHARE = 0.1  # of a run's images that may be of other classes than among those that are compared


@dataclass(frozen=True)
class FeatureSet:
    """Images uint8 [n, H, W, C], drawn at random, with class indices [n] and features float32 [n, D].

    Any stretch of them has nearly the class proportions of all. gaussian: of the features of all images that were
    read, which may be more than these, and in other proportions.
    """

    images: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    gaussian: Gaussian


@dataclass(frozen=True)
class Material:
    """Held-out real images, other real images as the floor, and each run's: all FeatureSets.

    quotas: {class index: images} that the floor and every run have; the real side has the same proportions.
    proportional: {run: whether all its images were read, and have these proportions, too}.
    """

    real: FeatureSet
    floor: FeatureSet
    runs: dict[str, FeatureSet]
    quotas: dict[int, int]
    proportional: dict[str, bool]


def gather(
    sides: Sides,
    extractor: Any,
    cache: str | Path,
    *,
    limit: int,
    seed: int,
    advance: Callable[[int], object],
    is_costly: bool = False,
) -> Material:
    """Compute the features of all images and return the Material.

    extractor: has compute(images) -> features and hash. cache: folder that keeps the real images' features. limit:
    images to compare, of each side. advance: is called with the number of synthetic images after each block.
    is_costly: of runs with more images than the limit only those that are compared get features.

    The runs and the floor have as many images of each class; the real side has the same proportions. So that one rare
    class does not make it small, there are fewer of that class on each side.
    """
    counts = {name: count_rows(found) for name, found in sides.sources.items()}
    real_counts, floor_counts = (Counter(labels.tolist()) for _, labels in (sides.real, sides.floor))
    quotas, real_quotas = _match_real(_plan_quotas([*counts.values(), floor_counts], limit), real_counts, limit)
    whole = {name: not is_costly or sum(found.values()) <= limit for name, found in counts.items()}
    runs = {
        name: _collect(found, extractor.compute, quotas, seed, advance, whole=whole[name])
        for name, found in sides.sources.items()
    }
    chosen = (_draw(*sides.real, real_quotas, seed), _draw(*sides.floor, quotas, seed))
    real, floor = (FeatureSet(*drawn, *load_or_compute(cache, drawn[0], extractor)) for drawn in chosen)
    proportional = {name: whole[name] and _is_proportional(counts[name], quotas) for name in runs}
    return Material(real, floor, runs, quotas, proportional)


def draw_evenly(images: np.ndarray, labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Draw at most `limit` images, as evenly over the classes as they allow, in random order: uint8 [n, H, W, C]."""
    return _draw(images, labels, _plan_quotas([Counter(labels.tolist())], limit), seed)[0]


def _plan_quotas(available: Sequence[dict[int, int]], limit: int) -> dict[int, int]:
    """Return {class index: images}: what all have, at most `limit` in all, evenly over the classes.

    available: list of {class index: count}.
    """
    share = max(2, limit // len(available[0]))
    return {k: min(share, *(counts[k] for counts in available)) for k in sorted(available[0])}


def _match_real(
    quotas: dict[int, int], real_counts: dict[int, int], limit: int
) -> tuple[dict[int, int], dict[int, int]]:
    """Return {class index: images} of runs and floor, and of the real side, in the same proportions.

    quotas: what the former may have. real_counts: what there is for the latter; at most `limit` are taken.
    """

    def plan(factor: float) -> tuple[dict[int, int], dict[int, int]]:
        runs = {k: max(2, min(count, round(real_counts[k] / factor))) for k, count in quotas.items()}
        factor = min(factor, limit / sum(runs.values()))
        return runs, {k: min(real_counts[k], max(2, int(factor * count))) for k, count in runs.items()}

    plans = [plan(factor) for factor in sorted(real_counts[k] / count for k, count in quotas.items())]
    evenly, best = plans[0], min(plans, key=_compute_variance)
    return best if _compute_variance(best) < _WORTH * _compute_variance(evenly) else evenly


def _compute_variance(sides: Sequence[dict[int, int]]) -> float:
    """Return what the variance of a difference between samples of so many images is proportional to."""
    return sum(1 / sum(counts.values()) for counts in sides)


def _is_proportional(counts: dict[int, int], quotas: dict[int, int]) -> bool:
    """Whether {class index: images} has the proportions of the quotas, but for a tenth of the images."""
    total, quota_total = sum(counts[k] for k in quotas), sum(quotas.values())
    return sum(abs(counts[k] / total - quota / quota_total) for k, quota in quotas.items()) < 2 * _OTHER_SHARE


def _draw(images: np.ndarray, labels: np.ndarray, quotas: dict[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw quotas[k] images of each class k, in random order: (images, labels)."""
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(np.flatnonzero(labels == k))[:count] for k, count in quotas.items()]
    index = np.concatenate(drawn)
    index = index[_mix_classes(labels[index])]
    return images[index], labels[index]


def _mix_classes(labels: np.ndarray) -> np.ndarray:
    """Return an order in which the classes take turns by their proportions; a class keeps its own order."""
    place = np.empty(len(labels))
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(place, kind="stable")


def _collect(
    sources: list[Source],
    compute_features: Callable[[np.ndarray], np.ndarray],
    quotas: dict[int, int],
    seed: int,
    advance: Callable[[int], object],
    *,
    whole: bool,
) -> FeatureSet:
    """Stream images, or the first that are enough unless `whole`, through the extractor; keep the first quotas[k] of
    each class k, in shuffled order."""
    moments, kept = Moments(), []
    seen: Counter[int] = Counter()
    for images, labels in stream_images(sources, seed):
        keep = np.zeros(len(labels), bool)
        for k in np.unique(labels).tolist():
            members = np.flatnonzero(labels == k)[: quotas[k] - seen[k]]
            keep[members] = True
            seen[k] += len(members)
        wanted = np.ones(len(labels), bool) if whole else keep
        if wanted.any():
            features = np.asarray(compute_features(images[wanted]), np.float32)
            moments.update(features)
            kept.append((images[keep], labels[keep], features[keep[wanted]]))
            advance(len(features))
        if not whole and seen == Counter(quotas):
            break
    images, labels, features = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = _mix_classes(labels)
    return FeatureSet(images[order], labels[order], features[order], moments.fit())
