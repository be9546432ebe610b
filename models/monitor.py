"""The judges of a training: the monitor, which measures it on validation, the filter, and the frozen features."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import RequestError
from common.files import replacing
from evaluation.metrics import compute_frechet_distance, compute_spread, fit_gaussian
from models.classifier import (
    build_feature_extractor,
    compile_classifier,
    compute_features,
    draw_folds,
    find_class_weights,
    fit_on_folds,
)
from models.feature_networks import OTHER_PICTURES, add_classes, build_pretrained_judge
from models.inference import Sampler
from models.network_files import load_classifier, load_network
from models.recipes import Recipe

TrainPart = tuple[np.ndarray, np.ndarray, int]  # images uint8 [n, H, W, C], class indices [n], number of classes
Features = Callable[[np.ndarray], np.ndarray]  # images uint8 [n, H, W, C] -> features [n, D]
_MAX_IMAGES = 3000
_MIN_IMAGES = 500
_EPOCHS, _FILTER_EPOCHS = 5, 10  # of the classifiers; what the filter wrongly rejects is lost, so it has more
_FILTER_LEAVES_OUT = 1  # the fold of the train part that the filter does not see
_COLLAPSED_SPREAD = 0.1  # of the real images' feature variance


class Monitor:
    """Compares generated images with validation images.

    extractor: callable (images uint8 [n, H, W, C]) -> features [n, D].
    images, labels: the validation part; at most 3,000 of them are used, and as many are generated, at least 500,
    in the same proportions of classes.
    """

    def __init__(self, extractor: Features, images: np.ndarray, labels: np.ndarray, seed: int) -> None:
        if len(images) < 2:
            raise RequestError(
                f"validation should have at least 2 images. Got {len(images)}: more real images are needed."
            )
        order = np.random.default_rng(seed).permutation(len(images))[:_MAX_IMAGES]
        self._extractor = extractor
        self._features = extractor(images[order])
        self._gaussian = fit_gaussian(self._features)
        self._real_labels = labels[order]
        self.labels = np.resize(self._real_labels, max(_MIN_IMAGES, len(order)))
        self._seed = seed

    def measure(self, sampler: Sampler) -> tuple[float, list[int]]:
        """Return (Frechet distance, indices of collapsed classes) of a models.inference.Sampler's images.

        A class has collapsed when the variance of its images' features is under a tenth of the real ones'.
        """
        latents = np.random.default_rng([self._seed, 1]).standard_normal(
            (len(self.labels), sampler.latent_dim), dtype=np.float32
        )
        features = self._extractor(sampler(latents, self.labels))
        collapsed = [int(k) for k in np.unique(self.labels) if self._has_collapsed(features, k)]
        return compute_frechet_distance(self._gaussian, fit_gaussian(features)), collapsed

    def _has_collapsed(self, features: np.ndarray, k: int) -> bool:
        real = self._features[self._real_labels == k]
        fake = features[self.labels == k]
        if min(len(real), len(fake)) < 3:
            return False
        return compute_spread(fake) < _COLLAPSED_SPREAD * compute_spread(real)


def list_own_classifiers(recipe: Recipe) -> dict[str, list[int]]:
    """Return {kind: epochs of each} of the classifiers that are fitted on the train part of two classes or more."""
    if not recipe.has_own_judge:
        return {}
    epochs = {recipe.judge: [_EPOCHS, _FILTER_EPOCHS]}
    if recipe.feature_weight:
        epochs.setdefault(recipe.feature_network, []).append(_EPOCHS)
    return epochs


def fit_extractor(
    train: TrainPart, path: Path, seed: int, report: Callable[[str], object] = print, **training: Any
) -> Features:
    """Return a callable images uint8 -> features, fitted on the train part.

    With two classes or more: the penultimate layer of a classifier, kept at `path` (.keras). With one class, which
    leaves nothing to classify: the 64 first principal components of the pixels.
    """
    images, _, class_count = train
    if class_count < 2:
        return _fit_principal_components(images)
    options: dict[str, Any] = {"epochs": _EPOCHS, "report": report} | training
    classifier = load_or_fit_classifier(*train, path, left_out=0, seed=seed, **options)
    extractor = build_feature_extractor(classifier)
    return lambda images: compute_features(extractor, images)


def fit_filter(
    train: TrainPart, path: Path, seed: int, report: Callable[[str], object] = print, **training: Any
) -> keras.Model:
    """Return the classifier that filters, fitted on the train part and kept at `path` (.keras)."""
    options: dict[str, Any] = {"epochs": _FILTER_EPOCHS, "rate_decay": "cosine", "batch_size": 32} | training
    return load_or_fit_classifier(*train, path, left_out=_FILTER_LEAVES_OUT, seed=seed, report=report, **options)


def fit_frozen_classifier(
    train: TrainPart, path: Path, seed: int, report: Callable[[str], object] = print, **training: Any
) -> keras.Model:
    """Return the classifier whose features a second discriminator sees, fitted on the train part, kept at `path`.

    It is neither the one that measures nor the one that filters: to these the generator is a stranger.
    """
    options: dict[str, Any] = {"epochs": _EPOCHS, "rate_decay": "cosine", "report": report} | training
    return load_or_fit_classifier(*train, path, left_out=2, seed=seed, **options)


def load_or_build_judge(
    name: str, image_shape: tuple[int, ...], path: Path, report: Callable[[str], object] = print
) -> keras.Model:
    """Load the judge that was trained on other pictures from `path`, or build it by its name and save it there.

    Then a resumed run, or a worker, needs neither the network nor the file that it came from.
    """

    def load() -> keras.Model:
        judge = load_network(path.parent, path.stem)
        if (judge.name, judge.input_shape[1:]) != (OTHER_PICTURES, tuple(image_shape)):
            raise RequestError(f"{path} should be a network of other pictures. It is {judge.name}.")
        return judge

    return load_or_make(path, load, partial(build_pretrained_judge, name, image_shape, report), report)


def fit_classes(
    train: TrainPart, judge: keras.Model, path: Path, seed: int, report: Callable[[str], object] = print
) -> keras.Model:
    """Return the classifier that filters, a dense layer on the features of such a judge, kept at `path`."""
    images, labels, class_count = train

    def fit() -> keras.Model:
        use = draw_folds(len(images), seed) != _FILTER_LEAVES_OUT
        features = compute_features(build_feature_extractor(judge), images[use])
        keras.utils.set_random_seed(seed + _FILTER_LEAVES_OUT)
        classifier = add_classes(judge, class_count)
        head = keras.Sequential([keras.Input(features.shape[1:]), classifier.get_layer("classes")])
        compile_classifier(head, keras.optimizers.Adam(1e-3))
        head.fit(features, labels[use], 32, 20, class_weight=find_class_weights(labels[use]), verbose=0)
        return classifier

    load = partial(load_classifier, path.parent, path.stem, images.shape[1:], class_count, judge.name)
    return load_or_make(path, load, fit, report)


def load_or_fit_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    class_count: int,
    path: Path,
    *,
    left_out: int,
    seed: int,
    quiet: bool = True,
    report: Callable[[str], object] = print,
    **options: Any,
) -> keras.Model:
    """Load the classifier from `path`, or fit it on all folds but one (options of fit_classifier), as load_or_make.

    quiet: without a progress bar.
    """
    kind = options.get("name", "cnn")
    load = partial(load_classifier, path.parent, path.stem, images.shape[1:], class_count, kind)
    options |= {"left_out": left_out, "seed": seed, "title": "" if quiet else path.name}
    fit = partial(fit_on_folds, images, labels, class_count, **options)
    return load_or_make(path, load, fit, report)


def load_or_make(
    path: Path, load: Callable[[], keras.Model], make: Callable[[], keras.Model], report: Callable[[str], object]
) -> keras.Model:
    """Return what `load` reads from `path`, or else what `make` makes, and save it there.

    What can't be read or does not fit is made anew, and `report`, callable (text), told so.
    """
    if path.exists():
        try:
            return load()
        except RequestError:  # its advice is for a file that is not made anew by itself
            report(f"note: {path} could not be read, or is another's, and is made anew.")
    network = make()
    with replacing(path) as temporary:
        network.save(temporary)
    return network


def _fit_principal_components(images: np.ndarray, count: int = 64) -> Features:
    flat = images.reshape(len(images), -1).astype(np.float64)[:2000]
    mean = flat.mean(axis=0)
    components = np.linalg.svd(flat - mean, full_matrices=False)[2][:count]  # [count, H W C]
    return lambda images: (images.reshape(len(images), -1) - mean) @ components.T
