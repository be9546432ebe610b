"""The options of predict.py: what a classifier is trained on, how, and what it predicts."""

from dataclasses import dataclass
from pathlib import Path

from common.kaggle import default_out
from common.options import like, option
from models.pretrained import A_RUN
from models.recipes import GANOptions, Recipe
from real.data_options import ScoringOptions
from synth.shard_options import FilterOptions

MODES = ("mixed", "synthetic-only", "real-only")
CLASSIFIERS = ("cnn", "lenet5", "strong", "resnet20")
RATE_DECAYS = ("constant", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainingSetOptions:
    """Which images a classifier is trained on."""

    mode: str = option("mixed", "which images to train on", choices=MODES)
    synthetic: str | Path = option(default_out, "folder or glob of shards, or a folder of pictures", metavar="DIR")
    synthetic_per_class: int | None = option(None, "synthetic images per class to use", minimum=1, metavar="N")
    ratio: float | None = option(None, "synthetic images per real one", above=0, metavar="R")
    model: str | Path | None = like(GANOptions, "model")
    fresh: bool = option(False, "draw new synthetic images from --model in every epoch, without shards")
    filter: str = like(  # fresh images have no other filter
        FilterOptions, "filter", default="classifier", choices=("classifier", "none"), help="what rejects fresh images"
    )
    min_probability: float = like(FilterOptions, "min_probability")
    latent_std: float = like(FilterOptions, "latent_std")


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """How a classifier is built and trained."""

    classifier: str = option("cnn", "classifier to train; resnet20: for colour", choices=CLASSIFIERS)
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
    augment: bool = option(False, "add classic augmentation: shift, rotation, zoom")
    flip: str = like(Recipe, "flip")
    class_weights: bool = option(False, "give every class the same weight in the loss, however few images it has")
    teacher: str | Path | None = option(
        None, f"label the images by this run's classifier (knowledge distillation): {A_RUN}", metavar="DIR"
    )


@dataclass(frozen=True, kw_only=True)
class PredictionOptions(ScoringOptions):
    """What a classifier is scored on, and what it predicts."""

    test_csv: str | Path | None = option(
        None,
        "what a submission is made for, without labels: a table as Kaggle's test.csv, or a folder of pictures "
        "(--test-data is labelled)",
        metavar="PATH",
    )
    submission: str | Path | None = option(
        None, "where the predictions go (default: OUT/submission.csv)", metavar="FILE"
    )
