"""Figures of what a classifier has learnt."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

_LARGEST, _LEGIBLE = 22, 0.4  # inches: of a side, and of a square with a number in it


def plot_confusion(confusion: np.ndarray | list[list[int]], class_names: Sequence[str]) -> Figure:
    """Plot a confusion matrix (rows: true class; counts) -> Figure; colours are fractions of the row."""
    confusion = np.asarray(confusion)
    cell = min(0.55, _LARGEST / len(class_names))  # inches
    size = 1.5 + cell * len(class_names)
    figure = Figure((size + 1, size), dpi=120)
    axes = figure.add_subplot()
    fractions = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(confusion if cell > _LEGIBLE else confusion[:0]):
        colour = "white" if fractions[row, column] > 0.5 else "black"
        axes.text(column, row, confusion[row, column], ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(class_names))
    fontsize = min(10, 60 * cell)  # points: 72 are an inch
    axes.set_xticks(ticks, class_names, rotation=45, ha="right", rotation_mode="anchor", fontsize=fontsize)
    axes.set_yticks(ticks, class_names, fontsize=fontsize)
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
