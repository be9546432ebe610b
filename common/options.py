"""Options: default, help, choices and range of each stand once, for the Config dataclasses, their checks and flags.

A script's Config inherits classes of options, `class Config(DataOptions, RunOptions)`, or takes single ones by `like`.
Those of several scripts are in common.run_options, real.data_options and synth.shard_options, and what makes flags of
them in common.flags.
"""

import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, asdict, field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from common.errors import RequestError

_ACCEPTED = {float: (float, int), Path: os.PathLike}
_EXPECTED = {bool: "yes or no", int: "an integer", float: "a number", str: "a text", Path: "a path"}
_COMPARE = {"minimum": operator.ge, "above": operator.gt, "maximum": operator.le, "below": operator.lt}


def option(  # one parameter for each thing that is written once of an option
    default: Any,
    help: str,
    *,
    choices: Iterable[Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    metavar: str | None = None,
    parse: Callable[[str], Any] | None = None,
    nargs: str = "+",
    formerly: str | None = None,
    setting: bool = True,
) -> Any:
    """Return a dataclass field for an option; of a tuple, choices and range are those of its elements.

    default: a value, or a callable that makes it. minimum, maximum: limits that belong to the range; above, below: that
    don't. A range has a lower limit. parse: callable (text) -> value, where the annotation does not say it. nargs: of a
    tuple's flag. formerly: an old name, whose flag says how it is called now. setting: whether another value makes it
    another run.
    """
    metadata: dict[str, Any] = {"help": help, "choices": choices, "metavar": metavar, "parse": parse, "nargs": nargs}
    metadata |= {"minimum": minimum, "maximum": maximum, "above": above, "below": below}
    metadata |= {"formerly": formerly, "setting": setting}
    return field(**{"default_factory" if callable(default) else "default": default}, metadata=metadata)


def like(options_class: Any, name: str, **changes: Any) -> Any:
    """Return the option of this name as another class has it, but for `changes`, arguments of `option`."""
    there = options_class.__dataclass_fields__[name]
    default = there.default_factory if there.default is MISSING else there.default
    return option(**{"default": default, **there.metadata, **changes})


def take(config: Any, *options_classes: Any) -> tuple[Any, ...]:
    """Return the options of each of these classes, an instance each, out of a config that has them and more."""
    return tuple(
        options_class(**{name: getattr(config, name) for name in options_class.__dataclass_fields__})
        for options_class in options_classes
    )


def check_options(config: Any) -> None:
    """Raise RequestError for the first field with a value of another type, outside its choices or outside its range.

    Before, values as notebooks have them become those of the field: see _convert.
    """
    for declared in fields(config):
        value = _convert(getattr(config, declared.name), declared.type)
        object.__setattr__(config, declared.name, value)
        check_option(config, declared.name, value)


def check_option(config: Any, name: str, value: object) -> None:
    """Raise RequestError where `value` can't be that of this field of a config, or of its class."""
    declared = config.__dataclass_fields__[name]
    choices = declared.metadata.get("choices")
    if not _fits(value, declared.type):
        raise RequestError(f"{name_flag(name)} should be {_describe_type(declared.type)}. Got {value!r:.60} instead.")
    if value == () and declared.metadata.get("nargs") == "+" and find_default(declared):
        raise RequestError(f"{name_flag(name)} should be one or more. Got none.")
    for part in value if isinstance(value, tuple) else (value,) if value is not None else ():
        if isinstance(part, str) and not part.strip() and declared.default != "":
            raise RequestError(f"{name_flag(name)} should not be empty. Is a variable unset that stands in its place?")
        if choices and part not in choices:
            raise RequestError(f"{name_flag(name)} should be one of {', '.join(choices)}. Got {part!r:.60} instead.")
        if not _is_inside(part, declared.metadata):
            expected = describe_range(declared.metadata)
            raise RequestError(f"{name_flag(name)} should be {expected}. Got {part!s:.60} instead.")


def _convert(value: Any, kind: Any) -> Any:
    """Return a value as a field of this annotation has it, where that is clear.

    NumPy's numbers become Python's; a list, a range, an array or a single value a tuple, or, of a text, its parts with
    commas between them, as {"ape": 5} becomes "ape:5"; an integer a float; "~" in a path the user's folder.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    several = next((member for member in kinds if get_origin(member) is tuple), None)
    if several:
        is_single = isinstance(value, str | int | float | os.PathLike) and not isinstance(value, bool)
        if is_single and get_args(several)[-1] is Ellipsis:
            value = (value,)
        elif isinstance(value, list | range):
            value = tuple(value)
        return tuple(_convert(part, get_args(several)[0]) for part in value) if isinstance(value, tuple) else value
    is_text = str in kinds and Path not in kinds
    if isinstance(value, dict):
        parts = {name: _convert(part, type(part)) for name, part in value.items()}
        return ",".join(f"{name}:{part}" for name, part in parts.items()) if is_text else parts
    if isinstance(value, list | tuple | range) and is_text:
        return ",".join(map(str, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if float in kinds else str(value) if is_text and int not in kinds else value
    if Path in kinds and isinstance(value, str | os.PathLike):
        path = os.path.expanduser(value)
        return Path(path) if isinstance(value, os.PathLike) else path
    return value


def list_settings(config: Any) -> dict[str, Any]:
    """Return {field: value} of what makes a run this one and no other, as plain values; config.json records it."""
    settings = {declared.name for declared in fields(config) if declared.metadata.get("setting", True)}
    return {name: value for name, value in asdict(config).items() if name in settings}


def list_changed(config: Any, names: Iterable[str]) -> list[str]:
    """Return the flags of those of these fields that are not at their default."""
    declared = config.__dataclass_fields__
    return [name_flag(name) for name in names if getattr(config, name) != find_default(declared[name])]


def name_flag(name: str) -> str:
    """Return the flag of a field."""
    return f"--{name.replace('_', '-')}"


def find_default(declared: Field) -> Any:
    """Return the default of a field, made where it is made."""
    factory: Any = declared.default_factory
    return factory() if declared.default is MISSING else declared.default


def _fits(value: object, kind: Any) -> bool:
    """Whether a value is of this annotation."""
    if isinstance(kind, UnionType):
        return any(_fits(value, member) for member in get_args(kind))
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        kinds = kinds[:1] * len(value) if isinstance(value, tuple) and kinds[-1] is Ellipsis else kinds
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    if isinstance(value, bool):
        return kind is bool
    accepted: Any = _ACCEPTED.get(kind, kind)
    return isinstance(value, accepted)


def _describe_type(kind: Any) -> str:
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    names = {kind: f"a {kind.__name__ if isinstance(kind, type) else kind}" for kind in kinds if kind is not NoneType}
    return " or ".join(_EXPECTED.get(kind, name) for kind, name in names.items())


def find_limits(metadata: Mapping[str, Any]) -> list[Any]:
    """Return the lower and the upper limit of a range, None where there is none."""
    pairs = (("minimum", "above"), ("maximum", "below"))
    return [next((metadata[name] for name in pair if metadata.get(name) is not None), None) for pair in pairs]


def _is_inside(value: Any, metadata: Mapping[str, Any]) -> bool:
    limits = {name: metadata[name] for name in _COMPARE if metadata.get(name) is not None}
    return not limits or (value < math.inf and all(_COMPARE[name](value, limit) for name, limit in limits.items()))


def describe_range(metadata: Mapping[str, Any]) -> str:
    """Return what a value should be, as "at least 1" or "in the range [0, 1)"."""
    low, high = find_limits(metadata)
    if high is None:
        return f"at least {low}" if metadata["above"] is None else f"above {low} and finite"
    left, right = "[" if metadata["above"] is None else "(", "]" if metadata["below"] is None else ")"
    return f"in the range {left}{low}, {high}{right}"
