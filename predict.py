"""Train a classifier on synthetic, real or mixed images, and score it on real images that nothing was trained on.

python predict.py --synthetic-only
python predict.py --real-only --data fashion_mnist --seeds 3
python predict.py --real-per-class 300 --ratio 2 --augment
python predict.py --model synthetic --fresh --synthetic-only --epochs 20
python predict.py --synthetic-only --teacher synthetic
python predict.py --data train.csv --test-csv test.csv --submission submission.csv
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from models.pretrained import A_RUN
from models.startup import start
from synth import command_line
from synth.command_line import add_data_flags, add_flag, add_run_flags, parse_config, positive_int, report_unless, run
from synth.errors import RequestError
from synth.kaggle import default_out
from synth.sampling import check_latent_std

MODES = ("mixed", "synthetic-only", "real-only")
CLASSIFIERS = ("cnn", "lenet5", "strong")
RATE_DECAYS = ("constant", "cosine")


@dataclass(frozen=True)
class Config:
    """What to train on and how; the flags of the same names say more."""

    data: str | None = None
    classes: str | None = None
    real_per_class: str | int | None = None
    image_size: tuple[int, int] | None = None
    image_shape: tuple[int, int, int] | None = None
    mode: str = "mixed"
    synthetic: str | Path = field(default_factory=default_out)
    synthetic_per_class: int | None = None
    ratio: float | None = None
    model: str | Path | None = None
    fresh: bool = False
    filter: str = "classifier"
    min_probability: float = 0.5
    latent_std: float = 1.0
    classifier: str = "cnn"
    epochs: int = 5
    steps: int | None = None
    batch_size: int = 32
    rate: float = 1e-3
    rate_decay: str = "cosine"
    augment: bool = False
    teacher: str | Path | None = None
    seeds: int = 1
    test_csv: str | Path | None = None
    submission: str | Path | None = None
    allow_leak: bool = False
    out: str | Path | None = None
    seed: int = 0
    overwrite: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self):
        choices = {"classifier": CLASSIFIERS, "filter": ("classifier", "none"), "rate_decay": RATE_DECAYS}
        command_line.check_choices(self, mode=MODES, **choices)
        if self.ratio is not None and not 0 < self.ratio < float("inf"):
            raise RequestError(f"--ratio should be above 0, synthetic images per real one. Got {self.ratio} instead.")
        if self.ratio is not None and (self.mode != "mixed" or self.synthetic_per_class):
            raise RequestError("--ratio is for mixed training, without --synthetic-per-class.")
        if self.fresh and not self.model:
            raise RequestError("--fresh should come with --model DIR, the trained run to draw from.")
        if self.model and not self.fresh:
            raise RequestError("--model is for --fresh; to use shards, make them: generate_data.py --model DIR.")
        if self.fresh and self.mode == "real-only":
            raise RequestError("--fresh draws synthetic images: leave out --real-only.")
        if not 0 <= self.min_probability < 1:
            raise RequestError(f"--min-probability should be in the range [0, 1). Got {self.min_probability} instead.")
        check_latent_std(self.latent_std)
        if self.latent_std != 1 and not self.fresh:
            raise RequestError("--latent-std is for --fresh; shards have that of generate_data.py --latent-std.")
        command_line.check_positive(self, "rate", "steps")
        command_line.check_minima(self, epochs=1, batch_size=1, seeds=1)
        command_line.check_common(self)
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
    add_data_flags(parser, Config)
    images = parser.add_argument_group("training images (default: real and synthetic)")
    mode = images.add_mutually_exclusive_group()
    for name in ("synthetic-only", "real-only"):
        help = f"train on {name.removesuffix('-only')} images alone"
        mode.add_argument(f"--{name}", dest="mode", action="store_const", const=name, default=Config.mode, help=help)
    add_flag(images, Config, "synthetic", "folder or glob of shards, CSV or NPZ", metavar="DIR")
    help = "use so many synthetic images per class"
    add_flag(images, Config, "synthetic_per_class", help, type=positive_int, metavar="N")
    add_flag(images, Config, "ratio", "synthetic images per real one", type=float, metavar="R")
    help = f"what --fresh draws from: {A_RUN}"
    add_flag(images, Config, "model", help, metavar="DIR")
    add_flag(images, Config, "fresh", "draw new synthetic images in every epoch, without shards")
    add_flag(images, Config, "filter", "what rejects fresh images", choices=("classifier", "none"))
    add_flag(images, Config, "min_probability", "of the class, by the filter", type=float, metavar="P")
    help = "of fresh images: the standard deviation of each latent is drawn from 1 to this, for variety"
    add_flag(images, Config, "latent_std", help, type=float, metavar="S")
    training = parser.add_argument_group("classifier")
    add_flag(training, Config, "classifier", "which network", choices=CLASSIFIERS)
    add_flag(training, Config, "epochs", "passes over the training images", type=positive_int, metavar="N")
    help = "optimiser steps in all, in --epochs equal parts, instead of passes over the images"
    add_flag(training, Config, "steps", help, type=positive_int, metavar="N")
    add_flag(training, Config, "batch_size", "images per step", type=positive_int, metavar="N")
    add_flag(training, Config, "rate", "of Adam", type=float, metavar="R")
    help = "of the classifier: cosine falls to zero"
    add_flag(training, Config, "rate_decay", help, choices=RATE_DECAYS)
    help = f"label the training images by this run's classifier (knowledge distillation): {A_RUN}"
    add_flag(training, Config, "teacher", help, metavar="DIR")
    add_flag(training, Config, "augment", "add classic augmentation: shift, rotation, zoom; never flips")
    add_flag(training, Config, "seeds", "repeat with so many seeds", type=positive_int, metavar="N")
    scoring = parser.add_argument_group("scoring")
    add_flag(scoring, Config, "test_csv", "images to predict, as Kaggle's test.csv", metavar="FILE")
    add_flag(scoring, Config, "submission", "where the predictions go (default: OUT/submission.csv)", metavar="FILE")
    add_flag(scoring, Config, "allow_leak", "score although test images were trained on; the result is marked")
    add_run_flags(parser, Config, out="output folder (default: prediction-synthetic-only, ...)")
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: predict(config), "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
