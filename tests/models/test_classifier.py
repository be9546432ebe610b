from unittest.mock import MagicMock

import keras
import numpy as np
import pytest

from models import callbacks, classifier
from models.classifier import (
    build_augmentation,
    build_classifier,
    build_feature_extractor,
    compile_classifier,
    compute_accuracy,
    fit_classifier,
)
from tasks.prediction_options import CLASSIFIERS
from tests.conftest import make_images


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 24, 3)])
def test_classifiers_give_probabilities_and_features(name, shape):
    classifier = build_classifier(shape, 3, name)
    images = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    assert np.allclose(np.sum(classifier(images), axis=1), 1, atol=1e-5)
    assert build_feature_extractor(classifier)(images).shape[0] == 4


def test_the_published_network_layer_by_layer():
    classifier = build_classifier((28, 28, 1), 10)
    assert [layer.name.rstrip("_0123456789") for layer in classifier.layers] == [
        "image", "conv2d", "max_pooling2d", "conv2d", "max_pooling2d", "flatten", "features", "dense",
    ]  # fmt: skip
    assert classifier.count_params() == 320 + 18_496 + 204_928 + 1_290


def test_resnet20_has_the_weights_of_the_paper_and_a_stem_that_follows_the_size():
    classifier = build_classifier((32, 32, 3), 10, "resnet20")
    kernels = [layer.kernel.shape for layer in classifier.layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels == [(3, 3, 3, 16)] + 6 * [(3, 3, 16, 16)] + [(3, 3, 16, 32)] + 5 * [(3, 3, 32, 32)] + [
        (3, 3, 32, 64)
    ] + 5 * [(3, 3, 64, 64)]
    assert sum(int(np.prod(weight.shape)) for weight in classifier.trainable_weights) == 269_722  # 0.27 M there
    assert build_feature_extractor(classifier).output_shape == (None, 64)
    for side, inner in [(28, 28), (32, 32), (64, 32), (100, 34), (128, 32)]:
        layers = build_classifier((side, side, 3), 10, "resnet20").layers
        assert [layer.output.shape[1:] for layer in layers if isinstance(layer, keras.layers.Add)][::3] == [
            (inner, inner, 16), (inner // 2, inner // 2, 32), (-(-inner // 4), -(-inner // 4), 64),
        ]  # fmt: skip


def test_the_shortcut_of_a_wider_block_is_every_other_pixel_and_zeros():
    classifier = build_classifier((32, 32, 3), 10, "resnet20")
    silent = [layer for layer in classifier.layers if isinstance(layer, keras.layers.Conv2D)][1:]
    for layer in silent:
        layer.kernel.assign(0 * layer.kernel)
    stem, *_, last = [layer.output for layer in classifier.layers if isinstance(layer, keras.layers.ReLU)]
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    first, deepest = keras.Model(classifier.input, [stem, last])(image)
    assert np.allclose(deepest[..., :16], first[:, ::4, ::4], atol=1e-6)
    assert not np.any(deepest[..., 16:])


@pytest.mark.slow
def test_resnet20_learns():
    images, labels = make_images(160, shape=(16, 16, 3))
    keras.utils.set_random_seed(0)
    classifier = build_classifier(images.shape[1:], 2, "resnet20")
    compile_classifier(classifier, keras.optimizers.Adam(1e-3))
    inputs = images / np.float32(127.5) - 1
    classifier.fit(inputs[:120], labels[:120], 16, epochs=3, verbose=0)
    assert compute_accuracy(classifier, images[120:], labels[120:]) == 1


def test_flips_mirror_half_of_the_images_and_change_nothing_else():
    images = np.random.default_rng(0).uniform(-1, 1, (64, 6, 6, 3)).astype(np.float32)
    moved = np.asarray(build_augmentation(0, classic=False, flip=True)(images, training=True))
    changed = (moved != images).any(axis=(1, 2, 3))
    assert np.array_equal(moved, np.where(changed[:, None, None, None], images[:, :, ::-1], images))
    assert 0.3 < changed.mean() < 0.7
    assert build_augmentation(0, classic=False, flip=False) is None


def test_a_classifier_of_mirrored_images_knows_both_sides():
    images = np.zeros((64, 12, 12, 3), np.uint8)
    labels = np.arange(64) % 2
    images[labels == 1, :, :6] = 200
    images[labels == 0, :6] = 200
    mirrored = images[:, :, ::-1]
    accuracies = [
        compute_accuracy(fit_classifier(images, labels, 2, epochs=30, batch_size=8, flip=flip), mirrored, labels)
        for flip in (False, True)
    ]
    assert accuracies[1] == 1 > accuracies[0]


def test_augmentation_moves_images_but_never_mirrors_them():
    image = np.full((1, 28, 28, 1), -1, np.float32)
    image[:, 4:24, 6:9] = 1  # a bar on the left
    augmentations = [build_augmentation(seed, classic=True, flip=False) for seed in range(20)]
    moved = np.concatenate([augmentation(image, training=True) for augmentation in augmentations])
    assert np.abs(moved - image).max(axis=(1, 2, 3)).min() > 0.1
    centres = (moved > 0).argmax(axis=2).max(axis=(1, 2))
    assert (centres < 14).all()
    assert moved.min() >= -1.001
    assert moved.max() <= 1.001


@pytest.mark.slow
def test_fit_classifier_learns():
    images, labels = make_images(160)
    classifier = fit_classifier(images, labels, 2, epochs=2, batch_size=16)
    assert (np.argmax(classifier(images / np.float32(127.5) - 1), axis=1) == labels).all()
    assert float(classifier.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.slow
def test_the_rate_of_fit_classifier_falls_to_zero():
    images, labels = make_images(70)
    classifier = fit_classifier(images, labels, 2, epochs=2, batch_size=16, rate_decay="cosine")
    assert float(classifier.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_the_bar_of_fit_classifier_counts_every_step(monkeypatch):
    bar = MagicMock()
    open_bar = MagicMock(return_value=bar)
    monkeypatch.setattr(callbacks, "open_bar", open_bar)
    images, labels = make_images(160)
    fit_classifier(images, labels, 2, epochs=2, batch_size=16, title="judge")  # eight steps a call, then two
    assert open_bar.call_args.kwargs == {"quiet": False, "total": 20, "desc": "judge", "unit": "step"}
    assert [call.args[0] for call in bar.update.call_args_list] == [8, 2, 8, 2]


def test_few_images_are_repeated_in_an_epoch(monkeypatch):
    monkeypatch.setattr(classifier, "_FEW_IMAGES", 100)
    images, labels = make_images(40)
    once, repeated = (fit_classifier(images, labels, 2, epochs=1, batch_size=20, repeat_few=few) for few in (0, 1))
    assert [int(fitted.optimizer.iterations) for fitted in (once, repeated)] == [2, 5]
    assert [classifier.count_epoch_images(count) for count in (10, 99, 101)] == [80, 100, 101]


@pytest.mark.slow
@pytest.mark.parametrize(("rare", "weights"), [(60, None), (20, {0: 0.6, 1: 3.0})])
def test_rare_classes_have_as_much_say(rare, weights, monkeypatch):
    images, labels = make_images(200)
    keep = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:rare]])
    given, fit = [], keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda self, *a, class_weight, **o: given.append(class_weight) or fit(self, *a, **o)
    )
    fit_classifier(images[keep], labels[keep], 2, epochs=1)
    assert given == [weights]
