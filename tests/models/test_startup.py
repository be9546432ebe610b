import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from common.files import mark_folder
from common.run_options import WorkOptions
from models import startup
from models.startup import download_standard_set, import_tensorflow, set_threads, show_gpus

CHECK = """
from models.startup import download_standard_set, import_tensorflow, set_threads
from common.files import mark_folder
import_tensorflow()
import keras
print(keras.config.backend(), keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format())
print(keras.config.dtype_policy().name, keras.Variable([1.0]).dtype)
"""


def start(home, settings):
    (home / "keras.json").write_text(settings)
    environment = os.environ | {"KERAS_HOME": str(home), "KERAS_BACKEND": "jax"}
    root = Path(__file__).resolve().parents[2]
    return subprocess.run([sys.executable, "-c", CHECK], cwd=root, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_the_settings_of_keras_do_not_decide(tmp_path):
    wrong = {"backend": "torch", "floatx": "float64", "epsilon": 0.5, "image_data_format": "channels_first"}
    process = start(tmp_path, json.dumps(wrong))
    assert process.stdout.split() == ["tensorflow", "float32", "1e-07", "channels_last", "float32", "float32"]
    assert process.stderr == ""


@pytest.mark.slow
def test_settings_that_keras_refuses_are_named(tmp_path):
    process = start(tmp_path, '["no settings"]')
    last = process.stderr.splitlines()[-1]
    assert f"RequestError: {tmp_path}/keras.json: should be Keras' settings. Correct or remove it." in last


def test_keras_on_another_backend_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax")))
    with pytest.raises(ValueError, match="It runs on jax here: restart Python .*KERAS_BACKEND=tensorflow"):
        import_tensorflow()


def test_as_many_threads_as_the_run_was_begun_with(tmp_path):
    """TensorFlow has begun here, so that its number stays; what it should have been is said."""
    lines = []
    threads = set_threads(tmp_path, lines.append, WorkOptions())
    assert (threads >= 1, lines) == (True, [])
    mark_folder(tmp_path, "generate_data.py", {"threads": threads + 1})
    tf.config.list_logical_devices()
    assert set_threads(tmp_path, lines.append, WorkOptions()) == threads
    assert lines == [
        f"note: {tmp_path} was begun with {threads + 1} threads and goes on with {threads}: bytes may differ"
    ]


@pytest.fixture
def cards(monkeypatch):
    """A machine with the GPUs a and b, as tf.config tells of it: what is visible, and whose memory grows."""
    state = SimpleNamespace(visible=["a", "b"], growing=[])
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpus, kind: setattr(state, "visible", gpus))
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: state.visible)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grow: state.growing.append(gpu))
    return state


@pytest.mark.parametrize(("wanted", "shown"), [(None, ["a"]), (1, ["a"]), (2, ["a", "b"])])
def test_one_gpu_is_used_unless_more_are_asked_for(cards, wanted, shown):
    lines = []
    show_gpus(wanted, lines.append)
    assert (cards.visible, cards.growing, lines) == (shown, shown, [])


def test_more_gpus_than_there_are_are_refused(cards, monkeypatch):
    with pytest.raises(ValueError, match=r"^--gpus should be at most 2, as many as there are here\. Got 3 instead\.$"):
        show_gpus(3, print)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    show_gpus(None, print)
    with pytest.raises(ValueError, match="--gpus should be at most 0"):
        show_gpus(1, print)


def test_threads_and_gpus_are_recorded(cards, monkeypatch):
    assert startup.Started(3, "").computing == {"threads": 3, "gpus": 2}
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    assert startup.Started(3, "").computing == {"threads": 3}


def test_gpus_stay_as_tensorflow_has_begun(cards, monkeypatch):
    def refuse(gpus, kind):
        raise RuntimeError("it has begun")

    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    lines = []
    show_gpus(1, lines.append)
    assert lines == ["note: TensorFlow has begun with 2 GPUs and goes on with them: restart Python for 1"]


@pytest.mark.parametrize("work", [WorkOptions(cluster="here"), WorkOptions(workers=2, gpus=2)])
def test_work_that_cannot_be_shared_is_refused_before_tensorflow_is_imported(tmp_path, monkeypatch, work):
    monkeypatch.setattr(startup, "import_tensorflow", lambda: pytest.fail("it is imported"))
    with pytest.raises(ValueError, match="^--(cluster|gpus) "):
        startup.start(tmp_path, {}, print, work)


def test_a_download_that_fails_is_an_oserror_of_one_line(monkeypatch):
    def fail():
        raise Exception("URL fetch failure\non a mirror")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(OSError, match="^URL fetch failure on a mirror$"):
        download_standard_set("mnist")
