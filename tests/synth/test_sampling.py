import numpy as np
import pytest

from synth.errors import SamplingError
from synth.sampling import BLOCK_SIZE, draw_latents, sample_blocks, sample_filtered


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


def test_a_filter_that_rejects_everything_fails_with_the_acceptance_rate():
    def keep_none(images, class_index, accepted):
        return np.full(len(images), "classifier"), np.zeros(len(images))

    with pytest.raises(
        SamplingError, match=r"accepted 0 of 5376 candidates \(0.00%; rejected: classifier 5376\), of 5"
    ):
        sample(5, sieve=keep_none)
    assert 21 * BLOCK_SIZE == 5376
