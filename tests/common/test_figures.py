import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from common.figures import plain_text, plot_history, plot_samples, save_figure
from evaluation.statistics import Summary
from tasks.prediction_figures import plot_confusion, plot_mistakes
from tasks.study_figures import plot_arm_curves, plot_arms


@pytest.mark.parametrize("shape", [(8, 8, 1), (6, 9, 3)])
def test_sample_grid_has_one_row_per_class_in_its_place(shape):
    height, width, _ = shape
    images = {"ape": np.full((3, *shape), 10, np.uint8), "bee": np.full((12, *shape), 200, np.uint8)}
    axes = plot_samples(images).axes[0]
    canvas = axes.images[0].get_array()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ape", "bee"]
    assert canvas.shape == (2 * (height + 2), 10 * (width + 2), 3)
    assert (canvas[:height, :width] == 10).all()
    assert (canvas[:height, 3 * (width + 2) :] == 255).all()
    assert (canvas[height + 2 : -2, -width - 2 : -2] == 200).all()


def test_history_marks_the_best_round(tmp_path):
    history = pd.DataFrame(
        {"step": [1, 2, 3], "discriminator_loss": 1.0, "generator_loss": 2.0, "frechet": [9.0, 4.0, 5.0]}
    )
    figure = plot_history({"training": history})
    best = figure.axes[1].lines[1]
    assert (best.get_xdata().tolist(), best.get_ydata().tolist()) == ([2], [4.0])
    save_figure(tmp_path / "curves.png", figure)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("distances", [(2.2, 1.2), (9.0, 1.5), (2000.0, 3.0), (0.09, 0.04)])
def test_distances_have_a_logarithmic_axis_with_plain_numbers(distances):
    history = pd.DataFrame({"step": [1, 2], "discriminator_loss": 1.0, "generator_loss": 2.0, "frechet": distances})
    axis = plot_history({"training": history}).axes[1].yaxis
    assert axis.get_scale() == "log"
    low, high = axis.get_view_interval()
    ticks = [float(label.get_text()) for label in axis.get_ticklabels() if label.get_text()]
    assert sum(low <= tick <= high for tick in ticks) >= 2


@pytest.mark.parametrize("name", ["US$5", "$x", "$\\frac$", "a$b$c"])
def test_dollars_in_class_names_are_text(tmp_path, name):
    images = np.zeros((1, 4, 4, 1), np.uint8)
    history = pd.DataFrame({"step": [1, 2], "discriminator_loss": 1.0, "generator_loss": 2.0, "frechet": [9.0, 4.0]})
    curves = pd.DataFrame({"setting": name, "arm": name, "seed": 0, "epoch": [1, 2], "accuracy": 0.5})
    figures = [plot_samples({name: images}), plot_history({name: history})]  # shown in notebooks
    with plain_text():
        figures += [
            plot_confusion([[3, 1], [0, 2]], (name, "bee")),
            plot_mistakes(images, np.array([0]), np.array([[0.1, 0.9]]), ("bee", name)),
            plot_arms({name: {name: Summary(0.5, None, 0.1)}}, "accuracy, %", {"real"}),
            plot_arm_curves(curves.assign(test_accuracy=0.5)),  # with a legend
        ]
    assert matplotlib.rcParams["text.parse_math"]  # those of others stay as they are
    for figure in figures:
        save_figure(tmp_path / "a.png", figure)
        assert any(name in text.get_text() and not text.get_parse_math() for text in figure.findobj(Text))
