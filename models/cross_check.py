"""TF-GAN's distances as a second opinion on ours, on the same features."""

import numpy as np
import tensorflow as tf

from common.errors import RunError
from evaluation.metrics import (
    compute_frechet_distance,
    compute_kernel_distance,
    compute_sliced_wasserstein,
    fit_gaussian,
)
from evaluation.result import Opinions
from models.tfgan import import_tfgan

_TOLERANCE = 1e-3  # relative
_ROUNDING = 1e-6  # a distance of 0 has no relative error
_DIRECTIONS = 128


def cross_check(real_features: np.ndarray, fake_features: np.ndarray, seed: int = 0) -> dict[str, Opinions]:
    """Return {measure: evaluation.result.Opinions} for the Frechet, kernel and sliced Wasserstein distances.

    TF-GAN draws its random directions itself; with the same seed ours are the same. Raises ImportError where TF-GAN
    can't be had.
    """
    evaluation = import_tfgan().eval
    generator = np.random.default_rng(seed)  # TF-GAN's kernel distance wants them in random order
    real, fake = (generator.permutation(np.asarray(part, np.float64)) for part in (real_features, fake_features))
    count = min(len(real), len(fake))  # TF-GAN's sliced distance wants two sets of one size
    blocks = 1000
    tf.random.set_seed(seed)
    directions = tf.random.normal([real.shape[1], _DIRECTIONS]).numpy().astype(np.float64)
    directions /= np.linalg.norm(directions, axis=0)
    ours = {
        "frechet": compute_frechet_distance(fit_gaussian(real), fit_gaussian(fake)),
        "kernel": compute_kernel_distance(real, fake, blocks)[0],
        "sliced_wasserstein": compute_sliced_wasserstein(real[:count], fake[:count], directions),
    }
    real, fake = tf.constant(real), tf.constant(fake)
    sliced = evaluation.sliced_wasserstein._sliced_wasserstein  # the public one compares images, not features
    tf.random.set_seed(seed)
    theirs = {
        "sliced_wasserstein": sliced(
            tf.cast(real[:count], tf.float32), tf.cast(fake[:count], tf.float32), 1, _DIRECTIONS
        ),
        "frechet": evaluation.frechet_classifier_distance_from_activations(real, fake),
        "kernel": evaluation.kernel_classifier_distance_and_std_from_activations(real, fake, blocks)[0],
    }
    return {name: Opinions(value, float(theirs[name])) for name, value in ours.items()}


def check_agreement(opinions: dict[str, Opinions]) -> None:
    """Raise common.errors.RunError where the two opinions of cross_check differ by more than 1e-3, relative."""
    for name, opinion in opinions.items():
        if abs(opinion.ours - opinion.tfgan) > _TOLERANCE * abs(opinion.tfgan) + _ROUNDING:
            raise RunError(f"{name} should be that of TF-GAN, {opinion.tfgan:.6g}. Got {opinion.ours:.6g}.")
