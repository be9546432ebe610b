"""Train a GAN on real images, or load one, and stream filtered synthetic images class by class.

    python generate_data.py --class-size 1000
    python generate_data.py --data train.csv --recipe standard --class-size 5000 --format csv
    python generate_data.py --data fashion_mnist --classes Sneaker,Bag --class-size Sneaker:900,Bag:90
    python generate_data.py --model synthetic --out more --seed 1
    python generate_data.py --model mnist --class-size 100

The same command again continues where it stopped.
"""

import os
import sys
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from synth import command_line  # first: it refuses a Python that is too old or too new

# isort: split

from models.pretrained import find_model_folder
from models.recipes import RECIPES, GANOptions, Recipe, add_recipe_flags, parse_recipe
from synth.command_line import parse_config, report_unless, run
from synth.errors import RequestError
from synth.options import FilterOptions, RunOptions, ShardOptions, SubsetOptions, add_flags, check_options, option
from synth.shards import HASHES, MANIFEST, load_manifest, save_hashes

OWNED = ("model", "shards", MANIFEST, HASHES, "samples.png", "curves.png")


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, GANOptions, FilterOptions, ShardOptions, RunOptions):
    """What to train on, how, and what to write; the flags of the same names say more."""

    recipe: Recipe = RECIPES["quick"]  # of the name that --recipe gives, with the flags of its fields
    class_size: str | int = option(
        lambda: os.environ.get("CLASS_SIZE", "1000"),
        "images per class, as 500 or 0:500,Sneaker:200; the environment variable CLASS_SIZE sets it, too",
        metavar="N",
    )

    def __post_init__(self):
        check_options(self)


def generate_data(config):
    """Train or load the GAN that `config` names and write its shards; return the manifest (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails. With several hosts
    (TF_CONFIG) all train, and the first one writes; the others return {}.
    """
    from models.startup import start
    from synth.output_folder import check_inputs, check_output, open_output

    report = report_unless(config.quiet)
    out = Path(config.out)
    threads = start(out, {"--data": config.data, "--model": config.model}, report)
    from models.training import build_strategy, is_chief

    strategy = build_strategy()  # several hosts: before anything else touches a device
    source, training = _open_source(config)
    check_inputs(out, {"--data": None if config.model else source.request["data"]})
    sampling = _resolve_sampling(config, source)
    plan = _make_plan(config, source, sampling)
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    made = load_manifest(find_model_folder(config.model).parent) if config.model else None
    if made and made.get("seed") == config.seed:
        report(f"note: seed {config.seed} gives the images of {config.model} again: --seed names another one")
    run = (out, {"training": training, "sampling": sampling}, Path(__file__).name, OWNED)
    options = {"overwrite": config.overwrite, "keep": ("model", "training")}
    if config.dry_run:
        check_output(*run, **options)
        return plan
    with open_output(*run, threads=threads, **options) if is_chief() else nullcontext():
        return _train_and_sample(config, source, sampling, strategy, report)


def _train_and_sample(config, source, sampling, strategy, report):
    """Train the GAN, unless --model names one, and write shards and figures; return the manifest."""
    from models.trained_gan import TrainedGAN, prepare_filter
    from models.training import fit_gan, is_chief
    from synth.shard_writing import stream_shards

    out = Path(config.out)
    if is_chief():
        save_hashes(out, source.train_hashes())
    if not config.model:
        options = {"max_minutes": config.max_minutes, "quiet": config.quiet, "report": report, "strategy": strategy}
        fit_gan(source, config.recipe, out / "model", seed=config.seed, **options)
    if not is_chief():
        return {}
    if not config.model:
        prepare_filter(out / "model", source, sampling["filter"])
    trained = source if config.model else TrainedGAN(out / "model")
    manifest = stream_shards(trained, sampling, out, quiet=config.quiet, report=report)
    _save_figures(manifest, out, report)
    for name, counts in manifest["classes"].items():
        rejected = ", ".join(f"{reason} {count}" for reason, count in counts["rejected"].items()) or "none"
        report(f"class {name}: {counts['accepted']} images of {counts['candidates']} candidates (rejected: {rejected})")
    report(f"shards/, {MANIFEST} and samples.png are in {out}")
    return manifest


def _open_source(config):
    """Return the data to train on, or the trained run to sample from, and the settings that identify it."""
    from models.startup import load_data
    from models.trained_gan import TrainedGAN
    from models.training import check_recipe

    if config.model:
        trained = TrainedGAN(find_model_folder(config.model))
        _check_model_options(config, trained)
        return trained, {"model_hash": trained.compute_hash()}
    if config.max_minutes and os.environ.get("TF_CONFIG"):
        raise RequestError("--max-minutes is for one host, as several would end at different steps: give --steps.")
    dataset = load_data(config)
    check_recipe(config.recipe, dataset)
    options = {name: getattr(config, name) for name in ("real_per_class", "max_minutes", "seed")}
    return dataset, {"fingerprint": dataset.fingerprint, "recipe": asdict(config.recipe)} | options


