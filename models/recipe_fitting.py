"""How our named recipes follow the images: larger ones get narrower networks and fewer steps, colour smaller batches
and, while it is small, residual blocks.

Fixed tables, not the speed of the day, so that the same images have the same recipe on every machine.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from models.recipes import RECIPES, Recipe

_OURS = ("quick", "small", "standard", "best")  # the published ones stay what was published


@dataclass(frozen=True)
class _Size:
    """Images whose longer side has up to so many pixels: factors on a recipe's channels and steps.

    At these channels a step takes about 1 / step_factor times as long as one on 28 x 28 pixels (docs/log.md,
    2026-11-27).
    """

    side: int
    channel_factor: float
    step_factor: float


_SIZES = (
    _Size(28, 1, 1),
    _Size(32, 1, 0.8),
    _Size(48, 0.5, 0.65),
    _Size(64, 0.5, 0.35),
    _Size(96, 0.25, 0.24),
    _Size(128, 0.25, 0.13),
)
# With half of the batch half as many steps more fit into the minutes; the penalty begins as in R3GAN's published code
# for CIFAR-10 (Huang et al. 2024, arXiv:2501.05441) and stays. Tried at 32 x 32 and 64 x 64: docs/log.md, 2026-11-28.
_IN_COLOUR: dict[str, Any] = {"batch_size": 32, "penalty_weight": 0.05, "penalty_weight_end": 0.05}
_STEPS_IN_COLOUR = 1.5
# With one at each size, half of the channels cost as much a step, or a fifth more (docs/performance.md). Worse at
# 64 x 64: docs/log.md, 2026-11-27.
_RESIDUAL_BLOCKS = 1
_RESIDUAL_SIDE = 32  # pixels, of the longer side at most
# There `best` is one wider GAN that trains longer: docs/log.md, 2026-11-27, "a third hour on CIFAR-10".
_BEST_WITH_BLOCKS: dict[str, Any] = {
    **{"members": 1, "generator_width": 24, "discriminator_width": 32},
    **{"steps": 38000, "round_steps": 2000, "ema_decay": 0.9996},
}
_MANY_IMAGES = 20_000  # of which its judge can learn more than a cnn does: of 4,000 it learns less
FITTED = (  # what follows the images; begun runs record names in this order
    *("generator_width", "discriminator_width", "residual_blocks", "steps", "round_steps", "ema_decay"),
    *(*_IN_COLOUR, "members", "judge"),
)


def fit_to_images(recipe: Recipe, given: Collection[str], image_shape: tuple[int, int, int], count: int) -> Recipe:
    """Return a recipe as it is used on so many train images [H, W, C].

    given: names of fields that stay as they are. So do those in which it differs from the named recipe.
    """
    if recipe.name not in _OURS:
        return recipe
    named = RECIPES[recipe.name]
    free = {name for name in FITTED if name not in given and getattr(recipe, name) == getattr(named, name)}
    side = max(image_shape[:2])
    size = next((size for size in _SIZES if side <= size.side), _SIZES[-1])
    in_colour = image_shape[2] > 1
    has_blocks = in_colour and side <= _RESIDUAL_SIDE and "residual_blocks" in free
    channel_factor = size.channel_factor * (0.5 if has_blocks else 1)
    step_factor = size.step_factor * (_STEPS_IN_COLOUR if in_colour and "batch_size" in free else 1)
    fields: dict[str, Any] = {
        "generator_width": round(named.generator_width * channel_factor),
        "discriminator_width": round(named.discriminator_width * channel_factor),
        "residual_blocks": _RESIDUAL_BLOCKS if has_blocks else 0,
        "steps": round(named.steps * step_factor),
        "round_steps": round(named.round_steps * step_factor),
        "ema_decay": round(named.ema_decay ** (1 / step_factor), 4),  # over the same share of the training
    } | (_IN_COLOUR if in_colour else {})
    if has_blocks and recipe.name == "best":
        fields |= _BEST_WITH_BLOCKS | ({"judge": "resnet20"} if count >= _MANY_IMAGES else {})
    return replace(recipe, **{name: value for name, value in fields.items() if name in free})
