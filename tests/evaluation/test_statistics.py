import numpy as np
import pytest

from evaluation.statistics import (
    Summary,
    compare_paired,
    compute_below_probability,
    compute_bootstrap_error,
    compute_rank_probability,
    compute_t_quantile,
    compute_wilson_error,
    summarise,
)


def test_the_interval_is_students():
    summary = summarise([1.0, 2.0, 3.0])
    assert summary.mean == 2
    assert summary.std == 1
    assert summary.interval == pytest.approx(4.302653 / 3**0.5, rel=1e-5)  # t(0.975; 2), from the table
    assert summarise([0.5]) == Summary(0.5, None, None)


def test_values_below_the_smallest_of_others_by_counting_the_orders():
    assert compute_below_probability(1, 1, 1, 1) == pytest.approx(1 / 2)
    assert compute_below_probability(1, 2, 1, 1) == pytest.approx(2 / 3)  # the other one is first in 2 of 6 orders
    assert compute_below_probability(2, 2, 1, 1) == pytest.approx(1 / 3)
    assert compute_below_probability(0, 5, 3, 9) == 1


def test_pairing_removes_what_the_seeds_have_in_common():
    compared = compare_paired({0: 0.51, 1: 0.92, 2: 0.13}, {0: 0.50, 1: 0.90, 2: 0.10})
    assert compared.mean == pytest.approx(0.02)
    assert compared.interval == pytest.approx(4.302653 * 0.01 / 3**0.5, rel=1e-5)
    assert compared.seeds == 3
    assert compared.verdict == "equal"  # 0.02 ± 0.0248


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
    assert compare_paired(values, dict.fromkeys(values, 0.5)).verdict == verdict


def test_only_common_seeds_are_compared():
    assert compare_paired({0: 1.0, 1: 2.0}, {1: 1.5, 2: 9.0}).mean == 0.5
    with pytest.raises(ValueError, match="should have a seed in common"):
        compare_paired({0: 1.0}, {1: 1.0})


def test_the_bootstrap_error_is_the_standard_deviation_of_the_resamples():
    found = []

    def measure(values):
        found.append(values.mean())
        return found[-1]

    error = compute_bootstrap_error(measure, np.arange(10.0), np.zeros(10), 2, seed=0)
    assert error == pytest.approx(abs(found[0] - found[1]) / 2**0.5)


def test_bootstrap_error_of_a_mean_is_the_known_one():
    values = np.random.default_rng(0).standard_normal(400)
    error = compute_bootstrap_error(np.mean, values, np.zeros(400), 500, seed=0)
    assert error == pytest.approx(values.std() / 400**0.5, rel=0.1)


def test_bootstrap_keeps_the_sizes_of_the_strata():
    strata = np.array([0, 1, 1, 2, 2, 2])
    assert compute_bootstrap_error(np.mean, strata.astype(float), strata, 20, seed=0) == pytest.approx(0, abs=1e-12)


def test_rank_probability():
    assert compute_rank_probability([0, 1], [2, 3]) == 1
    assert compute_rank_probability([2, 3], [0, 1]) == 0
    assert compute_rank_probability([0, 2], [1, 2]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


def test_intervals_of_shares_and_of_few_blocks_are_not_too_narrow():
    assert compute_wilson_error(1.0, 20) == pytest.approx(0.1611, abs=1e-4)  # 20 of 20: from 0.8389, as in tables
    assert compute_wilson_error(0.5, 10_000) == pytest.approx(0.0098, abs=1e-4)
    assert compute_t_quantile(2) == pytest.approx(12.706, abs=1e-3)