def _resolve_sampling(config, source):
    """Return the sampling options, checked, with the counts of each class and the filter that "auto" means."""
    from synth.counts import parse_counts
    from synth.shard_writing import check_sampling

    names = ("keep", "min_probability", "duplicate_distance", "latent_std", "format", "shard_size")
    options = {name: getattr(config, name) for name in names}
    filter = check_sampling(config.filter, **options, has_classifier=source.has_classifier)
    counts = parse_counts(config.class_size, source.class_names, source.label_values, "--class-size")
    return {"class_size": counts, "filter": filter} | options | {"seed": config.seed}


def _check_model_options(config, trained):
    """Refuse options that do not fit the trained model."""
    if config.data or config.classes or config.real_per_class:
        raise RequestError(f"--model was trained on {trained.data}: leave out --data, --classes and --real-per-class.")
    if config.recipe != Config.recipe or config.max_minutes:
        raise RequestError("--model is trained already: leave out --recipe, its fields' flags and --max-minutes.")
    trained.check_filter(config.filter)
    if config.image_size and tuple(config.image_size) != trained.image_shape[:2]:
        raise RequestError(
            f"--image-size should be that of the model, {trained.image_shape[:2]}. Got {config.image_size} instead."
        )


def _make_plan(config, source, sampling):
    """Return what will be done, {heading: text}."""
    from models.building import build_pair, choose_dtype
    from models.training import plan_rounds

    height, width, channels = source.image_shape
    classes = ", ".join(source.class_names)
    plan = {}
    if config.model:
        folder = find_model_folder(config.model)
        plan["model"] = f"{folder}, trained on {source.data} ({source.fingerprint[:12]})"
    else:
        sizes = ", ".join(f"{len(getattr(source, split))} {split}" for split in ("train", "validation", "test"))
        missing = "MNIST could not be downloaded" if source.name == "mnist5k" else "found by itself"
        hint = "" if config.data else f" ({missing}: --data names another set)"
        plan["data"] = f"{source.name} ({source.fingerprint[:12]}): {sizes}{hint}"
        networks = build_pair(config.recipe, source.image_shape, len(source.class_names) * config.recipe.conditional)
        parameters = " + ".join(f"{network.count_params():,}" for network in networks)
        gans, images = config.recipe.plan_gans(len(source.class_names), len(source.train))
        rounds, round_steps = plan_rounds(config.recipe, images)
        many = gans > 1
        plan["recipe"] = (
            f"{config.recipe.name}, {gans} GAN{'s' * many} of {parameters} parameters (generator + discriminator), "
            f"{rounds * round_steps:,} steps of {config.recipe.batch_size} images{' each' * many}, "
            f"{choose_dtype(config.recipe.dtype)}"
        )
    plan["images"] = f"{height} x {width} x {channels}, {len(source.class_names)} classes: {classes}"
    total = sum(sampling["class_size"].values())
    pixels = height * width * channels
    row_bytes = {"npz": pixels + 12, "csv": 4 * pixels, "both": 5 * pixels + 12}[config.format]
    plan["shards"] = (
        f"{total:,} images, {config.format}, filter {sampling['filter']}, "
        f"at most {total * row_bytes / 1e6:,.1f} MB in {config.out}"
    )
    return plan


def _save_figures(manifest, out, report):
    """Save samples.png from each class's first shard, and curves.png where a model was trained here."""
    from synth.figures import plot_history, plot_samples, save_figure
    from synth.run_files import load_histories
    from synth.shards import read_shard

    first = {entry["class"]: entry["file"] for entry in reversed(manifest["shards"])}
    names = [name for name in manifest["class_names"] if name in first]
    images = {name: read_shard(out / first[name], manifest["image_shape"], rows=10)[0] for name in names}
    save_figure(out / "samples.png", plot_samples(images))
    try:
        histories = load_histories(out / "model")
    except RequestError as error:
        report(f"note: curves.png is left out. {error}")
        return
    if histories:
        save_figure(out / "curves.png", plot_history(histories))


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(recipe=parse_recipe(options), **options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__)
    add_flags(parser.add_argument_group("data"), Config, SubsetOptions)
    add_flags(parser.add_argument_group("training"), GANOptions, GANOptions)
    add_recipe_flags(parser.add_argument_group("any field of the recipe"))
    sampling = parser.add_argument_group("sampling")
    add_flags(sampling, Config, ("class_size",))
    add_flags(sampling, Config, FilterOptions)
    add_flags(sampling, Config, ShardOptions)
    add_flags(parser.add_argument_group("run"), Config, RunOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(
        build_parser(),
        lambda: generate_data(config),
        "The same command again continues from the last checkpoint or shard.",
    )


if __name__ == "__main__":
    sys.exit(main())
