import numpy as np
import pytest

from evaluation.metrics import Gaussian, compute_frechet_distance, fit_gaussian
from evaluation.report import find_collapsed, find_verdicts, find_warnings
from evaluation.scores import MEASURES, can_trace, extrapolate, score_features, trace_sizes
from evaluation.statistics import (
    compute_bootstrap_error,
    compute_rank_probability,
    compute_t_quantile,
    compute_wilson_half_width,
)

OPTIONS = {"neighbours": 5, "bootstrap": 10, "seed": 0}


def score(real, fake, real_labels=None, fake_labels=None, **options):
    labels = [
        np.zeros(len(part)) if given is None else given for part, given in ((real, real_labels), (fake, fake_labels))
    ]
    return score_features(real, labels[0], fit_gaussian(real), fake, labels[1], **OPTIONS | options)


def entry(frechet=1.0, interval=0.1, precision=0.9, recall=0.9, spread=1.0, **more):
    scores = {name: {"value": 0.9, "interval": 0.01} for name in MEASURES}
    scores |= {"precision": {"value": precision, "interval": None}, "recall": {"value": recall, "interval": None}}
    scores["frechet"] = {"value": frechet, "interval": interval}
    memorisation = {
        "near_share": 0.0,
        "images": 10,
        "held_out_images": 10,
        "copies": 0,
        "memorised": False,
        "suspicious": False,
    }
    memorisation |= {"held_out_copies": 0, "ratio": 1.0}
    common = {"collapsed": [], "memorisation": memorisation, "spread": spread, "real_spread": 1.0}
    return {"scores": scores} | common | more


def evaluation(**runs):
    return {
        "runs": runs,
        "floor": entry(),
        "compare": [],
        "failed": {},
        "features": {"dimensions": 2},
        "compared": 100,
        "compared_classes": {"0": 50},
        "real": {"split": "test", "images": 100},
        "leaks": {"images": 100, "leaked": 0, "allowed": False},
        "notes": [],
        "settings": {"fid_infinity": "False"},
    }


def test_scores_of_the_same_distribution_hold_zero_in_their_intervals():
    real, fake = np.random.default_rng(0).standard_normal((2, 2500, 3))
    scores = score(real, fake)
    assert list(scores) == list(MEASURES)
    assert abs(scores["kernel"]["value"]) < 2 * scores["kernel"]["interval"]
    assert scores["precision"]["value"] == pytest.approx(0.95, abs=0.05)


@pytest.mark.slow
def test_kernel_distance_of_classes_in_fixed_proportions_is_unbiased():
    generator = np.random.default_rng(0)
    labels = np.arange(8000) % 10
    real, fake = generator.standard_normal((2, 8000, 3)) + 3 * labels[:, np.newaxis]
    kernel = score(real, fake, labels, labels)["kernel"]
    assert abs(kernel["value"]) < 1.5 * kernel["interval"]
    plain = score(real, fake)["kernel"]  # misses the pairs of one image with itself
    assert plain["value"] < -5 * kernel["interval"]


def test_too_few_images_have_no_neighbours():
    scores = score(*np.random.default_rng(0).standard_normal((2, 5, 3)))
    assert scores["recall"] == {"value": None, "interval": None}
    assert scores["frechet"]["value"] > 0


def test_no_bootstrap_no_interval():
    assert score(*np.random.default_rng(0).standard_normal((2, 50, 3)), bootstrap=0)["frechet"]["interval"] is None


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


def test_extrapolation_is_exact_on_a_line():
    counts = np.array([10, 20, 50, 100])
    assert extrapolate(counts, 3 + 40 / counts) == pytest.approx(3)


def test_extrapolation_removes_the_bias_of_small_samples():
    real, fake = np.random.default_rng(0).standard_normal((2, 4000, 20))
    counts, distances = trace_sizes(fit_gaussian(real), fake[:2000])
    assert (min(counts), max(counts)) == (200, 2000)
    assert abs(extrapolate(counts, distances)) < min(distances)


def test_extrapolation_leaves_out_what_is_too_few_for_a_line():
    real, fake = np.random.default_rng(0).standard_normal((2, 4000, 50))
    counts, distances = trace_sizes(fit_gaussian(real), fake[:400])
    assert min(counts) == 125
    exact = compute_frechet_distance(fit_gaussian(real), Gaussian(4000, np.zeros(50), np.eye(50)))
    assert extrapolate(counts, distances) == pytest.approx(exact, abs=0.1 * max(distances))
    assert can_trace(fake[:200])
    assert not can_trace(fake[:199])


def test_verdict_names_the_winner_beyond_the_interval():
    sentences = find_verdicts(evaluation(a=entry(2.0, 0.3), b=entry(1.0, 0.4)))
    assert sentences[-1].startswith("b won: its Frechet distance is lower than that of a by 1.000 ± 0.500")


def test_verdict_within_the_interval_is_no_winner():
    sentences = find_verdicts(evaluation(a=entry(1.4, 0.3), b=entry(1.0, 0.4)))
    assert sentences[-1].startswith("no winner: b and a differ by 0.400")


def test_collapse_is_low_variance_or_real_looking_images_without_recall():
    floor = {"a": entry(), "b": entry(), "c": entry(), "d": entry()}
    classes = {
        "a": entry(),
        "b": entry(spread=0.05),
        "c": entry(recall=0.01),
        "d": entry(recall=0.0, precision=0.0),  # far from the real images: bad, but not collapsed
    }
    assert find_collapsed(classes, floor) == ["b", "c"]


def test_warnings_name_small_samples_and_negative_kernel_distances():
    result = evaluation(a=entry())
    assert find_warnings(result) == []
    result["runs"]["a"]["scores"]["kernel"]["value"] = -0.1
    assert find_warnings(result | {"features": {"dimensions": 11}}) == [
        "warning: 100 images for 11 dimensions: below ten times as many, the Frechet distance is too large, and only "
        "comparable at this number of images (the floor is).",
        "note: the kernel distance is an unbiased estimate: where it is near 0, it can be negative.",
    ]
    assert find_warnings(result | {"features": {"dimensions": 6}})[0].startswith("note: the classes have fewer")


def test_leaks_are_marked_and_counted():
    leaked = {"images": 100, "leaked": 7, "allowed": True}
    assert find_warnings(evaluation(a=entry()) | {"leaks": leaked}) == ["LEAKED: 7 of 100 real images were trained on."]
    assert "left out" in find_warnings(evaluation(a=entry()) | {"leaks": leaked | {"allowed": False}})[0]


def test_intervals_of_shares_and_of_few_blocks_are_not_too_narrow():
    assert compute_wilson_half_width(1.0, 20) == pytest.approx(0.0806, abs=1e-3)
    assert compute_wilson_half_width(0.5, 10_000) == pytest.approx(0.0098, abs=1e-4)
    assert compute_t_quantile(2) == pytest.approx(12.706, abs=1e-3)
