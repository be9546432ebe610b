"""Seeds, GANs and cells on workers of Ray: the same numbers as of one process, whatever dies."""

import json

import keras
import numpy as np
import pytest

import predict

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-cluster.txt")


def read_weights(path):
    return keras.models.load_model(path).get_weights()


def assert_same_weights(first, second):
    for a, b in zip(read_weights(first), read_weights(second), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("source", [["--synthetic"], ["--synthetic-only", "--fresh", "--filter", "none", "--model"]])
def test_seeds_of_a_classifier_score_the_same_on_workers(generated, tmp_path, source):
    def run(name, *more):
        arguments = ["--epochs", "1", "--seeds", "2", "--quiet", "--out", str(tmp_path / name), *more]
        assert predict.main([*source, str(generated), *arguments]) == 0
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        return {part: metrics[part] for part in ("summary", "runs", "trained_on", "label_fidelity")}

    assert run("serial") == run("workers", "--workers", "2")
    assert_same_weights(tmp_path / "serial/classifier.keras", tmp_path / "workers/classifier.keras")
