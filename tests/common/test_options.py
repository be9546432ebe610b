"""Options on made-up configs: declared, taken over, checked, and turned into flags."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from common.command_line import Parser
from common.errors import RequestError
from common.flags import add_flags, write_command
from common.options import check_option, check_options, like, list_settings, option
from real.data_options import SubsetOptions
from synth.shard_options import SamplingOptions


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Options of several configs."""

    keep: float = option(0.9, "fraction to keep", above=0, maximum=1, metavar="F")
    out: str | Path = option(lambda: Path("somewhere"), "folder", setting=False)


@dataclass(frozen=True, kw_only=True)
class Config(Shared):
    """One that has others of its own."""

    keep: float = like(Shared, "keep", default=0.5)
    loud: bool = option(False, "be loud")
    size: int = option(5, "how many", minimum=1, metavar="N", formerly="number")
    side: int | None = option(None, "side", minimum=0, below=10)
    minutes: float | None = option(None, "how long", above=0)
    kind: str = option("soft", "which kind", choices=("soft", "hard"))
    names: str = option("", "names, or none")
    counts: tuple[int, ...] = option((1, 2), "counts", minimum=1)
    shape: tuple[int, int] | None = None
    extra: dict | None = None

    def __post_init__(self):
        check_options(self)


NAMES = ("keep", "out", "loud", "size", "side", "minutes", "kind", "names", "counts")


def build_parser():
    parser = Parser(prog="p")
    add_flags(parser, Config, NAMES)
    return parser


def test_flags_have_the_defaults_of_the_config():
    assert vars(build_parser().parse_args([])) == {name: getattr(Config(), name) for name in NAMES}
    assert Config().keep == 0.5
    assert Shared().keep == 0.9


def test_flags_are_read_as_the_annotation_says():
    text = "--keep 0.25 --loud --size 7 --side 3 --minutes 2 --kind hard --names a,b --counts 3 4 --out x"
    given = vars(build_parser().parse_args(text.split()))
    assert given.pop("counts") == [3, 4]
    assert given == {
        "keep": 0.25, "loud": True, "size": 7, "side": 3, "minutes": 2.0, "kind": "hard", "names": "a,b", "out": "x",
    }  # fmt: skip


def test_the_help_shows_defaults_ranges_and_choices():
    text = " ".join(build_parser().format_help().split())
    assert "--keep F fraction to keep (default: 0.5, in (0, 1])" in text
    assert "--side INT side (in [0, 10))" in text
    assert "--counts INT [INT ...] counts (default: 1 2)" in text
    assert "--kind {soft,hard} which kind (default: soft)" in text
    assert "--loud be loud --" in text
    assert "--number" not in text


def test_the_flags_of_a_class_of_options_are_those_that_the_config_has():
    parser = Parser(prog="p")
    add_flags(parser, Config, Shared)
    assert vars(parser.parse_args([])) == {"keep": 0.5, "out": Path("somewhere")}


def test_flags_that_change_a_base_are_none_and_bools_can_be_taken_back():
    parser = Parser(prog="p")
    add_flags(parser, Config, ("loud", "size", "kind"), base="quick", shown=("loud",))
    assert vars(parser.parse_args([])) == {"loud": None, "size": None, "kind": None}
    assert parser.parse_args(["--no-loud"]).loud is False
    text = " ".join(parser.format_help().split())
    assert "--loud, --no-loud be loud (quick: no)" in text
    assert "how many" not in text


