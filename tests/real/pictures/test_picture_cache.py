import os

import numpy as np
import pytest

from common import user_cache
from real.pictures import picture_cache
from real.pictures.picture_cache import PictureSet, compute_key, load_cached, save_cached
from real.pictures.picture_files import Reading

FOUND = PictureSet(np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), np.array([True, False, True]), ("a note",))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache folder, which is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gan-augmentation" / "pictures"


def test_what_is_saved_is_loaded(cache):
    save_cached("key", FOUND)
    found = load_cached("key")
    assert np.array_equal(found.images, FOUND.images)
    assert found.kept.tolist() == [True, False, True]
    assert found.notes == ("a note",)
    assert load_cached("other") is None
    assert cache.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: b"", lambda data: b"x" * len(data)])
def test_a_cut_or_altered_file_is_not_used_and_goes(cache, damage):
    save_cached("key", FOUND)
    path = cache / "key.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert load_cached("key") is None
    assert not path.exists()


def test_one_altered_pixel_is_seen(cache):
    save_cached("key", FOUND)
    path = cache / "key.npz"
    data = path.read_bytes()
    assert FOUND.images.tobytes() in data
    path.write_bytes(data.replace(FOUND.images.tobytes(), FOUND.images.tobytes()[::-1]))
    assert load_cached("key") is None


def test_an_interrupted_write_leaves_nothing(cache, monkeypatch):
    def stop(*arguments, **arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stop)
    with pytest.raises(KeyboardInterrupt):
        save_cached("key", FOUND)
    assert list(cache.iterdir()) == []


def test_the_oldest_go_beyond_the_limit(cache, monkeypatch):
    for age, key in enumerate(("new", "old", "older")):
        save_cached(key, FOUND)
        os.utime(cache / f"{key}.npz", (1000 - age, 1000 - age))
    size = (cache / "new.npz").stat().st_size
    load_cached("older")  # is the newest now, as it is used
    monkeypatch.setattr(picture_cache, "_MAX_BYTES", 2 * size + FOUND.images.nbytes)
    save_cached("key", FOUND)
    assert sorted(path.stem for path in cache.iterdir()) == ["key", "new", "older"]
    monkeypatch.setattr(picture_cache, "_MAX_BYTES", 1)
    save_cached("large", FOUND)
    assert load_cached("large") is None


def test_a_cache_that_cannot_be_written_is_none(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save_cached("key", FOUND)
    assert load_cached("key") is None


def test_kaggle_has_no_cache(cache, tmp_path, monkeypatch):
    (tmp_path / "kaggle" / "working").mkdir(parents=True)
    monkeypatch.setattr(user_cache, "KAGGLE_ROOT", tmp_path / "kaggle")
    save_cached("key", FOUND)
    assert not cache.exists()


def test_the_key_is_of_names_sizes_times_and_of_what_changes_pixels(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    keys = [compute_key([path], Reading()), compute_key([path], Reading(quiet=False, no_cache=True))]
    assert keys[0] == keys[1]
    keys += [
        compute_key([path], reading) for reading in (Reading((8, 8)), Reading(fit="pad"), Reading(skip_unreadable=True))
    ]
    os.utime(path, (5, 5))
    keys.append(compute_key([path], Reading()))
    path.write_bytes(b"12")
    os.utime(path, (5, 5))
    keys.append(compute_key([path], Reading()))
    path.rename(tmp_path / "b.png")
    keys.append(compute_key([tmp_path / "b.png"], Reading()))
    assert len(set(keys)) == 7
    assert compute_key([path], Reading()) is None
