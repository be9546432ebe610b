"""Search over variations of a recipe: train each with several seeds, and compare them with the recipe on validation.

    python -m benchmarks.recipes --data mnist.npz --minutes 5 --seeds 2 --variations no-noise batch-32
    python -m benchmarks.recipes --data mnist.npz --variations lr:generator_rate=5e-4,discriminator_rate=5e-4

The same command again continues where it stopped; more variations or seeds extend it. How to read it:
benchmarks/README.md.
"""

import sys
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from benchmarks.search_report import COLUMNS, render_search
from benchmarks.variations import BASE, VARIATIONS, parse_variation
from common import command_line
from common.command_line import parse_config, report_unless, run
from common.errors import RequestError
from common.files import load_json, replacing, save_json
from common.flags import add_flags
from common.kaggle import default_out
from common.options import check_options, like, list_settings, option
from common.output_folder import OutputFolder
from common.run_options import RepeatOptions, WorkOptions
from models.recipe_fitting import fit_to_images
from models.recipes import RECIPES, GANOptions, build_recipe, rename_fields
from models.startup import start
from models.training_rate import CLASSIFIER_BATCH
from real.data_options import DataOptions
from tasks.evaluation_options import MeasuringOptions
from tasks.prediction_options import ClassifierOptions
from tasks.study_cells import CURVES, RESULTS, Cell, list_unfinished, raise_failures, run_one_by_one, run_study
from tasks.time_estimates import Estimates

_LENGTHS = "variations.json"  # what each variation is, and how many steps it has
_OWNED = (RESULTS, CURVES, "report.md", _LENGTHS, "gans", "cache")
_CLASSIFIER_EPOCHS = 5  # of models.classifier.fit_classifier, for the estimate of time


@dataclass(frozen=True, kw_only=True)
class Config(RepeatOptions):
    """What to vary, and how long to train; the flags of the same names say more.

    What names the cells is no setting: more of it extends a search.
    """

    data: str | Path | None = like(DataOptions, "data", setting=False)  # its fingerprint is
    recipe: str = like(GANOptions, "recipe")
    variations: tuple[str, ...] = option(
        (),
        f"names among {', '.join(VARIATIONS)}, or NAME:field=value,field=value",
        metavar="NAME",
        setting=False,
    )
    minutes: float | None = option(
        None, "train each for as many steps as fit into M minutes (default: the recipe's steps)", above=0, metavar="M"
    )
    images: int = option(10_000, "images to draw from each GAN, unfiltered", minimum=1, metavar="N")
    classifier_seeds: int = option(3, "classifiers to fit on the images of each GAN", minimum=1, metavar="N")
    classifier: str = like(ClassifierOptions, "classifier")
    features: str = like(MeasuringOptions, "features")
    seeds: int = like(RepeatOptions, "seeds", setting=False)
    seed: int = like(RepeatOptions, "seed", setting=False)
    out: str | Path = like(RepeatOptions, "out", default=lambda: default_out("search"))

    def __post_init__(self):
        check_options(self)
        names = list(self.parse_variations())
        if len(names) <= len(self.variations):
            raise RequestError(
                f"--variations should have different names, and none be {BASE}. Got {', '.join(self.variations)}."
            )
        for fields in self.parse_variations().values():
            if self.minutes and {"steps", "epochs", "round_steps"} & set(fields):
                raise RequestError("--minutes decides steps, epochs and round_steps: leave them out of --variations.")

    def parse_variations(self):
        """Return {name: {recipe field: value}}, the base first."""
        return {BASE: {}} | dict(parse_variation(text) for text in self.variations)


