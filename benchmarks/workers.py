"""Measure how fast workers draw and write shards, next to one process with as many threads.

    python -m benchmarks.workers --model mnist --workers 2 --threads 1

The rates leave out the start: they count from the first shard to the last. A round measures one process, then the
workers; printed are the medians, the median of the rounds' ratios, the seconds to the workers' first shard, the
seconds in which this process writes a thousand images, and what memory the workers take.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from common.executors import SerialExecutor, open_executor
from common.run_options import WorkOptions
from models.startup import start_worker
from synth.shard_options import SamplingOptions


class Timed:
    """An executor that notes when its results came, and how long its caller kept each."""

    def __init__(self, executor):
        self.is_remote = executor.is_remote
        self._executor = executor
        self.began, self.came, self.kept = 0.0, [], 0.0

    def map(self, build, function, items):
        """Yield what the executor yields."""
        self.began = time.perf_counter()
        for result in self._executor.map(build, function, items):
            self.came.append(time.perf_counter())
            yield result
            self.kept += time.perf_counter() - self.came[-1]


def measure(trained, executor, rows, shards, workers=1):
    """Write so many shards; return images/s, seconds to the first shard, and seconds of writing per 1,000 images."""
    from synth.shard_writing import stream_shards

    options = SamplingOptions()
    names = ("keep", "min_probability", "duplicate_distance", "latent_std", "format")
    sampling = {name: getattr(options, name) for name in names} | {
        "filter": "classifier",
        "shard_size": rows,
        "seed": 0,
    }
    each = -(-shards * rows // len(trained.class_names))
    sampling["class_size"] = dict.fromkeys(trained.class_names, each)
    timed = Timed(executor)
    with tempfile.TemporaryDirectory() as folder:
        stream_shards(trained, sampling, Path(folder), quiet=True, executor=timed)
    counted = rows * (len(timed.came) - workers)  # the others were begun before the first was there
    rate = counted / (timed.came[-1] - timed.came[workers - 1])
    return rate, timed.came[0] - timed.began, timed.kept / (rows * len(timed.came)) * 1000


def count_memory():
    """Return the MiB of each of Ray's workers here: what they hold alone, and their share of what is shared."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::Worker" in (process / "cmdline").read_bytes():
                lines = (process / "smaps_rollup").read_text().splitlines()
                found += [int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")]
        except OSError:  # it has ended
            continue
    return found


def main(argv=None):
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="mnist", help="as of generate_data.py (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each process (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=500, help="images per shard (default: %(default)s)")
    parser.add_argument("--shards", type=int, default=40, help="shards of a measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(argv)
    start_worker(options.threads)
    from models.pretrained import find_model_folder
    from models.trained_gan import TrainedGAN

    trained = TrainedGAN(find_model_folder(options.model))
    size, rounds, memory = (options.rows, options.shards), [], []
    work = WorkOptions(workers=options.workers)
    with open_executor(work, options.threads, print, start_worker) as executor:
        for _ in range(options.rounds):
            alone = measure(trained, SerialExecutor(), *size)
            shared = measure(trained, executor, *size, options.workers)
            rounds.append((alone, shared))
            print(f"one {alone[0]:,.0f} images/s, {options.workers} workers {shared[0]:,.0f}", flush=True)
        for _ in executor.map(lambda: trained, lambda state, item: time.sleep(1), range(2 * options.workers)):
            memory = count_memory() or memory
    ratio = statistics.median(shared[0] / alone[0] for alone, shared in rounds)
    one, many = (statistics.median(pair[side][0] for pair in rounds) for side in (0, 1))
    start, kept = (statistics.median(shared[part] for _, shared in rounds) for part in (1, 2))
    print(f"one process {one:,.0f} images/s, {options.workers} workers {many:,.0f}: {ratio:.2f} times")
    print(f"{start:.0f} s to the workers' first shard; {kept:.3f} s to write 1,000 images")
    print(f"MiB of each worker, opened: {', '.join(f'{size:.0f}' for size in memory) or 'unknown'}")


if __name__ == "__main__":
    main()
