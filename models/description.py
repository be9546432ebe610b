"""recipe.json in a run's model folder: the recipe, and what it was trained on."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from models.recipes import Recipe
from synth.datasets import REQUEST
from synth.errors import RequestError
from synth.files import load_json, save_json
from synth.shards import DESCRIPTION, class_folder

_MAX_SIDE = 4096  # pixels; larger networks would fill any memory before a file says that it does not fit


@dataclass(frozen=True)
class Description:
    """What a run's networks are, and what they were trained on, as in synth.datasets.Dataset; seed: of the training."""

    recipe: Recipe
    image_shape: tuple
    class_names: tuple
    label_values: tuple
    data: str
    request: dict
    fingerprint: str
    seed: int


def save_description(folder, recipe, dataset, seed):
    """Write `folder`/recipe.json: the recipe, and what it was trained on."""
    description = {
        "recipe": asdict(recipe),
        "image_shape": list(dataset.image_shape),
        "class_names": list(dataset.class_names),
        "label_values": list(dataset.label_values),
        "data": dataset.name,
        "request": dataset.request,
        "fingerprint": dataset.fingerprint,
        "train_images": len(dataset.train),
        "seed": seed,
    }
    save_json(Path(folder) / DESCRIPTION, description)


def load_description(folder):
    """Read `folder`/recipe.json; fields that the recipe of an older run lacks have their defaults.

    RequestError names the file and what is wrong.
    """
    path = Path(folder) / DESCRIPTION
    try:
        content = load_json(path, [field.name for field in fields(Description)])
        content = {field.name: content[field.name] for field in fields(Description)}
        for name, (expected, is_right) in _CHECKS.items():
            if not is_right(content[name]):
                raise RequestError(f"{path}: {name} should be {expected}. Got {content[name]!r:.60} instead.")
        if len(content["class_names"]) != len(content["label_values"]):
            counts = (len(content[name]) for name in ("class_names", "label_values"))
            raise RequestError("{}: should have a label value for each class. Got {} and {}.".format(path, *counts))
        recipe = _build_recipe(path, content["recipe"])
    except RequestError as error:
        advice = "Restore it, or remove it: the command that trained the run, given again, writes it anew."
        raise RequestError(f"{error} {advice}") from error
    tuples = {name: tuple(content[name]) for name in ("image_shape", "class_names", "label_values")}
    return Description(**content | tuples | {"recipe": recipe})


def list_pairs(recipe, class_names):
    """Return a run's pairs of networks, [(class index, or None for all classes, member, sub-folder of model/)]."""
    folders = {None: ""} if recipe.conditional else {k: class_folder(name) for k, name in enumerate(class_names)}
    members = {member: f"member-{member}" if recipe.members > 1 else "" for member in range(recipe.members)}
    return [(k, m, Path(folder) / member) for k, folder in folders.items() for m, member in members.items()]


def _build_recipe(path, given):
    known = [field.name for field in fields(Recipe)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise RequestError(f"{path}: the recipe should have fields of this version alone. Got {unknown[0]!r:.60}.")
    try:
        return Recipe(**given)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error


def _is_list_of(value, is_right, count=None):
    return isinstance(value, list) and all(map(is_right, value)) and len(value) == (count or len(value))


def _is_integer(value, low=-(2**63), high=2**63):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def _is_image_shape(value):
    return _is_list_of(value, _is_size, 3) and value[2] in (1, 3)


def _is_size(value):
    return _is_integer(value, 1, _MAX_SIDE + 1)


def _is_increasing(value):
    return _is_list_of(value, _is_integer) and value == sorted(set(value))


def _are_names(value):
    return _is_list_of(value, lambda name: isinstance(name, str)) and len({*map(class_folder, value)}) == len(value) > 0


def _is_request(value):
    """Whether `value` is what load_dataset is asked for."""
    if not isinstance(value, dict) or not {"data", "seed"} <= set(value) <= set(REQUEST):
        return False
    given = {name: argument for name, argument in value.items() if argument is not None or name == "seed"}
    return all(_REQUEST_CHECKS[name](argument) for name, argument in given.items())


def _is_text(value):
    return isinstance(value, str)


def _is_seed(value):
    return _is_integer(value, 0, 2**31)


_REQUEST_CHECKS = {
    "data": _is_text,
    "classes": _is_text,
    "real_per_class": lambda value: _is_text(value) or _is_integer(value, 1),
    "image_size": lambda value: _is_list_of(value, _is_size, 2),
    "image_shape": _is_image_shape,
    "seed": _is_seed,
}
_CHECKS = {
    "recipe": ("an object", lambda value: isinstance(value, dict)),
    "image_shape": (f"a height and a width of at most {_MAX_SIDE} pixels, and 1 or 3 channels", _is_image_shape),
    "class_names": ("names of one class or more that give different folders", _are_names),
    "label_values": ("integers in rising order", _is_increasing),
    "data": ("a text", _is_text),
    "request": (f"an object with {', '.join(REQUEST)}", _is_request),
    "fingerprint": ("a text", _is_text),
    "seed": ("an integer in the range [0, 2147483648)", _is_seed),
}
