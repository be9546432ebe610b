"""Repairs the import of TF-GAN 2.1.0 on current TensorFlow; nothing else.

TF-GAN (2021) wants tf.estimator, gone since TensorFlow 2.16, and through tensorflow_hub pkg_resources, gone since
setuptools 82. Neither is used by its losses and metrics, so empty stand-ins are put in place before the import.
"""

import importlib
import sys
import warnings
from types import ModuleType
from typing import Any

import tensorflow as tf


def import_tfgan() -> Any:
    """Return the module tensorflow_gan.

    Raises ImportError, in one line that names what to install, where TF-GAN can't be imported.
    """
    if "tensorflow_gan" in sys.modules:
        return sys.modules["tensorflow_gan"]
    estimator: Any = ModuleType("tensorflow.estimator")
    estimator.SessionRunHook = type("SessionRunHook", (), {})
    stand_ins = {"tensorflow_gan.python.estimator": ModuleType("tensorflow_gan.python.estimator")}
    if not _imports_cleanly("tensorflow_hub"):
        stand_ins["tensorflow_hub"] = ModuleType("tensorflow_hub")
    has_estimator = hasattr(tf, "estimator")
    if not has_estimator:
        tf.estimator = estimator
    sys.modules.update(stand_ins)
    try:
        with warnings.catch_warnings(action="ignore"):  # of 2021's code on today's packages
            return importlib.import_module("tensorflow_gan")
    except ImportError as error:
        for name in [*stand_ins, *(name for name in sys.modules if name.partition(".")[0] == "tensorflow_gan")]:
            sys.modules.pop(name, None)
        if not has_estimator:
            del tf.estimator
        raise ImportError(
            f"TF-GAN can't be imported ({error}): pip install tensorflow-gan tf_keras setuptools"
        ) from error


def _imports_cleanly(name: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            importlib.import_module(name)
    except ImportError:
        return False
    return True
