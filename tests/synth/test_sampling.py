import numpy as np
import pytest

from common.errors import SamplingError
from common.options import check_option
from synth.sampling import BLOCK_SIZE, CALIBRATION_SHARD, draw_latents, sample_blocks, sample_filtered
from synth.shard_options import FilterOptions


def generate(latents, class_index):
    """A generator whose image is its latent's first value."""
    return np.clip(latents[:, :1] * 40 + 128, 0, 255).astype(np.uint8).reshape(-1, 1, 1, 1)


def keep_bright(images, class_index, accepted):
    bright = images[:, 0, 0, 0] >= 128
    return np.where(bright, "", "dark"), images[:, 0, 0, 0].astype(np.float32)


def sample(rows, shard=0, seed=0, sieve=keep_bright):
    return sample_filtered(sample_blocks(generate, 3, seed, 0, shard), sieve, 0, rows)


def test_latents_are_a_function_of_their_place_alone():
    assert np.array_equal(draw_latents(1, 2, 3, 4, 5), draw_latents(1, 2, 3, 4, 5))
    places = [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    assert len({draw_latents(*place, 2).tobytes() for place in places}) == len(places)
    latents = draw_latents(0, 0, 0, 0, 400)
    assert abs(latents.mean()) < 0.01
    assert abs(latents.std() - 1) < 0.01


def test_wider_latents_have_standard_deviations_between_one_and_the_widest():
    narrow, wide = draw_latents(0, 0, 0, 0, 400), draw_latents(0, 0, 0, 0, 400, latent_std=2.0)
    scales = wide / narrow
    assert np.allclose(scales, scales[:, :1])
    assert (scales.min(), scales.max()) == pytest.approx((1, 2), abs=0.05)


def test_a_longer_shard_begins_with_the_shorter_one():
    short, long = sample(100)[0], sample(700)[0]
    assert np.array_equal(long[:100], short)
    assert not np.array_equal(sample(100, shard=1)[0], short)


def test_tally_counts_up_to_the_last_image_that_is_needed():
    images, scores, tally = sample(300)
    assert len(images) == len(scores) == 300
    assert tally["candidates"] == 300 + tally["dark"]
    drawn = np.concatenate([generate(draw_latents(0, 0, 0, block, 3), 0) for block in range(4)])
    assert tally["dark"] == (drawn[: tally["candidates"]] < 128).sum()
    assert drawn[tally["candidates"] - 1] >= 128


@pytest.mark.parametrize("latent_std", [1.0, 2.0])
def test_blocks_are_made_of_latents_in_order(latent_std):
    blocks = sample_blocks(generate, 3, 1, 2, 4, latent_std)
    for block in range(2):
        assert np.array_equal(next(blocks), generate(draw_latents(1, 2, 4, block, 3, latent_std), 2))
    assert np.array_equal(next(sample_blocks(generate, 3, 0, 0, 0)), generate(draw_latents(0, 0, 0, 0, 3), 0))


def test_the_standard_deviation_of_latents_is_from_1_to_3():
    for latent_std in (1, 3):
        check_option(FilterOptions, "latent_std", latent_std)
    for latent_std in (0.99, 3.01, float("nan")):
        with pytest.raises(
            ValueError, match=rf"--latent-std should be in the range \[1, 3\]. Got {latent_std} instead"
        ):
            check_option(FilterOptions, "latent_std", latent_std)


def test_a_block_that_ends_behind_the_last_image_counts_up_to_it():
    bright = np.flatnonzero(generate(draw_latents(0, 0, 0, 0, 3), 0)[:, 0, 0, 0] >= 128)
    assert bright[-1] < BLOCK_SIZE - 1  # so that some are dark behind the last one
    assert sample(len(bright))[2] == {"candidates": bright[-1] + 1, "dark": bright[-1] + 1 - len(bright)}


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("discriminator", "Use --filter none or a higher --keep"),
        ("duplicate", "Train longer, or use --duplicate-distance 0"),
        ("density-ratio", "Use --filter none"),
        ("classifier", "Train longer, or use --filter none or a lower --min-probability"),
    ],
)
def test_the_advice_is_that_of_the_most_frequent_reason(reason, advice):
    def keep_none(images, class_index, accepted):
        return np.where(np.arange(len(images)) < 100, "rare", reason), np.zeros(len(images))

    with pytest.raises(SamplingError, match=rf"of 5 asked\. {advice}\.$"):
        sample(5, sieve=keep_none)


@pytest.mark.parametrize(
    ("rows", "candidates"), [(5, 21 * BLOCK_SIZE), (128, 45 * BLOCK_SIZE), (1000, 216 * BLOCK_SIZE)]
)
def test_a_filter_that_rejects_everything_fails_with_the_acceptance_rate(rows, candidates):
    """After the blocks that hold 20 of them and 50 candidates a row: 5,120 + 250, 5,120 + 50,000."""

    def keep_none(images, class_index, accepted):
        return np.full(len(images), "classifier"), np.zeros(len(images))

    message = rf"accepted 0 of {candidates} candidates \(0.00%; rejected: classifier {candidates}\), of {rows}"
    with pytest.raises(SamplingError, match=message):
        sample(rows, sieve=keep_none)
    assert (BLOCK_SIZE, CALIBRATION_SHARD) == (256, 2**32 - 1)  # all images and thresholds that were ever made
