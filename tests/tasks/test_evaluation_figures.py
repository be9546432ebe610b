from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from common.errors import RequestError
from evaluation.memorisation import Memorisation
from tasks import evaluation_figures
from tasks.evaluation_figures import plot_evaluation, plot_training
from tests.evaluation.builders import build_evaluation, build_floor, build_material, build_run, build_set

TRACED = {"sizes": [10, 20], "frechet_of_sizes": [2.0, 1.5], "frechet_infinity": 1.0}


class Drawn:
    """A TrainedGAN whose images have the grey level of their class."""

    latent_dim = 3

    def __init__(self, folder):
        self.folder = folder

    def generate(self, latents, k):
        return np.full((len(latents), 4, 4, 1), 100 + k, np.uint8)


def plot(**traced):
    samples = [build_set(np.random.default_rng(seed).standard_normal((12, 2))) for seed in range(3)]
    index = np.arange(12)
    found = Memorisation(np.arange(12.0), np.zeros(12), np.zeros(12, int), index, np.ones(12), np.zeros(12))
    evaluation = build_evaluation({"run": build_run(**traced)}, floor=build_floor(**traced))
    return plot_evaluation(evaluation, build_material(*samples), {"run": found}, np.zeros((3, 1, 1, 1), np.uint8))


def test_every_comparison_has_its_figures_and_those_that_were_asked_for():
    assert list(plot()) == ["prdc", "neighbours", "projection"]
    figures = plot(**TRACED)
    assert list(figures) == ["prdc", "neighbours", "projection", "sizes"]
    assert len(figures["sizes"].axes[0].lines) == 4  # points and a line, of the run and of the floor
    titles = [axes.get_title() for axes in figures["neighbours"].axes]
    assert titles[:10] == [f"{distance:.1f}" for distance in range(10)]  # the nearest pairs


@pytest.fixture
def dataset(monkeypatch):
    monkeypatch.setattr(evaluation_figures, "TrainedGAN", Drawn)
    return SimpleNamespace(class_names=("ape", "bee"))


def test_recipes_are_shown_row_by_row(dataset, monkeypatch):
    history = pd.DataFrame({"step": [1, 2], "frechet": [2.0, 1.0]})
    monkeypatch.setattr(evaluation_figures, "load_histories", lambda folder: {"": history})
    figures = plot_training({"quick": "a", "small": "b"}, dataset, 0, print)
    assert list(figures) == ["samples", "curves"]
    canvas = figures["samples"].axes[0].images[0].get_array()
    assert canvas.shape == (2 * 6, 20 * 6, 3)
    assert (canvas[0, 0, 0], canvas[0, 10 * 6, 0]) == (100, 101)  # ten of each class
    assert len(figures["curves"].axes[0].lines) == 2


def test_curves_that_can_not_be_read_are_left_out(dataset, monkeypatch):
    def refuse(folder):
        raise RequestError("history.csv is damaged.")

    notes = []
    monkeypatch.setattr(evaluation_figures, "load_histories", refuse)
    assert list(plot_training({"quick": "a"}, dataset, 0, notes.append)) == ["samples"]
    assert notes == ["note: curves.png is left out. history.csv is damaged."]
