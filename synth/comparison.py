"""Bring the images that are to be compared together, in constant memory, and score them."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth.evaluation import extrapolate, score_features, trace_sizes
from synth.evaluation_report import find_collapsed
from synth.files import replacing
from synth.leakage import find_leaks
from synth.memorisation import Memorisation, find_nearest
from synth.metrics import Gaussian, Moments, compute_frechet_distance, compute_spread, fit_gaussian
from synth.reading import count_rows, index_shards, stream_images

_SEARCHED = 2000  # images of each side whose nearest training image is looked for


@dataclass(frozen=True)
class FeatureSet:
    """Images uint8 [n, H, W, C], drawn at random, with class indices [n] and features float32 [n, D].

    Any stretch of them has nearly the class proportions of all. gaussian: of the features of all images that were
    read, which may be more than these.
    """

    images: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    gaussian: Gaussian


@dataclass(frozen=True)
class Material:
    """Held-out real images, other real images as the floor, and each run's: all FeatureSets.

    quotas: {class index: images} that the floor and every run have.
    """

    real: FeatureSet
    floor: FeatureSet
    runs: dict[str, FeatureSet]
    quotas: dict[int, int]


def index_sources(runs, dataset):
    """Return {name: list of synth.reading.Source} of {name: synth.reading.Run}.

    Raises ValueError for other shapes or labels than those of synth.datasets.Dataset, and for a class with less than
    2 images.
    """
    sources = {}
    for name, opened in runs.items():
        sources[name] = index_shards(opened.paths, dataset.image_shape, dataset.label_values)
        counts = count_rows(sources[name])
        scarce = [class_name for k, class_name in enumerate(dataset.class_names) if counts.get(k, 0) < 2]
        if scarce:
            raise ValueError(
                f"{name} should have at least 2 images of each class of {dataset.name}. It lacks {', '.join(scarce)}: "
                "--classes names those to compare."
            )
    return sources


def count_images(sources):
    """Return the number of images of all runs."""
    return sum(sum(count_rows(found).values()) for found in sources.values())


def take_unknown(part, runs, *, allow, source):
    """Return the (images, labels) of `part` that no run's GAN was trained on; ValueError if that is over 1 %.

    allow: keep them all.
    """
    images, labels = part
    for opened in runs.values():
        if opened.hashes is not None:
            keep = ~find_leaks(images, opened.hashes, allow=allow, source=source) | allow
            images, labels = images[keep], labels[keep]
    return images, labels


def gather(sources, real, floor, extractor, cache, *, limit, seed, advance):
    """Compute the features of all images and return the Material.

    sources: as of index_sources. real, floor: (images uint8 [n, H, W, C], class indices [n]). extractor: has compute
    (images) -> features and hash. cache: folder that keeps the real images' features. limit: images to compare, of
    each side. advance: is called with the number of synthetic images after each block.
    """
    real_counts, floor_counts = (Counter(labels.tolist()) for _, labels in (real, floor))
    classes = set().union(*(count_rows(found) for found in sources.values()))
    fewest = min(counts[k] for counts in (real_counts, floor_counts) for k in classes)
    if fewest < 2:
        raise ValueError(
            f"each class should have at least 2 real images to compare with, and 2 for the floor. Got {fewest}."
        )
    quotas = _plan_quotas([*(count_rows(found) for found in sources.values()), floor_counts], limit)
    runs = {name: _collect(found, extractor.compute, quotas, seed, advance) for name, found in sources.items()}
    chosen = (_draw(*real, _plan_quotas([real_counts], limit), seed), _draw(*floor, quotas, seed))
    return Material(*(_load_or_compute(cache, *images, extractor) for images in chosen), runs, quotas)


def search_nearest(material, train_images):
    """Return {run: synth.memorisation.Memorisation} of at most 2,000 images of each run, and of the real ones."""
    held_out, _ = find_nearest(material.real.images[:_SEARCHED], train_images)
    found = {name: find_nearest(sample.images[:_SEARCHED], train_images) for name, sample in material.runs.items()}
    return {name: Memorisation(*nearest, held_out) for name, nearest in found.items()}


def score_all(material, memorisations, class_names, *, fid_infinity, **options):
    """Return the numbers of evaluation.json: "compared" (counts), "floor" and "runs", each also class by class.

    memorisations: of search_nearest. options: of synth.evaluation.score_features.
    """
    quotas = {class_names[k]: count for k, count in material.quotas.items()}
    references = _split_by_class(material.real, class_names)
    floor = _score(references, material.floor, class_names, options)
    runs = {}
    for name, sample in material.runs.items():
        entry = _score(references, sample, class_names, options) | {"images": sample.gaussian.count}
        entry["memorisation"] = memorisations[name].summarise()
        for k, class_name in enumerate(class_names):
            masks = (part.labels[:_SEARCHED] == k for part in (sample, material.real))
            entry["classes"][class_name]["memorisation"] = memorisations[name].summarise(*masks)
        entry["collapsed"] = find_collapsed(entry["classes"], floor["classes"])
        if sample.gaussian.count > len(sample.labels):
            entry["frechet_all"] = compute_frechet_distance(material.real.gaussian, sample.gaussian)
        runs[name] = entry
    if fid_infinity:
        samples = [material.floor, *material.runs.values()]
        for entry, sample in zip([floor, *runs.values()], samples, strict=True):
            sizes, distances = trace_sizes(material.real.gaussian, sample.features)
            entry |= {"sizes": sizes, "frechet_of_sizes": distances, "frechet_infinity": extrapolate(sizes, distances)}
    return {"compared": sum(quotas.values()), "compared_classes": quotas, "floor": floor, "runs": runs}


def _split_by_class(real, class_names):
    """Return {class name: (features, labels, Gaussian of the features)}, and all together under None."""
    parts = {name: real.features[real.labels == k] for k, name in enumerate(class_names)}
    parts = {name: (part, np.zeros(len(part)), fit_gaussian(part)) for name, part in parts.items()}
    return {None: (real.features, real.labels, real.gaussian)} | parts


def _score(references, sample, class_names, options):
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


def _plan_quotas(available, limit):
    """Return {class index: images}: what all have, at most `limit` in all, evenly over the classes.

    available: list of {class index: count}.
    """
    share = max(2, limit // len(available[0]))
    return {k: min(share, *(counts[k] for counts in available)) for k in sorted(available[0])}


def _draw(images, labels, quotas, seed):
    """Draw quotas[k] images of each class k, in random order: (images, labels)."""
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(np.flatnonzero(labels == k))[:count] for k, count in quotas.items()]
    index = np.concatenate(drawn)
    index = index[_mix_classes(labels[index])]
    return images[index], labels[index]


def _mix_classes(labels):
    """Return an order in which the classes take turns by their proportions; a class keeps its own order."""
    place = np.empty(len(labels))
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(place, kind="stable")


def _collect(sources, compute_features, quotas, seed, advance):
    """Stream images through the extractor; keep the first quotas[k] of each class k, in shuffled order."""
    moments, seen, kept = Moments(), Counter(), []
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


def _load_or_compute(cache, images, labels, extractor):
    """Return the FeatureSet of real images, from the file of the folder `cache` that is named after what it holds."""
    digest = hashlib.sha256(extractor.hash.encode() + repr(images.shape).encode() + images.tobytes()).hexdigest()
    path = Path(cache) / f"real-{digest[:16]}.npz"
    if path.exists():
        with np.load(path) as stored:
            gaussian = Gaussian(int(stored["count"]), stored["mean"], stored["covariance"])
            return FeatureSet(images, labels, stored["features"], gaussian)
    features = np.asarray(extractor.compute(images), np.float32)
    gaussian = fit_gaussian(features)
    statistics = {"count": gaussian.count, "mean": gaussian.mean, "covariance": gaussian.covariance}
    with replacing(path) as temporary:
        np.savez(temporary, features=features, extractor_hash=extractor.hash, **statistics)
    return FeatureSet(images, labels, features, gaussian)
