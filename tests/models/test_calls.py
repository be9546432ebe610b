import random
from dataclasses import dataclass

import keras
import matplotlib
import numpy as np
import pytest

import generate_data
import predict
from common.errors import RequestError
from models.calls import called_with


@dataclass
class Mine:
    """A config."""


@called_with(Mine)
def draw(config):
    keras.utils.set_random_seed(0)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert not matplotlib.rcParams["text.parse_math"]
    raise KeyboardInterrupt


def test_a_call_leaves_random_numbers_and_settings_as_they_were():
    random.seed(3)
    np.random.seed(3)
    expected = (random.random(), np.random.random())
    random.seed(3)
    np.random.seed(3)
    before = (keras.config.floatx(), keras.config.dtype_policy().name)
    with pytest.raises(KeyboardInterrupt):
        draw(Mine())
    assert (random.random(), np.random.random()) == expected
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == before
    assert matplotlib.rcParams["text.parse_math"]


def test_a_config_of_another_script_is_named():
    message = r"predict should be called with a predict\.Config\. Got generate_data\.Config instead"
    with pytest.raises(RequestError, match=message):
        predict.predict(generate_data.Config())
