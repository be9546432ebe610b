"""Top up the classes of a data set with synthetic images, as many as validation says, and write one training set."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import print_lines, print_plan, report_unless
from common.counts import parse_classes
from common.errors import RequestError
from common.executors import Executor, describe_work, open_executor
from common.figures import plot_samples, save_figure
from common.files import replacing
from common.output_folder import OutputFolder, check_inputs
from common.run_folder import HASHES, MANIFEST, SAMPLES, RunFolder
from common.run_options import RepeatOptions, WorkOptions
from common.web_report import REPORT, describe_plan, escape_text, render_table, save_report
from models.classifier import build_classifier
from models.pretrained import find_model_folder
from models.recipes import GANRequest, Recipe
from models.startup import Started, start_worker
from models.trained_gan import TrainedGAN
from real.data_options import DataOptions
from real.datasets import Dataset
from real.leakage import find_leaks
from real.resampling import compute_class_weights
from synth.shard_options import FilterOptions
from synth.shards import describe_hashes, save_hashes
from tasks.arms import Arm
from tasks.balance_candidates import build_candidate, choose, list_candidates
from tasks.balance_set import list_outputs, save_training_set
from tasks.data_defaults import choose_filter, describe_fit, note_tiny_classes, refuse_training, settle_recipe
from tasks.real_data import load_data
from tasks.study_cells import CURVES, RESULTS, Cell, Outcome, list_unfinished, raise_failures, run_study
from tasks.study_lab import BATCH, COLUMNS, Lab, fit_study_gan
from tasks.study_options import BalanceOptions
from tasks.study_report import render_arms
from tasks.time_estimates import Estimates

OWNED = ("model", HASHES, RESULTS, CURVES, "report.md", REPORT, MANIFEST, SAMPLES, "train.npz", "train.csv")
_SETTING = "validation"
_MEASURE = "balanced_accuracy"
_SHOWN_CLASSES = 20


@dataclass(frozen=True)
class _Balancing:
    """What classes are topped up, with what: data, GAN and candidates, resolved.

    trained: the GAN of --model, or None where `recipe` is to be trained. training: settings that identify the GAN;
    --overwrite keeps it where they are the same. notes: lines on the filter. total: images per class [K] before.
    """

    dataset: Dataset
    trained: Any  # TrainedGAN
    recipe: Recipe | None
    training: dict[str, Any]
    filtering: FilterOptions
    notes: list[str]
    total: np.ndarray
    candidates: list[Arm]

    def count_most(self) -> dict[str, int]:
        """Return {class name: images} of the candidate that adds most."""
        added = [arm.count_added(self.total) for arm in self.candidates if arm.gans]
        most = max(added, key=lambda counts: sum(counts.values()), default={})
        return {self.dataset.class_names[k]: count for k, count in most.items()}


def balance_data(
    data: DataOptions,
    gan: GANRequest,
    options: BalanceOptions,
    filtering: FilterOptions,
    run: RepeatOptions,
    work: WorkOptions,
    settings: dict,
    started: Started,
) -> dict:
    """Top up the classes and write one training set; return the manifest, or the plan of a dry run.

    settings: the options that identify the choice. Both these and how the run was started are recorded.
    """
    out = Path(run.out)
    balancing = _prepare(data, gan, options, filtering, run)
    dataset = balancing.dataset
    check_inputs(out, dataset.inputs)
    seeds, candidates = range(run.seed, run.seed + run.seeds), balancing.candidates
    cells = [Cell(_SETTING, arm.name, seed) for arm in candidates for seed in seeds if len(candidates) > 1]
    sections = {"training": balancing.training, "balance": settings}
    left = len(list_unfinished(cells, out, sections))
    estimates = Estimates(started.threads if run.dry_run else None)
    plan = _make_plan(balancing, gan, options, run, estimates, left=left)
    plan |= describe_work(work, started.threads)
    print_plan(plan, run.quiet)
    print_lines([*balancing.notes, *note_tiny_classes(dataset, balancing.count_most())], run.quiet)
    owned, keep = (*OWNED, *list_outputs(options.format)), ("model", "training")
    folder = OutputFolder(out, sections, "augment.py balance", owned, overwrite=run.overwrite, keep=keep)
    if run.dry_run:
        folder.check()
        return plan
    opened = open_executor(work, started.threads, report_unless(run.quiet), start_worker)
    with opened as executor, folder.hold(started.computing):
        manifest, table = _balance(balancing, gan, options, run, cells, executor)
        blocks = [describe_plan(plan), *_render_report(out, manifest, table)]
        save_report(out, "A balanced training set", blocks, started.command)
        return manifest


def _render_report(out: Path, manifest: dict, table: str) -> Iterator[str]:
    """Yield what report.html says beside the plan, as Markdown. table: of the candidates, or ""."""
    yield f"Chosen: **{escape_text(manifest['chosen']['arm'])}**. {manifest['chosen']['reason']}"
    yield table
    yield "## What is in the training set"
    counts = manifest["classes"].items()
    rows = [[escape_text(name), f"{count['real']:,}", f"{count['synthetic']:,}"] for name, count in counts]
    yield render_table(["class", "real", "synthetic"], rows)
    if (out / "samples.png").exists():
        yield "![real images of each class that was topped up, above synthetic ones](samples.png)"


def _prepare(
    data: DataOptions, gan: GANRequest, options: BalanceOptions, filtering: FilterOptions, run: RepeatOptions
) -> _Balancing:
    """Load the data and the GAN of --model, and list what to choose from."""
    if gan.model:
        refuse_training(gan)
    dataset, trained = _open_model(gan.model, data, filtering, run) if gan.model else (load_data(data, run), None)
    recipe, training = None, dataset.identity | {"seed": run.seed, "max_minutes": gan.max_minutes}
    if trained:
        training |= {"model_hash": trained.compute_hash()}
    else:
        recipe, training = settle_recipe(gan, dataset, training, run.out)
    total = np.bincount(dataset.labels[dataset.labelled()], minlength=len(dataset.class_names))
    filter, notes = choose_filter(filtering, trained or dataset)
    build_classifier(dataset.image_shape, len(dataset.class_names), options.classifier)  # refuses too small images
    classes = _find_classes(options.top_up, dataset, trained)
    candidates = _list_candidates(options, filtering.filter, dataset, classes, total)
    filtering = replace(filtering, filter=filter)  # "auto" also means candidates with a filter and without
    return _Balancing(dataset, trained, recipe, training, filtering, notes, total, candidates)


def _balance(
    balancing: _Balancing,
    gan: GANRequest,
    options: BalanceOptions,
    run: RepeatOptions,
    cells: list[Cell],
    executor: Executor,
) -> tuple[dict, str]:
    """Train the GAN where there is none yet, choose a candidate, and write the training set.

    Return its manifest, and the table of the candidates.
    """
    out, report, dataset = Path(run.out), report_unless(run.quiet), balancing.dataset
    if balancing.recipe:
        training: dict[str, Any] = {"max_minutes": gan.max_minutes, "quiet": run.quiet, "report": report}
        training |= {"filter": balancing.filtering.filter, "seed": run.seed, "executor": executor}
        trained = fit_study_gan(dataset, balancing.recipe, out, **training)
        balancing = replace(balancing, trained=trained)
    lab = Lab(
        lambda setting, seed: dataset,
        lambda name, setting, seed: balancing.trained,
        {arm.name: arm for arm in balancing.candidates},
        balancing.filtering,
        steps=options.classifier_steps,
        classifier=options.classifier,
        score_on="validation",
    )
    arm, reason, table = _choose(cells, balancing.candidates, out, partial(lab.run_all, executor=executor), run.quiet)
    report(f"chosen: {arm.name}. {reason}")
    manifest = _save(balancing, lab, arm, reason, run, options.format)
    for name, counts in manifest["classes"].items():
        written = "" if name == str(counts["label"]) else f" (label {counts['label']})"
        report(f"class {name}{written}: {counts['real']:,} real and {counts['synthetic']:,} synthetic images")
    report(f"{', '.join(list_outputs(options.format))} and {MANIFEST} are in {out}")
    return manifest, table


def _save(balancing: _Balancing, lab: Lab, arm: Arm, reason: str, run: RepeatOptions, format: str) -> dict:
    """Write the training set, its manifest, hashes and samples; return the manifest."""
    out, dataset, trained = Path(run.out), balancing.dataset, balancing.trained
    labelled = dataset.labelled()
    images, labels = dataset.images[labelled], dataset.labels[labelled]
    added = arm.count_added(balancing.total) if arm.gans else {}
    if added:
        drawn_images, drawn_labels = lab.draw(Cell(_SETTING, arm.name, run.seed), added)
        rows = {}
        for k in list(added)[:_SHOWN_CLASSES]:
            rows[f"{dataset.class_names[k]}, real"] = images[labels == k][:10]
            rows[f"{dataset.class_names[k]}, synthetic"] = drawn_images[drawn_labels == k][:10]
        save_figure(RunFolder(out).samples, plot_samples(rows))
        images, labels = np.concatenate([images, drawn_images]), np.concatenate([labels, drawn_labels])
    save_hashes(out, trained.train_hashes())
    synthetic = np.arange(len(labels)) >= len(labelled)
    values = np.array(dataset.label_values, np.int64)[labels]
    chosen: dict[str, Any] = {"arm": arm.name, "reason": reason}
    if arm.balance == "class-weights":
        weights = compute_class_weights(labels)
        chosen["class_weights"] = {dataset.class_names[k]: weight for k, weight in weights.items()}
    kept = asdict(balancing.filtering) if arm.filtered else {"latent_std": balancing.filtering.latent_std}
    content = {
        "chosen": chosen,
        "seed": run.seed,
        "model_hash": trained.compute_hash(),
        "train_hashes": describe_hashes(trained.train_hashes()),
        "pretrained_features": trained.pretrained_features,
        "filter": kept if arm.filtered else kept | {"filter": "none"},
    }
    return save_training_set(out, format, images, values, synthetic, dataset, content)


def _open_model(
    model: str | Path, data: DataOptions, filtering: FilterOptions, run: RepeatOptions
) -> tuple[Dataset, TrainedGAN]:
    """Open the data, all classes of them, and the GAN of --model; RequestError where the two do not fit."""
    trained = TrainedGAN(find_model_folder(model))
    trained.check_filter(filtering.filter)
    dataset = load_data(data, run, trained.request | {"real_per_class": None, "classes": None})
    if not data.data and not np.isin(trained.train_hashes(), dataset.train_hashes()).all():
        raise RequestError(f"{dataset.name} should be the data that --model was trained on. They differ: give --data.")
    made = dict(zip(trained.label_values, trained.class_names, strict=True))
    known = dict(zip(dataset.label_values, dataset.class_names, strict=True))
    if not made.items() <= known.items():
        raise RequestError(f"--model should make classes of the data, {known}. It makes {made} instead.")
    if trained.image_shape != dataset.image_shape:
        raise RequestError(
            f"--model should make images of shape {dataset.image_shape}. It makes {trained.image_shape} instead."
        )
    advice = "Leave out --data, or use a GAN that was trained on the train part alone."
    find_leaks(dataset.part("validation")[0], trained.train_hashes(), source="validation", advice=advice)
    return dataset, trained


def _find_classes(top_up: str | None, dataset: Dataset, trained: TrainedGAN | None) -> tuple[int, ...]:
    """Return the indices of the classes to top up: those of --top-up, or all that the GAN makes."""
    source = trained or dataset
    made = [dataset.label_values.index(value) for value in source.label_values]
    if not top_up:
        return tuple(made)
    classes = parse_classes(top_up, dataset.class_names, dataset.label_values, "--top-up")
    if not set(classes) <= set(made):
        raise RequestError(f"--top-up should be among the classes of --model, {', '.join(source.class_names)}.")
    return classes


def _list_candidates(
    options: BalanceOptions, filter: str, dataset: Dataset, classes: tuple[int, ...], total: np.ndarray
) -> list[Arm]:
    """Return the arms to choose from: one where the flags leave nothing to choose."""
    if options.target is not None or options.surplus != "auto":
        if options.target is not None:
            name, amount = f"target {options.target}", {"added": options.target - max(total)}
        else:
            name, amount = f"surplus {options.surplus}", {"ratio": float(options.surplus)}
        arm = build_candidate(name, filter != "none", classes=classes, **amount)
        if not arm.count_added(total):
            counts = ", ".join(f"{dataset.class_names[k]} {total[k]:,}" for k in classes)
            raise RequestError(f"--target or --surplus should ask for more images than there are ({counts}).")
        return [arm]
    if not dataset.has_classifier:
        raise RequestError("--surplus auto needs two classes or more to tell apart: give --surplus or --target.")
    if len(np.unique(dataset.labels[dataset.validation])) < len(dataset.class_names):
        raise RequestError("--surplus auto needs validation images of every class: take more, or give --surplus.")
    return list_candidates(total, filter, classes)


def _choose(
    cells: list[Cell],
    candidates: list[Arm],
    out: Path,
    run_cells: Callable[[list[Cell]], Iterator[Outcome]],
    quiet: bool,
) -> tuple[Arm, str, str]:
    """Run the cells; return the arm to use, why, and the table of all ("" without cells)."""
    if not cells:
        return candidates[0], "The flags say so.", ""
    results, _, failed = run_study(cells, out, run_cells, columns=COLUMNS, quiet=quiet)
    incomplete = {cell.arm: error for cell, error in failed.items()}
    complete = [arm for arm in candidates if arm.name not in incomplete]
    if len(complete) < 2 or complete[0] != candidates[0]:
        raise_failures(failed)
    arm, reason = choose(results, complete, _MEASURE)
    reason = " ".join([f"On validation, {reason}", *(f"Not `{name}`: {error}" for name, error in incomplete.items())])
    table = render_arms(results, candidates, {_MEASURE: "balanced accuracy on validation, %"})
    with replacing(out / "report.md") as temporary:
        temporary.write_text(f"# Balanced\n\nChosen: {arm.name}. {reason}\n\n{table}\n", encoding="utf-8")
    return arm, reason, table


def _make_plan(
    balancing: _Balancing,
    gan: GANRequest,
    options: BalanceOptions,
    run: RepeatOptions,
    estimates: Estimates,
    *,
    left: int,
) -> dict[str, str]:
    """Return what will be done, {heading: text}. left: classifiers that are not trained yet."""
    dataset, total, candidates, recipe = balancing.dataset, balancing.total, balancing.candidates, balancing.recipe
    counts = ", ".join(f"{name} {count:,}" for name, count in zip(dataset.class_names, total, strict=True))
    plan = {"data": f"{dataset.name} ({dataset.fingerprint[:12]}): {counts}"}
    steps = left * options.classifier_steps
    minutes = estimates.count_classifier_minutes(left, steps, dataset, options.classifier)
    if recipe:
        gan_minutes = estimates.count_gan_minutes(recipe, dataset)
        minutes += min(gan_minutes, gan.max_minutes or gan_minutes) + estimates.count_judge_minutes(recipe, dataset)
        plan["GAN"] = f"{recipe.name}, on the {len(dataset.train):,} train images"
        plan |= describe_fit(gan.recipe, recipe, dataset)
    else:
        plan["GAN"] = f"{gan.model}, trained before"
    if len(candidates) > 1:
        plan["choice"] = (
            f"{len(candidates)} candidates ({'; '.join(arm.name for arm in candidates)}), {run.seeds} seeds each, "
            f"{options.classifier}, {options.classifier_steps:,} steps of {BATCH} images, "
            f"on {len(dataset.validation):,} validation images"
        )
    added = sum(balancing.count_most().values())
    plan["training set"] = f"{sum(total):,} real images and up to {added:,} synthetic ones, {options.format}, {run.out}"
    plan["time"] = f"up to {minutes:.0f} minutes {estimates.describe()}, without drawing the images"
    return plan
