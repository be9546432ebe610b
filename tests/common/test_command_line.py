import argparse
import datetime
import errno
import io
import os
import signal
import sys
import time

import pytest

from common.command_line import (
    Parser,
    add_commands,
    parse_image_shape,
    parse_image_size,
    parse_number_or_text,
    positive_int,
    run,
)
from common.errors import RequestError, RunError


def test_errors_of_a_command_name_it(capsys):
    parser = Parser(prog="augment.py", usage="augment.py COMMAND [options]")
    add_commands(parser, {"balance": ("a help", lambda parser: parser.add_argument("--ratio", type=int))})
    with pytest.raises(SystemExit):
        parser.parse_args(["balance", "--ratio", "x"])
    assert capsys.readouterr().err.startswith("augment.py balance: error: argument --ratio")


@pytest.mark.parametrize(("text", "size"), [("32", (32, 32)), ("28,20", (28, 20))])
def test_image_size(text, size):
    assert parse_image_size(text) == size


@pytest.mark.parametrize("text", ["", "4", "28x20", "28,20,1", "-3", "1025", "9" * 5000, "\u0663\u0663"])
def test_bad_image_size(text):
    with pytest.raises(
        argparse.ArgumentTypeError, match="should be SIZE or HEIGHT,WIDTH of at least 8 pixels and at most 1024"
    ):
        parse_image_size(text)


@pytest.mark.parametrize("text", ["28,28", "28,28,2", "a,b,c", "0,28,1", "28,1025,1", f"28,{'9' * 5000},1"])
def test_bad_image_shape(text):
    with pytest.raises(
        argparse.ArgumentTypeError,
        match="should be HEIGHT,WIDTH,CHANNELS with 1 or 3 channels and sides of at most 1024",
    ):
        parse_image_shape(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "should be an integer of at least 1. Got '0' instead"),
        ("\u00b2", "should be an integer of at least 1"),
        ("9" * 5000, "^should be at most 1,000,000,000,000"),
    ],
)
def test_bad_positive_int(text, message):
    assert positive_int(" 12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        positive_int(text)


@pytest.mark.parametrize(
    ("text", "value"), [("300", 300), ("Sneaker:100", "Sneaker:100"), ("9" * 5000, "9" * 5000), ("\u00b2", "\u00b2")]
)
def test_numbers_are_told_from_text(text, value):
    assert parse_number_or_text(text) == value


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RequestError("--keep should be lower.\nGot 2."), 2, "p: error: --keep should be lower. Got 2."),
        (RunError("diverged"), 1, "p: error: diverged"),
        (ModuleNotFoundError(name="keras"), 1, "p: error: keras is not installed: pip install -r requirements.txt"),
        (OSError(errno.ENOSPC, "No space left on device", "a.csv"), 1, "p: error: No space left on device: a.csv."),
        (
            OSError("54 requested and 4 written"),
            1,
            "p: error: 54 requested and 4 written: while writing. What is finished is kept: make room and run the",
        ),
        (MemoryError("Unable to allocate 9 TiB"), 1, "p: error: the memory is full (Unable to allocate 9 TiB): take"),
        (KeyboardInterrupt(), 1, "p: error: interrupted. Go on."),
    ],
)
def test_errors_are_one_line_and_an_exit_code(capsys, error, code, line):
    def fail():
        raise error

    assert run(Parser(prog="p"), fail, "Go on.") == code
    assert capsys.readouterr().err.startswith(line)


def test_sigterm_says_what_ctrl_c_says(capsys):
    assert run(Parser(prog="p"), lambda: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(5), "Go on.") == 1
    assert capsys.readouterr().err == "p: error: interrupted. Go on.\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_output_never_fails_on_a_character(monkeypatch, encoding):
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding, newline="") for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)

    def report():
        print("frechet ↓ 99 % ± 1, Ярлык")
        raise RequestError("Ярлык")

    assert run(Parser(prog="p"), report, "") == 2
    for stream in streams.values():
        stream.seek(0)
    assert streams["stdout"].read().startswith("frechet ? 99 % ")
    assert streams["stderr"].read() == "p: error: ?????\n"


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ValueError, match="invalid literal"):
        run(Parser(prog="p"), lambda: int("x"), "")
    with pytest.raises(ValueError, match="unconverted data remains"):
        run(Parser(prog="p"), lambda: datetime.datetime.strptime("2020 x", "%Y"), "")


def test_success_is_0():
    assert run(Parser(prog="p"), lambda: None, "") == 0
