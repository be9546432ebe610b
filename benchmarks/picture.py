"""Draw the picture of the README: real images above synthetic ones of the same classes.

    python -m benchmarks.picture synthetic --out docs/real-and-synthetic.png

The run's first images of each class, as they passed its filter, below the first train images of that class.
"""

import argparse
from pathlib import Path

import numpy as np

from common.figures import plot_samples, save_figure
from real.datasets import load_dataset
from synth.shard_formats import read_shard
from synth.shards import load_manifest

_REAL_ROWS, _SYNTHETIC_ROWS, _CLASSES = 2, 4, 10


def draw(run, out):
    """Save the picture of a finished run of generate_data.py, with a column for each of its first ten classes."""
    manifest = load_manifest(run)
    dataset = load_dataset(**manifest["request"])
    names = manifest["class_names"][:_CLASSES]
    first = {entry["class"]: entry["file"] for entry in reversed(manifest["shards"])}
    real = [dataset.part("train", dataset.class_names.index(name))[0] for name in names]
    made = [read_shard(Path(run, first[name]), manifest["image_shape"], rows=_SYNTHETIC_ROWS)[0] for name in names]
    rows = {}
    for kind, images, count in (("real", real, _REAL_ROWS), ("synthetic", made, _SYNTHETIC_ROWS)):
        for row in range(count):
            label = " " * len(rows) if row else kind  # the first row of a kind has its name, the others blanks
            rows[label] = np.stack([of_class[row] for of_class in images])
    save_figure(out, plot_samples(rows, len(names)))


def main(argv=None):
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="folder of a finished run")
    parser.add_argument("--out", default="real-and-synthetic.png", help="file (default: %(default)s)")
    options = parser.parse_args(argv)
    draw(options.run, options.out)


if __name__ == "__main__":
    main()
