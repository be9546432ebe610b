"""Compare runs with real images: features, scores, memorisation, figures and a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from evaluation import figures as plots
from evaluation.features import (
    Material,
    check_counts,
    count_images,
    gather,
    index_sources,
    score_all,
    search_nearest,
    take_unknown,
)
from evaluation.figures import plot_score_curves
from evaluation.memorisation import Memorisation
from evaluation.report import find_verdicts, find_warnings, render_report, render_scores
from models.cross_check import check_agreement, cross_check
from models.extractors import build_extractor, draw_spare
from models.recipes import RECIPES, GANRequest
from models.startup import download_standard_set
from models.tfgan import import_tfgan
from models.trained_gan import TrainedGAN
from synth.command_line import report_unless
from synth.datasets import Dataset, load_dataset
from synth.errors import RequestError, TrainingError
from synth.figures import plot_samples, save_figure
from synth.files import replacing, save_json
from synth.kaggle import default_out
from synth.options import RunOptions, SamplingOptions, SubsetOptions
from synth.output_folder import check_inputs, check_output, installed_versions, open_output
from synth.progress import open_bar
from synth.run_files import load_histories
from synth.run_folder import RunFolder
from synth.sampling import draw_latents
from synth.sources import Run, Source, open_run
from tasks.evaluation_options import ComparisonOptions, MeasuringOptions
from tasks.generation import generate
from tasks.real_data import load_data, print_plan

SCRIPT = "evaluate_fid.py"
OWNED = (
    "evaluation.json",
    "evaluation.md",
    "prdc.png",
    "neighbours.png",
    "projection.png",
    "sizes.png",
    "samples.png",
    "curves.png",
)
_GRID_COLUMNS = 20
_CLOSEST = 10  # pairs that are shown


@dataclass(frozen=True)
class _Prepared:
    """What is compared, before features are computed: of runs {name: Run}, or none yet for --compare.

    real, floor: (images uint8 [n, H, W, C], class indices [n]). leaks: of the real images, counts. failed: {recipe: why
    it has no run}.
    """

    runs: dict[str, Run]
    sources: dict[str, list[Source]]
    real: tuple[np.ndarray, np.ndarray]
    floor: tuple[np.ndarray, np.ndarray]
    leaks: dict
    failed: dict[str, str]


def compare_runs(
    paths: Sequence[str | Path],
    data: SubsetOptions,
    measuring: MeasuringOptions,
    comparison: ComparisonOptions,
    run: RunOptions,
    settings: dict,
    threads: int,
) -> dict:
    """Compare the runs at `paths` (none: the default one) with real images; return evaluation.json, or a plan.

    settings: the options that identify the comparison. threads: that TensorFlow computes in. Both are recorded.
    """
    out, report = Path(run.out), report_unless(run.quiet)
    runs = {} if comparison.compare else _open_runs(paths or (default_out(),), report)
    dataset = _load_data(data, measuring, run, runs)
    check_inputs(out, {"--data": dataset.request["data"]})
    if measuring.cross_check:
        _check_tfgan()
    prepared = _prepare(measuring, dataset, runs)
    plan = _make_plan(measuring, comparison, dataset, runs, out)
    print_plan(plan, run.quiet)
    identities = {name: opened.identity for name, opened in runs.items()}
    settings = {name: str(value) for name, value in settings.items()}
    settings |= {"fingerprint": dataset.fingerprint, "images_of_runs": identities}
    folder = (out, {"evaluation": settings}, SCRIPT, OWNED)
    if run.dry_run:
        check_output(*folder, overwrite=run.overwrite)
        return plan
    cache = out / "cache"
    build = partial(build_extractor, measuring.features, dataset, cache, measuring.inception_weights, report)
    extractor = build() if measuring.features == "inception" else None  # now: its weights may be missing
    with open_output(*folder, overwrite=run.overwrite, threads=threads):
        if comparison.compare:
            runs, failed = _train_recipes(data, comparison, run, threads)
            prepared = replace(_prepare(measuring, dataset, runs), failed=failed)
        cache.mkdir(exist_ok=True)
        extractor = extractor or build()
        material = _gather(measuring, run, prepared, extractor, cache)
        result = {"settings": settings} | _describe_sides(measuring, dataset, extractor, prepared, material)
        result["compare"] = list(comparison.compare)
        return _score_and_save(measuring, run, dataset, material, result)


def _describe_sides(
    measuring: MeasuringOptions, dataset: Dataset, extractor: Any, prepared: _Prepared, material: Material
) -> dict:
    """Return what evaluation.json says of the images and of the features."""
    return {
        "failed": prepared.failed,
        "leaks": prepared.leaks,
        "notes": _note_unknown_training(prepared.runs, dataset),
        "versions": installed_versions(),
        "data": dataset.name,
        "fingerprint": dataset.fingerprint,
        "features": {"name": extractor.name, "hash": extractor.hash, "dimensions": extractor.dimensions},
        "real": {"split": measuring.split, "images": len(material.real.labels)},
    }


def _score_and_save(
    measuring: MeasuringOptions, run: RunOptions, dataset: Dataset, material: Material, result: dict
) -> dict:
    """Score the runs, and write the figures and `result` with its scores and sentences; return that."""
    out, report = Path(run.out), report_unless(run.quiet)
    memorisations = search_nearest(material, dataset.part("train")[0])
    options = {name: getattr(measuring, name) for name in ("neighbours", "bootstrap", "fid_infinity")}
    result = result | score_all(material, memorisations, dataset.class_names, seed=run.seed, **options)
    if measuring.cross_check:
        _add_cross_checks(material, result, run.seed)
    result |= {"warnings": find_warnings(result), "verdicts": find_verdicts(result)}
    for name, figure in _plot(run, dataset, material, memorisations, result).items():
        save_figure(out / f"{name}.png", figure)
    save_json(out / "evaluation.json", result)
    with replacing(out / "evaluation.md") as temporary:
        temporary.write_text(render_report(result), encoding="utf-8")
    for line in [render_scores(result), *result["warnings"], *result["verdicts"]]:
        report(line)
    report(f"evaluation.json, evaluation.md and figures are in {out}")
    if measuring.cross_check:
        _check_agreement(result)
    return result


def _open_runs(given: Sequence[str | Path], report: Callable[[str], None]) -> dict[str, Run]:
    """Return the runs of these folders and patterns by name."""
    paths = [str(path) for path in given]
    if len(set(paths)) < len(paths):
        raise RequestError(f"RUN should be different folders. Got {', '.join(paths)}.")
    names = [Path(path).name for path in paths]
    names = names if len(set(names)) == len(names) else paths
    return {name: open_run(path, report, "RUN") for name, path in zip(names, paths, strict=True)}


def _load_data(data: SubsetOptions, measuring: MeasuringOptions, run: RunOptions, runs: dict[str, Run]) -> Dataset:
    """Load the real data that the flags name, or else those that the runs were made from."""
    known = [(opened.request, opened.fingerprint) for opened in runs.values() if opened.request]
    inherited = known[0] if known else ()
    if any(source != inherited for source in known) and data.data is None:
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


def _make_plan(
    measuring: MeasuringOptions, comparison: ComparisonOptions, dataset: Dataset, runs: dict[str, Run], out: Path
) -> dict[str, str]:
    """Return what will be done, {heading: text}."""
    count = len(getattr(dataset, measuring.split))
    plan = {"data": f"{dataset.name} ({dataset.fingerprint[:12]}): {count:,} {measuring.split} images"}
    for name in comparison.compare:
        recipe = replace(RECIPES[name], **comparison.recipe_options)
        gans, images = recipe.plan_gans(len(dataset.class_names), len(dataset.train))
        steps = f"{recipe.total_steps(images):,} steps of {recipe.batch_size} images"
        plan[name] = f"{gans} GAN, {steps}{' each' * (gans > 1)}"
    if not comparison.compare:
        plan["runs"] = ", ".join(runs)
    plan["features"] = f"{measuring.features}, at most {measuring.images:,} images of each side"
    return plan | {"output": str(out)}


def _train_recipes(
    data: SubsetOptions, comparison: ComparisonOptions, run: RunOptions, threads: int
) -> tuple[dict[str, Run], dict[str, str]]:
    """Train the recipes that are not there yet, and sample them unfiltered: ({recipe: Run}, {recipe: why not})."""
    runs, failed, report = {}, {}, report_unless(run.quiet)
    sampling = SamplingOptions(filter="none", duplicate_distance=0.0)
    for name in comparison.compare:
        folder = Path(run.out) / "runs" / name
        recipe = replace(RECIPES[name], **comparison.recipe_options)
        report(f"--- {name}")
        try:
            gan = GANRequest(recipe=recipe, max_minutes=comparison.max_minutes, model=None)
            generate(data, gan, sampling, replace(run, out=folder), threads)
            runs[name] = open_run(folder, report)
        except TrainingError as error:
            failed[name] = str(error)
            report(failed[name])
    if not runs:
        raise TrainingError("no recipe could be trained to its end: " + "; ".join(failed.values()))
    return runs, failed


def _prepare(measuring: MeasuringOptions, dataset: Dataset, runs: dict[str, Run]) -> _Prepared:
    """Bring together the images of the runs, and real ones that they were not trained on."""
    known_values = dataset.label_values
    if dataset.request["classes"]:
        whole = dataset.request | {"classes": None, "real_per_class": None}
        known_values = load_dataset(**whole, download=download_standard_set).label_values
    sources = index_sources(runs, dataset, known_values)
    part = dataset.part(measuring.split)
    real, leaks = take_unknown(part, runs, allow=measuring.allow_leak, source=measuring.split)
    floor = draw_spare(dataset)
    check_counts(real, floor, dataset.class_names)
    return _Prepared(runs, sources, real, floor, leaks, {})


def _gather(measuring: MeasuringOptions, run: RunOptions, prepared: _Prepared, extractor: Any, cache: Path) -> Material:
    """Collect the features of all images that are compared."""
    sides = (prepared.sources, prepared.real, prepared.floor)
    with open_bar(quiet=run.quiet, total=count_images(prepared.sources), desc="features", unit="img") as bar:
        return gather(*sides, extractor, cache, limit=measuring.images, seed=run.seed, advance=bar.update)


def _note_unknown_training(runs: dict[str, Run], dataset: Dataset) -> list[str]:
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


def _check_tfgan() -> None:
    try:
        import_tfgan()
    except ImportError as error:
        raise RequestError(f"--cross-check compares with TF-GAN. {error}") from error


def _add_cross_checks(material: Material, result: dict, seed: int) -> None:
    for name, sample in material.runs.items():
        result["runs"][name]["cross_check"] = cross_check(material.real.features, sample.features, seed)


def _check_agreement(result: dict) -> None:
    for entry in result["runs"].values():
        check_agreement(entry["cross_check"])


def _plot(
    run: RunOptions, dataset: Dataset, material: Material, memorisations: dict[str, Memorisation], result: dict
) -> dict[str, Figure]:
    """Return {file name: Figure}."""
    train_images = dataset.part("train")[0]
    pairs = {}
    for name, found in memorisations.items():
        shown = found.find_closest(_CLOSEST)
        images = material.runs[name].images[found.index[shown]]
        pairs[name] = (images, train_images[found.nearest[shown]], found.distances[shown])
    features = {name: sample.features for name, sample in material.runs.items()}
    figures = {
        "prdc": plots.plot_prdc(result),
        "neighbours": plots.plot_neighbours(pairs),
        "projection": plots.plot_projection(material.real.features, features),
    }
    if "sizes" in result["floor"]:
        entries = {**result["runs"], "floor (real)": result["floor"]}
        traces = {name: (entry["sizes"], entry["frechet_of_sizes"]) for name, entry in entries.items()}
        figures["sizes"] = plots.plot_sizes(traces)
    if not result["compare"]:
        return figures
    folders = {name: RunFolder(Path(run.out) / "runs" / name).model.path for name in result["runs"]}
    return figures | _plot_training(folders, dataset, run.seed, report_unless(run.quiet))


def _plot_training(
    folders: dict[str, Path], dataset: Dataset, seed: int, report: Callable[[str], None]
) -> dict[str, Figure]:
    """Return the sample grid of all recipes, with the same latents in each column, and their curves."""
    per_class = max(1, _GRID_COLUMNS // len(dataset.class_names))
    rows = {}
    for name, folder in folders.items():
        trained = TrainedGAN(folder)
        latents = draw_latents(seed, 0, 0, 0, trained.latent_dim)[:per_class]
        rows[name] = np.concatenate([trained.generate(latents, k) for k in range(len(dataset.class_names))])
    figures = {"samples": plot_samples(rows, per_class * len(dataset.class_names))}
    try:
        curves = {name: list(load_histories(folder).values()) for name, folder in folders.items()}
    except RequestError as error:
        report(f"note: curves.png is left out. {error}")
        return figures
    return figures | {"curves": plot_score_curves(curves)}
