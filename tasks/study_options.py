"""The options of augment.py: how classes are topped up, and what the studies compare."""

from dataclasses import dataclass, field

from common.options import like, option
from models.recipes import GANOptions
from synth.shard_options import ShardOptions
from tasks.arms import FAMILIES
from tasks.prediction_options import ClassifierOptions

_REDUCED_FAMILIES = ("real", "smote", "classic", "gan", "gan-filtered", "classic-gan", "classic-mixed")


@dataclass(frozen=True, kw_only=True)
class BalanceOptions:
    """What to top up, with how much, and how to choose."""

    top_up: str | None = option(
        None,
        "names or numbers of the classes to add images to, as 3,Sneaker; the others stay as they are (default: all)",
        metavar="NAMES",
        formerly="classes",
    )
    target: int | None = option(
        None, "images of each class in the end (default: as --surplus says)", minimum=1, metavar="N"
    )
    surplus: str | float = option(
        "auto",
        "synthetic images beyond equal classes, per image of the largest class; auto: what is best on validation",
        metavar="R",
        formerly="ratio",
    )
    format: str = like(ShardOptions, "format")
    classifier: str = like(ClassifierOptions, "classifier")
    classifier_steps: int = option(500, "optimiser steps of every classifier", minimum=1, metavar="N")


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What both studies are told. What names the cells is no setting: more of it extends a study."""

    gans: tuple[str, ...] = option(
        ("shared:quick",),
        "shared:RECIPE, one for all classes, or alone:RECIPE, one for each small class; joined by +, half each",
        metavar="GAN",
    )
    recipe_fields: dict = field(default_factory=dict)
    max_minutes: float | None = like(GANOptions, "max_minutes")
    arms: tuple[str, ...] = option(
        FAMILIES, "ways to make a training set to compare", choices=FAMILIES, metavar="ARM", setting=False
    )
    classifier: str = like(BalanceOptions, "classifier")
    classifier_steps: int = like(BalanceOptions, "classifier_steps", default=2000)


@dataclass(frozen=True, kw_only=True)
class ImbalanceOptions(StudyOptions):
    """One small class (`minority`), or a count for every class (`counts`)."""

    minority: str | None = option(None, "class to make small", metavar="CLASS")
    minority_size: tuple[int, ...] = option(
        (100,), "training images of the small class, a study for each", minimum=1, metavar="N", setting=False
    )
    counts: str | None = option(
        None, "training images of every class, as 4000,2000,1000,..., instead of --minority", metavar="N,N,..."
    )
    fill: float = option(
        1.0, "fraction of each gap to the largest class to fill with images", above=0, maximum=1, metavar="F"
    )
    gans: tuple[str, ...] = like(
        StudyOptions,
        "gans",
        default=(),
        help="shared:RECIPE, one for all classes, or alone:RECIPE, one for each small class; joined by +, half each "
        "(default: shared:quick; with --minority alone:mlp-minority, too)",
    )


@dataclass(frozen=True, kw_only=True)
class ReducedOptions(StudyOptions):
    """N real images per class, and what synthetic ones add."""

    real: tuple[int, ...] = option(
        (300, 700, 1000), "real training images per class", minimum=1, metavar="N", setting=False
    )
    added: tuple[int, ...] = option(
        (0, 1000, 2000, 3000), "synthetic images to add per class", minimum=0, metavar="N", formerly="synthetic"
    )
    ratios: tuple[float, ...] = option(
        (0.25, 0.5, 1.0, 2.0, 4.0),
        "synthetic images per real one; the best is chosen on validation",
        above=0,
        maximum=100,
        metavar="R",
        nargs="*",
        setting=False,
    )
    classifier_epochs: int = option(
        5, "passes over the images in the table of real and synthetic images", minimum=1, metavar="N"
    )
    arms: tuple[str, ...] = like(StudyOptions, "arms", default=_REDUCED_FAMILIES)  # those for equal classes
