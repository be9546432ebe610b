import numpy as np
import pytest

from synth import filters
from synth.filters import Sieve, calibrate_thresholds, find_near_duplicates, resolve_filter


def plain_images(*values):
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 2, 2, 1), np.uint8)


def test_each_candidate_has_the_first_reason_that_rejects_it():
    images = plain_images(10, 20, 30, 40, 41)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    sieve = Sieve(
        score=lambda images, class_index: np.array([-1.0, 0.0, 0.0, 0.0, 0.0]),
        thresholds={0: -0.5},
        classify=lambda images: probabilities,
        min_probability=0.7,
        duplicate_distance=2.0,
    )
    reasons, scores = sieve(images, 0, [])
    assert reasons.tolist() == ["discriminator", "classifier", "classifier", "", "duplicate"]
    assert scores.tolist() == [-1, 0, 0, 0, 0]


def test_a_low_probability_keeps_images_that_look_more_like_another_class():
    probabilities = np.array([[0.4, 0.6], [0.2, 0.8]])
    sieve = Sieve(lambda images, class_index: np.zeros(2), classify=lambda images: probabilities, min_probability=0.3)
    assert sieve(plain_images(1, 2), 0, [])[0].tolist() == ["", "classifier"]


def test_the_smallest_score_and_the_smallest_probability_that_are_asked_for_are_enough():
    probabilities = np.array([[0.7, 0.3], [0.7, 0.3], [0.69, 0.31]], np.float32)
    scores = np.array([-0.5, -0.51, -0.5])
    sieve = Sieve(lambda images, k: scores, {0: -0.5}, classify=lambda images: probabilities, min_probability=0.7)
    assert sieve(plain_images(1, 2, 3), 0, [])[0].tolist() == ["", "discriminator", "classifier"]


def test_a_ratio_is_the_probability_of_keeping_an_image_and_the_same_ones_are_kept():
    images = np.random.default_rng(0).integers(0, 256, (1000, 2, 2, 1)).astype(np.uint8)
    sieve = Sieve(lambda images, k: np.zeros(len(images)), log_ratio=lambda images, k: np.full(len(images), -1.0))
    reasons, _ = sieve(images, 0, [])
    assert set(reasons) == {"", "density-ratio"}
    assert abs((reasons == "").mean() - np.exp(-1)) < 0.05
    assert (sieve(images[::-1], 0, [])[0] == reasons[::-1]).all()
    surely = Sieve(lambda images, k: np.zeros(len(images)), log_ratio=lambda images, k: np.zeros(len(images)))
    assert (surely(images, 0, [])[0] == "").all()


def test_without_filters_all_pass():
    sieve = Sieve(score=lambda images, class_index: np.zeros(len(images)))
    assert sieve(plain_images(1, 1, 1), 0, [plain_images(1)])[0].tolist() == ["", "", ""]


def test_near_duplicates_are_found_among_the_accepted_and_in_the_block():
    images = plain_images(100, 103, 110, 200, 200)
    assert find_near_duplicates(images, [plain_images(112)], 4.0).tolist() == [False, True, True, False, True]


def test_images_at_the_distance_that_is_asked_for_are_duplicates():
    assert find_near_duplicates(plain_images(100, 104, 109), [], 4.0).tolist() == [False, True, False]


@pytest.mark.parametrize("compared", [4096, 40])
@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 14, 3), (2, 3, 1)])
def test_near_duplicates_are_those_of_a_pixel_by_pixel_comparison(shape, compared, monkeypatch):
    monkeypatch.setattr(filters, "_COMPARED", compared)
    generator = np.random.default_rng(0)
    originals = generator.integers(0, 256, (40, *shape))
    noise = generator.normal(0, 1, (200, *shape)) * generator.uniform(0, 8, (200, 1, 1, 1))  # around the limit
    copies = np.clip(originals[generator.integers(0, 40, 200)] + noise, 0, 255).round().astype(np.uint8)
    images, others = copies[:120], [copies[120:150], copies[150:]]
    marked, expected = find_near_duplicates(images, others, 5.0), []
    for index, image in enumerate(images):
        known = [*others[0], *others[1], *(images[j] for j in range(index) if not expected[j])]
        differences = np.array(known, float) - image
        expected.append(bool((np.sqrt((differences**2).mean(axis=(1, 2, 3))) <= 5).any()))
    assert marked.tolist() == expected
    assert 0 < sum(expected) < 120


def test_there_may_be_no_images_on_either_side():
    nothing = plain_images()
    assert find_near_duplicates(nothing, [plain_images(1)], 4.0).tolist() == []
    assert find_near_duplicates(plain_images(1), [nothing], 4.0).tolist() == [False]


def test_a_chain_of_neighbours_is_thinned_not_removed():
    assert find_near_duplicates(plain_images(0, 3, 6, 9), [], 4.0).tolist() == [False, True, False, True]


@pytest.mark.parametrize(("keep", "kept"), [(1.0, 100), (0.9, 90), (0.25, 25)])
def test_thresholds_keep_the_top_fraction(keep, kept):
    scores = np.random.default_rng(0).permutation(100).astype(float)
    threshold = calibrate_thresholds({"a": scores}, keep)["a"]
    assert (scores >= threshold).sum() == kept


def test_auto_filter_follows_the_number_of_classes():
    assert resolve_filter("auto", has_classifier=True) == "classifier"
    assert resolve_filter("auto", has_classifier=False) == "discriminator"
    assert resolve_filter("auto", has_classifier=True, fewest=9) == "discriminator"
    assert resolve_filter("auto", has_classifier=True, fewest=10) == "classifier"
    assert resolve_filter("none", has_classifier=False) == "none"
    with pytest.raises(ValueError, match="--filter both needs two classes or more"):
        resolve_filter("both", has_classifier=False)
