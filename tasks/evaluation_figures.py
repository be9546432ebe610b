"""The figures of evaluate_fid.py: of the images that were compared, and of recipes that were trained for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from common.errors import RequestError
from common.figures import plot_samples
from common.run_files import load_histories
from evaluation.features import Material
from evaluation.figures import plot_neighbours, plot_prdc, plot_projection, plot_score_curves, plot_sizes
from evaluation.memorisation import Memorisation
from evaluation.result import Evaluation, SampleScores
from models.trained_gan import TrainedGAN
from real.datasets import Dataset
from synth.sampling import draw_latents

_GRID_COLUMNS = 20
_CLOSEST = 10  # pairs that are shown


def plot_evaluation(
    evaluation: Evaluation, material: Material, memorisations: dict[str, Memorisation], train_images: np.ndarray
) -> dict[str, Figure]:
    """Return the figures of all comparisons by file name. train_images: uint8 [n, H, W, C]."""
    pairs = {}
    for name, found in memorisations.items():
        shown = found.find_closest(_CLOSEST)
        images = material.runs[name].images[found.index[shown]]
        pairs[name] = (images, train_images[found.nearest[shown]], found.distances[shown])
    features = {name: sample.features for name, sample in material.runs.items()}
    figures = {
        "prdc": plot_prdc(evaluation),
        "neighbours": plot_neighbours(pairs),
        "projection": plot_projection(material.real.features, features),
    }
    samples: dict[str, SampleScores] = {**evaluation.runs, "floor (real)": evaluation.floor}
    traces = {
        name: (sample.sizes, sample.frechet_of_sizes)
        for name, sample in samples.items()
        if sample.sizes and sample.frechet_of_sizes
    }
    return figures | ({"sizes": plot_sizes(traces)} if traces else {})


def plot_training(
    folders: dict[str, Path], dataset: Dataset, seed: int, report: Callable[[str], None]
) -> dict[str, Figure]:
    """Return the sample grid of all recipes, with the same latents for each class, and their curves, by file name.

    folders: {recipe: folder of its networks}. The curves are left out where a history can't be read.
    """
    per_class = max(1, _GRID_COLUMNS // len(dataset.class_names))
    rows = {}
    for name, folder in folders.items():
        trained = TrainedGAN(folder)
        latents = draw_latents(seed, 0, 0, 0, trained.latent_dim)[:per_class]
        rows[name] = np.concatenate([trained.generate(latents, k) for k in range(len(dataset.class_names))])
    figures = {"samples": plot_samples(rows, per_class * len(dataset.class_names))}
    try:
        curves = {name: list(load_histories(folder).values()) for name, folder in folders.items()}
    except RequestError as error:
        report(f"note: curves.png is left out. {error}")
        return figures
    return figures | {"curves": plot_score_curves(curves)}
