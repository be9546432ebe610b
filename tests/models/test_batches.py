import numpy as np

from models.batches import build_stream, stream_batches
from synth.sources import split_in_memory
from tests.conftest import make_images


def read_stream(first, total, count=10, seed=0):
    images = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    stream = stream_batches(images, np.arange(count), 4, first, total, seed)
    return [batch_images.numpy().ravel().tolist() for batch_images, _ in stream]


def test_each_pass_over_the_data_is_another_permutation():
    order = [index for batch in read_stream(0, 10) for index in batch]
    passes = [order[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(one_pass) == list(range(10)) for one_pass in passes)
    assert len({tuple(one_pass) for one_pass in passes}) == 4


def test_a_stream_can_begin_anywhere():
    assert read_stream(3, 10) == read_stream(0, 10)[3:]
    assert read_stream(0, 10) != read_stream(0, 10, seed=1)


def test_balanced_batches_have_all_classes_alike_and_can_begin_anywhere():
    labels = np.array([0] * 90 + [1] * 8 + [4] * 2)
    images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)

    def read(first):
        stream = stream_batches(images, labels, 50, first, 20, 0, balance_classes=True)
        return [(batch[:, 0, 0, 0].numpy(), batch_labels.numpy()) for batch, batch_labels in stream]

    drawn, drawn_labels = (np.concatenate(part) for part in zip(*read(0), strict=True))
    assert np.array_equal(labels[drawn], drawn_labels)
    assert np.abs(np.bincount(drawn_labels)[[0, 1, 4]] - 1000 / 3).max() < 60
    assert set(drawn[drawn_labels == 4]) == {98, 99}
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(read(0)[7:], read(7), strict=True))


def test_images_and_labels_stay_together():
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    for batch_images, batch_labels in stream_batches(images, np.arange(10), 4, 0, 10, 0):
        assert np.array_equal(batch_images[:, 0, 0, 0], batch_labels)


def test_stream_scales_batches_and_goes_on_without_end():
    images, labels = make_images(10)
    batches = build_stream(split_in_memory(images, labels), (28, 28, 1), 4, seed=0).take(5)
    batches = [(x.numpy(), y.numpy()) for x, y in batches]
    assert [len(y) for _, y in batches] == [4, 4, 2, 4, 4]
    first_epoch = np.concatenate([x for x, _ in batches[:3]])
    assert np.allclose(np.sort(first_epoch.ravel()), np.sort(images.ravel() / 127.5 - 1.0), atol=1e-6)


def test_flips_mirror_half_of_the_images_and_can_begin_anywhere():
    images = np.arange(40, dtype=np.uint8).reshape(10, 1, 4, 1)

    def read(first, flip=True):
        return [batch.numpy() for batch, _ in stream_batches(images, np.arange(10), 8, first, 40, 3, flip=flip)]

    plain, mirrored = np.concatenate(read(0, flip=False)), np.concatenate(read(0))
    changed = (plain != mirrored).any(axis=(1, 2, 3))
    assert np.array_equal(mirrored, np.where(changed[:, None, None, None], plain[:, :, ::-1], plain))
    assert 0.4 < changed.mean() < 0.6
    assert all(np.array_equal(a, b) for a, b in zip(read(0)[7:], read(7), strict=True))
