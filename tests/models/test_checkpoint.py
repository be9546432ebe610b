import json

import numpy as np
import pytest

from models.building import build_gan
from models.checkpoint import Progress, load_checkpoint, remove_checkpoint, save_checkpoint
from models.recipes import Recipe

TINY = Recipe(latent_dim=4, generator_width=2, discriminator_width=2, dtype="float32")


@pytest.fixture(scope="module")
def gan():
    return build_gan(TINY, (12, 12, 1), 2, seed=0)


def save(folder, gan, step):
    """Save a state whose weights are all `step`."""
    best = [
        np.full(weight.shape, step, np.float32) for weight in gan.moving_average.weights + gan.discriminator.weights
    ]
    gan.generator.set_weights([np.full(weight.shape, step, np.float32) for weight in gan.generator.weights])
    history = [{"step": step, "seconds": 1.0, "frechet": 2.0}]
    save_checkpoint(folder, gan, best, Progress(step, 1.0, step, 2.0, history))


def change(path, **arrays):
    with np.load(path) as archive:
        np.savez(path, **dict(archive) | arrays)


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\xff" + path.read_bytes()[5001:]),
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_text("no archive"),
    "foreign": lambda path: np.savez(path, state_0=np.zeros(3)),
    "of another shape": lambda path: change(path, state_0=np.zeros(3, np.float32)),
    "of another type": lambda path: change(path, state_0=np.load(path)["state_0"].astype(np.float64)),
    "pickled": lambda path: change(path, progress=np.array({"step": 2}, object)),
    "no progress": lambda path: change(path, progress="[1"),
    "progress of another version": lambda path: change(path, progress=json.dumps({"step": 2, "epoch": 1})),
    "progress of other types": lambda path: change(path, progress=json.dumps({"step": "2"})),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_one_before_takes_the_place_of_a_damaged_checkpoint(gan, tmp_path, damage):
    save(tmp_path, gan, 2)
    save(tmp_path, gan, 4)
    DAMAGE[damage](tmp_path / "state.npz")
    lines = []
    best, progress = load_checkpoint(tmp_path, gan, lines.append)
    assert progress.step == 2
    assert all((array == 2).all() for array in [*best, *gan.generator.get_weights()])
    assert len(lines) == 1
    assert "state.npz: should" in lines[0]
    assert "Training goes on from the checkpoint before it, step 2." in lines[0]
    save(tmp_path, gan, 6)
    (tmp_path / "state.npz").unlink()  # the good one is still there, not the damaged
    assert load_checkpoint(tmp_path, gan, lines.append)[1].step == 2
    assert lines[1].startswith("note: ")
    assert "state.npz is missing" in lines[1]


def test_where_none_can_be_used_the_message_says_what_helps(gan, tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    assert load_checkpoint(folder, gan, print) == ([], Progress())
    save(folder, gan, 2)
    (folder / "state.npz").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"state.npz: .*Nor can one before it be used: remove .*checkpoint "):
            load_checkpoint(folder, gan, print)
    remove_checkpoint(folder)
    assert not folder.exists()


def test_only_an_empty_folder_is_removed(gan, tmp_path):
    save(tmp_path, gan, 2)
    save(tmp_path, gan, 4)
    (tmp_path / "notes.txt").touch()
    remove_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
