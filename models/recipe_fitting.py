"""How our named recipes follow the size of the images: larger ones get narrower networks and fewer steps.

A fixed table, not the speed of the day, so that the same images have the same recipe on every machine.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from models.recipes import RECIPES, Recipe

_OURS = ("quick", "small", "standard", "best")  # the published ones stay what was published
FITTED = (
    "generator_width",
    "discriminator_width",
    "steps",
    "round_steps",
    "ema_decay",
    "batch_size",
)  # what follows the images


@dataclass(frozen=True)
class _Size:
    """Images whose longer side has up to so many pixels: factors on a recipe's channels and steps.

    At these channels a step takes about 1 / steps times as long as one on 28 x 28 pixels (docs/log.md, 2026-11-27).
    """

    side: int
    channels: float
    steps: float


_SIZES = (
    _Size(28, 1, 1),
    _Size(32, 1, 0.8),
    _Size(48, 0.5, 0.65),
    _Size(64, 0.5, 0.35),
    _Size(96, 0.25, 0.24),
    _Size(128, 0.25, 0.13),
)


def fit_to_size(recipe: Recipe, given: Collection[str], image_shape: tuple[int, int, int]) -> Recipe:
    """Return a recipe as it is used on images [H, W, C].

    given: names of fields that stay as they are. So do those in which it differs from the named recipe.
    """
    size = next((size for size in _SIZES if max(image_shape[:2]) <= size.side), _SIZES[-1])
    if recipe.name not in _OURS:
        return recipe
    named = RECIPES[recipe.name]
    fields: dict[str, Any] = {
        "generator_width": round(named.generator_width * size.channels),
        "discriminator_width": round(named.discriminator_width * size.channels),
        "steps": round(named.steps * size.steps),
        "round_steps": round(named.round_steps * size.steps),
        "ema_decay": round(named.ema_decay ** (1 / size.steps), 4),  # over the same share of the training
    }
    free = [name for name in fields if name not in given and getattr(recipe, name) == getattr(named, name)]
    return replace(recipe, **{name: fields[name] for name in free})
