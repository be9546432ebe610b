"""How many images of a data set look like near copies, and how many changed copies are found.

    python -m benchmarks.near_copies mnist.npz fashion_mnist cifar10

Of each set's test part 2,000 images are compared with the train part, as they are and after a change.
"""

import argparse
import io
import time

import numpy as np
from PIL import Image

from common.web_report import render_table
from real.datasets import load_dataset
from real.near_copies import find_near_copies

_COMPARED, _CHANGED = 2000, 500


def _compress(image, quality):
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(image.shape)


def _resize(image, factor):
    height, width = image.shape[:2]
    small = Image.fromarray(image.squeeze()).resize(
        (int(width * factor), int(height * factor)), Image.Resampling.BICUBIC
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).reshape(image.shape)


CHANGES = {
    "JPEG, quality 75": lambda image: _compress(image, 75),
    "JPEG, quality 50": lambda image: _compress(image, 50),
    "resized by 0.75 and back": lambda image: _resize(image, 0.75),
    "mirrored": np.fliplr,
    "brighter by a fifth": lambda image: np.clip(image * 1.2, 0, 255).astype(np.uint8),
}


def measure(data):
    """Return a row of the table: the name, the share that looks like a copy, and of each change the share found."""
    dataset = load_dataset(data)
    images, train = dataset.part("test")[0], dataset.part("train")[0]
    images = images[np.random.default_rng(0).permutation(len(images))[:_COMPARED]]
    start = time.monotonic()
    row = [data, f"{find_near_copies(images, train).mean():.2%}"]
    seconds = time.monotonic() - start
    originals = images[:_CHANGED]
    for change in CHANGES.values():
        row.append(f"{find_near_copies(np.stack([change(image) for image in originals]), originals).mean():.0%}")
    return [*row, f"{seconds:.1f}"]


def main(argv=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="as --data of the scripts")
    rows = [measure(data) for data in parser.parse_args(argv).data]
    print(render_table(["data", "near a train image", *CHANGES, "seconds"], rows, aligned=True))


if __name__ == "__main__":
    main()
