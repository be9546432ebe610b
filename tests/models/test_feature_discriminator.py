import keras
import numpy as np

from models.classifier import build_classifier, build_feature_extractor
from models.feature_discriminator import build_feature_discriminator, build_frozen_features


def test_frozen_features_are_the_classifiers_maps_and_dense_layer():
    classifier = build_classifier((12, 14, 3), 4)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 12, 14, 3)).astype(np.float32)
    frozen = build_frozen_features(classifier)
    pooled = keras.Model(classifier.input, classifier.layers[4].output)(images)
    features = np.asarray(frozen(images))
    count = int(np.prod(pooled.shape[1:]))
    assert np.allclose(features[:, :count], np.reshape(pooled, (5, count)), atol=1e-6)
    assert np.allclose(features[:, count:], build_feature_extractor(classifier)(images), atol=1e-6)
    assert not frozen.trainable_variables
    assert classifier.trainable_variables


def test_frozen_features_of_a_residual_network_are_its_last_maps_halved_and_their_mean():
    classifier = build_classifier((32, 32, 3), 4, "resnet20")
    images = np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32)
    features = np.asarray(build_frozen_features(classifier)(images))
    assert features.shape == (5, 4 * 4 * 64 + 64)
    assert np.allclose(features[:, -64:], build_feature_extractor(classifier)(images), atol=1e-5)
    assert np.allclose(features[:, :-64].reshape(5, 16, 64).mean(axis=1), features[:, -64:], atol=1e-5)


def test_the_label_decides_the_logit_of_features():
    features = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    discriminator = build_feature_discriminator(6, class_count=2)
    logits = [np.asarray(discriminator([features, np.full(3, k, np.int32)])) for k in (0, 1)]
    assert logits[0].shape == (3,)
    assert not np.allclose(logits[0], logits[1])
    assert build_feature_discriminator(6)([features]).shape == (3,)
