"""Options: default, help, choices and range of each stand once, for the Config dataclasses, their checks and flags.

A script's Config inherits classes of options, `class Config(DataOptions, RunOptions)`, or takes single ones by `like`.
"""

import argparse
import math
import operator
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from synth.command_line import parse_image_shape, parse_image_size, parse_number_or_text, positive_int
from synth.errors import RequestError
from synth.filters import FILTERS
from synth.images import DEFAULT_FIT, FITS
from synth.kaggle import default_out
from synth.shard_formats import CHOICES

_ACCEPTED = {float: (float, int), Path: os.PathLike}
_EXPECTED = {bool: "yes or no", int: "an integer", float: "a number", str: "a text", Path: "a path"}
_COMPARE = {"minimum": operator.ge, "above": operator.gt, "maximum": operator.le, "below": operator.lt}
_GUARD = 100  # a limit from here on keeps out nonsense alone, and --help does not show it


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


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images are the real ones."""

    data: str | Path | None = option(
        None, "mnist, fashion_mnist, mnist5k, a file or a folder (default: found)", metavar="DATA"
    )
    test_data: str | Path | None = option(
        None,
        "labelled test set (--test-csv is what a submission is made for)",
        metavar="FILE",
    )
    label_column: str | None = option(
        None, "column of a table with the labels, a name or number (default: found)", metavar="NAME"
    )
    groups: str | None = option(
        None, "column of a table: images with the same text there, as of one patient, stay together", metavar="NAME"
    )
    resplit: str | None = option(
        None,
        "percentages of train, validation and test, as 80/10/10, also of a set that brings its parts",
        metavar="A/B/C",
    )
    image_size: tuple[int, int] | None = option(
        None, "size to resize the images to (default: as they are)", parse=parse_image_size, metavar="H[,W]"
    )
    image_shape: tuple[int, int, int] | None = option(
        None, "shape of the images in a CSV's rows, where they are not square", parse=parse_image_shape, metavar="H,W,C"
    )
    fit: str | None = option(  # None: as a run has recorded it whose data are loaded again
        None,
        f"how images of other proportions are resized (default: {DEFAULT_FIT})",
        choices=FITS,
    )
    skip_unreadable: bool = option(False, "leave out pictures that can't be read")
    no_cache: bool = option(
        False,
        "decode a folder's pictures anew, though they are cached",
        setting=False,
    )


@dataclass(frozen=True, kw_only=True)
class ClassOptions(DataOptions):
    """Which classes of the real images are used."""

    classes: str | None = option(
        None, "names or numbers of the classes to keep, as 3,Sneaker (default: all)", metavar="NAMES"
    )


@dataclass(frozen=True, kw_only=True)
class SubsetOptions(ClassOptions):
    """Which of the real images are used."""

    real_per_class: str | int | None = option(
        None,
        "training images of each class, as 300 or Sneaker:100 (default: all)",
        parse=parse_number_or_text,
        metavar="N",
    )


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which of a GAN's images are kept, and how various they are."""

    filter: str = option(
        "auto",
        "what rejects images; auto: the classifier, or the discriminator for one class alone or one of under 10 train "
        "images; ranked: all but the best of each shard, by the discriminator",
        choices=FILTERS,
    )
    keep: float = option(
        0.9,
        "fraction of the images that the discriminator accepts (filters discriminator, both, ranked)",
        above=0,
        maximum=1,
        metavar="F",
    )
    min_probability: float = option(
        0.5,
        "smallest probability of its class that the filter network accepts (filters classifier, both)",
        minimum=0,
        below=1,
        metavar="P",
    )
    duplicate_distance: float = option(
        4.0,
        "distance up to which two images count as the same, in grey levels (root mean square); 0: off",
        minimum=0,
        below=256,
        metavar="D",
    )
    latent_std: float = option(
        1.0,
        "draw the standard deviation of each latent from 1 up to S: more variety, more to reject",
        minimum=1,
        maximum=3,
        metavar="S",
    )


