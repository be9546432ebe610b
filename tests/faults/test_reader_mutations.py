"""Real files with mutated bytes: a result of the right shape and dtype, or one line that names the file."""

import gzip
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from common.errors import RequestError
from real.idx_folders import read_idx_folder
from real.npz_files import read_npz
from real.pictures.picture_folders import read_image_folder
from real.tables import UnlabelledImages, read_csv, read_unlabelled_csv
from synth.shard_formats import csv_header, csv_rows

pytestmark = pytest.mark.slow

_FIXED = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
EXAMPLES = 200  # of mutations of each kind of file
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
LABELS = np.array([0, 1, 1])
INT64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def labelled_images(draw):
    """Images uint8 [n, H, W, C] and labels int64 [n] of any small shape."""
    count, height, width = (draw(st.integers(1, 4)) for _ in range(3))
    shape = (count, height, width, draw(st.sampled_from((1, 3))))
    return draw(arrays(np.uint8, shape)), draw(arrays(np.int64, count, elements=INT64))


@settings(_FIXED, max_examples=100)
@given(labelled_images())
def test_csv_reads_back(tmp_path, data):
    images, labels = data
    path = tmp_path / "a.csv"
    rows = csv_rows(images, labels)
    path.write_bytes(csv_header(images[0].size) + rows)
    source = read_csv(path, images.shape[1:])
    assert np.array_equal(source.images, images)
    assert np.array_equal(source.labels, labels)
    path.write_bytes(b"".join(line.partition(b",")[2] for line in path.read_bytes().splitlines(keepends=True)))
    assert np.array_equal(read_unlabelled_csv(path, images.shape[1:]).images, images)


@settings(_FIXED, max_examples=100)
@given(labelled_images(), st.sampled_from((np.savez, np.savez_compressed)))
def test_npz_reads_back(tmp_path, data, save):
    images, labels = data
    save(tmp_path / "a.npz", images=images, labels=labels)
    source = read_npz(tmp_path / "a.npz")
    assert np.array_equal(source.images, images)
    assert np.array_equal(source.labels, labels)


def write_csv(folder):
    """A CSV with labels; return the file and the reader's call."""
    (folder / "a.csv").write_bytes(csv_header(64) + csv_rows(IMAGES, LABELS))
    return folder / "a.csv", lambda: read_csv(folder / "a.csv")


def write_unlabelled_csv(folder):
    """A CSV without labels."""
    header = ",".join(f"pixel{index}" for index in range(64))
    rows = "\n".join(",".join(map(str, image.ravel())) for image in IMAGES)
    (folder / "a.csv").write_text(f"{header}\n{rows}\n")
    return folder / "a.csv", lambda: read_unlabelled_csv(folder / "a.csv", None)


def write_npz(folder):
    """An archive in Keras' layout, without compression."""
    parts = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}
    np.savez(folder / "a.npz", **parts)
    return folder / "a.npz", lambda: read_npz(folder / "a.npz")


def write_compressed_npz(folder):
    """An archive with all keys of ours, compressed."""
    marks = {"class_names": np.array(["ape", "bee"]), "synthetic": np.array([True, False, False])}
    np.savez_compressed(folder / "a.npz", images=IMAGES, labels=LABELS, **marks)
    return folder / "a.npz", lambda: read_npz(folder / "a.npz")


def write_csv_gz(folder):
    """A gzipped CSV."""
    content = csv_header(64) + csv_rows(IMAGES, LABELS)
    (folder / "a.csv.gz").write_bytes(gzip.compress(content))
    return folder / "a.csv.gz", lambda: read_csv(folder / "a.csv.gz")


def write_csv_zip(folder):
    """A CSV in a ZIP."""
    with zipfile.ZipFile(folder / "a.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", csv_header(64) + csv_rows(IMAGES, LABELS))
    return folder / "a.csv.zip", lambda: read_csv(folder / "a.csv.zip")


def write_bare_csv(folder):
    """A CSV without a header, with a separator behind each row."""
    content = csv_rows(IMAGES, LABELS).replace(b"\n", b",\n").replace(b",", b";")
    (folder / "a.csv").write_bytes(content)
    return folder / "a.csv", lambda: read_csv(folder / "a.csv")


def write_text_csv(folder):
    """A CSV with an index, texts as labels at the end, and parts."""
    rows = [f"{n},{','.join(map(str, image.ravel()))},ape,train" for n, image in enumerate(IMAGES)]
    header = f",{','.join(map(str, range(64)))},class,split"
    (folder / "a.csv").write_text("\n".join([header, *rows, rows[0].replace("train", "test")]) + "\n")
    return folder / "a.csv", lambda: read_csv(folder / "a.csv")


def write_packed_csv(folder):
    """A CSV as FER2013."""
    rows = [f"{label},{' '.join(map(str, image.ravel()))}" for label, image in zip(LABELS, IMAGES, strict=True)]
    (folder / "a.csv").write_text("\n".join(["emotion,pixels", *rows]) + "\n")
    return folder / "a.csv", lambda: read_csv(folder / "a.csv")


