import keras
import numpy as np
import pytest
import tensorflow as tf

from models import diffaugment
from models.diffaugment import AUGMENTATIONS, augment, parse_augmentations

IMAGE = tf.reshape(tf.range(16.0), (1, 4, 4, 1))


def test_translation_shifts_and_repeats_the_border():
    shifted = diffaugment.apply_translation(IMAGE, tf.constant([[1, -1]]))
    assert shifted[0, :, :, 0].numpy().tolist() == [[1, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]


def test_cutout_blanks_a_square_around_the_centre():
    cut = diffaugment.apply_cutout(tf.ones((1, 8, 8, 1)), tf.constant([[0.5, 0.0]]))
    blank = np.argwhere(cut[0, :, :, 0].numpy() == 0)
    assert blank.min(axis=0).tolist() == [3, 0]
    assert blank.max(axis=0).tolist() == [5, 1]


def test_brightness_and_contrast_change_mean_and_spread():
    brighter = diffaugment.apply_brightness(IMAGE, tf.constant([0.25]))
    assert np.allclose(brighter, IMAGE + 0.25)
    flatter = diffaugment.apply_contrast(IMAGE, tf.constant([0.5]))
    assert np.mean(flatter) == pytest.approx(7.5)
    assert np.std(flatter) == pytest.approx(np.std(IMAGE) / 2)


def test_saturation_moves_the_channels_of_a_pixel_around_their_mean_and_leaves_grey_alone():
    images = tf.constant([[[[0.0, 0.3, 0.6], [0.5, 0.5, 0.5]]]])
    changed = [diffaugment.apply_saturation(images, tf.constant([factor])) for factor in (0.0, 1.0, 2.0)]
    assert np.allclose(changed[0], [[[[0.3] * 3, [0.5] * 3]]])
    assert np.allclose(changed[1], images)
    assert np.allclose(changed[2], [[[[-0.3, 0.3, 0.9], [0.5] * 3]]])
    assert np.allclose(diffaugment.apply_saturation(IMAGE, tf.constant([2.0])), IMAGE)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_reach_the_generator_and_images_differ(name):
    images = tf.Variable(tf.random.normal((6, 16, 12, 3), seed=1))
    seeds = keras.random.SeedGenerator(0)
    with tf.GradientTape() as tape:
        augmented = augment(images, (name,), seeds)
        total = tf.reduce_sum(augmented**2)
    assert augmented.shape == images.shape
    assert float(tf.reduce_max(tf.abs(tape.gradient(total, images)))) > 0
    changes = tf.reduce_max(tf.abs(augmented - images), axis=(1, 2, 3)).numpy()
    assert (changes > 0).sum() >= 4
    assert not np.allclose(augment(images, (name,), seeds), augmented)


def test_shifts_are_whole_pixels_up_to_an_eighth():
    shifts = diffaugment.draw_translation(tf.constant([1000, 32, 16, 1]), keras.random.SeedGenerator(0)).numpy()
    assert np.abs(shifts).max(axis=0).tolist() == [4, 2]


def test_names_are_parsed():
    assert parse_augmentations("translation, cutout") == ("translation", "cutout")
    assert parse_augmentations("none") == parse_augmentations("") == ()
    with pytest.raises(ValueError, match="--diffaugment should name some of translation, .* Got 'flip' instead"):
        parse_augmentations("flip")
