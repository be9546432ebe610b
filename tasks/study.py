"""Conduct a study: check it, plan it, run its cells, and write its report."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from models.description import list_pairs
from models.startup import download_standard_set
from synth.command_line import report_unless
from synth.datasets import load_dataset
from synth.errors import RequestError
from synth.figures import plot_arm_curves, plot_arms, plot_samples, save_figure
from synth.files import replacing
from synth.options import list_settings
from synth.output_folder import check_inputs, check_output, list_same_sections, open_output
from synth.resampling import import_imblearn
from synth.sampling import draw_latents
from synth.shard_writing import check_sampling
from synth.shards import class_folder
from tasks.study_cells import CURVES, RESULTS, Cell, list_unfinished, raise_failures, run_study
from tasks.study_lab import BATCH, COLUMNS, SAMPLING, Lab, fit_recipe, fit_study_gan
from tasks.study_report import compute_summary, describe_filters, describe_verdict, render_arms
from tasks.time_estimates import estimate_classifier_minutes, estimate_gan_minutes

OWNED = (RESULTS, CURVES, "report.md", "arms.png", "curves.png", "samples", "gans")


@dataclass(frozen=True)
class Study:
    """What is compared.

    request: arguments of load_dataset but real_per_class and seed. settings: {name: real_per_class}. groups: {heading:
    arms}; the verdicts are about the first. measures: {column: heading}; the first decides. recipes: {GAN: Recipe}.
    render_more: callable (results) -> Markdown paragraphs of what this study alone shows.
    """

    title: str
    request: dict
    settings: dict
    groups: dict
    measures: dict
    recipes: dict
    render_more: Callable = lambda results: []

    @property
    def arms(self):
        """All arms by name."""
        return {arm.name: arm for arms in self.groups.values() for arm in arms}


def conduct(study, config, script, threads):
    """Run what is not finished yet of a study; return its results (a DataFrame), or the plan (a dict) of a dry run.

    config: has seed, seeds, classifier_steps, the sampling options, max_minutes, out, overwrite, dry_run and quiet.
    script, threads: the command, and the number of threads that TensorFlow computes in, to be recorded.
    """
    report, out = report_unless(config.quiet), Path(config.out)
    seeds = range(config.seed, config.seed + config.seeds)
    cells = [Cell(setting, arm, seed) for setting in study.settings for seed in seeds for arm in study.arms]
    datasets = {setting: _load(study, setting, config.seed) for setting in study.settings}
    check_inputs(out, {"--data": next(iter(datasets.values())).request["data"]})
    _check_parts(datasets)
    _check_added(study, datasets)
    _check_resampling(study, datasets)
    settings = _describe_settings(study, config, next(iter(datasets.values())))
    left = list_unfinished(cells, out, settings)
    gans_kept = "gans" in list_same_sections(out, settings)
    plan = _make_plan(study, config, cells, left, datasets, gans_kept=gans_kept)
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    run = (out, settings, script, OWNED)
    options = {"overwrite": config.overwrite, "keep": ("gans", "gans")}
    if config.dry_run:
        check_output(*run, **options)
        return plan
    with open_output(*run, threads=threads, **options):
        return _run_cells(study, config, cells, report)


def _run_cells(study, config, cells, report):
    """Run what is not finished of the cells and write the report; return the results."""
    out = Path(config.out)
    lab = _build_lab(study, config, report)
    columns = COLUMNS | {RESULTS: [*COLUMNS[RESULTS], *study.measures]}
    results, curves, failed = run_study(cells, out, lab.run, columns=columns, quiet=config.quiet)
    if len(results):
        text = _write_report(study, config, results, curves, lab)
        report("\n".join(line for line in text.splitlines() if line.startswith(("- ", "## "))))
        report(f"{RESULTS}, report.md and figures are in {out}")
    raise_failures(failed)
    return results


def _check_parts(datasets):
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


def _check_added(study, datasets):
    """Raise RequestError where the arms that should add images add none, as the classes are equal already."""
    filling = [arm for arm in study.arms.values() if arm.gans or arm.balance in ("oversampling", "smote")]
    for setting, dataset in datasets.items():
        counts = dataset.count_train()
        if filling and not any(arm.count_added(counts) for arm in filling):
            raise RequestError(
                f"a study should have classes that are smaller than the largest ({setting}). "
                f"Got {', '.join(map(str, counts))} train images instead."
            )


def _check_resampling(study, datasets):
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


def _load(study, setting, seed, **options):
    request = study.request | {"real_per_class": study.settings[setting], "seed": seed} | options
    return load_dataset(**request, download=download_standard_set)


def _find_gan_data(study, name, setting, dataset):
    """Return the data that a GAN is trained on: all classes, or ("alone") those that it adds images to."""
    counts, names = dataset.count_train(), dataset.class_names
    filled = sorted({k for arm in study.arms.values() if name in arm.gans for k in arm.count_added(counts)})
    if name.startswith("shared") or len(filled) in (0, len(counts)):
        return dataset
    real_per_class = ",".join(f"{names[k]}:{counts[k]}" for k in filled)
    request = dataset.request | {"classes": ",".join(names[k] for k in filled), "real_per_class": real_per_class}
    return load_dataset(**request, download=download_standard_set)


def _gan_folder(config, name, setting, seed):
    return Path(config.out) / "gans" / class_folder(f"{setting} {name} seed {seed}")


def _build_lab(study, config, report):
    def open_gan(name, setting, seed):
        dataset = _find_gan_data(study, name, setting, _load(study, setting, seed))
        recipe = fit_recipe(study.recipes[name], name, dataset)
        options = {"max_minutes": config.max_minutes, "quiet": config.quiet, "report": report}
        folder = _gan_folder(config, name, setting, seed)
        return fit_study_gan(dataset, recipe, folder, filter=config.filter, seed=seed, **options)

    sampling = {option: getattr(config, option) for option in SAMPLING}
    return Lab(partial(_load, study), open_gan, study.arms, sampling, steps=config.classifier_steps)


def _describe_settings(study, config, dataset):
    """Return what an output folder is bound to; --overwrite keeps the GANs where their section is the same."""
    options = list_settings(config)
    gan_settings = {"fingerprint": dataset.fingerprint, "counts": options.pop("counts", None)}
    gan_settings |= {name: options.pop(name) for name in ("max_minutes", "gans")}
    gan_settings |= {"recipes": {name: asdict(recipe) for name, recipe in study.recipes.items()}}
    return {"gans": gan_settings, "study": options}


def _make_plan(study, config, cells, left, datasets, *, gans_kept):
    """Check that every GAN can be trained, and return what will be done, {heading: text}.

    left: the cells that are not finished. gans_kept: whether GANs that are there already are used.
    """
    first = next(iter(datasets.values()))
    gans, gan_minutes, notes = _plan_gans(study, config, left, datasets, gans_kept)
    steps = sum(_count_steps(study.arms[cell.arm], datasets[cell.setting], config) for cell in left)
    minutes = estimate_classifier_minutes(len(left), steps, first.image_shape)
    plan = {"study": study.title, "data": f"{first.name} ({first.fingerprint[:12]}), {len(first.test):,} test images"}
    for setting, dataset in datasets.items():
        counts = ", ".join(map(str, dataset.count_train()))
        plan[f"  {setting}"] = f"train images per class {counts}; {len(dataset.validation):,} for validation"
    plan["arms"] = ", ".join(study.arms)
    plan["cells"] = f"{len(cells)}, {len(left)} to run; {config.classifier_steps:,} steps of {BATCH} images each"
    plan["GANs"] = "; ".join([f"{gans} to train", *notes])
    plan["time"] = (
        f"about {minutes + gan_minutes:.0f} minutes on 2 free cores: {gan_minutes:.0f} for the GANs, "
        f"{minutes:.0f} for the classifiers, without drawing the images"
    )
    return plan


def _plan_gans(study, config, left, datasets, gans_kept):
    """Return how many GANs the cells that are left need, the minutes that they take, and notes about small batches."""
    sampling = {option: getattr(config, option) for option in SAMPLING} | {"format": "npz", "shard_size": 1}
    check_sampling(**sampling, has_classifier=True)
    gans, minutes, notes = 0, 0.0, []
    for setting, dataset in datasets.items():
        for name in dict.fromkeys(name for arm in study.arms.values() for name in arm.gans):
            data = _find_gan_data(study, name, setting, dataset)
            recipe = fit_recipe(study.recipes[name], name, data)
            check_sampling(**sampling, has_classifier=data.has_classifier)
            if recipe.batch_size < study.recipes[name].batch_size:
                notes.append(f"{name}, {setting}: batches of {recipe.batch_size} images, as there are few")
            pairs = list_pairs(recipe, data.class_names)
            needed = {cell.seed for cell in left if cell.setting == setting and name in study.arms[cell.arm].gans}
            folders = [_gan_folder(config, name, setting, seed) for seed in needed]
            files = [folder / "model" / pair / "generator.keras" for folder in folders for _, _, pair in pairs]
            missing = sum(not (gans_kept and file.exists()) for file in files)
            each = estimate_gan_minutes(recipe, len(data.train), len(data.class_names), data.image_shape)
            gans += missing
            minutes += missing * min(each, config.max_minutes or each) / len(pairs)
    return gans, minutes, notes


def _count_steps(arm, dataset, config):
    if not arm.epochs:
        return config.classifier_steps
    counts = dataset.count_train()
    added = sum(arm.count_added(counts).values()) if arm.gans else 0
    return arm.epochs * -(-(int(counts.sum()) + added) // BATCH)


def _write_report(study, config, results, curves, lab):
    """Write report.md and the figures; return the report."""
    out = Path(config.out)
    compared, *_ = study.groups.values()
    primary, heading = next(iter(study.measures.items()))
    names = [arm.name for arm in compared]
    save_figure(out / "curves.png", plot_arm_curves(curves))
    lines = [f"# {study.title}", _describe_conditions(study, config)]
    summaries = {}
    for setting in study.settings:
        here = results[results["setting"] == setting]
        present = [arm for arm in compared if arm.name in set(here["arm"])]
        if not present:
            continue
        summaries[setting] = {arm.name: compute_summary(here, arm.name, primary) for arm in present}
        verdicts = [describe_verdict(here, present, measure, text) for measure, text in study.measures.items()]
        verdicts += describe_filters(here, present, primary)
        lines += [f"## {setting}", render_arms(here, present, study.measures), "\n".join(f"- {v}" for v in verdicts)]
    controls = {arm.name for arm in compared if arm.is_control}
    if summaries and names:
        save_figure(out / "arms.png", plot_arms(summaries, heading, controls))
        lines.append("![mean and 95 % interval of every arm](arms.png)")
    lines += study.render_more(results)
    lines.append("![accuracy while training](curves.png)")
    for path in _save_samples(study, config, results, lab):
        lines.append(f"![images of {path.stem}]({path.relative_to(out).as_posix()})")
    text = "\n\n".join(lines) + "\n"
    with replacing(out / "report.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def _describe_conditions(study, config):
    first = next(iter(study.groups))
    return (
        f"{first}: every arm has the same real images, the same network (`cnn`) and {config.classifier_steps:,} steps "
        f"of Adam with {BATCH} images, the rate falling by a cosine. The last weights count, so nothing is chosen by "
        f"looking at test images. Seeds {config.seed} to {config.seed + config.seeds - 1} are paired: each draws the "
        "real images, trains its own GANs and starts the classifiers of all arms alike. ± is the 95 % interval "
        "(Student's t). The best arm of each kind is named after the fact, which favours the kind with more arms."
    )


def _save_samples(study, config, results, lab):
    """Save ten unfiltered images per class of each setting's GANs of the first seed; return the paths."""
    paths = []
    for setting in study.settings:
        done = results[(results["setting"] == setting) & (results["seed"] == config.seed)]["arm"]
        for name in dict.fromkeys(name for arm in done for name in study.arms[arm].gans):
            path = Path(config.out) / "samples" / f"{class_folder(f'{setting} {name}')}.png"
            path.parent.mkdir(exist_ok=True)
            paths.append(path)
            if path.exists():
                continue
            trained = lab.open_gan(name, setting, config.seed)
            latents = [draw_latents(config.seed, k, 0, 0, trained.latent_dim) for k in range(len(trained.class_names))]
            images = {text: trained.generate(latents[k][:10], k) for k, text in enumerate(trained.class_names)}
            save_figure(path, plot_samples(images))
    return paths
