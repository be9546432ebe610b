"""Images/s of reading a folder of pictures into memory, the first and the second time, next to Keras, in one run.

python -m benchmarks.picture_reading FOLDER

FOLDER holds one sub-folder of equally large pictures per class, or train/ and test/ with these in each. Each reader
takes its turn in each round, so that they share what else the machine does.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from real.pictures import picture_sets
from real.pictures.picture_files import Reading
from real.pictures.picture_folders import read_image_folder


def read_with_keras(folder):
    """Read the pictures through image_dataset_from_directory, iterated once into memory."""
    parts = [part for part in (folder / "train", folder / "test") if part.is_dir()] or [folder]
    batches = []
    for part in parts:
        first = read_size(part)
        options = {"image_size": first, "batch_size": 256, "shuffle": False, "verbose": False}
        dataset = keras.utils.image_dataset_from_directory(part, **options)
        batches += [images.numpy().astype(np.uint8) for images, _ in dataset]
    return np.concatenate(batches)


def read_size(folder):
    """Return (height, width) of the first picture in a folder, at any depth."""
    from PIL import Image

    path = next(path for path in sorted(folder.rglob("*.*")) if path.is_file())
    with Image.open(path) as picture:
        return picture.height, picture.width


def read_with_us(folder, no_cache=False):
    """Read the pictures as load_dataset does."""
    found = read_image_folder(folder, Reading(no_cache=no_cache))
    parts = [part.images for part in (found, found.validation, found.test) if part is not None]
    return np.concatenate(parts)


def main():
    """Read the folder by each way, and print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        picture_sets.WORTH_CACHING = 0.0  # so that a small folder shows it, too
        read_with_us(options.folder)  # fills the cache, and the system's cache of files
        ways = {
            "first time": lambda: read_with_us(options.folder, no_cache=True),
            "second time": lambda: read_with_us(options.folder),
            "Keras": lambda: read_with_keras(options.folder),
        }
        seconds = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, read in ways.items():
                start = time.perf_counter()
                count = len(read())
                seconds[name].append(time.perf_counter() - start)
        for name, times in seconds.items():
            ratio = np.mean(seconds["Keras"]) / np.mean(times)
            print(f"{name}: {np.mean(times):.1f} s, {count / np.mean(times):,.0f} images/s, {ratio:.2f} x Keras' rate")


if __name__ == "__main__":
    main()
