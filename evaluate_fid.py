"""Measure how near synthetic images are to real ones, how varied, and whether they repeat the training images.

python evaluate_fid.py
python evaluate_fid.py runs/quick runs/standard --data mnist --fid-infinity
python evaluate_fid.py "my/*.csv" --data train.csv --features inception
python evaluate_fid.py --compare dcgan mlp-cgan quick --data fashion_mnist --epochs 10

The same command again reuses what was trained.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import generate_data
from models.recipes import RECIPES, add_recipe_flags, take_recipe_options
from models.startup import start
from synth import command_line
from synth.checks import REQUEST
from synth.command_line import add_data_flags, add_flag, add_run_flags, parse_config, positive_int, report_unless, run
from synth.errors import RequestError
from synth.kaggle import default_out

FEATURES = ("classifier", "inception", "pixels")


@dataclass(frozen=True)
class Config:
    """What to compare, and how; the flags of the same names say more."""

    runs: tuple[str | Path, ...] = ()
    data: str | None = None
    classes: str | None = None
    real_per_class: int | None = None
    image_size: tuple[int, int] | None = None
    image_shape: tuple[int, int, int] | None = None
    split: str = "test"
    features: str = "classifier"
    inception_weights: str | Path | None = None
    images: int = 10_000
    neighbours: int = 5
    bootstrap: int = 20
    fid_infinity: bool = False
    cross_check: bool = False
    allow_leak: bool = False
    compare: tuple[str, ...] = ()
    recipe_options: dict = field(default_factory=dict)
    max_minutes: float | None = None
    out: str | Path = field(default_factory=lambda: default_out("evaluation"))
    seed: int = 0
    overwrite: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self):
        command_line.check_choices(self, features=FEATURES, split=("test", "validation"))
        for name in self.compare:
            if name not in RECIPES:
                raise RequestError(f"--compare should be one of {', '.join(RECIPES)}. Got {name!r} instead.")
        command_line.check_minima(self, images=2, neighbours=1, bootstrap=0)
        command_line.check_common(self)
        if self.bootstrap == 1:
            raise RequestError("--bootstrap should be 0 or at least 2. Got 1 instead.")
        if self.inception_weights and self.features != "inception":
            raise RequestError("--inception-weights is for --features inception.")
        if self.compare and self.runs:
            raise RequestError("--compare trains its own runs: leave out the runs, or name their folders without it.")
        if (self.recipe_options or self.max_minutes) and not self.compare:
            raise RequestError("a recipe's flags (as --epochs) are for --compare.")
        if len(set(self.compare)) < len(self.compare):
            raise RequestError(f"--compare should name different recipes. Got {', '.join(self.compare)}.")


def evaluate(config):
    """Compare the runs that `config` names with real images; return the content of evaluation.json (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails.
    """
    report = report_unless(config.quiet)
    inputs = {"--data": config.data, "--inception-weights": config.inception_weights}
    inputs |= {"RUN": () if config.compare else config.runs or (default_out(),)}
    threads = start(config.out, inputs, report)
    from tasks.evaluation import compare_runs

    return compare_runs(config, threads, report, _generate)


def _generate(config, recipe, folder):
    """Train a recipe of --compare into `folder`, and sample it unfiltered."""
    options = {name: getattr(config, name) for name in (*REQUEST, "max_minutes", "overwrite", "quiet")}
    options |= {"filter": "none", "duplicate_distance": 0.0}
    generate_data.generate_data(generate_data.Config(recipe=recipe, out=folder, **options))


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), _build_config, argv)


def _build_config(options):
    recipe_options = take_recipe_options(options)
    tuples = {name: tuple(options.pop(name) or ()) for name in ("runs", "compare")}
    return Config(recipe_options=recipe_options, **tuples, **options)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__, "[RUN ...] [options]")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folder, file or glob of shards (default: synthetic)")
    add_data_flags(parser, Config)
    measuring = parser.add_argument_group("measuring")
    add_flag(measuring, Config, "split", "real images to compare with", choices=("test", "validation"))
    add_flag(measuring, Config, "features", "space of the comparison", choices=FEATURES)
    add_flag(measuring, Config, "inception_weights", "keras.applications' notop weights", metavar="FILE")
    add_flag(measuring, Config, "images", "compare at most so many of each side", type=positive_int, metavar="N")
    add_flag(measuring, Config, "neighbours", "of precision, recall, density, coverage", type=positive_int, metavar="K")
    add_flag(measuring, Config, "bootstrap", "resamples for the intervals; 0: none", type=int, metavar="N")
    add_flag(measuring, Config, "fid_infinity", "extrapolate the Frechet distance to infinitely many images")
    add_flag(measuring, Config, "cross_check", "compute TF-GAN's distances, too")
    add_flag(measuring, Config, "allow_leak", "go on although real images were trained on")
    comparing = parser.add_argument_group(
        "training recipes to compare, and any field of a recipe as in generate_data.py"
    )
    add_flag(comparing, Config, "compare", "train these, or reuse them", nargs="+", metavar="RECIPE")
    add_flag(comparing, Config, "max_minutes", "end each training in order after so long", type=float, metavar="M")
    add_recipe_flags(comparing, shown=("epochs", "steps", "batch_size"))
    add_run_flags(parser, Config)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: evaluate(config), "The same command again reuses what was trained.")


if __name__ == "__main__":
    sys.exit(main())
