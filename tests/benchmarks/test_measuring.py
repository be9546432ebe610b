import numpy as np
import pandas as pd
import pytest

from benchmarks.measuring import describe_training, draw_images, reuse_classifiers
from models.recipes import RECIPES
from models.trained_gan import TrainedGAN


def test_images_are_those_that_generate_data_writes(generated):
    images, labels = draw_images(TrainedGAN(generated / "model"), 0, 25)
    assert labels.tolist() == [0] * 25 + [1] * 25
    for k in (0, 1):
        with np.load(generated / "shards" / str(k) / "part-00000.npz") as shard:
            np.testing.assert_array_equal(images[labels == k], shard["images"])


def test_training_is_described_by_its_last_row_and_its_best():
    history = pd.DataFrame({"step": [10, 20], "seconds": [4.0, 12.0], "frechet": [3.004, 5.0]})
    described = describe_training([history], RECIPES["quick"])
    assert described == {"train_minutes": 0.2, "images_per_second": pytest.approx(107), "frechet": 3.0}
    described = describe_training([history, history + 1], RECIPES["quick"])
    assert described == {"train_minutes": 0.42, "images_per_second": pytest.approx(105), "frechet": 3.5}


def test_classifiers_are_copied_where_they_lack(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    (there / "judge.keras").write_text("judge")
    reuse_classifiers(here, [here, there])
    assert [path.name for path in here.iterdir()] == ["judge.keras"]
    (there / "judge.keras").write_text("another")
    reuse_classifiers(here, [there])
    assert (here / "judge.keras").read_text() == "judge"
