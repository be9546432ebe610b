import pandas as pd
import pytest
from matplotlib.colors import to_hex

from evaluation.statistics import Summary
from tasks.study_figures import plot_added, plot_arm_curves, plot_arms


def test_bars_have_their_means_and_intervals():
    summaries = {"100": {"real": Summary(0.5, None, 0.1), "mixed": Summary(0.75, None, None)}}
    (axes,) = plot_arms(summaries, "accuracy, %", {"real"}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["real", "mixed"]
    errors, points = axes.collections
    assert points.get_offsets()[:, 0].tolist() == [50, 75]
    assert [to_hex(colour) for colour in points.get_facecolors()] == [to_hex("tab:blue"), to_hex("tab:orange")]
    assert errors.get_segments()[0][:, 0].tolist() == pytest.approx([40, 60])


def test_curves_are_means_over_the_seeds():
    curves = pd.DataFrame({"setting": "100", "arm": ["real"] * 4, "seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2]})
    curves = curves.assign(accuracy=[0.4, 0.6, 0.6, 0.8], test_accuracy=0.5)
    train, test = plot_arm_curves(curves).axes
    assert train.lines[0].get_ydata().tolist() == pytest.approx([50, 70])
    assert test.lines[0].get_ydata().tolist() == pytest.approx([50, 50])


def test_accuracies_by_added_images_have_a_line_for_each_row_and_part():
    def both(*means):
        return {count: Summary(mean, 0.01, 0.02) for count, mean in zip((0, 1000), means, strict=True)}

    accuracies = {
        ("300 real", "unfiltered", "test"): both(0.96, 0.97),
        ("300 real", "unfiltered", "train"): both(0.98, 0.99),
        ("300 real", "classic", "test"): {0: Summary(0.95, None, None), 1000: None},  # not run
    }
    (axes,) = plot_added(accuracies).axes
    lines = [(line.lines[0].get_xdata().tolist(), line.lines[0].get_ydata().tolist()) for line in axes.containers]
    assert lines == [([0, 1000], [96, 97]), ([0, 1000], [98, 99]), ([0], [95])]
    assert [line.lines[0].get_linestyle() for line in axes.containers] == ["-", "--", "-"]
