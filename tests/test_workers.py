"""The script on Ray: a cluster of two machines, and a driver that is killed; bytes as of one process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_generate_data import shard_bytes

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-cluster.txt")

ROOT = Path(__file__).resolve().parent.parent
KILLED = ROOT / "tests/faults/killed.py"

OPTIONS = ["--model", "mnist", "--class-size", "20", "--shard-size", "10", "--threads", "1"]


def run(folder, *more, write=0):
    """Run the command, killed at its so many-th write; return (exit code, errors)."""
    command = [sys.executable, KILLED, str(write), "0", "generate_data", *OPTIONS, "--out", folder, *more]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The shards of one process."""
    folder = tmp_path_factory.mktemp("serial") / "out"
    assert run(folder) == (0, "")
    shards = shard_bytes(folder)
    assert len(shards) == 20
    return shards


def test_two_machines_of_a_cluster_make_what_one_process_makes(whole, tmp_path):
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, include_dashboard=False)
        assert run(tmp_path / "out", "--cluster", cluster.address) == (0, "")
    finally:
        cluster.shutdown()
    assert shard_bytes(tmp_path / "out") == whole


def test_a_driver_that_is_killed_leaves_what_one_process_or_workers_continue(whole, tmp_path):
    folder = tmp_path / "out"
    assert run(folder, "--workers", "2", write=10) == (-signal.SIGKILL, "")
    left = len(shard_bytes(folder))
    assert 0 < left < 20
    assert run(folder, write=8) == (-signal.SIGKILL, "")
    assert left < len(shard_bytes(folder)) < 20
    assert run(folder, "--workers", "2") == (0, "")
    assert shard_bytes(folder) == whole


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--cluster", "ray://x:1"], "--cluster should be auto or HOST:PORT, of ray start. Got 'ray://x:1' instead."),
        (["--cluster", "127.0.0.1:9"], "--cluster 127.0.0.1:9 can't be reached."),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(tmp_path, more, line):
    code, errors = run(tmp_path / "out", *more)
    assert code == 2
    assert errors.count("\n") == 1
    assert line in errors
