"""Figures; the caller saves or shows them."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from common.files import replacing

matplotlib.rcParams["text.parse_math"] = False  # "$" in a class name is text, in labels made at drawing, too


def plot_samples(images_of_class: dict[str, np.ndarray], columns: int = 10) -> Figure:
    """Plot a grid with one labelled row per class: {class name: uint8 [n, H, W, C]} -> Figure."""
    height, width = next(iter(images_of_class.values())).shape[1:3]
    rows = len(images_of_class)
    canvas = np.full((rows * (height + 2), columns * (width + 2), 3), 255, np.uint8)
    for row, images in enumerate(images_of_class.values()):
        for column, image in enumerate(images[:columns]):
            top, left = row * (height + 2), column * (width + 2)
            canvas[top : top + height, left : left + width] = image
    inches_per_pixel = 0.5 / max(height, width)
    figure = Figure((canvas.shape[1] * inches_per_pixel + 1.2, canvas.shape[0] * inches_per_pixel + 0.2), dpi=150)
    axes = figure.add_subplot()
    axes.imshow(canvas, interpolation="nearest")
    axes.set_yticks(np.arange(rows) * (height + 2) + height / 2, list(images_of_class))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.set_layout_engine("tight", pad=0.2)
    return figure


def plot_history(histories: dict[str, pd.DataFrame]) -> Figure:
    """Plot losses and the validation distance over training steps: {title: DataFrame as history.csv} -> Figure."""
    figure = Figure((10, 3.2 * len(histories)), dpi=100, layout="constrained")
    axes = figure.subplots(len(histories), 2, squeeze=False)
    for (left, right), (title, history) in zip(axes, histories.items(), strict=True):
        for column in ("discriminator_loss", "generator_loss"):
            left.plot(history["step"], history[column], label=column.replace("_", " "))
        left.set(title=title, xlabel="training step", ylabel="loss")
        left.legend()
        right.plot(history["step"], history["frechet"], marker=".", color="black")
        best = history["frechet"].idxmin()
        right.plot(history["step"][best], history["frechet"][best], "o", color="tab:red", label="best, kept")
        right.set(title=title, xlabel="training step", ylabel="Frechet distance on validation")
        use_log_scale(right)
        right.legend()
    return figure


def use_log_scale(axes: Axes) -> None:
    """Make the y axis logarithmic, with plain numbers at its ticks even where it spans less than a decade."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def save_figure(path: str | Path, figure: Figure) -> None:
    """Save a figure as PNG, atomically."""
    with replacing(path) as temporary:
        figure.savefig(temporary, bbox_inches="tight")


def plot_confusion(confusion: np.ndarray | list[list[int]], class_names: Sequence[str]) -> Figure:
    """Plot a confusion matrix (rows: true class; counts) -> Figure; colours are fractions of the row."""
    confusion = np.asarray(confusion)
    size = 1.5 + 0.55 * len(class_names)
    figure = Figure((size + 1, size), dpi=120)
    axes = figure.add_subplot()
    fractions = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(confusion):
        colour = "white" if fractions[row, column] > 0.5 else "black"
        axes.text(column, row, confusion[row, column], ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="predicted", ylabel="true")
    return figure


def plot_mistakes(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str], count: int = 24
) -> Figure:
    """Plot the most confident mistakes, most confident first: images uint8 [N, H, W, C] -> Figure."""
    predictions = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]
    columns = 8
    rows = max(1, -(-len(wrong) // columns))
    figure = Figure((columns * 1.5, rows * 1.9), dpi=100, layout="constrained")
    for axes, index in zip_longest(figure.subplots(rows, columns, squeeze=False).flat, wrong):
        axes.axis("off")
        if index is not None:
            axes.imshow(np.broadcast_to(images[index], (*images.shape[1:3], 3)), interpolation="nearest")
            predicted, probability = class_names[predictions[index]], probabilities[index].max()
            axes.set_title(f"{class_names[labels[index]]}\nnot {predicted} ({probability:.0%})", fontsize=9)
    return figure


def plot_learning(histories: pd.DataFrame) -> Figure:
    """Plot loss and accuracy over epochs, one line per seed: DataFrame with a column "seed" -> Figure."""
    figure = Figure((10, 3.6), dpi=100, layout="constrained")
    for axes, value in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, colour in (("", "tab:blue"), ("val_", "tab:orange")):
            for position, (_, history) in enumerate(histories.groupby("seed")):
                label = None if position else ("validation (real)" if part else "training")
                axes.plot(history["epoch"], history[part + value], color=colour, marker=".", label=label)
        axes.set(xlabel="epoch", ylabel=value)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return figure


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
        errors = [100 * (summary.interval or 0) if part == "test" else 0 for summary in found.values()]
        style = {"color": f"C{kinds.index(row)}", "ls": "-" if part == "test" else "--", "label": f"{row}, {part}"}
        panels[setting].errorbar(list(found), means, errors, marker=".", capsize=2, **style)
    for setting, axes in panels.items():
        axes.set(title=setting, xlabel="images added to each class", ylabel="accuracy, %")
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
