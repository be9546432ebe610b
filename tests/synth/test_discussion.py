import pandas as pd

from synth.arms import Arm
from synth.discussion import discuss_long_tailed, discuss_minority, discuss_reduced
from synth.published import identify

ARMS = [Arm("real"), Arm("gan", gans=("g",))]


def build_results(rows, columns):
    return pd.DataFrame(rows, columns=["setting", "arm", "seed", *columns])


def test_the_size_closest_to_the_published_baseline_is_marked():
    rows = [("50 Sneaker", "real", 0, 0.5), ("100 Sneaker", "real", 0, 0.7), ("100 Sneaker", "gan", 0, 0.86)]
    results = build_results(rows, ["accuracy Sneaker"])
    text = "\n".join(discuss_minority(results, ARMS, "Sneaker", "fashion_mnist"))
    assert "| published | 69.2 | 80.2 |" in text
    assert "| 100 Sneaker **closest to the published baseline** | 70.00 | 86.00 | gan |" in text
    assert "| 50 Sneaker | 50.00 | - |" in text
    assert discuss_minority(results, ARMS, "Sneaker", "mine.npz") == []


def test_the_long_tail_stands_beside_deepsmote():
    results = build_results([("long-tailed", "real", 0, 0.9), ("long-tailed", "gan", 0, 0.97)], ["balanced_accuracy"])
    counts = (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40)
    text = "\n".join(discuss_long_tailed(results, ARMS, "/data/mnist.npz", counts))
    assert "| DeepSMOTE (published) | 96.09 |" in text
    assert "| `gan` (ours) | 97.00 |" in text
    assert discuss_long_tailed(results, ARMS, "mine.csv", counts) == []
    assert discuss_long_tailed(results, ARMS, "/data/mnist.npz", (5000,) * 10) == []


def test_the_ratio_is_chosen_on_validation_and_only_its_test_accuracy_is_shown():
    columns = {0: Arm("5 epochs, 0 synthetic", epochs=5), 1000: Arm("5 epochs, 1000 synthetic", gans=("g",), epochs=5)}
    sweep = [Arm("ratio 1:1", gans=("g",)), Arm("ratio 1:2", gans=("g",))]
    rows = [
        ("300 real", columns[0].name, 0, 0.96, 0.99, 0.9),
        ("300 real", columns[1000].name, 0, 0.97, 0.98, 0.9),
        ("300 real", "ratio 1:1", 0, 0.99, 1.0, 0.94),  # better on test, worse on validation
        ("300 real", "ratio 1:2", 0, 0.98, 1.0, 0.95),
    ]
    results = build_results(rows, ["accuracy", "train_accuracy", "validation_accuracy"])
    text = "\n".join(discuss_reduced(results, columns, sweep, "mnist"))
    assert "| 300 real, test | 96.00 | 97.00 |" in text
    assert "| 300 real, train | 99.00 | 98.00 |" in text
    assert "| 300 real, test, published | 96.80 | 96.65 |" in text
    assert "| 300 real | 94.00 | 95.00 | ratio 1:2 | 98.00 |" in text
    assert "99.00 |\n| 300 real | " not in text


def test_data_sets_are_known_by_the_name_of_their_file():
    assert identify("../data/mnist.npz") == "mnist"
    assert identify("/usr/share/datasets/fashion-mnist") == "fashion_mnist"
    assert identify("mnist5k") is None