def write_float_npz(folder):
    """An archive as MedMNIST's, of floats and one-hot labels."""
    hot = np.eye(2)[LABELS]
    np.savez(folder / "a.npz", train_images=IMAGES / 255, train_labels=hot, val_images=IMAGES / 255, val_labels=hot)
    return folder / "a.npz", lambda: read_npz(folder / "a.npz")


def write_text_npz(folder):
    """An archive of flat images and texts."""
    np.savez(folder / "a.npz", X=IMAGES.reshape(3, 64), y=np.array(["ape", "bee", "bee"]))
    return folder / "a.npz", lambda: read_npz(folder / "a.npz")


def write_idx(folder, suffix=""):
    """IDX images beside their labels."""
    images = b"\0\0\x08\3" + struct.pack(">3I", *IMAGES.shape) + IMAGES.tobytes()
    path = folder / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(gzip.compress(images) if suffix else images)
    (folder / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1" + struct.pack(">I", 3) + bytes(LABELS.tolist()))
    return path, lambda: read_idx_folder(folder)


def write_idx_gz(folder):
    """Gzipped IDX images beside their labels."""
    return write_idx(folder, ".gz")


def write_picture(folder, suffix, **options):
    """A folder of one class with one picture."""
    (folder / "ape").mkdir()
    path = folder / "ape" / f"1.{suffix}"
    picture = Image.fromarray(np.stack([IMAGES[0], IMAGES[1], IMAGES[2]], axis=-1))
    (picture.quantize(16) if suffix == "gif" else picture).save(path, **options)
    return path, lambda: read_image_folder(folder)


WRITERS = {
    "csv": write_csv,
    "unlabelled csv": write_unlabelled_csv,
    "csv.gz": write_csv_gz,
    "csv.zip": write_csv_zip,
    "csv without a header": write_bare_csv,
    "csv with texts": write_text_csv,
    "csv with packed pixels": write_packed_csv,
    "npz": write_npz,
    "npz of floats": write_float_npz,
    "npz of texts": write_text_npz,
    "compressed npz": write_compressed_npz,
    "idx": write_idx,
    "idx.gz": write_idx_gz,
    "deflated tiff": lambda folder: write_picture(folder, "tiff", compression="tiff_deflate"),
} | {
    suffix: lambda folder, suffix=suffix: write_picture(folder, suffix)
    for suffix in ("png", "jpg", "gif", "bmp", "tiff", "webp")
}


KINDS = ("flip", "insert", "delete", "overwrite", "truncate", "splice")
BYTES = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(
        (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"9", b"9" * 20, b",", b"\n", b"\r", b'"', b"-", b".", b"e")
    ),
)
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2**16), st.integers(0, 2**16), BYTES), min_size=1, max_size=3
)


def mutate(content, mutations):
    """Change bytes: each mutation is (kind, place, another place, new bytes), the places modulo the length."""
    content = bytearray(content)
    for kind, place, other, new in mutations:
        start, other = place % (len(content) + 1), other % (len(content) + 1)
        if kind == "flip" and start < len(content):
            content[start] ^= 1 << other % 8
        elif kind == "insert":
            content[start:start] = new
        elif kind == "delete":
            del content[start : start + len(new)]
        elif kind == "overwrite":
            content[start : start + len(new)] = new
        elif kind == "truncate":
            del content[start:]
        elif kind == "splice":
            content[start : start + 16] = content[other : other + 16]
    return bytes(content)


def check_result(source):
    """Assert that a reader's result is what it promises."""
    if isinstance(source, UnlabelledImages):
        pairs = [(source.images, np.zeros(len(source.images), np.int64))]
    else:
        pairs = [(source.images, source.labels)]
        if source.test is not None:
            pairs.append((source.test.images, source.test.labels))
        assert source.synthetic is None or (source.synthetic.dtype, source.synthetic.shape) == (
            bool,
            source.labels.shape,
        )
        assert all(isinstance(name, str) and name for name in (source.class_names or {}).values())
    for images, labels in pairs:
        assert images.dtype == np.uint8
        assert images.ndim == 4
        assert images.shape[-1] in (1, 3)
        assert all(images.shape[1:])
        assert (labels.dtype, labels.shape) == (np.int64, (len(images),))


def check_mutations(path, content, write, read):
    """Assert that every mutation of `content`, which `write` brings into the file, is read or refused by name."""

    @settings(_FIXED, max_examples=EXAMPLES)
    @given(MUTATIONS)
    def check(mutations):
        write(mutate(content, mutations))
        message = path.name
        try:
            check_result(read())
        except RequestError as error:
            message = str(error)
        assert path.name in " ".join(message.split())

    check_result(read())
    check()


@pytest.mark.parametrize("kind", WRITERS)
def test_mutated_files_are_read_or_refused_by_name(tmp_path, kind):
    path, read = WRITERS[kind](tmp_path)
    check_mutations(path, path.read_bytes(), path.write_bytes, read)


@pytest.mark.parametrize("key", ["images", "labels", "class_names", "synthetic"])
def test_mutated_arrays_of_a_sound_archive_are_read_or_refused_by_name(tmp_path, key):
    path, read = write_compressed_npz(tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def write(content):
        with zipfile.ZipFile(path, "w") as archive:
            for name, member in (members | {f"{key}.npy": content}).items():
                archive.writestr(name, member)

    check_mutations(path, members[f"{key}.npy"], write, read)
