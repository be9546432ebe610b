"""Named recipes: everything that decides how a GAN is built and trained, in one table.

This module imports no TensorFlow, so that scripts can show their flags at once.
"""

import argparse
import re
from dataclasses import dataclass, field, fields, replace

from synth.errors import RequestError

_TYPES = {bool: bool, int: int, float: (float, int), str: str}
_EXPECTED = {bool: "yes or no", int: "an integer", float: "a number", str: "a text"}


def _option(default, help, *, choices=None, minimum=None, maximum=None):
    metadata = {"help": help, "choices": choices, "minimum": minimum, "maximum": maximum}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """One way to build and train a GAN; every field but the name is a flag of the scripts (`--batch-size 32`).

    Raises RequestError for a value of another type, outside its choices or outside its range.
    """

    name: str = "custom"
    network: str = _option("dcgan", "convolutional or fully connected", choices=("dcgan", "mlp"))
    conditional: bool = _option(True, "one GAN for all classes, or one per class")
    members: int = _option(1, "GANs from different seeds, which take turns in the images", minimum=1, maximum=100)
    latent_dim: int = _option(64, "size of the latent vector, per-pixel noise not counted", minimum=1, maximum=10_000)
    noise: bool = _option(True, "per-pixel noise enters the generator (dcgan)")
    generator_width: int = _option(32, "channels of the generator's last block (dcgan)", minimum=1, maximum=1024)
    generator_norm: str = _option(
        "modulated",
        "normalisation, modulated by the latent and the class, or the class alone (dcgan)",
        choices=("modulated", "batch", "none"),
    )
    discriminator_width: int = _option(32, "channels of the first block (dcgan)", minimum=1, maximum=1024)
    discriminator_norm: str = _option("none", "normalisation (dcgan)", choices=("none", "spectral", "batch"))
    loss: str = _option(
        "relativistic-pairing",
        "adversarial loss; the last three need TF-GAN",
        choices=("hinge", "non-saturating", "relativistic-pairing", "least-squares", "wasserstein", "relativistic"),
    )
    penalty: str = _option("r1-r2", "on the discriminator's gradient", choices=("none", "r1", "r1-r2", "gradient"))
    penalty_weight: float = _option(1.0, "weight of the penalty at the start", minimum=0, maximum=1e6)
    penalty_weight_end: float = _option(
        0.1, "its weight from half of training on; falls geometrically", minimum=0, maximum=1e6
    )
    feature_weight: float = _option(
        1.0, "weight of the second discriminator, on features; 0: none", minimum=0, maximum=1e6
    )
    augment: str = _option("", "what the discriminator sees: translation,cutout,brightness,contrast")
    generator_rate: float = _option(1e-3, "Adam", minimum=0, maximum=1)
    discriminator_rate: float = _option(1e-3, "Adam", minimum=0, maximum=1)
    beta1: float = _option(0.0, "Adam", minimum=0, maximum=0.99999)
    beta2: float = _option(0.99, "Adam", minimum=0, maximum=0.99999)
    rate_decay: str = _option("linear", "to 2 %% of the rates", choices=("constant", "linear", "cosine"))
    decay_start: float = _option(0.5, "fraction of training after which the rates decay", minimum=0, maximum=1)
    discriminator_steps: int = _option(1, "per generator step", minimum=1, maximum=1000)
    balance_classes: bool = _option(False, "every batch has all classes with equal probability")
    batch_size: int = _option(64, "images per step", minimum=2, maximum=65_536)
    steps: int = _option(5000, "generator steps; 0: as many as --epochs says", minimum=0, maximum=10**9)
    epochs: float = _option(0.0, "passes over the train part, where --steps is 0", minimum=0, maximum=1e6)
    ema_decay: float = _option(0.998, "moving average of the generator; 0: none", minimum=0, maximum=1)
    round_steps: int = _option(500, "steps between measurements on validation, checkpoints", minimum=1, maximum=10**9)
    patience: int = _option(
        0, "stop after so many measurements without a better one; 0: never", minimum=0, maximum=10**6
    )
    dtype: str = _option(
        "auto",
        "of the arithmetic while training; auto is mixed_bfloat16 on a CPU that has it, else float32",
        choices=("auto", "float32", "mixed_bfloat16"),
    )

    def __post_init__(self):
        for option in fields(self):
            value, flag = getattr(self, option.name), "--" + option.name.replace("_", "-")
            choices, low, high = (option.metadata.get(name) for name in ("choices", "minimum", "maximum"))
            if not isinstance(value, _TYPES[option.type]) or (option.type is not bool and isinstance(value, bool)):
                raise RequestError(f"{flag} should be {_EXPECTED[option.type]}. Got {value!r:.60} instead.")
            if choices and value not in choices:
                raise RequestError(f"{flag} should be one of {', '.join(choices)}. Got {value!r:.60} instead.")
            if high is not None and not low <= value <= high:
                raise RequestError(f"{flag} should be in the range [{low}, {high}]. Got {value!s:.60} instead.")
        if self.penalty != "none" and self.penalty_weight and not self.penalty_weight_end:
            raise RequestError("--penalty-weight-end should be above 0, the weight falls geometrically. Got 0 instead.")
        if not self.decay_start < 1:
            raise RequestError(f"--decay-start should be below 1. Got {self.decay_start} instead.")
        if not self.steps and not self.epochs:
            raise RequestError("--steps or --epochs should be above 0. Got 0 for both.")

    def total_steps(self, train_count):
        """Return the number of generator steps for so many train images."""
        return self.steps or max(1, round(self.epochs * train_count / self.batch_size))

    def plan_gans(self, class_count, train_count):
        """Return (number of GANs, train images of each) on so many classes and train images."""
        divided = 1 if self.conditional else class_count
        return self.members * divided, train_count // divided


