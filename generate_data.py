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
from dataclasses import dataclass, field
from pathlib import Path

from models.pretrained import A_RUN
from models.recipes import RECIPES, Recipe, add_recipe_flags, parse_recipe
from models.startup import start
from synth import command_line
from synth.command_line import (
    add_data_flags,
    add_filter_flags,
    add_flag,
    add_run_flags,
    parse_config,
    positive_int,
    report_unless,
    run,
)
from synth.kaggle import default_out
from synth.shards import FORMATS


@dataclass(frozen=True)
class Config:
    """What to train on, how, and what to write; the flags of the same names say more."""

    data: str | None = None
    classes: str | None = None
    real_per_class: str | int | None = None
    image_size: tuple[int, int] | None = None
    image_shape: tuple[int, int, int] | None = None
    recipe: Recipe = RECIPES["quick"]
    max_minutes: float | None = None
    model: str | Path | None = None
    class_size: str | int = field(default_factory=lambda: os.environ.get("CLASS_SIZE", "1000"))
    filter: str = "auto"
    keep: float = 0.9
    min_probability: float = 0.5
    duplicate_distance: float = 4.0
    latent_std: float = 1.0
    format: str = "npz"
    shard_size: int = 5000
    out: str | Path = field(default_factory=default_out)
    seed: int = 0
    overwrite: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self):
        command_line.check_common(self)
        command_line.check_positive(self, "max_minutes")


def generate_data(config):
    """Train or load the GAN that `config` names and write its shards; return the manifest (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails. With several hosts
    (TF_CONFIG) all train, and the first one writes; the others return {}.
    """
    report = report_unless(config.quiet)
    threads = start(config.out, {"--data": config.data, "--model": config.model}, report)
    from tasks.generation import generate

    return generate(config, threads, report)


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(recipe=parse_recipe(options), **options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__)
    add_data_flags(parser, Config)
    training = parser.add_argument_group("training")
    help = "named set of the fields below, described in docs/recipes.md (default: %(default)s)"
    training.add_argument("--recipe", choices=RECIPES, default=Config.recipe.name, help=help)
    add_flag(
        training, Config, "max_minutes", "end training by then, in order (default: no limit)", type=float, metavar="M"
    )
    help = f"instead of training, sample from {A_RUN}"
    add_flag(training, Config, "model", help, metavar="DIR")
    add_recipe_flags(parser.add_argument_group("any field of the recipe"))
    sampling = parser.add_argument_group("sampling")
    help = "images per class, as 500 or 0:500,Sneaker:200; the environment variable CLASS_SIZE sets it too"
    add_flag(sampling, Config, "class_size", help, metavar="N")
    add_filter_flags(sampling, Config)
    add_flag(sampling, Config, "format", "of the shards", choices=FORMATS)
    add_flag(sampling, Config, "shard_size", "images per shard", type=positive_int, metavar="N")
    add_run_flags(parser, Config, "replace a run with other options; an equal model is kept")
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
