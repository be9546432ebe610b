"""Compare the CSV writer with pandas on the same images, in one run, and print images/s and the ratio.

python -m benchmarks.csv_writing
"""

import io
import time

import numpy as np
import pandas as pd

from synth.datasets import load_dataset
from synth.shards import csv_header, csv_rows

CHUNK = 512


def write_ours(images):
    """Return the CSV text of uint8 [N, H, W, C] by synth.shards."""
    file = io.BytesIO(csv_header(images[0].size))
    file.seek(0, io.SEEK_END)
    for start in range(0, len(images), CHUNK):
        file.write(csv_rows(images[start : start + CHUNK], 7))
    return file.getvalue()


def write_pandas(images):
    """Return the same text by pandas.DataFrame.to_csv."""
    table = pd.DataFrame(images.reshape(len(images), -1), columns=[f"pixel{i}" for i in range(images[0].size)])
    table.insert(0, "label", 7)
    return table.to_csv(index=False).encode()


def main(repeats=5):
    """Time both in turn and print the medians."""
    images = load_dataset("mnist5k").images
    assert write_ours(images) == write_pandas(images)
    seconds = {write_ours: [], write_pandas: []}
    for _ in range(repeats):
        for write, times in seconds.items():
            start = time.perf_counter()
            write(images)
            times.append(time.perf_counter() - start)
    ours, pandas = (len(images) / np.median(times) for times in seconds.values())
    print(f"ours {ours:,.0f} images/s, pandas {pandas:,.0f} images/s, ratio {ours / pandas:.1f}, byte-equal")


if __name__ == "__main__":
    main()
