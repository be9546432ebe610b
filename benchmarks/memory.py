"""Peak memory of the scripts for one number of images and for ten times as many, each in a process of its own.

    python -m benchmarks.memory generate --model RUN --counts 20000 200000
    python -m benchmarks.memory predict --data mnist.npz --counts 100000 1000000
    python -m benchmarks.memory evaluate --data mnist.npz --counts 100000 1000000

`predict` and `evaluate` read shards that hold the data's train images over and over; `predict` trains for one epoch.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common.command_line import Parser
from common.folder_names import class_folders
from real.datasets import load_dataset
from synth.shard_formats import write_shard

ROOT = Path(__file__).resolve().parent.parent


def run_script(name, *arguments):
    """Run a script; return (peak memory in MB, seconds)."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, ROOT / name, *map(str, arguments), "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{name} failed"
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def measure_generate(options, count, folder):
    """Sample `count` images from a trained run."""
    per_class = count // 10
    arguments = ["--model", options.model, "--class-size", per_class, "--out", folder / "out"]
    return run_script("generate_data.py", *arguments)


def measure_predict(options, count, folder):
    """Train for one epoch on `count` images."""
    _write_shards(options, count, folder)
    arguments = ["--synthetic-only", "--data", options.data, "--synthetic", folder, "--out", folder / "out"]
    return run_script("predict.py", *arguments, "--epochs", 1)


def measure_evaluate(options, count, folder):
    """Compare `count` images with the data's test part."""
    _write_shards(options, count, folder)
    return run_script("evaluate_fid.py", folder, "--data", options.data, "--out", folder.parent / "out")


def _write_shards(options, count, folder):
    """Write `count` of the data's train images, over and over, in shards of 5,000."""
    dataset = load_dataset(options.data)
    images, labels = dataset.part("train")
    for k, name in enumerate(class_folders(dataset.class_names).values()):
        members = np.resize(np.flatnonzero(labels == k), count // len(dataset.class_names))
        (folder / name).mkdir()
        for shard, start in enumerate(range(0, len(members), 5000)):
            rows = members[start : start + 5000]
            write_shard(
                folder / name / f"part-{shard:05d}.npz",
                images[rows],
                dataset.label_values[k],
                np.zeros(len(rows)),
            )


def main():
    """Measure each count and print the ratio of the peaks."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", choices=("generate", "predict", "evaluate"))
    parser.add_argument("--model")
    parser.add_argument("--data")
    parser.add_argument("--counts", type=int, nargs=2, required=True)
    options = parser.parse_args()
    measures = {"generate": measure_generate, "predict": measure_predict, "evaluate": measure_evaluate}
    measure = measures[options.script]
    peaks = []
    for count in options.counts:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "images").mkdir()
            peak, seconds = measure(options, count, Path(folder) / "images")
        peaks.append(peak)
        print(f"{count:,} images: peak {peak:,.0f} MB, {seconds:.0f} s", flush=True)
    print(f"ratio {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
