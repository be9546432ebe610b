"""Images/s of the shard reader next to those of the training step of `cnn`, in one run.

python -m benchmarks.reading
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.classifiers import measure_rate
from real.datasets import load_dataset
from synth.runs import find_shards
from synth.shard_formats import write_shard
from synth.sources import index_shards, stream_images


def main():
    """Write 50,000 images as shards of each format, read them, and train on images in memory."""
    dataset = load_dataset("mnist5k")
    for suffix in ("npz", "csv"):
        with tempfile.TemporaryDirectory() as folder:
            for k in range(10):
                images = np.repeat(dataset.images[dataset.labels == k], 10, axis=0)
                write_shard(Path(folder) / f"{k}.{suffix}", images, k, np.zeros(len(images)))
            sources = index_shards(find_shards(folder)[0], dataset.image_shape, dataset.label_values)
            start = time.perf_counter()
            count = sum(len(labels) for _, labels in stream_images(sources, seed=0))
            print(f"reading {suffix}: {count / (time.perf_counter() - start):,.0f} images/s")
    print(f"training cnn: {measure_rate('cnn', dataset.image_shape):,.0f} images/s")


if __name__ == "__main__":
    main()
