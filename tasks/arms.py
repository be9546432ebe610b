"""The arms of a study: the ways to make a training set that are compared, and the GANs that they draw from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.errors import RequestError
from models.recipes import RECIPES, Recipe, build_recipe

SCOPES = ("shared", "alone")
CURVE_POINTS = 5  # of every classifier's curve; its steps are a multiple
FAMILIES = (
    "real", "class-weights", "oversampling", "smote", "classic", "classic-oversampling",
    "gan", "gan-filtered", "mixed", "classic-gan", "classic-mixed",
)  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way to make a training set from the same real images.

    balance: "", "class-weights", "oversampling" or "smote". classic: with classic augmentation. gans: the names of
    the GANs that add images, in equal parts, and beside "oversampling" half of the images; filtered: what their filter
    lets pass. Images are added until every class, or each of `classes` (indices), has `ratio` times as many as the
    largest on top of the largest, plus `added`; `fill` is the fraction of this way that is gone. epochs: passes over
    the images, at a constant rate, instead of the study's number of steps.
    """

    name: str
    balance: str = ""
    classic: bool = False
    gans: tuple[str, ...] = ()
    filtered: bool = False
    ratio: float = 0.0
    added: int = 0
    fill: float = 1.0
    classes: tuple[int, ...] | None = None
    epochs: int | None = None

    @property
    def is_control(self) -> bool:
        """Whether no GAN is involved."""
        return not self.gans

    def count_added(self, counts: Sequence[int] | np.ndarray) -> dict[int, int]:
        """Return {class index: images to add} for classes of these sizes [K]; classes that need none are left out."""
        target = round((1 + self.ratio) * max(counts)) + self.added
        filled = range(len(counts)) if self.classes is None else self.classes
        added = {k: round(self.fill * (target - int(counts[k]))) for k in filled}
        return {k: count for k, count in added.items() if count > 0}


def list_arms(gans: Sequence[str], families: Sequence[str] = FAMILIES, **amount: Any) -> list[Arm]:
    """Return the arms of these families: controls first, then the GAN's for each of `gans` ("shared:small").

    A name that joins GANs by "+" draws from each in equal parts. With one entry in `gans` the arms are named by
    their family alone. amount: ratio, added, fill and classes of the arms that add images, as in Arm.
    """
    controls = (
        Arm("real"),
        Arm("class-weights", balance="class-weights"),
        Arm("oversampling", balance="oversampling", **amount),
        Arm("smote", balance="smote", **amount),
        Arm("classic", classic=True),
        Arm("classic-oversampling", balance="oversampling", classic=True, **amount),
    )
    arms = list(controls)
    for entry in gans:
        suffix, names = (f" {entry}" if len(gans) > 1 else ""), tuple(entry.split("+"))
        arms += [
            Arm(f"gan{suffix}", gans=names, **amount),
            Arm(f"gan-filtered{suffix}", gans=names, filtered=True, **amount),
            Arm(f"mixed{suffix}", "oversampling", gans=names, filtered=True, **amount),
            Arm(f"classic-gan{suffix}", classic=True, gans=names, filtered=True, **amount),
            Arm(f"classic-mixed{suffix}", "oversampling", classic=True, gans=names, filtered=True, **amount),
        ]
    return [arm for arm in arms if arm.name.split()[0] in families]


def parse_gans(entries: Sequence[str], recipe_names: Iterable[str]) -> tuple[str, ...]:
    """Check the entries of --gans, "shared:small" or joined "shared:small+alone:mlp-minority", and return their names.

    Returns the names of single GANs, each once. Raises RequestError for an unknown scope or recipe, and for repeats.
    """
    for entry in entries:
        if len(set(entry.split("+"))) < len(entry.split("+")) or entries.count(entry) > 1:
            raise RequestError(f"--gans should name each GAN once. Got {entry!r} instead.")
    names = dict.fromkeys(name for entry in entries for name in entry.split("+"))
    for name in names:
        scope, _, recipe = name.partition(":")
        if scope not in SCOPES or recipe not in recipe_names:
            raise RequestError(
                f"--gans should be SCOPE:RECIPE, scope {' or '.join(SCOPES)}, recipe one of {', '.join(recipe_names)}. "
                f"Got {name!r} instead."
            )
    return tuple(names)


def resolve_recipes(gans: Sequence[str], given: dict, **fields: Any) -> dict[str, Recipe]:
    """Return {GAN: Recipe} with the fields `given` by flags; `fields` hold where these do not say otherwise."""
    names = parse_gans(gans, RECIPES)
    recipes = {name: build_recipe(name.partition(":")[2], fields | given) for name in names}
    for name, recipe in recipes.items():
        if name.startswith("shared") and not recipe.conditional:
            raise RequestError(f"--gans {name}: a GAN of all classes should be conditional. Take alone:{recipe.name}.")
    return recipes
