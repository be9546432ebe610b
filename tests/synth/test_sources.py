import numpy as np
import pytest

from common.errors import RequestError
from common.images import hash_images
from real.datasets import load_dataset
from synth import sources as module
from synth.runs import find_shards
from synth.sources import count_rows, index_shards, split_in_memory, stream_images
from tasks.balance_set import save_training_set
from tests.synth.numbered_shards import LABELS, SHAPE, write_shards


def numbers_of(blocks):
    images = np.concatenate([images for images, _ in blocks])
    return (images[:, 0, :2, 0].astype(int) @ [1, 256]).tolist()


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_every_image_comes_once_an_epoch_with_its_label_and_shuffled(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(module, "BUFFER_SIZE", 50)
    monkeypatch.setattr(module, "_CHUNK_SIZE", 7)
    sources = index_shards(find_shards(write_shards(tmp_path, suffix))[0], SHAPE, LABELS)
    assert count_rows(sources) == {0: 60, 1: 60}
    epochs = [list(stream_images(sources, seed=0, epoch=epoch)) for epoch in (0, 0, 1)]
    orders = [numbers_of(blocks) for blocks in epochs]
    assert sorted(orders[0]) == list(range(120))
    assert orders[0] == orders[1] != orders[2]
    assert sum(a > b for a, b in zip(orders[0], orders[0][1:], strict=False)) > 30
    for images, labels in epochs[0]:
        assert len(labels) <= 50
        assert np.array_equal(np.array(numbers_of([(images, labels)])) // 30 % 2, labels)


def test_classes_are_mixed_all_along(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BUFFER_SIZE", 100)
    monkeypatch.setattr(module, "_CHUNK_SIZE", 10)
    sources = index_shards(find_shards(write_shards(tmp_path, shards=40))[0], SHAPE, LABELS)
    labels = np.concatenate([labels for _, labels in stream_images(sources, seed=0)])
    shares = labels.reshape(-1, 200).mean(axis=1)
    assert len(shares) == 6
    assert (abs(shares - 0.5) < 0.2).all()


def test_memory_is_the_buffer_not_the_set(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BUFFER_SIZE", 50)
    opened = []
    read_chunks = module.read_chunks
    monkeypatch.setattr(module, "read_chunks", lambda path, shape: opened.append(path) or read_chunks(path, shape))
    sources = index_shards(find_shards(write_shards(tmp_path, shards=20))[0], SHAPE, LABELS)
    opened.clear()
    next(stream_images(sources, seed=0))
    assert len(opened) <= 2 * len(LABELS) + 2


def test_per_class_takes_the_first_images_of_each_class(tmp_path):
    sources = index_shards(find_shards(write_shards(tmp_path))[0], SHAPE, LABELS, per_class=35)
    assert count_rows(sources) == {0: 35, 1: 35}
    expected = [*range(60), *range(60, 65), *range(90, 95)]
    assert sorted(numbers_of(stream_images(sources, seed=0))) == expected


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_rows_that_are_marked_as_real_are_left_out(digits_npz, tmp_path, suffix):
    dataset = load_dataset(str(digits_npz))
    images, labels = dataset.images[:100], dataset.labels[:100]
    save_training_set(tmp_path, suffix, images, labels, np.arange(100) >= 70, dataset, {})
    sources = index_shards(find_shards(tmp_path)[0], (28, 28, 1), (0, 1))
    assert count_rows(sources) == {0: 15, 1: 15}
    found = np.concatenate([images for images, _ in stream_images(sources, seed=0)])
    assert sorted(hash_images(found)) == sorted(hash_images(images[70:]))


def test_images_in_memory_are_streamed_alongside(tmp_path):
    shards = index_shards(find_shards(write_shards(tmp_path))[0], SHAPE, LABELS)
    real = split_in_memory(np.full((7, *SHAPE), 255, np.uint8), np.array([0, 1, 1, 1, 0, 0, 0]), rows_per_source=3)
    assert count_rows(real) == {0: 4, 1: 3}
    numbers = numbers_of(stream_images(shards + real, seed=0))
    assert len(numbers) == 127
    assert numbers.count(255 + 256 * 255) == 7


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"label,a,b,c,d\n1,2,3,4,5,6\n", "Line 2 has 6 values for 5 columns"),
        ("a.csv", b"label,a,b,c,d\n", "Got the header alone"),
        ("a.npz", b"PK", "should be a readable .npz archive"),
    ],
)
def test_damaged_files_of_no_run_are_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    paths, _ = find_shards(tmp_path)
    with pytest.raises(RequestError, match=f"{name}.*{message}"):
        index_shards(paths, (2, 2, 1), (0, 1))


def test_shards_of_other_shapes_and_classes_are_refused(tmp_path):
    paths, _ = find_shards(write_shards(tmp_path))
    with pytest.raises(ValueError, match=r"images should have shape \(3, 2, 1\). Got \(2, 3, 1\) instead"):
        index_shards(paths, (3, 2, 1), LABELS)
    with pytest.raises(ValueError, match="labels should be among the real data's, 4, 5. Got 9 instead"):
        index_shards(paths, SHAPE, (4, 5))
