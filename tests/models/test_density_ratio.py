from types import SimpleNamespace

import numpy as np

from models.classifier import build_classifier
from models.density_ratio import compute_log_ratio, fit_density_ratio
from synth.filters import Sieve

SHAPE = (12, 12, 1)


def draw_bars(right, seed):
    """Noise with a bright half, the right one where `right` says so: uint8 [n, 12, 12, 1]."""
    images = np.random.default_rng(seed).integers(0, 60, (len(right), *SHAPE)).astype(np.uint8)
    images[right, :, 6:] += 150
    images[~right, :, :6] += 150
    return images


def test_what_is_kept_is_distributed_as_the_real_images():
    """The GAN's images are right for a fifth of the latents, the real ones for one half."""
    classifier = build_classifier(SHAPE, 2)
    gan = SimpleNamespace(
        classifier=classifier,
        class_names=("bar",),
        latent_dim=1,
        seed=0,
        generate=lambda latents, k: draw_bars(latents[:, 0] > 0.84, 1),
    )
    real = draw_bars(np.arange(1500) % 2 == 0, 2)
    weights = fit_density_ratio(gan, real, np.zeros(1500, int))
    assert weights.shape == (1, 129)
    right = np.random.default_rng(3).random(3000) < 0.2
    fresh = draw_bars(right, 4)
    log_ratio = compute_log_ratio(classifier, weights[0], fresh)
    sieve = Sieve(lambda images, k: np.zeros(len(images)), log_ratio=lambda images, k: log_ratio)
    kept = sieve(fresh, 0, [])[0] == ""
    assert 0.1 < kept.mean() < 0.9
    assert abs(right[kept].mean() - 0.5) < 0.07
