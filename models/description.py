"""recipe.json in a run's model folder: the recipe, and what it was trained on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from common.checks import (
    CLASS_NAMES,
    IMAGE_SHAPE,
    LABEL_VALUES,
    OBJECT,
    SEED,
    TEXT,
    check_fields,
    is_integer,
    is_list_of,
)
from common.errors import RequestError
from common.files import load_json, save_json
from common.folder_names import class_folders
from common.run_folder import ModelFolder
from models.recipes import Recipe, rename_fields
from real.datasets import Dataset
from real.requests import REQUEST_OBJECT
from synth.shards import HASHES_OBJECT, describe_hashes


@dataclass(frozen=True)
class Description:
    """What a run's networks are, and what they were trained on, as in real.datasets.Dataset.

    train_hashes: as of synth.shards.describe_hashes; their number alone in a run of version 0.1. train_counts: images
    of each class, or None in a run of an earlier version. seed: of the training.
    """

    recipe: Recipe
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    label_values: tuple[int, ...]
    data: str
    request: dict
    fingerprint: str
    train_hashes: dict
    train_counts: tuple[int, ...] | None
    seed: int


def save_description(folder: str | Path, recipe: Recipe, dataset: Dataset, seed: int) -> None:
    """Write `folder`/recipe.json: the recipe, and what it was trained on."""
    description = {
        "recipe": asdict(recipe),
        "image_shape": list(dataset.image_shape),
        "class_names": list(dataset.class_names),
        "label_values": list(dataset.label_values),
        "data": dataset.name,
        "request": dataset.request,
        "fingerprint": dataset.fingerprint,
        "train_hashes": describe_hashes(dataset.train_hashes()),
        "train_counts": dataset.count_train().tolist(),
        "seed": seed,
    }
    save_json(ModelFolder(folder).description, description)


def load_description(folder: str | Path) -> Description:
    """Read `folder`/recipe.json.

    Fields that the recipe of an older run lacks have their defaults, but that no image was mirrored. RequestError names
    the file and what is wrong.
    """
    path = ModelFolder(folder).description
    try:
        content = load_json(path)
        if "train_images" in content:
            content["train_hashes"] = {"images": content["train_images"]}
        content.setdefault("train_counts", None)
        check_fields(content, _CHECKS, path)
        content = {name: content[name] for name in _CHECKS}
        names, values, counts = (content[name] for name in ("class_names", "label_values", "train_counts"))
        if not len(names) == len(values) == len(names if counts is None else counts):
            got = f"{len(names)} names, {len(values)} values, {'no' if counts is None else len(counts)} numbers"
            raise RequestError(f"{path}: should have a label value and a number of images for each class. Got {got}.")
        recipe = _build_recipe(path, content["recipe"])
    except RequestError as error:
        advice = "Restore it, or remove it: the command that trained the run, given again, writes it anew."
        raise RequestError(f"{error} {advice}") from error
    lists = ("image_shape", "class_names", "label_values", "train_counts")
    tuples = {name: content[name] and tuple(content[name]) for name in lists}
    return Description(**content | tuples | {"recipe": recipe})


def list_pairs(recipe: Recipe, class_names: Sequence[str]) -> list[tuple[int | None, int, Path]]:
    """Return a run's pairs of networks, [(class index, or None for all classes, member, sub-folder of model/)]."""
    folders: dict[int | None, str] = {None: ""}
    if not recipe.conditional:
        folders = dict(enumerate(class_folders(class_names).values()))
    members = {member: f"member-{member}" if recipe.members > 1 else "" for member in range(recipe.members)}
    return [(k, m, Path(folder) / member) for k, folder in folders.items() for m, member in members.items()]


def _build_recipe(path: Path, given: dict) -> Recipe:
    given, known = {"flip": "off"} | rename_fields(given), [field.name for field in fields(Recipe)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise RequestError(f"{path}: the recipe should have fields of this version alone. Got {unknown[0]!r:.60}.")
    try:
        return Recipe(**given)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error


_CHECKS = {
    "recipe": OBJECT,
    "image_shape": IMAGE_SHAPE,
    "class_names": CLASS_NAMES,
    "label_values": LABEL_VALUES,
    "data": TEXT,
    "request": REQUEST_OBJECT,
    "fingerprint": TEXT,
    "train_hashes": HASHES_OBJECT,
    "train_counts": ("a list of integers, or none", lambda value: value is None or is_list_of(value, is_integer)),
    "seed": SEED,
}
