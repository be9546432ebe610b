"""Images/s of training each classifier, in batches of 128, and what it costs next to `cnn`.

python -m benchmarks.classifiers --shape 32,32,3
"""

import argparse
import sys
import time

import keras
import numpy as np

from common.command_line import Parser
from models.classifier import MIN_SIZES, build_classifier, compile_classifier

_BATCH, _BATCHES = 128, 20
_ROUNDS = 3


def measure_rate(name, image_shape, class_count=10):
    """Return the images/s at which a classifier is trained on random images: the median of three rounds."""
    classifier = build_classifier(image_shape, class_count, name)
    compile_classifier(classifier, keras.optimizers.Adam(1e-3))
    generator = np.random.default_rng(0)
    images = generator.uniform(-1, 1, (_BATCH * _BATCHES, *image_shape)).astype(np.float32)
    labels = generator.integers(0, class_count, len(images))
    classifier.fit(images[: 2 * _BATCH], labels[: 2 * _BATCH], _BATCH, verbose=0)
    rates = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        classifier.fit(images, labels, _BATCH, verbose=0)
        rates.append(len(images) / (time.perf_counter() - start))
    return float(np.median(rates))


def main(argv=None):
    """Measure each, and print a line for it."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="32,32,3", help="height, width, channels (default: %(default)s)")
    shape = tuple(map(int, parser.parse_args(argv).shape.split(",")))
    rates = {name: measure_rate(name, shape) for name in MIN_SIZES}
    for name, rate in rates.items():
        print(f"{name}: {rate:,.0f} images/s, {rates['cnn'] / rate:.1f} times the cost of cnn")


if __name__ == "__main__":
    sys.exit(main())
