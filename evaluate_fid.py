"""Measure how near synthetic images are to real ones, how varied, and whether they repeat the training images.

python evaluate_fid.py
python evaluate_fid.py runs/quick runs/standard --data mnist --fid-infinity
python evaluate_fid.py "my/*.csv" --data train.csv --features inception
python evaluate_fid.py --compare dcgan mlp-cgan quick --data fashion_mnist --epochs 10

The same command again reuses what was trained.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from common import command_line  # first: it refuses a Python that is too old or too new

# isort: split

from common.command_line import parse_config, report_unless, run
from common.errors import RequestError
from common.flags import add_flags, write_command
from common.kaggle import default_out
from common.options import check_options, like, list_settings, take
from common.run_options import RunOptions, WorkOptions
from models.calls import called_with
from models.recipes import add_recipe_flags, take_recipe_fields, write_flags
from models.startup import Started, start
from real.data_options import SubsetOptions
from tasks.evaluation_options import FITTED_FEATURES, ComparisonOptions, MeasuringOptions


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, MeasuringOptions, ComparisonOptions, RunOptions, WorkOptions):
    """What to compare, and how; the flags of the same names say more."""

    runs: tuple[str | Path, ...] = ()
    out: str | Path = like(RunOptions, "out", default=lambda: default_out("evaluation-report"))  # evaluation/: sources

    def __post_init__(self):
        check_options(self)
        if self.bootstrap == 1:
            raise RequestError("--bootstrap should be 0 or at least 2. Got 1 instead.")
        if self.feature_weights and (self.features in FITTED_FEATURES or self.features.endswith(".keras")):
            raise RequestError("--feature-weights is for --features inception, or a network of keras.applications.")
        if self.compare and self.runs:
            raise RequestError("--compare trains its own runs: leave out the runs, or name their folders without it.")
        if (self.recipe_fields or self.max_minutes) and not self.compare:
            raise RequestError("a recipe's flags (as --epochs) are for --compare.")
        if (self.is_shared or self.gpus) and not self.compare:
            raise RequestError("--workers, --cluster and --gpus train recipes: they are for --compare.")
        if len(set(self.compare)) < len(self.compare):
            raise RequestError(f"--compare should name different recipes. Got {', '.join(self.compare)}.")


@called_with(Config)
def evaluate(config):
    """Compare the runs that `config` names with real images; return the content of evaluation.json (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and common.errors.RunError for a run that fails.
    """
    inputs = {"--data": config.data, "--test-data": config.test_data, "--feature-weights": config.feature_weights}
    inputs |= {"RUN": () if config.compare else config.runs or (default_out(),)}
    threads = start(config.out, inputs, report_unless(config.quiet), *take(config, WorkOptions))
    command = write_command("evaluate_fid.py", config, more=[*config.runs, *write_flags(config.recipe_fields)])
    from tasks.evaluation import compare_runs

    options = take(config, SubsetOptions, MeasuringOptions, ComparisonOptions, RunOptions, WorkOptions)
    return compare_runs(config.runs, *options, list_settings(config), Started(threads, command))


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(**take_recipe_fields(options), **options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__, "[RUN ...] [options]")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folder, file or glob of shards (default: synthetic)")
    add_flags(parser.add_argument_group("data"), Config, SubsetOptions)
    names = ("split", "features", "feature_weights", "images", "neighbours", "bootstrap")
    names += ("fid_infinity", "cross_check", "allow_leak")
    add_flags(parser.add_argument_group("measuring"), Config, names)
    comparing = parser.add_argument_group(
        "training recipes to compare, and any field of a recipe as in generate_data.py"
    )
    add_flags(comparing, Config, ("compare", "max_minutes"))
    add_recipe_flags(comparing, shown=("epochs", "steps", "batch_size"))
    group = parser.add_argument_group("run")
    add_flags(group, Config, RunOptions)
    add_flags(group, Config, WorkOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: evaluate(config), "The same command again reuses what was trained.")


if __name__ == "__main__":
    sys.exit(main())
