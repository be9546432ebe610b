import numpy as np

from models.building import build_gan
from models.inference import Sampler
from tests.models.tiny import TINY


def test_samples_do_not_depend_on_how_many_are_asked_for():
    gan = build_gan(TINY, (28, 28, 1), 2, seed=0)
    sampler = Sampler(gan.generator)
    latents = np.random.default_rng(0).standard_normal((600, sampler.latent_dim), dtype=np.float32)
    labels = np.arange(600) % 2
    together = sampler(latents, labels)
    apart = np.concatenate([sampler(latents[:7], labels[:7]), sampler(latents[7:], labels[7:])])
    assert np.array_equal(together, apart)
