"""Balance a data set with synthetic images, and find out whether they help.

    python augment.py balance --data train.csv --out balanced
    python augment.py imbalance --data fashion_mnist --minority Sneaker --out sneaker
    python augment.py imbalance --data mnist --counts 4000,2000,1000,750,500,350,200,100,60,40
    python augment.py reduced --data mnist --real 300 700 1000 --synthetic 0 1000 2000 3000 --seeds 3

The same command again continues where it stopped.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

from models.pretrained import A_RUN
from models.recipes import RECIPES, Recipe, add_recipe_flags, parse_recipe, take_recipe_options
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
from synth.errors import RequestError
from synth.kaggle import default_out
from synth.shards import FORMATS
from tasks.arms import CURVE_POINTS, FAMILIES, resolve_recipes

_REDUCED_FAMILIES = ("real", "smote", "classic", "gan", "gan-filtered", "classic-gan", "classic-mixed")


@dataclass(frozen=True, kw_only=True)
class BalanceConfig:
    """What to top up, with what, and how to choose; the flags of the same names say more."""

    data: str | None = None
    classes: str | None = None
    image_size: tuple[int, int] | None = None
    image_shape: tuple[int, int, int] | None = None
    recipe: Recipe = RECIPES["quick"]
    max_minutes: float | None = None
    model: str | Path | None = None
    target: int | None = None
    ratio: str | float = "auto"
    filter: str = "auto"
    keep: float = 0.9
    min_probability: float = 0.5
    duplicate_distance: float = 4.0
    latent_std: float = 1.0
    format: str = "npz"
    classifier_steps: int = 500
    seeds: int = 5
    out: str | Path = field(default_factory=lambda: default_out("balanced"))
    seed: int = 0
    overwrite: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self):
        if self.target is not None and self.ratio != "auto":
            raise RequestError("--target and --ratio both say how many images to add: give one of them.")
        if self.ratio != "auto" and not (_is_number(self.ratio) and 0 <= float(self.ratio) <= 100):
            raise RequestError(f"--ratio should be auto or in the range [0, 100]. Got {self.ratio} instead.")
        if self.ratio == "auto" and self.target is None and self.seeds < 2:
            raise RequestError(f"--seeds should be at least 2 for --ratio auto. Got {self.seeds} instead.")
        _check_run(self)


@dataclass(frozen=True, kw_only=True)
class _StudyConfig:
    """What both studies are told; the flags of the same names say more."""

    data: str | None = None
    classes: str | None = None
    image_size: tuple[int, int] | None = None
    image_shape: tuple[int, int, int] | None = None
    gans: tuple[str, ...] = ("shared:quick",)
    recipe_fields: dict = field(default_factory=dict)
    max_minutes: float | None = None
    filter: str = "auto"
    keep: float = 0.9
    min_probability: float = 0.5
    duplicate_distance: float = 4.0
    latent_std: float = 1.0
    arms: tuple[str, ...] = FAMILIES
    classifier_steps: int = 2000
    seeds: int = 3
    out: str | Path = ""
    seed: int = 0
    overwrite: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self):
        resolve_recipes(self.gans, self.recipe_fields)
        unknown = set(self.arms) - set(FAMILIES)
        if unknown:
            raise RequestError(
                f"--arms should be among {', '.join(FAMILIES)}. Got {', '.join(sorted(unknown))} instead."
            )
        _check_run(self)


@dataclass(frozen=True, kw_only=True)
class ImbalanceConfig(_StudyConfig):
    """The imbalance study: one small class (`minority`), or a count for every class (`counts`).

    Without `gans`, one for all classes is trained, and for one small class also a fully connected one on it alone.
    """

    minority: str | None = None
    minority_size: tuple[int, ...] = (100,)
    counts: str | None = None
    fill: float = 1.0
    gans: tuple[str, ...] = ()
    filter: str = "discriminator"
    keep: float = 0.5
    out: str | Path = field(default_factory=lambda: default_out("imbalance"))

    def __post_init__(self):
        if not self.gans:
            alone = ("alone:mlp-minority",) if self.minority is not None else ()
            object.__setattr__(self, "gans", ("shared:quick", *alone))
        super().__post_init__()
        if (self.minority is None) == (self.counts is None):
            raise RequestError("--minority CLASS or --counts N,N,... should be given, and one of them alone.")
        if min(self.minority_size, default=0) < 1:
            raise RequestError(f"--minority-size should be at least 1. Got {self.minority_size} instead.")
        if not 0 < self.fill <= 1:
            raise RequestError(f"--fill should be in the range (0, 1]. Got {self.fill} instead.")


@dataclass(frozen=True, kw_only=True)
class ReducedConfig(_StudyConfig):
    """The reduced-data study: N real images per class, and what synthetic ones add."""

    real: tuple[int, ...] = (300, 700, 1000)
    synthetic: tuple[int, ...] = (0, 1000, 2000, 3000)
    ratios: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    classifier_epochs: int = 5
    arms: tuple[str, ...] = _REDUCED_FAMILIES
    out: str | Path = field(default_factory=lambda: default_out("reduced"))

    def __post_init__(self):
        super().__post_init__()
        if min(self.real, default=0) < 1:
            raise RequestError(f"--real should be at least 1. Got {_format_list(self.real)} instead.")
        if min(self.synthetic, default=-1) < 0 or max(self.synthetic) == 0:
            raise RequestError(
                f"--synthetic should be at least 0, and one above 0. Got {_format_list(self.synthetic)} instead."
            )
        if not all(0 < ratio <= 100 for ratio in self.ratios):
            given = _format_list(self.ratios)
            raise RequestError(f"--ratios should be in the range (0, 100], synthetic to real. Got {given} instead.")


def balance(config):
    """Top up the classes with synthetic images and write one training set; return its manifest (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails.
    """
    threads = _start(config)
    from tasks.balance import balance_data

    return balance_data(config, threads)


def study_imbalance(config):
    """Compare ways to help one small class, or a long tail of classes; return the results (a DataFrame).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises as `balance`.
    """
    threads = _start(config)
    from tasks.study import conduct
    from tasks.study_plan import plan_imbalance

    return conduct(plan_imbalance(config), config, "augment.py imbalance", threads)


def study_reduced(config):
    """Compare what can be added to N real images per class; return the results (a DataFrame).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises as `balance`.
    """
    threads = _start(config)
    from tasks.study import conduct
    from tasks.study_plan import plan_reduced

    return conduct(plan_reduced(config), config, "augment.py reduced", threads)


def _start(config):
    """Refuse inputs in the output folder and import TensorFlow; return the number of its threads."""
    inputs = {"--data": config.data, "--model": getattr(config, "model", None)}
    return start(Path(config.out), inputs, report_unless(config.quiet))


def _format_list(values):
    """Return what was given, as on the command line."""
    return " ".join(map(str, values)) or "none"


def _is_number(value):
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _check_run(config):
    command_line.check_minima(config, seeds=1, classifier_steps=1)
    command_line.check_common(config)
    command_line.check_positive(config, "max_minutes")
    if config.classifier_steps % CURVE_POINTS:
        raise RequestError(
            f"--classifier-steps should be a multiple of {CURVE_POINTS}, the points of its curve. "
            f"Got {config.classifier_steps} instead."
        )


def parse_args(argv=None):
    """Turn the command line into the Config of its sub-command."""
    return parse_config(build_parser(), _build_config, argv)


def _build_config(options):
    command = options.pop("command")
    if command == "balance":
        return BalanceConfig(recipe=parse_recipe(options), **options)
    config_class = {"imbalance": ImbalanceConfig, "reduced": ReducedConfig}[command]
    options["recipe_fields"] = take_recipe_options(options)
    return config_class(**{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})


def build_parser():
    """Build the parser; every default comes from the sub-command's Config."""
    parser = command_line.build_parser(__file__, __doc__, "COMMAND [options]")
    commands = {
        "balance": ("top up the classes of a data set", _add_balance_flags),
        "imbalance": ("help one small class, or a long tail of them", _add_imbalance_flags),
        "reduced": ("few real images of every class", _add_reduced_flags),
    }
    command_line.add_commands(parser, commands)
    return parser


def _add_balance_flags(parser):
    help = "names or numbers to top up, as 3,Sneaker; the others' rows are kept (default: all)"
    add_data_flags(parser, BalanceConfig, classes=help)
    group = parser.add_argument_group("balance")
    help = "images of each class in the end (default: as many as the largest has)"
    add_flag(group, BalanceConfig, "target", help, type=positive_int, metavar="N")
    help = "synthetic images on top of balanced classes, per image of the largest; auto chooses on validation"
    add_flag(group, BalanceConfig, "ratio", help, metavar="R")
    add_flag(group, BalanceConfig, "format", "of the training set", choices=FORMATS)
    help = f"instead of training, use {A_RUN}"
    add_flag(group, BalanceConfig, "model", help, metavar="DIR")
    add_flag(group, BalanceConfig, "seeds", "classifiers per candidate of --ratio auto", type=positive_int, metavar="N")
    help = "optimiser steps of each of them"
    add_flag(group, BalanceConfig, "classifier_steps", help, type=positive_int, metavar="N")
    group.add_argument("--recipe", choices=RECIPES, default=BalanceConfig.recipe.name, help="(default: %(default)s)")
    _add_training_flags(parser, BalanceConfig)


def _add_imbalance_flags(parser):
    add_data_flags(parser, ImbalanceConfig)
    group = parser.add_argument_group("imbalance")
    add_flag(group, ImbalanceConfig, "minority", "the class to make small", metavar="CLASS")
    help = "train images of it, one study each"
    add_flag(group, ImbalanceConfig, "minority_size", help, type=positive_int, nargs="+", metavar="N")
    help = "instead: train images of every class, as 4000,2000,1000,..."
    add_flag(group, ImbalanceConfig, "counts", help, metavar="N,N,...")
    help = "fraction of the way to the largest class that images are added for"
    add_flag(group, ImbalanceConfig, "fill", help, type=float, metavar="F")
    _add_study_flags(parser, ImbalanceConfig)


def _add_reduced_flags(parser):
    add_data_flags(parser, ReducedConfig)
    group = parser.add_argument_group("reduced data")
    add_flag(group, ReducedConfig, "real", "real images per class", type=positive_int, nargs="+", metavar="N")
    add_flag(group, ReducedConfig, "synthetic", "synthetic images per class", type=int, nargs="+", metavar="N")
    add_flag(group, ReducedConfig, "ratios", "synthetic per real, chosen from on validation", type=float, nargs="*")
    help = "passes over the images in the table of real and synthetic images"
    add_flag(group, ReducedConfig, "classifier_epochs", help, type=positive_int, metavar="N")
    _add_study_flags(parser, ReducedConfig)


def _add_study_flags(parser, config_class):
    study = parser.add_argument_group("study")
    add_flag(study, config_class, "arms", "what is compared", nargs="+", choices=FAMILIES, metavar="ARM")
    add_flag(study, config_class, "seeds", "repeat with so many seeds", type=positive_int, metavar="N")
    help = "optimiser steps of every classifier"
    add_flag(study, config_class, "classifier_steps", help, type=positive_int, metavar="N")
    help = "shared:RECIPE, one for all classes, or alone:RECIPE, one per small class; joined by +, half each"
    if config_class is ImbalanceConfig:
        help += " (default: shared:quick; with --minority alone:mlp-minority, too)"
    add_flag(study, config_class, "gans", help, nargs="+", metavar="GAN")
    _add_training_flags(parser, config_class)


def _add_training_flags(parser, config_class):
    """Add the flags of training a GAN and of filtering its images."""
    gan = parser.add_argument_group("GAN, and any field of its recipe as in generate_data.py")
    add_recipe_flags(gan, shown=("steps", "epochs", "batch_size", "augment", "balance_classes"))
    add_flag(gan, config_class, "max_minutes", "end each training by then, in order", type=float, metavar="M")
    add_filter_flags(gan, config_class)
    help = "replace a run with other options; GANs are kept where all of them are trained alike"
    add_run_flags(parser, config_class, help)


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    functions = {BalanceConfig: balance, ImbalanceConfig: study_imbalance, ReducedConfig: study_reduced}
    return run(
        build_parser(),
        lambda: functions[type(config)](config),
        "The same command again continues: finished cells and GANs are kept.",
    )


if __name__ == "__main__":
    sys.exit(main())
