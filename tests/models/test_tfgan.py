import sys

import pytest
import tensorflow as tf

from models.losses import build_loss


def test_missing_tfgan_is_one_clear_line(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow_gan"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(tf, "estimator", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow_probability", None)
    with pytest.raises(ValueError, match=r"--loss wasserstein comes from TF-GAN.*pip install tensorflow-gan"):
        build_loss("wasserstein")
    assert not hasattr(tf, "estimator")
