"""Networks that were trained on other pictures, as those of keras.applications on ImageNet, and their features."""

import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

from common.errors import RequestError, describe_cause

Shape = tuple[int, ...]
Report = Callable[[str], object]
OTHER_PICTURES = "pretrained"  # the name of what build_pretrained_judge builds
_SUFFIX = ".keras"  # of a network that is given as a file
_INCEPTION_SIZE = 299
_MEASURING_SIZE = 224  # pixels of the images for the others, as they were trained
_JUDGING_SIZES = (64, 128)  # least and most: with 224 a GAN would train a tenth of the steps
_REDUCTIONS = (4, 8, 16, 32)  # of the maps that a second discriminator sees
_CELLS = 4  # of these maps along each side, at most
_DEVIATION = 0.2  # of what a second discriminator sees, within an image: about that of the features of a `cnn`


def build_measuring_network(
    name: str, image_shape: Shape, weights: str | Path | None = None, report: Report = print
) -> keras.Model:
    """Build images [N, H, W, C] in [-1, 1] -> pooled features [N, D], at the size that the network was trained at.

    name: "inception", InceptionV3 on images that are resized as published distances have it; any network of
    keras.applications, with the weights of ImageNet or of the file `weights`; or a .keras file, whose network takes
    images [N, H, W, 3] of 0..255. Raises RequestError for an unknown name, and where the weights can't be had.
    """
    image = keras.Input(image_shape)
    if name == "inception":
        x = _ResizeAsIn2015(_INCEPTION_SIZE)(_to_colour(image))
        return keras.Model(image, _load_application("InceptionV3", weights or "imagenet", report, _INCEPTION_SIZE)(x))
    network, prepare = _load(name, weights or "imagenet", report)
    size = network.input_shape[1] or _MEASURING_SIZE
    return keras.Model(image, network(prepare(_resize(image, size))))


