"""Conduct a study: check it, plan it, run its cells, and write its report."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from common.checks import check_fields, is_bool, is_text
from common.command_line import print_plan, report_unless
from common.executors import Executor, describe_work, open_executor
from common.files import load_json, save_json
from common.folder_names import class_folder
from common.output_folder import OutputFolder, check_inputs, list_same_sections
from common.run_folder import RunFolder
from common.run_options import RepeatOptions, WorkOptions
from common.web_report import REPORT, describe_plan, save_report
from models.classifier import build_classifier
from models.classifier_training import count_epoch_steps
from models.description import list_pairs
from models.flips import FlipDecision, decide_flip
from models.recipe_fitting import FITTED
from models.recipes import RECIPES
from models.startup import Started, start_worker
from models.trained_gan import TrainedGAN
from real.datasets import Dataset
from tasks.arms import Arm
from tasks.data_defaults import choose_filter, describe_fit, fit_recipe
from tasks.gan_orders import GANOrder, fit_elsewhere, is_trained
from tasks.study_cells import CURVES, RESULTS, Cell, list_unfinished, raise_failures, run_study
from tasks.study_design import Study, check_design, find_gan_data, load_setting
from tasks.study_lab import BATCH, COLUMNS, Lab, fit_study_gan
from tasks.study_report import write_report
from tasks.time_estimates import Estimates, count_useful_workers

OWNED = (RESULTS, CURVES, "report.md", REPORT, "arms.png", "curves.png", "epochs.png", "samples", "gans")
_FLIPS = Path("gans", "flips.json")  # whether training images are mirrored


def conduct(
    study: Study, run: RepeatOptions, work: WorkOptions, settings: dict, started: Started
) -> pd.DataFrame | dict:
    """Run what is not finished yet of a study; return its results, or the plan of a dry run.

    settings: the options that identify it. These and how the run was started are recorded.
    """
    out = Path(run.out)
    seeds = range(run.seed, run.seed + run.seeds)
    cells = [Cell(setting, arm, seed) for setting in study.settings for seed in seeds for arm in study.arms]
    datasets = {setting: load_setting(study, setting, run.seed) for setting in study.settings}
    first = next(iter(datasets.values()))
    check_inputs(out, first.inputs)
    build_classifier(first.image_shape, len(first.class_names), study.classifier)  # refuses too small images
    check_design(study, datasets)
    sections = _describe_settings(study, settings, first)
    left = list_unfinished(cells, out, sections)
    kept = out if "gans" in list_same_sections(out, sections) else None
    useful = count_useful_workers(work, started.threads)
    estimates = Estimates(started.threads if run.dry_run else None)
    plan = _make_plan(study, kept, cells, left, datasets, estimates, useful)
    plan |= describe_work(work, started.threads)
    asked = [recipe.flip for recipe in study.recipes.values() if "flip" in study.given]
    most = max(datasets.values(), key=lambda dataset: len(dataset.train))
    decide = partial(decide_flip, asked[0] if asked else "auto", most, run.seed)
    plan |= decide(dry=True).describe()
    print_plan(plan, run.quiet)
    folder = OutputFolder(out, sections, study.script, OWNED, overwrite=run.overwrite, keep=("gans", "gans"))
    if run.dry_run:
        folder.check()
        return plan
    opened = open_executor(work, started.threads, report_unless(run.quiet), start_worker)
    with opened as executor, folder.hold(started.computing):
        decision = _decide_once(out / _FLIPS, decide)
        print_plan(decision.describe(), run.quiet, plan)
        plan |= decision.describe()
        study = replace(study, recipes={name: decision.settle(recipe) for name, recipe in study.recipes.items()})
        lab = _build_lab(study, run, flip=decision.flip)
        if executor.is_remote:
            _fit_gans(study, run, left, lab, executor)
        return _run_cells(study, run, cells, lab, executor, plan, started.command)


def _decide_once(path: Path, decide: Callable[[], FlipDecision]) -> FlipDecision:
    """Return the decision that the study has begun with, as seeds and settings may have been added, or make it."""
    if path.exists():
        content = load_json(path)
        check_fields(content, {"flip": ("true or false", is_bool), "reason": ("a text", is_text)}, path)
        return FlipDecision(content["flip"], content["reason"])
    decision = decide()
    path.parent.mkdir(exist_ok=True)
    save_json(path, asdict(decision))
    return decision


def _fit_gans(study: Study, run: RepeatOptions, left: list[Cell], lab: Lab, executor: Executor) -> None:
    """Train the GANs that the cells `left` need by workers, where they are not there yet."""
    keys = dict.fromkeys((name, cell.setting, cell.seed) for cell in left for name in study.arms[cell.arm].gans)
    orders = (_order_gan(study, run, *key) for key in keys)
    missing = (order for order in orders if not is_trained(order.folder, order.recipe, order.dataset))
    for made in fit_elsewhere(missing, executor, report_unless(run.quiet)):
        if made.error:
            lab.failures[made.key] = made.error
        made.save(_gan_folder(Path(run.out), *made.key))


def _order_gan(study: Study, run: RepeatOptions, name: str, setting: str, seed: int) -> GANOrder:
    dataset = find_gan_data(study, name, load_setting(study, setting, seed))
    recipe = fit_recipe(study.recipes[name], name, dataset, study.given, limit_given=True)
    folder = _gan_folder(Path(run.out), name, setting, seed)
    return GANOrder((name, setting, seed), folder, dataset, recipe, seed, study.max_minutes, study.filtering.filter)


def _run_cells(
    study: Study,
    run: RepeatOptions,
    cells: list[Cell],
    lab: Lab,
    executor: Executor,
    plan: dict[str, str],
    command: str,
) -> pd.DataFrame:
    """Run what is not finished of the cells and write the report; return the results."""
    out, report = Path(run.out), report_unless(run.quiet)
    columns = COLUMNS | {RESULTS: [*COLUMNS[RESULTS], *study.measures]}
    run_cells = partial(lab.run_all, executor=executor)
    results, curves, failed = run_study(cells, out, run_cells, columns=columns, quiet=run.quiet)
    if len(results):
        text = write_report(study, run, results, curves, lab)
        report("\n".join(line for line in text.splitlines() if line.startswith(("- ", "## "))))
        title, _, rest = text.partition("\n\n")
        save_report(out, title.removeprefix("# "), [describe_plan(plan), rest], command)
        report(f"{RESULTS}, report.md, {REPORT} and figures are in {out}")
    raise_failures(failed)
    return results


def _gan_folder(out: Path, name: str, setting: str, seed: int) -> Path:
    return out / "gans" / class_folder(f"{setting} {name} seed {seed}")


def _build_lab(study: Study, run: RepeatOptions, *, flip: bool) -> Lab:
    def open_gan(name: str, setting: str, seed: int) -> TrainedGAN:
        order = _order_gan(study, run, name, setting, seed)
        options: dict[str, Any] = {"max_minutes": order.max_minutes, "filter": order.filter, "seed": seed}
        options |= {"quiet": run.quiet, "report": report_unless(run.quiet)}
        return fit_study_gan(order.dataset, order.recipe, order.folder, **options)

    options: dict[str, Any] = {"steps": study.steps, "classifier": study.classifier, "flip": flip}
    return Lab(partial(load_setting, study), open_gan, study.arms, study.filtering, **options)


def _describe_settings(study: Study, settings: dict, dataset: Dataset) -> dict[str, dict]:
    """Return what an output folder is bound to; --overwrite keeps the GANs where their section is the same."""
    options = dict(settings)
    gan_settings: dict[str, Any] = dataset.identity | {"counts": options.pop("counts", None)}
    gan_settings |= {name: options.pop(name) for name in ("max_minutes", "gans")}
    gan_settings |= {"recipes": {name: asdict(recipe) for name, recipe in study.recipes.items()}}
    named = [(recipe, RECIPES[recipe.name]) for recipe in study.recipes.values()]
    kept = [
        name for name in FITTED if name in study.given and any(getattr(a, name) == getattr(b, name) for a, b in named)
    ]
    gan_settings |= {"kept": kept} if kept else {}  # given at their named values: they do not follow the images
    return {"gans": gan_settings, "study": options}


def _make_plan(
    study: Study,
    out: Path | None,
    cells: list[Cell],
    left: list[Cell],
    datasets: dict[str, Dataset],
    estimates: Estimates,
    useful: float,
) -> dict[str, str]:
    """Check that every GAN can be trained, and return what will be done, {heading: text}.

    left: the cells that are not finished. out: the folder whose GANs are used, or None. useful: how many times as fast
    as one process the workers are.
    """
    first = next(iter(datasets.values()))
    gans, gan_minutes, notes = _plan_gans(study, out, left, datasets, estimates)
    steps = sum(_count_steps(study, study.arms[cell.arm], datasets[cell.setting]) for cell in left)
    minutes = estimates.count_classifier_minutes(len(left), steps, first, study.classifier)
    plan = {"study": study.title, "data": f"{first.name} ({first.fingerprint[:12]}), {len(first.test):,} test images"}
    for setting, dataset in datasets.items():
        counts = ", ".join(map(str, dataset.count_train()))
        plan[f"  {setting}"] = f"train images per class {counts}; {len(dataset.validation):,} for validation"
    plan["arms"] = ", ".join(study.arms)
    plan["cells"] = (
        f"{len(cells)}, {len(left)} to run; {study.steps:,} steps of {BATCH} images each, {study.classifier}"
    )
    plan["GANs"] = "; ".join([f"{gans} to train", *notes])
    plan["time"] = (
        f"about {minutes + gan_minutes:.0f} minutes {estimates.describe()}: {gan_minutes:.0f} for the GANs, "
        f"{minutes:.0f} for the classifiers, without drawing the images"
    )
    if useful > 1:
        plan["time"] += f"; with the workers about {(minutes + gan_minutes) / useful:.0f} minutes"
    return plan


def _plan_gans(
    study: Study, kept: Path | None, left: list[Cell], datasets: dict[str, Dataset], estimates: Estimates
) -> tuple[int, float, list[str]]:
    """Return how many GANs the cells that are left need, the minutes that they take, and notes on batches and filters.

    kept: the output folder whose finished GANs are used.
    """
    gans, minutes, notes = 0, 0.0, []
    for setting, dataset in datasets.items():
        for name in dict.fromkeys(name for arm in study.arms.values() for name in arm.gans):
            data = find_gan_data(study, name, dataset)
            recipe = fit_recipe(study.recipes[name], name, data, study.given, limit_given=True)
            notes += choose_filter(study.filtering, data)[1]
            asked = replace(study.recipes[name], conditional=recipe.conditional)
            notes += [f"{name}, {setting}: fitted {text}" for text in describe_fit(asked, recipe, data).values()]
            needed = {cell.seed for cell in left if cell.setting == setting and name in study.arms[cell.arm].gans}
            pairs = [pair for _, _, pair in list_pairs(recipe, data.class_names)]
            folders = [_gan_folder(kept, name, setting, seed) for seed in needed] if kept else []
            finished = sum(
                RunFolder(folder).model.pair(pair).network("generator").exists() for folder in folders for pair in pairs
            )
            missing = len(needed) * len(pairs) - finished
            gans += missing
            if missing:
                each = estimates.count_gan_minutes(recipe, data)
                each = min(each, study.max_minutes or each) + estimates.count_judge_minutes(recipe, data)
                minutes += missing / len(pairs) * each
    return gans, minutes, notes


def _count_steps(study: Study, arm: Arm, dataset: Dataset) -> int:
    if not arm.epochs:
        return study.steps
    counts = dataset.count_train()
    added = sum(arm.count_added(counts).values())
    return arm.epochs * count_epoch_steps(int(counts.sum()) + added, BATCH, arm.epochs, None)