@dataclass(frozen=True, kw_only=True)
class ShardOptions:
    """How images are written."""

    format: str = option("npz", "file format of the images; both: npz and csv", choices=CHOICES)
    shard_size: int = option(5000, "images per shard", minimum=1, metavar="N")


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(FilterOptions, ShardOptions):
    """Which images a GAN makes, which of them are kept, and how they are written."""

    class_size: str | int = option(
        lambda: os.environ.get("CLASS_SIZE", "1000"),
        "images per class, as 500 or 0:500,Sneaker:200; the environment variable CLASS_SIZE sets it, too",
        metavar="N",
    )


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """What is done with images to score on that were trained on."""

    allow_leak: bool = option(False, "go on although images to score on were trained on; the results say so")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every script is told of its run."""

    out: str | Path = option(default_out, "output folder", metavar="DIR", setting=False)
    seed: int = option(0, "seed of everything random", minimum=0, below=2**31, metavar="N")
    overwrite: bool = option(False, "replace a run with other options", setting=False)
    dry_run: bool = option(False, "print the plan and stop", setting=False)
    quiet: bool = option(False, "print errors alone", setting=False)


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How many processes share the work, where, and in how many threads each; none of it makes it another run."""

    workers: int | None = option(
        None,
        "processes that share the work (default: this one; with --cluster all there is room for)",
        minimum=1,
        metavar="N",
        setting=False,
    )
    cluster: str | None = option(
        None,
        "Ray cluster to share it with; auto: the one that runs here",
        metavar="HOST:PORT",
        setting=False,
    )
    threads: int | None = option(
        None,
        "threads of each process (default: those that the run was begun with, or all cores)",
        minimum=1,
        maximum=1024,
        metavar="T",
        setting=False,
    )
    gpus: int | None = option(
        None,
        "GPUs that share a GAN's training (default: at most one)",
        minimum=1,
        metavar="N",
        setting=False,
    )

    @property
    def is_shared(self) -> bool:
        """Whether other processes do the work."""
        return self.cluster is not None or (self.workers or 1) > 1


@dataclass(frozen=True, kw_only=True)
class RepeatOptions(RunOptions):
    """The same, where a run is repeated with several seeds."""

    seeds: int = option(3, "number of seeds to repeat with, from --seed on", minimum=1, metavar="N")


def take(config: Any, *options_classes: Any) -> tuple[Any, ...]:
    """Return the options of each of these classes, an instance each, out of a config that has them and more."""
    return tuple(
        options_class(**{name: getattr(config, name) for name in options_class.__dataclass_fields__})
        for options_class in options_classes
    )


def check_options(config: Any) -> None:
    """Raise RequestError for the first field with a value of another type, outside its choices or outside its range.

    Lists become tuples.
    """
    for declared in fields(config):
        value = getattr(config, declared.name)
        if isinstance(value, list):
            object.__setattr__(config, declared.name, value := tuple(value))
        check_option(config, declared.name, value)


def check_option(config: Any, name: str, value: object) -> None:
    """Raise RequestError where `value` can't be that of this field of a config, or of its class."""
    declared = config.__dataclass_fields__[name]
    choices = declared.metadata.get("choices")
    if not _fits(value, declared.type):
        raise RequestError(f"{_flag(name)} should be {_describe_type(declared.type)}. Got {value!r:.60} instead.")
    for part in value if isinstance(value, tuple) else (value,) if value is not None else ():
        if isinstance(part, str) and not part.strip() and declared.default != "":
            raise RequestError(f"{_flag(name)} should not be empty. Is a variable unset that stands in its place?")
        if choices and part not in choices:
            raise RequestError(f"{_flag(name)} should be one of {', '.join(choices)}. Got {part!r:.60} instead.")
        if not _is_inside(part, declared.metadata):
            expected = _describe_range(declared.metadata)
            raise RequestError(f"{_flag(name)} should be {expected}. Got {part!s:.60} instead.")


def list_settings(config: Any) -> dict[str, Any]:
    """Return {field: value} of what makes a run this one and no other, as plain values; config.json records it."""
    settings = {declared.name for declared in fields(config) if declared.metadata.get("setting", True)}
    return {name: value for name, value in asdict(config).items() if name in settings}


def add_flags(
    group: Any,
    config_class: Any,
    names: Any,
    *,
    base: str = "",
    shown: Iterable[str] | None = None,
) -> None:
    """Add the flags of these fields of a config class, with their defaults.

    names: of the fields, or a class of options: those that the config has. base: what a flag that is not given leaves
    as it is; the flags are None by default then, and those of a bool have a --no- form. shown: names of the flags that
    --help shows (all).
    """
    known = config_class.__dataclass_fields__
    names = [each.name for each in fields(names) if each.name in known] if isinstance(names, type) else names
    for name in names:
        help = _describe(known[name], base) if shown is None or name in shown else argparse.SUPPRESS
        default = None if base else _find_default(known[name])
        group.add_argument(_flag(name), dest=name, default=default, help=help, **_find_kind(known[name], base))
        formerly = known[name].metadata["formerly"]
        if formerly:
            group.add_argument(_flag(formerly), action=_Renamed, const=_flag(name))


