"""What load_dataset is asked for, as runs record it."""

from pathlib import Path
from typing import Any

from common.checks import is_bool, is_image_shape, is_integer, is_list_of, is_object, is_seed, is_side, is_text
from common.errors import RequestError
from common.images import FITS
from real.standard_sets import NAMED_SETS

# what load_dataset is asked for; earlier versions knew the first six
REQUEST = ("data", "classes", "real_per_class", "image_size", "image_shape", "seed")
REQUEST += ("fit", "skip_unreadable", "test_data", "label_column", "groups", "resplit")


def is_request(value: Any) -> bool:
    """Whether it is an object of arguments of real.datasets.load_dataset, `data` and `seed` among them."""
    if not is_object(value) or not {"data", "seed"} <= set(value) <= set(REQUEST):
        return False
    kinds = {"data": is_text, "classes": is_text, "image_shape": is_image_shape, "seed": is_seed}
    kinds["real_per_class"] = lambda value: is_text(value) or is_integer(value, 1)
    kinds["image_size"] = lambda value: is_list_of(value, is_side, 2)
    kinds |= dict.fromkeys(("test_data", "label_column", "groups", "resplit"), is_text)
    kinds |= {"fit": lambda value: value in FITS, "skip_unreadable": is_bool}
    return all(
        kinds[name](argument) if argument is not None else name not in ("data", "seed")
        for name, argument in value.items()
    )


REQUEST_OBJECT = (f"an object with {', '.join(REQUEST)}", is_request)


def complete_request(request: dict) -> dict:
    """Return a request as of Dataset.request, perhaps of an earlier version, whose pictures were always stretched."""
    return {"fit": "stretch"} | request if request.get("image_size") else request


def check_request(request: dict) -> None:
    """Raise RequestError where the data that a run has recorded, as of Dataset.request, are gone."""
    data, test_data = request["data"], request.get("test_data")
    if data not in NAMED_SETS and not Path(data).exists():
        raise RequestError(f"the data that the run was made from are not at {data}: name them with --data.")
    if test_data and not Path(test_data).exists():
        raise RequestError(f"the test set of the run is not at {test_data}: name it with --test-data, beside --data.")
