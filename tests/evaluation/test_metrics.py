import numpy as np
import pytest

from evaluation.metrics import (
    Moments,
    compute_frechet_distance,
    compute_kernel_distance,
    compute_prdc,
    compute_sliced_wasserstein,
    compute_spread,
    draw_directions,
    fit_gaussian,
)


def sample_gaussian(mean, variances, count=1000, seed=0):
    """Samples whose mean and covariance are exactly `mean` and diag(variances)."""
    features = np.random.default_rng(seed).standard_normal((count, len(mean)))
    features -= features.mean(axis=0)
    whiten = np.linalg.cholesky(np.linalg.inv(np.cov(features, rowvar=False)))
    return features @ whiten * np.sqrt(variances) + mean


def frechet(real, fake):
    return compute_frechet_distance(fit_gaussian(real), fit_gaussian(fake))


def means(real, fake, neighbours=5):
    return {name: values.mean() for name, values in compute_prdc(real, fake, neighbours).items()}


def test_frechet_distance_of_equal_covariances_is_that_of_the_means():
    real, fake = sample_gaussian([0, 0, 0], [1, 2, 3]), sample_gaussian([3, 0, 4], [1, 2, 3], seed=1)
    assert frechet(real, fake) == pytest.approx(25, abs=1e-6)


def test_frechet_distance_of_diagonal_covariances():
    real, fake = sample_gaussian([0, 0], [1, 4]), sample_gaussian([0, 1], [9, 16], seed=1)
    expected = 1 + (1 - 3) ** 2 + (2 - 4) ** 2
    assert frechet(real, fake) == pytest.approx(expected, abs=1e-6)


def test_frechet_distance_is_symmetric_and_finite_with_fewer_samples_than_dimensions():
    generator = np.random.default_rng(0)
    real, fake = generator.standard_normal((5, 40)), generator.standard_normal((6, 40))
    assert frechet(real, real) == pytest.approx(0, abs=1e-5)
    assert frechet(real, fake) == pytest.approx(frechet(fake, real))


def test_frechet_distance_is_right_with_fewer_samples_than_dimensions():
    """Sets in orthogonal subspaces: the covariances' product is 0, so what is left is both their traces."""
    real, fake = np.zeros((3, 8)), np.zeros((3, 8))
    real[:, 0], fake[:, 5] = [-1, 0, 1], [-2, 0, 2]
    assert frechet(real, fake) == pytest.approx(1 + 4)


def test_frechet_distance_of_few_images_in_batches_is_that_of_the_whole():
    """Then there is only the covariance to find a root of, which is singular."""
    batches, real = Moments(), np.random.default_rng(0).standard_normal((4, 9)) * np.arange(9)
    for part in (real[:2], real[2:]):
        batches.update(part)
    fake = fit_gaussian(np.random.default_rng(1).standard_normal((30, 9)))
    assert compute_frechet_distance(batches.fit(), fake) == pytest.approx(
        compute_frechet_distance(fit_gaussian(real), fake)
    )


def test_two_images_have_a_gaussian():
    gaussian = fit_gaussian([[0.0, 1.0], [2.0, 1.0]])
    assert (gaussian.mean.tolist(), gaussian.covariance.tolist()) == ([1, 1], [[2, 0], [0, 0]])


@pytest.mark.parametrize("batch_size", [1, 7, 500, 1000])
def test_moments_do_not_depend_on_the_batches(batch_size):
    features = np.random.default_rng(0).standard_normal((1000, 6)) * 3 + 100
    moments = Moments()
    for start in range(0, 1000, batch_size):
        moments.update(features[start : start + batch_size])
    gaussian = moments.fit()
    assert gaussian.count == 1000
    np.testing.assert_allclose(gaussian.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gaussian.covariance, np.cov(features, rowvar=False), atol=1e-9)
    other = fit_gaussian(features + 1)
    assert compute_frechet_distance(other, gaussian) == pytest.approx(6, rel=1e-6)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((1, 4)), r"at least 2 images. Got 1"),
        (np.zeros(4), r"\[N, D\]. Got \(4,\)"),
        (np.full((3, 4), np.nan), "should be finite"),
    ],
)
def test_bad_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        fit_gaussian(features)


def test_kernel_distance_by_hand():
    """One dimension, two images a side: k(x, y) = (x y + 1)^3."""
    value, error = compute_kernel_distance([[0.0], [1.0]], [[2.0], [3.0]])
    within = (0 * 1 + 1) ** 3 + (2 * 3 + 1) ** 3
    between = np.mean([1, 1, (1 * 2 + 1) ** 3, (1 * 3 + 1) ** 3])
    assert value == pytest.approx(within - 2 * between)
    own = np.array([[1, 1], [7, 7]])  # the mean kernel of each image to the others of its side,
    others = np.array([[1, (27 + 64) / 2], [14, (1 + 64) / 2]])  # and to those of the other: 0, 1; 2, 3
    assert error == pytest.approx((4 / 2 * (own - others).var(axis=1, ddof=1).sum()) ** 0.5)


