import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.trained_gan import TrainedGAN
from tests.conftest import make_images
from tests.models.tiny import weights_of

WORKER = Path(__file__).with_name("distribution_worker.py")


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, WORKER, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result_of(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


@pytest.mark.slow
def test_two_replicas_take_the_same_steps_as_one():
    one, two = (result_of(start("replicas", str(count))) for count in (1, 2))
    assert np.isfinite(two["losses"]).all()
    assert np.allclose(one["losses"], two["losses"], rtol=1e-4)
    for alone, together in zip(one["weights"], two["weights"], strict=True):
        assert np.allclose(alone, together, rtol=1e-3, atol=1e-6)


@pytest.fixture
def digits(tmp_path):
    """Folder with the data that are trained on."""
    images, labels = make_images(140)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return tmp_path


@pytest.mark.slow
def test_two_cards_train_one_model(digits):
    assert result_of(start("cards", str(digits))) == {"replicas": 2}
    assert len((digits / "model" / "history.csv").read_text().splitlines()) == 4
    assert all(np.isfinite(array).all() for array in weights_of(digits / "model"))


@pytest.mark.slow
def test_two_workers_train_one_model(digits):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    workers = [
        start("fit", str(digits), TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": k}}))
        for k in range(2)
    ]
    assert [result_of(worker) for worker in workers] == [{"replicas": 2}] * 2
    assert TrainedGAN(digits / "model").class_names == ("0", "1")
    assert len((digits / "model" / "history.csv").read_text().splitlines()) == 4
