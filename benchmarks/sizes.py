"""How long a training takes at each size of images, with the recipe as it is fitted to them.

    python -m benchmarks.sizes --recipe quick

Random pixels in ten classes, as many as a few batches: what is measured is speed alone. A recipe is fitted so that its
minutes stay near those at 28 x 28 pixels (models/recipe_fitting.py); nothing else should run meanwhile.
"""

import argparse
import sys
import tempfile

import numpy as np
import pandas as pd

from common.command_line import Parser
from models.recipe_fitting import fit_to_images
from models.recipes import RECIPES
from models.training_rate import measure_speed
from real.datasets import load_dataset

SHAPES = ((28, 28, 1), (32, 32, 3), (48, 48, 3), (64, 64, 3), (96, 96, 3), (128, 128, 3))
_CLASSES, _IMAGES = 10, 800
_SECONDS = 10.0  # of each


def measure(recipe, folder):
    """Return a pandas.DataFrame: a row for each shape with steps, channels, steps/s and minutes."""
    rows = []
    for shape in SHAPES:
        path = f"{folder}/{'x'.join(map(str, shape))}.npz"
        pixels = np.random.default_rng(0).integers(0, 256, (_IMAGES, *shape), dtype=np.uint8)
        np.savez(path, images=pixels, labels=np.arange(_IMAGES) % _CLASSES)
        fitted = fit_to_images(recipe, (), shape, _IMAGES)
        speed = measure_speed(load_dataset(path), fitted, _SECONDS)
        row = {"shape": " x ".join(map(str, shape)), "channels": fitted.generator_width, "steps": fitted.steps}
        rows.append(row | {"steps_per_second": round(speed, 2), "minutes": round(fitted.steps / speed / 60, 1)})
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(argv=None):
    """Parse the command line, measure, and print the table."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="quick", choices=RECIPES)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        print(measure(RECIPES[options.recipe], folder).to_string(index=False))


if __name__ == "__main__":
    sys.exit(main())
