"""What a value that was read from a file may be, and the one line for a value that is something else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common.errors import RequestError

MAX_RECORDED_SIDE = 4096  # pixels; larger networks would fill any memory before a file says that it does not fit


def check_fields(content: Any, checks: Mapping[str, tuple[str, Callable[[Any], bool]]], path: str | Path) -> None:
    """Raise RequestError naming the file where a field of `content` (a dict) is missing or wrong.

    checks: {field: (what it should be, callable (value) -> whether it is)}.
    """
    for name, (expected, is_right) in checks.items():
        if not isinstance(content, dict) or name not in content or not is_right(content[name]):
            got = repr(content.get(name, "nothing") if isinstance(content, dict) else content)
            raise RequestError(f"{path}: {name} should be {expected}. Got {got[:60]} instead.")


def is_text(value: Any) -> bool:
    """Whether it is a str."""
    return isinstance(value, str)


def is_integer(value: Any, low: int = -(2**63), high: int = 2**63) -> bool:
    """Whether it is an int, and no bool, from `low` to below `high`."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def is_list_of(value: Any, is_right: Callable[[Any], bool], count: int | None = None) -> bool:
    """Whether it is a list of such values, of `count` of them or of any number."""
    return isinstance(value, list) and all(map(is_right, value)) and len(value) == (count or len(value))


def is_object(value: Any) -> bool:
    """Whether it is a dict."""
    return isinstance(value, dict)


def is_bool(value: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


def is_seed(value: Any) -> bool:
    """Whether NumPy and TensorFlow take it as a seed."""
    return is_integer(value, 0, 2**31)


def is_side(value: Any) -> bool:
    """Whether it is a number of pixels that an image may have in a row or a column."""
    return is_integer(value, 1, MAX_RECORDED_SIDE + 1)


def is_image_shape(value: Any) -> bool:
    """Whether it is [height, width, channels] with 1 or 3 channels."""
    return is_list_of(value, is_side, 3) and value[2] in (1, 3)


def are_names(value: Any) -> bool:
    """Whether it is a list of different texts, one or more."""
    return is_list_of(value, is_text) and len(set(value)) == len(value) > 0


def are_rising(value: Any) -> bool:
    """Whether it is a list of integers, each larger than the one before."""
    return is_list_of(value, is_integer) and value == sorted(set(value))


IMAGE_SHAPE = (f"a height and a width of at most {MAX_RECORDED_SIDE} pixels, and 1 or 3 channels", is_image_shape)
CLASS_NAMES = ("different names of one class or more", are_names)
LABEL_VALUES = ("integers in rising order", are_rising)
TEXT = ("a text", is_text)
OBJECT = ("an object", is_object)
BOOL = ("true or false", is_bool)
SEED = ("an integer in the range [0, 2147483648)", is_seed)
