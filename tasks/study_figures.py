"""Figures of the studies."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


def plot_arms(summaries: dict[str, dict[str, Any]], heading: str, controls: Iterable[str]) -> Figure:
    """Plot one panel per setting with a point and its 95 % interval per arm -> Figure.

    summaries: {setting: {arm: evaluation.statistics.Summary of fractions}}. heading: what is measured,
    in %. controls: names of the arms without a GAN, drawn in another colour.
    """
    kinds = {"without a GAN": "tab:blue", "with a GAN": "tab:orange"}
    rows = max(len(arms) for arms in summaries.values())
    figure = Figure((5.2 * len(summaries), 1.5 + 0.32 * rows), dpi=110, layout="constrained")
    for axes, (setting, arms) in zip(
        figure.subplots(1, len(summaries), squeeze=False)[0], summaries.items(), strict=True
    ):
        means = np.array([100 * summary.mean for summary in arms.values()])
        errors = np.array([100 * (summary.interval or 0) for summary in arms.values()])
        colours = [kinds["without a GAN" if name in controls else "with a GAN"] for name in arms]
        axes.hlines(range(len(arms)), means - errors, means + errors, colors=colours)
        axes.scatter(means, range(len(arms)), color=colours)
        axes.set_yticks(range(len(arms)), arms, fontsize=8)
        axes.invert_yaxis()
        low, high = (means - errors).min(), (means + errors).max()
        margin = max(0.1 * (high - low), 0.1)
        axes.set_xlim(max(0, low - margin), min(100, high + margin))
        axes.grid(axis="x", alpha=0.3)
        axes.set(title=setting, xlabel=heading)
    handles = [Line2D([], [], color=colour, marker="o", label=kind) for kind, colour in kinds.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def plot_added(accuracies: dict[tuple[str, str, str], dict[int, Any]]) -> Figure:
    """Plot test and, dashed, train accuracy over the images that are added, a panel per setting -> Figure.

    accuracies: {(setting, row, "test" or "train"): {images: evaluation.statistics.Summary of fractions, or None}}; the
    95 % interval is drawn of the test accuracy.
    """
    settings = list(dict.fromkeys(setting for setting, *_ in accuracies))
    kinds = list(dict.fromkeys(row for _, row, _ in accuracies))
    figure = Figure((4.2 * len(settings), 3.8), dpi=110, layout="constrained")
    panels = dict(zip(settings, figure.subplots(1, len(settings), squeeze=False)[0], strict=True))
    for (setting, row, part), summaries in accuracies.items():
        found = {count: summary for count, summary in summaries.items() if summary}
        means = [100 * summary.mean for summary in found.values()]
        errors = [100 * (summary.interval or 0) for summary in found.values()] if part == "test" else None
        style = {"color": f"C{kinds.index(row)}", "ls": "-" if part == "test" else "--", "label": f"{row}, {part}"}
        panels[setting].errorbar(list(found), means, errors, marker=".", capsize=2, **style)
    for setting, axes in panels.items():
        axes.set(title=setting, xlabel="images added to each class", ylabel="accuracy, %")
        low, high = axes.get_ylim()
        axes.set_ylim(max(0, low), min(100.5, high))  # the intervals of few seeds go beyond
        axes.grid(alpha=0.3)
    figure.legend(*panels[settings[0]].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def plot_arm_curves(curves: pd.DataFrame) -> Figure:
    """Plot train and test accuracy over epochs, a panel per setting, the mean over the seeds of each arm -> Figure.

    curves: DataFrame with the columns setting, arm, seed, epoch, accuracy and test_accuracy.
    """
    settings = list(dict.fromkeys(curves["setting"]))
    figure = Figure((10, 3.6 * len(settings)), dpi=100, layout="constrained")
    for row, setting in zip(figure.subplots(len(settings), 2, squeeze=False), settings, strict=True):
        here = curves[curves["setting"] == setting]
        for axes, (column, part) in zip(row, (("accuracy", "train"), ("test_accuracy", "test")), strict=True):
            for number, (arm, of_arm) in enumerate(here.groupby("arm", sort=False)):
                mean = 100 * of_arm.groupby("epoch")[column].mean()
                axes.plot(mean.index, mean, marker=".", color=f"C{number % 10}", ls=("-", "--")[number > 9], label=arm)
            axes.set(title=f"{setting}: {part}", xlabel="epoch (or fifth of the steps)", ylabel="accuracy, %")
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[1].legend(fontsize=7, handlelength=3.5, bbox_to_anchor=(1, 1), loc="upper left")
    return figure
