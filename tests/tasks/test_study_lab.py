import numpy as np
import pytest

from common.errors import RunError
from real.datasets import load_dataset
from synth.shard_options import FilterOptions
from tasks.arms import Arm
from tasks.study_cells import Cell
from tasks.study_lab import Lab
from tests.conftest import make_images

ARMS = {
    arm.name: arm
    for arm in (
        Arm("real"),
        Arm("class-weights", balance="class-weights"),
        Arm("oversampling", balance="oversampling"),
        Arm("gan", gans=("shared:a",)),
        Arm("two", gans=("shared:a", "alone:b"), ratio=1.0, filtered=True),
        Arm("mixed", balance="oversampling", gans=("shared:a",)),
    )
}


@pytest.fixture
def dataset(tmp_path):
    """60 train images of class 0 and 20 of class 1."""
    images, labels = make_images(160)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return load_dataset(tmp_path / "digits.npz", real_per_class="60,20")


@pytest.fixture
def lab(dataset):
    """A Lab whose GAN a draws images of grey level 100 + class, and any other 200 + class."""

    def sample(name, setting, seed, filtered, class_index, shard):
        level = (100 if name == "shared:a" else 200) + class_index
        return np.full((500, *dataset.image_shape), level, np.uint8)

    lab = Lab(lambda setting, seed: dataset, lambda *key: None, ARMS, FilterOptions(), steps=5)
    lab._sample = sample
    return lab


@pytest.mark.parametrize(
    ("arm", "counts", "levels"),
    [
        ("real", [60, 20], {}),
        ("class-weights", [60, 20], {}),
        ("oversampling", [60, 60], {}),
        ("gan", [60, 60], {101: 40}),
        ("mixed", [60, 60], {101: 20}),  # the other half by oversampling
        ("two", [120, 120], {100: 30, 101: 50, 200: 30, 201: 50}),
    ],
)
def test_every_arm_makes_its_training_set_from_the_same_real_images(lab, dataset, arm, counts, levels):
    images, labels, synthetic = lab.make_training_set(Cell("x", arm, 0))
    assert np.bincount(labels).tolist() == counts
    assert synthetic == sum(levels.values())
    np.testing.assert_array_equal(images[:80], dataset.part("train")[0])
    drawn = images[len(images) - synthetic :]
    found = dict(zip(*(part.tolist() for part in np.unique(drawn[:, 0, 0, 0], return_counts=True)), strict=True))
    assert found == levels
    assert (drawn[:, 0, 0, 0] % 100 == labels[len(images) - synthetic :]).all()


def test_a_gan_whose_training_failed_is_not_trained_again():
    calls = []

    def fail(name, setting, seed):
        calls.append(name)
        raise RunError(f"{name} diverged")

    lab = Lab(lambda setting, seed: None, fail, ARMS, FilterOptions(), steps=5)
    for _ in range(2):
        with pytest.raises(RunError, match="shared:a diverged"):
            lab.open_gan("shared:a", "x", 0)
    assert calls == ["shared:a"]
