"""Compare the writers with those of pandas and NumPy on the same images, in one run, and print the ratios.

python -m benchmarks.writing
"""

import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from real.datasets import load_dataset
from synth.shard_formats import csv_header, csv_rows, write_shard

CHUNK = 512


def write_csv(images):
    """Return the CSV text of uint8 [N, H, W, C] by synth.shard_formats."""
    file = io.BytesIO(csv_header(images[0].size))
    file.seek(0, io.SEEK_END)
    for start in range(0, len(images), CHUNK):
        file.write(csv_rows(images[start : start + CHUNK], 7))
    return file.getvalue()


def write_csv_by_pandas(images):
    """Return the same text by pandas.DataFrame.to_csv."""
    table = pd.DataFrame(images.reshape(len(images), -1), columns=[f"pixel{i}" for i in range(images[0].size)])
    table.insert(0, "label", 7)
    return table.to_csv(index=False).encode()


def time_both(ours, theirs, images, repeats):
    """Return (images/s, images/s of the other, median of the rounds' ratios) of two functions of images, in turn."""
    rounds = []
    for _ in range(repeats):
        rates = []
        for write in (ours, theirs):
            start = time.perf_counter()
            write(images)
            rates.append(len(images) / (time.perf_counter() - start))
        rounds.append((*rates, rates[0] / rates[1]))
    return tuple(float(np.median(column)) for column in zip(*rounds, strict=True))


def measure(repeats=5):
    """Return {"csv", "npz" or "npz on the disk": as of time_both} for 5,000 images of 28 x 28.

    Ours waits for the disk before a file counts; the last comparison has numpy.savez wait, too.
    """
    images = load_dataset("mnist5k").images
    assert write_csv(images) == write_csv_by_pandas(images)
    scores, labels = np.zeros(len(images), np.float32), np.full(len(images), 7)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.npz"), Path(folder, "theirs.npz")

        def write(images):
            write_shard(ours, images, 7, scores)

        def save(images):
            np.savez(theirs, images=images, labels=labels, scores=scores)

        def save_on_the_disk(images):
            save(images)
            with theirs.open("r+b") as file:
                os.fsync(file.fileno())

        return {
            "csv": time_both(write_csv, write_csv_by_pandas, images, repeats),
            "npz": time_both(write, save, images, 4 * repeats),
            "npz on the disk": time_both(write, save_on_the_disk, images, 4 * repeats),
        }


def main():
    """Measure and print the medians."""
    others = ("pandas", "numpy.savez", "numpy.savez and fsync")
    for (kind, (ours, theirs, ratio)), other in zip(measure().items(), others, strict=True):
        print(f"{kind}: ours {ours:,.0f} images/s, {other} {theirs:,.0f} images/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