@pytest.mark.parametrize("arguments", [["--number", "3"], ["--number=3"], ["--number"], ["--number", "3", "4"]])
def test_an_old_flag_names_the_new_one(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        build_parser().parse_args(arguments)
    assert exit.value.code == 2
    assert capsys.readouterr().err == "p: error: --number is called --size now.\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep": 0.0}, r"--keep should be in the range \(0, 1\]\. Got 0\.0 instead"),
        ({"keep": 1.1}, r"--keep should be in the range \(0, 1\]\. Got 1\.1 instead"),
        ({"keep": math.nan}, r"--keep should be in the range \(0, 1\]\. Got nan instead"),
        ({"keep": "much"}, "--keep should be a number. Got 'much' instead"),
        ({"side": -1}, r"--side should be in the range \[0, 10\)\. Got -1 instead"),
        ({"side": 10}, r"--side should be in the range \[0, 10\)\. Got 10 instead"),
        ({"size": 0}, r"--size should be at least 1\. Got 0 instead"),
        ({"size": 1.5}, r"--size should be an integer\. Got 1\.5 instead"),
        ({"size": True}, r"--size should be an integer\. Got True instead"),
        ({"size": None}, r"--size should be an integer\. Got None instead"),
        ({"minutes": 0}, r"--minutes should be above 0 and finite\. Got 0\.0 instead"),
        ({"minutes": math.inf}, r"--minutes should be above 0 and finite\. Got inf instead"),
        ({"loud": 1}, "--loud should be yes or no. Got 1 instead"),
        ({"kind": "loud"}, r"--kind should be one of soft, hard\. Got 'loud' instead"),
        ({"kind": " "}, "--kind should not be empty. Is a variable unset that stands in its place"),
        ({"out": ""}, "--out should not be empty"),
        ({"out": 5}, "--out should be a text or a path. Got 5 instead"),
        ({"out": ["a", "b"]}, r"--out should be a text or a path\. Got \['a', 'b'\] instead"),
        ({"counts": ()}, r"--counts should be one or more\. Got none"),
        ({"counts": (1, 0)}, r"--counts should be at least 1\. Got 0 instead"),
        ({"counts": ("a",)}, r"--counts should be a tuple\[int, \.\.\.\]. Got \('a',\) instead"),
        ({"shape": (1, 2, 3)}, r"--shape should be a tuple\[int, int\]. Got \(1, 2, 3\) instead"),
    ],
)
def test_what_can_not_be_is_refused(changes, message):
    with pytest.raises(RequestError, match=f"^{message}"):
        Config(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"keep": 1},
        {"side": 0},
        {"side": 9},
        {"minutes": 1e-9},
        {"out": "x"},
        {"names": ""},
        {"counts": (1,)},
        {"shape": (8, 8)},
        {"extra": {"a": 1}},
    ],
)
def test_the_limits_themselves_are_taken(changes):
    name, value = changes.popitem()
    assert getattr(Config(**{name: value}), name) == value


def test_lists_become_tuples():
    assert Config(counts=[3], shape=[8, 8]) == Config(counts=(3,), shape=(8, 8))


def test_a_single_value_is_checked_by_the_class_alone():
    check_option(Shared, "keep", 0.3)
    with pytest.raises(RequestError, match="--keep should be in the range"):
        check_option(Shared, "keep", 2.0)


def test_settings_leave_out_what_does_not_make_another_run():
    settings = list_settings(Config(counts=(3,), extra={"a": (1,)}, out="x"))
    assert (settings["counts"], settings["extra"]) == ((3,), {"a": (1,)})
    assert set(settings) == {*NAMES, "shape", "extra"} - {"out"}


def test_a_command_names_what_is_not_at_its_default():
    @dataclass(frozen=True, kw_only=True)
    class Options(SubsetOptions):
        fast: bool = option(False, "fast")
        arms: tuple[str, ...] = option(("a", "b"), "arms")
        keep: float = option(0.5, "keep")
        rounds: int = option(20, "rounds; 0: none")

    given = Options(data="my set", image_size=(28, 20), fast=True, arms=("b", "c"))
    command = write_command("augment.py reduced", given, more=["--recipe", "quick"])
    assert command == ("python augment.py reduced --recipe quick --data 'my set' --image-size 28,20 --fast --arms b c")
    assert write_command("x.py", Options()) == "python x.py"
    assert write_command("x.py", Options(rounds=0, keep=0.0)) == "python x.py --keep 0.0 --rounds 0"


def test_a_default_that_depends_on_the_environment_is_written_out(monkeypatch):
    monkeypatch.setenv("CLASS_SIZE", "70")
    assert write_command("x.py", SamplingOptions()) == "python x.py --class-size 70"


def test_a_default_is_that_of_the_scripts_own_config():
    """Not of the options that it takes over: --keep 0.9 is what Shared has, and not what Config has."""
    assert write_command("x.py", Config(out="a")) == "python x.py --out a"
    assert write_command("x.py", Config(out="a", keep=0.9)) == "python x.py --keep 0.9 --out a"
    assert write_command("x.py", Config(out="a", kind="hard"), more=["--hard"], skip=["kind"]) == (
        "python x.py --hard --out a"
    )


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"size": np.int64(7)}, 7),
        ({"keep": np.float32(0.5)}, 0.5),
        ({"keep": 1}, 1.0),
        ({"counts": range(1, 4)}, (1, 2, 3)),
        ({"counts": np.array([1, 2])}, (1, 2)),
        ({"counts": 5}, (5,)),
        ({"shape": [8, np.int32(9)]}, (8, 9)),
        ({"names": ["ape", "bee"]}, "ape,bee"),
        ({"names": {"ape": 5, "bee": 6}}, "ape:5,bee:6"),
        ({"names": 7}, "7"),
        ({"extra": {"steps": np.int64(3)}}, {"steps": 3}),
        ({"out": "~/x"}, str(Path.home() / "x")),
        ({"out": Path("~/x")}, Path.home() / "x"),
    ],
)
def test_values_as_notebooks_have_them_become_those_of_the_field(given, taken):
    config = Config(**given)
    assert getattr(config, next(iter(given))) == taken
    assert type(getattr(config, next(iter(given)))) is type(taken)