def test_kernel_distance_divides_by_the_dimensions():
    """k(x, y) = (x . y / 2 + 1)^3 in two dimensions."""
    value, _ = compute_kernel_distance([[2.0, 0.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]])
    within = (4 / 2 + 1) ** 3 + 1
    between = np.mean([1, 1, 1, (4 / 2 + 1) ** 3])
    assert value == pytest.approx(within - 2 * between)


def test_kernel_distance_of_classes_by_hand():
    """Pairs within a class of n images count n / (n - 1) times: they stand for an image with itself, too."""
    real, fake = np.array([[0.0], [1.0], [2.0], [3.0], [1.0]]), np.array([[1.0], [1.0], [4.0], [0.0], [2.0]])
    labels = [0, 1, 0, 1, 0]

    def mean_within(x):
        pairs = {(a, b): (x[a, 0] * x[b, 0] + 1) ** 3 for a in range(5) for b in range(a)}
        weights = {(a, b): (3 / 2, 2)[labels[a]] if labels[a] == labels[b] else 1 for a, b in pairs}
        return sum(weights[pair] * pairs[pair] for pair in pairs) / sum(weights.values())

    value, _ = compute_kernel_distance(real, fake, 1000, labels, labels)
    assert value == pytest.approx(mean_within(real) + mean_within(fake) - 2 * ((real @ fake.T + 1) ** 3).mean())


def test_every_block_has_two_images_of_each_class():
    real = np.random.default_rng(0).standard_normal((12, 2))
    labels, others = np.array([0, 1] * 6), np.array([0, 1, 1] * 4)  # the rarest class has 4: two blocks of 6
    halves = [slice(0, 6), slice(6, 12)]
    parts = [compute_kernel_distance(real[half], real[half], 1000, labels[half], others[half])[0] for half in halves]
    assert compute_kernel_distance(real, real, 2, labels, others)[0] == pytest.approx(np.mean(parts))


def test_a_class_that_stands_once_in_a_block_leaves_an_error():
    real, labels = np.random.default_rng(0).standard_normal((12, 2)), [1, *[0] * 8, 1, 1, 1]  # in two blocks: 1 and 3
    _, error = compute_kernel_distance(real, real[::-1], 6, labels, labels)
    assert 0 < error < np.inf


