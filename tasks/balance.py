"""Top up the classes of a data set with synthetic images, as many as validation says, and write one training set."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.pretrained import find_model_folder
from models.startup import load_data
from models.trained_gan import TrainedGAN
from synth.command_line import report_unless
from synth.counts import parse_classes
from synth.errors import RequestError
from synth.figures import plot_samples, save_figure
from synth.files import replacing
from synth.leakage import find_leaks
from synth.options import list_settings
from synth.output_folder import check_inputs, check_output, open_output
from synth.resampling import compute_class_weights
from synth.shard_pictures import PICTURES
from synth.shard_writing import check_sampling
from synth.shards import HASHES, MANIFEST, save_hashes
from tasks.balance_candidates import build_candidate, choose, list_candidates, save_training_set
from tasks.study_cells import CURVES, RESULTS, Cell, list_unfinished, raise_failures, run_study
from tasks.study_lab import BATCH, SAMPLING, Lab, fit_recipe, fit_study_gan
from tasks.study_report import render_arms
from tasks.time_estimates import estimate_classifier_minutes, estimate_gan_minutes

OWNED = ("model", HASHES, RESULTS, CURVES, "report.md", MANIFEST, "samples.png", "train.npz", "train.csv")
_SETTING = "validation"
_MEASURE = "balanced_accuracy"


def balance_data(config, threads):
    """Do what augment.BalanceConfig says; return the manifest (a dict), or the plan (a dict) of a dry run.

    threads: that TensorFlow computes in, to be recorded.
    """
    report, out = report_unless(config.quiet), Path(config.out)
    dataset, trained, recipe = _open_source(config)
    check_inputs(out, {"--data": dataset.request["data"]})
    total = np.bincount(dataset.labels[dataset.labelled()], minlength=len(dataset.class_names))
    candidates = _list_candidates(config, dataset, trained, total)
    seeds = range(config.seed, config.seed + config.seeds)
    cells = [Cell(_SETTING, arm.name, seed) for arm in candidates for seed in seeds if len(candidates) > 1]
    settings = _describe_settings(config, dataset, trained, recipe)
    left = list_unfinished(cells, out, settings)
    plan = _make_plan(config, dataset, recipe, total, candidates, len(left))
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    run = (out, settings, "augment.py balance", (*OWNED, *[PICTURES] * (config.format == "png")))
    options = {"overwrite": config.overwrite, "keep": ("model", "training")}
    if config.dry_run:
        check_output(*run, **options)
        return plan
    with open_output(*run, threads=threads, **options):
        return _balance(config, dataset, trained, recipe, total, candidates, cells, report)


def _balance(config, dataset, trained, recipe, total, candidates, cells, report):
    """Train the GAN where there is none yet, choose a candidate, and write the training set; return its manifest."""
    out = Path(config.out)
    if trained is None:
        options = {"max_minutes": config.max_minutes, "quiet": config.quiet, "report": report}
        trained = fit_study_gan(dataset, recipe, out, filter=config.filter, seed=config.seed, **options)
    lab = _build_lab(config, dataset, trained, candidates)
    arm, reason = _choose(cells, candidates, out, lab, config.quiet)
    report(f"chosen: {arm.name}. {reason}")
    manifest = _save(config, dataset, trained, lab, arm, reason, arm.count_added(total) if arm.gans else {})
    for name, counts in manifest["classes"].items():
        report(f"class {name}: {counts['real']:,} real and {counts['synthetic']:,} synthetic images")
    written = dict.fromkeys(entry["file"].partition("/")[0] for entry in manifest["shards"]) or [PICTURES]
    report(f"{', '.join(written)} and {MANIFEST} are in {out}")
    return manifest


def _build_lab(config, dataset, trained, candidates):
    return Lab(
        lambda setting, seed: dataset,
        lambda name, setting, seed: trained,
        {arm.name: arm for arm in candidates},
        {option: getattr(config, option) for option in SAMPLING},
        steps=config.classifier_steps,
        score_on="validation",
    )


def _save(config, dataset, trained, lab, arm, reason, added):
    """Write the training set with {class index: images to add}, its manifest, hashes and samples."""
    out, labelled = Path(config.out), dataset.labelled()
    images, labels = dataset.images[labelled], dataset.labels[labelled]
    if added:
        drawn_images, drawn_labels = lab.draw(Cell(_SETTING, arm.name, config.seed), added)
        images, labels = np.concatenate([images, drawn_images]), np.concatenate([labels, drawn_labels])
        grid = {dataset.class_names[k]: drawn_images[drawn_labels == k][:10] for k in added}
        save_figure(out / "samples.png", plot_samples(grid))
    save_hashes(out, trained.train_hashes())
    synthetic = np.arange(len(labels)) >= len(labelled)
    values = np.array(dataset.label_values, np.int64)[labels]
    chosen = {"arm": arm.name, "reason": reason}
    if arm.balance == "class-weights":
        weights = compute_class_weights(labels)
        chosen["class_weights"] = {dataset.class_names[k]: weight for k, weight in weights.items()}
    content = {"chosen": chosen, "seed": config.seed, "model_hash": trained.compute_hash()}
    kept = SAMPLING if arm.filtered else ("latent_std",)
    content["filter"] = {"filter": "none"} | {option: getattr(config, option) for option in kept}
    if arm.filtered:
        content["filter"]["filter"] = _resolve_filter(config, trained)
    return save_training_set(out, config.format, images, values, synthetic, dataset, content)


def _open_source(config):
    """Return the data, all classes of it, and either the trained run of --model or the recipe to train."""
    if not config.model:
        dataset = load_data(config)
        recipe = fit_recipe(config.recipe, config.recipe.name, dataset)
        return dataset, None, recipe
    trained = TrainedGAN(find_model_folder(config.model))
    trained.check_filter(config.filter)
    dataset = load_data(config, trained.request | {"real_per_class": None, "classes": None})
    if not config.data and not np.isin(trained.train_hashes(), dataset.train_hashes()).all():
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
    return dataset, trained, None


def _find_classes(config, dataset, trained):
    """Return the indices of the classes to top up: those of --top-up, or all that the GAN makes."""
    made = [dataset.label_values.index(value) for value in (trained or dataset).label_values]
    if not config.top_up:
        return tuple(made)
    classes = parse_classes(config.top_up, dataset.class_names, dataset.label_values, "--top-up")
    if not set(classes) <= set(made):
        raise RequestError(f"--top-up should be among the classes of --model, {', '.join(trained.class_names)}.")
    return classes


def _resolve_filter(config, source):
    """Check the sampling options and return the filter that "auto" means."""
    sampling = {option: getattr(config, option) for option in SAMPLING}
    return check_sampling(**sampling, format=config.format, shard_size=1, has_classifier=source.has_classifier)


def _list_candidates(config, dataset, trained, total):
    """Return the arms to choose from: one where the flags leave nothing to choose."""
    _resolve_filter(config, trained or dataset)
    classes, filtered = _find_classes(config, dataset, trained), config.filter != "none"
    if config.target is not None or config.surplus != "auto":
        if config.target is not None:
            name, amount = f"target {config.target}", {"added": config.target - max(total)}
        else:
            name, amount = f"ratio {config.surplus}", {"ratio": float(config.surplus)}
        arm = build_candidate(name, filtered, classes=classes, **amount)
        if not arm.count_added(total):
            counts = ", ".join(f"{dataset.class_names[k]} {total[k]:,}" for k in classes)
            raise RequestError(f"--target or --surplus should ask for more images than there are ({counts}).")
        return [arm]
    if not dataset.has_classifier:
        raise RequestError("--surplus auto needs two classes or more to tell apart: give --surplus or --target.")
    if len(np.unique(dataset.labels[dataset.validation])) < len(dataset.class_names):
        raise RequestError("--surplus auto needs validation images of every class: take more, or give --surplus.")
    return list_candidates(total, config.filter, classes)


def _choose(cells, candidates, out, lab, quiet):
    if not cells:
        return candidates[0], "The flags say so."
    results, _, failed = run_study(cells, out, lab.run, quiet=quiet)
    incomplete = {cell.arm: error for cell, error in failed.items()}
    complete = [arm for arm in candidates if arm.name not in incomplete]
    if len(complete) < 2 or complete[0] != candidates[0]:
        raise_failures(failed)
    arm, reason = choose(results, complete, _MEASURE)
    reason = " ".join([f"On validation, {reason}", *(f"Not `{name}`: {error}" for name, error in incomplete.items())])
    table = render_arms(results, candidates, {_MEASURE: "balanced accuracy on validation, %"})
    with replacing(out / "report.md") as temporary:
        temporary.write_text(f"# Balanced\n\nChosen: {arm.name}. {reason}\n\n{table}\n", encoding="utf-8")
    return arm, reason


def _make_plan(config, dataset, recipe, total, candidates, left):
    counts = ", ".join(f"{name} {count:,}" for name, count in zip(dataset.class_names, total, strict=True))
    plan = {"data": f"{dataset.name} ({dataset.fingerprint[:12]}): {counts}"}
    minutes = estimate_classifier_minutes(left, left * config.classifier_steps, dataset.image_shape)
    if recipe:
        sizes = (len(dataset.train), len(dataset.class_names), dataset.image_shape)
        gan_minutes = estimate_gan_minutes(recipe, *sizes)
        minutes += min(gan_minutes, config.max_minutes or gan_minutes)
        plan["GAN"] = f"{recipe.name}, batches of {recipe.batch_size}, on the {len(dataset.train):,} train images"
    else:
        plan["GAN"] = f"{config.model}, trained before"
    if len(candidates) > 1:
        plan["choice"] = (
            f"{len(candidates)} candidates ({'; '.join(arm.name for arm in candidates)}), {config.seeds} seeds each, "
            f"{config.classifier_steps:,} steps of {BATCH} images, on {len(dataset.validation):,} validation images"
        )
    largest = max(candidates, key=lambda arm: sum(arm.count_added(total).values()) if arm.gans else 0)
    added = sum(largest.count_added(total).values())
    plan["training set"] = (
        f"{sum(total):,} real images and up to {added:,} synthetic ones, {config.format}, {config.out}"
    )
    plan["time"] = f"up to {minutes:.0f} minutes on 2 free cores, without drawing the images"
    return plan


def _describe_settings(config, dataset, trained, recipe):
    """Return what an output folder is bound to; --overwrite keeps the GAN where the section "training" is the same."""
    training = {"fingerprint": dataset.fingerprint, "seed": config.seed, "max_minutes": config.max_minutes}
    training |= {"recipe": asdict(recipe)} if recipe else {"model_hash": trained.compute_hash()}
    return {"training": training, "balance": list_settings(config)}
