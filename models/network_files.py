"""Networks on disk: Keras' own files, and packed ones, which are the weights alone in half the precision."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from common.errors import RequestError, describe_cause
from common.files import replacing
from common.run_files import load_arrays
from common.run_folder import ModelFolder
from models.classifier import NETWORKS, build_classifier

Shape = tuple[int, ...]
Shapes = tuple[Sequence[Shape | None], Shape]  # of the inputs and the output, without the batch
ANY = None  # stands for a shape that may be any
_ADVICE = "Restore it, or remove it: the command that trained the run, given again, makes it anew."


def load_network(
    folder: str | Path,
    name: str,
    build: Callable[[], keras.Model] | None = None,
    shapes: Shapes | None = None,
    class_count: int = 0,
) -> keras.Model:
    """Open a network of a model folder, not compiled.

    build: callable () -> the network that packed weights go into; by default packed ones are not opened.
    shapes: (those of the inputs, that of the output), without the batch, that it should have; ANY leaves one open.
    class_count: the number of labels that it should know, where it is conditional.
    Raises RequestError where there is no such file, and where it can't be read or does not fit.
    """
    path = ModelFolder(folder).find_network(name)
    if path is None or (path.suffix == ".npz" and build is None):
        raise RequestError(
            f"{folder}: should be a finished run's folder. No {name}.keras there: "
            "the command that trained the run, given again, makes it anew."
        )
    try:
        fresh = build() if build is not None and path.suffix == ".npz" else None
        network = keras.models.load_model(path, compile=False) if fresh is None else _load_packed(fresh, path)
        given = ([tensor.shape[1:] for tensor in network.inputs], network.output.shape[1:])
        is_finite = all(np.isfinite(array).all() for array in network.get_weights())
    except Exception as error:  # whatever zipfile, h5py and Keras raise on a damaged file
        raise RequestError(
            f"{path}: should be a Keras model file or its packed weights. {describe_cause(error)} {_ADVICE}"
        ) from error
    if not is_finite:
        raise RequestError(f"{path}: weights should be finite. Got NaN or infinity. {_ADVICE}")
    _check_shapes(path, given, shapes)
    _check_labels(path, network, class_count)
    return network


def load_classifier(
    folder: str | Path, name: str, image_shape: Shape, class_count: int, kind: str = "cnn"
) -> keras.Model:
    """Open a classifier of a model folder for these images and classes; RequestError as of load_network.

    kind: its name in models.classifier.build_classifier; of any other kind may be what has the layers of
    models.feature_networks.add_classes.
    """
    if kind not in NETWORKS:
        network, expected = load_network(folder, name, shapes=([image_shape], (class_count,))), {"features", "classes"}
        fits = expected <= {layer.name for layer in network.layers}
    else:
        fresh = build_classifier(image_shape, class_count, kind)
        network = load_network(folder, name, lambda: fresh)
        weights = [[tuple(weight.shape) for weight in of.weights] for of in (network, fresh)]
        fits = weights[0] == weights[1] and "features" in {layer.name for layer in network.layers}
    if not fits:
        raise RequestError(
            f"{ModelFolder(folder).find_network(name)}: should be the classifier {kind} of {class_count} classes of "
            f"{image_shape} images. It is another network. {_ADVICE}"
        )
    return network


def save_packed(path: Path, network: keras.Model) -> None:
    """Write the weights of a network to `path` (.npz) as float16: `arr_0`, `arr_1`, ... in Keras' order.

    There is no configuration: older versions of Keras can't read that of newer ones.
    Raises RequestError for a weight that float16 can't hold: not finite, or beyond 65,504.
    """
    halves = []
    for variable, values in zip(network.weights, network.get_weights(), strict=True):
        with np.errstate(over="ignore"):
            halves.append(values.astype(np.float16))
        if not np.isfinite(halves[-1]).all():
            raise RequestError(
                f"{variable.path}: weights should be in the range of float16, up to 65504. "
                f"Got {np.abs(values).max():g} instead."
            )
    with replacing(path) as temporary:
        np.savez_compressed(temporary, *halves)


def _load_packed(network: keras.Model, path: Path) -> keras.Model:
    arrays = load_arrays(path)
    network.set_weights([arrays[f"arr_{k}"] for k in range(len(arrays))])
    return network


def _check_shapes(path: Path, given: Shapes, shapes: Shapes | None) -> None:
    """Raise RequestError where (shapes of the inputs, shape of the output) are not as wanted."""
    if shapes is None:
        return
    (given_inputs, given_output), (inputs, output) = given, shapes
    fits = len(given_inputs) == len(inputs) and given_output == output
    if not fits or not all(wanted in (ANY, has) for wanted, has in zip(inputs, given_inputs, strict=True)):
        wanted = ", ".join("any" if shape is ANY else str(shape) for shape in inputs)
        has = ", ".join(map(str, given_inputs))
        raise RequestError(
            f"{path}: should be a network from {wanted} to {output}. Got one from {has} to {given_output}. {_ADVICE}"
        )


def _check_labels(path: Path, network: keras.Model, class_count: int) -> None:
    """Raise RequestError where an embedding of the label does not have a row for each class."""
    for weight in network.weights if class_count else ():
        if weight.path.endswith("embeddings") and weight.shape[0] != class_count:
            raise RequestError(
                f"{path}: should know {class_count} classes. It knows {weight.shape[0]} instead. {_ADVICE}"
            )
