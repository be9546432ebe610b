import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from common.figures import plain_text, save_figure
from evaluation.figures import plot_neighbours, plot_prdc, plot_projection, plot_score_curves, plot_sizes
from evaluation.scores import Score
from tests.evaluation.builders import build_evaluation, build_run, build_scores


def test_bars_are_the_scores_and_unknown_ones_are_empty():
    run = build_run(scores=build_scores(precision=Score(0.25, 0.125), recall=Score(None, None)))
    (axes,) = plot_prdc(build_evaluation({"mine": run})).axes
    bars = [bars for bars in axes.containers if hasattr(bars, "patches")]
    assert [group.get_label() for group in bars] == ["mine", "floor (real)"]
    assert [bar.get_height() for bar in bars[0]] == [0.25, 0.0, 0.9, 0.9]
    assert [bar.get_height() for bar in bars[1]] == [0.9] * 4
    low, high = bars[0].errorbar.lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((0.125, 0.375))


def test_images_stand_above_their_nearest_with_the_distance():
    images, nearest = np.full((2, 4, 5, 1), 10, np.uint8), np.full((2, 4, 5, 1), 20, np.uint8)
    grid = plot_neighbours({"mine": (images, nearest, np.array([1.25, 3.0]))}).axes
    assert [axes.get_title() for axes in grid] == ["1.2", "3.0", "", ""]
    assert [axes.images[0].get_array()[0, 0].tolist() for axes in grid] == [[10] * 3, [10] * 3, [20] * 3, [20] * 3]


def test_the_line_of_sizes_meets_the_axis_at_infinity():
    counts = np.array([10, 20, 50])
    (axes,) = plot_sizes({"mine": (counts, 3 + 40 / counts)}).axes
    points, line = axes.lines
    assert points.get_label() == "mine: 3.000 at infinity"
    assert line.get_xdata().tolist() == [0, 0.1]
    assert line.get_ydata().tolist() == pytest.approx([3, 7])


def test_projections_are_on_the_real_ones_components():
    real = np.random.default_rng(0).standard_normal((50, 3)) * [10, 5, 0]
    panels = plot_projection(real, {"a": real[:7], "b": real[:9]}).axes
    assert [axes.get_title() for axes in panels] == ["a", "b"]
    assert [[len(line.get_xdata()) for line in axes.lines] for axes in panels] == [[50, 7], [50, 9]]
    assert panels[0].get_xlabel() == "two principal components, 100% of the variance"


def test_curves_of_several_gans_are_their_mean():
    tables = [pd.DataFrame({"step": [1, 2, 3], "frechet": [4.0, 3.0, 2.0]}), pd.DataFrame({"step": [2, 4]})]
    tables[1]["frechet"] = [2.0, 1.0]
    (axes,) = plot_score_curves({"quick": tables[:1], "dcgan": tables}).axes
    one, two = axes.lines
    assert one.get_ydata().tolist() == [4, 3, 2]
    assert two.get_xdata().tolist() == [3, 6]
    assert two.get_ydata().tolist() == [3, 2]
    assert two.get_label() == "dcgan (mean of its 2 GANs' own)"


@pytest.mark.parametrize("name", ["US$5", "$x", "$\\frac$", "a$b$c"])
def test_dollars_in_names_are_text(tmp_path, name):
    images = np.zeros((1, 4, 4, 1), np.uint8)
    with plain_text():  # as in every call
        figures = [plot_sizes({name: ([10, 20], [2.0, 1.0])}), plot_neighbours({name: (images, images, [1.0])})]
    for figure in figures:
        save_figure(tmp_path / "a.png", figure)
        assert any(name in text.get_text() and not text.get_parse_math() for text in figure.findobj(Text))