def search(config):
    """Run what is not finished yet of a search; return its results (a DataFrame), or the plan (a dict) of a dry run.

    Raises RequestError for what is wrong with the request, before costly work, and common.errors.RunError, after all
    others have run, for variations that can't be trained.
    """
    report, out = report_unless(config.quiet), Path(config.out)
    threads = start(out, {"--data": config.data}, report, WorkOptions())
    from tasks.real_data import load_data

    dataset = load_data(DataOptions(data=config.data), config)
    recipes = _build_recipes(config, dataset)
    seeds = range(config.seed, config.seed + config.seeds)
    cells = [Cell(config.recipe, name, seed) for seed in seeds for name in recipes]
    settings = list_settings(config)
    settings |= {"fingerprint": dataset.fingerprint, "recipe": asdict(RECIPES[config.recipe])}
    sections = {"search": settings}
    left = list_unfinished(cells, out, sections)
    plan = _make_plan(config, dataset, recipes, cells, left)
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    folder = OutputFolder(out, sections, "benchmarks.recipes", _OWNED, overwrite=config.overwrite)
    if config.dry_run:
        folder.check()
        return plan
    with folder.hold({"threads": threads}):
        return _run_cells(config, dataset, recipes, cells, report)


def _run_cells(config, dataset, recipes, cells, report):
    """Run what is not finished of the cells and write the report; return the results."""
    out = Path(config.out)
    recipes = _fix_lengths(config, dataset, recipes, report)
    run_cells = partial(run_one_by_one, _build_run_cell(config, dataset, recipes, report))
    results, _, failed = run_study(cells, out, run_cells, columns={RESULTS: COLUMNS}, quiet=config.quiet)
    if len(results):
        text = render_search(f"Variations of {config.recipe}", _describe_conditions(config, dataset), results, BASE)
        report(text)
        with replacing(out / "report.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        report(f"{RESULTS}, {CURVES} and report.md are in {out}")
    raise_failures(failed)
    return results


def _build_recipes(config, dataset):
    """Return {variation: Recipe}, each checked against the data."""
    from models.extractors import draw_spare
    from models.training import check_recipe

    if not dataset.has_classifier:
        raise RequestError("--data should have two classes or more, for the classifiers that measure.")
    if config.images < 2 * len(dataset.class_names):
        raise RequestError(f"--images should be at least 2 of each class. Got {config.images} in all instead.")
    _check_counts(dataset.part("validation"), draw_spare(dataset), dataset.class_names)
    recipes = {}
    for name, fields in config.parse_variations().items():
        try:
            asked = build_recipe(config.recipe, fields)
            recipes[name] = fit_to_images(asked, fields, dataset.image_shape, len(dataset.train))
            check_recipe(recipes[name], dataset)
        except RequestError as error:
            raise RequestError(f"variation {name}: {error}") from error
        if name != BASE and recipes[name] == recipes[BASE]:
            raise RequestError(f"variation {name} is what {config.recipe} is on these images: leave it out.")
        gans, _ = recipes[name].plan_gans(len(dataset.class_names), len(dataset.train))
        if gans > 1:
            raise RequestError(f"variation {name} should be one GAN for all classes. It is {gans} GANs.")
    return recipes


def _check_counts(real, floor, class_names):
    """Raise RequestError for a class with fewer than 2 images among the (images, labels) of one of the two."""
    for what, (_, labels) in (("to compare with", real), ("for the floor", floor)):
        counts = np.bincount(labels, minlength=len(class_names))
        if counts.min() < 2:
            raise RequestError(
                f"each class should have at least 2 real images {what}. "
                f"Got {counts.min()} of {class_names[int(counts.argmin())]}: more real images are needed."
            )


def _make_plan(config, dataset, recipes, cells, left):
    """Return what will be done, {heading: text}. left: the cells that are not finished."""
    estimates = Estimates()
    gan_minutes = sum(config.minutes or estimates.count_gan_minutes(recipes[cell.arm], dataset) for cell in left)
    scoring = config.classifier_seeds * len(left)
    steps = _CLASSIFIER_EPOCHS * (scoring * config.images + 2 * len(dataset.train)) / CLASSIFIER_BATCH
    minutes = estimates.count_classifier_minutes(scoring + 2, round(steps), dataset, config.classifier)
    fitting = {(cell.seed, *_get_own_classifiers(recipes[cell.arm])): recipes[cell.arm] for cell in left}
    minutes += sum(estimates.count_judge_minutes(recipe, dataset) for recipe in fitting.values())
    return {
        "data": f"{dataset.name} ({dataset.fingerprint[:12]}): {len(dataset.validation):,} validation images",
        "variations": f"{', '.join(recipes)} of {config.recipe}, {_describe_length(config)}",
        "cells": f"{len(cells)}, {len(left)} to run; {config.images:,} images, {config.classifier_seeds} classifiers",
        "time": f"about {minutes + gan_minutes:.0f} minutes on 2 free cores, {gan_minutes:.0f} of them for the GANs",
        "output": str(config.out),
    }


def _get_own_classifiers(recipe):
    """Return what decides which classifiers a run fits: runs of one seed in which it is the same share them."""
    return recipe.judge, recipe.flip


def _describe_length(config):
    return f"as many steps as fit {config.minutes:g} minutes" if config.minutes else "the recipe's own steps"


def _fix_lengths(config, dataset, recipes, report):
    """Return {variation: Recipe} with the number of steps that each has, now and whenever the search is continued.

    With --minutes it follows from the speed, and all have as many measurements on validation as the base.
    """
    from models.pair_training import plan_rounds
    from models.training_rate import measure_speed

    path = Path(config.out) / _LENGTHS
    known = load_json(path) if path.exists() else {}
    known = {name: entry | {"fields": rename_fields(entry["fields"])} for name, entry in known.items()}
    variations = config.parse_variations()
    for name, fields in variations.items():
        if name in known and known[name]["fields"] != fields:
            raise RequestError(
                f"variation {name} has other fields there, {known[name]['fields']}: give it another name."
            )
    rounds, _ = plan_rounds(recipes[BASE], len(dataset.train))
    for name in variations:
        if name not in known:
            known[name] = {"fields": variations[name], "length": {}}
            if config.minutes:
                speed = measure_speed(dataset, recipes[name])
                round_steps = max(1, int(60 * config.minutes * speed / rounds))
                length = {"steps": rounds * round_steps, "epochs": 0.0, "round_steps": round_steps}
                known[name] |= {"steps_per_second": speed, "length": length}
                report(f"{name}: {speed:.2f} steps/s, so {length['steps']:,} steps")
            save_json(path, known)
    return {name: replace(recipe, **known[name]["length"]) for name, recipe in recipes.items()}


def _build_run_cell(config, dataset, recipes, report):
    """Return the callable (Cell) -> (results, one dict per round) that trains a GAN and measures it."""
    import keras

    from benchmarks.measuring import Yardstick, fit_fidelity_judge, measure_gan, reuse_classifiers
    from tasks.study_lab import fit_study_gan

    out = Path(config.out)

    @lru_cache
    def get_yardstick():
        judge = fit_fidelity_judge(dataset, config.classifier, out / "cache" / "fidelity.keras")
        return Yardstick(dataset, judge, out / "cache", config.classifier, config.features)

    (out / "cache").mkdir(exist_ok=True)

    def find_folder(name, seed):
        return out / "gans" / f"{name}-seed-{seed}"

    def run_cell(cell):
        keras.utils.clear_session()
        folder, recipe = find_folder(cell.arm, cell.seed), recipes[cell.arm]
        own = _get_own_classifiers(recipe)
        alike = [name for name, other in recipes.items() if _get_own_classifiers(other) == own]
        reuse_classifiers(folder / "model", [find_folder(name, cell.seed) / "model" for name in alike])
        trained = fit_study_gan(dataset, recipe, folder, seed=cell.seed, quiet=config.quiet, report=report)
        return measure_gan(
            get_yardstick(),
            trained,
            folder,
            count=config.images,
            classifier_seeds=config.classifier_seeds,
            seed=cell.seed,
        )

    return run_cell


def _describe_conditions(config, dataset):
    return (
        f"Data: {dataset.name} ({dataset.fingerprint[:12]}), {_describe_length(config)}. Measured on "
        f"{len(dataset.validation):,} validation images, with {config.images:,} unfiltered images of each GAN, "
        f"{config.classifier_seeds} classifiers {config.classifier}, and features of {config.features}."
    )


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(**options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser("python -m benchmarks.recipes", __doc__)
    names = ("data", "recipe", "variations", "minutes", "images", "classifier_seeds", "classifier", "features")
    add_flags(parser.add_argument_group("search"), Config, names)
    add_flags(parser.add_argument_group("run"), Config, RepeatOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: search(config), "The same command again continues from the last checkpoint.")


if __name__ == "__main__":
    sys.exit(main())
