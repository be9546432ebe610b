"""A second discriminator, which sees images through a network that does not change (Projected GANs).

Sauer et al. 2021, arXiv:2111.01007: a discriminator on the features of such a network, here a classifier of the same
train images or a network of other pictures, makes the generator match what matters to classifiers, and sooner.
"""

import keras
from keras import layers

from models.classifier import build_classifier
from models.dcgan import build_logit
from models.feature_networks import OTHER_PICTURES

_WIDTH = 256


def build_frozen_features(classifier: keras.Model) -> keras.Model:
    """Build images [N, H, W, C] in [-1, 1] -> features float32 [N, D] with the weights of a classifier, which stay.

    The features are the last maps, flattened, and the layer's that is called features. Maps which that one averages are
    halved first. It calculates in the present Keras policy, whatever that of `classifier` is. One of
    models.feature_networks gives its features as it is.
    """
    if classifier.name == OTHER_PICTURES:
        return classifier
    copy = build_classifier(classifier.input_shape[1:], classifier.output_shape[-1], classifier.name)
    copy.set_weights(classifier.get_weights())
    dense = copy.get_layer("features")
    maps = copy.layers[copy.layers.index(dense) - 1].output
    if len(maps.shape) == 4:
        maps = layers.Flatten()(layers.AveragePooling2D(2)(maps))
    frozen = keras.Model(copy.input, layers.Concatenate(dtype="float32")([maps, dense.output]), name="frozen_features")
    frozen.trainable = False
    return frozen


def build_feature_discriminator(dimensions: int, class_count: int = 0) -> keras.Model:
    """Build features [N, dimensions] (+ label int [N] if class_count > 0) -> logit [N], in float32.

    Two dense layers, and the class projection of models.dcgan.build_discriminator.
    """
    features = keras.Input((dimensions,), name="features")
    label = keras.Input((), dtype="int32", name="label") if class_count else None
    x = features
    for _ in range(2):
        dense = layers.Dense(_WIDTH, kernel_initializer="he_normal", dtype="float32")
        x = layers.LeakyReLU(negative_slope=0.2, dtype="float32")(dense(x))
    inputs = [features, label] if class_count else [features]
    return keras.Model(inputs, build_logit(x, label, class_count), name="feature_discriminator")
