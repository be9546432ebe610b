"""Train a GAN, or load one, and write filtered shards of its images."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import print_lines, print_plan, report_unless
from common.counts import parse_counts
from common.errors import RequestError
from common.executors import Executor, describe_work, open_executor
from common.options import list_changed
from common.output_folder import OutputFolder, check_inputs
from common.run_folder import HASHES, JOURNAL, MANIFEST, SAMPLES, RunFolder
from common.run_options import RunOptions, WorkOptions
from common.web_report import REPORT
from models.building import build_pair, build_untrained_judge, choose_dtype
from models.classifier import compute_probabilities
from models.cluster import build_strategy, is_chief
from models.feature_networks import add_classes
from models.flips import MEASURED, decide_flip
from models.inference import Sampler
from models.pair_training import plan_rounds
from models.pretrained import find_model_folder
from models.recipes import GANRequest, Recipe
from models.startup import Started, start_worker
from models.trained_gan import TrainedGAN, build_score, prepare_filter
from models.training import fit_gan
from real.data_options import SubsetOptions
from real.datasets import Dataset
from synth.sampling import BLOCK_SIZE, draw_latents
from synth.shard_formats import FORMATS, list_folders, list_formats
from synth.shard_options import SamplingOptions
from synth.shard_writing import stream_shards
from synth.shards import load_manifest, save_hashes
from tasks.data_defaults import choose_filter, describe_fit, note_tiny_classes, refuse_training, settle_recipe
from tasks.generation_report import FIGURES, write_report
from tasks.real_data import hint_at_data, load_data, note_near_copies
from tasks.time_estimates import Estimates, count_useful_workers, describe_duration, measure_rate

SCRIPT = "generate_data.py"
OWNED = ("model", MANIFEST, JOURNAL, HASHES, REPORT, *FIGURES)


def generate(
    data: SubsetOptions,
    gan: GANRequest,
    sampling_options: SamplingOptions,
    run: RunOptions,
    work: WorkOptions,
    started: Started,
    save_trained: Callable[[Path], object] | None = None,
) -> dict:
    """Train or load a GAN and write shards of its images; return the manifest, or the plan of a dry run.

    started: to be recorded. save_trained: callable (run's folder) that writes the networks, where they were trained
    elsewhere.
    """
    out = Path(run.out)
    build_strategy()  # several hosts: before anything else touches a device
    trained = _open_model(find_model_folder(gan.model), data, gan, sampling_options) if gan.model else None
    source = trained or _load_train_data(data, gan, run)
    gan, training, fitted = settle_training(data, gan, source, run)
    check_inputs(out, source.inputs if isinstance(source, Dataset) else {})
    sampling = _resolve_sampling(sampling_options, source, run)
    plan = _plan_source(data, gan.recipe, source) | fitted | _plan_shards(sampling, source, out)
    plan |= describe_work(work, started.threads)
    print_plan(plan, run.quiet)
    report = report_unless(run.quiet)
    made = load_manifest(trained.folder.path.parent) if trained else None
    if made and made.get("seed") == run.seed:
        report(f"note: seed {run.seed} gives the images of {gan.model} again: --seed names another one")
    settings = {"training": training, "sampling": sampling}
    owned = (*OWNED, *list_folders(sampling["format"]))
    folder = OutputFolder(out, settings, SCRIPT, owned, overwrite=run.overwrite, keep=("model", "training"))
    folder.check()
    if run.dry_run:
        times = _plan_time(gan, source, sampling, work, started.threads)
        print_plan(times, run.quiet)
        return plan | times
    opened = open_executor(work, started.threads, report, start_worker)
    held = folder.hold(started.computing) if is_chief() else nullcontext()
    with opened as executor, held:  # workers may be refused: first
        if is_chief():
            save_hashes(out, source.train_hashes())
        if save_trained:
            save_trained(out)
        if isinstance(source, Dataset):
            how: dict[str, Any] = {"max_minutes": gan.max_minutes, "quiet": run.quiet, "report": report}
            fit_gan(source, gan.recipe, RunFolder(out).model.path, seed=run.seed, executor=executor, **how)
        if not is_chief():
            return {}
        return _sample(source, sampling, run, plan, started, executor)


def _sample(
    source: Dataset | TrainedGAN,
    sampling: dict,
    run: RunOptions,
    plan: dict[str, str],
    started: Started,
    executor: Executor,
) -> dict:
    """Write the shards, figures and the report; return the manifest."""
    out, report = Path(run.out), report_unless(run.quiet)
    if isinstance(source, Dataset):
        model, dataset = RunFolder(out).model.path, source
        prepare_filter(model, dataset, sampling["filter"])
        trained = TrainedGAN(model)
        plan |= {"flips": f"{trained.recipe.flip}, {MEASURED}"} if plan.get("flips") == MEASURED else {}
    else:
        trained, dataset = source, None
    manifest = stream_shards(trained, sampling, out, quiet=run.quiet, report=report, executor=executor)
    write_report(out, manifest, trained, dataset, plan, started.command, report)
    for name, counts in manifest["classes"].items():
        rejected = ", ".join(f"{reason} {count}" for reason, count in counts["rejected"].items()) or "none"
        report(f"class {name}: {counts['accepted']} images of {counts['candidates']} candidates (rejected: {rejected})")
    report(f"{'/, '.join(list_folders(sampling['format']))}/, {MANIFEST}, {SAMPLES} and {REPORT} are in {out}")
    return manifest


def _open_model(model: Path, data: SubsetOptions, gan: GANRequest, sampling: SamplingOptions) -> TrainedGAN:
    """Open the GAN of --model; RequestError for options that do not fit it."""
    trained = TrainedGAN(model)
    about_data = [field.name for field in fields(SubsetOptions) if field.name not in ("image_size", "no_cache")]
    if asked := list_changed(data, about_data):
        raise RequestError(f"--model was trained on {trained.data}: leave out {', '.join(asked)}.")
    refuse_training(gan)
    trained.check_filter(sampling.filter)
    if data.image_size and tuple(data.image_size) != trained.image_shape[:2]:
        raise RequestError(
            f"--image-size should be that of the model, {trained.image_shape[:2]}. Got {data.image_size} instead."
        )
    return trained


def _load_train_data(data: SubsetOptions, gan: GANRequest, run: RunOptions) -> Dataset:
    """Load the data to train on; RequestError where that can't be."""
    if os.environ.get("TF_CONFIG"):
        several = "is for one host, as several would end at different steps"
        if gan.max_minutes:
            raise RequestError(f"--max-minutes {several}: give --steps.")
        if gan.recipe.patience:
            raise RequestError(f"--patience {several}: give --patience 0.")
    dataset = load_data(data, run)
    note_near_copies(dataset, run.quiet)
    return dataset


def settle_training(
    data: SubsetOptions, gan: GANRequest, source: Dataset | TrainedGAN, run: RunOptions
) -> tuple[GANRequest, dict, dict[str, str]]:
    """Return the request with the recipe that is used, the settings that identify the GAN, and what the plan says."""
    if isinstance(source, TrainedGAN):
        return gan, {"model_hash": source.compute_hash()}, {}
    options = {"real_per_class": data.real_per_class, "max_minutes": gan.max_minutes, "seed": run.seed}
    recipe, training = settle_recipe(gan, source, source.identity | options, run.out)
    plan = describe_fit(gan.recipe, recipe, source) | decide_flip(gan.recipe.flip, source, dry=True).describe()
    return replace(gan, recipe=recipe), training, plan


def _resolve_sampling(options: SamplingOptions, source: Dataset | TrainedGAN, run: RunOptions) -> dict:
    """Return the sampling options, checked, with the counts of each class and the filter that "auto" means."""
    chosen = asdict(options)
    counts = parse_counts(chosen.pop("class_size"), source.class_names, source.label_values, "--class-size")
    filter, notes = choose_filter(options, source)
    print_lines([*notes, *note_tiny_classes(source, counts)], run.quiet)
    return {"class_size": counts} | chosen | {"filter": filter, "seed": run.seed}


def _plan_source(data: SubsetOptions, recipe: Recipe, source: Dataset | TrainedGAN) -> dict[str, str]:
    """Return what the plan says of the data and the GAN, {heading: text}."""
    if isinstance(source, TrainedGAN):
        return {"model": f"{source.folder.path}, trained on {source.data} ({source.fingerprint[:12]})"}
    class_count = len(source.class_names)
    sizes = ", ".join(f"{len(getattr(source, split))} {split}" for split in ("train", "validation", "test"))
    hint = "" if data.data else hint_at_data(source)
    networks = build_pair(recipe, source.image_shape, class_count * recipe.conditional)
    parameters = " + ".join(f"{network.count_params():,}" for network in networks)
    gans, images = recipe.plan_gans(class_count, len(source.train))
    rounds, round_steps = plan_rounds(recipe, images)
    many = gans > 1
    return {
        "data": f"{source.name} ({source.fingerprint[:12]}): {sizes}{hint}",
        "recipe": f"{recipe.name}, {gans} GAN{'s' * many} of {parameters} parameters (generator + discriminator), "
        f"{rounds * round_steps:,} steps of {recipe.batch_size} images{' each' * many}, {choose_dtype(recipe.dtype)}",
    }


def _plan_time(
    gan: GANRequest, source: Dataset | TrainedGAN, sampling: dict, work: WorkOptions, threads: int
) -> dict[str, str]:
    """Return how long training and drawing take, {heading: text}; drawing is measured here, for some seconds."""
    plan = {}
    if isinstance(source, Dataset):
        plan["training"] = _plan_training(gan, source, work, threads)
        draw = _build_untrained_draw(gan.recipe, source)
    else:
        trained = source
        latents = draw_latents(sampling["seed"], 0, 0, 0, trained.latent_dim)

        def draw() -> None:
            images = trained.generate(latents, 0)
            trained.score(images, 0)
            if trained.has_classifier:
                trained.classify(images)

    rate = measure_rate(draw, BLOCK_SIZE)
    minutes = sum(sampling["class_size"].values()) / rate / 60
    plan["drawing"] = (
        f"about {describe_duration(minutes)} in one process ({rate:,.0f} images/s in {threads} "
        f"thread{'s' * (threads > 1)}, measured here without near-duplicates and rejects)"
    )
    if work.is_shared and work.workers:
        useful = count_useful_workers(work, threads)
        plan["drawing"] += f"; about {describe_duration(minutes / useful)} with {work.workers} workers"
    return plan


def _plan_training(gan: GANRequest, dataset: Dataset, work: WorkOptions, threads: int) -> str:
    """Return how long training takes, at the speed of this machine as it was measured or is now."""
    estimates = Estimates(threads)
    gans, images = gan.recipe.plan_gans(len(dataset.class_names), len(dataset.train))
    minutes = estimates.count_gan_minutes(gan.recipe, dataset)
    speed = gans * gan.recipe.total_steps(images) / minutes / 60
    minutes, judging = min(minutes, gan.max_minutes or minutes), estimates.count_judge_minutes(gan.recipe, dataset)
    text = f"about {describe_duration(judging + minutes)} in one process"
    text += f", {describe_duration(judging)} of them for the classifiers that measure and filter" if judging else ""
    text += f" ({speed:.3g} steps/s of the GAN in {threads} thread{'s' * (threads > 1)}, "
    text += "measured here without the measurements on validation)"
    useful = min(gans, count_useful_workers(work, threads))
    shared = describe_duration(judging + minutes / useful)
    return text + (f"; about {shared} with {work.workers} workers" if useful > 1 else "")


def _build_untrained_draw(recipe: Recipe, dataset: Dataset) -> Callable[[], object]:
    """Return a callable () that draws and scores a block with networks as the recipe's, not trained."""
    class_count = len(dataset.class_names)
    generator, discriminator = build_pair(recipe, dataset.image_shape, class_count * recipe.conditional)
    sampler, labels = Sampler(generator, BLOCK_SIZE), np.zeros(BLOCK_SIZE, np.int64)
    classifier = None
    if dataset.has_classifier:
        judge = build_untrained_judge(recipe.judge, dataset.image_shape, class_count)
        classifier = judge if recipe.has_own_judge else add_classes(judge, class_count)
    latents = draw_latents(0, 0, 0, 0, sampler.latent_dim)
    score = build_score(discriminator)

    def draw() -> None:
        images = sampler(latents, labels)
        for _ in range(recipe.members):
            score(images, 0)
        if classifier is not None:
            compute_probabilities(classifier, images)

    return draw


def _plan_shards(sampling: dict, source: Dataset | TrainedGAN, out: Path) -> dict[str, str]:
    """Return what the plan says of the images, {heading: text}."""
    height, width, channels = source.image_shape
    total, pixels = sum(sampling["class_size"].values()), height * width * channels
    row_bytes = sum(FORMATS[format].row_bytes(pixels) for format in list_formats(sampling["format"]))
    return {
        "images": f"{height} x {width} x {channels}, {len(source.class_names)} classes: "
        f"{', '.join(source.class_names)}",
        "shards": f"{total:,} images, {sampling['format']}, filter {sampling['filter']}, "
        f"at most {total * row_bytes / 1e6:,.1f} MB in {out}",
    }
