"""Bring the images that are to be compared together, in constant memory, and score them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.memorisation import Memorisation, find_nearest
from evaluation.metrics import Gaussian, Moments, compute_frechet_distance, compute_spread, fit_gaussian
from evaluation.report import find_collapsed
from evaluation.scores import can_trace, extrapolate, score_features, trace_sizes
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.files import replacing
from synth.leakage import find_leaks
from synth.run_files import load_arrays
from synth.sources import Run, Source, count_rows, index_shards, stream_images

_OTHER_SHARE = 0.1  # of a run's images that may be of other classes than among those that are compared
_SEARCHED = 2000  # images of each side whose nearest training image is looked for


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
    proportional: {run: whether all its images have these proportions, too}.
    """

    real: FeatureSet
    floor: FeatureSet
    runs: dict[str, FeatureSet]
    quotas: dict[int, int]
    proportional: dict[str, bool]


def index_sources(runs: dict[str, Run], dataset: Dataset, known_values: Sequence[int]) -> dict[str, list[Source]]:
    """Return {name: list of synth.sources.Source} of {name: synth.sources.Run}, of the classes of the data set.

    known_values: all label values of the data, of which synth.datasets.Dataset may have some classes alone. Raises
    RequestError for other shapes or labels, and for a class with less than 2 images.
    """
    skip = tuple(np.setdiff1d(known_values, dataset.label_values))
    sources = {}
    for name, opened in runs.items():
        others = tuple(key for key in opened.classes if isinstance(key, str)) if skip else ()  # a folder's classes
        sources[name] = index_shards(
            opened.paths,
            dataset.image_shape,
            dataset.label_values,
            skip=(*skip, *others),
            class_names=dataset.class_names,
        )
        counts = count_rows(sources[name])
        scarce = [class_name for k, class_name in enumerate(dataset.class_names) if counts.get(k, 0) < 2]
        if scarce:
            raise RequestError(
                f"{name} should have at least 2 images of each class of {dataset.name}. It lacks {', '.join(scarce)}: "
                "--classes names those to compare."
            )
    return sources


def count_images(sources: dict[str, list[Source]]) -> int:
    """Return the number of images of all runs."""
    return sum(sum(count_rows(found).values()) for found in sources.values())


def take_unknown(
    part: tuple[np.ndarray, np.ndarray], runs: dict[str, Run], *, allow: bool, source: str
) -> tuple[tuple[np.ndarray, np.ndarray], dict]:
    """Return (images, labels) of `part` that no run's GAN was trained on, and {"images", "leaked", "allowed"}.

    Raises RequestError if more than 1 % were. allow: keep them all.
    """
    images, labels = part
    leaked = np.zeros(len(labels), bool)
    for opened in runs.values():
        if opened.hashes is not None:
            leaked |= find_leaks(images, opened.hashes, allow=allow, source=source)
    keep = ~leaked | allow
    leaks = {"images": len(labels), "leaked": int(leaked.sum()), "allowed": allow}
    return (images[keep], labels[keep]), leaks


def check_counts(
    real: tuple[np.ndarray, np.ndarray], floor: tuple[np.ndarray, np.ndarray], class_names: Sequence[str]
) -> None:
    """Raise RequestError for a class with fewer than 2 images among the (images, labels) of one of the two."""
    for what, (_, labels) in (("to compare with", real), ("for the floor", floor)):
        counts = np.bincount(labels, minlength=len(class_names))
        if counts.min() < 2:
            raise RequestError(
                f"each class should have at least 2 real images {what}. "
                f"Got {counts.min()} of {class_names[int(counts.argmin())]}: more real images are needed."
            )