def build_pretrained_judge(
    name: str, image_shape: Shape, report: Report = print, *, trained: bool = True
) -> keras.Model:
    """Build images [N, H, W, C] in [-1, 1] -> features [N, M + D] of a network for the training of a GAN.

    name: of keras.applications, or a .keras file, as of build_measuring_network. trained: with its weights. The layer
    called features has the D pooled ones. The M before them are the maps at a quarter to a 32nd of the images' size,
    averaged to at most 4 x 4 cells: at each size the last of the narrowest ones, which are what a stage hands on (Sauer
    et al. 2021, arXiv:2111.01007, section 3.2). At each size, and pooled, they are brought to one mean and deviation in
    the image: a penalty on the gradient of a discriminator knows nothing of their scale. Images are resized to between
    64 and 128 pixels.
    """
    network, prepare = _load(name, "imagenet" if trained else None, report)
    least, most = _JUDGING_SIZES
    size = min(max(least, *image_shape[:2]), most)
    sized = keras.models.clone_model(network, input_tensors=keras.Input((size, size, 3)))
    try:
        sized.set_weights(network.get_weights())
    except ValueError as error:
        raise RequestError(
            f"--judge {name} should average its last maps, so that it takes images of any size. "
            f"Got a network for {network.input_shape[1:]}."
        ) from error
    inner = keras.Model(sized.input, [*_find_maps(sized, size), sized.output])
    image = keras.Input(image_shape, name="image")
    *maps, pooled = inner(prepare(_resize(image, size)))
    cells = [layers.Flatten()(layers.AveragePooling2D(max(1, x.shape[1] // _CELLS))(x)) for x in maps]
    features = layers.Identity(name="features", dtype="float32")(pooled)
    even = [layers.LayerNormalization(center=False, scale=False, dtype="float32")(x) for x in (*cells, features)]
    seen = layers.Rescaling(_DEVIATION, dtype="float32")(layers.Concatenate(dtype="float32")(even))
    judge = keras.Model(image, seen, name=OTHER_PICTURES)
    judge.trainable = False
    return judge


def check_name(name: str, wanted: str = "features should be those of classifier, pixels, inception") -> None:
    """Raise RequestError where no network of keras.applications has this name, and it is no file's.

    wanted: the beginning of the message, what else is allowed there.
    """
    known = [entry for entry in dir(keras.applications) if entry[0].isupper()]
    if name not in known and not name.endswith(_SUFFIX):
        near = ", ".join(get_close_matches(name, known, cutoff=0.4))
        raise RequestError(
            f"{wanted}, a network of keras.applications{f' ({near}?)' if near else ''} or a {_SUFFIX} file. "
            f"Got {name!r:.60} instead."
        )


def add_classes(judge: keras.Model, class_count: int) -> keras.Model:
    """Return the classifier that has a dense layer, called classes, on the features of build_pretrained_judge."""
    dense = layers.Dense(class_count, activation="softmax", name="classes")
    return keras.Model(judge.input, dense(judge.get_layer("features").output))


def _find_maps(network: keras.Model, size: int) -> list[keras.KerasTensor]:
    outputs = [layer.output for layer in network.layers if not isinstance(layer.output, list)]
    found = []
    for side in (size // reduction for reduction in _REDUCTIONS):
        maps = [output for output in outputs if len(output.shape) == 4 and output.shape[1:3] == (side, side)]
        least = min((output.shape[-1] for output in maps), default=0)
        found += [output for output in maps if output.shape[-1] == least][-1:]
    return found


def _to_colour(image: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Concatenate()([image] * 3) if image.shape[-1] == 1 else image


def _resize(image: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Return images in [-1, 1] as [N, size, size, 3] of 0..255."""
    return layers.Rescaling(127.5, 127.5)(layers.Resizing(size, size)(_to_colour(image)))


class _ResizeAsIn2015(layers.Layer):
    """Resizes as the graph of 2015 does, which the published distances use: corners not aligned, no half pixels."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return images [N, size, size, C]."""
        return tf.compat.v1.image.resize_bilinear(images, (self.size, self.size))


def _load(
    name: str, weights: str | Path | None, report: Report
) -> tuple[keras.Model, Callable[[keras.KerasTensor], keras.KerasTensor]]:
    """Return a network, and what makes its input from images of 0..255."""
    if not name.endswith(_SUFFIX):
        network = _load_application(name, weights, report)
        return network, sys.modules[getattr(keras.applications, name).__module__].preprocess_input
    if not Path(name).is_file():
        raise RequestError(f"the network of --features or --judge should be a file. No such: {name}")
    try:
        network = keras.models.load_model(name, compile=False)
        shapes = network.input_shape, network.output_shape
    except Exception as error:  # whatever zipfile, h5py and Keras raise on a damaged file
        raise RequestError(f"{name}: should be a Keras model file. {describe_cause(error)}") from error
    if len(shapes[0]) != 4 or shapes[0][-1] != 3 or len(shapes[1]) != 2:
        raise RequestError(
            f"{name}: should be a network from images (None, H, W, 3) to features (None, D). "
            f"Got one from {shapes[0]} to {shapes[1]}."
        )
    return network, lambda x: x


def _load_application(
    name: str, weights: str | Path | None, report: Report, size: int = _MEASURING_SIZE
) -> keras.Model:
    """Return a network of keras.applications with the weights "imagenet", or of a file, or random ones."""
    check_name(name)
    is_file = weights not in (None, "imagenet")
    if is_file and not Path(str(weights)).is_file():
        raise RequestError(f"--feature-weights should be a file. No such: {weights}")
    if weights == "imagenet":
        report(f"note: the weights of {name} come from Keras' cache, or are downloaded into it")
    build = getattr(keras.applications, name)
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    try:
        return build(weights=weights and str(weights), **options)
    except Exception as error:  # a bare one from the download, others from h5py and Keras
        reason = " ".join(str(error).split())[:200]
        if is_file:
            raise RequestError(
                f"--feature-weights should be those of keras.applications for {name}, without its top. "
                f"Got {weights}: {reason}"
            ) from error
        raise RequestError(
            f"{name} needs the weights of keras.applications without the top, which could not be downloaded "
            f"({reason}): connect once, or give a {_SUFFIX} file."
        ) from error
