"""Balance a data set with synthetic images, and find out whether they help.

    python augment.py balance --data train.csv --out balanced
    python augment.py imbalance --data fashion_mnist --minority Sneaker --out sneaker
    python augment.py imbalance --data mnist --counts 4000,2000,1000,750,500,350,200,100,60,40
    python augment.py reduced --data mnist --real 300 700 1000 --added 0 1000 2000 3000 --seeds 3

The same command again continues where it stopped.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

from common import command_line  # first: it refuses a Python that is too old or too new

# isort: split

from common.command_line import parse_config, report_unless, run
from common.errors import RequestError
from common.flags import add_flags, write_command
from common.kaggle import default_out
from common.options import check_options, like, list_settings, take
from common.run_options import RepeatOptions, WorkOptions
from models.calls import called_with
from models.recipes import GANOptions, add_recipe_flags, take_recipe_fields, write_flags
from models.startup import Started, start
from real.data_options import ClassOptions, DataOptions
from synth.shard_options import FilterOptions
from tasks.arms import CURVE_POINTS, resolve_recipes
from tasks.study_options import BalanceOptions, ImbalanceOptions, ReducedOptions, StudyOptions


@dataclass(frozen=True, kw_only=True)
class BalanceConfig(GANOptions, BalanceOptions, DataOptions, FilterOptions, RepeatOptions, WorkOptions):
    """What to top up, with what, and how to choose; the flags of the same names say more.

    recipe_fields: the flags of a recipe's fields, as {"steps": 3000}.
    """

    recipe: str = like(GANOptions, "recipe", setting=False)  # the first four are settings of the training
    recipe_fields: dict = field(default_factory=dict, metadata={"setting": False})
    max_minutes: float | None = like(GANOptions, "max_minutes", setting=False)
    seed: int = like(RepeatOptions, "seed", setting=False)
    seeds: int = like(RepeatOptions, "seeds", default=5)
    out: str | Path = like(RepeatOptions, "out", default=lambda: default_out("balanced"))

    def __post_init__(self):
        _check(self)
        self.resolve()
        if self.target is not None and self.surplus != "auto":
            raise RequestError("--target and --surplus both say how many images to add: give one of them.")
        if self.surplus != "auto" and not (_is_number(self.surplus) and 0 <= float(self.surplus) <= 100):
            raise RequestError(f"--surplus should be auto or in the range [0, 100]. Got {self.surplus} instead.")
        if self.surplus == "auto" and self.target is None and self.seeds < 2:
            raise RequestError(f"--seeds should be at least 2 for --surplus auto. Got {self.seeds} instead.")


@dataclass(frozen=True, kw_only=True)
class ImbalanceConfig(ImbalanceOptions, ClassOptions, FilterOptions, RepeatOptions, WorkOptions):
    """The imbalance study: one small class (`minority`), or a count for every class (`counts`).

    Without `gans`, one for all classes is trained, and for one small class also a fully connected one on it alone.
    """

    filter: str = like(FilterOptions, "filter", default="ranked")  # as published, see mlp-minority
    keep: float = like(FilterOptions, "keep", default=0.5)  # the better half
    seeds: int = like(RepeatOptions, "seeds", setting=False)
    out: str | Path = like(RepeatOptions, "out", default=lambda: default_out("imbalance"))

    def __post_init__(self):
        if not self.gans:
            alone = ("alone:mlp-minority",) if self.minority is not None else ()
            object.__setattr__(self, "gans", ("shared:quick", *alone))
        _check(self)
        if (self.minority is None) == (self.counts is None):
            raise RequestError("--minority CLASS or --counts N,N,... should be given, and one of them alone.")
        if not self.minority_size:
            raise RequestError("--minority-size should be one number or more. Got none.")


@dataclass(frozen=True, kw_only=True)
class ReducedConfig(ReducedOptions, ClassOptions, FilterOptions, RepeatOptions, WorkOptions):
    """The reduced-data study: N real images per class, and what synthetic ones add."""

    seeds: int = like(RepeatOptions, "seeds", setting=False)
    out: str | Path = like(RepeatOptions, "out", default=lambda: default_out("reduced"))

    def __post_init__(self):
        _check(self)
        if not self.real:
            raise RequestError("--real should be one number or more. Got none.")
        if not any(self.added):
            given = " ".join(map(str, self.added)) or "none"
            raise RequestError(f"--added should have a number above 0. Got {given} instead.")


def _check(config):
    check_options(config)
    if config.classifier_steps % CURVE_POINTS:
        raise RequestError(
            f"--classifier-steps should be a multiple of {CURVE_POINTS}, the points of its curve. "
            f"Got {config.classifier_steps} instead."
        )
    if isinstance(config, StudyOptions):
        resolve_recipes(config.gans, config.recipe_fields)


def _is_number(value):
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


@called_with(BalanceConfig)
def balance(config):
    """Top up the classes with synthetic images and write one training set; return its manifest (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and common.errors.RunError for a run that fails.
    """
    started = _start(config, "balance")
    from tasks.balance import balance_data

    data, *groups = take(config, DataOptions, BalanceOptions, FilterOptions, RepeatOptions, WorkOptions)
    return balance_data(data, config.resolve(), *groups, list_settings(config), started)


@called_with(ImbalanceConfig)
def study_imbalance(config):
    """Compare ways to help one small class, or a long tail of classes; return the results (a DataFrame).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises as `balance`.
    """
    started = _start(config, "imbalance")
    from tasks.study import conduct
    from tasks.study_plans import plan_imbalance

    study = plan_imbalance(*take(config, ClassOptions, ImbalanceOptions, FilterOptions, RepeatOptions))
    return conduct(study, *take(config, RepeatOptions, WorkOptions), list_settings(config), started)


@called_with(ReducedConfig)
def study_reduced(config):
    """Compare what can be added to N real images per class; return the results (a DataFrame).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises as `balance`.
    """
    started = _start(config, "reduced")
    from tasks.study import conduct
    from tasks.study_plans import plan_reduced

    study = plan_reduced(*take(config, ClassOptions, ReducedOptions, FilterOptions, RepeatOptions))
    return conduct(study, *take(config, RepeatOptions, WorkOptions), list_settings(config), started)


def _start(config, command):
    """Refuse inputs in the output folder, and import TensorFlow; return how the sub-command was started."""
    inputs = {"--data": config.data, "--test-data": config.test_data, "--model": getattr(config, "model", None)}
    threads = start(Path(config.out), inputs, report_unless(config.quiet), *take(config, WorkOptions))
    return Started(threads, write_command(f"augment.py {command}", config, more=write_flags(config.recipe_fields)))


def parse_args(argv=None):
    """Turn the command line into the Config of its sub-command."""
    return parse_config(build_parser(), _build_config, argv)


def _build_config(options):
    configs = {"balance": BalanceConfig, "imbalance": ImbalanceConfig, "reduced": ReducedConfig}
    return configs[options.pop("command")](**take_recipe_fields(options), **options)


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
    add_flags(parser.add_argument_group("data"), BalanceConfig, DataOptions)
    group = parser.add_argument_group("balance")
    add_flags(group, BalanceConfig, BalanceOptions)
    add_flags(group, BalanceConfig, ("model",))
    add_flags(group, GANOptions, ("recipe",))
    _add_common_flags(parser, BalanceConfig)


def _add_imbalance_flags(parser):
    add_flags(parser.add_argument_group("data"), ImbalanceConfig, ClassOptions)
    names = ("minority", "minority_size", "counts", "fill")
    add_flags(parser.add_argument_group("imbalance"), ImbalanceConfig, names)
    add_flags(parser.add_argument_group("study"), ImbalanceConfig, ("arms", "classifier", "classifier_steps", "gans"))
    _add_common_flags(parser, ImbalanceConfig)


def _add_reduced_flags(parser):
    add_flags(parser.add_argument_group("data"), ReducedConfig, ClassOptions)
    names = ("real", "added", "ratios", "classifier_epochs")
    add_flags(parser.add_argument_group("reduced data"), ReducedConfig, names)
    add_flags(parser.add_argument_group("study"), ReducedConfig, ("arms", "classifier", "classifier_steps", "gans"))
    _add_common_flags(parser, ReducedConfig)


def _add_common_flags(parser, config_class):
    """Add the flags of training a GAN, of filtering its images, and of the run."""
    gan = parser.add_argument_group("GAN, and any field of its recipe as in generate_data.py")
    add_recipe_flags(gan, shown=("steps", "epochs", "batch_size", "diffaugment", "balance_classes"))
    add_flags(gan, config_class, ("max_minutes",))
    add_flags(gan, config_class, FilterOptions)
    group = parser.add_argument_group("run")
    add_flags(group, config_class, RepeatOptions)
    add_flags(group, config_class, WorkOptions)


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
