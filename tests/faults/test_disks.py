"""A disk that is full, fails or is read-only, at any write: one line, and the same command again goes on."""

import errno
import os
import random

import pytest

import augment
import evaluate_fid
import generate_data
import predict
from common import files
from tests.conftest import TRAINING, WIDTHS, fail

pytestmark = pytest.mark.slow

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
PLAIN = ["--filter", "none", "--duplicate-distance", "0"]
STUDY = ["--gans", "shared:small", "--seeds", "1", "--classifier-steps", "5", "--arms", "real", "classic-gan"]
WORK = {
    "generate_data": (generate_data, [*TRAINING, *WIDTHS, *PLAIN, "--class-size", "6", "--shard-size", "3"]),
    "pictures": (generate_data, [*TRAINING, *WIDTHS, *PLAIN, "--class-size", "6", "--format", "png"]),
    "predict": (predict, ["--real-only", "--epochs", "1", "--test-csv", "test.csv"]),
    "evaluate_fid": (evaluate_fid, ["RUN", "--bootstrap", "0", "--features", "pixels"]),
    "balance": (augment, ["balance", "--surplus", "1", "--recipe", "small", *TRAINING[:-2], *WIDTHS, *PLAIN]),
    "reduced": (augment, ["reduced", "--real", "24", "--added", "0", "8", *STUDY, *TRAINING[:-2], *WIDTHS, *PLAIN]),
}


class Disk:
    """Stands in for the calls that put a file in its place; the one whose turn it is fails."""

    def __init__(self, monkeypatch):
        self.turn = None
        self.error = None
        self.calls = 0
        for name in ("replace", "fsync"):
            monkeypatch.setattr(files.os, name, self._wrap(getattr(os, name)))

    def _wrap(self, call):
        def call_or_fail(*arguments):
            self.calls += 1
            if self.calls == self.turn:
                raise OSError(self.error, os.strerror(self.error))
            return call(*arguments)

        return call_or_fail


@pytest.mark.parametrize("work", WORK)
def test_a_disk_that_fails_at_any_write_costs_nothing_that_was_finished(
    work, data, generated, tmp_path, monkeypatch, capsys
):
    module, arguments = WORK[work]
    monkeypatch.chdir(tmp_path)
    with open("test.csv", "w", encoding="ascii") as file:
        file.write(",".join(f"pixel{index}" for index in range(784)) + "\n" + ",".join(["7"] * 784) + "\n")
    arguments = [str(generated) if text == "RUN" else text for text in arguments]
    arguments += ["--data", data, "--out", "out"]
    disk = Disk(monkeypatch)
    finished = set()
    turns = random.Random(work)
    for error in ERRORS:
        disk.calls, disk.turn, disk.error = 0, turns.randint(1, 6), error
        code, line = fail(module.main, capsys, *arguments)
        assert code in (1, 2), line
        assert os.strerror(error) in line
        assert not list(tmp_path.rglob(".tmp-*"))
        left = {*tmp_path.rglob("*.keras"), *tmp_path.rglob("part-*"), *tmp_path.rglob("synthetic-*")}
        assert finished <= left
        finished = left
    disk.turn = None
    assert module.main([*arguments, "--quiet"]) == 0
