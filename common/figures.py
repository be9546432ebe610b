"""Figures; the caller saves or shows them."""

from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from common.files import replacing

# A context, or a decorator, in which "$" in a class name is text, in labels made at drawing, too
plain_text = partial(matplotlib.rc_context, {"text.parse_math": False})


@plain_text()
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


@plain_text()
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


@plain_text()
def save_figure(path: str | Path, figure: Figure) -> None:
    """Save a figure as PNG, atomically."""
    with replacing(path) as temporary:
        figure.savefig(temporary, bbox_inches="tight")
