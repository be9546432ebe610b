"""Figures of an evaluation; the caller saves or shows them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from common.figures import use_log_scale
from evaluation.result import Evaluation, SampleScores

_SCATTER_POINTS = 1000


def plot_prdc(evaluation: Evaluation) -> Figure:
    """Plot precision, recall, density and coverage of all runs beside the floor's."""
    measures = ("precision", "recall", "density", "coverage")
    samples: dict[str, SampleScores] = {**evaluation.runs, "floor (real)": evaluation.floor}
    figure = Figure((2 + 1.5 * len(measures), 3.6), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(samples)
    for position, (name, sample) in enumerate(samples.items()):
        scores = [getattr(sample.scores, measure) for measure in measures]
        heights = [score.value or 0.0 for score in scores]
        errors = [score.interval or 0.0 for score in scores]
        colour = "lightgrey" if sample is evaluation.floor else None
        places = np.arange(len(measures)) + (position - (len(samples) - 1) / 2) * width
        axes.bar(places, heights, width * 0.95, yerr=errors, label=name, color=colour)
    axes.set_xticks(range(len(measures)), measures)
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside right upper")
    return figure


def plot_neighbours(pairs: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """Plot synthetic images above the training image that is nearest to each, with the distance.

    pairs: {run: (synthetic images uint8 [n, H, W, C], their nearest training images, distances [n] in RMS grey levels)}
    """
    columns = max(len(distances) for _, _, distances in pairs.values())
    figure = Figure((1.2 * columns, 2.7 * len(pairs)), dpi=100, layout="constrained")
    grid = figure.subplots(2 * len(pairs), columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for row, (name, (images, nearest, distances)) in enumerate(pairs.items()):
        for column, pair in enumerate(zip(images, nearest, strict=True)):
            for offset, image in enumerate(pair):
                axes = grid[2 * row + offset, column]
                axes.imshow(np.broadcast_to(image, (*image.shape[:2], 3)), interpolation="nearest")
            grid[2 * row, column].set_title(f"{distances[column]:.1f}", fontsize=9)
        grid[2 * row, 0].set_ylabel(name, fontsize=9)
        grid[2 * row + 1, 0].set_ylabel("nearest\ntraining image", fontsize=9)
    return figure


def plot_projection(real_features: np.ndarray, fake_features_of_run: dict[str, np.ndarray]) -> Figure:
    """Plot real and synthetic features [n, D] on the real ones' first two principal components, one panel per run."""
    components = PCA(2, random_state=0).fit(real_features)
    figure = Figure((4.2 * len(fake_features_of_run), 4.2), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(fake_features_of_run), squeeze=False, sharex=True, sharey=True)[0]
    for axes, (name, features) in zip(panels, fake_features_of_run.items(), strict=True):
        for label, points in (("real", real_features), ("synthetic", features)):
            places = components.transform(points[:_SCATTER_POINTS])
            axes.plot(*places.T, ".", markersize=3, alpha=0.5, label=label)
        share = components.explained_variance_ratio_.sum()
        axes.set(title=name, xlabel=f"two principal components, {share:.0%} of the variance")
        axes.legend()
    return figure


def plot_sizes(traces: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> Figure:
    """Plot the Frechet distance over 1 / number of images: {run: (counts, distances)} -> Figure.

    The line meets the axis at the extrapolated distance.
    """
    figure = Figure((6, 3.8), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for name, (counts, distances) in traces.items():
        places = 1 / np.asarray(counts, np.float64)
        slope, intercept = np.polyfit(places, distances, 1)
        (points,) = axes.plot(places, distances, "o", label=f"{name}: {intercept:.3f} at infinity")
        axes.plot([0, places.max()], [intercept, intercept + slope * places.max()], color=points.get_color())
    axes.set(xlabel="1 / number of synthetic images", ylabel="Frechet distance")
    axes.set_xlim(left=0)
    axes.legend()
    return figure


def plot_score_curves(histories: dict[str, list[pd.DataFrame]]) -> Figure:
    """Plot the validation distance over training steps: {recipe: list of history.csv DataFrames} -> Figure.

    Where a recipe has several GANs, its line is the mean of each one's own distance.
    """
    figure = Figure((7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for name, tables in histories.items():
        rounds = min(len(table) for table in tables)
        steps = sum(table["step"].to_numpy()[:rounds] for table in tables)
        distances = np.mean([table["frechet"].to_numpy()[:rounds] for table in tables], axis=0)
        label = name if len(tables) == 1 else f"{name} (mean of its {len(tables)} GANs' own)"
        axes.plot(steps, distances, marker=".", linestyle="-" if len(tables) == 1 else "--", label=label)
    axes.set(xlabel="training steps (of all GANs of a recipe)", ylabel="Frechet distance on validation")
    use_log_scale(axes)
    axes.legend()
    return figure
