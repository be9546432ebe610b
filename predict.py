"""Train a classifier on synthetic, real or mixed images, and score it on real images that nothing was trained on.

python predict.py --synthetic-only
python predict.py --real-only --data fashion_mnist --seeds 3
python predict.py --real-per-class 300 --ratio 2 --augment
python predict.py --model synthetic --fresh --synthetic-only --epochs 20
python predict.py --synthetic-only --teacher synthetic
python predict.py --data train.csv --test-csv test.csv --submission submission.csv
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from common import command_line  # first: it refuses a Python that is too old or too new

# isort: split

from common.command_line import parse_config, report_unless, run
from common.errors import RequestError
from common.flags import add_flags, write_command
from common.kaggle import default_out
from common.options import check_options, like, list_changed, take
from common.run_options import RepeatOptions, WorkOptions
from models.calls import called_with
from models.startup import Started, start
from real.data_options import SubsetOptions
from synth.shard_options import FilterOptions
from tasks.prediction_options import ClassifierOptions, PredictionOptions, TrainingSetOptions


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, TrainingSetOptions, ClassifierOptions, PredictionOptions, RepeatOptions, WorkOptions):
    """What to train on and how; the flags of the same names say more."""

    seeds: int = like(RepeatOptions, "seeds", default=1)  # a first answer; more give intervals
    out: str | Path | None = like(
        RepeatOptions, "out", default=None, help="output folder (default: prediction-synthetic-only, ...)"
    )

    def __post_init__(self):
        check_options(self)
        if self.ratio is not None and (self.mode != "mixed" or self.synthetic_per_class):
            raise RequestError("--ratio is for mixed training, without --synthetic-per-class.")
        if self.fresh and not self.model:
            raise RequestError("--fresh should come with --model DIR, the trained run to draw from.")
        if self.model and not self.fresh:
            raise RequestError("--model is for --fresh; to use shards, make them: generate_data.py --model DIR.")
        if self.fresh and self.mode == "real-only":
            raise RequestError("--fresh draws synthetic images: leave out --real-only.")
        of_fresh = list_changed(self, ("filter", "min_probability", "latent_std"))
        if of_fresh and not self.fresh:
            raise RequestError(f"{of_fresh[0]} is for --fresh; shards have that of generate_data.py {of_fresh[0]}.")
        if self.fresh and list_changed(self, ["synthetic"]):
            raise RequestError("--fresh draws its images from --model: leave out --synthetic.")
        if self.synthetic_per_class and self.mode == "real-only":
            raise RequestError("--synthetic-per-class is for synthetic images: leave out --real-only.")
        if self.steps and self.steps % self.epochs:
            raise RequestError(f"--steps should be a multiple of --epochs, {self.epochs}. Got {self.steps} instead.")


@called_with(Config)
def predict(config):
    """Train the classifier that `config` describes, score it, and return the metrics (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and common.errors.RunError for a run that fails.
    """
    config = replace(config, out=config.out or default_out(f"prediction-{config.mode}"))
    inputs = ("data", "test_data", "model", "teacher", "test_csv") + (() if config.fresh else ("synthetic",))
    inputs = {f"--{name.replace('_', '-')}": getattr(config, name) for name in inputs}
    threads = start(config.out, inputs, report_unless(config.quiet), *take(config, WorkOptions))
    mode = [] if config.mode == "mixed" else [f"--{config.mode}"]
    command = write_command("predict.py", config, more=mode, skip=("mode",))
    from tasks.prediction import predict_and_score

    groups = (SubsetOptions, TrainingSetOptions, ClassifierOptions, PredictionOptions, RepeatOptions, WorkOptions)
    return predict_and_score(*take(config, *groups), Started(threads, command))


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(**options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__)
    add_flags(parser.add_argument_group("data"), Config, SubsetOptions)
    images = parser.add_argument_group("training images (default: real and synthetic)")
    mode = images.add_mutually_exclusive_group()
    for name in ("synthetic-only", "real-only"):
        help = f"train on {name.removesuffix('-only')} images alone"
        mode.add_argument(f"--{name}", dest="mode", action="store_const", const=name, default=Config.mode, help=help)
    add_flags(images, Config, ("synthetic", "synthetic_per_class", "ratio", "model", "fresh"))
    add_flags(images, Config, FilterOptions)
    add_flags(parser.add_argument_group("classifier"), Config, ClassifierOptions)
    add_flags(parser.add_argument_group("scoring"), Config, ("test_csv", "submission", "allow_leak"))
    group = parser.add_argument_group("run")
    add_flags(group, Config, RepeatOptions)
    add_flags(group, Config, ("workers", "cluster", "threads"))  # GPUs share the training of GANs alone
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: predict(config), "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
