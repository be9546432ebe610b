"""The design of a study: what is compared, on which data, and what has to hold before it can be run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.errors import RequestError
from models.recipes import Recipe
from models.startup import download_standard_set
from real.datasets import Dataset, load_dataset
from real.resampling import import_imblearn
from synth.shard_options import FilterOptions
from tasks.arms import Arm


@dataclass(frozen=True)
class Study:
    """What is compared.

    script: that conducts it. request: arguments of load_dataset but
    real_per_class and seed. settings: {name: real_per_class}. groups: {heading: arms}; the verdicts are about the
    first. measures: {column: heading}; the first decides. recipes: {GAN: Recipe}; given: their fields
    that do not follow the images. classifier: its name.
    steps: optimiser steps of every classifier. max_minutes: of every GAN's training. filtering: of the images.
    render_more: callable (results, output folder) -> Markdown paragraphs of what this study alone shows, their figures
    saved there.
    """

    title: str
    script: str
    request: dict[str, Any]
    settings: dict[str, Any]
    groups: dict[str, list[Arm]]
    measures: dict[str, str]
    recipes: dict[str, Recipe]
    given: tuple[str, ...]
    classifier: str
    steps: int
    max_minutes: float | None
    filtering: FilterOptions
    render_more: Callable[[pd.DataFrame, Path], list[str]] = lambda results, out: []

    @property
    def arms(self) -> dict[str, Arm]:
        """All arms by name."""
        return {arm.name: arm for arms in self.groups.values() for arm in arms}


def load_setting(study: Study, setting: str, seed: int) -> Dataset:
    """Load the data of a setting, its train images drawn with a seed."""
    request = study.request | {"real_per_class": study.settings[setting], "seed": seed}
    return load_dataset(**request, download=download_standard_set)


def find_gan_data(study: Study, name: str, dataset: Dataset) -> Dataset:
    """Return the data that a GAN is trained on: all classes, or ("alone") those that it adds images to."""
    counts, names = dataset.count_train(), dataset.class_names
    filled = sorted({k for arm in study.arms.values() if name in arm.gans for k in arm.count_added(counts)})
    if name.startswith("shared") or len(filled) in (0, len(counts)):
        return dataset
    real_per_class = ",".join(f"{names[k]}:{counts[k]}" for k in filled)
    request = dataset.request | {"classes": ",".join(names[k] for k in filled), "real_per_class": real_per_class}
    request |= {"no_cache": study.request["no_cache"]}
    return load_dataset(**request, download=download_standard_set)


def check_design(study: Study, datasets: dict[str, Dataset]) -> None:
    """Raise RequestError where cells could not be run, or would tell nothing; datasets: by setting."""
    _check_parts(datasets)
    _check_added(study, datasets)
    _check_resampling(study, datasets)


def _check_parts(datasets: dict[str, Dataset]) -> None:
    """Raise RequestError where there is nothing to train or to score on."""
    for setting, dataset in datasets.items():
        if not dataset.count_train().min():
            name = dataset.class_names[dataset.count_train().argmin()]
            raise RequestError(f"class {name!r} should have train images ({setting}). {dataset.name} has none.")
        counts = np.bincount(dataset.labels[dataset.test], minlength=len(dataset.class_names))
        if not counts.min() or not len(dataset.validation):
            raise RequestError(
                f"{dataset.name} should have test images of each class, and some for validation. Got "
                f"{', '.join(map(str, counts))} and {len(dataset.validation)} ({setting}) instead: take more images."
            )


def _check_added(study: Study, datasets: dict[str, Dataset]) -> None:
    """Raise RequestError where the arms that should add images add none, as the classes are equal already."""
    filling = [arm for arm in study.arms.values() if arm.gans or arm.balance in ("oversampling", "smote")]
    for setting, dataset in datasets.items():
        counts = dataset.count_train()
        if filling and not any(arm.count_added(counts) for arm in filling):
            raise RequestError(
                f"a study should have classes that are smaller than the largest ({setting}). "
                f"Got {', '.join(map(str, counts))} train images instead."
            )


def _check_resampling(study: Study, datasets: dict[str, Dataset]) -> None:
    """Raise, before anything is run, what oversampling and SMOTE would raise in their cells."""
    methods = {arm.balance for arm in study.arms.values()}
    if methods & {"oversampling", "smote"}:
        import_imblearn()
    for setting, dataset in datasets.items():
        if "smote" in methods and dataset.count_train().min() < 2:
            raise RequestError(
                f"--arms smote should have at least 2 train images of each class. Got 1 ({setting}) instead: "
                "take more real images, or other --arms."
            )
