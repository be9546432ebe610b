"""Images/s of the shard reader next to those of the training step of `cnn`, in one run.

python -m benchmarks.reading
"""

import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from models.classifier import build_classifier, compile_classifier
from synth.datasets import load_dataset
from synth.shard_formats import write_shard
from synth.sources import find_shards, index_shards, stream_images


def main():
    """Write 50,000 images as shards of each format, read them, and train on as many in memory."""
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
    classifier = build_classifier(dataset.image_shape, 10)
    compile_classifier(classifier, keras.optimizers.Adam(1e-3))
    images = np.resize(dataset.images, (25_600, *dataset.image_shape)) / np.float32(127.5) - 1
    labels = np.resize(dataset.labels, 25_600)
    classifier.fit(images[:1280], labels[:1280], 128, verbose=0)
    start = time.perf_counter()
    classifier.fit(images, labels, 128, verbose=0)
    print(f"training cnn: {len(images) / (time.perf_counter() - start):,.0f} images/s")


if __name__ == "__main__":
    main()
