import numpy as np
import pandas as pd
import pytest

from real.datasets import load_dataset
from real.npz_files import read_npz
from real.tables import read_csv
from tasks.arms import Arm
from tasks.balance_candidates import choose, list_candidates
from tasks.balance_set import list_outputs, save_training_set


def names(counts, filter, classes=(0, 1)):
    return [arm.name for arm in list_candidates(counts, filter, classes)]


def test_adding_none_is_always_a_candidate():
    assert names([9, 5], "none") == ["none", "surplus 0, unfiltered", "surplus 1, unfiltered", "surplus 2, unfiltered"]
    assert names([9, 9], "classifier") == ["none", "surplus 1, filtered", "surplus 2, filtered"]
    assert len(names([9, 9], "auto")) == 5
    assert names([9, 5], "none", classes=(0,)) == ["none", "surplus 1, unfiltered", "surplus 2, unfiltered"]


def test_none_has_class_weights_so_that_balance_alone_wins_nothing():
    assert list_candidates([9, 5], "none", (0, 1))[0] == Arm("none", balance="class-weights")


@pytest.mark.parametrize(
    ("differences", "chosen"),
    [((0.02, 0.03, 0.04), "surplus 1, filtered"), ((0.01, 0.02, 0.03), "none"), ((-0.1, -0.1, -0.1), "none")],
)
def test_a_candidate_must_beat_none_beyond_noise(differences, chosen):
    candidates = list_candidates([9, 9], "classifier", (0, 1))
    accuracies = {"none": (0, 0, 0), "surplus 1, filtered": differences, "surplus 2, filtered": (-0.2, -0.2, -0.2)}
    rows = [
        {"arm": arm, "seed": seed, "accuracy": 0.5 + d} for arm, ds in accuracies.items() for seed, d in enumerate(ds)
    ]
    arm, reason = choose(pd.DataFrame(rows), candidates, "accuracy")
    assert arm.name == chosen
    assert "`surplus 1, filtered`" in reason
    assert "3 seeds" in reason
    assert ("the best of 2 by these figures" in reason) is (chosen != "none")


def test_both_formats_mark_synthetic_rows_and_are_read_back(data, tmp_path):
    dataset = load_dataset(data)
    images, labels = dataset.images, dataset.labels
    synthetic = np.arange(len(labels)) >= 130
    manifest = save_training_set(tmp_path, "both", images, labels, synthetic, dataset, {"chosen": "x"})
    assert manifest["classes"]["0"] == {"label": 0, "real": 65, "synthetic": 5}
    assert [entry["rows"] for entry in manifest["shards"]] == [140, 140]
    table = pd.read_csv(tmp_path / "train.csv")
    assert list(table.columns) == ["label", *(f"pixel{index}" for index in range(784)), "synthetic"]
    for found in (read_npz(tmp_path / "train.npz"), read_csv(tmp_path / "train.csv")):
        assert np.array_equal(found.images, images)
        assert np.array_equal(found.labels, labels)
        assert np.array_equal(found.synthetic, synthetic)
        with pytest.raises(ValueError, match="--data should hold real images alone: 10 of the 140 in .*train"):
            load_dataset(str(tmp_path / manifest["shards"][0]["file"]))


def test_marks_that_say_real_are_no_obstacle(data, tmp_path):
    dataset = load_dataset(data)
    save_training_set(tmp_path, "csv", dataset.images, dataset.labels, np.zeros(140, bool), dataset, {})
    assert load_dataset(str(tmp_path / "train.csv")).train.tolist() == dataset.train.tolist()


def test_a_mark_of_another_kind_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 8, 8), np.uint8), labels=np.zeros(3, int), synthetic=np.zeros(3))
    with pytest.raises(ValueError, match="synthetic should be 3 booleans, one per image. Got float64"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("format", "outputs"),
    [("both", ["train.npz", "train.csv"]), ("npz-compressed", ["train.npz"]), ("png", ["images"])],
)
def test_each_format_makes_what_it_says(data, tmp_path, format, outputs):
    dataset = load_dataset(data)
    save_training_set(tmp_path, format, dataset.images, dataset.labels, np.arange(140) >= 130, dataset, {})
    assert list_outputs(format) == outputs
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", *outputs}
