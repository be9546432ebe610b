"""Score a recipe by the plain protocol: what a classifier learns from its images alone.

    python -m benchmarks.plain_protocol --data mnist.npz --recipe quick --out /tmp/quick

Trains the recipe on the train part (or continues, or reuses what is in --out), draws 1,000 unfiltered images per
class, fits the classifier on them with --seeds seeds (5 epochs, batches of 32, the rate falls by a cosine, no
augmentation), and scores it on the real test part. Prints one line of JSON, and adds the score on the same number of
real images and label fidelity.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.measuring import describe_training, fit_fidelity_judge, score_as_training_set
from common.command_line import Parser
from common.run_files import load_histories
from generate_data import Config, generate_data
from models.classifier import compute_accuracy
from models.description import load_description
from models.recipes import RECIPES
from real.datasets import load_dataset
from synth.shard_formats import read_shard


def measure(data, recipe, out, seeds, seed):
    """Return the measurements as a dict."""
    sampling = {"class_size": 1000, "filter": "none", "duplicate_distance": 0.0, "shard_size": 1000}
    manifest = generate_data(Config(data=data, recipe=recipe, out=out, seed=seed, **sampling))
    shards = [read_shard(f"{out}/{entry['file']}", manifest["image_shape"]) for entry in manifest["shards"]]
    images = np.concatenate([shard_images for shard_images, _ in shards])
    labels = np.searchsorted(manifest["label_values"], np.concatenate([values for _, values in shards]))
    dataset = load_dataset(data)
    model = Path(out, "model")
    real_images, real_labels = _draw_per_class(*dataset.part("train"), 1000)
    return {
        "data": dataset.name,
        "recipe": recipe,
        "seed": seed,
        **describe_training([*load_histories(model).values()], load_description(model).recipe),
        "synthetic": _score(dataset, images, labels, seeds),
        "as_many_real": _score(dataset, real_images, real_labels, seeds),
        "label_fidelity": round(compute_accuracy(fit_fidelity_judge(dataset), images, labels), 4),
    }


def _score(dataset, images, labels, seeds):
    """Fit the classifier once per seed; return the accuracies on the real test part."""
    accuracies = score_as_training_set(images, labels, dataset.part("test"), len(dataset.class_names), seeds)
    return {"accuracies": [round(value, 4) for value in accuracies], "mean": round(float(np.mean(accuracies)), 4)}


def _draw_per_class(images, labels, count):
    generator = np.random.default_rng(0)
    members = [generator.permutation(np.flatnonzero(labels == k))[:count] for k in np.unique(labels)]
    index = np.concatenate(members)
    return images[index], labels[index]


def main():
    """Parse the command line, measure and print."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", choices=RECIPES, default="quick")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    result = measure(options.data, options.recipe, options.out, options.seeds, options.seed)
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
