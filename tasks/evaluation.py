"""Compare runs with real images: features, scores, memorisation, figures and a report."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from evaluation import figures as plots
from evaluation.features import (
    check_counts,
    count_images,
    gather,
    index_sources,
    score_all,
    search_nearest,
    take_unknown,
)
from evaluation.figures import plot_score_curves
from evaluation.report import find_verdicts, find_warnings, render_report, render_scores
from models.cross_check import check_agreement, cross_check
from models.extractors import build_extractor, draw_spare
from models.recipes import RECIPES
from models.startup import download_standard_set, load_data
from models.tfgan import import_tfgan
from models.trained_gan import TrainedGAN
from synth.datasets import load_dataset
from synth.errors import RequestError, TrainingError
from synth.figures import plot_samples, save_figure
from synth.files import replacing, save_json
from synth.kaggle import default_out
from synth.options import list_settings
from synth.output_folder import check_inputs, check_output, installed_versions, open_output
from synth.progress import open_bar
from synth.run_files import load_histories
from synth.sampling import draw_latents
from synth.sources import open_run

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


def compare_runs(config, threads, report, generate):
    """Do what evaluate_fid.Config says; return the content of evaluation.json, or the plan of a dry run (dicts).

    threads: that TensorFlow computes in, to be recorded. report: callable (text). generate: callable (config, recipe,
    folder) that trains a recipe of --compare into the folder and samples it.
    """
    out = Path(config.out)

    runs = {} if config.compare else _open_runs(config, report)
    dataset = _load_data(config, runs)
    check_inputs(out, {"--data": dataset.request["data"]})
    if config.cross_check:
        _check_tfgan()
    prepared = _prepare(config, dataset, runs)
    for name, value in (plan := _make_plan(config, dataset, runs)).items():
        report(f"{name + ':':<12} {value}")
    identities = {name: opened.identity for name, opened in runs.items()}
    settings = {name: str(value) for name, value in list_settings(config).items()}
    settings |= {"fingerprint": dataset.fingerprint, "images_of_runs": identities}
    run = (out, {"evaluation": settings}, SCRIPT, OWNED)
    if config.dry_run:
        check_output(*run, overwrite=config.overwrite)
        return plan
    build = partial(build_extractor, config.features, dataset, out / "cache", config.inception_weights, report)
    extractor = build() if config.features == "inception" else None  # now: its weights may be missing
    with open_output(*run, overwrite=config.overwrite, threads=threads):
        failed = {}
        if config.compare:
            runs, failed = _train_recipes(config, report, generate)
            prepared = _prepare(config, dataset, runs)
        (out / "cache").mkdir(exist_ok=True)
        extractor = extractor or build()
        material, leaks = _gather(config, prepared, extractor, out / "cache")
        notes = _note_unknown_training(runs, dataset)
        result = {"settings": settings, "failed": failed, "leaks": leaks, "notes": notes}
        result |= _describe_sides(config, dataset, extractor, material)
        _score_and_save(config, dataset, material, result, report)
        return result


def _describe_sides(config, dataset, extractor, material):
    """Return what evaluation.json says of the real images and of the features."""
    return {
        "versions": installed_versions(),
        "data": dataset.name,
        "fingerprint": dataset.fingerprint,
        "features": {"name": extractor.name, "hash": extractor.hash, "dimensions": extractor.dimensions},
        "real": {"split": config.split, "images": len(material.real.labels)},
        "compare": list(config.compare),
    }


def _score_and_save(config, dataset, material, result, report):
    """Add the scores and sentences to `result`, and write it with its figures."""
    out = Path(config.out)
    memorisations = search_nearest(material, dataset.part("train")[0])
    options = {name: getattr(config, name) for name in ("neighbours", "bootstrap", "fid_infinity", "seed")}
    result |= score_all(material, memorisations, dataset.class_names, **options)
    if config.cross_check:
        _add_cross_checks(material, result, config.seed)
    result |= {"warnings": find_warnings(result), "verdicts": find_verdicts(result)}
    for name, figure in _plot(config, dataset, material, memorisations, result, report).items():
        save_figure(out / f"{name}.png", figure)
    save_json(out / "evaluation.json", result)
    with replacing(out / "evaluation.md") as temporary:
        temporary.write_text(render_report(result), encoding="utf-8")
    for line in [render_scores(result), *result["warnings"], *result["verdicts"]]:
        report(line)
    report(f"evaluation.json, evaluation.md and figures are in {out}")
    if config.cross_check:
        _check_agreement(result)


def _open_runs(config, report):
    """Return {name: synth.sources.Run} of the folders and patterns that are asked for."""
    paths = [str(path) for path in config.runs or (default_out(),)]
    if len(set(paths)) < len(paths):
        raise RequestError(f"RUN should be different folders. Got {', '.join(paths)}.")
    names = [Path(path).name for path in paths]
    names = names if len(set(names)) == len(names) else paths
    return {name: open_run(path, report, "RUN") for name, path in zip(names, paths, strict=True)}


def _load_data(config, runs):
    """Load the real data that the flags name, or else those that the runs were made from."""
    known = [(opened.request, opened.fingerprint) for opened in runs.values() if opened.request]
    inherited = known[0] if known else ()
    if any(source != inherited for source in known) and config.data is None:
        raise RequestError("the runs were made from different data: name those to compare them with, by --data.")
    dataset = load_data(config, *inherited)
    if len(getattr(dataset, config.split)) < 2:
        raise RequestError(
            f"the {config.split} part should have at least 2 images. Got {len(getattr(dataset, config.split))}."
        )
    if config.features == "classifier" and not dataset.has_classifier:
        raise RequestError("--features classifier needs two classes or more: use --features pixels.")
    for opened in runs.values():
        opened.check_classes(dataset)
    return dataset


def _make_plan(config, dataset, runs):
    """Return what will be done, {heading: text}."""
    count = len(getattr(dataset, config.split))
    plan = {"data": f"{dataset.name} ({dataset.fingerprint[:12]}): {count:,} {config.split} images"}
    if config.compare:
        for name in config.compare:
            recipe = replace(RECIPES[name], **config.recipe_options)
            gans, images = recipe.plan_gans(len(dataset.class_names), len(dataset.train))
            steps = f"{recipe.total_steps(images):,} steps of {recipe.batch_size} images"
            plan[name] = f"{gans} GAN, {steps}{' each' * (gans > 1)}"
    else:
        plan["runs"] = ", ".join(runs)
    plan["features"] = f"{config.features}, at most {config.images:,} images of each side"
    return plan | {"output": str(config.out)}


def _train_recipes(config, report, generate):
    """Train the recipes that are not there yet, and sample them unfiltered.

    Return ({recipe: synth.sources.Run}, {recipe: why it has none}).
    """
    runs, failed = {}, {}
    for name in config.compare:
        folder = Path(config.out) / "runs" / name
        recipe = replace(RECIPES[name], **config.recipe_options)
        report(f"--- {name}")
        try:
            generate(config, recipe, folder)
            runs[name] = open_run(folder, report)
        except TrainingError as error:
            failed[name] = str(error)
            report(failed[name])
    if not runs:
        raise TrainingError("no recipe could be trained to its end: " + "; ".join(failed.values()))
    return runs, failed


def _prepare(config, dataset, runs):
    """Return the sources of the runs, and real images and the floor's as (images, labels), with what leaked."""
    known_values = dataset.label_values
    if dataset.request["classes"]:
        whole = dataset.request | {"classes": None, "real_per_class": None}
        known_values = load_dataset(**whole, download=download_standard_set).label_values
    sources = index_sources(runs, dataset, known_values)
    real, leaks = take_unknown(dataset.part(config.split), runs, allow=config.allow_leak, source=config.split)
    floor = draw_spare(dataset)
    check_counts(real, floor, dataset.class_names)
    return sources, real, floor, leaks


def _gather(config, prepared, extractor, cache):
    """Collect the features of all images that are compared, as of _prepare: (Material, what leaked)."""
    sources, real, floor, leaks = prepared
    with open_bar(quiet=config.quiet, total=count_images(sources), desc="features", unit="img") as bar:
        options = {"limit": config.images, "seed": config.seed, "advance": bar.update}
        return gather(sources, real, floor, extractor, cache, **options), leaks


def _note_unknown_training(runs, dataset):
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


def _check_tfgan():
    try:
        import_tfgan()
    except ImportError as error:
        raise RequestError(f"--cross-check compares with TF-GAN. {error}") from error


def _add_cross_checks(material, result, seed):
    for name, sample in material.runs.items():
        result["runs"][name]["cross_check"] = cross_check(material.real.features, sample.features, seed)


def _check_agreement(result):
    for entry in result["runs"].values():
        check_agreement(entry["cross_check"])


def _plot(config, dataset, material, memorisations, result, report):
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
    if config.compare:
        folders = {name: Path(config.out) / "runs" / name / "model" for name in result["runs"]}
        figures |= _plot_training(folders, dataset, config.seed, report)
    return figures


def _plot_training(folders, dataset, seed, report):
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
