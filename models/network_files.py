"""Networks on disk: Keras' own files, and packed ones, which are the weights alone in half the precision."""

from functools import partial
from pathlib import Path

import keras
import numpy as np

from synth.errors import RequestError
from synth.files import replacing


def load_network(folder, name, build=None):
    """Open a network of a model folder, not compiled: `name`.keras or, packed, `name`.npz.

    build: callable () -> the network that packed weights go into; by default packed ones are not opened.
    Raises RequestError where there is no such file, and where it can't be read or does not fit.
    """
    loaders = {".keras": partial(keras.models.load_model, compile=False)}
    if build:
        loaders[".npz"] = partial(_load_packed, build)
    for suffix, load in loaders.items():
        path = Path(folder) / f"{name}{suffix}"
        if path.exists():
            try:
                return load(path)
            except Exception as error:  # whatever zipfile, h5py and Keras raise on a damaged file
                message = " ".join(str(error).split())[:200]
                raise RequestError(
                    f"{path}: should be a Keras model file or its packed weights. ({message})"
                ) from error
    raise RequestError(f"{folder}: should be a finished run's folder. No {name}.keras there.")


def save_packed(path, network):
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


def _load_packed(build, path):
    network = build()
    with np.load(path) as archive:
        network.set_weights([archive[f"arr_{k}"] for k in range(len(archive.files))])
    return network
