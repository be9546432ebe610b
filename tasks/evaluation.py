"""Compare runs with real images: features, scores, memorisation, figures and a report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import print_plan, report_unless
from common.errors import RequestError
from common.executors import describe_work, open_executor
from common.figures import save_figure
from common.files import replacing, save_json
from common.kaggle import default_out
from common.output_folder import OutputFolder, check_inputs, installed_versions
from common.progress import open_bar
from common.run_folder import RunFolder
from common.run_options import RunOptions, WorkOptions
from common.web_report import REPORT, describe_plan, save_report
from evaluation.feature_cache import load_or_compute
from evaluation.features import Material, draw_evenly, gather
from evaluation.likelihood import compute_likelihood_divergences
from evaluation.memorisation import Memorisation, search_nearest, search_nearest_in_features
from evaluation.report import find_verdicts, find_warnings, render_report, render_scores
from evaluation.result import Evaluation, FeatureSpace, RealSide
from evaluation.run_scores import score_all
from evaluation.scores import Scoring
from models.cross_check import check_agreement, cross_check
from models.extractors import build_extractor, draw_spare
from models.recipes import build_recipe
from models.startup import Started, start_worker
from models.tfgan import import_tfgan
from real.data_options import SubsetOptions
from real.datasets import Dataset
from tasks.data_defaults import fit_recipe
from tasks.evaluation_figures import plot_evaluation, plot_training
from tasks.evaluation_inputs import (
    Inputs,
    load_compared_data,
    note_unknown_training,
    open_runs,
    prepare,
    train_recipes,
)
from tasks.evaluation_options import FITTED_FEATURES, ComparisonOptions, MeasuringOptions

SCRIPT = "evaluate_fid.py"
_CAPTIONS = {
    "samples": "images of each recipe, class by class, with the same latents for each class",
    "neighbours": "the synthetic images that are nearest to a training image, each above that image",
    "prdc": "precision, recall, density and coverage, beside those of real images",
    "projection": "features on the real ones' first two principal components",
    "sizes": "the Frechet distance over the number of images",
    "curves": "the Frechet distance on validation while training",
}
OWNED = ("evaluation.json", "cache", "evaluation.md", REPORT, *(f"{name}.png" for name in _CAPTIONS))


@dataclass(frozen=True)
class _Measured:
    """The features of everything that is compared, what computed them, and the nearest training images by run.

    in_features: the nearest of so many training images, `searched`, in the features. divergences: {run: likelihood
    divergence}.
    """

    extractor: Any
    material: Material
    memorisations: dict[str, Memorisation]
    in_features: dict[str, Memorisation]
    searched: int
    divergences: dict[str, float | None]


def compare_runs(
    paths: Sequence[str | Path],
    data: SubsetOptions,
    measuring: MeasuringOptions,
    comparison: ComparisonOptions,
    run: RunOptions,
    work: WorkOptions,
    settings: dict,
    started: Started,
) -> dict:
    """Compare the runs at `paths` (none: the default one) with real images; return evaluation.json, or a plan.

    settings: the options that identify the comparison. These and how the run was started are recorded.
    """
    out, report = Path(run.out), report_unless(run.quiet)
    runs = {} if comparison.compare else open_runs(paths or (default_out(),), report)
    dataset = load_compared_data(data, measuring, run, runs)
    check_inputs(out, dataset.inputs)
    if measuring.cross_check:
        _check_tfgan()
    inputs = prepare(measuring, dataset, runs, {})
    plan = _make_plan(measuring, comparison, inputs, out) | describe_work(work, started.threads)
    print_plan(plan, run.quiet)
    identified = dataset.identity | {"images_of_runs": {name: opened.identity for name, opened in runs.items()}}
    settings = {name: str(value) for name, value in settings.items()} | identified
    folder = OutputFolder(out, {"evaluation": settings}, SCRIPT, OWNED, overwrite=run.overwrite)
    if run.dry_run:
        folder.check()
        return plan
    build = partial(build_extractor, measuring.features, dataset, out / "cache", measuring.feature_weights, report)
    extractor = None if measuring.features in FITTED_FEATURES else build()  # now: its weights may be missing
    opened = open_executor(work, started.threads, report, start_worker)
    with opened as executor, folder.hold(started.computing):
        if comparison.compare:
            inputs = prepare(measuring, dataset, *train_recipes(data, comparison, run, executor, started))
        (out / "cache").mkdir(exist_ok=True)
        measured = _measure(measuring, run, inputs, extractor or build())
        evaluation = _score(measuring, run.seed, inputs, measured, settings, list(comparison.compare))
        _save(run, dataset, measured, evaluation, plan, started.command)
        return evaluation.to_dict()


def _measure(measuring: MeasuringOptions, run: RunOptions, inputs: Inputs, extractor: Any) -> _Measured:
    """Compute the features of all images that are compared, and find the nearest training images."""
    cache, sides = Path(run.out) / "cache", inputs.compared.sides
    is_costly = measuring.features not in FITTED_FEATURES
    total = sides.count_synthetic(measuring.images if is_costly else None)
    with open_bar(quiet=run.quiet, total=total, desc="features", unit="img") as bar:
        options: dict[str, Any] = {"limit": measuring.images, "seed": run.seed, "is_costly": is_costly}
        material = gather(sides, extractor, cache, advance=bar.update, **options)
    dataset, floor, real = inputs.dataset, material.floor.features, material.real.features
    others = draw_evenly(*draw_spare(dataset, others=True), measuring.images, run.seed)
    fitted, _ = load_or_compute(cache, others, extractor)
    known, mirrored = np.concatenate([fitted, floor]), dataset.image_shape[2] > 1
    in_features = search_nearest_in_features(material, known, extractor.compute, mirrored=mirrored)
    runs = {name: sample.features for name, sample in material.runs.items()}
    divergences = compute_likelihood_divergences(fitted, real, floor, runs)
    nearest = search_nearest(material, dataset.part("train")[0])
    return _Measured(extractor, material, nearest, in_features, len(known), divergences)


def _score(
    measuring: MeasuringOptions, seed: int, inputs: Inputs, measured: _Measured, settings: dict, compare: list[str]
) -> Evaluation:
    """Score the runs, and say what the scores mean. compare: the recipes that were trained for it."""
    dataset, extractor, material = inputs.dataset, measured.extractor, measured.material
    scoring = Scoring(neighbours=measuring.neighbours, bootstrap=measuring.bootstrap, seed=seed)
    classes, infinity = inputs.compared.classes, measuring.fid_infinity
    floor, runs = score_all(material, measured.memorisations, classes, scoring, fid_infinity=infinity)
    for name, found in measured.in_features.items():
        runs[name] = replace(
            runs[name],
            memorisation_in_features=found.summarise(),
            likelihood_divergence=measured.divergences[name],
            pretrained_features=inputs.runs[name].pretrained_features,
        )
    if measuring.cross_check:
        for name, sample in material.runs.items():
            opinions = cross_check(material.real.features, sample.features, seed)
            runs[name] = replace(runs[name], cross_check=opinions)
    evaluation = Evaluation(
        settings=settings,
        failed=inputs.failed,
        leaks=inputs.leaks,
        notes=[*inputs.compared.notes, *note_unknown_training(inputs.runs, dataset)],
        versions=installed_versions(),
        data=dataset.name,
        fingerprint=dataset.fingerprint,
        features=FeatureSpace(extractor.name, extractor.hash, extractor.dimensions),
        real=RealSide(measuring.split, len(material.real.labels)),
        compare=compare,
        searched=measured.searched,
        compared=sum(material.quotas.values()),
        compared_classes={classes[k]: count for k, count in material.quotas.items()},
        without_classes=inputs.compared.classless,
        floor=floor,
        runs=runs,
    )
    return replace(evaluation, warnings=find_warnings(evaluation), verdicts=find_verdicts(evaluation))


def _save(
    run: RunOptions, dataset: Dataset, measured: _Measured, evaluation: Evaluation, plan: dict[str, str], command: str
) -> None:
    """Write the figures, evaluation.json, evaluation.md and the page, and print what they say.

    Raises RunError afterwards where TF-GAN's distances are others.
    """
    out, report = Path(run.out), report_unless(run.quiet)
    figures = plot_evaluation(evaluation, measured.material, measured.memorisations, dataset.part("train")[0])
    if evaluation.compare:
        folders = {name: RunFolder(out / "runs" / name).model.path for name in evaluation.runs}
        figures |= plot_training(folders, dataset, run.seed, report)
    for name, figure in figures.items():
        save_figure(out / f"{name}.png", figure)
    save_json(out / "evaluation.json", evaluation.to_dict())
    text = render_report(evaluation)
    with replacing(out / "evaluation.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    title, _, tables = text.partition("\n\n")
    shown = [f"![{_CAPTIONS[name]}]({name}.png)" for name in _CAPTIONS if name in figures]
    save_report(out, title.removeprefix("# "), [describe_plan(plan), tables, "## Figures", *shown], command)
    for line in [render_scores(evaluation), *evaluation.warnings, *evaluation.verdicts]:
        report(line)
    report(f"evaluation.json, evaluation.md, {REPORT} and figures are in {out}")
    for scored in evaluation.runs.values():
        check_agreement(scored.cross_check or {})


def _make_plan(measuring: MeasuringOptions, comparison: ComparisonOptions, inputs: Inputs, out: Path) -> dict[str, str]:
    """Return what will be done, {heading: text}."""
    dataset = inputs.dataset
    count = len(getattr(dataset, measuring.split))
    plan = {"data": f"{dataset.name} ({dataset.fingerprint[:12]}): {count:,} {measuring.split} images"}
    for name in comparison.compare:
        given = comparison.recipe_fields
        recipe = fit_recipe(build_recipe(name, given), name, dataset, given)
        gans, images = recipe.plan_gans(len(dataset.class_names), len(dataset.train))
        steps = f"{recipe.total_steps(images):,} steps of {recipe.batch_size} images"
        plan[name] = f"{gans} GAN, {steps}{' each' * (gans > 1)}"
    if not comparison.compare:
        plan["runs"] = ", ".join(inputs.runs)
    compared = inputs.compared
    if compared.classless:
        plan["without classes"] = compared.classless
    if compared.notes:
        plan["notes"] = " ".join(compared.notes)
    plan["features"] = f"{measuring.features}, at most {measuring.images:,} images of each side"
    return plan | {"output": str(out)}


def _check_tfgan() -> None:
    try:
        import_tfgan()
    except ImportError as error:
        raise RequestError(f"--cross-check compares with TF-GAN. {error}") from error
