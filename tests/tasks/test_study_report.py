import pandas as pd
import pytest

from evaluation.statistics import Summary
from tasks.arms import Arm
from tasks.study_report import (
    describe_filters,
    describe_verdict,
    find_best,
    format_percent,
    format_points,
    render_arms,
    render_reduced,
)

ARMS = [Arm("real"), Arm("smote"), Arm("gan", gans=("g",)), Arm("gan-filtered", gans=("g",), filtered=True)]


def build_results(**values):
    """{arm: accuracies, one per seed} -> a DataFrame as results.csv."""
    rows = [
        {"arm": arm.replace("_", "-"), "seed": seed, "accuracy": value, "train_images": 30, "synthetic_images": 10}
        for arm, series in values.items()
        for seed, value in enumerate(series)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gan", "sentence"),
    [
        # differences to smote: 0.02 0.03 0.04; -0.04 -0.03 -0.02; 0.01 0.02 0.03; none
        (
            (0.82, 0.93, 0.74),
            r"accuracy: `gan` is better than `smote` \(the best control.*: \+3.00 ± 2.48 points, 95 %",
        ),
        ((0.76, 0.87, 0.68), "no gain: `gan` is worse than `smote`"),
        ((0.81, 0.92, 0.73), "no significant gain: `gan` does not differ from `smote`.* beyond noise: .2.00 ± 2.48"),
        ((0.80, 0.90, 0.70), r"no significant gain: .*\+0.00 ± 0.00 points"),
    ],
)
def test_the_verdict_is_that_of_the_paired_interval(gan, sentence):
    results = build_results(real=(0.7, 0.7, 0.7), smote=(0.80, 0.90, 0.70), gan=gan)
    assert pd.Series([describe_verdict(results, ARMS, "accuracy", "accuracy")]).str.contains(sentence).all()


def test_one_seed_gives_no_verdict():
    results = build_results(smote=[0.8], gan=[0.9])
    assert "one seed alone is no evidence" in describe_verdict(results, ARMS, "accuracy", "accuracy")
    assert "an arm with a GAN and a control are needed" in describe_verdict(
        build_results(real=[1]), ARMS, "accuracy", ""
    )


def test_filtered_is_compared_with_unfiltered():
    results = build_results(gan=(0.5, 0.6), gan_filtered=(0.6, 0.7))
    (sentence,) = describe_filters(results, ARMS, "accuracy")
    assert sentence.startswith("filter: `gan-filtered` is better than `gan`: +10.00 ± 0.00")
    assert list(describe_filters(build_results(gan=[0.5]), ARMS, "accuracy")) == []


def test_the_table_names_the_best_control_and_every_difference_to_it():
    results = build_results(real=(0.5, 0.7), smote=(0.8, 0.8), gan=(0.7, 0.9))
    table = render_arms(results, ARMS, {"accuracy": "accuracy, %"}).splitlines()
    assert table[0] == "| arm | accuracy, % | accuracy, %: difference to smote | images (synthetic) | seeds |"
    assert table[2].startswith("| real | 60.00 ± 127.06 | -20.00 ± 127.06 | 30 (10) | 2 |")
    assert "| best control |" in table[3]
    assert "| +0.00 ± 127.06 |" in table[4]
    assert len(table) == 5


def test_numbers_are_percent():
    assert format_percent(Summary(0.96314, None, 0.0012)) == "96.31 ± 0.12"
    assert format_percent(Summary(0.5, None, None)) == "50.00"
    assert format_percent(None) == "-"
    assert format_points(Summary(-0.01, None, 0.002)) == "-1.00 ± 0.20"
    assert format_points(Summary(0.01, None, None)) == "+1.00"


def test_the_best_arm_has_the_highest_mean():
    results = build_results(real=(0.5, 0.7), smote=(0.9, 0.1))
    assert find_best(results, ["real", "smote"], "accuracy") == "real"
    assert find_best(results, ["gan"], "accuracy") is None


def build_table(rows, columns):
    return pd.DataFrame(rows, columns=["setting", "arm", "seed", *columns])


def test_the_ratio_is_chosen_on_validation_and_only_its_test_accuracy_is_shown(tmp_path):
    plain = Arm("5 epochs, 0 synthetic", epochs=5)
    epoch_rows = {
        "unfiltered": {0: plain, 1000: Arm("5 epochs, 1000 unfiltered", gans=("g",), epochs=5)},
        "filtered": {0: plain, 1000: Arm("5 epochs, 1000 filtered", gans=("g",), epochs=5)},
    }
    sweep = [Arm("ratio 1:1", gans=("g",)), Arm("ratio 1:2", gans=("g",))]
    rows = [
        ("300 real", plain.name, 0, 0.96, 0.99, 0.9),
        ("300 real", "5 epochs, 1000 unfiltered", 0, 0.97, 0.98, 0.9),
        ("300 real", "5 epochs, 1000 filtered", 0, 0.975, 0.985, 0.9),
        ("300 real", "ratio 1:1", 0, 0.99, 1.0, 0.94),  # better on test, worse on validation
        ("300 real", "ratio 1:2", 0, 0.98, 1.0, 0.95),
    ]
    results = build_table(rows, ["accuracy", "train_accuracy", "validation_accuracy"])
    text = "\n".join(render_reduced(results, tmp_path, epoch_rows, sweep, "none"))
    assert "| 300 real, unfiltered, test | 96.00 | 97.00 |" in text
    assert "| 300 real, unfiltered, train | 99.00 | 98.00 |" in text
    assert "| 300 real, filtered, test | 96.00 | 97.50 |" in text
    assert "the synthetic images are not filtered" in text
    assert "| 300 real | 94.00 | 95.00 | ratio 1:2 | 98.00 |" in text
    assert "99.00 |\n| 300 real | " not in text
    assert (tmp_path / "epochs.png").exists()
    assert "the synthetic images are filtered" in "\n".join(
        render_reduced(results, tmp_path, {"filtered": {}}, sweep, "auto")
    )
