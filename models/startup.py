"""Start TensorFlow without its native notes on the terminal."""

import os
import sys
import tempfile


def import_tensorflow():
    """Import TensorFlow and Keras; their native start-up notes are held back, and shown if the import fails.

    The notes go to the file descriptor before any Python setting counts, so the import itself is wrapped.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for what comes after the import
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow

            tensorflow.get_logger().setLevel("ERROR")  # no notes on what is deprecated inside packages
        except Exception:
            notes.seek(0)
            os.write(terminal, notes.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    if tensorflow.__version__.startswith("2.20."):  # its remapper fails on a GAN's step and says so on the terminal
        tensorflow.config.optimizer.set_experimental_options({"remapping": False})


def load_data(config, inherited=None):
    """Load the data set that a script's config names, or else, without `data`, as the arguments `inherited` say."""
    from synth.datasets import REQUEST, load_dataset

    given = {name: getattr(config, name, None) for name in REQUEST if name != "seed"}
    given = {name: value for name, value in given.items() if value is not None}
    inherited = inherited if inherited and config.data is None else {}
    return load_dataset(**{"seed": config.seed, **inherited, **given}, download=download_standard_set)


def download_standard_set(name):
    """Load "mnist" or "fashion_mnist" through Keras: (x_train, y_train), (x_test, y_test); OSError where it can't."""
    import_tensorflow()
    import keras

    try:
        return getattr(keras.datasets, name).load_data()
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        raise OSError(" ".join(str(error).split())) from error