def write_command(script: str, config: Any, *, more: Iterable[object] = (), skip: Iterable[str] = ()) -> str:
    """Return the command line of a script's config, but for what is at its default.

    A default that depends on where the command runs, as a folder or CLASS_SIZE, is written out. more: words behind the
    script's name, which say what the fields of these names (`skip`) hold.
    """
    words = ["python", *script.split(), *map(str, more)]
    for declared in fields(config):
        value = getattr(config, declared.name)
        is_given = value is not None and value is not False and value != declared.default  # 0 equals False
        if "help" in declared.metadata and declared.name not in skip and is_given:
            words += _write_flag(declared, value)
    return shlex.join(words)


def _write_flag(declared: Field, value: object) -> list[str]:
    """Return the words of an option that is not at its default."""
    values = value if isinstance(value, tuple) else () if value is True else (value,)
    if declared.metadata["parse"] and len(values) > 1:  # one text, as 28,28,1
        values = (",".join(map(str, values)),)
    return [_flag(declared.name), *map(str, values)]


class _Renamed(argparse.Action):
    """A flag that has another name now, `const`."""

    def __init__(self, option_strings: Sequence[str], dest: str, const: str) -> None:
        suppress = argparse.SUPPRESS
        super().__init__(option_strings, suppress, nargs="*", const=const, default=suppress, help=suppress)

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        parser.error(f"{option_string} is called {self.const} now.")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _find_default(declared: Field) -> Any:
    factory: Any = declared.default_factory
    return factory() if declared.default is MISSING else declared.default


def _find_kind(declared: Field, base: str) -> dict[str, Any]:
    """Return what argparse is told of the values."""
    metadata = declared.metadata
    kind: Any = get_args(declared.type)[0] if isinstance(declared.type, UnionType) else declared.type
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction if base else "store_true"}
    several = get_origin(kind) is tuple and not metadata["parse"]
    kind = get_args(kind)[0] if several else kind
    is_count = kind is int and (metadata["minimum"] or 0) > 0 and metadata["maximum"] is None
    metavar = metadata["metavar"] or (None if metadata["choices"] else kind.__name__.upper())
    found = {"type": metadata["parse"] or (positive_int if is_count else kind), "metavar": metavar}
    return found | ({"nargs": metadata["nargs"]} if several else {"choices": metadata["choices"]})


def _describe(declared: Field, base: str) -> str:
    """Return the help of a flag, with its default and its range."""
    default = _find_default(declared)
    notes = []
    if base and default != "":
        notes.append(f"{base}: {('no', 'yes')[default] if isinstance(default, bool) else default}")
    elif not base and default is not False and default not in (None, "", ()):
        notes.append(f"default: {' '.join(map(str, default)) if isinstance(default, tuple) else default}")
    _, high = _find_limits(declared.metadata)
    if high is not None and high < _GUARD:
        notes.append(_describe_range(declared.metadata).replace("in the range", "in"))
    return declared.metadata["help"] + (f" ({', '.join(notes)})" if notes else "")


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


def _find_limits(metadata: Mapping[str, Any]) -> list[Any]:
    """Return the lower and the upper limit of a range, None where there is none."""
    pairs = (("minimum", "above"), ("maximum", "below"))
    return [next((metadata[name] for name in pair if metadata.get(name) is not None), None) for pair in pairs]


def _is_inside(value: Any, metadata: Mapping[str, Any]) -> bool:
    limits = {name: metadata[name] for name in _COMPARE if metadata.get(name) is not None}
    return not limits or (value < math.inf and all(_COMPARE[name](value, limit) for name, limit in limits.items()))


def _describe_range(metadata: Mapping[str, Any]) -> str:
    low, high = _find_limits(metadata)
    if high is None:
        return f"at least {low}" if metadata["above"] is None else f"above {low} and finite"
    left, right = "[" if metadata["above"] is None else "(", "]" if metadata["below"] is None else ")"
    return f"in the range {left}{low}, {high}{right}"
