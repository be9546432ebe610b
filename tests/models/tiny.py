"""A tiny recipe, and its training, for the tests of several files."""

import shutil

import keras
import numpy as np

from models.recipes import Recipe
from models.training import fit_gan

TINY = Recipe(
    latent_dim=4,
    generator_width=2,
    discriminator_width=2,
    batch_size=16,
    steps=6,
    round_steps=2,
    rate_decay="cosine",
    diffaugment="translation",
    dtype="float32",
)


def fit(dataset, recipe, folder, finished=None, **options):
    if finished:
        folder.mkdir(exist_ok=True)
        for name in ("judge.keras", "filter.keras", "frozen.keras"):
            shutil.copy(finished[0] / name, folder / name)
    lines = []
    fit_gan(dataset, recipe, folder, quiet=True, report=lines.append, **options)
    return lines


def weights_of(folder):
    networks = (keras.models.load_model(folder / f"{name}.keras") for name in ("generator", "discriminator"))
    return [array for network in networks for array in network.get_weights()]


def assert_equal_weights(first, second):
    for a, b in zip(weights_of(first), weights_of(second), strict=True):
        assert np.array_equal(a, b)
