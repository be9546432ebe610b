"""Compare the drawing of filtered images with its stages alone: the generator, the filter, the writer.

    python -m benchmarks.drawing --model mnist

Printed are images/s of each stage and of the whole, `--filter classifier`, and the share of the slowest stage, and of
the stages one after the other, that the whole reaches.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common.command_line import Parser
from models.pretrained import find_model_folder
from models.trained_gan import TrainedGAN
from synth.sampling import BLOCK_SIZE, draw_latents
from synth.shard_drawing import build_sieve
from synth.shard_formats import write_shard
from synth.shard_options import SamplingOptions
from synth.shard_writing import stream_shards

_BLOCKS = 20  # of a stage's measurement


def measure(model="mnist", rounds=3):
    """Return {"generator", "filter", "writer", "whole": images/s, each the median of the rounds}."""
    trained = TrainedGAN(find_model_folder(model))
    names = ("keep", "min_probability", "duplicate_distance", "latent_std", "format")
    sampling = {name: getattr(SamplingOptions(), name) for name in names}
    count = _BLOCKS * BLOCK_SIZE
    sampling |= {"filter": "classifier", "shard_size": count, "seed": 0}
    sampling["class_size"] = {trained.class_names[0]: count}
    sieve, _ = build_sieve(trained, sampling, sampling["class_size"])
    found = [_measure_round(trained, sieve, sampling, count) for _ in range(rounds + 1)][1:]  # the first warms up
    return {name: count / float(np.median([seconds[name] for seconds in found])) for name in found[0]}


def _measure_round(trained, sieve, sampling, count):
    """Return the seconds of each stage and of the whole for `count` images."""
    with tempfile.TemporaryDirectory() as folder:
        marks = [time.perf_counter()]
        latents = [draw_latents(0, 0, 0, block, trained.latent_dim) for block in range(_BLOCKS)]
        images = [trained.generate(block, 0) for block in latents]
        marks.append(time.perf_counter())
        scores = [sieve(block, 0, [])[1] for block in images]
        marks.append(time.perf_counter())
        write_shard(Path(folder, "0.npz"), np.concatenate(images), 0, np.concatenate(scores))
        marks.append(time.perf_counter())
        stream_shards(trained, sampling, Path(folder, "run"), quiet=True)
        marks.append(time.perf_counter())
    return dict(zip(("generator", "filter", "writer", "whole"), np.diff(marks).tolist(), strict=True))


def main(argv=None):
    """Measure and print."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mnist", help="as of generate_data.py (default: %(default)s)")
    rates = measure(parser.parse_args(argv).model)
    whole = rates["whole"]
    stages = [rates[name] for name in ("generator", "filter", "writer")]
    in_turn = 1 / sum(1 / rate for rate in stages)
    print(", ".join(f"{name} {rate:,.0f} images/s" for name, rate in rates.items()))
    print(f"the whole: {whole / min(stages):.2f} of its slowest stage, {whole / in_turn:.2f} of its stages in turn")


if __name__ == "__main__":
    sys.exit(main())
