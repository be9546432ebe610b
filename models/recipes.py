"""Named recipes: everything that decides how a GAN is built and trained, in one table.

This module imports no TensorFlow, so that scripts can show their flags at once.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.flags import add_flags
from common.options import check_options, like, name_flag, option
from models.pretrained import A_RUN

OWN_JUDGES = ("cnn", "resnet20")  # fitted on the train part; others were trained on other pictures


@dataclass(frozen=True)
class Recipe:
    """One way to build and train a GAN; every field but the name is a flag of the scripts (`--batch-size 32`).

    Raises RequestError for a value of another type, outside its choices or outside its range.
    """

    name: str = "custom"
    network: str = option("dcgan", "convolutional (dcgan) or fully connected (mlp)", choices=("dcgan", "mlp"))
    conditional: bool = option(True, "one GAN for all classes, not one for each")
    members: int = option(1, "GANs from different seeds, which take turns in the images", minimum=1, maximum=100)
    latent_dim: int = option(64, "size of the latent vector, per-pixel noise not counted", minimum=1, maximum=10_000)
    noise: bool = option(True, "feed per-pixel noise into the generator (dcgan)")
    generator_width: int = option(32, "channels of the generator's last block (dcgan)", minimum=1, maximum=1024)
    generator_norm: str = option(
        "modulated",
        "normalisation of the generator, modulated by latent and class, or by the class alone (dcgan)",
        choices=("modulated", "batch", "none"),
    )
    discriminator_width: int = option(
        32, "channels of the discriminator's first block (dcgan)", minimum=1, maximum=1024
    )
    discriminator_norm: str = option(
        "none", "normalisation of the discriminator (dcgan)", choices=("none", "spectral", "batch")
    )
    width_growth: float = option(
        2.0, "factor on the channels each time that the size is halved (dcgan)", minimum=1, maximum=4
    )
    residual_blocks: int = option(
        0,
        "residual blocks at each size, with smooth resampling; 0: strided convolutions (dcgan)",
        minimum=0,
        maximum=20,
    )
    loss: str = option(
        "relativistic-pairing",
        "adversarial loss; the last 3 need TF-GAN",
        choices=("hinge", "non-saturating", "relativistic-pairing", "least-squares", "wasserstein", "relativistic"),
    )
    penalty: str = option(
        "r1-r2", "penalty on the discriminator's gradient", choices=("none", "r1", "r1-r2", "gradient")
    )
    penalty_weight: float = option(1.0, "weight of the penalty at the start", minimum=0, maximum=1e6)
    penalty_weight_end: float = option(0.1, "weight of the penalty from half of training on", minimum=0, maximum=1e6)
    feature_weight: float = option(1.0, "weight of the discriminator of features; 0: none", minimum=0, maximum=1e6)
    judge: str = option(
        "cnn",
        "what measures and filters: cnn or resnet20, fitted here, a network of keras.applications or a .keras file",
        metavar="NAME",
    )
    diffaugment: str = option(
        "",
        "DiffAugment, any of translation,cutout,brightness,saturation,contrast",
        metavar="NAMES",
        formerly="augment",
    )
    flip: str = option(
        "auto",
        "mirror half of the training images; auto: where a test on held-out images allows it, never in grey",
        choices=("auto", "on", "off"),
    )
    generator_rate: float = option(1e-3, "learning rate of the generator", minimum=0, maximum=1)
    discriminator_rate: float = option(1e-3, "learning rate of the discriminator", minimum=0, maximum=1)
    beta1: float = option(0.0, "beta1 of Adam", minimum=0, maximum=0.99999)
    beta2: float = option(0.99, "beta2 of Adam", minimum=0, maximum=0.99999)
    rate_decay: str = option(
        "linear", "how the learning rates fall, to 2 %% of them", choices=("constant", "linear", "cosine")
    )
    decay_start: float = option(0.5, "share of training after which the rates fall", minimum=0, below=1)
    discriminator_steps: int = option(1, "steps of the discriminator per generator step", minimum=1, maximum=1000)
    balance_classes: bool = option(False, "fill every batch from all classes with equal probability")
    batch_size: int = option(64, "images per step", minimum=2, maximum=65_536)
    steps: int = option(5000, "generator steps; 0: as many as --epochs says", minimum=0, maximum=10**9)
    epochs: float = option(0.0, "passes over the training images, where --steps is 0", minimum=0, maximum=1e6)
    ema_decay: float = option(
        0.998, "decay of the moving average of the generator's weights; 0: no average", minimum=0, maximum=1
    )
    round_steps: int = option(500, "steps between measurements, each with a checkpoint", minimum=1, maximum=10**9)
    patience: int = option(0, "measurements without a better one to stop after; 0: never", minimum=0, maximum=10**6)
    dtype: str = option(
        "auto",
        "auto: bfloat16 on a CPU that has it, else float32",
        choices=("auto", "float32", "mixed_bfloat16"),
    )

    def __post_init__(self) -> None:
        check_options(self)
        if not (self.has_own_judge or self.judge[:1].isupper() or self.judge.endswith(".keras")):
            raise RequestError(
                f"--judge should be {' or '.join(OWN_JUDGES)}, a network of keras.applications or a .keras file. "
                f"Got {self.judge!r:.60} instead."
            )
        if self.penalty != "none" and self.penalty_weight and not self.penalty_weight_end:
            raise RequestError("--penalty-weight-end should be above 0, the weight falls geometrically. Got 0 instead.")
        if not self.steps and not self.epochs:
            raise RequestError("--steps or --epochs should be above 0. Got 0 for both.")

    @property
    def has_own_judge(self) -> bool:
        """Whether its judge is fitted on the train part, and has seen no other pictures."""
        return self.judge in OWN_JUDGES

    @property
    def feature_network(self) -> str:
        """The network through which a second discriminator sees the images: that of other pictures, or a `cnn`."""
        return "cnn" if self.has_own_judge else self.judge

    @property
    def images_per_step(self) -> int:
        """The training images that a step of the generator takes: a batch for each step of the discriminator."""
        return self.batch_size * self.discriminator_steps

    def total_steps(self, train_count: int) -> int:
        """Return the number of generator steps for so many train images."""
        return self.steps or max(1, round(self.epochs * train_count / self.images_per_step))

    def plan_gans(self, class_count: int, train_count: int) -> tuple[int, int]:
        """Return (number of GANs, train images of each) on so many classes and train images."""
        divided = 1 if self.conditional else class_count
        return self.members * divided, train_count // divided


_Fields = dict[str, Any]  # of a recipe
_LONG: _Fields = {"discriminator_width": 48, "ema_decay": 0.999, "steps": 15000, "round_steps": 750}
_PUBLISHED: _Fields = {"latent_dim": 100, "noise": False, "generator_norm": "batch", "loss": "non-saturating"}
_PUBLISHED |= {"penalty": "none"}
_PUBLISHED |= {
    "beta1": 0.5,
    "beta2": 0.999,
    "ema_decay": 0.0,
    "rate_decay": "constant",
    "dtype": "float32",
    "flip": "off",
}
_PUBLISHED |= {"feature_weight": 0.0, "steps": 0, "epochs": 200.0, "round_steps": 200}
_MLP = _PUBLISHED | {"network": "mlp", "generator_rate": 2e-4, "discriminator_rate": 2e-4}
_MINORITY = _MLP | {"conditional": False, "steps": 20000, "epochs": 0.0, "round_steps": 1000}
_DCGAN = _PUBLISHED | {"conditional": False, "discriminator_width": 64, "batch_size": 128, "generator_norm": "none"}
_DCGAN_V2 = _DCGAN | {"generator_norm": "batch", "discriminator_norm": "batch"}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("quick"),
        Recipe("small", feature_weight=0.0, diffaugment="translation,cutout"),
        Recipe("standard", **_LONG),
        Recipe("best", **_LONG, members=3),
        # Published configurations. Where their sources are silent: rates, beta1 and batch of Radford et al. 2015, and
        # the layers of models.dcgan, which are not theirs (kernels of 4 and 3, a dense layer, He's initial weights).
        Recipe("mlp-cgan", **_MLP, patience=20),
        Recipe("mlp-minority", **_MINORITY),
        Recipe("dcgan", **_DCGAN, generator_rate=2e-4, discriminator_rate=2e-4),
        Recipe("dcgan-v1", **_DCGAN, generator_rate=2e-4, discriminator_rate=1e-4),
        Recipe("dcgan-v2", **_DCGAN_V2, generator_rate=2e-3, discriminator_rate=1e-3),
    )
}


_FLAGS = [field.name for field in fields(Recipe) if field.name != "name"]


@dataclass(frozen=True, kw_only=True)
class GANOptions:
    """Which GAN makes the images: one of a named recipe, trained here, or one that was trained before.

    recipe_fields: {field of the recipe: value}, as their flags give them; they stay, whatever the images are.
    """

    recipe: str = option("quick", "named recipe, as described in docs/recipes.md", choices=RECIPES)
    recipe_fields: dict = field(default_factory=dict)
    max_minutes: float | None = option(
        None, "stop a recipe's training cleanly after M minutes (default: no limit)", above=0, metavar="M"
    )
    model: str | Path | None = option(None, f"trained GAN: {A_RUN}", metavar="DIR")

    def resolve(self) -> "GANRequest":
        """Return the request with its Recipe; RequestError for fields that no recipe has, or that are not right."""
        recipe = build_recipe(self.recipe, self.recipe_fields)
        return GANRequest(
            recipe=recipe, given=tuple(self.recipe_fields), max_minutes=self.max_minutes, model=self.model
        )


@dataclass(frozen=True, kw_only=True)
class GANRequest:
    """The same, with the Recipe. given: its fields that were asked for one by one."""

    recipe: Recipe
    given: tuple[str, ...] = ()
    max_minutes: float | None = like(GANOptions, "max_minutes")
    model: str | Path | None = like(GANOptions, "model")


def add_recipe_flags(group: argparse._ArgumentGroup, shown: Iterable[str] | None = None) -> None:
    """Add one flag for every field of a recipe; what is not given stays the named recipe's.

    shown: names of the fields that --help shows (all).
    """
    add_flags(group, Recipe, _FLAGS, base="quick", shown=shown)


def build_recipe(name: str, given: dict[str, Any]) -> Recipe:
    """Return a named recipe with the fields {name: value} that are given; one of steps and epochs replaces the other.

    Raises RequestError for fields that no recipe has, and for values that are not right.
    """
    unknown = [field for field in given if field not in _FLAGS]
    if unknown:
        raise RequestError(f"a recipe's fields should be among {', '.join(_FLAGS)}. Got {unknown[0]!r:.60} instead.")
    return replace(RECIPES[name], **({"steps": 0} | given if "epochs" in given else given))


def take_recipe_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Take the recipe's flags out of parsed options (a dict) and return those that were given, as `recipe_fields`."""
    given = {name: options.pop(name, None) for name in _FLAGS}
    return {"recipe_fields": {name: value for name, value in given.items() if value is not None}}


def write_flags(fields: dict[str, Any]) -> list[str]:
    """Return the words of the command line that set these fields of a recipe, {name: value}."""
    words: list[str] = []
    for name, value in fields.items():
        flag = name_flag(name)
        words += [flag if value else f"--no-{flag[2:]}"] if isinstance(value, bool) else [flag, str(value)]
    return words


def rename_fields(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a stored recipe's fields, a dict, by the names that they have today."""
    former = {field.metadata.get("formerly"): field.name for field in fields(Recipe)}
    return {former.get(name, name): value for name, value in stored.items()}
