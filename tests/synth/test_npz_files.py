import numpy as np
import pytest

from synth.npz_files import read_npz

GREY = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def test_npz_in_both_layouts(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=GREY, y_train=[0, 1], x_test=GREY[:1], y_test=[1])
    np.savez(tmp_path / "b.npz", images=GREY, labels=[4, 5], scores=[0.0, 1.0])
    assert read_npz(tmp_path / "a.npz").test.images.shape == (1, 4, 4, 1)
    assert read_npz(tmp_path / "b.npz").labels.tolist() == [4, 5]


def test_bad_npz_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", pictures=GREY)
    with pytest.raises(ValueError, match="should have the keys .* Got pictures instead"):
        read_npz(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", images=GREY, labels=[1])
    with pytest.raises(ValueError, match="labels: should be 2 integers"):
        read_npz(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes(b"nothing like it")
    with pytest.raises(ValueError, match=r"c\.npz: should be a readable \.npz archive"):
        read_npz(tmp_path / "c.npz")