def gather(
    sources: dict[str, list[Source]],
    real: tuple[np.ndarray, np.ndarray],
    floor: tuple[np.ndarray, np.ndarray],
    extractor: Any,
    cache: str | Path,
    *,
    limit: int,
    seed: int,
    advance: Callable[[int], object],
) -> Material:
    """Compute the features of all images and return the Material.

    sources: as of index_sources. real, floor: (images uint8 [n, H, W, C], class indices [n]). extractor: has compute
    (images) -> features and hash. cache: folder that keeps the real images' features. limit: images to compare, of
    each side. advance: is called with the number of synthetic images after each block.

    The runs and the floor have as many images of each class; the real side has the same proportions.
    """
    real_counts, floor_counts = (Counter(labels.tolist()) for _, labels in (real, floor))
    quotas = _plan_quotas([*(count_rows(found) for found in sources.values()), floor_counts], limit)
    factor = min(min(real_counts[k] / count for k, count in quotas.items()), limit / sum(quotas.values()))
    real_quotas = {k: max(2, int(factor * count)) for k, count in quotas.items()}
    runs = {name: _collect(found, extractor.compute, quotas, seed, advance) for name, found in sources.items()}
    chosen = (_draw(*real, real_quotas, seed), _draw(*floor, quotas, seed))
    real_set, floor_set = (_load_or_compute(cache, *images, extractor) for images in chosen)
    proportional = {name: _is_proportional(count_rows(found), quotas) for name, found in sources.items()}
    return Material(real_set, floor_set, runs, quotas, proportional)


def search_nearest(material: Material, train_images: np.ndarray) -> dict[str, Memorisation]:
    """Return {run: evaluation.memorisation.Memorisation} of about 2,000 images of each run, and of the real ones."""
    held_out = _choose_searched(material.real.labels)
    held_out_distances, _ = find_nearest(material.real.images[held_out], train_images)
    found = {}
    for name, sample in material.runs.items():
        index = _choose_searched(sample.labels)
        distances, nearest = find_nearest(sample.images[index], train_images)
        baseline = (held_out_distances, material.real.labels[held_out])
        found[name] = Memorisation(distances, sample.labels[index], nearest, index, *baseline)
    return found


def _choose_searched(labels: np.ndarray) -> np.ndarray:
    """Return indices of about 2,000 images in the proportions of all, but at least 20 of each class (or all)."""
    share = min(1.0, _SEARCHED / len(labels))
    members = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    return np.sort(np.concatenate([index[: max(20, round(share * len(index)))] for index in members]))


def score_all(
    material: Material,
    memorisations: dict[str, Memorisation],
    class_names: Sequence[str],
    *,
    fid_infinity: bool,
    **options: int,
) -> dict:
    """Return the numbers of evaluation.json: "compared" (counts), "floor" and "runs", each also class by class.

    memorisations: of search_nearest. options: of evaluation.scores.score_features.
    """
    quotas = {class_names[k]: count for k, count in material.quotas.items()}
    references = _split_by_class(material.real, class_names)
    floor = _score(references, material.floor, class_names, options)
    runs = {}
    for name, sample in material.runs.items():
        entry = _score(references, sample, class_names, options) | {"images": sample.gaussian.count}
        entry["memorisation"] = memorisations[name].summarise()
        for k, class_name in enumerate(class_names):
            entry["classes"][class_name]["memorisation"] = memorisations[name].summarise(k)
        entry["collapsed"] = find_collapsed(entry["classes"], floor["classes"])
        entry["frechet_all"] = None
        if material.proportional[name]:
            entry["frechet_all"] = compute_frechet_distance(material.real.gaussian, sample.gaussian)
        runs[name] = entry
    if fid_infinity and can_trace(material.floor.features):
        samples = [material.floor, *material.runs.values()]
        for entry, sample in zip([floor, *runs.values()], samples, strict=True):
            sizes, distances = trace_sizes(material.real.gaussian, sample.features)
            entry |= {"sizes": sizes, "frechet_of_sizes": distances, "frechet_infinity": extrapolate(sizes, distances)}
    return {"compared": sum(quotas.values()), "compared_classes": quotas, "floor": floor, "runs": runs}


