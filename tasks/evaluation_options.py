"""The options of evaluate_fid.py: how images are compared, and recipes to train for it."""

from dataclasses import dataclass, field
from pathlib import Path

from common.options import like, option
from models.recipes import RECIPES, GANOptions
from real.data_options import ScoringOptions

FITTED_FEATURES = ("classifier", "pixels")  # these have no weights of ImageNet


@dataclass(frozen=True, kw_only=True)
class MeasuringOptions(ScoringOptions):
    """What synthetic images are compared with, and how."""

    split: str = option("test", "real images to compare with", choices=("test", "validation"))
    features: str = option(
        "classifier",
        "features that the images are compared by: classifier, pixels, inception, a network of keras.applications, or "
        "a .keras file",
        metavar="NAME",
    )
    feature_weights: str | Path | None = option(
        None, "weights of that network without its top", metavar="FILE", formerly="inception_weights"
    )
    images: int = option(10_000, "most images of each side to compare", minimum=2, metavar="N")
    neighbours: int = option(
        5, "nearest neighbours that precision, recall, density and coverage look at", minimum=1, metavar="K"
    )
    bootstrap: int = option(20, "resamples for the intervals; 0: no intervals", minimum=0, metavar="N")
    fid_infinity: bool = option(False, "extrapolate the Frechet distance to infinitely many images")
    cross_check: bool = option(False, "compute TF-GAN's distances, too")


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """Recipes to train and to compare, instead of runs that are there."""

    compare: tuple[str, ...] = option((), "recipes to train, or to reuse", choices=RECIPES, metavar="RECIPE")
    recipe_fields: dict = field(default_factory=dict)
    max_minutes: float | None = like(GANOptions, "max_minutes")
