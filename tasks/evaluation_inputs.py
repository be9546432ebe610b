"""What evaluate_fid.py compares: runs that are there or are trained for it, and real images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import report_unless
from common.errors import RequestError, TrainingError
from common.executors import Executor
from common.output_folder import list_same_sections
from common.run_options import RunOptions, WorkOptions
from evaluation.sides import Compared, Leaks, choose_compared, index_sources, take_unknown
from models.extractors import draw_spare
from models.recipes import GANOptions, GANRequest
from models.startup import Started, download_standard_set
from real.data_options import SubsetOptions
from real.datasets import Dataset, load_dataset
from synth.runs import Run, open_run
from synth.shard_options import SamplingOptions
from tasks.evaluation_options import ComparisonOptions, MeasuringOptions
from tasks.gan_orders import GANOrder, MadeGAN, fit_elsewhere, is_trained
from tasks.generation import generate, settle_training
from tasks.real_data import load_data


@dataclass(frozen=True)
class Inputs:
    """What is compared, before features are computed: of runs by name, or of none yet for --compare.

    leaks: among the real images. failed: {recipe: why it has no run}.
    """

    dataset: Dataset
    runs: dict[str, Run]
    compared: Compared
    leaks: Leaks
    failed: dict[str, str]


def open_runs(given: Sequence[str | Path], report: Callable[[str], None]) -> dict[str, Run]:
    """Return the runs of these folders and patterns by name."""
    paths = [str(path) for path in given]
    if len(set(paths)) < len(paths):
        raise RequestError(f"RUN should be different folders. Got {', '.join(paths)}.")
    names = [Path(path).name for path in paths]
    names = names if len(set(names)) == len(names) else paths
    return {name: open_run(path, report, "RUN", classless=True) for name, path in zip(names, paths, strict=True)}


def load_compared_data(
    data: SubsetOptions, measuring: MeasuringOptions, run: RunOptions, runs: dict[str, Run]
) -> Dataset:
    """Load the real data that the flags name, or else those that the runs were made from."""
    known = [(opened.request, opened.fingerprint) for opened in runs.values() if opened.request]
    inherited = known[0] if known else ()
    kinds = [(request if request["real_per_class"] else request | {"seed": 0}, hashed) for request, hashed in known]
    if any(kind != kinds[0] for kind in kinds) and data.data is None:  # the seed draws the images of --real-per-class
        raise RequestError("the runs were made from different data: name those to compare them with, by --data.")
    dataset = load_data(data, run, *inherited)
    count = len(getattr(dataset, measuring.split))
    if count < 2:
        raise RequestError(f"the {measuring.split} part should have at least 2 images. Got {count}.")
    if measuring.features == "classifier" and not dataset.has_classifier:
        raise RequestError("--features classifier needs two classes or more: use --features pixels.")
    for opened in runs.values():
        opened.check_classes(dataset)
    return dataset


def prepare(measuring: MeasuringOptions, dataset: Dataset, runs: dict[str, Run], failed: dict[str, str]) -> Inputs:
    """Bring together the images of the runs, and real ones that they were not trained on.

    Raises RequestError where they don't fit together, or all are too few.
    """
    known_values = dataset.label_values
    if dataset.request["classes"]:
        whole = dataset.request | {"classes": None, "real_per_class": None}
        known_values = load_dataset(**whole, download=download_standard_set).label_values
    sources = index_sources(runs, dataset, known_values)
    part = dataset.part(measuring.split)
    real, leaks = take_unknown(part, runs, allow=measuring.allow_leak, source=measuring.split)
    floor = draw_spare(dataset)
    compared = choose_compared(sources, real, floor, dataset.class_names)
    return Inputs(dataset, runs, compared, leaks, failed)


def train_recipes(
    data: SubsetOptions, comparison: ComparisonOptions, run: RunOptions, executor: Executor, started: Started
) -> tuple[dict[str, Run], dict[str, str]]:
    """Train the recipes that are not there yet, and sample them unfiltered: ({recipe: Run}, {recipe: why not}).

    Workers train as many at once as they are; this process draws the images.
    """
    runs, failed, report = {}, {}, report_unless(run.quiet)
    sampling = SamplingOptions(filter="none", duplicate_distance=0.0)
    options: dict[str, Any] = {"recipe_fields": comparison.recipe_fields, "max_minutes": comparison.max_minutes}
    requests = {name: GANOptions(recipe=name, **options).resolve() for name in comparison.compare}
    for name, made in _train_elsewhere(data, requests, run, executor):
        folder = Path(run.out) / "runs" / name
        report(f"--- {name}")
        try:
            if made and made.error:
                raise made.error
            save = made.save if made else None
            generate(data, requests[name], sampling, replace(run, out=folder), WorkOptions(), started, save)
            runs[name] = open_run(folder, report)
        except TrainingError as error:
            failed[name] = str(error)
            report(failed[name])
    if not runs:
        raise TrainingError("no recipe could be trained to its end: " + "; ".join(failed.values()))
    return {name: runs[name] for name in requests if name in runs}, failed


def _train_elsewhere(
    data: SubsetOptions, requests: dict[str, GANRequest], run: RunOptions, executor: Executor
) -> Iterator[tuple[str, MadeGAN | None]]:
    """Yield each recipe as soon as workers have trained it, or at once, with None, where this process will or has."""
    if not executor.is_remote:
        yield from dict.fromkeys(requests).items()
        return
    dataset, orders = load_data(data, replace(run, quiet=True)), []
    for name, gan in requests.items():
        folder = Path(run.out) / "runs" / name
        settled, training, _ = settle_training(data, gan, dataset, replace(run, out=folder))
        is_begun = "training" in list_same_sections(folder, {"training": training})
        if is_begun and is_trained(folder, settled.recipe, dataset):
            yield name, None
        else:
            order = GANOrder(name, folder, dataset, settled.recipe, run.seed, gan.max_minutes, is_begun=is_begun)
            orders.append(order)
    for made in fit_elsewhere(orders, executor, report_unless(run.quiet)):
        yield made.key, made


def note_unknown_training(runs: dict[str, Run], dataset: Dataset) -> list[str]:
    """Return notes on runs whose GAN was trained on images that the data's train part does not hold."""
    known, notes = dataset.train_hashes(), []
    for name, opened in runs.items():
        if opened.hashes is not None and not np.isin(opened.hashes, known).all():
            share = np.isin(opened.hashes, known).mean()
            notes.append(
                f"warning: {name}: {share:.0%} of what its GAN was trained on is in the train part of {dataset.name}: "
                "copies of the rest are not seen."
            )
    return notes
