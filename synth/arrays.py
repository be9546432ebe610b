"""Read NumPy's files, whatever state they are in."""

import warnings

import numpy as np

from synth.errors import RequestError


def load_array(path):
    """Read an .npy; it is never unpickled. RequestError names the file that can't be read."""
    return _load(path, "NumPy file (.npy)", np.ndarray, lambda stored: stored)


def load_arrays(path):
    """Read an .npz as {name: array}; it is never unpickled. RequestError names the file that can't be read."""
    return _load(path, "NumPy archive (.npz)", np.lib.npyio.NpzFile, dict)


def _load(path, kind, stored_type, take):
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error")  # what NumPy only warns of is no file of this project either
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, stored_type):
                raise TypeError("it is another kind of file")
            return take(stored)
    except Exception as error:  # whatever zipfile, zlib, tokenize and NumPy raise on a damaged file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise RequestError(f"{path}: should be a readable {kind}. ({reason})") from error
