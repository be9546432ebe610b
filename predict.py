"""Train a classifier on synthetic, real or mixed images, and score it on real images that nothing was trained on.

python predict.py --synthetic-only
python predict.py --real-only --data fashion_mnist --seeds 3
python predict.py --real-per-class 300 --ratio 2 --augment
python predict.py --model synthetic --fresh --synthetic-only --epochs 20
python predict.py --synthetic-only --teacher synthetic
python predict.py --data train.csv --test-csv test.csv --submission submission.csv
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from synth import command_line  # first: it refuses a Python that is too old or too new

# isort: split


from models.pretrained import A_RUN
from models.recipes import GANOptions
from models.startup import start
from synth.command_line import parse_config, report_unless, run
from synth.errors import RequestError
from synth.kaggle import default_out
from synth.options import (
    FilterOptions,
    RepeatOptions,
    ScoringOptions,
    SubsetOptions,
    add_flags,
    check_options,
    like,
    option,
)

MODES = ("mixed", "synthetic-only", "real-only")
CLASSIFIERS = ("cnn", "lenet5", "strong")
RATE_DECAYS = ("constant", "cosine")


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, ScoringOptions, RepeatOptions):
    """What to train on and how; the flags of the same names say more."""

    mode: str = option("mixed", "which images to train on", choices=MODES)
    synthetic: str | Path = option(default_out, "folder or glob of shards, CSV or NPZ", metavar="DIR")
    synthetic_per_class: int | None = option(None, "synthetic images per class to use", minimum=1, metavar="N")
    ratio: float | None = option(None, "synthetic images per real one", above=0, metavar="R")
    model: str | Path | None = like(GANOptions, "model")
    fresh: bool = option(False, "draw new synthetic images from --model in every epoch, without shards")
    filter: str = like(  # fresh images have no other filter
        FilterOptions, "filter", default="classifier", choices=("classifier", "none"), help="what rejects fresh images"
    )
    min_probability: float = like(FilterOptions, "min_probability")
    latent_std: float = like(FilterOptions, "latent_std")
    classifier: str = option("cnn", "network to train", choices=CLASSIFIERS)
    epochs: int = option(5, "passes over the training images", minimum=1, metavar="N")
    steps: int | None = option(
        None,
        "optimiser steps in all, in --epochs equal parts, instead of passes over the images",
        minimum=1,
        metavar="N",
    )
    batch_size: int = option(32, "images per step", minimum=1, metavar="N")
    rate: float = option(1e-3, "learning rate of Adam", above=0, metavar="R")
    rate_decay: str = option("cosine", "how the learning rate falls; cosine: to zero", choices=RATE_DECAYS)
    augment: bool = option(False, "add classic augmentation: shift, rotation, zoom; never flips")
    teacher: str | Path | None = option(
        None, f"label the images by this run's classifier (knowledge distillation): {A_RUN}", metavar="DIR"
    )
    seeds: int = like(RepeatOptions, "seeds", default=1)  # a first answer; more give intervals
    test_csv: str | Path | None = option(None, "images to predict, as Kaggle's test.csv", metavar="FILE")
    submission: str | Path | None = option(
        None, "where the predictions go (default: OUT/submission.csv)", metavar="FILE"
    )
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
        if self.latent_std != 1 and not self.fresh:
            raise RequestError("--latent-std is for --fresh; shards have that of generate_data.py --latent-std.")
        if self.steps and self.steps % self.epochs:
            raise RequestError(f"--steps should be a multiple of --epochs, {self.epochs}. Got {self.steps} instead.")


def predict(config):
    """Train the classifier that `config` describes, score it, and return the metrics (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails.
    """
    report = report_unless(config.quiet)
    out = Path(config.out or default_out(f"prediction-{config.mode}"))
    inputs = ("data", "model", "teacher", "test_csv") + (() if config.fresh else ("synthetic",))
    threads = start(out, {f"--{name.replace('_', '-')}": getattr(config, name) for name in inputs}, report)
    from tasks.prediction import predict_and_score

    return predict_and_score(config, out, threads, report)


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
    names = ("classifier", "epochs", "steps", "batch_size", "rate", "rate_decay", "augment", "teacher")
    add_flags(parser.add_argument_group("classifier"), Config, names)
    add_flags(parser.add_argument_group("scoring"), Config, ("test_csv", "submission", "allow_leak"))
    add_flags(parser.add_argument_group("run"), Config, RepeatOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: predict(config), "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
