import numpy as np
import pytest

from synth.shards import load_hashes, save_hashes


def test_hashes_read_back(tmp_path):
    save_hashes(tmp_path, np.array([1, 2**64 - 1], np.uint64))
    assert load_hashes(tmp_path).tolist() == [1, 2**64 - 1]
    with pytest.raises(ValueError, match="should hold the hashes of the training images"):
        load_hashes(tmp_path / "nowhere")