_LONG = {"discriminator_width": 48, "ema_decay": 0.999, "steps": 15000, "round_steps": 750}
_PUBLISHED = {"latent_dim": 100, "noise": False, "generator_norm": "batch", "loss": "non-saturating", "penalty": "none"}
_PUBLISHED |= {"beta1": 0.5, "beta2": 0.999, "ema_decay": 0.0, "rate_decay": "constant", "dtype": "float32"}
_PUBLISHED |= {"feature_weight": 0.0, "steps": 0, "epochs": 200.0, "round_steps": 200}
_MLP = _PUBLISHED | {"network": "mlp", "generator_rate": 2e-4, "discriminator_rate": 2e-4}
_MINORITY = _MLP | {"conditional": False, "steps": 20000, "epochs": 0.0, "round_steps": 1000}
_DCGAN = _PUBLISHED | {"conditional": False, "discriminator_width": 64, "batch_size": 128}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("quick"),
        Recipe("small", feature_weight=0.0, augment="translation,cutout"),
        Recipe("standard", **_LONG),
        Recipe("best", **_LONG, members=3),
        # Published configurations; what their sources leave open has the values of Radford et al. 2015.
        Recipe("mlp-cgan", **_MLP, patience=20),
        Recipe("mlp-minority", **_MINORITY),
        Recipe("dcgan", **_DCGAN, generator_rate=2e-4, discriminator_rate=2e-4),
        Recipe("dcgan-v1", **_DCGAN, generator_rate=2e-4, discriminator_rate=1e-4),
        Recipe("dcgan-v2", **_DCGAN, generator_rate=2e-3, discriminator_rate=1e-3, discriminator_norm="batch"),
    )
}


def add_recipe_flags(group, shown=None):
    """Add one flag for every field of a recipe; what is not given stays the named recipe's.

    shown: names of the fields that --help shows (all).
    """
    for option in _flags():
        default = ("no", "yes")[option.default] if option.type is bool else option.default
        help = f"{option.metadata['help']} (quick: {default})" if default != "" else option.metadata["help"]
        help = help if shown is None or option.name in shown else argparse.SUPPRESS
        if option.type is bool:
            kind = {"action": argparse.BooleanOptionalAction}
        else:
            kind = {"type": option.type, "choices": option.metadata["choices"]}
            kind |= {} if option.metadata["choices"] else {"metavar": option.type.__name__.upper()}
        group.add_argument(f"--{option.name.replace('_', '-')}", default=None, help=help, **kind)


def parse_recipe(options):
    """Take --recipe and its fields' flags out of parsed options (a dict) and return the Recipe that they describe."""
    return replace(RECIPES[options.pop("recipe")], **take_recipe_options(options))


def parse_fields(text):
    """Turn "generator_rate=5e-4,noise=no" into {field: value}, with values of the fields' types.

    A comma within a value (augment=translation,cutout) stays there. Raises RequestError for an unknown field or a value
    that is not of its type; the Recipe checks the rest.
    """
    types = {option.name: option.type for option in _flags()}
    given = {}
    for part in re.split(r",(?=\w*=)", text):
        name, _, value = part.partition("=")
        if name not in types:
            raise RequestError(f"a recipe's field should be one of {', '.join(types)}. Got {name!r} instead.")
        try:
            given[name] = {"yes": True, "no": False}[value] if types[name] is bool else types[name](value)
        except (KeyError, ValueError):
            raise RequestError(f"{name} should be {_EXPECTED[types[name]]}. Got {value!r:.60} instead.") from None
    return take_recipe_options(given)


def take_recipe_options(options):
    """Take the recipe's flags out of parsed options (a dict) and return those that were given.

    Where one of --steps and --epochs is given, it replaces the other.
    """
    given = {option.name: options.pop(option.name, None) for option in _flags()}
    given = {name: value for name, value in given.items() if value is not None}
    if "epochs" in given:
        given.setdefault("steps", 0)
    return given


def _flags():
    return [option for option in fields(Recipe) if option.name != "name"]