def _split_by_class(
    real: FeatureSet, class_names: Sequence[str]
) -> dict[str | None, tuple[np.ndarray, np.ndarray, Gaussian]]:
    """Return {class name: (features, labels, Gaussian of the features)}, and all together under None."""
    parts = {name: real.features[real.labels == k] for k, name in enumerate(class_names)}
    parts = {name: (part, np.zeros(len(part)), fit_gaussian(part)) for name, part in parts.items()}
    return {None: (real.features, real.labels, real.gaussian)} | parts


def _score(
    references: dict[str | None, tuple[np.ndarray, np.ndarray, Gaussian]],
    sample: FeatureSet,
    class_names: Sequence[str],
    options: dict,
) -> dict:
    """Return {"scores", "classes"} of one FeatureSet against the real ones, as of _split_by_class."""
    classes = {}
    for k, name in enumerate(class_names):
        features = sample.features[sample.labels == k]
        classes[name] = {
            "compared": len(features),
            "scores": score_features(*references[name], features, np.zeros(len(features)), **options),
            "spread": compute_spread(features),
            "real_spread": compute_spread(references[name][0]),
        }
    return {"scores": score_features(*references[None], sample.features, sample.labels, **options), "classes": classes}


def _plan_quotas(available: Sequence[dict[int, int]], limit: int) -> dict[int, int]:
    """Return {class index: images}: what all have, at most `limit` in all, evenly over the classes.

    available: list of {class index: count}.
    """
    share = max(2, limit // len(available[0]))
    return {k: min(share, *(counts[k] for counts in available)) for k in sorted(available[0])}


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
) -> FeatureSet:
    """Stream images through the extractor; keep the first quotas[k] of each class k, in shuffled order."""
    moments, kept = Moments(), []
    seen: Counter[int] = Counter()
    for images, labels in stream_images(sources, seed):
        features = np.asarray(compute_features(images), np.float32)
        moments.update(features)
        keep = np.zeros(len(labels), bool)
        for k in np.unique(labels).tolist():
            members = np.flatnonzero(labels == k)[: quotas[k] - seen[k]]
            keep[members] = True
            seen[k] += len(members)
        kept.append((images[keep], labels[keep], features[keep]))
        advance(len(images))
    images, labels, features = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = _mix_classes(labels)
    return FeatureSet(images[order], labels[order], features[order], moments.fit())


def _load_or_compute(cache: str | Path, images: np.ndarray, labels: np.ndarray, extractor: Any) -> FeatureSet:
    """Return the FeatureSet of real images, from the file of the folder `cache` that is named after what it holds."""
    digest = hashlib.sha256(extractor.hash.encode() + repr(images.shape).encode() + images.tobytes()).hexdigest()
    path = Path(cache) / f"real-{digest[:16]}.npz"
    if (stored := _load_features(path, extractor.hash, len(images))) is not None:
        return FeatureSet(images, labels, *stored)
    features = np.asarray(extractor.compute(images), np.float32)
    gaussian = fit_gaussian(features)
    statistics: dict[str, Any] = {"count": gaussian.count, "mean": gaussian.mean, "covariance": gaussian.covariance}
    with replacing(path) as temporary:
        np.savez(temporary, features=features, extractor_hash=extractor.hash, **statistics)
    return FeatureSet(images, labels, features, gaussian)


def _load_features(path: Path, extractor_hash: str, count: int) -> tuple[np.ndarray, Gaussian] | None:
    """Return (features, their Gaussian) of `count` images, or None where the file is missing, damaged or another's."""
    try:
        stored = load_arrays(path)
    except RequestError:
        return None
    if stored.keys() != {"features", "extractor_hash", "count", "mean", "covariance"}:
        return None
    features, mean, covariance, images = (stored[name] for name in ("features", "mean", "covariance", "count"))
    dimensions = features.shape[1:]
    shapes = (len(dimensions), features.shape[:1], mean.shape, covariance.shape, images.shape)
    if shapes != (1, (count,), dimensions, dimensions * 2, ()) or str(stored["extractor_hash"]) != extractor_hash:
        return None
    if not all(array.dtype.kind in "fi" and np.isfinite(array).all() for array in (features, mean, covariance, images)):
        return None
    return features, Gaussian(int(images), mean, covariance)