def test_kernel_distance_is_unbiased():
    generator = np.random.default_rng(0)
    values = [compute_kernel_distance(*generator.standard_normal((2, 40, 3)), 10)[0] for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 200**0.5
    assert min(values) < 0


@pytest.mark.parametrize(
    ("sizes", "shift", "block", "least", "most"),
    [
        ((60,), 0.0, 1000, 1.0, 1.7),  # alike: up to half too large
        ((60,), 0.5, 1000, 0.8, 1.3),
        ((30, 30, 3), 0.5, 1000, 0.8, 1.3),  # with a rare class
        ((200,), 0.5, 50, 0.8, 1.3),  # the mean of four blocks
    ],
)
def test_the_error_of_a_kernel_distance_is_how_much_it_varies(sizes, shift, block, least, most):
    generator, labels = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    found = []
    for _ in range(150):
        real, fake = generator.standard_normal((2, len(labels), 3)) + labels[:, np.newaxis]
        found.append(compute_kernel_distance(real, fake + shift, block, labels, labels))
    values, errors = np.array(found).T
    assert least < errors.mean() / values.std() < most


def test_kernel_distance_is_the_mean_of_its_blocks_of_which_the_larger_ones_are_last():
    real, fake = np.random.default_rng(0).standard_normal((2, 23, 3))
    blocks = [slice(0, 3), *(slice(start, start + 4) for start in range(3, 23, 4))]
    estimates = [compute_kernel_distance(real[block], fake[block])[0] for block in blocks]
    assert compute_kernel_distance(real, fake, 4)[0] == pytest.approx(np.mean(estimates))


@pytest.mark.parametrize(("count", "blocks"), [(1000, 1), (1001, 2)])
def test_kernel_distance_is_in_blocks_of_1000(count, blocks):
    real, fake = np.random.default_rng(0).standard_normal((2, count, 2))
    parts = [
        compute_kernel_distance(a, b)[0]
        for a, b in zip(np.array_split(real[::-1], blocks), np.array_split(fake[::-1], blocks), strict=True)
    ]
    value, _ = compute_kernel_distance(real[::-1], fake[::-1])
    assert value == pytest.approx(np.mean(parts), abs=1e-3)


@pytest.mark.slow
def test_kernel_distance_of_a_small_set_and_a_large_one_is_unbiased():
    generator = np.random.default_rng(0)
    labels, many = np.arange(40) % 10, np.arange(4000) % 10
    values = []
    for _ in range(40):
        few_features = generator.standard_normal((40, 3)) + labels[:, np.newaxis]
        many_features = generator.standard_normal((4000, 3)) + many[:, np.newaxis]
        values.append(compute_kernel_distance(few_features, many_features, 1000, labels, many)[0])
    assert abs(np.mean(values)) < 3 * np.std(values) / len(values) ** 0.5


def test_kernel_distance_wants_two_images_of_each_class():
    with pytest.raises(ValueError, match=r"at least 2 images \(of each class\). Got 1"):
        compute_kernel_distance(np.zeros((3, 2)), np.ones((3, 2)), 1000, [0, 0, 1], [0, 0, 0])


def test_same_distribution_has_high_precision_and_recall():
    real, fake = np.random.default_rng(0).standard_normal((2, 500, 4))
    scores = means(real, fake)
    assert min(scores["precision"], scores["recall"], scores["coverage"]) > 0.85
    assert scores["density"] == pytest.approx(1, abs=0.1)


def test_collapsed_set_has_high_precision_and_no_recall():
    generator = np.random.default_rng(0)
    real = generator.standard_normal((500, 4))
    scores = means(real, 0.01 * generator.standard_normal((500, 4)))
    assert scores["precision"] == 1
    assert scores["recall"] < 0.02
    assert scores["coverage"] < 0.05


def test_noise_far_away_has_neither():
    real, fake = np.random.default_rng(0).standard_normal((2, 100, 4))
    assert means(real, fake + 100) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_swapping_real_and_fake_swaps_precision_and_recall():
    real, fake = np.random.default_rng(0).standard_normal((2, 300, 3))
    fake = fake[:200] * 0.5
    there, back = compute_prdc(real, fake), compute_prdc(fake, real)
    np.testing.assert_array_equal(there["precision"], back["recall"])
    np.testing.assert_array_equal(there["recall"], back["precision"])


def test_prdc_by_hand():
    """On a line, one neighbour: real balls 0 +- 1, 1 +- 1, 5 +- 4; fake balls 2 +- 0.5, 2.5 +- 0.5."""
    scores = compute_prdc([[0.0], [1.0], [5.0]], [[2.0], [2.5]], neighbours=1)
    assert scores["density"].tolist() == [2, 1]
    assert scores["precision"].tolist() == [1, 1]
    assert scores["recall"].tolist() == [0, 0, 0]
    assert scores["coverage"].tolist() == [0, 1, 1]


def test_an_image_on_the_edge_of_a_ball_is_in_it():
    scores = compute_prdc([[0.0], [1.0], [3.0]], [[2.0], [4.0]], neighbours=1)
    assert scores["recall"].tolist() == [1, 1, 1]  # fake balls 2 +- 2, 4 +- 2
    assert scores["density"].tolist() == [2, 1]  # real balls 0 +- 1, 1 +- 1, 3 +- 2


def test_prdc_wants_more_images_than_neighbours():
    with pytest.raises(ValueError, match="more than 5 images. Got 5 and 9"):
        compute_prdc(np.zeros((5, 2)), np.zeros((9, 2)))


def test_sliced_wasserstein_of_a_shift_is_its_projection():
    real = np.random.default_rng(0).standard_normal((100, 3))
    directions = draw_directions(3, 50)
    assert np.linalg.norm(directions, axis=0) == pytest.approx(1)
    assert np.array_equal(draw_directions(3), draw_directions(3, 128, seed=0))
    shift = np.array([1.0, 2.0, 3.0])
    expected = np.abs(shift @ directions).mean()
    assert compute_sliced_wasserstein(real, real + shift, directions) == pytest.approx(expected)


def test_sliced_wasserstein_of_sets_of_different_sizes():
    """Every image twice is the same distribution."""
    real = np.random.default_rng(0).standard_normal((200, 3))
    directions = draw_directions(3, 20)
    assert compute_sliced_wasserstein(np.repeat(real, 2, axis=0), real, directions) == pytest.approx(0, abs=1e-12)


def test_sliced_wasserstein_of_few_and_many_is_at_the_quantiles_of_the_few():
    """Of 0, 10, 20, 30 the middles of two halves are 5 and 25."""
    real, fake = np.array([[0.0], [10.0], [20.0], [30.0]]), np.array([[7.0], [21.0]])
    assert compute_sliced_wasserstein(real, fake, np.ones((1, 1))) == pytest.approx((2 + 4) / 2)
    real = np.array([[0.0], [12.0], [30.0]])  # their middles of two halves are 1/4 and 7/4 of a step on: 3 and 25.5
    assert compute_sliced_wasserstein(real, fake, np.ones((1, 1))) == pytest.approx((4 + 4.5) / 2)


def test_spread_of_a_collapsed_set_is_zero():
    assert compute_spread(np.ones((5, 3))) == 0
    assert compute_spread(sample_gaussian([0, 0], [1, 4])) == pytest.approx(5)
