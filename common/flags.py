"""Command-line flags of options (common.options), and the command line that gives a config."""

import argparse
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import Field, fields
from types import UnionType
from typing import Any, get_args, get_origin

from common.command_line import positive_int
from common.options import describe_range, find_default, find_limits, name_flag

_GUARD = 100  # a limit from here on keeps out nonsense alone, and --help does not show it


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
    if isinstance(names, type):
        names = [each.name for each in fields(names) if each.name in known and "help" in each.metadata]
    for name in names:
        help = _describe(known[name], base) if shown is None or name in shown else argparse.SUPPRESS
        default = None if base else find_default(known[name])
        group.add_argument(name_flag(name), dest=name, default=default, help=help, **_find_kind(known[name], base))
        formerly = known[name].metadata["formerly"]
        if formerly:
            group.add_argument(name_flag(formerly), action=_Renamed, const=name_flag(name))


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
    return [name_flag(declared.name), *map(str, values)]


class _Renamed(argparse.Action):
    """A flag that has another name now, `const`."""

    def __init__(self, option_strings: Sequence[str], dest: str, const: str) -> None:
        suppress = argparse.SUPPRESS
        super().__init__(option_strings, suppress, nargs="*", const=const, default=suppress, help=suppress)

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        parser.error(f"{option_string} is called {self.const} now.")


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
    default = find_default(declared)
    notes = []
    if base and default != "":
        notes.append(f"{base}: {('no', 'yes')[default] if isinstance(default, bool) else default}")
    elif not base and default is not False and default not in (None, "", ()):
        notes.append(f"default: {' '.join(map(str, default)) if isinstance(default, tuple) else default}")
    _, high = find_limits(declared.metadata)
    if high is not None and high < _GUARD:
        notes.append(describe_range(declared.metadata).replace("in the range", "in"))
    return declared.metadata["help"] + (f" ({', '.join(notes)})" if notes else "")
