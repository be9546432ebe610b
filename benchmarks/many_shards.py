"""Measure what a run's bookkeeping costs as its shards grow many, with a generator that costs next to nothing.

    python -m benchmarks.many_shards --shards 100000

Prints the milliseconds per shard of the first and of the last thousand, the seconds that the same command again takes
when all are there, and the peak of the process's memory. A shard is one image of 4 x 4 pixels.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common.output_folder import OutputFolder
from synth import shard_writing
from synth.shard_writing import stream_shards

_PART = 1000  # shards, first and last, that are timed
_SAMPLING = {"filter": "none", "keep": 1.0, "min_probability": 0.0, "duplicate_distance": 0.0, "latent_std": 1.0}
_SAMPLING |= {"format": "npz", "shard_size": 1, "seed": 0}


class Noise:
    """Stands in for a trained run: an image is its latent."""

    image_shape, latent_dim = (4, 4, 1), 16
    class_names, label_values = ("noise",), (0,)
    data, request, fingerprint = "noise", {"data": "noise", "seed": 0}, "0" * 64

    def generate(self, latents, class_index):
        """Return images uint8 [n, 4, 4, 1]."""
        return np.clip(latents * 40 + 128, 0, 255).astype(np.uint8).reshape(-1, *self.image_shape)

    def score(self, images, class_index):
        """Return a realism of zero for each image."""
        return np.zeros(len(images), np.float32)

    def train_hashes(self):
        """Return no hashes."""
        return np.zeros(0, np.uint64)

    def compute_hash(self):
        """Return the hash of no weights."""
        return "0" * 64


def measure(folder, shards):
    """Write so many shards into `folder`, or find them there; return seconds, ms per shard at both ends, and MiB."""
    times, write_shard = [], shard_writing.write_shard

    def write_and_note(*arguments):
        write_shard(*arguments)
        times.append(time.perf_counter())

    shard_writing.write_shard = write_and_note
    start = time.perf_counter()
    with OutputFolder(folder, {"sampling": _SAMPLING}, "generate_data.py", ()).hold():
        stream_shards(Noise(), _SAMPLING | {"class_size": {"noise": shards}}, Path(folder), quiet=True)
    seconds = time.perf_counter() - start
    part = min(_PART, len(times) - 1)
    first, last = ((times[part] - times[0]), (times[-1] - times[-1 - part])) if part > 0 else (0.0, 0.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "first": 1000 * first / max(part, 1), "last": 1000 * last / max(part, 1), "MiB": peak}


def main(argv=None):
    """Measure a run, and the same command again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=100_000, help="number of shards (default: %(default)s)")
    parser.add_argument("--in", dest="folder", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.folder:
        print(json.dumps(measure(options.folder, options.shards)))
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.many_shards", "--shards", str(options.shards), "--in", folder]
        for title in ("written", "found again"):
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            ends = f"{found['first']:.2f} ms per shard at first, {found['last']:.2f} at last"
            took = f"{found['seconds']:.1f} s, {ends}, {found['MiB']:.0f} MiB"
            print(f"{options.shards:,} shards {title}: {took}", flush=True)


if __name__ == "__main__":
    main()
