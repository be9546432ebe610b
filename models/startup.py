"""Start TensorFlow without its native notes on the terminal.

Here both are imported within functions: the scripts import this module to show their flags, and the order matters.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.cores import count_cores
from common.errors import RequestError, describe_cause
from common.executors import check_work, choose_threads, list_notes
from common.output_folder import check_inputs, read_threads
from common.run_options import WorkOptions
from common.worker_setup import do_nothing


def import_tensorflow() -> None:
    """Import TensorFlow, and Keras with the settings that the networks need, whatever keras.json says.

    Raises RequestError where Keras runs on another backend already, or can't read its keras.json.
    """
    backend = sys.modules["keras"].config.backend() if "keras" in sys.modules else "tensorflow"
    if backend != "tensorflow":
        raise RequestError(
            f"Keras should run on TensorFlow. It runs on {backend} here: restart Python (the notebook's kernel), "
            "with KERAS_BACKEND=tensorflow set before Keras is first imported."
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"  # counts before keras.json
    if "tensorflow" not in sys.modules:
        _import_quietly()
    _import_keras()
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


def _import_quietly() -> None:
    """Import both; their native start-up notes are held back, and shown if the import fails.

    The notes go to the file descriptor before any Python setting counts, so the import itself is wrapped.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for what comes after the import
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            _import_keras()
            import tensorflow

            tensorflow.get_logger().setLevel("ERROR")  # no notes on what is deprecated inside packages
        except RequestError:
            raise
        except Exception:
            notes.seek(0)
            os.write(terminal, notes.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    if tensorflow.__version__.startswith("2.20."):  # its remapper fails on a GAN's step and says so on the terminal
        tensorflow.config.optimizer.set_experimental_options({"remapping": False})


def _import_keras() -> None:
    settings = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    try:
        import keras  # noqa: F401
    except (AssertionError, AttributeError, OSError, TypeError, ValueError) as error:  # of settings that it refuses
        if not settings.exists():
            raise
        cause = describe_cause(error)
        raise RequestError(f"{settings}: should be Keras' settings. Correct or remove it. {cause}") from error


@dataclass(frozen=True)
class Started:
    """How a run was started: the threads that TensorFlow computes in, and the command that makes it again."""

    threads: int
    command: str

    @property
    def computing(self) -> dict[str, int]:
        """What the last digits of sums depend on, and is recorded: threads, and GPUs where there are any."""
        import tensorflow as tf

        gpus = len(tf.config.get_visible_devices("GPU"))
        return {"threads": self.threads} | ({"gpus": gpus} if gpus else {})


def start(out: str | Path, inputs: dict[str, Any], report: Callable[[str], object], work: WorkOptions) -> int:
    """Import TensorFlow, and return how many threads it computes in.

    Raises RequestError before that for inputs {flag: paths} that lie in the output folder, and for work that can't be
    shared as it is asked for; after it, for more GPUs than there are.
    """
    check_inputs(out, inputs)
    check_work(work)
    import_tensorflow()
    show_gpus(work.gpus, report)
    return set_threads(out, report, work)


def start_worker(threads: int) -> None:
    """Import TensorFlow in a process that does a share of the work, with one GPU at most and so many threads."""
    import_tensorflow()
    show_gpus(None, do_nothing)
    compute_in(threads)


def show_gpus(wanted: int | None, report: Callable[[str], object]) -> None:
    """Let TensorFlow see so many GPUs, one if None, and take their memory as it needs it.

    Where it has begun (an earlier call in a notebook) it keeps those that it has, and `report` (a callable) is told if
    others were asked for. RequestError where there are fewer.
    """
    import tensorflow as tf

    there = tf.config.list_physical_devices("GPU")
    if wanted and wanted > len(there):
        raise RequestError(f"--gpus should be at most {len(there)}, as many as there are here. Got {wanted} instead.")
    if not there:
        return
    with suppress(RuntimeError):  # it has begun
        tf.config.set_visible_devices(there[: wanted or 1], "GPU")
    shown = tf.config.get_visible_devices("GPU")
    for gpu in shown:
        with suppress(RuntimeError, ValueError):  # it has begun
            tf.config.experimental.set_memory_growth(gpu, True)
    if wanted and wanted != len(shown):
        report(f"note: TensorFlow has begun with {len(shown)} GPUs and goes on with them: restart Python for {wanted}")


def set_threads(out: str | Path, report: Callable[[str], object], work: WorkOptions) -> int:
    """Compute in as many threads as the run in `out` has recorded, or as common.executors.choose_threads says.

    Returns their number. The last digits of sums, and so pixels, depend on it. Where TensorFlow has begun with another
    number (an earlier call in a notebook), `report` (a callable) is told. RequestError where the run has another number
    than is asked for.
    """
    recorded = read_threads(out)
    if recorded and work.threads and recorded != work.threads:
        raise RequestError(f"--threads should be {recorded}, as {out} was begun with. Got {work.threads} instead.")
    wanted = recorded or choose_threads(work)
    threads = compute_in(wanted)
    for note in list_notes(work, threads):
        report(note)
    if recorded and threads != recorded:
        report(f"note: {out} was begun with {recorded} threads and goes on with {threads}: bytes may differ")
    elif work.threads and threads != wanted:
        report(f"note: TensorFlow has begun with {threads} threads and goes on with them: restart Python for {wanted}")
    return threads


def compute_in(threads: int) -> int:
    """Have TensorFlow compute in so many threads, if it has not begun yet; return the number that it has."""
    import tensorflow as tf

    with suppress(RuntimeError):  # it has begun
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return tf.config.threading.get_intra_op_parallelism_threads() or count_cores()


def download_standard_set(name: str) -> Any:
    """Load "mnist" or "fashion_mnist" through Keras: (x_train, y_train), (x_test, y_test); OSError where it can't."""
    import_tensorflow()
    import keras

    try:
        return getattr(keras.datasets, name).load_data()
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        raise OSError(" ".join(str(error).split())) from error
