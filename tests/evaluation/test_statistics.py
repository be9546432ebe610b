import numpy as np
import pytest

from evaluation.statistics import compare_paired, compute_bootstrap_error, summarise


def test_the_interval_is_students():
    summary = summarise([1.0, 2.0, 3.0])
    assert summary["mean"] == 2
    assert summary["std"] == 1
    assert summary["interval"] == pytest.approx(4.302653 / 3**0.5, rel=1e-5)  # t(0.975; 2), from the table
    assert summarise([0.5]) == {"mean": 0.5, "std": None, "interval": None}


def test_pairing_removes_what_the_seeds_have_in_common():
    compared = compare_paired({0: 0.51, 1: 0.92, 2: 0.13}, {0: 0.50, 1: 0.90, 2: 0.10})
    assert compared["mean"] == pytest.approx(0.02)
    assert compared["interval"] == pytest.approx(4.302653 * 0.01 / 3**0.5, rel=1e-5)
    assert compared["seeds"] == 3
    assert compared["verdict"] == "equal"  # 0.02 ± 0.0248


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.01, 0.02, 0.03], "equal"),  # 0.02 ± 0.0248
        ([0.02, 0.03, 0.04], "better"),  # 0.03 ± 0.0248
        ([-0.02, -0.03, -0.04], "worse"),
        ([0.0, 0.0], "equal"),
        ([0.01, 0.01], "better"),
        ([0.5], "unknown"),
    ],
)
def test_only_an_interval_without_zero_is_a_difference(differences, verdict):
    values = {seed: 0.5 + difference for seed, difference in enumerate(differences)}
    assert compare_paired(values, dict.fromkeys(values, 0.5))["verdict"] == verdict


def test_only_common_seeds_are_compared():
    assert compare_paired({0: 1.0, 1: 2.0}, {1: 1.5, 2: 9.0})["mean"] == 0.5
    with pytest.raises(ValueError, match="should have a seed in common"):
        compare_paired({0: 1.0}, {1: 1.0})


def test_the_bootstrap_error_is_the_standard_deviation_of_the_resamples():
    found = []

    def measure(values):
        found.append(values.mean())
        return found[-1]

    error = compute_bootstrap_error(measure, np.arange(10.0), np.zeros(10), 2, seed=0)
    assert error == pytest.approx(abs(found[0] - found[1]) / 2**0.5)
